import type { ForeignStatus, Signature } from '../formats/format.ts'
import { fromNumericDate, jwsSignature, openJws, toDateTime, typOf } from '../formats/jose.ts'
import { isRecord, malformed } from '../formats/json.ts'
import { openVcCose } from '../formats/vc-cose.ts'
import { type OpenedVcSdJwt, openVcSdJwt } from '../formats/vc-sd-jwt.ts'
import { narrow } from '../formats/w3c.ts'
import type { CredentialShape } from '../model/credential.ts'
import { assertCredential } from '../model/credential.ts'
import { type Envelope, isEnvelope, openEnvelope, readDataUrl } from '../model/envelope.ts'
import { readStatusClaim } from '../status-lists/token.ts'

type Document = Record<string, unknown>

/** What secures a document: one signature around it, or proofs in it. */
export type Securing = { kind: 'signature'; signature: Signature } | { kind: 'proofs' }

/** A credential of any issuer and type, taken apart. Nothing in it is believed yet. */
export type ForeignCredential = {
  format: 'vc+jwt' | 'vc+sd-jwt' | 'vc+cose' | 'jwt_vc' | 'ldp_vc'
  /** The credential in the words of the data model, with its proofs where it has any. */
  document: Document
  shape: CredentialShape
  securing: Securing
  /** All that it names: entries of the document, and the place in a Token Status List that a JWT or a CWT carries. */
  statuses: readonly ForeignStatus[]
  /** Of an SD-JWT: the key of its holder, and what that key signed over it. */
  held?: Pick<OpenedVcSdJwt, 'confirmation' | 'keyBinding'>
  validFrom: number | undefined
  validUntil: number | undefined
}

const bounded = (
  shape: CredentialShape,
  claims: { nbf?: unknown; exp?: unknown },
): Pick<ForeignCredential, 'validFrom' | 'validUntil'> => ({
  validFrom: narrow(shape.validFrom, fromNumericDate(claims.nbf, 'nbf'), Math.max),
  validUntil: narrow(shape.validUntil, fromNumericDate(claims.exp, 'exp'), Math.min),
})

const statusClaim = 65_535

/**
 * What the credential says of its status: `credentialStatus`, and a claim of the Token Status List beside it. A member `status` of any
 * other form is one of the credential's own words.
 * @throws Refusal rejected/status_type_unknown, malformed/status_malformed
 */
const statusesOf = ({ statuses }: CredentialShape, claim?: unknown): ForeignStatus[] => {
  const entries = statuses.map(entry => ({ kind: 'bitstring' as const, entry: { ...entry } }))
  const isClaim = claim instanceof Map || (isRecord(claim) && claim['status_list'] !== undefined)
  return isClaim ? [...entries, { kind: 'token', ...readStatusClaim(claim) }] : entries
}

const differ = (outer: unknown, inner: unknown): boolean =>
  outer !== undefined && inner !== undefined && outer !== inner

/** VC-JOSE-COSE 3.1.1: claims of JWT that repeat members of the credential must not say something else. */
const openJose = (compact: string): ForeignCredential => {
  const { signed, payload } = openJws(compact)
  if (payload['vc'] !== undefined || payload['vp'] !== undefined) {
    throw malformed('A vc+jwt payload is the credential itself, without a vc or vp member (VC-JOSE-COSE 3.1.1).')
  }
  const { iat: _iat, exp, nbf, iss, jti, sub, ...document } = payload
  const shape = assertCredential(document)
  const statuses = statusesOf(shape, payload['status'])
  const [subject] = shape.subjects
  if (differ(iss, shape.issuer)) throw malformed('iss and issuer differ.')
  if (differ(jti, shape.id)) throw malformed('jti and id differ.')
  if (differ(sub, subject?.['id'])) throw malformed('sub and the subject differ.')
  const securing: Securing = { kind: 'signature', signature: jwsSignature(signed) }
  return { format: 'vc+jwt', document, shape, statuses, securing, ...bounded(shape, { nbf, exp }) }
}

/** A NumericDate in the words of the credential. @throws Refusal malformed/credential_malformed */
const dateOf = (seconds: unknown, name: string): string => toDateTime(fromNumericDate(seconds, name) ?? 0)

