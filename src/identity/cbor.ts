import { decode as decodeItem, encode as encodeItem, Tag } from 'cbor2'
import type { Refusal } from '../kernel/refusal.ts'
import { malformed } from './formats/json.ts'

export { Tag }

export type CborBounds = {
  /** Octets; 1 MiB unless said otherwise. */
  size?: number
  /** Levels of arrays, maps and tags; 32 unless said otherwise. */
  depth?: number
  /** Data items, counted at every level; 65,536 unless said otherwise. */
  items?: number
  /** Items of the parts of one document that were read before: counted on, against the same bound. */
  spent?: { items: number }
  /** What is thrown for octets that are refused; malformed/credential_malformed unless said otherwise. */
  refuse?: (detail: string) => Refusal
}

const unsigned = 0
const negative = 1
const byteString = 2
const textString = 3
const map = 5
const tag = 6

type Bounds = Required<Omit<CborBounds, 'spent'>>
type Reading = { view: DataView; bounds: Bounds; items: number }
type Head = { major: number; info: number; argument: number; next: number }

/** Additional information 24 to 27 stands for an argument of 1, 2, 4 or 8 octets (RFC 8949, section 3). */
const argumentAt = (view: DataView, at: number, info: number): number => {
  if (info === 24) return view.getUint8(at)
  if (info === 25) return view.getUint16(at)
  if (info === 26) return view.getUint32(at)
  return view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4)
}

const headAt = ({ view, bounds }: Reading, at: number): Head => {
  if (at >= view.byteLength) throw bounds.refuse('The CBOR ends too early.')
  const first = view.getUint8(at)
  const info = first & 31
  const wide = info < 24 ? 0 : 2 ** (info - 24)
  if (info === 31) throw bounds.refuse('CBOR of indefinite length is not read; send definite lengths.')
  if (info > 27) throw bounds.refuse('The CBOR has reserved additional information.')
  if (at + 1 + wide > view.byteLength) throw bounds.refuse('The CBOR ends too early.')
  return { major: first >> 5, info, argument: wide === 0 ? info : argumentAt(view, at + 1, info), next: at + 1 + wide }
}

/** Walks over one data item without building anything. @returns the offset after it. */
const assertItem = (reading: Reading, at: number, depth: number): number => {
  const { view, bounds } = reading
  if (++reading.items > bounds.items) throw bounds.refuse(`The CBOR has more than ${bounds.items} data items.`)
  const { major, info, argument, next } = headAt(reading, at)
  if (major === unsigned || major === negative) return next
  if (major === byteString || major === textString) {
    if (argument > view.byteLength - next) throw bounds.refuse('The CBOR ends too early.')
    return next + argument
  }
  if (major > tag) {
    if (info < 20 || info === 24) throw bounds.refuse('The CBOR has a simple value that nobody knows.')
    return next
  }
  if (depth >= bounds.depth) throw bounds.refuse('The CBOR is nested too deep.')
  if (major === tag) return assertItem(reading, next, depth + 1)
  // Every item takes an octet at least: a count beyond what is left is refused before anything is walked.
  if (argument > view.byteLength - next) throw bounds.refuse('The CBOR ends too early.')
  let end = next
  for (let count = 0; count < argument; count++) {
    if (major === map) end = assertKey(reading, end, depth)
    end = assertItem(reading, end, depth + 1)
  }
  return end
}

const assertKey = (reading: Reading, at: number, depth: number): number => {
  const { major } = headAt(reading, at)
  if (major !== unsigned && major !== negative && major !== textString)
    throw reading.bounds.refuse('A key of a CBOR map has to be an integer or a text string.')
  return assertItem(reading, at, depth + 1)
}

/**
 * One CBOR data item (RFC 8949), read so that every reader reads the same: definite lengths only, map keys that are
 * integers or text and stand once, valid UTF-8, nothing after the item, everything bounded. Longer than preferred
 * lengths are well-formed and accepted. Maps are Maps, byte strings Uint8Arrays (views of the input), every tag a Tag
 * with its contents as they came, integers beyond 2^53 bigints.
 * @throws Refusal malformed/credential_malformed, or what `refuse` makes
 */
export const decode = (bytes: Uint8Array, bounds: CborBounds = {}): unknown => {
  const { size = 0x10_0000, depth = 32, items = 0x1_0000, spent = { items: 0 }, refuse = malformed } = bounds
  if (bytes.length > size) throw refuse(`The CBOR is larger than ${size} octets.`)
  // A Buffer would hand out Buffers for byte strings.
  const input = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const reading = { view, bounds: { size, depth, items, refuse }, items: spent.items }
  if (assertItem(reading, 0, 0) !== bytes.length) throw refuse('Octets follow the CBOR data item.')
  spent.items = reading.items
  let twice = false
  const createObject = (entries: readonly unknown[]): Map<unknown, unknown> => {
    const read = new Map(entries as [unknown, unknown][])
    if (read.size !== entries.length) twice = true
    return read
  }
  let value: unknown
  try {
    // Arrays count twice there; the depth was judged above.
    value = decodeItem(input, { ignoreGlobalTags: true, preferMap: true, createObject, maxDepth: 2 * depth + 2 })
  } catch {
    throw refuse('The CBOR cannot be read.')
  }
  if (twice) throw refuse('A map of the CBOR has one key twice.')
  return value
}

/** An object literal or what JSON.parse made, in whichever realm: its prototype is the root. */
const plain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The value in the classes the encoder knows; whatever it would guess about is a defect of the caller. */
const encodable = (value: unknown): unknown => {
  if (typeof value === 'string' && !value.isWellFormed()) throw new TypeError('CBOR text has no lone surrogates')
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  if (Array.isArray(value)) return value.map(encodable)
  if (value instanceof Tag) return new Tag(value.tag, encodable(value.contents))
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [encodable(key), encodable(member)]))
  if (!plain(value)) throw new TypeError(`CBOR is not made of ${value.constructor.name}`)
  return new Map(Object.entries(value).map(([name, member]) => [encodable(name), encodable(member)]))
}

/**
 * CBOR in the core deterministic encoding (RFC 8949, section 4.2.1): preferred lengths, map keys in the bytewise order
 * of their encodings. Takes Maps, plain objects (text keys), arrays, Uint8Arrays, Tags and primitive values.
 * @throws TypeError for anything else, for `undefined` and for a key that stands twice
 */
export const encode = (value: unknown): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    encodeItem(encodable(value), { cde: true, rejectDuplicateKeys: true, rejectUndefined: true, chunkSize: 256 }),
  )
