import type { KeyObject } from 'node:crypto'
import type { DIDResolutionResult } from 'did-resolver'
import type { AskingClient } from '../../../kernel/presentation-answers.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { type KeySet, readKeySet } from '../../formats/compact-jws.ts'
import { isRecord } from '../../formats/json.ts'
import { keyOfMethod } from '../../multikey.ts'
import { type Certificate, certificatesOfX5c, speaksFor } from '../../x509/certificate.ts'
import { trustAnchors } from '../../x509/chain.ts'
import { assertRequestSigned, type RequestObject } from './request-object.ts'
import { judgeVerifierAttestation } from './verifier-attestation.ts'

/** Who asks: client identifiers and what their prefixes require (OpenID4VP 1.0, section 5.9). */

/** A verifier that a wallet was told of beforehand (section 5.9.2). */
export type RegisteredClient = {
  keys: KeySet
  responseUris: readonly string[]
  /** `vp_formats_supported`, `jwks` and the like, which then do not come with the request. */
  metadata: Record<string, unknown>
}

/** Metadata of a verifier as its federation resolves them. */
export type FederatedClient = { metadata: Record<string, unknown>; anchor: string }

/** Whom the wallet believes about who asks. */
export type ClientTrust = {
  resolve(did: string): Promise<DIDResolutionResult>
  /** DER: authorities for certificates of verifiers. */
  anchors(): Promise<readonly Uint8Array[]>
  /** Keys of those who attest verifiers, by their `iss`. */
  attesters: ReadonlyMap<string, KeySet>
  registered: ReadonlyMap<string, RegisteredClient>
  /** @throws Refusal of the trust chain */
  federation?: ((entityId: string, trustChain: unknown) => Promise<FederatedClient>) | undefined
}

export type JudgedClient = {
  client: AskingClient
  /** Metadata that stand in for those of the request. */
  metadata?: Record<string, unknown>
  /** Whether an answer may go there. Without it the signature of the request vouches for the address. */
  mayAnswerTo?: (responseUri: string) => boolean
}

type Prefix = 'redirect_uri' | 'openid_federation' | 'decentralized_identifier' | 'verifier_attestation' | X509Prefix
type X509Prefix = 'x509_san_dns' | 'x509_hash'

const prefixes: ReadonlySet<string> = new Set<Prefix>([
  ...(['redirect_uri', 'openid_federation', 'decentralized_identifier'] as const),
  ...(['verifier_attestation', 'x509_san_dns', 'x509_hash'] as const),
])

const rejected = (code: string, detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', code, detail, { cause })
const untrusted = (detail: string, cause?: unknown): Refusal => rejected('client_untrusted', detail, cause)

/** Section 5.9.1: what stands before the first colon, if that is a prefix; else the identifier is one of registration. */
const split = (clientId: string): { prefix: Prefix | undefined; name: string } => {
  const colon = clientId.indexOf(':')
  const prefix = clientId.slice(0, Math.max(colon, 0))
  if (prefix === 'origin')
    throw rejected('client_id_unsupported', 'No request may call its client origin (section 5.9.3).')
  if (!prefixes.has(prefix)) return { prefix: undefined, name: clientId }
  return { prefix: prefix as Prefix, name: clientId.slice(colon + 1) }
}

const hostOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).hostname : undefined)

const trustedLeaf = async (object: RequestObject, trust: ClientTrust, at: { now: number; haip: boolean }) => {
  const chain = certificatesOfX5c(object.jws.header['x5c'])
  return trustAnchors(await trust.anchors()).validate(chain, at.now, { haip: at.haip })
}

const subjectOf = ({ subject }: Certificate): string => subject.text.slice(0, 300)

const byCertificate = async (
  object: RequestObject,
  { prefix, name }: { prefix: X509Prefix; name: string },
  trust: ClientTrust,
  at: { now: number; haip: boolean },
): Promise<JudgedClient> => {
  const { leaf, anchor } = await trustedLeaf(object, trust, at)
  if (prefix === 'x509_hash' ? leaf.thumbprint !== name : !speaksFor(leaf, name)) {
    throw untrusted('The certificate of the request is not the one, or not of the host, that the client_id names.')
  }
  await assertRequestSigned(object, [leaf.publicKey])
  const client: AskingClient = {
    ...{ id: object.clientId, assurance: 'certificate', vouchedBy: subjectOf(anchor) },
    name: prefix === 'x509_hash' ? subjectOf(leaf) : name,
  }
  if (prefix === 'x509_hash') return { client }
  return { client, mayAnswerTo: uri => hostOf(uri)?.toLowerCase() === name.toLowerCase() }
}

/** The key that `kid` names, out of `verificationMethod`, whatever else it is for (section 5.9.3). */
const keyInDid = async (did: string, kid: string, trust: ClientTrust): Promise<KeyObject> => {
  const url = kid.startsWith('#') ? did + kid : kid
  if (!url.startsWith(`${did}#`))
    throw untrusted('The request is signed by a key (kid) that is none of the client’s DID.')
  const { didDocument, didResolutionMetadata, didDocumentMetadata } = await trust.resolve(did)
  if (didDocument === null || didDocumentMetadata.deactivated === true) {
    if (didResolutionMetadata.error === 'internalError') {
      throw new Refusal('unavailable', 'did_unavailable', 'The DID of the client cannot be resolved now.')
    }
    throw untrusted('The DID of the client cannot be resolved.')
  }
  const absolute = (id: string) => (id.startsWith('#') ? didDocument.id + id : id)
  const method = didDocument.verificationMethod?.find(({ id }) => absolute(id) === url)
  const key = method === undefined ? undefined : keyOfMethod({ ...method }).publicKey
  if (key === undefined) throw untrusted('The DID of the client has no such key (kid) that can be verified with.')
  return key
}

