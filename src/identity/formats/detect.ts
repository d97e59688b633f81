import type { FormatId } from '../../kernel/identity.ts'
import { Refusal } from '../../kernel/refusal.ts'
import type { CredentialTypes } from '../types.ts'
import type { Format, Opened } from './format.ts'
import { typOf } from './jose.ts'
import { isRecord, malformed, sameJson } from './json.ts'
import { ldpVc } from './ldp-vc.ts'
import { isMdoc, msoMdoc } from './mso-mdoc.ts'
import { fromJwsJson } from './sd-jwt-json.ts'
import { sdJwtVc } from './sd-jwt-vc.ts'
import { vcJose } from './vc-jose.ts'
import { vcJwt11 } from './vc-jwt-1.1.ts'

export const formats: Record<FormatId, Format> = {
  'dc+sd-jwt': sdJwtVc,
  'vc+jwt': vcJose,
  jwt_vc: vcJwt11,
  ldp_vc: ldpVc,
  mso_mdoc: msoMdoc,
}

const compactLengthMost = 1_048_576

/** Whether a compact form is the JSON text of a document with its proof in it. A JWS begins with the base64url of its header. */
export const isDocument = (compact: string): boolean => compact.startsWith('{')

/** The format of a compact credential, by its own shape and declared type. */
export const formatOf = (compact: string): Format => {
  if (isDocument(compact)) return ldpVc
  if (compact.includes('~')) return sdJwtVc
  if (isMdoc(compact)) return msoMdoc
  return typOf(compact) === 'vc+jwt' ? vcJose : vcJwt11
}

const dataUrl = /^data:application\/(vc\+jwt|dc\+sd-jwt|vc\+sd-jwt|jwt|vp\+jwt)[,;]/

/** The compact form inside a `data:` URL (VC Data Model 2.0 section 4.12, 4.13). */
const fromDataUrl = (id: string): string => {
  if (!dataUrl.test(id)) throw malformed('The id is not a data: URL of a known media type.')
  const comma = id.indexOf(',')
  if (comma < 0) throw malformed('The data: URL has no comma.')
  return id.slice(comma + 1)
}

const compactOf = (text: unknown): string => {
  if (typeof text !== 'string') throw malformed('The enveloped token is not a string.')
  if (text.length > compactLengthMost) throw malformed('The token is longer than a mebibyte.')
  return text.startsWith('data:') ? fromDataUrl(text) : text
}

const hasIntegrityProof = (proof: unknown): boolean =>
  (Array.isArray(proof) ? proof : [proof]).some(each => isRecord(each) && each['type'] === 'DataIntegrityProof')

/** JSON text of what a caller handed over, who in one process may hand over what JSON has not. */
const textOf = (input: Record<string, unknown>): string => {
  try {
    return JSON.stringify(input)
  } catch (cause) {
    throw new Refusal('malformed', 'credential_malformed', 'The object is not JSON.', { cause })
  }
}

const edited = (name: string): Refusal =>
  new Refusal('rejected', 'payload_edited', `${name} differs from what the proof signs.`)

/** An SD-JWT in the JWS JSON serialisation (RFC 9901, section 8). Of several signatures each would have to be its issuer's. */
const fromSerialised = (input: Record<string, unknown>): string => {
  const { compact, others } = fromJwsJson(input)
  if (others.length > 0) throw malformed('A credential is taken under one signature.')
  return compactOf(compact)
}

const envelopeMembers = new Set(['@context', 'id', 'type'])

/**
 * A compact form out of whatever a caller may hand over: itself, a `data:` URL, an enveloping object (`type`), an object
 * with the token in `proof.jwt`, an SD-JWT in the JWS JSON serialisation, or one with a DataIntegrityProof or an mdoc's
 * `deviceResponse`, whose compact form is its JSON text.
 */
export const unwrap = (input: unknown, envelope: string): string => {
  if (typeof input === 'string') return compactOf(input)
  if (!isRecord(input)) throw malformed('A compact string or an object is wanted.')
  const type = Array.isArray(input['type']) && input['type'].length === 1 ? input['type'][0] : input['type']
  if (type === envelope) {
    const stray = Object.keys(input).find(name => !envelopeMembers.has(name))
    if (stray !== undefined) throw edited(JSON.stringify(stray.slice(0, 80)))
    return compactOf(input['id'])
  }
  if (input['signature'] !== undefined || input['signatures'] !== undefined) return fromSerialised(input)
  if (typeof input['deviceResponse'] === 'string') return compactOf(textOf(input))
  const proof = input['proof']
  if (hasIntegrityProof(proof)) return compactOf(textOf(input))
  if (isRecord(proof) && typeof proof['jwt'] === 'string') return compactOf(proof['jwt'])
  throw malformed(
    'There is no proof that is understood here (a JWT, vc+jwt, vp+jwt, dc+sd-jwt or a DataIntegrityProof).',
  )
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])
const dates = new Set(['issuanceDate', 'expirationDate', 'validFrom', 'validUntil'])

const sameMember = (name: string, outer: unknown, signed: unknown): boolean => {
  if (sameJson(outer, signed)) return true
  if (name === 'type' || name === '@context') return sameJson(list(outer), list(signed))
  if (name === 'issuer') return isRecord(signed) && Object.keys(signed).length === 1 && outer === signed['id']
  const dated = dates.has(name) && typeof outer === 'string' && typeof signed === 'string'
  return dated && Date.parse(outer) === Date.parse(signed)
}

/**
 * Beside a proof, an object repeats what was signed. A repetition that differs, or leaves a part out, is an edit.
 * @param shown the object as it should be; `document` has the same in the words of the token.
 */
export const assertUnedited = (
  outer: Record<string, unknown>,
  shown: Record<string, unknown>,
  document: Record<string, unknown>,
): void => {
  const names = Object.keys(outer).filter(name => name !== 'proof')
  if (names.length === 0) return
  const missing = Object.keys(shown).find(name => !Object.hasOwn(outer, name))
  if (missing !== undefined) throw edited(missing)
  for (const name of names) {
    const signed = Object.hasOwn(shown, name) ? shown[name] : document[name]
    if (signed === undefined || !sameMember(name, outer[name], signed)) throw edited(JSON.stringify(name.slice(0, 80)))
  }
}

/**
 * Takes a credential in any form apart. Nothing in it is believed yet.
 * @throws Refusal credential_malformed, algorithm_refused, schema_unknown, status_type_unknown, payload_edited
 */
export const openCredential = (input: unknown, types: CredentialTypes): Opened => {
  const compact = unwrap(input, 'EnvelopedVerifiableCredential')
  const opened = formatOf(compact).open(compact, types)
  // An object with its proof in it is all there is; one beside a token repeats what the token says.
  if (opened.format !== 'ldp_vc' && isRecord(input) && input['proof'] !== undefined) {
    assertUnedited(input, formats[opened.format].show(opened), opened.document)
  }
  return opened
}
