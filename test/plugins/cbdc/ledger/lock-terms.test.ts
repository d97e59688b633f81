import fc from 'fast-check'
import {
  conditionNames,
  earliestSecond,
  judgeLegs,
  type Legs,
  latestFirst,
} from '../../../../src/plugins/cbdc/ledger/lock-terms.ts'

const zero = `0x${'0'.repeat(40)}`
const wallet = `0x${'ab'.repeat(20)}`
const hash = 'cd'.repeat(32)
const apart = { finalitySeconds: 60, marginSeconds: 3_600 }

/** Two legs that fit: the chain's is claimed first. */
const fitting = (): Legs => ({
  reservation: { amount: 300n, remaining: 300n, expiry: 13_660, lockHash: hash, arbiter: 0, state: 'pending' },
  terms: {
    ...{ payer: wallet, payee: wallet, arbiter: zero, money: wallet, amountMinor: 70n, expiry: 10_000 },
    ...{ hashLock: hash, delivery: zero, deliveryId: 0n, otherExpiry: 13_660, second: false, salt: hash },
  },
  lock: { state: 'locked', newest: 'locked', blockTime: 5_000 },
  agreed: { first: 'chain', ledgerAmountMinor: 300n },
  ...{ apart, now: 5_000 },
})

const reasons = (legs: Legs) =>
  judgeLegs(legs).flatMap(({ name, reason }) => (reason === undefined ? [] : [[name, reason]]))
const alter = (over: { [Part in keyof Legs]?: Partial<Legs[Part]> }): Legs => {
  const legs = fitting()
  const joined = Object.entries(over).map(([part, value]) => {
    const before = legs[part as keyof Legs]
    return [part, typeof before === 'object' ? { ...before, ...(value as object) } : value]
  })
  return { ...legs, ...(Object.fromEntries(joined) as Partial<Legs>) }
}

describe('the terms of two legs on two rails', () => {
  it('hold when every condition does, each judged by itself', () => {
    expect(judgeLegs(fitting())).toEqual(conditionNames.map(name => ({ name, holds: true })))
  })

  it.each<[string, string, Parameters<typeof alter>[0]]>([
    ['hash', 'hash_missing', { reservation: { lockHash: '0'.repeat(64) } }],
    ['hash', 'hash_missing', { terms: { hashLock: '0'.repeat(64) } }],
    ['hash', 'hash_differs', { terms: { hashLock: 'ce'.repeat(32) } }],
    ['ledgerState', 'reservation_posted', { reservation: { state: 'posted', remaining: 0n } }],
    ['ledgerState', 'reservation_voided', { reservation: { state: 'voided', remaining: 0n } }],
    ['ledgerState', 'reservation_expired', { reservation: { state: 'expired', remaining: 0n } }],
    ['ledgerAmount', 'ledger_amount_differs', { reservation: { remaining: 299n } }],
    ['ledgerAmount', 'ledger_amount_differs', { agreed: { ledgerAmountMinor: 301n } }],
    ['chainState', 'chain_lock_missing', { lock: { state: 'none', newest: 'none' } }],
    ['chainState', 'chain_lock_not_final', { lock: { state: 'none' } }],
    ['chainState', 'chain_lock_claimed', { lock: { newest: 'claimed' } }],
    ['chainState', 'chain_lock_refunded', { lock: { newest: 'refunded' } }],
    ['chainState', 'chain_lock_expired', { now: 10_000 as never }],
    ['chainState', 'chain_lock_expired', { lock: { blockTime: 10_000 } }],
    ['claimants', 'ledger_arbiter', { reservation: { arbiter: 9 } }],
    ['claimants', 'chain_arbiter', { terms: { arbiter: wallet } }],
    ['claimants', 'chain_delivery', { terms: { delivery: wallet } }],
    ['order', 'order_differs', { terms: { second: true } }],
    ['order', 'other_expiry_differs', { terms: { otherExpiry: 13_661 } }],
    ['expiry', 'second_expires_early', { reservation: { expiry: 13_659 }, terms: { otherExpiry: 13_659 } }],
    ['expiry', 'second_expires_early', { apart: { finalitySeconds: 61 } }],
  ])('%s does not hold: %s', (name, reason, over) => {
    expect(reasons(alter(over))).toEqual([[name, reason]])
  })

  it('do not ask a contract that was not told of the other leg', () => {
    expect(reasons(alter({ terms: { otherExpiry: 0, second: true } }))).toEqual([])
  })

  it('let the second leg expire only when a claim of the first is final and the margin has passed, whichever is first', () => {
    const seconds = fc.nat(4_000_000_000)
    const waits = fc.record({ finalitySeconds: fc.integer({ min: 1, max: 604_800 }), marginSeconds: fc.nat(7_200) })
    fc.assert(
      fc.property(seconds, seconds, waits, fc.boolean(), (ledgerExpiry, chainExpiry, wait, chainFirst) => {
        const legs: Legs = {
          ...alter({ reservation: { expiry: ledgerExpiry }, terms: { expiry: chainExpiry, otherExpiry: 0 } }),
          ...{ apart: wait, agreed: { first: chainFirst ? 'chain' : 'ledger', ledgerAmountMinor: 300n } },
        }
        const [first, second] = chainFirst ? [chainExpiry, ledgerExpiry] : [ledgerExpiry, chainExpiry]
        const holds = judgeLegs(legs).find(({ name }) => name === 'expiry')?.holds
        expect(holds).toBe(second - first >= wait.finalitySeconds + wait.marginSeconds)
        expect(latestFirst(earliestSecond(first, wait), wait)).toBe(first)
        if (holds) expect(first).toBeLessThanOrEqual(latestFirst(second, wait))
      }),
    )
  })
})
