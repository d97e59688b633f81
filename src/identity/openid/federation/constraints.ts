import { isRecord } from '../../formats/json.ts'
import type { Metadata } from './policy.ts'
import { constraintViolated, statementMalformed } from './refusals.ts'

/** OpenID Federation 1.0, section 6.2. */
export type Constraints = {
  maxPathLength?: number
  naming?: { permitted?: readonly string[]; excluded?: readonly string[] }
  allowedEntityTypes?: readonly string[]
}

const namesMost = 256

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= namesMost && value.every(each => typeof each === 'string')

/** A host, or with a period in front every host below a domain (RFC 5280, section 4.2.1.10). */
const nameForm = /^\.?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i

const readNames = (value: unknown): readonly string[] | undefined => {
  if (value === undefined) return undefined
  if (isTexts(value) && value.every(name => nameForm.test(name))) return value.map(name => name.toLowerCase())
  throw statementMalformed('The naming constraints are not lists of hosts and domains.')
}

const readNaming = (value: unknown): NonNullable<Constraints['naming']> => {
  if (!isRecord(value)) throw statementMalformed('naming_constraints is not an object.')
  const permitted = readNames(value['permitted'])
  const excluded = readNames(value['excluded'])
  return { ...(permitted === undefined ? {} : { permitted }), ...(excluded === undefined ? {} : { excluded }) }
}

/** Reads the `constraints` claim; further parameters are ignored. @throws Refusal malformed/statement_malformed */
export const readConstraints = (value: unknown): Constraints => {
  if (!isRecord(value)) throw statementMalformed('constraints is not an object.')
  const { max_path_length: length, naming_constraints: naming, allowed_entity_types: types } = value
  if (length !== undefined && !(Number.isSafeInteger(length) && Number(length) >= 0)) {
    throw statementMalformed('max_path_length is not a whole number of zero or more.')
  }
  if (types !== undefined && (!isTexts(types) || types.includes('federation_entity'))) {
    throw statementMalformed('allowed_entity_types is no list, or names federation_entity, which is always allowed.')
  }
  return {
    ...(length === undefined ? {} : { maxPathLength: length as number }),
    ...(naming === undefined ? {} : { naming: readNaming(naming) }),
    ...(types === undefined ? {} : { allowedEntityTypes: types as string[] }),
  }
}

const isWithin = (host: string, name: string): boolean => (name.startsWith('.') ? host.endsWith(name) : host === name)

/** Section 6.2.2: names count by the host of the identifier. */
const assertName = (entityId: string, { permitted, excluded }: NonNullable<Constraints['naming']>): void => {
  const host = new URL(entityId).hostname.toLowerCase()
  if (excluded?.some(name => isWithin(host, name)) === true) {
    throw constraintViolated(`${host} is excluded by the naming constraints of a superior.`)
  }
  if (permitted !== undefined && !permitted.some(name => isWithin(host, name))) {
    throw constraintViolated(`${host} is not among the names that a superior permits.`)
  }
}

/**
 * Applies one statement's constraints to what is below it.
 * @param below identifiers of its subject and of all entities under it, down to the subject of the chain.
 * @throws Refusal rejected/federation_constraint_violated
 */
export const assertConstraints = (constraints: Constraints | undefined, below: readonly string[]): void => {
  if (constraints === undefined) return
  const { maxPathLength, naming } = constraints
  // Every entity below but the subject of the chain is an intermediate.
  if (maxPathLength !== undefined && below.length - 1 > maxPathLength) {
    throw constraintViolated(`A superior allows at most ${maxPathLength} intermediates below itself.`)
  }
  if (naming !== undefined) for (const entityId of below) assertName(entityId, naming)
}

/** Section 6.2.3: entity types that some superior does not allow are taken out. */
export const allowEntityTypes = (metadata: Metadata, constraints: readonly (Constraints | undefined)[]): Metadata => {
  const lists = constraints.flatMap(each => (each?.allowedEntityTypes === undefined ? [] : [each.allowedEntityTypes]))
  const isAllowed = (type: string): boolean =>
    type === 'federation_entity' || lists.every(allowed => allowed.includes(type))
  return Object.fromEntries(Object.entries(metadata).filter(([type]) => isAllowed(type)))
}
