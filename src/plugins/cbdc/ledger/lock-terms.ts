import type { ChainLock, ChainLockTerms, LockNetwork } from '../../../kernel/chain-locks.ts'
import type { Reservation } from './state.ts'

/**
 * Two legs on two rails under one hash. Whoever knows the preimage claims the first leg, and so shows it to the other, who claims
 * the second. The second expires later than the first, by the time until a claim is final plus a margin in which to see it and
 * to make one's own. Times in seconds. The same sums as the contract's (ISettlement: `earliestSecond`, `latestFirst`).
 */

export type Apart = Pick<LockNetwork, 'finalitySeconds' | 'marginSeconds'>

const apartOf = ({ finalitySeconds, marginSeconds }: Apart): number => finalitySeconds + marginSeconds

/** The earliest expiry of the leg claimed second when the first one expires then. */
export const earliestSecond = (firstExpiry: number, apart: Apart): number => firstExpiry + apartOf(apart)

/** The latest expiry of the leg claimed first when the second one expires then; 0 if there is none. */
export const latestFirst = (secondExpiry: number, apart: Apart): number => Math.max(0, secondExpiry - apartOf(apart))

export type LegRail = 'ledger' | 'chain'

/** A reservation with what became of it. */
export type LedgerLeg = Pick<Reservation, 'amount' | 'remaining' | 'expiry' | 'lockHash' | 'arbiter'> & {
  state: 'pending' | 'posted' | 'voided' | 'expired'
}

/** What must hold before the second leg is locked, and before the first is claimed. */
export const conditionNames = [
  'hash',
  'ledgerState',
  'ledgerAmount',
  'chainState',
  'claimants',
  'order',
  'expiry',
] as const
export type ConditionName = (typeof conditionNames)[number]

export type Reason =
  | 'hash_missing'
  | 'hash_differs'
  | 'reservation_posted'
  | 'reservation_voided'
  | 'reservation_expired'
  | 'ledger_amount_differs'
  | 'chain_lock_missing'
  | 'chain_lock_not_final'
  | 'chain_lock_claimed'
  | 'chain_lock_refunded'
  | 'chain_lock_expired'
  | 'ledger_arbiter'
  | 'chain_arbiter'
  | 'chain_delivery'
  | 'order_differs'
  | 'other_expiry_differs'
  | 'second_expires_early'

export type Condition = { name: ConditionName; holds: boolean; reason?: Reason }

export type Legs = {
  reservation: LedgerLeg
  terms: ChainLockTerms
  lock: Pick<ChainLock, 'state' | 'newest' | 'blockTime'>
  /** What the parties agreed outside. */
  agreed: { first: LegRail; ledgerAmountMinor: bigint }
  apart: Apart
  /** Of the ledger's clock. */
  now: number
}

const isNone = (hex: string): boolean => /^(0x)?0*$/.test(hex)

const judges: Record<ConditionName, (legs: Legs) => Reason | undefined> = {
  hash({ reservation, terms }) {
    if (isNone(reservation.lockHash) || isNone(terms.hashLock)) return 'hash_missing'
    return reservation.lockHash === terms.hashLock ? undefined : 'hash_differs'
  },
  ledgerState({ reservation, now }) {
    if (reservation.state !== 'pending') return `reservation_${reservation.state}`
    return now < reservation.expiry ? undefined : 'reservation_expired'
  },
  ledgerAmount({ reservation: { state, amount, remaining }, agreed }) {
    const held = state === 'pending' ? remaining : amount
    return held === agreed.ledgerAmountMinor ? undefined : 'ledger_amount_differs'
  },
  chainState({ terms, lock, now }) {
    if (lock.newest === 'claimed') return 'chain_lock_claimed'
    if (lock.newest === 'refunded') return 'chain_lock_refunded'
    if (lock.newest === 'none') return 'chain_lock_missing'
    if (lock.state !== 'locked') return 'chain_lock_not_final'
    return Math.max(now, lock.blockTime) < terms.expiry ? undefined : 'chain_lock_expired'
  },
  claimants({ reservation, terms }) {
    if (reservation.arbiter !== 0) return 'ledger_arbiter'
    if (!isNone(terms.arbiter)) return 'chain_arbiter'
    return isNone(terms.delivery) ? undefined : 'chain_delivery'
  },
  order({ reservation, terms, agreed }) {
    if (terms.otherExpiry === 0) return undefined
    if (terms.second !== (agreed.first === 'ledger')) return 'order_differs'
    return terms.otherExpiry === reservation.expiry ? undefined : 'other_expiry_differs'
  },
  expiry({ reservation, terms, agreed, apart }) {
    const chainFirst = agreed.first === 'chain'
    const [first, second] = chainFirst ? [terms.expiry, reservation.expiry] : [reservation.expiry, terms.expiry]
    return second >= earliestSecond(first, apart) ? undefined : 'second_expires_early'
  },
}

/** Every condition, whether it holds, and why not. Whose wallets and accounts these are the parties know themselves. */
export const judgeLegs = (legs: Legs): Condition[] =>
  conditionNames.map(name => {
    const reason = judges[name](legs)
    return reason === undefined ? { name, holds: true } : { name, holds: false, reason }
  })
