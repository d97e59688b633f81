import { isUtf8 } from 'node:buffer'
import { Refusal } from '../../kernel/refusal.ts'

export const malformed = (detail: string): Refusal => new Refusal('malformed', 'credential_malformed', detail)

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const depthMost = 32
const quote = 0x22
const backslash = 0x5c

/** Index of the quote that ends the string which begins at `open`. */
const closingQuote = (text: string, open: number): number => {
  for (let end = text.indexOf('"', open + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
}

/** How many members well-formed JSON text writes down; refuses what is nested too deep to be walked. */
const membersWritten = (text: string, what: string): number => {
  let members = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) at = closingQuote(text, at)
    else if (code === 0x3a) members++
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > depthMost) throw malformed(`The ${what} is nested too deep.`)
    } else if (code === 0x7d || code === 0x5d) depth--
  }
  return members
}

const assertText = (text: string, what: string): void => {
  if (!text.isWellFormed()) throw malformed(`The ${what} holds half a surrogate pair.`)
}

/**
 * How many members a parsed value came to hold; refuses what two readers could understand differently.
 * @param escapes whether strings may hold half a surrogate pair, which only an escape can write.
 */
const membersHeld = (value: unknown, what: string, escapes: boolean): number => {
  if (typeof value === 'string') {
    if (escapes) assertText(value, what)
    return 0
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw malformed(`A number of the ${what} is too large.`)
  if (typeof value !== 'object' || value === null) return 0
  let members = 0
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) members += membersHeld(value[at], what, escapes)
    return members
  }
  // `for in` is twice as fast as Object.keys, and what JSON.parse made inherits nothing that it would list.
  for (const name in value) {
    if (name === '__proto__') throw malformed(`The ${what} has a member named __proto__.`)
    if (escapes) assertText(name, what)
    members += 1 + membersHeld((value as Record<string, unknown>)[name], what, escapes)
  }
  return members
}

const base64url = /^[A-Za-z0-9_-]+$/

/**
 * JSON of a base64url segment that somebody signed, read so that every reader reads the same: the alphabet without
 * exceptions, UTF-8, no name twice, no `__proto__`, no lone surrogates, at most 32 levels.
 * @throws Refusal malformed/credential_malformed
 */
export const readSegment = (segment: string, what: string): unknown => {
  // Buffer skips what is not base64url and hashing truncates it, so anything else could be spelled two ways.
  if (!base64url.test(segment)) throw malformed(`The ${what} is not base64url.`)
  const bytes = Buffer.from(segment, 'base64url')
  if (!isUtf8(bytes)) throw malformed(`The ${what} is not UTF-8.`)
  return readJson(bytes.toString('utf8'), what)
}

/** JSON text, read as `readSegment` reads it. @throws Refusal malformed/credential_malformed */
export const readJson = (text: string, what: string): unknown => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Refusal('malformed', 'credential_malformed', `The ${what} is not JSON.`, { cause })
  }
  if (membersWritten(text, what) !== membersHeld(value, what, text.includes('\\u')))
    throw malformed(`The ${what} has one name twice.`)
  return value
}

/** Refuses to sign what `readSegment` would not read back. The value is bounded already, by its schema. */
export const assertExact = (value: unknown, what: string): void => {
  membersHeld(value, what, true)
}

/** Whether two JSON values are the same; member order does not count. Goes no deeper than the shallower of the two. */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => sameJson(item, b[at]))
  }
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every(
    name =>
      Object.hasOwn(b, name) && sameJson((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
  )
}
