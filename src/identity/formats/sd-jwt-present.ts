import type { Draft, Sign } from './format.ts'
import { openJws, sealJws } from './jose.ts'
import { isRecord, malformed } from './json.ts'
import { type Disclosure, elementDigest, readDisclosures, sdAlgorithmOf, sdDigest, splitSdJwt } from './sd-jwt.ts'
import { type ClaimPath, joinSdJwt } from './sd-jwt-conceal.ts'

const depthMost = 64

/** Where a value stands: its own step, and what it stands in. */
type Place = { step: string | number; above: Place | undefined; depth: number; text: string }

const placeBelow = (above: Place | undefined, step: string | number): Place => {
  const outer = above?.text
  // An element goes by the name of its array, so that a name stands for all of them.
  const text = typeof step === 'number' ? (outer ?? '') : outer === undefined ? step : `${outer}.${step}`
  return { step, above, depth: (above?.depth ?? 0) + 1, text }
}

type Walk = { disclosures: Map<string, Disclosure>; places: Place[]; hidden: Map<unknown, Place> }

/** @returns whether there is a value behind the digest at all. */
const placeHidden = (digest: unknown, above: Place | undefined, position: number, walk: Walk): boolean => {
  const disclosure = walk.disclosures.get(digest as string)
  if (disclosure === undefined || walk.hidden.has(digest)) return false
  const place = placeBelow(above, disclosure.name ?? position)
  walk.hidden.set(digest, place)
  placesOf(disclosure.value, place, walk)
  return true
}

const placesInArray = (items: unknown[], above: Place | undefined, walk: Walk): void => {
  // Positions count as in the array with every element disclosed: a decoy has none.
  let position = 0
  for (const item of items) {
    const digest = elementDigest(item)
    if (digest === undefined) placesOf(item, placeBelow(above, position++), walk)
    else if (placeHidden(digest, above, position, walk)) position++
  }
}

/** Every value and where it stands: `principal.familyName` is another claim than `familyName`. */
const placesOf = (value: unknown, place: Place | undefined, walk: Walk): void => {
  if (place !== undefined) walk.places.push(place)
  if ((place?.depth ?? 0) > depthMost) throw malformed('The SD-JWT is nested too deep.')
  if (Array.isArray(value)) placesInArray(value, place, walk)
  if (!isRecord(value)) return
  for (const [name, member] of Object.entries(value)) {
    if (name !== '_sd') placesOf(member, placeBelow(place, name), walk)
  }
  for (const digest of Array.isArray(value['_sd']) ? value['_sd'] : []) placeHidden(digest, place, 0, walk)
}

const stepFits = (step: string | number, wanted: string | number | null | undefined): boolean =>
  wanted === null ? typeof step === 'number' : step === wanted

const isAt = (place: Place, claim: string | ClaimPath): boolean => {
  if (typeof claim === 'string') return place.text === claim
  if (place.depth !== claim.length) return false
  let at: Place | undefined = place
  while (at !== undefined && stepFits(at.step, claim[at.depth - 1])) at = at.above
  return at === undefined
}

const chainOf = (place: Place | undefined): Place[] => (place === undefined ? [] : [place, ...chainOf(place.above)])

/**
 * Keeps only the named claims of an SD-JWT: what a holder presents (RFC 9901 section 7.2). A key binding it came with
 * is dropped.
 * @param claims names (`familyName`), dotted paths (`principal.familyName`, an array's name standing for its elements),
 * or exact paths (`['nationalities', 1]`, `['degrees', null, 'type']`). A parent stands for everything below it, and
 * what is below a parent brings the parent, without which it could not be read. What is not there brings nothing.
 * @throws Refusal malformed/credential_malformed
 */
export const discloseOnly = (compact: string, claims: readonly (string | ClaimPath)[]): string => {
  const { jws, disclosures: segments } = splitSdJwt(compact)
  const { payload } = openJws(jws)
  const algorithm = sdAlgorithmOf(payload)
  const walk: Walk = { disclosures: readDisclosures(segments, algorithm), places: [], hidden: new Map() }
  placesOf(payload, undefined, walk)
  const chosen = new Set(walk.places.filter(place => claims.some(claim => isAt(place, claim))))
  const onTheWay = new Set([...chosen].flatMap(chainOf))
  const kept = segments.filter(segment => {
    const place = walk.hidden.get(sdDigest(algorithm, segment))
    return place !== undefined && (onTheWay.has(place) || chainOf(place).some(each => chosen.has(each)))
  })
  return joinSdJwt(jws, kept)
}

export type Binding = {
  audience: string
  nonce: string
  /** Milliseconds. */
  issuedAt: number
  algorithm: Draft['algorithm']
  kid?: string
  /** Further claims that a protocol wants signed; the registered ones are not replaced. */
  claims?: Record<string, unknown>
}

/**
 * Binds an SD-JWT to a verifier and a challenge by the holder's key (RFC 9901 section 4.3).
 * @throws Refusal malformed/credential_malformed
 */
export const bindKey = async (sdJwt: string, binding: Binding, sign: Sign): Promise<string> => {
  const { jws, keyBinding } = splitSdJwt(sdJwt)
  if (keyBinding !== '') throw malformed('The SD-JWT carries a key binding already.')
  const { algorithm: alg, kid } = binding
  const header = { alg, ...(kid === undefined ? {} : { kid }), typ: 'kb+jwt' }
  const payload = {
    ...binding.claims,
    aud: binding.audience,
    nonce: binding.nonce,
    iat: Math.floor(binding.issuedAt / 1_000),
    sd_hash: sdDigest(sdAlgorithmOf(openJws(jws).payload), sdJwt),
  }
  return `${sdJwt}${await sealJws(header, payload, sign)}`
}
