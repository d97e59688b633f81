import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { BoundEvent, WalletEvent } from '../../src/chain/events.ts'
import type { History } from '../../src/chain/history.ts'
import { createReader } from '../../src/chain/readers.ts'
import { createReplica } from '../../src/chain/replica.ts'
import { WalletState } from '../../src/chain/wallet-state.ts'
import {
  domainIdOf,
  jurisdictionId,
  jurisdictionOfId,
  p256BindingSignature,
  pseudonymIdOf,
  pseudonymOfId,
  secp256k1BindingSignature,
} from '../../src/chain/wallets.ts'

const hexOf = (bytes: number, number: number): string => `0x${number.toString(16).padStart(bytes * 2, '0')}`
const domains = [domainIdOf('XND'), domainIdOf('land titles')]
const wallets = [1, 2, 3, 4].map(number => hexOf(20, number))
const pseudonyms = [1, 2, 3].map(number => hexOf(32, number))
const issuers = [hexOf(20, 0xa1), hexOf(20, 0xa2)]
const thumbprint = hexOf(32, 0xcc)

const among = (values: string[]) => fc.constantFrom(...values)
/** Events as the contract might emit them, with steps between their blocks. */
const anyEvent = fc.record({
  kind: fc.constantFrom(
    'Bound' as const,
    'Bound' as const,
    'Unbound' as const,
    'IssuerKeyAdmitted' as const,
    'IssuerKeyWithdrawn' as const,
  ),
  ...{ wallet: among(wallets), domain: among(domains), pseudonym: among(pseudonyms), issuer: among(issuers) },
  ...{ list: fc.integer({ min: 0, max: 65_535 }), index: fc.integer({ min: 0, max: 2 ** 24 - 1 }) },
  ...{ level: fc.integer({ min: 1, max: 255 }), jurisdiction: fc.constantFrom('0x584e', '0x4e4c') },
  expiry: fc.integer({ min: 1, max: 2 ** 32 - 1 }).map(seconds => seconds * 1_000),
  step: fc.integer({ min: 0, max: 2 }),
})
const history = fc.array(anyEvent, { maxLength: 60 }).map(drawn => {
  let block = 1
  return drawn.map(({ step, ...fields }, log): WalletEvent => {
    block += step
    return { ...fields, thumbprint, block, log, time: block * 10 } as WalletEvent
  })
})

/** The state, told in the slow and obvious way. */
const plainly = (events: readonly WalletEvent[]) => {
  const held = new Map<string, BoundEvent>()
  const keys = new Map<string, 'admitted' | 'withdrawn'>()
  for (const event of events) {
    if (event.kind === 'Bound') {
      held.delete(`${event.domain}:${event.wallet}`)
      held.set(`${event.domain}:${event.wallet}`, event)
    } else if (event.kind === 'Unbound') held.delete(`${event.domain}:${event.wallet}`)
    else keys.set(event.issuer, event.kind === 'IssuerKeyAdmitted' ? 'admitted' : 'withdrawn')
  }
  return { held, keys }
}

const expectSame = (state: WalletState, events: readonly WalletEvent[]): void => {
  const { held, keys } = plainly(events)
  const bare = (event: BoundEvent | undefined) => event && { ...event, thumbprint }
  for (const domain of domains) {
    for (const wallet of wallets) expect(bare(state.binding(domain, wallet))).toEqual(held.get(`${domain}:${wallet}`))
    for (const pseudonym of pseudonyms) {
      const own = [...held.values()].filter(event => event.domain === domain && event.pseudonym === pseudonym)
      expect(state.bindingsOf(domain, pseudonym).map(bare)).toEqual(own)
    }
  }
  for (const issuer of issuers) expect(state.issuerKey(issuer, thumbprint)).toBe(keys.get(issuer))
}

describe('the state of wallets', () => {
  it('is what the events say, also after blocks were taken back and others came', () => {
    fc.assert(
      fc.property(history, history, fc.integer({ min: 0, max: 60 }), (events, others, ancestor) => {
        const state = new WalletState()
        for (const event of events) state.apply(event)
        expectSame(state, events)
        state.rollBack(ancestor)
        const kept = events.filter(event => event.block <= ancestor)
        expectSame(state, kept)
        const after = others.map(event => ({ ...event, block: event.block + ancestor }))
        for (const event of after) state.apply(event)
        expectSame(state, [...kept, ...after])
      }),
    )
  })

  it('holds more wallets than one piece of memory does', () => {
    const state = new WalletState()
    const [domain, pseudonym, issuer] = [domains[0] as string, pseudonyms[0] as string, issuers[0] as string]
    const count = 20_000
    for (let i = 0; i < count; i++) {
      state.apply({
        ...{ kind: 'Bound', wallet: hexOf(20, i), domain, pseudonym: hexOf(32, i), issuer, block: i, log: 0, time: i },
        ...{ list: 40_000, index: i, level: 2, jurisdiction: '0x584e', expiry: 1_900_000_000_000 },
      })
    }
    for (const i of [0, 8_191, 8_192, count - 1]) {
      expect(state.binding(domain, hexOf(20, i))).toMatchObject({ index: i, pseudonym: hexOf(32, i) })
    }
    state.rollBack(8_191)
    expect(state.binding(domain, hexOf(20, 8_191))?.index).toBe(8_191)
    expect(state.binding(domain, hexOf(20, 8_192))).toBeUndefined()
    expect(state.bindingsOf(domain, pseudonym)).toHaveLength(1)
  })
})

