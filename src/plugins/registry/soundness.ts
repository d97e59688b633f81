import type { Requirement } from '../../kernel/requirement.ts'
import type { ClaimSource, ClaimValue, Definition, FieldPath } from './definition.ts'
import { invalid, isMembers, type Members, queriesOf } from './definition-reader.ts'
import { emptinessOf } from './emptiness.ts'
import { numberField } from './extract.ts'
import { officerQuery, queryIds } from './policy.ts'

/**
 * Whether a register can do what its definition says: a rule that can never be met is found at start, not by the first
 * applicant who is refused for ever.
 */

/** What a definition is held against. */
export type Knowledge = {
  /** A credential type of schemas/, the newest version. */
  type(id: string): KnownType | undefined
  /** Compiles a JSON Schema; the answer says what is wrong with a value. @throws Error for what is no schema */
  compile(schema: Readonly<Members>): (value: unknown) => string | undefined
  /** The gate's own judgement of a requirement. @throws Error with a sentence */
  assertSound(requirement: Requirement): void
  /** Credential types that the agency is accredited for. */
  issues: readonly string[]
}

export type KnownType = { id: string; maxDays: number; schema: Readonly<Members> }

/** A register in service. */
export type Register = Definition & {
  /** What is wrong with an entry's fields, if anything is. */
  check(fields: unknown): string | undefined
  /** The same for an application, which an officer has still to complete. */
  checkApplication(fields: unknown): string | undefined
  /** Claims that the credential of an entry can have. */
  claims: ReadonlySet<string>
}

/** What a decision can name. */
const legalBasisMost = 512

/** The schema at a path, through lists; undefined where there is none. */
export const schemaAt = (schema: unknown, path: FieldPath): Members | undefined => {
  if (!isMembers(schema)) return undefined
  const [step, ...rest] = path
  if (step === undefined) return schema
  if (isMembers(schema['items'])) return schemaAt(schema['items'], path)
  const properties = schema['properties']
  return isMembers(properties) && Object.hasOwn(properties, step) ? schemaAt(properties[step], rest) : undefined
}

const requiredOf = (schema: Readonly<Members>): readonly string[] =>
  Array.isArray(schema['required']) ? (schema['required'] as string[]) : []

const propertiesOf = (schema: Readonly<Members>): Members =>
  isMembers(schema['properties']) ? schema['properties'] : {}

const typesOf = (schema: Members): string[] => {
  const given = schema['type']
  if (typeof given === 'string') return given === 'number' ? ['number', 'integer'] : [given]
  return Array.isArray(given) ? (given as string[]) : []
}

const knownType = (id: string, where: string, knowledge: Knowledge): KnownType => {
  const type = knowledge.type(id)
  if (type === undefined) throw invalid(`${where} names the credential type ${id}, which schemas/ does not have`)
  return type
}

const compileFields = (definition: Definition, knowledge: Knowledge): Register['check'] => {
  const { fields } = definition
  if (fields['type'] !== 'object' || fields['additionalProperties'] !== false) {
    throw invalid('fields is a schema of type object with additionalProperties: false')
  }
  let check: Register['check']
  try {
    check = knowledge.compile(fields)
  } catch (cause) {
    throw invalid(`fields is no JSON Schema (draft 2020-12): ${(cause as Error).message}`)
  }
  const empty = emptinessOf(fields, 'fields', knowledge.compile)
  if (empty !== undefined) throw invalid(`no entry can ever fit: ${empty}`)
  return check
}

const assertPaths = ({ fields, search, ...definition }: Definition): void => {
  for (const path of definition.public) {
    if (schemaAt(fields, path) === undefined)
      throw invalid(`public names ${path.join('.')}, which fields does not have`)
  }
  for (const path of search) {
    if (path.join('.') === numberField) throw invalid('search names number, by which every entry is found anyway')
    const found = schemaAt(fields, path)
    if (found === undefined) throw invalid(`search names ${path.join('.')}, which fields does not have`)
    const leaf = isMembers(found['items']) ? found['items'] : found
    if (typesOf(leaf).some(type => type === 'object' || type === 'array')) {
      throw invalid(`search names ${path.join('.')}, which is not a plain value`)
    }
  }
}

