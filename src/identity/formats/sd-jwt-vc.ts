import { hash } from 'node:crypto'
import { randomBytes } from '../../kernel/entropy.ts'
import { Refusal } from '../../kernel/refusal.ts'
import type { CredentialTypes } from '../types.ts'
import type { Draft, Format, KeyBinding, Opened, Sign } from './format.ts'
import { fromNumericDate, openJws, sealJws, textOrUndefined, toDateTime } from './jose.ts'
import { isRecord, malformed, readSegment } from './json.ts'
import { evmStatusEntry, pointerOf, tokenStatusListUrl } from './w3c.ts'

const digest = (text: string): string => hash('sha256', text, 'base64url')

/** One `salt, name, value` disclosure (RFC 9901 section 4.2.1). */
const disclosureOf = (salt: Buffer, name: string, value: unknown): string =>
  Buffer.from(JSON.stringify([salt.toString('base64url'), name, value])).toString('base64url')

const saltLength = 16

const hide = (parent: Record<string, unknown>, names: string[], disclosures: string[]): Record<string, unknown> => {
  const kept: Record<string, unknown> = {}
  const digests: string[] = []
  const salts = randomBytes(names.length * saltLength)
  for (const [name, value] of Object.entries(parent)) {
    if (!names.includes(name)) {
      kept[name] = value
      continue
    }
    const at = digests.length * saltLength
    const disclosure = disclosureOf(salts.subarray(at, at + saltLength), name, value)
    disclosures.push(disclosure)
    digests.push(digest(disclosure))
  }
  // Sorted, so that the order of digests says nothing about the order of claims.
  return digests.length === 0 ? kept : { ...kept, _sd: digests.sort() }
}

const secure = async (draft: Draft, sign: Sign): Promise<string> => {
  const { id: holder, ...claims } = draft.subject
  const disclosures: string[] = []
  const paths = draft.type.disclosable
  const nested: Record<string, unknown> = { ...claims }
  for (const [parent] of paths.filter(path => path.length === 2)) {
    const value = claims[parent ?? '']
    if (parent === undefined || !isRecord(value) || nested[parent] !== value) continue
    const names = paths.filter(path => path.length === 2 && path[0] === parent).map(path => path[1] ?? '')
    nested[parent] = hide(value, names, disclosures)
  }
  const top = paths.filter(path => path.length === 1).map(path => path[0] ?? '')
  const payload = {
    ...hide(nested, top, disclosures),
    _sd_alg: 'sha-256',
    iss: draft.issuer,
    sub: holder,
    jti: draft.id,
    iat: Math.floor(draft.issuedAt / 1_000),
    nbf: Math.floor(draft.validFrom / 1_000),
    exp: Math.floor(draft.validUntil / 1_000),
    vct: draft.type.vct,
    cnf: { jwk: draft.holderJwk },
    status: {
      status_list: { idx: draft.status.index, uri: tokenStatusListUrl(draft.baseUrl, draft.status.list) },
      evm_status: evmStatusEntry(draft.status),
    },
  }
  const jws = await sealJws({ alg: draft.algorithm, kid: draft.kid, typ: 'dc+sd-jwt' }, payload, sign)
  return `${[jws, ...disclosures].join('~')}~`
}

type Disclosure = { order: number; name: string; value: unknown; used: boolean }
const registered = new Set([
  'iss',
  'nbf',
  'exp',
  'cnf',
  'vct',
  'vct#integrity',
  'status',
  'iat',
  'sub',
  'jti',
  'aud',
  'id',
])

const depthMost = 8
const forbidden = new Set(['_sd', '...', '__proto__'])

const readDisclosures = (segments: string[]): Map<string, Disclosure> => {
  const map = new Map<string, Disclosure>()
  for (const segment of segments) {
    const parts = readSegment(segment, 'disclosure')
    if (!Array.isArray(parts) || parts.length !== 3) {
      throw malformed('A disclosure is not an array of salt, name and value.')
    }
    const [salt, name, value] = parts
    if (typeof salt !== 'string' || typeof name !== 'string' || forbidden.has(name)) {
      throw malformed('The salt or the name of a disclosure is not one.')
    }
    const key = digest(segment)
    if (map.has(key)) throw malformed('A disclosure is presented twice.')
    map.set(key, { order: map.size, name, value, used: false })
  }
  return map
}

/** Whether nothing below is hidden, so that the value can stand as it is. Most values can. */
const isPlain = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return true
  if (depth > depthMost) return false
  if (Array.isArray(value)) return value.every(item => isPlain(item, depth + 1))
  for (const name in value) {
    if (name === '_sd' || name === '...') return false
    if (!isPlain((value as Record<string, unknown>)[name], depth + 1)) return false
  }
  return true
}

