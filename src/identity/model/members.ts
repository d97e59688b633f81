import type { Refusal } from '../../kernel/refusal.ts'
import { isRecord, malformed } from '../formats/json.ts'
import { isLanguageTag, isUrl } from './values.ts'

/** VC Data Model: which of the two a document is written in. */
export type ModelVersion = '2.0' | '1.1'

export const contextOf: Record<ModelVersion, string> = {
  '2.0': 'https://www.w3.org/ns/credentials/v2',
  '1.1': 'https://www.w3.org/2018/credentials/v1',
}

export type Members = Record<string, unknown>

const contextsMost = 32
const typesMost = 64
const objectsMost = 1_024

/** A rule that does not hold: the member, what it has to be, and where that is written. */
export const broken = (member: string, rule: string, clause: string): Refusal =>
  malformed(`${member} ${rule} (VC Data Model ${clause}).`)

const baseClause = '2.0, section 4.3'

/**
 * Which model a document is written in, by its first context. The others are URLs or objects.
 * @throws Refusal malformed/credential_malformed
 */
export const assertContexts = (value: unknown): ModelVersion => {
  // A context alone is the same set of one; version 1.1 was written so, version 2.0 forbids it.
  const contexts = value === contextOf['1.1'] ? [value] : value
  if (!Array.isArray(contexts)) throw broken('@context', 'must be an array', baseClause)
  if (contexts.length > contextsMost) throw malformed(`@context has more than ${contextsMost} entries.`)
  const [first, ...others] = contexts as unknown[]
  const model = first === contextOf['2.0'] ? '2.0' : first === contextOf['1.1'] ? '1.1' : undefined
  if (model === undefined) {
    throw broken('The first @context', `must be ${contextOf['2.0']} or ${contextOf['1.1']}`, baseClause)
  }
  if (!others.every(each => isRecord(each) || isUrl(each))) {
    throw broken('Each further @context', 'must be a URL or an object', baseClause)
  }
  return model
}

/** JSON-LD keywords beside their aliases would let two readers see two things (section 6.1.2: compacted form). */
const assertNoKeywords = (object: Members, member: string): void => {
  for (const name in object) {
    if (name.charCodeAt(0) === 0x40 && name !== '@context') {
      throw broken(member, 'must have no JSON-LD keywords as members', '2.0, section 6.1.2')
    }
  }
}

/** An object of the document, with the keywords of JSON-LD kept out of it. */
export const assertObject = (value: unknown, member: string, clause: string): Members => {
  if (!isRecord(value)) throw broken(member, 'must be an object', clause)
  assertNoKeywords(value, member)
  return value
}

/** `id`: at most one, and a URL (section 4.4). */
export const assertId = (object: Members, member: string): string | undefined => {
  const { id } = object
  if (id === undefined) return undefined
  if (!isUrl(id)) throw broken(`The id of ${member}`, 'must be a single absolute URL', '2.0, section 4.4')
  return id
}

/** A URL, or an object whose id is one: issuer (section 4.7) and holder (section 4.13). */
export const assertParty = (value: unknown, member: string, clause: string): string => {
  if (isUrl(value)) return value
  if (!isRecord(value) || !isUrl(value['id']))
    throw broken(member, 'must be a URL or an object with a URL as id', clause)
  assertNoKeywords(value, member)
  return value['id']
}

/** `type`: one or more terms or absolute URLs (section 4.5). */
export const assertTypes = (object: Members, member: string): readonly string[] => {
  const { type } = object
  const types = Array.isArray(type) ? (type as unknown[]) : [type]
  if (types.length === 0 || !types.every(each => typeof each === 'string' && each !== '')) {
    throw broken(`The type of ${member}`, 'must be one or more terms or absolute URLs', '2.0, section 4.5')
  }
  if (types.length > typesMost) throw malformed(`${member} has more than ${typesMost} types.`)
  return types as string[]
}

/** One object or a set of at least one; absent is none. */
export const assertObjects = (value: unknown, member: string, clause: string): readonly Members[] => {
  if (value === undefined) return []
  if (!Array.isArray(value)) return [assertObject(value, member, clause)]
  if (value.length === 0) throw broken(member, 'must be one or more objects', clause)
  if (value.length > objectsMost) throw malformed(`${member} has more than ${objectsMost} entries.`)
  return value.map(each => assertObject(each, member, clause))
}

/** Objects that say what they are: with a type, and with a URL if they have an id. */
export const assertTyped = (value: unknown, member: string, clause: string): readonly Members[] => {
  const objects = assertObjects(value, member, clause)
  for (const object of objects) {
    assertTypes(object, member)
    assertId(object, member)
  }
  return objects
}

const languageClause = '2.0, section 11.1'
const languageMembers = new Set(['@value', '@language', '@direction'])

const assertLanguageValue = (value: unknown, member: string): void => {
  if (!isRecord(value) || typeof value['@value'] !== 'string') {
    throw broken(member, 'must be a string or a language value object', languageClause)
  }
  const { '@language': language, '@direction': direction } = value
  if (language !== undefined && !isLanguageTag(language)) {
    throw broken(`The @language of ${member}`, 'must be a well-formed BCP 47 tag', languageClause)
  }
  if (direction !== undefined && direction !== 'ltr' && direction !== 'rtl') {
    throw broken(`The @direction of ${member}`, 'must be ltr or rtl', languageClause)
  }
  if (!Object.keys(value).every(name => languageMembers.has(name))) {
    throw broken(member, 'must have nothing but @value, @language and @direction', languageClause)
  }
}

/** `name` and `description`: a string, a language value object, or several of those (section 4.6). */
export const assertText = (value: unknown, member: string): void => {
  if (value === undefined || typeof value === 'string') return
  const values = Array.isArray(value) ? (value as unknown[]) : [value]
  if (values.length === 0) throw broken(member, 'must be a string or a language value object', languageClause)
  if (values.length > objectsMost) throw malformed(`${member} is in more than ${objectsMost} languages.`)
  for (const each of values) assertLanguageValue(each, member)
}
