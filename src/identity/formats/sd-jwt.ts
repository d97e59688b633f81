import { hash } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import type { KeyBinding, SignedParts } from './format.ts'
import { fromNumericDate, openJws } from './jose.ts'
import { isRecord, malformed, readSegment } from './json.ts'

/** SD-JWT (RFC 9901) for any payload: reading. Concealing is in sd-jwt-conceal.ts, presenting in sd-jwt-present.ts. */

/** What `_sd_alg` may say here (section 4.1.1). */
export type SdAlgorithm = 'sha-256' | 'sha-384' | 'sha-512'

const hashes: Record<SdAlgorithm, string> = { 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512' }

/** The base64url digest over the ASCII of a disclosure, or of an SD-JWT (sections 4.2.3 and 4.3.1). */
export const sdDigest = (algorithm: SdAlgorithm, text: string): string => hash(hashes[algorithm], text, 'base64url')

/** Names that an SD-JWT gives a meaning of its own; no claim can have them (section 4.1, rule 7). */
export const reservedNames: ReadonlySet<string> = new Set(['_sd', '...', '_sd_alg'])

const depthMost = 32
const partsMost = 1_024
const compactLengthMost = 1_048_576

/** @throws Refusal rejected/algorithm_refused for a hash that is not SHA-2, malformed/credential_malformed */
export const sdAlgorithmOf = (payload: Record<string, unknown>): SdAlgorithm => {
  const named = payload['_sd_alg']
  if (named === undefined || named === 'sha-256') return 'sha-256'
  if (typeof named !== 'string') throw malformed('_sd_alg is not a string.')
  if (Object.hasOwn(hashes, named)) return named as SdAlgorithm
  throw new Refusal('rejected', 'algorithm_refused', 'The digests of an SD-JWT must be sha-256, sha-384 or sha-512.')
}

/** The parts of the compact serialisation (section 4). `keyBinding` is empty for an SD-JWT without one. */
export type SdJwtParts = { jws: string; disclosures: string[]; keyBinding: string }

/** @throws Refusal malformed/credential_malformed */
export const splitSdJwt = (compact: string): SdJwtParts => {
  if (compact.length > compactLengthMost) throw malformed('The token is longer than a mebibyte.')
  const parts = compact.split('~', partsMost + 1)
  if (parts.length < 2 || parts.length > partsMost) throw malformed('This is not an SD-JWT.')
  const [jws = '', ...disclosures] = parts
  return { jws, keyBinding: disclosures.pop() ?? '', disclosures }
}

/** A disclosure taken apart; without a name it is an element of an array (sections 4.2.1 and 4.2.2). */
export type Disclosure = { order: number; name: string | undefined; value: unknown; used: boolean }

const readDisclosure = (segment: string, order: number): Disclosure => {
  const parts = readSegment(segment, 'disclosure')
  if (!Array.isArray(parts) || (parts.length !== 3 && parts.length !== 2)) {
    throw malformed('A disclosure is not an array of salt, name and value, or of salt and value.')
  }
  if (typeof parts[0] !== 'string') throw malformed('The salt of a disclosure is not a string.')
  if (parts.length === 2) return { order, name: undefined, value: parts[1], used: false }
  const name: unknown = parts[1]
  if (typeof name !== 'string') throw malformed('The name of a disclosure is not a string.')
  if (name === '_sd' || name === '...' || name === '__proto__') {
    throw malformed(`A disclosure carries ${name}, which no claim is named.`)
  }
  return { order, name, value: parts[2], used: false }
}

/**
 * Disclosures by their digests.
 * @throws Refusal malformed/credential_malformed, also for one that is presented twice.
 */
export const readDisclosures = (segments: readonly string[], algorithm: SdAlgorithm): Map<string, Disclosure> => {
  const map = new Map<string, Disclosure>()
  for (const segment of segments) {
    const disclosure = readDisclosure(segment, map.size)
    const key = sdDigest(algorithm, segment)
    if (map.has(key)) throw malformed('A disclosure is presented twice.')
    map.set(key, disclosure)
  }
  return map
}

type Revealing = {
  disclosures: Map<string, Disclosure>
  seen: Set<string>
  never: ReadonlySet<string>
}

/** The disclosure of an embedded digest, or undefined for a decoy and for what is kept back. */
const disclosed = (digest: unknown, { seen, disclosures }: Revealing): Disclosure | undefined => {
  if (typeof digest !== 'string') throw malformed('A digest of the SD-JWT is not a string.')
  if (seen.has(digest)) throw malformed('A digest stands twice in the SD-JWT.')
  seen.add(digest)
  const disclosure = disclosures.get(digest)
  if (disclosure !== undefined) disclosure.used = true
  return disclosure
}

/** The digest in the place of an array element, or undefined for an element that stands in the open. */
export const elementDigest = (item: unknown): unknown => {
  if (!isRecord(item) || !Object.hasOwn(item, '...')) return undefined
  if (Object.keys(item).length !== 1) throw malformed('A hidden array element has other members than "...".')
  return item['...']
}

const revealArray = (items: unknown[], work: Revealing, depth: number): unknown[] => {
  // Most arrays hide nothing and stand as they are.
  let kept: unknown[] | undefined
  for (let at = 0; at < items.length; at++) {
    const item: unknown = items[at]
    const digest = elementDigest(item)
    if (digest === undefined) {
      const shown = reveal(item, work, depth + 1)
      if (shown !== item) kept ??= items.slice(0, at)
      kept?.push(shown)
      continue
    }
    kept ??= items.slice(0, at)
    const disclosure = disclosed(digest, work)
    if (disclosure === undefined) continue
    if (disclosure.name !== undefined) throw malformed('A disclosure with a name stands for an array element.')
    kept.push(reveal(disclosure.value, work, depth + 1))
  }
  return kept ?? items
}

const disclosedMembers = (digests: unknown, work: Revealing): Disclosure[] => {
  if (!Array.isArray(digests)) throw malformed('_sd is not an array.')
  const found: Disclosure[] = []
  for (const digest of digests) {
    const disclosure = disclosed(digest, work)
    if (disclosure !== undefined) found.push(disclosure)
  }
  // In the order of presentation, not of digests: objects that get their members in ever other orders are slow to read.
  return found.length > 1 ? found.sort((a, b) => a.order - b.order) : found
}

const revealObject = (object: Record<string, unknown>, work: Revealing, depth: number): Record<string, unknown> => {
  const digests = object['_sd']
  let result: Record<string, unknown> | undefined = digests === undefined && depth > 0 ? undefined : {}
  for (const name in object) {
    if (name === '_sd' || (name === '_sd_alg' && depth === 0)) continue
    if (reservedNames.has(name)) throw malformed(`The SD-JWT has a member ${name} where none can be.`)
    const member = object[name]
    const shown = reveal(member, work, depth + 1)
    if (shown !== member) result ??= { ...object }
    if (result !== undefined) result[name] = shown
  }
  if (digests === undefined) return result ?? object
  const shown = result ?? {}
  for (const { name, value } of disclosedMembers(digests, work)) {
    if (name === undefined) throw malformed('A disclosure without a name stands for a member of an object.')
    if (depth === 0 && work.never.has(name))
      throw malformed(`A disclosure carries ${name}, which is never disclosable.`)
    if (Object.hasOwn(shown, name)) throw malformed('A disclosure repeats a claim that is already there.')
    shown[name] = reveal(value, work, depth + 1)
  }
  return shown
}

const reveal = (value: unknown, work: Revealing, depth: number): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (depth > depthMost) throw malformed('The SD-JWT is nested too deep.')
  return Array.isArray(value)
    ? revealArray(value, work, depth)
    : revealObject(value as Record<string, unknown>, work, depth)
}

