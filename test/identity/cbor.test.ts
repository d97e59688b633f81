import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { decode, encode, Tag } from '../../src/identity/cbor.ts'
import { Refusal } from '../../src/kernel/refusal.ts'

type Vector = { hex: string; roundtrip: boolean; decoded?: unknown; diagnostic?: string }

const vectors: Vector[] = JSON.parse(readFileSync(join(import.meta.dirname, 'vectors/rfc8949-appendix-a.json'), 'utf8'))
const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const refusalOf = (work: () => unknown): string => {
  try {
    work()
    return 'read'
  } catch (error) {
    if (error instanceof Refusal) return `${error.kind}/${error.code}: ${error.message}`
    throw error
  }
}
const sentence = (detail: string): string => `malformed/credential_malformed: ${detail}`

/** Indefinite lengths, or simple values that are none of the four. */
const refused = /^(?:5f|7f|9f|bf|f0|f8|83019f|830182(?:02)?039f|83018202039f|826161bf)/
const wholeFloats = new Set(['f90000', 'f93c00', 'fa47c35000', 'f9c400', 'f97bff'])
/** Not in JSON as they are. */
const values: Record<string, unknown> = {
  '1bffffffffffffffff': 18_446_744_073_709_551_615n,
  '3bffffffffffffffff': -18_446_744_073_709_551_616n,
  f97c00: Number.POSITIVE_INFINITY,
  f97e00: Number.NaN,
  f9fc00: Number.NEGATIVE_INFINITY,
  f98000: -0,
  f7: undefined,
  '40': new Uint8Array(),
  '4401020304': octets('01020304'),
  a201020304: new Map([
    [1, 2],
    [3, 4],
  ]),
  c249010000000000000000: new Tag(2, octets('010000000000000000')),
  c349010000000000000000: new Tag(3, octets('010000000000000000')),
  c074323031332d30332d32315432303a30343a30305a: new Tag(0, '2013-03-21T20:04:00Z'),
  c11a514b67b0: new Tag(1, 1_363_896_240),
  c1fb41d452d9ec200000: new Tag(1, 1_363_896_240.5),
  d74401020304: new Tag(23, octets('01020304')),
  d818456449455446: new Tag(24, octets('6449455446')),
  d82076687474703a2f2f7777772e6578616d706c652e636f6d: new Tag(32, 'http://www.example.com'),
}
const asMaps = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(asMaps)
  if (typeof value !== 'object' || value === null) return value
  return new Map(Object.entries(value).map(([name, member]) => [name, asMaps(member)]))
}
const readable = vectors.filter(({ hex }) => !refused.test(hex))

