import { randomInt } from 'node:crypto'
import { randomBytes } from '../../kernel/entropy.ts'
import type { Sign } from './format.ts'
import { sealJws } from './jose.ts'
import { malformed } from './json.ts'
import { reservedNames, type SdAlgorithm, sdDigest } from './sd-jwt.ts'

/** A way into a value: a member by name, an element by position, or every element (`null`). */
export type ClaimPath = readonly (string | number | null)[]

/** What of a value is selectively disclosable: itself, and what is below it. */
export type Concealment = { hidden: boolean; below: Map<string | number | null, Concealment> }

const childOf = (node: Concealment, step: string | number | null): Concealment => {
  const known = node.below.get(step)
  if (known !== undefined) return known
  const made: Concealment = { hidden: false, below: new Map() }
  node.below.set(step, made)
  return made
}

const add = (to: Concealment, more: Concealment): void => {
  to.hidden ||= more.hidden
  for (const [step, deeper] of more.below) add(childOf(to, step), deeper)
}

/** What is said of every element counts for those that are named by position too. */
const spread = (node: Concealment): void => {
  const every = node.below.get(null)
  for (const [step, child] of node.below) {
    if (every !== undefined && typeof step === 'number') add(child, every)
    spread(child)
  }
}

/**
 * The paths of the claims that a holder may keep back. A path that leads to nothing in a payload hides nothing there.
 * Naming a claim and something below it makes for recursive disclosures (RFC 9901 section 4.2.6).
 */
export const concealmentOf = (paths: readonly ClaimPath[]): Concealment => {
  const root: Concealment = { hidden: false, below: new Map() }
  for (const path of paths) {
    if (path.length === 0) throw new TypeError('a payload cannot be hidden as a whole')
    path.reduce(childOf, root).hidden = true
  }
  spread(root)
  return root
}

export type ConcealOptions = {
  /** @default sha-256 */
  algorithm?: SdAlgorithm
  /** Decoy digests in each object and array that hides something (section 4.2.5). @default 0 */
  decoys?: number
}

type Work = { algorithm: SdAlgorithm; decoys: number; disclosures: string[] }

const disclose = (parts: unknown[], work: Work): string => {
  // 128 bits of salt, as section 9.3 recommends.
  const salt = randomBytes(16).toString('base64url')
  const disclosure = Buffer.from(JSON.stringify([salt, ...parts])).toString('base64url')
  work.disclosures.push(disclosure)
  return sdDigest(work.algorithm, disclosure)
}

const decoy = (work: Work): string => sdDigest(work.algorithm, randomBytes(32).toString('base64url'))

const concealObject = (value: object, node: Concealment, work: Work): Record<string, unknown> => {
  const kept: Record<string, unknown> = {}
  const digests: string[] = []
  for (const [name, member] of Object.entries(value)) {
    const below = node.below.get(name)
    const inner = below === undefined ? member : conceal(member, below, work)
    if (below?.hidden) digests.push(disclose([name, inner], work))
    else kept[name] = inner
  }
  if (digests.length === 0) return kept
  for (let count = 0; count < work.decoys; count++) digests.push(decoy(work))
  // Sorted, so that the order of digests says nothing about the order of claims.
  return { ...kept, _sd: digests.sort() }
}

const concealArray = (items: unknown[], node: Concealment, work: Work): unknown[] => {
  let isHiding = false
  const kept = items.map((item, at) => {
    const below = node.below.get(at) ?? node.below.get(null)
    if (below === undefined) return item
    const inner = conceal(item, below, work)
    if (!below.hidden) return inner
    isHiding = true
    return { '...': disclose([inner], work) }
  })
  for (let count = 0; isHiding && count < work.decoys; count++) {
    kept.splice(randomInt(kept.length + 1), 0, { '...': decoy(work) })
  }
  return kept
}

const conceal = (value: unknown, node: Concealment, work: Work): unknown => {
  if (node.below.size === 0 || typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? concealArray(value, node, work) : concealObject(value, node, work)
}

const assertUnreserved = (value: unknown): void => {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const item of value) assertUnreserved(item)
    return
  }
  for (const name of Object.keys(value)) {
    if (reservedNames.has(name) || name === '__proto__') throw malformed(`No claim can be named ${name}.`)
    assertUnreserved((value as Record<string, unknown>)[name])
  }
}

/**
 * Replaces claims by digests (RFC 9901 section 4.2). The values are bounded already, by whoever takes them in.
 * @throws Refusal malformed/credential_malformed for a claim of a reserved name.
 */
export const concealClaims = (
  claims: Record<string, unknown>,
  what: Concealment,
  { algorithm = 'sha-256', decoys = 0 }: ConcealOptions = {},
): { payload: Record<string, unknown>; disclosures: string[] } => {
  assertUnreserved(claims)
  const work: Work = { algorithm, decoys, disclosures: [] }
  const payload = concealObject(claims, what, work)
  return { payload: { ...payload, _sd_alg: algorithm }, disclosures: work.disclosures }
}

/** The compact serialisation of an SD-JWT without key binding. */
export const joinSdJwt = (jws: string, disclosures: readonly string[]): string => `${[jws, ...disclosures].join('~')}~`

/**
 * Issues any payload as an SD-JWT (section 4).
 * @throws Refusal malformed/credential_malformed for a claim of a reserved name.
 */
export const issueSdJwt = async (
  header: Parameters<typeof sealJws>[0],
  claims: Record<string, unknown>,
  { conceal: what, ...options }: ConcealOptions & { conceal: Concealment },
  sign: Sign,
): Promise<string> => {
  const { payload, disclosures } = concealClaims(claims, what, options)
  return joinSdJwt(await sealJws(header, payload, sign), disclosures)
}
