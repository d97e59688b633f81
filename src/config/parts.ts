import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** What the readers of an agency file's members have in common. */

export type Members = Record<string, unknown>

/** Says what is wrong with the agency's file, and ends the start. */
export type Fail = (what: string) => never

export const isRecord = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

export const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)

/** One text at the least. */
export const isSomeTexts = (value: unknown): value is string[] => isTexts(value) && value.length > 0

/** A mapping of these members and no others. */
export const membersOf = (value: unknown, name: string, known: readonly string[], fail: Fail): Members => {
  if (!isRecord(value)) return fail(`${name} must be a mapping`)
  for (const key of Object.keys(value)) if (!known.includes(key)) fail(`unknown key "${name}.${key}"`)
  return value
}

/** A JWK Set, or the name of a JSON file with one, which stands beside the agency's own. */
export const keySetOf = (value: unknown, name: string, file: string, fail: Fail): { keys: Members[] } => {
  let read = value
  if (isText(value)) {
    try {
      read = JSON.parse(readFileSync(resolve(dirname(file), value), 'utf8'))
    } catch {
      return fail(`there is no key file "${value}" that is JSON`)
    }
  }
  const keys = isRecord(read) ? read['keys'] : undefined
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isRecord)) return fail(`${name} is a JWK Set`)
  return { keys }
}