/** RFC 9901 section 7.1, step 3: puts disclosed claims back, refuses what does not fit. */
const unfold = (value: unknown, disclosures: Map<string, Disclosure>, seen: Set<string>, depth: number): unknown => {
  if (depth > 0 && isPlain(value, depth)) return value
  if (depth > depthMost) throw malformed('The SD-JWT is nested too deep.')
  if (Array.isArray(value)) {
    if (value.some(item => isRecord(item) && item['...'] !== undefined)) {
      throw malformed('Array element disclosures are not used by the credential types known here.')
    }
    return value.map(item => unfold(item, disclosures, seen, depth + 1))
  }
  if (!isRecord(value)) return value
  const result: Record<string, unknown> = {}
  for (const name in value) {
    if (name === '_sd' || (name === '_sd_alg' && depth === 0)) continue
    const member = value[name]
    result[name] = unfold(member, disclosures, seen, depth + 1)
  }
  const digests = value['_sd']
  if (digests === undefined) return result
  if (!Array.isArray(digests)) throw malformed('_sd is not an array.')
  const found: Disclosure[] = []
  for (const item of digests) {
    if (typeof item !== 'string' || seen.has(item)) throw malformed('A digest of _sd is not a string or stands twice.')
    seen.add(item)
    const disclosure = disclosures.get(item)
    if (disclosure !== undefined) found.push(disclosure)
  }
  // In the order of presentation, not of digests: objects that get their members in ever other orders are slow to read.
  for (const disclosure of found.sort((a, b) => a.order - b.order)) {
    const { name } = disclosure
    if (depth === 0 && registered.has(name))
      throw malformed(`A disclosure carries ${name}, which is never disclosable.`)
    if (Object.hasOwn(result, name)) throw malformed('A disclosure repeats a claim that is already there.')
    disclosure.used = true
    result[name] = unfold(disclosure.value, disclosures, seen, depth + 1)
  }
  return result
}

const readKeyBinding = (compact: string, sdPart: string): KeyBinding => {
  const { signed, payload } = openJws(compact)
  if (signed.header.typ !== 'kb+jwt') throw malformed('The key binding has another typ than kb+jwt.')
  const issuedAt = fromNumericDate(payload['iat'], 'iat')
  const { aud, nonce, sd_hash: sdHash } = payload
  if (typeof aud !== 'string' || typeof nonce !== 'string' || issuedAt === undefined) {
    throw malformed('The key binding needs aud, nonce and iat.')
  }
  return { signed, audience: aud, nonce, issuedAt, covers: sdHash === digest(sdPart) }
}

const hidden = new Set(['iss', 'nbf', 'exp', 'cnf', 'vct', 'status', 'iat', 'sub', 'jti', 'vct#integrity'])

const open = (compact: string, types: CredentialTypes): Opened => {
  const parts = compact.split('~')
  if (parts.length < 2 || parts.length > 130) throw malformed('This is not an SD-JWT.')
  const [jws = '', ...rest] = parts
  const binding = rest.pop() ?? ''
  const { signed, payload } = openJws(jws)
  if (signed.header.typ !== 'dc+sd-jwt' && signed.header.typ !== 'vc+sd-jwt') {
    throw malformed('The typ of an SD-JWT VC is dc+sd-jwt.')
  }
  if (payload['_sd_alg'] !== undefined && payload['_sd_alg'] !== 'sha-256') {
    throw new Refusal('rejected', 'algorithm_refused', 'The digests of an SD-JWT must be SHA-256.')
  }
  const disclosures = readDisclosures(rest)
  const processed = unfold(payload, disclosures, new Set(), 0) as Record<string, unknown>
  for (const disclosure of disclosures.values()) {
    if (!disclosure.used) throw malformed('A disclosure belongs to no digest of this credential.')
  }
  const vct = processed['vct']
  const type = typeof vct === 'string' ? types.byVct(vct) : undefined
  if (type === undefined) throw new Refusal('rejected', 'schema_unknown', 'The vct is not a type that is known here.')
  const sub = textOrUndefined(processed['sub'], 'sub')
  const claims: Record<string, unknown> = sub === undefined ? {} : { id: sub }
  if (processed['id'] !== undefined && processed['id'] !== sub) throw malformed('id and sub differ.')
  for (const name of Object.keys(processed)) if (!hidden.has(name)) claims[name] = processed[name]
  const confirmation = isRecord(processed['cnf']) ? processed['cnf']['jwk'] : undefined
  if (typeof processed['iss'] !== 'string') throw malformed('The credential has no issuer.')
  return {
    format: 'dc+sd-jwt',
    compact,
    signed,
    id: textOrUndefined(processed['jti'], 'jti'),
    issuer: processed['iss'],
    type,
    subjectId: sub,
    confirmation: isRecord(confirmation) ? confirmation : undefined,
    claims,
    issuedAt: fromNumericDate(processed['iat'], 'iat'),
    validFrom: fromNumericDate(processed['nbf'], 'nbf'),
    validUntil: fromNumericDate(processed['exp'], 'exp'),
    status: statusOf(processed['status']),
    partial: true,
    keyBinding: binding === '' ? undefined : readKeyBinding(binding, compact.slice(0, compact.length - binding.length)),
    document: processed,
  }
}

