import type { Clock } from '../../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import type { DidKeys } from '../../did-keys.ts'
import type { PublicKey } from '../../formats/format.ts'
import { fromNumericDate, openJws, signatureHolds } from '../../formats/jose.ts'
import { clockSkewMs } from '../../standing.ts'

/** Whom a wallet believes about an issuer's metadata. */
export type MetadataTrust = {
  clock: Clock
  dids: DidKeys
  /** Whether a DID speaks for a credential issuer: of its own host, or accredited and mutually linked. */
  speaksFor(did: string, issuer: string): Promise<boolean>
  /**
   * The key of a certificate chain that ends at an anchor of this wallet, if the certificate names the issuer's host.
   * @throws Refusal
   */
  certified?: ((x5c: readonly string[], issuer: string) => Promise<{ key: PublicKey; name: string }>) | undefined
}

const refused = (detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'metadata_signature_refused', detail, { cause })

const metadataType = 'openidvci-issuer-metadata+jwt'

const signerOf = async (
  header: { kid: string; x5c?: readonly string[] },
  issuer: string,
  trust: MetadataTrust,
): Promise<{ key: PublicKey; name: string }> => {
  if (header.x5c !== undefined) {
    if (trust.certified === undefined) throw refused('This wallet knows no authority for certificates of issuers.')
    return trust.certified(header.x5c, issuer)
  }
  if (!header.kid.startsWith('did:')) throw refused('Signed metadata name their key by x5c or by a DID URL (kid).')
  const key = await trust.dids.key(header.kid, 'assertionMethod')
  if (!(await trust.speaksFor(key.did, issuer))) throw refused('The metadata are signed by a DID of somebody else.')
  return { key, name: key.did }
}

const opened = (compact: string) => {
  try {
    return openJws(compact)
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    throw refused(`The signed metadata cannot be read: ${cause.message}`, cause)
  }
}

/**
 * Verifies signed issuer metadata (OpenID4VCI 1.0, section 12.2.3): whoever signed has to be believed about this issuer.
 * @throws Refusal rejected/metadata_signature_refused; unavailable when a DID cannot be resolved now
 */
export const openSignedMetadata = async (
  compact: string,
  issuer: string,
  trust: MetadataTrust,
): Promise<{ metadata: Record<string, unknown>; signedBy: string }> => {
  const { signed, payload } = opened(compact)
  const { typ, kid, x5c } = signed.header
  if (typ !== metadataType) throw refused(`The typ of signed metadata is ${metadataType}.`)
  if (payload['sub'] !== issuer) throw refused('The signed metadata are about another issuer (sub).')
  const now = trust.clock.now()
  let signer: { key: PublicKey; name: string }
  try {
    const issuedAt = fromNumericDate(payload['iat'], 'iat')
    const expires = fromNumericDate(payload['exp'], 'exp')
    if (issuedAt === undefined || issuedAt > now + clockSkewMs)
      throw refused('The signed metadata are from the future.')
    if (expires !== undefined && expires <= now) throw refused('The signed metadata have expired.')
    signer = await signerOf({ kid, ...(x5c === undefined ? {} : { x5c }) }, issuer, trust)
  } catch (error) {
    if (!isRefusal(error) || error.kind === 'unavailable' || error.code === 'metadata_signature_refused') throw error
    throw refused(`Nobody who is believed has signed the metadata: ${error.message}`, error)
  }
  if (!(await signatureHolds(signed, signer.key))) throw refused('The signature does not fit the metadata.')
  const { iss: _iss, sub: _sub, iat: _iat, exp: _exp, ...metadata } = payload
  return { metadata, signedBy: signer.name }
}
