import { claimSchema, optionsMost, optionsOf, type QueriedType } from './dcql.ts'
import { queriesOf } from './judge.ts'
import { mandateTypes } from './mandate.ts'
import type {
  ClaimPath,
  Constraint,
  CredentialQuery,
  CredentialTree,
  FourEyes,
  HolderRequirement,
  Requirement,
} from './requirement.ts'

type Schema = Record<string, unknown>
type Scalar = string | number | boolean

/** A requirement that cannot be judged, or that nobody could ever meet: the process does not start with it. */
export class RequirementUnsound extends Error {
  override name = 'RequirementUnsound'
}

const unsound = (what: string): RequirementUnsound => new RequirementUnsound(what)
const dotted = (path: ClaimPath): string => path.join('.')

const schemaOf = (query: CredentialQuery, types: readonly QueriedType[]): Schema => {
  const versions = types.filter(({ id }) => id === query.type)
  const newest = versions.reduce<QueriedType | undefined>(
    (best, each) => (best && best.version > each.version ? best : each),
    undefined,
  )
  if (newest === undefined)
    throw unsound(`the query "${query.id}" names the credential type ${query.type}, which schemas/ lacks`)
  return newest.schema
}

const claimOf = (query: CredentialQuery, path: ClaimPath, schema: Schema): Schema => {
  const claim = path.length === 0 ? undefined : claimSchema(schema, path)
  if (claim === undefined)
    throw unsound(`${query.type} has no claim ${dotted(path) || '(empty path)'}, which the query "${query.id}" names`)
  return claim
}

const typesOf = (claim: Schema): string[] => [claim['type']].flat().filter(type => typeof type === 'string')

const typeFits = (value: Scalar, claim: Schema): boolean => {
  const types = typesOf(claim)
  if (types.length === 0) return true
  if (typeof value === 'number')
    return types.includes('number') || (types.includes('integer') && Number.isInteger(value))
  return types.includes(typeof value)
}