/** Can a value that fits the one schema ever fit the other? As far as types and fixed values tell. */
const assertFits = (from: Members, to: Members, where: string, knowledge: Knowledge): void => {
  const [given, wanted] = [typesOf(from), typesOf(to)]
  if (given.length > 0 && wanted.length > 0 && !given.some(type => wanted.includes(type))) {
    throw invalid(`${where} can never fit: the claim is ${given.join(' or ')}, the field ${wanted.join(' or ')}`)
  }
  const bound = (schema: Members, key: string): number | undefined =>
    typeof schema[key] === 'number' ? schema[key] : undefined
  for (const [least, most] of [
    ['minLength', 'maxLength'],
    ['minimum', 'maximum'],
    ['minItems', 'maxItems'],
  ] as const) {
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      if ((bound(one, least) ?? -Infinity) > (bound(other, most) ?? Infinity)) {
        throw invalid(`${where} can never fit: ${least} of one is above ${most} of the other`)
      }
    }
  }
  const values = Array.isArray(from['enum']) ? from['enum'] : 'const' in from ? [from['const']] : undefined
  if (values === undefined) return
  const check = knowledge.compile(to)
  if (values.every(value => check(value) !== undefined)) {
    throw invalid(`${where} can never fit: the field takes none of the values that the claim can have`)
  }
}

const assertSource = (field: string, source: ClaimSource, definition: Definition, knowledge: Knowledge): void => {
  const where = `apply.fromClaims.${field}`
  const target = propertiesOf(definition.fields)[field]
  if (!isMembers(target)) throw invalid(`${where} fills a field that fields does not have`)
  const queries = definition.apply === undefined ? [] : queriesOf(definition.apply.requires)
  const query = queries.find(({ id }) => id === source.credential)
  if (query === undefined)
    throw invalid(`${where} reads the credential ${source.credential}, which nobody is asked for`)
  const claim = schemaAt(knownType(query.type, where, knowledge).schema, source.path)
  if (claim === undefined) {
    throw invalid(`${where} reads ${source.path.join('.')}, which a ${query.type} does not have`)
  }
  assertFits(claim, target, where, knowledge)
}

const assertApplication = (definition: Definition, knowledge: Knowledge): void => {
  const { apply } = definition
  if (apply === undefined) {
    if (definition.fee !== undefined) throw invalid('fee is never due: nobody applies to this register')
    if (definition.renewal !== undefined) throw invalid('renewal is never possible: nobody applies to this register')
    return
  }
  if (definition.kind !== 'licence')
    throw invalid(`apply is for licences: a register of kind ${definition.kind} has its own operations`)
  for (const { id, type } of queriesOf(apply.requires)) {
    if (Object.values<string>(queryIds).includes(id)) throw invalid(`apply.requires: the id ${id} has a meaning here`)
    knownType(type, 'apply.requires', knowledge)
  }
  for (const [field, sources] of Object.entries(apply.fromClaims)) {
    if (sources.length === 0) throw invalid(`apply.fromClaims.${field} has no source`)
    for (const source of sources) assertSource(field, source, definition, knowledge)
  }
  try {
    knowledge.assertSound({ by: 'holder', of: apply.requires })
  } catch (cause) {
    throw invalid(`apply.requires: ${(cause as Error).message}`)
  }
}

const assertDecision = ({ decide, name, legalBases, ...definition }: Definition, knowledge: Knowledge): void => {
  for (const field of decide.fields) {
    if (schemaAt(definition.fields, [field]) === undefined) {
      throw invalid(`decide.fields names ${field}, which fields does not have`)
    }
    if (definition.apply !== undefined && Object.hasOwn(definition.apply.fromClaims, field)) {
      throw invalid(`decide.fields names ${field}, which credentials fill`)
    }
  }
  if (!knowledge.issues.includes(officerQuery.type)) {
    throw invalid(`nobody can ever decide: the agency is not accredited for ${officerQuery.type}`)
  }
  const officer = knownType(officerQuery.type, 'decide', knowledge)
  const competence = schemaAt(officer.schema, ['competences'])?.['items']
  const problem = isMembers(competence) ? knowledge.compile(competence)(decide.competence) : undefined
  if (problem !== undefined) throw invalid(`decide.competence is one that nobody can have: ${problem}`)
  if (!decide.competence.startsWith(`registry:${name}:`)) {
    throw invalid(`decide.competence begins with registry:${name}:, so that it is for this register alone`)
  }
  const unsayable = legalBases?.find(each => each.length > legalBasisMost)
  if (unsayable !== undefined) throw invalid(`legalBases has one of more than ${legalBasisMost} characters`)
  if (legalBases?.length === 0) throw invalid('legalBases is empty, so nothing could ever be decided')
}

