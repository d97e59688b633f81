import type { ProvenCredential } from './gate.ts'
import type { LapsedCredential } from './identity.ts'
import { Refusal } from './refusal.ts'
import type { ClaimPath, Constraint, CredentialQuery, CredentialTree, HolderRequirement, Join } from './requirement.ts'

/** What a holder brings to a requirement. */
export type Offer = {
  credentials: readonly ProvenCredential[]
  /** What was presented and does not stand: the reason is told when nothing else of its type does. */
  lapsed: readonly LapsedCredential[]
}

export type Matched = Readonly<Record<string, ProvenCredential>>

export type Judging = {
  offer: Offer
  now: number
  /** Refuses a mandate that does not cover the act. */
  judgeMandate(credential: ProvenCredential): void
  /** Where the requirement can be read. */
  requirementUrl?: string | undefined
}

export const claimAt = (claims: Record<string, unknown>, path: ClaimPath): unknown => {
  let value: unknown = claims
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

const holds = (constraint: Constraint, value: unknown): boolean => {
  if ('equals' in constraint) return value === constraint.equals
  if ('oneOf' in constraint) return constraint.oneOf.some(each => each === value)
  if ('atLeast' in constraint) return typeof value === 'number' && value >= constraint.atLeast
  if ('includes' in constraint) return Array.isArray(value) && value.includes(constraint.includes)
  return value !== undefined
}

const dotted = (path: ClaimPath): string => path.join('.')

/**
 * How far a failed query is from being met; of several reasons the nearest is told. Those of an `all` add up. A claim
 * that was kept back is sooner mended (1) than one that says something else (100).
 */
const distances = { missing: 10_000, lapsed: 8_000, issuer: 6_000, claims: 2_000, mandate: 500, join: 1 }
const unmetDistance = 100

type Failure = {
  distance: number
  refusal: Refusal
  /** When the reason is that these were not presented at all. */
  missing?: readonly CredentialQuery[]
  /** Other queries of the same alternative that were met. */
  met: number
}

type Wanted = {
  /** Needed, and not shown. */
  withheld: ClaimPath[]
  /** Shown, and not what the requirement asks for. */
  unmet: ClaimPath[]
  /** The constraints that were not met, as the requirement has them. */
  expected: Constraint[]
}

/** What a credential's claims lack. Of the claims themselves names only, never values. */
const claimsWanted = (query: CredentialQuery, { claims }: ProvenCredential): Wanted => {
  const isShown = (path: ClaimPath): boolean => claimAt(claims, path) !== undefined
  const expected = (query.where ?? []).filter(constraint => !holds(constraint, claimAt(claims, constraint.path)))
  const paths = expected.map(({ path }) => path)
  const unread = (query.reads ?? []).filter(path => !isShown(path))
  return { withheld: [...paths.filter(path => !isShown(path)), ...unread], unmet: paths.filter(isShown), expected }
}

const sufficesIn = ({ withheld, unmet }: Wanted): boolean => withheld.length === 0 && unmet.length === 0

const dottedAll = (paths: readonly ClaimPath[]): string[] => [...new Set(paths.map(dotted))]

const requirementFact = (url: string | undefined) => (url === undefined ? {} : { requirement: url })

const claimsFailure = (query: CredentialQuery, { withheld, unmet, expected }: Wanted, url?: string): Failure => {
  const [kept, wrong] = [dottedAll(withheld), dottedAll(unmet)]
  const differs = `What the ${query.type} shows of ${wrong.join(', ')} does not meet what this operation expects`
  const also = kept.length === 0 ? '.' : `; it must show ${kept.join(', ')} as well.`
  const detail = wrong.length === 0 ? `The ${query.type} must show ${kept.join(', ')}.` : `${differs}${also}`
  const facts = {
    ...{ credential: query.id, credentialType: query.type, claims: [...wrong, ...kept] },
    ...(expected.length === 0 ? {} : { expected }),
    ...requirementFact(url),
  }
  return {
    distance: distances.claims + wrong.length * unmetDistance + kept.length,
    met: 0,
    refusal: new Refusal('forbidden', 'claims_insufficient', detail, { facts }),
  }
}

const isIssuedBy = (query: CredentialQuery, credential: ProvenCredential): boolean =>
  query.issuers === undefined ||
  query.issuers.some(issuer => (issuer === 'self' ? credential.own === true : issuer === credential.issuer))

const isFresh = (query: CredentialQuery, { block }: ProvenCredential, now: number): boolean =>
  query.statusMaxAgeSeconds === undefined ||
  (block !== undefined && now - block.timestamp <= query.statusMaxAgeSeconds * 1_000)

/** Why this credential does not meet the query, or nothing when it does. */
const failureOf = (query: CredentialQuery, credential: ProvenCredential, judging: Judging): Failure | undefined => {
  if (!isIssuedBy(query, credential)) {
    const detail = `The ${query.type} must come from another issuer${query.obtain === undefined ? '' : `: ${query.obtain}`}.`
    const facts = { credential: query.id, credentialType: query.type, ...requirementFact(judging.requirementUrl) }
    const refusal = new Refusal('forbidden', 'issuer_not_accepted', detail, { facts })
    return { distance: distances.issuer, met: 0, refusal }
  }
  const wanted = claimsWanted(query, credential)
  if (!sufficesIn(wanted)) return claimsFailure(query, wanted, judging.requirementUrl)
  if (!isFresh(query, credential, judging.now)) {
    const detail = `The status of the ${query.type} is older than this operation allows; try again.`
    return { distance: distances.claims, met: 0, refusal: new Refusal('unavailable', 'status_unavailable', detail) }
  }
  if (query.mandate !== true) return undefined
  try {
    judging.judgeMandate(credential)
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return { distance: distances.mandate, met: 0, refusal: error }
    throw error
  }
}

/** Whether a credential meets one query by itself, whatever else was presented. */
export const meetsQuery = (query: CredentialQuery, credential: ProvenCredential, judging: Judging): boolean =>
  credential.type === query.type && failureOf(query, credential, judging) === undefined

const obtainOf = ({ obtain }: CredentialQuery): string => (obtain === undefined ? '' : ` (${obtain})`)

export const missingFacts = (missing: readonly CredentialQuery[], requirementUrl: string | undefined) => ({
  ...requirementFact(requirementUrl),
  missing: missing.map(({ id, type, obtain }) => ({ id, type, ...(obtain === undefined ? {} : { obtain }) })),
})

export const missingNames = (missing: readonly CredentialQuery[]): string =>
  [...new Set(missing.map(query => `${query.type}${obtainOf(query)}`))].join(' or ')

const missingFailure = (missing: readonly CredentialQuery[], judging: Judging): Failure => ({
  distance: distances.missing,
  met: 0,
  missing,
  refusal: new Refusal(
    'forbidden',
    'credential_missing',
    `This operation needs the credential ${missingNames(missing)}; present it.`,
    {
      facts: missingFacts(missing, judging.requirementUrl),
    },
  ),
})

const lapsedFailure = (query: CredentialQuery, judging: Judging): Failure | undefined => {
  const lapsed = judging.offer.lapsed.find(({ type }) => type === query.type)
  if (lapsed === undefined) return undefined
  const { kind, code, detail } = lapsed.refusal
  const facts = { credential: query.id, credentialType: query.type }
  return { distance: distances.lapsed, met: 0, refusal: new Refusal(kind, code, detail, { facts }) }
}

const nearest = (failures: readonly Failure[]): Failure | undefined =>
  failures.reduce<Failure | undefined>(
    (best, each) => (best !== undefined && best.distance <= each.distance ? best : each),
    undefined,
  )

type Found = { options: Matched[]; failure?: Failure }

const matchQuery = (query: CredentialQuery, judging: Judging): Found => {
  const failures: Failure[] = []
  const options: Matched[] = []
  for (const credential of judging.offer.credentials) {
    if (credential.type !== query.type) continue
    const failure = failureOf(query, credential, judging)
    if (failure === undefined) options.push({ [query.id]: credential })
    else failures.push(failure)
  }
  if (options.length > 0) return { options }
  const lapsed = lapsedFailure(query, judging)
  if (lapsed !== undefined) failures.push(lapsed)
  return { options: [], failure: nearest(failures) ?? missingFailure([query], judging) }
}

const notJoined = (url: string | undefined): Failure => ({
  distance: distances.join,
  met: 0,
  refusal: new Refusal(
    'forbidden',
    'credentials_not_joined',
    'The credentials are not shown to be one person’s: they must be joined as the requirement of this operation says.',
    { facts: requirementFact(url) },
  ),
})

/** Whether all of these belong to one person. A claim that is kept back joins nothing. */
const isJoined = (matched: Matched, join: Join): boolean => {
  const entries = Object.entries(matched)
  const marks = entries.map(([id, credential]) => {
    if (join.by === 'key') return credential.holderKey
    const path = join.claims[id]
    return path === undefined ? undefined : claimAt(credential.claims, path)
  })
  const [first] = marks
  return (typeof first === 'string' || typeof first === 'number') && marks.every(mark => mark === first)
}

/** Ways to meet a requirement that are looked at; sixteen credentials of one type for each of two queries. */
const optionsMost = 256

const matchAll = (trees: readonly CredentialTree[], join: Join, judging: Judging): Found => {
  const each = trees.map(tree => matchTree(tree, judging))
  const failures = each.flatMap(({ failure }) => failure ?? [])
  const [told] = failures
  if (told !== undefined) {
    const distance = failures.reduce((sum, failure) => sum + failure.distance, 0)
    const met = failures.reduce((sum, failure) => sum + failure.met, trees.length - failures.length)
    return { options: [], failure: { ...told, distance, met } }
  }
  let options: Matched[] = [{}]
  for (const found of each) {
    // Joined step by step, so that what does not belong together is dropped at once.
    options = options
      .flatMap(before => found.options.map(more => ({ ...before, ...more })))
      .filter(matched => isJoined(matched, join))
      .slice(0, optionsMost)
    if (options.length === 0) return { options, failure: notJoined(judging.requirementUrl) }
  }
  return { options }
}

const matchAny = (trees: readonly CredentialTree[], judging: Judging): Found => {
  const failures: Failure[] = []
  const options: Matched[] = []
  for (const tree of trees) {
    const found = matchTree(tree, judging)
    options.push(...found.options)
    if (found.failure !== undefined) failures.push(found.failure)
  }
  if (options.length > 0) return { options: options.slice(0, optionsMost) }
  const near = nearest(failures)
  if (near === undefined) return { options }
  if (near.missing === undefined) return { options, failure: near }
  // Where something of an alternative was presented, the others are not what its holder is after.
  const absent = failures.filter(failure => failure.missing !== undefined)
  const met = Math.max(...absent.map(failure => failure.met))
  const missing = absent.filter(failure => failure.met === met).flatMap(failure => failure.missing ?? [])
  return { options, failure: { ...missingFailure(missing, judging), distance: near.distance, met } }
}

const matchTree = (tree: CredentialTree, judging: Judging): Found => {
  if ('all' in tree) return matchAll(tree.all, tree.joined, judging)
  return 'any' in tree ? matchAny(tree.any, judging) : matchQuery(tree, judging)
}

/**
 * The proven credentials that meet a requirement, by query id. If several of a type were presented, one that passes is
 * enough.
 * @throws Refusal forbidden: credential_missing, claims_insufficient, issuer_not_accepted, credentials_not_joined, those
 * of a mandate; or why a credential of the missing type does not stand.
 */
export const match = (tree: CredentialTree, judging: Judging): Matched => {
  const { options, failure } = matchTree(tree, judging)
  const [first] = options
  if (first !== undefined) return first
  throw failure?.refusal ?? new Error('a requirement that nothing can meet has come past the start')
}

export const queriesOf = (tree: CredentialTree): CredentialQuery[] => {
  if ('all' in tree) return tree.all.flatMap(queriesOf)
  return 'any' in tree ? tree.any.flatMap(queriesOf) : [tree]
}

/**
 * Whether what was matched at the door still covers the requirement: types and claims. Issuers, joins, mandates and
 * standings were judged there, with what only the door knows.
 */
export const isMet = (tree: CredentialTree, matched: Matched): boolean => {
  if ('all' in tree) return tree.all.every(each => isMet(each, matched))
  if ('any' in tree) return tree.any.some(each => isMet(each, matched))
  const credential = Object.hasOwn(matched, tree.id) ? matched[tree.id] : undefined
  return credential?.type === tree.type && sufficesIn(claimsWanted(tree, credential))
}

/** The first query of a requirement, by which the actor is known, and all of them in order. */
export const ordered = (
  { of }: HolderRequirement,
  matched: Matched,
): { query: CredentialQuery; credential: ProvenCredential }[] =>
  queriesOf(of).flatMap(query => {
    const credential = matched[query.id]
    return credential === undefined ? [] : [{ query, credential }]
  })