const boundsFit = (value: number, { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): boolean =>
  (typeof minimum !== 'number' || value >= minimum) &&
  (typeof maximum !== 'number' || value <= maximum) &&
  (typeof exclusiveMinimum !== 'number' || value > exclusiveMinimum) &&
  (typeof exclusiveMaximum !== 'number' || value < exclusiveMaximum)

const textFits = (value: string, { minLength, maxLength, pattern }: Schema): boolean =>
  (typeof minLength !== 'number' || [...value].length >= minLength) &&
  (typeof maxLength !== 'number' || [...value].length <= maxLength) &&
  (typeof pattern !== 'string' || new RegExp(pattern, 'u').test(value))

/** Whether a credential of the type can hold the value there, as far as one claim's schema says. */
const canBe = (value: Scalar, claim: Schema): boolean => {
  const { enum: listed, const: only } = claim
  if (Array.isArray(listed) && !listed.includes(value)) return false
  if (only !== undefined && only !== value) return false
  if (!typeFits(value, claim)) return false
  if (typeof value === 'number') return boundsFit(value, claim)
  return typeof value !== 'string' || textFits(value, claim)
}

const canReach = (least: number, claim: Schema): boolean => {
  const { enum: listed, const: only, maximum, exclusiveMaximum } = claim
  if (!Number.isFinite(least) || !typesOf(claim).some(type => type === 'number' || type === 'integer')) return false
  if (Array.isArray(listed)) return listed.some(value => typeof value === 'number' && value >= least)
  if (only !== undefined) return typeof only === 'number' && only >= least
  return (
    (typeof maximum !== 'number' || maximum >= least) &&
    (typeof exclusiveMaximum !== 'number' || exclusiveMaximum > least)
  )
}

const canInclude = (value: string, claim: Schema): boolean => {
  const { items } = claim
  if (!typesOf(claim).includes('array')) return false
  return typeof items !== 'object' || items === null || canBe(value, items as Schema)
}

const assertPossible = (query: CredentialQuery, constraint: Constraint, claim: Schema): void => {
  const at = `${dotted(constraint.path)} of ${query.type}`
  if ('equals' in constraint && !canBe(constraint.equals, claim)) {
    throw unsound(`${at} can never be ${JSON.stringify(constraint.equals)}, as the query "${query.id}" asks`)
  }
  if ('oneOf' in constraint) {
    if (constraint.oneOf.length === 0) throw unsound(`the query "${query.id}" lets ${at} be one of nothing`)
    const never = constraint.oneOf.find(value => !canBe(value, claim))
    if (never !== undefined)
      throw unsound(`${at} can never be ${JSON.stringify(never)}, as the query "${query.id}" allows`)
  }
  if ('atLeast' in constraint && !canReach(constraint.atLeast, claim)) {
    throw unsound(`${at} can never be at least ${constraint.atLeast}, as the query "${query.id}" asks`)
  }
  if ('includes' in constraint && !canInclude(constraint.includes, claim)) {
    throw unsound(`${at} can never include ${JSON.stringify(constraint.includes)}, as the query "${query.id}" asks`)
  }
}

/** The values that a constraint leaves, where it names them. */
const named = (constraint: Constraint): readonly Scalar[] | undefined => {
  if ('equals' in constraint) return [constraint.equals]
  return 'oneOf' in constraint ? constraint.oneOf : undefined
}

/** Constraints on one claim that exclude one another. */
const assertCompatible = (query: CredentialQuery): void => {
  const byPath = new Map<string, Constraint[]>()
  for (const constraint of query.where ?? []) {
    const path = constraint.path.join('\0')
    byPath.set(path, [...(byPath.get(path) ?? []), constraint])
  }
  for (const constraints of byPath.values()) {
    const least = Math.max(...constraints.map(each => ('atLeast' in each ? each.atLeast : Number.NEGATIVE_INFINITY)))
    const lists = constraints.map(named).filter(list => list !== undefined)
    const [first, ...others] = lists
    const left = first?.filter(
      value =>
        others.every(list => list.includes(value)) && (least === Number.NEGATIVE_INFINITY || Number(value) >= least),
    )
    if (left === undefined || left.length > 0) continue
    throw unsound(
      `the constraints of the query "${query.id}" on ${dotted(constraints[0]?.path ?? [])} exclude one another`,
    )
  }
}

const idForm = /^[A-Za-z0-9_-]{1,64}$/

const assertQuery = (query: CredentialQuery, types: readonly QueriedType[]): void => {
  if (!idForm.test(query.id))
    throw unsound(`"${query.id}" is not an id that a query can have (letters, digits, - and _)`)
  const schema = schemaOf(query, types)
  for (const constraint of query.where ?? []) assertPossible(query, constraint, claimOf(query, constraint.path, schema))
  for (const path of query.reads ?? []) claimOf(query, path, schema)
  assertCompatible(query)
  if (query.issuers?.length === 0) throw unsound(`the query "${query.id}" accepts no issuer at all`)
  if (query.issuers?.some(issuer => issuer !== 'self' && !issuer.startsWith('did:'))) {
    throw unsound(`an issuer of the query "${query.id}" is neither a DID nor "self"`)
  }
  if (query.statusMaxAgeSeconds !== undefined && !(query.statusMaxAgeSeconds > 0)) {
    throw unsound(`the query "${query.id}" asks for a status that is younger than nothing`)
  }
  if (query.mandate === true && !mandateTypes.some(type => type === query.type)) {
    throw unsound(`the query "${query.id}" takes ${query.type} for a mandate, which it is not`)
  }
}

const assertTree = (tree: CredentialTree, types: readonly QueriedType[]): void => {
  if ('any' in tree) {
    if (tree.any.length === 0) throw unsound('an "any" without alternatives can never be met')
    for (const each of tree.any) assertTree(each, types)
    return
  }
  if (!('all' in tree)) {
    assertQuery(tree, types)
    return
  }
  if (tree.all.length === 0) throw unsound('an "all" without members asks for nothing')
  for (const each of tree.all) assertTree(each, types)
  // A definition that was read from a file can lack what the type demands.
  const joined = tree.joined as typeof tree.joined | undefined
  if (joined === undefined || (joined.by !== 'key' && joined.by !== 'claim')) {
    throw unsound('an "all" says how its credentials are known to be one person’s (joined)')
  }
  if (joined.by === 'key') return
  const queries = queriesOf(tree)
  const missing = queries.find(({ id }) => !Object.hasOwn(joined.claims, id))
  if (missing !== undefined) throw unsound(`the join by claim names no claim of the query "${missing.id}"`)
  const stray = Object.keys(joined.claims).find(id => !queries.some(query => query.id === id))
  if (stray !== undefined) throw unsound(`the join by claim names the query "${stray}", which it does not join`)
  for (const query of queries) claimOf(query, joined.claims[query.id] ?? [], schemaOf(query, types))
}

const pathsOf = ({ where = [], reads = [] }: CredentialQuery): ClaimPath[] => [
  ...where.map(({ path }) => path),
  ...reads,
]

const assertFourEyes = (fourEyes: FourEyes | undefined, queries: readonly CredentialQuery[]): void => {
  if (fourEyes === undefined) return
  if (!Number.isInteger(fourEyes.lifeSeconds) || fourEyes.lifeSeconds < 1) {
    throw unsound('an act that waits for a second officer waits a whole number of seconds')
  }
  const { distinctBy } = fourEyes
  if (distinctBy === undefined) return
  const query = queries.find(({ id }) => id === distinctBy.credential)
  if (query === undefined) throw unsound(`officers are told apart by "${distinctBy.credential}", which is no query`)
  if (pathsOf(query).some(path => dotted(path) === dotted(distinctBy.path))) return
  throw unsound(`officers are told apart by ${dotted(distinctBy.path)}, so the query "${query.id}" has to read it`)
}

const assertHolder = (requirement: HolderRequirement, types: readonly QueriedType[]): void => {
  assertTree(requirement.of, types)
  const queries = queriesOf(requirement.of)
  const twice = queries.find(({ id }, index) => queries.findIndex(other => other.id === id) !== index)
  if (twice !== undefined) throw unsound(`two queries have the id "${twice.id}"`)
  if (optionsOf(requirement.of).length > optionsMost) {
    throw unsound(`it can be met in more than ${optionsMost} ways, which no wallet can be told`)
  }
  assertFourEyes(requirement.fourEyes, queries)
  const { amount } = requirement
  if (amount === undefined) return
  if (amount.amount.length === 0 || amount.currency.length === 0) throw unsound('an amount is named by two paths')
  if (!queries.some(({ mandate }) => mandate === true))
    throw unsound('an amount is named, and no mandate that limits it')
}

/**
 * Holds a requirement against the credential types: every id once, every type and claim known, every `all` joined, and
 * nothing asked for that no credential could ever show.
 * @throws RequirementUnsound with one sentence.
 */
export const assertSound = (requirement: Requirement, types: readonly QueriedType[]): void => {
  if (requirement.by === 'cases') {
    const cases = Object.values(requirement.cases)
    if (requirement.param === '' || cases.length === 0)
      throw unsound('a requirement with cases has a parameter and a case')
    for (const each of cases) assertSound(each, types)
    return
  }
  if (requirement.by === 'parties') {
    const parties = Object.values(requirement.parties)
    if (parties.length === 0) throw unsound('a joint act has parties')
    const fourEyes = parties.some(part => part.fourEyes !== undefined)
    if (fourEyes) throw unsound('a party to a joint act does not wait for a second officer')
    for (const each of parties) assertHolder(each, types)
    return
  }
  if (requirement.by === 'staff') assertFourEyes(requirement.fourEyes, [])
  else if (requirement.by === 'holder') assertHolder(requirement, types)
}