describe('the standing of a wallet', () => {
  const [domain, wallet, pseudonym, issuer] = [domains[0], wallets[0], pseudonyms[0], issuers[0]] as [
    string,
    string,
    string,
    string,
  ]
  const place = { block: 2, log: 0, time: 20 }
  const held: BoundEvent = {
    ...{ kind: 'Bound', ...place, wallet, domain, pseudonym, issuer, list: 40_000, index: 7, level: 2 },
    ...{ jurisdiction: '0x584e', expiry: 1_900_000_000_000 },
  }
  const readerOver = (...lists: { purpose: number; mode: number; length: number }[]) => {
    const replica = createReplica()
    replica.apply(lists.map(list => ({ kind: 'ListOpened', ...place, block: 1, issuer, list: 40_000, ...list })))
    replica.apply([held])
    const head = { chain: 'eip155:1', number: 2, hash: '0x', timestamp: 20_000 }
    return createReader({
      ...{
        replica,
        freshness: { require: () => undefined, head: () => head },
        clock: { now: () => 1_800_000_000_000 },
      },
      ...{ history: {} as History, chain: 'eip155:1', statusRegistry: '0x', confirmations: 0, anchoredGraceMs: 0 },
    })
  }

  it('is told from its binding list', () => {
    expect(readerOver({ purpose: 3, mode: 0, length: 131_072 }).wallets.standing(wallet, 'XND')).toMatchObject({
      ...{ valid: true, wallet, level: 2, jurisdiction: 'XN' },
    })
  })

  it.each([
    ['is not here', []],
    ['is of another purpose', [{ purpose: 1, mode: 0, length: 131_072 }]],
    ['is anchored', [{ purpose: 3, mode: 1, length: 131_072 }]],
    ['ends before its index', [{ purpose: 3, mode: 0, length: 7 }]],
  ])('is unavailable, and never valid, when the list %s', (_, lists) => {
    const reader = readerOver(...lists)
    expect(() => reader.wallets.standing(wallet, 'XND')).toThrow(
      expect.objectContaining({ code: 'status_unavailable' }),
    )
  })
})

describe('what a binding is written with', () => {
  it('is a pseudonym of 32 bytes in base64url, there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), bytes => {
        const value = Buffer.from(bytes).toString('base64url')
        expect(pseudonymOfId(pseudonymIdOf(value))).toBe(value)
      }),
    )
    for (const wrong of ['', 'A', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}B`, `${'A'.repeat(42)}=`]) {
      expect(() => pseudonymIdOf(wrong)).toThrow(RangeError)
    }
  })

  it('is a country, also where the credential names its province', () => {
    expect(jurisdictionId('NL-NH')).toBe('0x4e4c')
    expect(jurisdictionOfId(jurisdictionId('XN'))).toBe('XN')
    expect(jurisdictionOfId('0x0000')).toBeUndefined()
    for (const wrong of ['', 'N', 'nl', 'NLD', 'NL-', 'NL-NHXX', '12']) {
      expect(() => jurisdictionId(wrong)).toThrow(RangeError)
    }
  })

  it('is a P-256 signature with s in the lower half, whichever of the two was given', () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const word = (value: bigint): string => value.toString(16).padStart(64, '0')
    const key = Buffer.alloc(32, 7).toString('base64url')
    const signed = (s: bigint): string => p256BindingSignature(key, Buffer.from(`${word(5n)}${word(s)}`, 'hex'))
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: order / 2n }), low => {
        expect(signed(low)).toBe(`0x${'07'.repeat(32)}${word(5n)}${word(low)}`)
        expect(signed(order - low)).toBe(signed(low))
      }),
    )
    expect(() => p256BindingSignature(key, Buffer.alloc(63))).toThrow(RangeError)
    expect(() => p256BindingSignature('AA', Buffer.alloc(64))).toThrow(RangeError)
  })

  it('is a secp256k1 signature whose v is 27 or 28, from bytes or from hex', () => {
    const bytes = { r: Buffer.alloc(32, 1), s: Buffer.alloc(32, 2) }
    const expected = (v: string) => `0x${'01'.repeat(32)}${'02'.repeat(32)}${v}`
    expect(secp256k1BindingSignature({ ...bytes, v: 0 })).toBe(expected('1b'))
    expect(secp256k1BindingSignature({ ...bytes, v: 28 })).toBe(expected('1c'))
    expect(secp256k1BindingSignature({ r: '01'.repeat(32), s: `0x${'02'.repeat(32)}`, v: 1 })).toBe(expected('1c'))
  })
})
