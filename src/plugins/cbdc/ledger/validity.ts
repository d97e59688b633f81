import { type Entry, type OwnerKey, sameKey } from '../../../kernel/ledger-entry.ts'
import type { Invalidity } from './apply.ts'
import { type Account, amountMost, availableOf, type Change, type State } from './state.ts'

/** What the rules of several kinds of entries have in common. Whatever does not hold is thrown, and caught in `apply`. */

export class Invalid {
  readonly why: Invalidity
  constructor(why: Invalidity) {
    this.why = why
  }
}

/** What is good until a second is not good in it. @param batchTime in milliseconds. */
export const isPast = (seconds: number, batchTime: number): boolean => batchTime >= seconds * 1_000

export const assert = (holds: boolean, why: Invalidity): void => {
  if (!holds) throw new Invalid(why)
}

export const known = (state: State, number: number): Account => {
  const account = state.account(number)
  if (account === undefined) throw new Invalid('account_unknown')
  if (account.closed) throw new Invalid('account_closed')
  return account
}

/** Two at once, so that an unknown one is named before a closed one. */
export const bothKnown = (state: State, one: number, two: number): { first: Account; second: Account } => {
  if (state.account(one) === undefined || state.account(two) === undefined) throw new Invalid('account_unknown')
  return { first: known(state, one), second: known(state, two) }
}

export const receivable = (state: State, number: number, currency: number): Account => {
  const account = state.account(number)
  const can = account !== undefined && !account.closed && account.holds === 0 && account.currency === currency
  if (!can) throw new Invalid('payee_cannot_receive')
  return account
}

export const assertSigned = (account: Account, signer: OwnerKey | undefined): void => {
  assert(signer !== undefined && sameKey(account.key, signer), 'signature_invalid')
}

export const assertAmount = (amount: bigint): void => {
  assert(amount > 0n, 'amount_not_positive')
  assert(amount <= amountMost, 'amount_too_large')
}

export type Owned = { nonce: number; validUntil: number }

/** What the owner of an account says: with the account's key, in time, and next in turn. */
export const spoken = (
  state: State,
  number: number,
  { nonce, validUntil }: Owned,
  signer: OwnerKey | undefined,
  batchTime: number,
): Account => {
  const account = known(state, number)
  assertSigned(account, signer)
  assert(!isPast(validUntil, batchTime), 'transfer_expired')
  assert(account.nonce === nonce, 'nonce_mismatch')
  return { ...account, nonce: nonce + 1 }
}

export const debit = (account: Account, amount: bigint): Account => {
  const debitsPosted = account.debitsPosted + amount
  if (account.side === 0) assert(amount <= availableOf(account), 'funds_insufficient')
  else assert(debitsPosted <= amountMost, 'sum_too_large')
  return { ...account, debitsPosted }
}

/** By word of the owner: what only an order or the chain may bring into being is not the owner's to spend. */
export const spend = (account: Account, amount: bigint): Account => {
  assert(account.side === 0, 'funds_insufficient')
  return debit(account, amount)
}

/** Whether what is to come, with what is pending, stays on the account's side of zero and in its column. */
export const hasRoom = ({ side, creditsPosted, creditsPending, debitsPosted }: Account, amount: bigint): boolean =>
  creditsPosted + creditsPending + amount <= (side === 0 ? amountMost : debitsPosted)

export const credit = (account: Account, amount: bigint): Account => {
  assert(hasRoom(account, amount), 'payee_cannot_receive')
  return { ...account, creditsPosted: account.creditsPosted + amount }
}

export const moved = (payer: Account, payee: Account, currency: number, fee = 0n): Change => ({
  accounts: [payer, payee],
  fee,
  currency,
})

export const alone = (account: Account): Change => ({ accounts: [account], fee: 0n, currency: account.currency })

export type Handler<E extends Entry> = (
  state: State,
  entry: E,
  signer: OwnerKey | undefined,
  batchTime: number,
) => Change