describe('CBOR (RFC 8949)', () => {
  it.each(readable.filter(({ roundtrip }) => roundtrip))('reads $hex of appendix A', ({ hex, decoded }) => {
    const expected = Object.hasOwn(values, hex) ? values[hex] : asMaps(decoded)
    expect(decode(octets(hex))).toEqual(expected)
  })

  it.each(readable.filter(({ hex, roundtrip }) => roundtrip && !wholeFloats.has(hex) && hex !== 'f7'))(
    'writes $hex of appendix A as it was',
    ({ hex }) => {
      expect(hexOf(encode(decode(octets(hex))))).toBe(hex)
    },
  )

  it.each(vectors.filter(({ hex }) => refused.test(hex)))('refuses $hex of appendix A', ({ hex }) => {
    expect(refusalOf(() => decode(octets(hex)))).toMatch(/^malformed\/credential_malformed: .*(?:indefinite|simple)/)
  })

  it('reads numbers in longer forms than are preferred, and writes them in the preferred one (section 4.2.1)', () => {
    for (const hex of ['1817', '190017', '1a00000017', '1b0000000000000017', 'fa7f800000', 'b90000', '990000']) {
      expect(decode(octets(hex))).toEqual(decode(encode(decode(octets(hex)))))
    }
    expect(hexOf(encode(decode(octets('1b0000000000000017'))))).toBe('17')
  })

  it('writes the keys of a map in the order of their encodings (section 4.2.1)', () => {
    const map = new Map<unknown, unknown>([
      ['aa', 1],
      ['z', 2],
      [-1, 3],
      [100, 4],
      [10, 5],
    ])
    expect(hexOf(encode(map))).toBe('a50a051864042003617a0262616101')
    expect(hexOf(encode({ b: 1, a: 2 }))).toBe('a2616102616201')
  })

  it('takes a Buffer for the octets it is, and gives Uint8Arrays', () => {
    expect(hexOf(encode(Buffer.from('abc')))).toBe('43616263')
    const [read] = decode(Buffer.from('8143616263', 'hex')) as [Uint8Array]
    expect(Buffer.isBuffer(read)).toBe(false)
    expect(read).toEqual(octets('616263'))
  })

  it.each([
    ['nothing', '', 'The CBOR ends too early.'],
    ['octets after the item', '0000', 'Octets follow the CBOR data item.'],
    ['half an argument', '19ff', 'The CBOR ends too early.'],
    ['half a string', '6261', 'The CBOR ends too early.'],
    ['a string of 2^64 - 1 octets', '5bffffffffffffffff', 'The CBOR ends too early.'],
    ['an array of 2^64 - 1 items', '9bffffffffffffffff', 'The CBOR ends too early.'],
    ['a map of 2^32 - 1 entries', 'baffffffff', 'The CBOR ends too early.'],
    ['a map with a key alone', 'a101', 'The CBOR ends too early.'],
    ['a tag without contents', 'd818', 'The CBOR ends too early.'],
    ['a stop code alone', 'ff', 'CBOR of indefinite length is not read; send definite lengths.'],
    ['an indefinite tag', 'df', 'CBOR of indefinite length is not read; send definite lengths.'],
    ['reserved information 28', '1c', 'The CBOR has reserved additional information.'],
    ['reserved information 30', 'fe', 'The CBOR has reserved additional information.'],
    ['a simple value of two octets below 32', 'f801', 'The CBOR has a simple value that nobody knows.'],
    ['text that is not UTF-8', '61ff', 'The CBOR cannot be read.'],
    ['text that is half a surrogate', '63eda080', 'The CBOR cannot be read.'],
    ['one key twice', 'a201000101', 'A map of the CBOR has one key twice.'],
    ['one key twice in two lengths', 'a20100180101', 'A map of the CBOR has one key twice.'],
    ['one key twice below others', '81a1616182a0a2616100616101', 'A map of the CBOR has one key twice.'],
    ['octets as a key', 'a1410000', 'A key of a CBOR map has to be an integer or a text string.'],
    ['a tag as a key', 'a1c10000', 'A key of a CBOR map has to be an integer or a text string.'],
  ])('refuses %s', (_, hex, detail) => {
    expect(refusalOf(() => decode(octets(hex)))).toBe(sentence(detail))
  })

  it('bounds the octets, the levels and the items', () => {
    expect(refusalOf(() => decode(new Uint8Array(11), { size: 10 }))).toBe(
      sentence('The CBOR is larger than 10 octets.'),
    )
    const nested = (levels: number) => Uint8Array.from([...Array(levels).fill(0x81), 0x00])
    expect(refusalOf(() => decode(nested(32)))).toBe('read')
    expect(refusalOf(() => decode(nested(33)))).toBe(sentence('The CBOR is nested too deep.'))
    expect(refusalOf(() => decode(nested(1_000_000)))).toBe(sentence('The CBOR is nested too deep.'))
    const tags = Uint8Array.from([...Array(40).fill(0xc1), 0x00])
    expect(refusalOf(() => decode(tags))).toBe(sentence('The CBOR is nested too deep.'))
    const wide = Uint8Array.from([0x9a, 0x00, 0x01, 0x00, 0x00, ...Array(65_536).fill(0x00)])
    expect(refusalOf(() => decode(wide))).toBe(sentence('The CBOR has more than 65536 data items.'))
  })

  it('bounds the items of several parts of one document together', () => {
    const spent = { items: 0 }
    const part = encode([1, 2, 3])
    expect(refusalOf(() => decode(part, { items: 10, spent }))).toBe('read')
    expect(refusalOf(() => decode(part, { items: 10, spent }))).toBe('read')
    expect(spent.items).toBe(8)
    expect(refusalOf(() => decode(part, { items: 10, spent }))).toBe(sentence('The CBOR has more than 10 data items.'))
    expect(refusalOf(() => decode(part, { items: 10 }))).toBe('read')
  })

  it('says no in the words of who asks', () => {
    const refuse = () => new Refusal('rejected', 'proof_strange', 'No.')
    expect(refusalOf(() => decode(octets('ff'), { refuse }))).toBe('rejected/proof_strange: No.')
  })

  it('refuses to write what a reader would not read back', () => {
    for (const value of [
      undefined,
      [undefined],
      '\ud800',
      { '\ud800': 1 },
      new Date(0),
      new Set(),
      () => 1,
      Symbol('a'),
    ]) {
      expect(() => encode(value)).toThrow(Error)
    }
    const twice = new Map<unknown, unknown>([
      [1, 0],
      [1n, 0],
    ])
    expect(() => encode(twice)).toThrow('Duplicate')
  })

  const items = fc.letrec<{ item: unknown }>(tie => ({
    item: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('item'), { maxLength: 5 }),
      fc.array(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie('item')), { maxLength: 5 }).map(all => new Map(all)),
      tie('item').map(contents => new Tag(24, contents)),
    ),
  })).item

  it('reads back whatever it wrote, and writes it the same', () => {
    fc.assert(
      fc.property(items, value => {
        const bytes = encode(value)
        const read = decode(bytes)
        expect(read).toEqual(value)
        expect(hexOf(encode(read))).toBe(hexOf(bytes))
      }),
      { numRuns: 200 },
    )
  })

  it('answers random octets, and changed ones, with a value or a refusal', () => {
    const changed = fc.tuple(items, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([value, at, octet]) => {
      const bytes = encode(value)
      bytes[at % bytes.length] = octet
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), changed), bytes => {
        expect(refusalOf(() => decode(bytes))).toMatch(/^(?:read|malformed\/credential_malformed: )/)
      }),
      { numRuns: 500 },
    )
  })
})