const none: ReadonlySet<string> = new Set()

/**
 * The Processed SD-JWT Payload (section 7.1, steps 3 to 5): disclosed claims put back, the rest of the machinery gone.
 * What hides nothing is the same object as before.
 * @param never members of the payload that no disclosure may carry.
 * @throws Refusal malformed/credential_malformed for a digest that stands twice, a disclosure that belongs to none, a
 * claim that is there already, and reserved names.
 */
export const revealPayload = (
  payload: Record<string, unknown>,
  disclosures: Map<string, Disclosure>,
  never: ReadonlySet<string> = none,
): Record<string, unknown> => {
  const processed = revealObject(payload, { disclosures, seen: new Set(), never }, 0)
  for (const disclosure of disclosures.values()) {
    if (!disclosure.used) throw malformed('A disclosure belongs to no digest of this credential.')
  }
  return processed
}

/**
 * Takes a Key Binding JWT apart (section 4.3). Whose key signed it, and whether it is for this verifier and fresh, is
 * judged by whoever knows what was asked (section 7.3, step 5).
 * @param sdPart the SD-JWT it belongs to, up to and including the last tilde.
 * @throws Refusal malformed/credential_malformed
 */
export const readKeyBinding = (compact: string, sdPart: string, algorithm: SdAlgorithm): KeyBinding => {
  const { signed, payload } = openJws(compact)
  if (signed.header.typ !== 'kb+jwt') throw malformed('The key binding has another typ than kb+jwt.')
  const issuedAt = fromNumericDate(payload['iat'], 'iat')
  const { aud, nonce, sd_hash: sdHash } = payload
  if (typeof aud !== 'string' || typeof nonce !== 'string' || issuedAt === undefined) {
    throw malformed('The key binding needs aud, nonce and iat.')
  }
  return {
    signed,
    audience: aud,
    nonce,
    issuedAt,
    notBefore: fromNumericDate(payload['nbf'], 'nbf'),
    expiresAt: fromNumericDate(payload['exp'], 'exp'),
    covers: sdHash === sdDigest(algorithm, sdPart),
    claims: payload,
  }
}

/** An SD-JWT taken apart. Nothing in it is believed yet: the signature and the key binding are still to be judged. */
export type OpenedSdJwt = {
  signed: SignedParts
  algorithm: SdAlgorithm
  /** As the issuer signed it. */
  payload: Record<string, unknown>
  /** The Processed SD-JWT Payload. */
  processed: Record<string, unknown>
  keyBinding: KeyBinding | undefined
}

/**
 * Takes any SD-JWT or SD-JWT+KB apart (section 7.1).
 * @param never members of the payload that no disclosure may carry.
 * @throws Refusal malformed/credential_malformed, rejected/algorithm_refused
 */
export const openSdJwt = (compact: string, never?: ReadonlySet<string>): OpenedSdJwt => {
  const { jws, disclosures, keyBinding } = splitSdJwt(compact)
  const { signed, payload } = openJws(jws)
  const algorithm = sdAlgorithmOf(payload)
  const processed = revealPayload(payload, readDisclosures(disclosures, algorithm), never)
  const sdPart = (): string => compact.slice(0, compact.length - keyBinding.length)
  const binding = keyBinding === '' ? undefined : readKeyBinding(keyBinding, sdPart(), algorithm)
  return { signed, algorithm, payload, processed, keyBinding: binding }
}
