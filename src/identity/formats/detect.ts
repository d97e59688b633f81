import { canonical } from '../../kernel/canonical.ts'
import { Refusal } from '../../kernel/refusal.ts'
import type { FormatId } from '../types.ts'
import type { Format } from './format.ts'
import { isRecord, malformed } from './jose.ts'
import { sdJwtVc } from './sd-jwt-vc.ts'
import { vcJose } from './vc-jose.ts'
import { vcJwt11 } from './vc-jwt-1.1.ts'

export const formats: Record<FormatId, Format> = { 'dc+sd-jwt': sdJwtVc, 'vc+jwt': vcJose, jwt_vc: vcJwt11 }

const headerTyp = (compact: string): unknown => {
  const dot = compact.indexOf('.')
  if (dot < 1 || dot > 4_096) throw malformed('This is not a compact JWS.')
  try {
    const header = JSON.parse(Buffer.from(compact.slice(0, dot), 'base64url').toString('utf8')) as unknown
    return isRecord(header) ? header['typ'] : undefined
  } catch (cause) {
    throw new Refusal('malformed', 'credential_malformed', 'The header is not base64url JSON.', { cause })
  }
}

/** The format of a compact credential, by its own shape and declared type. */
export const formatOf = (compact: string): Format => {
  if (compact.includes('~')) return sdJwtVc
  return headerTyp(compact) === 'vc+jwt' ? vcJose : vcJwt11
}

const dataUrl = /^data:application\/(vc\+jwt|dc\+sd-jwt|vc\+sd-jwt|jwt|vp\+jwt)[,;]/

/** The compact form inside a `data:` URL (VC Data Model 2.0 section 4.12, 4.13). */
export const fromDataUrl = (id: unknown): string => {
  if (typeof id !== 'string' || !dataUrl.test(id)) throw malformed('The id is not a data: URL of a known media type.')
  const comma = id.indexOf(',')
  if (comma < 0) throw malformed('The data: URL has no comma.')
  return id.slice(comma + 1)
}

/** Fields that Veramo and did-jwt-vc copy out of a JWT: a copy that differs from what was signed is an edit. */
const assertUnedited = (outer: Record<string, unknown>, jwt: string): void => {
  const [, payload = ''] = jwt.split('.')
  let signed: unknown
  try {
    signed = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  } catch (cause) {
    throw new Refusal('malformed', 'credential_malformed', 'The JWT of the proof is not readable.', { cause })
  }
  if (!isRecord(signed)) throw malformed('The JWT of the proof is not readable.')
  const vc = isRecord(signed['vc']) ? signed['vc'] : signed
  const subject = isRecord(vc['credentialSubject']) ? { ...vc['credentialSubject'] } : {}
  if (typeof signed['sub'] === 'string') subject['id'] = signed['sub']
  if (outer['credentialSubject'] !== undefined && canonical(outer['credentialSubject']) !== canonical(subject)) {
    throw new Refusal('rejected', 'payload_edited', 'credentialSubject differs from what the proof signs.')
  }
}

/** A compact credential out of whatever a caller may hand over. */
export const unwrapCredential = (input: unknown): string => {
  if (typeof input === 'string') return input.startsWith('data:') ? fromDataUrl(input) : input
  if (!isRecord(input)) throw malformed('A credential is a compact string or an object.')
  if (input['type'] === 'EnvelopedVerifiableCredential') return fromDataUrl(input['id'])
  const proof = input['proof']
  if (isRecord(proof) && typeof proof['jwt'] === 'string') {
    assertUnedited(input, proof['jwt'])
    return proof['jwt']
  }
  throw malformed('The credential has no proof that is understood here (a JWT, vc+jwt or dc+sd-jwt).')
}
