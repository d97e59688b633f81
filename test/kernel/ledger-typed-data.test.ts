import { describe, expect, it } from '@jest/globals'
import { getBytes, keccak256, TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { kindNames, kinds, type SignedEntry } from '../../src/kernel/ledger-entry.ts'
import { openStructs, signedKinds, typedDataOf } from '../../src/kernel/ledger-typed-data.ts'
import { domainSeparatorOf, type Keccak, type TypedDomain, typedDigest } from '../../src/kernel/typed-domain.ts'
import { anySignedEntry, signedEntryOf } from './ledger-entries.ts'

const keccak: Keccak = bytes => getBytes(keccak256(bytes))
const structOf = openStructs(keccak)
const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`

const domains: fc.Arbitrary<TypedDomain> = fc.record({
  name: fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }),
  version: fc.string({ minLength: 1, maxLength: 8 }),
  chainId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  verifyingContract: fc.uint8Array({ minLength: 20, maxLength: 20 }).map(hex),
})

/** The types of a request as ethers takes them: without the domain's own. */
const encoderOf = (entry: SignedEntry, domain: TypedDomain) => {
  const { types, primaryType, message } = typedDataOf(entry, domain)
  const members = [...(types[primaryType] ?? [])]
  return {
    encoder: new TypedDataEncoder({ [primaryType]: members }),
    primaryType,
    types: { [primaryType]: members },
    message,
  }
}

const domain: TypedDomain = {
  name: 'Chancery Ledger',
  version: '1',
  chainId: 31_337,
  verifyingContract: `0x${'5f'.repeat(20)}`,
}

describe('what an owner signs', () => {
  it('is laid down for every kind that rests on an owner’s word, and for no other', () => {
    expect(signedKinds).toEqual(kindNames.filter(kind => kinds[kind].authority === 'owner'))
  })

  it.each(signedKinds)('is encoded for a %s as the field’s own library encodes it', kind => {
    fc.assert(
      fc.property(signedEntryOf(kind), entry => {
        const { encoder, primaryType, message } = encoderOf(entry, domain)
        expect(hex(structOf(entry))).toBe(encoder.encodeData(primaryType, message))
      }),
    )
  })

  it('has the digest that any wallet gets from the JSON, in any domain', () => {
    fc.assert(
      fc.property(anySignedEntry, domains, (entry, place) => {
        const { types, message } = encoderOf(entry, place)
        const separator = domainSeparatorOf(place, keccak)
        expect(hex(separator)).toBe(TypedDataEncoder.hashDomain(place))
        expect(hex(typedDigest(separator, structOf(entry), keccak))).toBe(TypedDataEncoder.hash(place, types, message))
      }),
    )
  })

  it('names the members of the domain in the JSON as they are hashed', () => {
    fc.assert(
      fc.property(anySignedEntry, entry => {
        const { types, primaryType, message, domain: named } = typedDataOf(entry, domain)
        const members = { [primaryType]: [...(types[primaryType] ?? [])] }
        const payload = TypedDataEncoder.getPayload(domain, members, message)
        expect(types['EIP712Domain']).toEqual(payload.types.EIP712Domain)
        expect(named).toEqual(domain)
        expect(JSON.parse(JSON.stringify(message))).toEqual(message)
      }),
    )
  })

  it('changes with every member that is signed, and with nothing else', () => {
    const plain = { from: 0, to: 0, currency: 0, amount: 0n, fee: 0, nonce: 0, validUntil: 0, reservation: 0 } as const
    const more = { account: 0, scheme: 0, prefix: 0, expiry: 0, arbiter: 0, remaining: 0n, last: 0, by: 0, linked: 0 }
    const later = { first: 0, unit: 0, every: 0, times: 0, instruction: 0 }
    const bytes = {
      x: '00'.repeat(32),
      lockHash: '00'.repeat(32),
      preimage: '00'.repeat(32),
      recipient: '00'.repeat(20),
    }
    for (const kind of signedKinds) {
      const entry = {
        kind,
        ...plain,
        ...more,
        ...later,
        ...bytes,
        signature: '00'.repeat(64),
      } as unknown as SignedEntry
      const before = hex(structOf(entry))
      const signed = typedDataOf(entry, domain).types[typedDataOf(entry, domain).primaryType]?.map(({ name }) => name)
      for (const [name, value] of Object.entries(entry)) {
        if (name === 'kind') continue
        const other = typeof value === 'bigint' ? 1n : typeof value === 'number' ? 1 : `01${String(value).slice(2)}`
        const after = hex(structOf({ ...entry, [name]: other } as SignedEntry))
        expect({ kind, name, changed: after !== before }).toEqual({ kind, name, changed: signed?.includes(name) })
      }
    }
  })

  it('of a standing instruction and its end has these types', () => {
    expect(kinds.instruct.signature).toBe(
      `Instruct(uint32 account,uint32 to,uint16 currency,uint64 amount,uint32 first,uint8 unit,uint16 every,uint16 times,uint32 nonce,uint32 validUntil)`,
    )
    expect(kinds.revoke.signature).toBe('Revoke(uint32 account,uint32 instruction,uint32 nonce,uint32 validUntil)')
  })

  const transfer = { kind: 'transfer', from: 1, to: 2, currency: 1, amount: 5n, fee: 0, nonce: 0, validUntil: 9 }
  const withdraw = { ...transfer, kind: 'withdraw', recipient: '11'.repeat(20) }
  it.each([
    ['an amount of 2^64', { ...transfer, amount: 2n ** 64n }],
    ['an account below zero', { ...transfer, from: -1 }],
    ['a currency of 65,536', { ...withdraw, currency: 65_536 }],
    ['half an address', { ...withdraw, recipient: '11'.repeat(10) }],
    ['an address that is no hex', { ...withdraw, recipient: 'zz'.repeat(20) }],
  ])('is refused for %s', (_, entry) => {
    expect(() => structOf({ ...entry, signature: '' } as unknown as SignedEntry)).toThrow(
      expect.objectContaining({ name: 'RangeError' }),
    )
  })

  it.each([
    ['a chain of number zero', { chainId: 0 }],
    ['a chain of a broken number', { chainId: 1.5 }],
    ['a contract without its 0x', { verifyingContract: '5f'.repeat(20) }],
    ['a contract that is too short', { verifyingContract: '0x5f' }],
  ])('has no domain with %s', (_, change) => {
    expect(() => domainSeparatorOf({ ...domain, ...change }, keccak)).toThrow(
      expect.objectContaining({ name: 'RangeError' }),
    )
  })
})
