import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeEntry, type Entry, encodeEntry, kindNames, kinds, lengthOf } from '../../src/kernel/ledger-entry.ts'
import { entryOf } from './ledger-entries.ts'

describe('the bytes of an entry', () => {
  it('are 93 for a customer’s transfer', () => {
    expect(lengthOf('transfer')).toBe(93)
  })

  it.each<[string, Entry, string]>([
    [
      'standing instruction',
      {
        ...{ kind: 'instruct', account: 1, to: 2, currency: 3, amount: 4n, first: 5, unit: 3, every: 6, times: 7 },
        ...{ nonce: 8, validUntil: 9, signature: 'ab'.repeat(64) },
      },
      `140000000100000002000300000000000000040000000503000600070000000800000009${'ab'.repeat(64)}`,
    ],
    [
      'instalment of it',
      { kind: 'instalment', instruction: 1, index: 2, from: 3, to: 4, currency: 5, amount: 6n },
      '15000000010002000000030000000400050000000000000006',
    ],
    [
      'revocation of it',
      { kind: 'revoke', account: 1, instruction: 2, nonce: 3, validUntil: 4, signature: 'cd'.repeat(64) },
      `1600000001000000020000000300000004${'cd'.repeat(64)}`,
    ],
  ])('of a %s are these and stay so', (_, entry, bytes) => {
    expect(encodeEntry(entry).toString('hex')).toBe(bytes)
    expect(decodeEntry(Buffer.from(bytes, 'hex'))).toEqual(entry)
  })

  it('begin with a number that no other kind has', () => {
    const codes = kindNames.map(kind => kinds[kind].code)
    expect(new Set(codes).size).toBe(codes.length)
  })

  it.each(kindNames)('say everything about a %s, and nothing else', kind => {
    fc.assert(
      fc.property(entryOf(kind), entry => {
        const bytes = encodeEntry(entry)
        expect(bytes.length).toBe(lengthOf(kind))
        expect(decodeEntry(bytes)).toEqual(entry)
      }),
    )
  })

  it('are what they were, whatever bytes are read as an entry', () => {
    const bytesOf = fc.constantFrom(...kindNames).chain(kind =>
      fc.uint8Array({ minLength: lengthOf(kind), maxLength: lengthOf(kind) }).map(bytes => {
        bytes[0] = kinds[kind].code
        return bytes
      }),
    )
    fc.assert(
      fc.property(bytesOf, bytes => {
        expect(Uint8Array.from(encodeEntry(decodeEntry(bytes) as Entry))).toEqual(bytes)
      }),
    )
  })

  it.each(kindNames)('are no %s when one is missing or one too many', kind => {
    const bytes = Buffer.alloc(lengthOf(kind))
    bytes[0] = kinds[kind].code
    expect(decodeEntry(bytes)).toBeDefined()
    expect(decodeEntry(bytes.subarray(0, -1))).toBeUndefined()
    expect(decodeEntry(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined()
  })

  it.each([0, 23, 255])('are nothing under the number %d', code => {
    expect(decodeEntry(Buffer.concat([Buffer.of(code), Buffer.alloc(92)]))).toBeUndefined()
    expect(decodeEntry(new Uint8Array())).toBeUndefined()
  })

  const transfer = {
    kind: 'transfer',
    from: 1,
    to: 2,
    currency: 1,
    amount: 5n,
    fee: 0,
    nonce: 0,
    validUntil: 9,
  } as const
  it.each([
    ['an account number that is too large', { from: 2 ** 32 }],
    ['an account number below zero', { to: -1 }],
    ['an amount below zero', { amount: -1n }],
    ['an amount of 2^64', { amount: 2n ** 64n }],
    ['a signature that is too short', { signature: 'ab' }],
    ['a signature that is no hex', { signature: 'xy'.repeat(64) }],
  ])('are not made of %s', (_, change) => {
    const entry = { ...transfer, signature: '00'.repeat(64), ...change } as Entry
    expect(() => encodeEntry(entry)).toThrow(expect.objectContaining({ name: 'RangeError' }))
  })
})
