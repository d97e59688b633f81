import { hash } from 'node:crypto'
import { isIP } from 'node:net'
import type { Certificates, CertifiedKey } from '../../../kernel/identity.ts'
import type { SignatureAlgorithm, Signer } from '../../../kernel/ports.ts'
import type { ClientIdPrefix } from '../../../kernel/presentation-requests.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { didWebFor } from '../../did-web.ts'
import type { IssuerKey } from '../../issue.ts'

/** This agency as the client of a wallet: under which identifier, and how its requests are signed. */
export type SigningClient = {
  /** With its prefix (OpenID4VP 1.0, section 5.9.1). */
  clientId: string
  /** What of the JOSE header leads to the key: `kid`, `x5c` or `jwt`. */
  header: { alg: SignatureAlgorithm; kid?: string; x5c?: readonly string[]; jwt?: string }
  sign(data: Buffer): Promise<Uint8Array>
}

/** A Verifier Attestation JWT of somebody whom wallets trust (OpenID4VP 1.0, section 12), bound to the verifier's key. */
export type VerifierAttestation = { jwt: string; subject: string; expires: number }

export type ClientNeeds = {
  publicUrl: string
  /** The agency's did:ethr. */
  did: string
  issuerKey(): IssuerKey
  certificates: Pick<Certificates, 'verifier'>
  signer: Signer
  attestation?: VerifierAttestation | undefined
  now(): number
}

/** A prefix whose requests are signed. */
export type SignedPrefix = Exclude<ClientIdPrefix, 'redirect_uri'>

const unsupported = (detail: string): Refusal => new Refusal('rejected', 'client_id_unsupported', detail)

/** How long certificates that were read once are gone by. */
const certificateTrustMs = 60_000

/** base64url of SHA-256 over the certificate's DER (section 5.9.3). */
export const certificateHash = (x5c: string): string => hash('sha256', Buffer.from(x5c, 'base64'), 'base64url')

/**
 * Client identifiers of this agency. A DID that everybody can resolve goes before our own: did:web where the agency is served over
 * https, did:ethr otherwise.
 */
export const openClients = (needs: ClientNeeds) => {
  const { publicUrl, did, certificates, signer } = needs
  const { protocol, hostname } = new URL(publicUrl)

  /** Reading the certificates takes longer than signing; they are made anew long before they end. */
  let held: { key: CertifiedKey; until: number } | undefined
  const certified = async (): Promise<CertifiedKey> => {
    const now = needs.now()
    if (held === undefined || now >= held.until || now >= held.key.expires) {
      held = { key: await certificates.verifier(), until: now + certificateTrustMs }
    }
    return held.key
  }

  const hashes = new WeakMap<CertifiedKey, string>()
  const hashOf = (key: CertifiedKey): string => {
    const known = hashes.get(key)
    if (known !== undefined) return known
    const found = certificateHash(key.x5c[0] ?? '')
    hashes.set(key, found)
    return found
  }

  const signed = (key: Pick<CertifiedKey, 'keyId' | 'algorithm'>) => (data: Buffer) =>
    signer.sign(key.keyId, key.algorithm, data)

  const byDid = (): SigningClient => {
    const key = needs.issuerKey()
    const named = protocol === 'https:' ? didWebFor(publicUrl) : did
    const kid = named + key.kid.slice(key.did.length)
    return {
      clientId: `decentralized_identifier:${named}`,
      header: { alg: key.algorithm, kid },
      sign: signed(key),
    }
  }

  const byCertificate = async (prefix: 'x509_hash' | 'x509_san_dns'): Promise<SigningClient> => {
    if (prefix === 'x509_san_dns' && isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) {
      throw unsupported('This agency is served under an IP address, which is no DNS name; ask for another prefix.')
    }
    const key = await certified()
    const { x5c, algorithm: alg } = key
    const name = prefix === 'x509_hash' ? hashOf(key) : hostname
    return { clientId: `${prefix}:${name}`, header: { alg, x5c }, sign: signed(key) }
  }

  const byAttestation = async (): Promise<SigningClient> => {
    const { attestation } = needs
    if (attestation === undefined) throw unsupported('This agency has no verifier attestation; ask for another prefix.')
    if (attestation.expires <= needs.now()) throw unsupported('The verifier attestation of this agency has expired.')
    const key = await certified()
    return {
      clientId: `verifier_attestation:${attestation.subject}`,
      header: { alg: key.algorithm, jwt: attestation.jwt },
      sign: signed(key),
    }
  }

  return {
    /** @throws Refusal rejected/client_id_unsupported, unavailable/certificate_missing */
    async signing(prefix: SignedPrefix): Promise<SigningClient> {
      if (prefix === 'decentralized_identifier') return byDid()
      return prefix === 'verifier_attestation' ? byAttestation() : byCertificate(prefix)
    },
  }
}

export type Clients = ReturnType<typeof openClients>
