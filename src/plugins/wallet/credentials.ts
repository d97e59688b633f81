import { canonical } from '../../kernel/canonical.ts'
import { isRecord } from '../../kernel/record.ts'
import { claimsIndivisible, claimUnknown, credentialMalformed } from './errors.ts'
import { sha256 } from './vault.ts'

/** For whom a key and its credential are held. */
export type HeldFor = 'self' | 'minor'

/** A held credential as it is sealed. Times are milliseconds. */
export type Held = {
  compact: string
  format: string
  type: string
  issuer: string
  holder: string
  heldFor: HeldFor
  /** Only of one whose issuer nobody here has accredited. */
  trust?: 'unaccredited'
  /** Of an mdoc its data elements, by namespace. */
  claims: Record<string, unknown>
  /** Of an mdoc. */
  doctype?: string
  credentialId?: string
  validUntil?: number
  receivedAt: number
}

export const mandateType = 'GuardianMandate'

const fromDataUrl = (id: unknown): string => {
  const [, compact] = /^data:application\/[a-z+-]{3,20},(.+)$/s.exec(typeof id === 'string' ? id : '') ?? []
  if (compact === undefined) throw credentialMalformed()
  return compact
}

/** Whether a compact form is the JSON text of a credential with its proof in it. */
const isDocument = (compact: string): boolean => compact.startsWith('{')

/** Whether a compact form is the base64url of CBOR. */
const isMdoc = (compact: string): boolean => /^[A-Za-z0-9_-]{16,}$/.test(compact)

/** As it is handed over: an object with its proof, or the token. */
export const handedOver = (compact: string): unknown => (isDocument(compact) ? JSON.parse(compact) : compact)

const documentIn = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw credentialMalformed()
  }
}

/**
 * The compact form out of what an issuer hands over. It is the compact form that is verified and kept.
 * @throws Refusal credential_malformed, also for an SD-JWT that carries somebody's key binding.
 */
export const compactOf = (input: unknown): string => {
  if (typeof input === 'string' && isDocument(input)) return compactOf(documentIn(input))
  const proof = isRecord(input) ? input['proof'] : undefined
  // Canonical, so that the same credential is the same in any order of its members.
  if (isRecord(input) && isRecord(proof) && proof['type'] === 'DataIntegrityProof') return canonical(input)
  let compact: unknown = input
  if (isRecord(input)) compact = isRecord(proof) ? proof['jwt'] : fromDataUrl(input['id'])
  if (typeof compact === 'string' && compact.startsWith('data:')) compact = fromDataUrl(compact)
  if (typeof compact === 'string' && isMdoc(compact)) return compact
  if (typeof compact !== 'string' || !/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(~|$)/.test(compact)) {
    throw credentialMalformed()
  }
  if (compact.includes('~') && !/^[^~]+~([A-Za-z0-9_-]+~)*$/.test(compact)) throw credentialMalformed()
  return compact
}

/** A credential without its disclosures: with fewer of them it is still the same credential. */
export const jwsOf = (compact: string): string => (isDocument(compact) ? compact : (compact.split('~', 1)[0] ?? ''))

/** When a credential ends, as its signed document says. */
export const validUntilOf = (document: Record<string, unknown> | undefined): number | undefined => {
  const { validUntil, exp } = document ?? {}
  const times: number[] = []
  if (typeof validUntil === 'string') times.push(Date.parse(validUntil))
  if (typeof exp === 'number') times.push(exp * 1_000)
  const known = times.filter(Number.isSafeInteger)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** The key an SD-JWT is bound to. */
export const confirmationOf = (document: Record<string, unknown> | undefined): Record<string, unknown> | undefined => {
  const cnf = document?.['cnf']
  const jwk = isRecord(cnf) ? cnf['jwk'] : undefined
  return isRecord(jwk) ? jwk : undefined
}

const registered = new Set(['iss', 'nbf', 'exp', 'cnf', 'vct', 'status', 'iat', 'sub', 'jti', 'vct#integrity'])

type Disclosure = { segment: string; name: string; value: unknown }

const disclosuresOf = (segments: string[]): Map<string, Disclosure> => {
  const found = new Map<string, Disclosure>()
  for (const segment of segments) {
    const [, name, value] = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8')) as [string, string, unknown]
    found.set(sha256(segment).toString('base64url'), { segment, name, value })
  }
  return found
}

/** Path of every claim (`principal.familyName`) → the disclosures that must be shown for it; none if it always shows. */
const claimPaths = (payload: Record<string, unknown>, disclosures: Map<string, Disclosure>): Map<string, string[]> => {
  const paths = new Map<string, string[]>()
  const add = (prefix: string, name: string, value: unknown, segments: string[]): void => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    paths.set(path, segments)
    if (isRecord(value)) walk(value, path, segments)
  }
  const walk = (value: Record<string, unknown>, prefix: string, segments: string[]): void => {
    for (const [name, member] of Object.entries(value)) {
      if (name === '_sd' || name === '_sd_alg' || (prefix === '' && registered.has(name))) continue
      add(prefix, name, member, segments)
    }
    for (const digest of Array.isArray(value['_sd']) ? value['_sd'] : []) {
      const disclosure = disclosures.get(String(digest))
      if (disclosure === undefined) continue
      add(prefix, disclosure.name, disclosure.value, [...segments, disclosure.segment])
    }
  }
  walk(payload, '', [])
  return paths
}

