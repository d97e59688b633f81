import type { OwnerKey } from '../../../kernel/ledger-entry.ts'
import type { Schedule } from './calendar.ts'

/** 2^63 − 1: what a signed 64-bit column holds. */
export const amountMost = 0x7fffffffffffffffn

/** An account by its number. Amounts are minor units of its currency. */
export type Account = {
  number: number
  currency: number
  /** 0: credits cover debits at all times. 1: debits cover credits (issuance; the rail of a currency at home on the chain). */
  side: number
  key: OwnerKey
  /** Of the next thing the owner signs. */
  nonce: number
  debitsPending: bigint
  debitsPosted: bigint
  creditsPending: bigint
  creditsPosted: bigint
  /** Held back by orders. */
  frozen: bigint
  /** Orders that freeze the account as a whole. */
  holds: number
  /** Where a sweep goes; 0: nowhere. */
  linked: number
  /** The last day that interest was computed for. */
  interestDay: number
  closed: boolean
}

/** A reservation that has come to its end is gone from the state. Times in seconds. */
export type Reservation = {
  number: number
  from: number
  to: number
  currency: number
  /** As it was granted, and what is left of it. */
  amount: bigint
  remaining: bigint
  expiry: number
  /** SHA-256 in hex; zeros: none. */
  lockHash: string
  /** Account whose key decides; 0: none. */
  arbiter: number
}

/** What an owner laid down to be paid again and again. One that was revoked or has come to its end is gone from the state. */
export type Instruction = Schedule & {
  number: number
  from: number
  to: number
  currency: number
  amount: bigint
  /** The least index that may still be paid. */
  next: number
}

/** What `apply` reads. Nothing is ever changed in place. */
export type State = {
  account(number: number): Account | undefined
  reservation(number: number): Reservation | undefined
  instruction(number: number): Instruction | undefined
  /** The numbers that come next: accounts, reservations and instructions are dense. */
  nextAccount: number
  nextReservation: number
  nextInstruction: number
}

/** What an entry came to: at most two accounts, and one reservation or instruction. */
export type Change = {
  accounts: readonly Account[]
  /** `null`: it has ended. */
  reservation?: { number: number; now: Reservation | null }
  instruction?: { number: number; now: Instruction | null }
  nextAccount?: number
  nextReservation?: number
  nextInstruction?: number
  /** What the payer paid besides; the batch gives it to the currency's fee account when it closes. */
  fee: bigint
  currency: number
}

/** What may still be spent; of an account on the debit side always 0. */
export const availableOf = ({ side, creditsPosted, debitsPosted, debitsPending, frozen }: Account): bigint => {
  if (side === 1) return 0n
  const free = creditsPosted - debitsPosted - debitsPending - frozen
  return free > 0n ? free : 0n
}

/** Credits less debits, posted: what the account holds, or as a negative number what was issued from it. */
export const balanceOf = ({ creditsPosted, debitsPosted }: Account): bigint => creditsPosted - debitsPosted