/** VC Data Model 1.1, section 6.3.1: what the JWT's claims stand for goes back into the credential. */
const openJwt11 = (compact: string): ForeignCredential => {
  const { signed, payload } = openJws(compact)
  const { typ } = signed.header
  if (typ !== undefined && typ !== 'jwt') throw malformed('The typ of a VC-JWT 1.1 is JWT.')
  const { vc, iss, sub, jti, nbf, exp } = payload
  if (!isRecord(vc)) throw malformed('A VC-JWT 1.1 payload has a vc member.')
  const subject = vc['credentialSubject']
  if (isRecord(subject) && differ(sub, subject['id'])) throw malformed('sub and the subject differ.')
  const document: Document = { ...vc }
  if (iss !== undefined) {
    const named = isRecord(vc['issuer']) ? vc['issuer']['id'] : vc['issuer']
    if (differ(iss, named)) throw malformed('iss and issuer differ.')
    document['issuer'] = isRecord(vc['issuer']) ? { ...vc['issuer'], id: iss } : iss
  }
  if (differ(jti, vc['id'])) throw malformed('jti and id differ.')
  if (jti !== undefined) document['id'] = jti
  if (sub !== undefined && isRecord(subject)) document['credentialSubject'] = { ...subject, id: sub }
  if (nbf !== undefined && vc['issuanceDate'] === undefined) document['issuanceDate'] = dateOf(nbf, 'nbf')
  if (exp !== undefined && vc['expirationDate'] === undefined) document['expirationDate'] = dateOf(exp, 'exp')
  const shape = assertCredential(document)
  const securing: Securing = { kind: 'signature', signature: jwsSignature(signed) }
  const statuses = statusesOf(shape, payload['status'])
  return { format: 'jwt_vc', document, shape, statuses, securing, ...bounded(shape, { nbf, exp }) }
}

const openCose = (bytes: Uint8Array): ForeignCredential => {
  const opened = openVcCose(bytes)
  if (opened.kind !== 'vc') throw malformed('The COSE_Sign1 holds no credential.')
  const { document, credential: shape, signature, notBefore, expiresAt } = opened
  return {
    statuses: statusesOf(shape, opened.header.claims?.get(statusClaim) ?? document['status']),
    ...{ format: 'vc+cose', document, shape, securing: { kind: 'signature', signature } },
    validFrom: narrow(shape.validFrom, notBefore, Math.max),
    validUntil: narrow(shape.validUntil, expiresAt, Math.min),
  }
}

const openProofs = (document: Document): ForeignCredential => {
  const shape = assertCredential(document)
  const statuses = statusesOf(shape)
  return { format: 'ldp_vc', document, shape, statuses, securing: { kind: 'proofs' }, ...bounded(shape, {}) }
}

/** VC-JOSE-COSE 3.2.1. An SD-JWT VC is another thing: no W3C credential. */
const openSelective = (token: string): ForeignCredential => {
  const opened = openVcSdJwt(token)
  if (opened.kind !== 'vc') throw malformed('The SD-JWT holds no credential.')
  const { document, credential: shape, signature, notBefore, expiresAt, confirmation, keyBinding } = opened
  return {
    statuses: statusesOf(shape, document['status']),
    ...{ format: 'vc+sd-jwt', document, shape, securing: { kind: 'signature', signature } },
    held: { confirmation, keyBinding },
    validFrom: narrow(shape.validFrom, notBefore, Math.max),
    validUntil: narrow(shape.validUntil, expiresAt, Math.min),
  }
}

const openText = (token: string): ForeignCredential => {
  if (token.includes('~')) return openSelective(token)
  return typOf(token) === 'vc+jwt' ? openJose(token) : openJwt11(token)
}

const openEnveloped = (envelope: Envelope): ForeignCredential =>
  envelope.encoding === 'binary' ? openCose(envelope.bytes) : openText(envelope.token)

const type = 'EnvelopedVerifiableCredential'

/**
 * Takes a credential of any issuer apart: a compact JWS, an EnvelopedVerifiableCredential, or an object with proofs.
 * @throws Refusal malformed/credential_malformed, rejected/algorithm_refused
 */
export const openForeign = (input: unknown): ForeignCredential => {
  if (typeof input === 'string') {
    return input.startsWith('data:') ? openEnveloped(readDataUrl(input, type)) : openText(input)
  }
  if (isEnvelope(input, type)) return openEnveloped(openEnvelope(input, type))
  if (!isRecord(input)) throw malformed('A credential is a compact string or an object.')
  return openProofs(input)
}
