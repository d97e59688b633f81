import type { ClaimPath, Constraint, CredentialQuery, CredentialTree, Join } from '../../kernel/requirement.ts'

/** A register's definition cannot be used; one sentence says why. The process does not start. */
export class DefinitionInvalid extends Error {
  override name = 'DefinitionInvalid'
}

export const invalid = (what: string): DefinitionInvalid => new DefinitionInvalid(what)

export type Members = Record<string, unknown>

export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A mapping with these keys and no others. */
export const record = (value: unknown, at: string, known: readonly string[]): Members => {
  if (!isMembers(value)) throw invalid(`${at} must be a mapping`)
  const strange = Object.keys(value).find(key => !known.includes(key))
  if (strange !== undefined) throw invalid(`unknown key "${strange}" in ${at}`)
  return value
}

export const mapping = <T>(value: unknown, at: string, each: (item: unknown, at: string) => T): Record<string, T> => {
  if (!isMembers(value)) throw invalid(`${at} must be a mapping`)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, each(item, `${at}.${key}`)]))
}

export const list = <T>(value: unknown, at: string, each: (item: unknown, at: string) => T): T[] => {
  if (!Array.isArray(value)) throw invalid(`${at} must be a list`)
  return value.map((item, index) => each(item, `${at}[${index}]`))
}

export const text = (value: unknown, at: string): string => {
  if (typeof value !== 'string' || value === '') throw invalid(`${at} must be a text`)
  return value
}

export const texts = (value: unknown, at: string): string[] => list(value, at, text)

export const whole = (value: unknown, at: string, least: number, most: number): number => {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw invalid(`${at} is a whole number from ${least} to ${most}`)
}

export const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === undefined ? undefined : read(value)

/** `registeredAddress.postName` */
export const path = (value: unknown, at: string): ClaimPath => {
  const steps = text(value, at).split('.')
  if (steps.some(step => !/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step))) throw invalid(`${at} is names joined by dots`)
  return steps
}

const scalar = (value: unknown, at: string): string | number => {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw invalid(`${at} must be a text or a number`)
}

const constraint = (value: unknown, at: string): Constraint => {
  const given = record(value, at, ['path', 'equals', 'oneOf', 'atLeast', 'includes', 'present'])
  const claim = path(given['path'], `${at}.path`)
  const { equals, oneOf, atLeast, includes, present } = given
  if (Object.keys(given).length !== 2) throw invalid(`${at} has a path and one condition`)
  if (typeof equals === 'boolean') return { path: claim, equals }
  if (equals !== undefined) return { path: claim, equals: scalar(equals, `${at}.equals`) }
  if (oneOf !== undefined) return { path: claim, oneOf: list(oneOf, `${at}.oneOf`, scalar) }
  if (includes !== undefined) return { path: claim, includes: text(includes, `${at}.includes`) }
  if (present === true) return { path: claim, present }
  if (typeof atLeast === 'number') return { path: claim, atLeast }
  throw invalid(`${at}: the condition is one of equals, oneOf, atLeast, includes and present: true`)
}

const queryKeys = ['id', 'type', 'where', 'issuers', 'reads', 'statusMaxAgeSeconds', 'mandate', 'obtain']

const query = (value: unknown, at: string): CredentialQuery => {
  const given = record(value, at, queryKeys)
  const id = text(given['id'], `${at}.id`)
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw invalid(`${at}.id is letters, digits, dashes and underscores`)
  const { where, issuers, reads, statusMaxAgeSeconds, mandate, obtain } = given
  if (mandate !== undefined && mandate !== true) throw invalid(`${at}.mandate is true or absent`)
  return {
    id,
    type: text(given['type'], `${at}.type`),
    ...(where !== undefined && { where: list(where, `${at}.where`, constraint) }),
    ...(issuers !== undefined && { issuers: texts(issuers, `${at}.issuers`) }),
    ...(reads !== undefined && { reads: list(reads, `${at}.reads`, path) }),
    ...(statusMaxAgeSeconds !== undefined && {
      statusMaxAgeSeconds: whole(statusMaxAgeSeconds, `${at}.statusMaxAgeSeconds`, 1, 86_400),
    }),
    ...(mandate && { mandate }),
    ...(obtain !== undefined && { obtain: text(obtain, `${at}.obtain`) }),
  }
}

const join = (value: unknown, at: string): Join => {
  const given = record(value, at, ['by', 'claims'])
  if (given['by'] === 'key' && given['claims'] === undefined) return { by: 'key' }
  if (given['by'] === 'claim') return { by: 'claim', claims: mapping(given['claims'], `${at}.claims`, path) }
  throw invalid(`${at} says how the credentials are known to be one person’s: by key, or by claim with claims`)
}

const depthMost = 6

/** A requirement over credentials, as a definition writes it: a query, or `all` with `joined`, or `any`. */
export const credentialTree = (value: unknown, at: string, depth = 0): CredentialTree => {
  if (depth > depthMost) throw invalid(`${at} is nested more than ${depthMost} deep`)
  const each = (item: unknown, where: string): CredentialTree => credentialTree(item, where, depth + 1)
  if (isMembers(value) && value['any'] !== undefined) {
    return { any: list(record(value, at, ['any'])['any'], `${at}.any`, each) }
  }
  if (isMembers(value) && value['all'] !== undefined) {
    const given = record(value, at, ['all', 'joined'])
    return { all: list(given['all'], `${at}.all`, each), joined: join(given['joined'], `${at}.joined`) }
  }
  return query(value, at)
}

/** Every query of a tree. */
export const queriesOf = (tree: CredentialTree): readonly CredentialQuery[] => {
  if ('all' in tree) return tree.all.flatMap(queriesOf)
  return 'any' in tree ? tree.any.flatMap(queriesOf) : [tree]
}