const isAlways = (value: ClaimValue, { fields, validity }: Definition): boolean => {
  if ('value' in value) return true
  if ('entry' in value) return value.entry !== 'expiresOn' || validity !== undefined
  const [first = '', ...rest] = value.field
  return rest.length === 0 && requiredOf(fields).includes(first)
}

const firstNumber = (format: string): string =>
  format
    .replace('{year}', '2026')
    .replace(/\{sequence(?::(\d+))?\}/, (_, digits: string | undefined) => '1'.padStart(Number(digits ?? 1), '0'))

const assertClaim = (name: string, value: ClaimValue, definition: Definition, at: Members, knowledge: Knowledge) => {
  const where = `credential.claims.${name}`
  if ('value' in value) {
    const problem = knowledge.compile(at)(value.value)
    if (problem !== undefined) throw invalid(`${where} can never be issued: ${problem}`)
  } else if ('entry' in value) {
    const problem = value.entry === 'number' ? knowledge.compile(at)(firstNumber(definition.number)) : undefined
    if (problem !== undefined) throw invalid(`${where} can never be issued: ${problem}`)
  } else if ('field' in value) {
    const source = schemaAt(definition.fields, value.field)
    if (source === undefined) throw invalid(`${where} reads ${value.field.join('.')}, which fields does not have`)
    assertFits(source, at, where, knowledge)
  }
}

/** Registers of land and of quantities make their credentials' claims themselves, so only the type is looked at. */
const assertCredential = (definition: Definition, type: KnownType, knowledge: Knowledge): void => {
  if (!knowledge.issues.includes(type.id)) {
    throw invalid(`credential.type is ${type.id}, which the agency is not accredited for`)
  }
  const claims = propertiesOf(type.schema)
  for (const [name, value] of Object.entries(definition.credential.claims)) {
    const at = claims[name]
    if (!isMembers(at) || name === 'id') throw invalid(`credential.claims.${name}: a ${type.id} has no such claim`)
    assertClaim(name, value, definition, at, knowledge)
  }
  if (definition.kind !== 'licence') return
  for (const name of requiredOf(type.schema).filter(claim => claim !== 'id')) {
    const value: ClaimValue = definition.credential.claims[name] ?? { field: [name] }
    if (!isAlways(value, definition)) {
      throw invalid(`no entry can be issued: nothing fills the claim ${name}, which every ${type.id} has`)
    }
    if ('field' in value) assertClaim(name, value, definition, claims[name] as Members, knowledge)
  }
}

const assertTimes = ({ kind, validity, renewal }: Definition, type: KnownType): void => {
  if (kind === 'land' && validity !== undefined) throw invalid('validity never comes to pass: titles have no end')
  if (validity !== undefined && validity.days > type.maxDays) {
    throw invalid(`validity is ${validity.days} days, but a ${type.id} is in force for at most ${type.maxDays}`)
  }
  if (renewal !== undefined && validity === undefined) throw invalid('renewal is never possible: entries have no end')
  if (renewal !== undefined && validity !== undefined && renewal.windowDays > validity.days) {
    throw invalid('renewal.windowDays is longer than an entry is in force')
  }
  // A renewal goes on from the end of what it renews, so the new credential is in force for both.
  if (renewal !== undefined && validity !== undefined && validity.days + renewal.windowDays > type.maxDays) {
    throw invalid(`an entry renewed early would be in force for longer than the ${type.maxDays} days of a ${type.id}`)
  }
}

/** @throws DefinitionInvalid with one sentence, for a register with a rule that can never be met. */
export const openRegister = (definition: Definition, knowledge: Knowledge): Register => {
  const type = knownType(definition.credential.type, 'credential.type', knowledge)
  const check = compileFields(definition, knowledge)
  assertPaths(definition)
  assertApplication(definition, knowledge)
  assertDecision(definition, knowledge)
  assertTimes(definition, type)
  assertCredential(definition, type, knowledge)
  const { fields, decide } = definition
  const later = requiredOf(fields).filter(name => decide.fields.includes(name))
  const draft = { ...fields, required: requiredOf(fields).filter(name => !later.includes(name)) }
  const checkApplication = later.length === 0 ? check : knowledge.compile(draft)
  return { ...definition, check, checkApplication, claims: new Set(Object.keys(propertiesOf(type.schema))) }
}
