import { Tag } from '../cbor.ts'
import { malformed } from '../formats/json.ts'

/** Tags of RFC 8949 (section 3.4) and RFC 8943 that mdocs use. */
export const cborTag = { dateTime: 0, encoded: 24, fullDate: 1004 } as const

/**
 * CBOR data items of an mdoc or a device response read so far: bounded together, for every data element is an encoding
 * of its own and each could hold as many as the whole.
 */
export type Spent = { items: number }

const dateForm = /^\d{4}-\d\d-\d\d$/
const dateTimeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

/** `full-date`: a day of the calendar, `2026-02-03`. @throws Refusal malformed/credential_malformed */
export const fullDate = (text: string): Tag => {
  if (!dateForm.test(text) || !isDay(text)) throw malformed('A date of the mdoc is not a day as 2026-02-03.')
  return new Tag(cborTag.fullDate, text)
}

/** `tdate` of a time in milliseconds: whole seconds, UTC (ISO/IEC 18013-5, section 9.1.2.4). */
export const dateTime = (at: number): Tag =>
  new Tag(cborTag.dateTime, new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'))

const isDay = (text: string): boolean => {
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/**
 * Milliseconds of a `tdate` as the validity of an mdoc has it: no fraction of a second, no offset.
 * @throws Refusal malformed/credential_malformed
 */
export const readDateTime = (value: unknown, what: string): number => {
  const text = value instanceof Tag && value.tag === cborTag.dateTime ? value.contents : undefined
  const at = typeof text === 'string' && dateTimeForm.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at) || dateTime(at).contents !== text)
    throw malformed(`${what} of the mdoc is not a tdate of whole seconds in UTC.`)
  return at
}

/** The octets under tag 24: CBOR that is hashed or signed as it stands. @throws Refusal malformed/credential_malformed */
export const encodedIn = (value: unknown, what: string): Uint8Array => {
  const octets = value instanceof Tag && value.tag === cborTag.encoded ? value.contents : undefined
  if (!(octets instanceof Uint8Array)) throw malformed(`${what} of the mdoc is not encoded CBOR (tag 24).`)
  return octets
}

const byteStringHead = (length: number): number[] => {
  if (length < 24) return [0x40 + length]
  if (length < 0x100) return [0x58, length]
  if (length < 0x1_0000) return [0x59, length >> 8, length & 0xff]
  return [0x5a, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff]
}

/** `#6.24(bstr)` around octets: what is hashed and signed. */
export const encodedBytes = (octets: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(0xd8, cborTag.encoded, ...byteStringHead(octets.length)), octets])

export const mapIn = (value: unknown, what: string): Map<unknown, unknown> => {
  if (!(value instanceof Map)) throw malformed(`${what} of the mdoc is not a map.`)
  return value
}

export const listIn = (value: unknown, what: string): unknown[] => {
  if (!Array.isArray(value)) throw malformed(`${what} of the mdoc is not a list.`)
  return value
}

export const textIn = (value: unknown, what: string): string => {
  if (typeof value !== 'string') throw malformed(`${what} of the mdoc is not text.`)
  return value
}

const taggedValue = ({ tag, contents }: Tag): unknown => {
  if (tag === cborTag.dateTime && typeof contents === 'string') {
    if (Number.isNaN(Date.parse(contents))) throw malformed('A date and time of the mdoc cannot be read.')
    return contents
  }
  if (tag === cborTag.fullDate && typeof contents === 'string') return fullDate(contents).contents
  throw malformed(`The mdoc has a value with CBOR tag ${tag}, which is not read here.`)
}

const nameOf = (key: unknown): string => {
  if (typeof key !== 'string' && typeof key !== 'number')
    throw malformed('A map of the mdoc has a key of another kind.')
  return String(key)
}

/**
 * The value of a data element as readers use it: dates as their text, byte strings as octets, maps as objects.
 * @throws Refusal malformed/credential_malformed for tags that no data element of ISO/IEC 18013-5 has.
 */
export const plainValue = (value: unknown): unknown => {
  if (value instanceof Tag) return taggedValue(value)
  if (Array.isArray(value)) return value.map(plainValue)
  if (!(value instanceof Map)) return value
  const entries = [...value].map(([key, member]) => ({ name: nameOf(key), value: plainValue(member) }))
  if (new Set(entries.map(({ name }) => name)).size !== entries.length)
    throw malformed('A map of the mdoc has one key as a number and as text.')
  return Object.fromEntries(entries.map(entry => [entry.name, entry.value]))
}