const parsed = (compact: string) => {
  const [jws = '', ...rest] = compact.split('~')
  const segments = rest.filter(segment => segment !== '')
  const [, payload = ''] = jws.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>
  return { jws, segments, paths: claimPaths(claims, disclosuresOf(segments)) }
}

/** What a presentation will carry, and the paths of all claims that it shows. */
export type Choice = { compact: string; shown: string[] }

const chooseSdJwt = (compact: string, claims: readonly string[]): Choice => {
  const { jws, segments, paths } = parsed(compact)
  const wanted = new Set<string>()
  for (const claim of claims) {
    const needed = paths.get(claim)
    if (needed === undefined) throw claimUnknown(claim)
    for (const segment of needed) wanted.add(segment)
  }
  // The others are cut off here: what is below a chosen claim is not shown unless it was chosen too.
  const kept = segments.filter(segment => wanted.has(segment))
  const shown = [...paths].filter(([, needed]) => needed.every(segment => wanted.has(segment))).map(([path]) => path)
  return { compact: `${[jws, ...kept].join('~')}~`, shown }
}

/** Of an mdoc every data element may be kept back: `namespace/element`. */
const elementsOf = ({ claims }: Pick<Held, 'claims'>): string[] =>
  Object.entries(claims).flatMap(([namespace, elements]) =>
    isRecord(elements) ? Object.keys(elements).map(element => `${namespace}/${element}`) : [],
  )

const chooseElements = (held: Pick<Held, 'compact' | 'claims'>, claims: readonly string[]): Choice => {
  const known = elementsOf(held)
  const strange = claims.find(claim => !known.includes(claim))
  if (strange !== undefined) throw claimUnknown(strange)
  return { compact: held.compact, shown: [...new Set(claims)] }
}

/** Paths of the claims a held credential has: what the citizen may choose from, and what shows in any case. */
export const claimsOf = (
  held: Pick<Held, 'compact' | 'format' | 'claims'>,
): { always: string[]; choosable: string[] } => {
  if (held.format === 'mso_mdoc') return { always: [], choosable: elementsOf(held) }
  if (held.format !== 'dc+sd-jwt') {
    return { always: Object.keys(held.claims).filter(name => name !== 'id'), choosable: [] }
  }
  const paths = [...parsed(held.compact).paths]
  const pick = (always: boolean) => paths.filter(([, needed]) => (needed.length === 0) === always).map(([path]) => path)
  return { always: pick(true), choosable: pick(false) }
}

/**
 * Cuts a credential down to chosen claims. Formats that cannot keep claims back must be chosen whole.
 * @throws Refusal claim_unknown, claims_indivisible
 */
export const choose = (held: Pick<Held, 'compact' | 'format' | 'claims'>, claims: readonly string[]): Choice => {
  if (held.format === 'dc+sd-jwt') return chooseSdJwt(held.compact, claims)
  if (held.format === 'mso_mdoc') return chooseElements(held, claims)
  const { always } = claimsOf(held)
  const strange = claims.find(claim => !always.includes(claim))
  if (strange !== undefined) throw claimUnknown(strange)
  if (always.some(claim => !claims.includes(claim))) throw claimsIndivisible(always)
  return { compact: held.compact, shown: always }
}

/** Whether a held mandate, if it stands, lets its holder act for this minor in this operation today. */
export const mandateCovers = (held: Held, wanted: { principal: string; operation: string; now: number }): boolean => {
  if (held.type !== mandateType || held.heldFor !== 'self') return false
  const { principal, operations, startsOn, endsOn } = held.claims
  if (!isRecord(principal) || principal['id'] !== wanted.principal) return false
  if (!Array.isArray(operations) || !operations.includes(wanted.operation)) return false
  const today = new Date(wanted.now).toISOString().slice(0, 10)
  return typeof startsOn === 'string' && typeof endsOn === 'string' && startsOn <= today && today <= endsOn
}