const byDid = async (object: RequestObject, did: string, trust: ClientTrust): Promise<JudgedClient> => {
  if (!/^did:[a-z0-9]+:[^\s#?]{1,2000}$/.test(did)) throw untrusted('The client_id names no DID.')
  await assertRequestSigned(object, [await keyInDid(did, object.jws.kid, trust)])
  return { client: { id: object.clientId, name: did, assurance: 'did' } }
}

const byAttestation = async (
  object: RequestObject,
  subject: string,
  trust: ClientTrust,
  now: number,
): Promise<JudgedClient> => {
  const attestation = object.jws.header['jwt']
  const { issuer, key, redirectUris } = await judgeVerifierAttestation(attestation, { subject, now }, trust.attesters)
  await assertRequestSigned(object, [key])
  return {
    client: { id: object.clientId, name: subject, assurance: 'attestation', vouchedBy: issuer },
    ...(redirectUris === undefined ? {} : { mayAnswerTo: uri => redirectUris.includes(uri) }),
  }
}

const byFederation = async (object: RequestObject, entityId: string, trust: ClientTrust): Promise<JudgedClient> => {
  if (trust.federation === undefined) {
    throw rejected('client_id_unsupported', 'This wallet is in no federation in which the client could be looked up.')
  }
  const { metadata, anchor } = await trust.federation(entityId, object.parameters['trust_chain'])
  const { jwks, redirect_uris, response_uris } = metadata
  await assertRequestSigned(object, readKeySet(jwks).values())
  const addresses = [redirect_uris, response_uris].flat().filter(each => typeof each === 'string')
  return {
    client: { id: object.clientId, name: entityId, assurance: 'federation', vouchedBy: anchor },
    // Authoritative metadata go before those of the request (section 5.9.3).
    metadata,
    ...(addresses.length === 0 ? {} : { mayAnswerTo: uri => addresses.includes(uri) }),
  }
}

const byRegistration = async (object: RequestObject, trust: ClientTrust): Promise<JudgedClient> => {
  const { clientId, parameters } = object
  const known = trust.registered.get(clientId)
  if (known === undefined) {
    throw rejected(
      'client_id_unsupported',
      'The client is not registered with this wallet, and has no prefix that is known.',
    )
  }
  if (parameters['client_metadata'] !== undefined) {
    throw rejected('client_metadata_unwanted', 'The metadata of a registered client do not come with its request.')
  }
  await assertRequestSigned(object, known.keys.values())
  return {
    client: { id: clientId, name: clientId, assurance: 'registration' },
    metadata: known.metadata,
    mayAnswerTo: uri => known.responseUris.includes(uri),
  }
}

/**
 * Judges the client of a signed request: its signature, and that its key is the client's.
 * @throws Refusal client_untrusted, client_id_unsupported, request_signature, request_signed, verifier_attestation,
 * client_metadata_unwanted; certificate_malformed, certificate_untrusted, certificate_expired; did_unavailable
 */
export const judgeSignedClient = async (
  object: RequestObject,
  trust: ClientTrust,
  at: { now: number; haip: boolean },
): Promise<JudgedClient> => {
  const { prefix, name } = split(object.clientId)
  if (at.haip && prefix !== 'x509_hash') {
    throw rejected(
      'client_id_unsupported',
      'A request by haip-vp is of a client with the prefix x509_hash (HAIP 1.0, section 5).',
    )
  }
  if (prefix === 'redirect_uri') {
    throw rejected(
      'request_signed',
      'Requests of a client with the prefix redirect_uri are not signed (section 5.9.3).',
    )
  }
  if (prefix === undefined) return byRegistration(object, trust)
  if (prefix === 'decentralized_identifier') return byDid(object, name, trust)
  if (prefix === 'verifier_attestation') return byAttestation(object, name, trust, at.now)
  if (prefix === 'openid_federation') return byFederation(object, name, trust)
  return byCertificate(object, { prefix, name }, trust, at)
}

/**
 * The client of a request that nobody signed: known by the address that the answer goes to alone.
 * @throws Refusal request_unsigned, client_id_unsupported
 */
export const judgeUnsignedClient = (clientId: string): JudgedClient => {
  const { prefix, name } = split(clientId)
  if (prefix !== 'redirect_uri') {
    throw rejected('request_unsigned', 'The request of this client has to be signed; only redirect_uri: goes without.')
  }
  return { client: { id: clientId, name, assurance: 'address' }, mayAnswerTo: uri => uri === name }
}

/** Metadata as an object, or nothing. @throws Refusal malformed/presentation_request_malformed */
export const metadataOf = (value: unknown): Record<string, unknown> => {
  if (value === undefined) return {}
  if (isRecord(value)) return value
  throw new Refusal('malformed', 'presentation_request_malformed', 'client_metadata is an object.')
}