const statusOf = (status: unknown) => {
  if (status === undefined) return undefined
  if (!isRecord(status) || !isRecord(status['evm_status'])) {
    throw new Refusal('rejected', 'status_type_unknown', 'The status of this SD-JWT names no entry on our chain.')
  }
  const pointer = pointerOf(status['evm_status'])
  if (Object.keys(status).some(name => name !== 'evm_status' && name !== 'status_list')) {
    throw new Refusal('rejected', 'status_type_unknown', 'The status of this SD-JWT has a part that is not understood.')
  }
  const list = status['status_list']
  if (list !== undefined && (!isRecord(list) || list['idx'] !== pointer.index)) {
    throw malformed('The status entries of this credential do not name one index.')
  }
  return pointer
}

type Place = { path: string; below: Place | undefined }

/** Where the digests of a value stand: `principal.familyName` is another claim than `familyName`. */
const placesOf = (
  value: unknown,
  place: Place | undefined,
  named: Map<string, Disclosure>,
  found: Map<string, Place>,
) => {
  if (!isRecord(value)) return
  const at = (name: string): Place => ({ path: place === undefined ? name : `${place.path}.${name}`, below: place })
  for (const [name, member] of Object.entries(value)) if (name !== '_sd') placesOf(member, at(name), named, found)
  for (const item of Array.isArray(value['_sd']) ? value['_sd'] : []) {
    const disclosure = named.get(item as string)
    if (disclosure === undefined || found.has(item as string)) continue
    found.set(item as string, at(disclosure.name))
    placesOf(disclosure.value, at(disclosure.name), named, found)
  }
}

/**
 * Keeps only the named claims of an SD-JWT: what a holder presents.
 * @param claims names (`familyName`) or dotted paths (`principal.familyName`). A parent stands for everything below it,
 * and what is below a parent brings the parent, without which it could not be read.
 */
export const discloseOnly = (compact: string, claims: readonly string[]): string => {
  const [jws = '', ...rest] = compact.split('~')
  const segments = rest.slice(0, -1)
  const places = new Map<string, Place>()
  placesOf(openJws(jws).payload, undefined, readDisclosures(segments), places)
  const wanted = (place: Place | undefined): boolean =>
    place !== undefined && (claims.includes(place.path) || wanted(place.below))
  const kept = segments.filter(segment => {
    const place = places.get(digest(segment))
    return wanted(place) || claims.some(claim => place !== undefined && claim.startsWith(`${place.path}.`))
  })
  return `${[jws, ...kept].join('~')}~`
}

/** Binds an SD-JWT to a verifier and a challenge by the holder's key (RFC 9901 section 4.3). */
export const bindKey = async (
  sdJwt: string,
  binding: { audience: string; nonce: string; issuedAt: number; algorithm: Draft['algorithm']; kid: string },
  sign: Sign,
): Promise<string> => {
  const header = { alg: binding.algorithm, kid: binding.kid, typ: 'kb+jwt' }
  const payload = {
    aud: binding.audience,
    nonce: binding.nonce,
    iat: Math.floor(binding.issuedAt / 1_000),
    sd_hash: digest(sdJwt),
  }
  return `${sdJwt}${await sealJws(header, payload, sign)}`
}

/** An SD-JWT VC is no W3C credential; these are its claims in the shape that readers of one look for. */
const show = ({ type, issuer, id, claims, validFrom, validUntil }: Opened): Record<string, unknown> => {
  const shown: Record<string, unknown> = {
    '@context': ['https://www.w3.org/ns/credentials/v2'],
    type: ['VerifiableCredential', type.id],
    vct: type.vct,
    issuer,
    credentialSubject: claims,
  }
  if (id !== undefined) shown['id'] = id
  if (validFrom !== undefined) shown['validFrom'] = toDateTime(validFrom)
  if (validUntil !== undefined) shown['validUntil'] = toDateTime(validUntil)
  return shown
}

/** SD-JWT VC over RFC 9901; the default for natural persons. */
export const sdJwtVc: Format = { id: 'dc+sd-jwt', mediaType: 'application/dc+sd-jwt', secure, open, show }
