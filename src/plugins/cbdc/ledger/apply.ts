import { hash } from 'node:crypto'
import { type Entry, type EntryOf, isOwnerKey, type OwnerKey } from '../../../kernel/ledger-entry.ts'
import { instalment, instruct, revoke } from './instructions.ts'
import { type Account, amountMost, availableOf, balanceOf, type Change, type Reservation, type State } from './state.ts'
import {
  alone,
  assert,
  assertAmount,
  assertSigned,
  bothKnown,
  credit,
  debit,
  type Handler,
  hasRoom,
  Invalid,
  isPast,
  known,
  moved,
  receivable,
  spend,
  spoken,
} from './validity.ts'

/**
 * Why an entry is not valid, in order of precedence: the first that holds is the answer. What concerns the payee comes last and
 * has one name, so that nobody learns about a payee by trying.
 */
export const invalidities = [
  'amount_not_positive',
  'amount_too_large',
  'account_same',
  'account_unknown',
  'account_closed',
  'reservation_unknown',
  'reservation_expired',
  'reservation_pending',
  'instruction_unknown',
  'instalment_index',
  'instalment_early',
  'signature_invalid',
  'transfer_expired',
  'nonce_mismatch',
  'currency_mismatch',
  'key_invalid',
  'account_number_taken',
  'preimage_mismatch',
  'reservation_amount',
  'reservation_expiry',
  'instruction_schedule',
  'instruction_terms',
  'account_frozen',
  'freeze_unknown',
  'account_not_linked',
  'account_not_issuance',
  'account_not_empty',
  'interest_already',
  'sum_too_large',
  'funds_insufficient',
  'payee_cannot_receive',
] as const
export type Invalidity = (typeof invalidities)[number]

export type Applied = { valid: true; change: Change } | { valid: false; why: Invalidity }

/** An entry, and the key that its signature was found to be of; undefined where it has none, or a wrong one. */
export type Attested<E extends Entry = Entry> = { entry: E; signer: OwnerKey | undefined }

const noHash = '0'.repeat(64)

/** From an account of its owner: a transfer, and a withdrawal to the chain's rail. */
const pay = (
  state: State,
  entry: EntryOf<'transfer'> | EntryOf<'withdraw'>,
  signer: OwnerKey | undefined,
  batchTime: number,
): Change => {
  const { from, to, currency, amount } = entry
  assertAmount(amount)
  assert(from !== to, 'account_same')
  const payer = spoken(state, from, entry, signer, batchTime)
  assert(payer.currency === currency, 'currency_mismatch')
  assert(payer.holds === 0, 'account_frozen')
  const fee = BigInt(entry.fee)
  const paid = spend(payer, amount + fee)
  return moved(paid, credit(receivable(state, to, currency), amount), currency, fee)
}

const reserve: Handler<EntryOf<'reserve'>> = (state, entry, signer, batchTime) => {
  const { from, to, currency, amount, expiry, lockHash, arbiter } = entry
  assertAmount(amount)
  // A payer who decides as arbiter could take the money back.
  assert(from !== to && from !== arbiter, 'account_same')
  const payer = spoken(state, from, entry, signer, batchTime)
  assert(payer.currency === currency, 'currency_mismatch')
  assert(!isPast(expiry, batchTime), 'reservation_expiry')
  assert(payer.holds === 0, 'account_frozen')
  const fee = BigInt(entry.fee)
  const afterFee = spend(payer, fee)
  assert(amount <= availableOf(afterFee), 'funds_insufficient')
  const payee = receivable(state, to, currency)
  assert(hasRoom(payee, amount), 'payee_cannot_receive')
  // As little is told about an arbiter as about a payee: one account could be named as either.
  const decides = arbiter === 0 ? payee : state.account(arbiter)
  assert(decides !== undefined && !decides.closed, 'payee_cannot_receive')
  const number = state.nextReservation
  const now: Reservation = { number, from, to, currency, amount, remaining: amount, expiry, lockHash, arbiter }
  return {
    accounts: [
      { ...afterFee, debitsPending: afterFee.debitsPending + amount },
      { ...payee, creditsPending: payee.creditsPending + amount },
    ],
    reservation: { number, now },
    nextReservation: number + 1,
    fee,
    currency,
  }
}

const pending = (state: State, number: number): Reservation => {
  const reservation = state.reservation(number)
  if (reservation === undefined) throw new Invalid('reservation_unknown')
  return reservation
}

/** Both accounts of a reservation; while it stands neither can be closed. */
const partiesOf = (state: State, { from, to }: Reservation): { payer: Account; payee: Account } => {
  const [payer, payee] = [state.account(from), state.account(to)]
  if (payer === undefined || payee === undefined) throw new Invalid('account_unknown')
  return { payer, payee }
}

/** What leaves the pending sums of both. */
const release = (payer: Account, payee: Account, amount: bigint): { payer: Account; payee: Account } => ({
  payer: { ...payer, debitsPending: payer.debitsPending - amount },
  payee: { ...payee, creditsPending: payee.creditsPending - amount },
})

const post: Handler<EntryOf<'post'>> = (state, entry, signer, batchTime) => {
  const { amount, remaining, last, by, preimage } = entry
  assertAmount(amount)
  const speaker = known(state, by)
  const reservation = pending(state, entry.reservation)
  assert(!isPast(reservation.expiry, batchTime), 'reservation_expired')
  const { payer, payee } = partiesOf(state, reservation)
  const decides = reservation.arbiter === 0 ? reservation.to : reservation.arbiter
  assert(by === decides && last <= 1, 'signature_invalid')
  assertSigned(speaker, signer)
  if (reservation.lockHash !== noHash) {
    assert(hash('sha256', Buffer.from(preimage, 'hex'), 'hex') === reservation.lockHash, 'preimage_mismatch')
  }
  assert(remaining === reservation.remaining && amount <= remaining, 'reservation_amount')
  const rest = remaining - amount
  const ends = last === 1 || rest === 0n
  // What was reserved under an arbiter is no longer the payer's: others have acted in reliance on it.
  const decided = reservation.arbiter !== 0
  assert(decided || payer.holds === 0, 'account_frozen')
  assert(!payee.closed && (decided || payee.holds === 0), 'payee_cannot_receive')
  const free = release(payer, payee, ends ? remaining : amount)
  const number = reservation.number
  return {
    accounts: [
      { ...free.payer, debitsPosted: free.payer.debitsPosted + amount },
      { ...free.payee, creditsPosted: free.payee.creditsPosted + amount },
    ],
    reservation: { number, now: ends ? null : { ...reservation, remaining: rest } },
    fee: 0n,
    currency: reservation.currency,
  }
}

const ended = (state: State, reservation: Reservation): Change => {
  const { payer, payee } = partiesOf(state, reservation)
  const free = release(payer, payee, reservation.remaining)
  const { number, currency } = reservation
  return { ...moved(free.payer, free.payee, currency), reservation: { number, now: null } }
}

const voided: Handler<EntryOf<'void'>> = (state, { reservation: number, by }, signer) => {
  const speaker = known(state, by)
  const reservation = pending(state, number)
  assert(by === reservation.to || by === reservation.arbiter, 'signature_invalid')
  assertSigned(speaker, signer)
  return ended(state, reservation)
}

const expire: Handler<EntryOf<'expire'>> = (state, { reservation: number }, _signer, batchTime) => {
  const reservation = pending(state, number)
  assert(isPast(reservation.expiry, batchTime), 'reservation_pending')
  return ended(state, reservation)
}

/** By order of an institution, or by an event of the chain: nobody's balance falls below what it may. */
const move = (
  state: State,
  { from, to, currency, amount }: { from: number; to: number; currency: number; amount: bigint },
  issuance?: number,
): Change => {
  assertAmount(amount)
  assert(from !== to, 'account_same')
  const payer = known(state, from)
  assert(payer.currency === currency, 'currency_mismatch')
  assert(payer.holds === 0, 'account_frozen')
  if (issuance !== undefined) assert(state.account(issuance)?.side === 1, 'account_not_issuance')
  return moved(debit(payer, amount), credit(receivable(state, to, currency), amount), currency)
}

/** Money comes into being on an account of the debit side, and ends there. */
const mint: Handler<EntryOf<'mint'>> = (state, entry) => move(state, entry, entry.from)

const burn: Handler<EntryOf<'burn'>> = (state, entry) => move(state, entry, entry.to)

const deposit: Handler<EntryOf<'deposit'>> = (state, entry) => move(state, entry)

const open: Handler<EntryOf<'open'>> = (state, { account: number, currency, side, scheme, prefix, x }) => {
  const key = { scheme, prefix, x }
  assert(isOwnerKey(key) && side <= 1, 'key_invalid')
  assert(number === state.nextAccount, 'account_number_taken')
  const account: Account = {
    ...{ number, currency, side, key, nonce: 0 },
    ...{ debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n },
    ...{ frozen: 0n, holds: 0, linked: 0, interestDay: 0, closed: false },
  }
  return { accounts: [account], nextAccount: number + 1, fee: 0n, currency }
}

const keyChange: Handler<EntryOf<'keyChange'>> = (state, entry, signer, batchTime) => {
  const { scheme, prefix, x } = entry
  const account = spoken(state, entry.account, entry, signer, batchTime)
  assert(isOwnerKey(entry), 'key_invalid')
  return alone({ ...account, key: { scheme, prefix, x } })
}

/**
 * What the lost key signed and nobody handed in yet must not count any more: the nonce goes on. What was handed in stands, standing
 * instructions too: rent is paid on, and what the owner does not know in the list the new key revokes.
 */
const keyOrder: Handler<EntryOf<'keyOrder'>> = (state, entry) => {
  const { scheme, prefix, x } = entry
  const account = known(state, entry.account)
  assert(isOwnerKey(entry), 'key_invalid')
  return alone({ ...account, key: { scheme, prefix, x }, nonce: account.nonce + 1 })
}

const link: Handler<EntryOf<'link'>> = (state, entry, signer, batchTime) => {
  assert(entry.linked !== entry.account, 'account_same')
  const account = spoken(state, entry.account, entry, signer, batchTime)
  if (entry.linked !== 0) receivable(state, entry.linked, account.currency)
  return alone({ ...account, linked: entry.linked })
}

const sweep: Handler<EntryOf<'sweep'>> = (state, { from, to, currency, amount }) => {
  assertAmount(amount)
  assert(from !== to, 'account_same')
  const payer = known(state, from)
  assert(payer.currency === currency, 'currency_mismatch')
  assert(payer.holds === 0, 'account_frozen')
  assert(payer.linked !== 0 && payer.linked === to, 'account_not_linked')
  return moved(spend(payer, amount), credit(receivable(state, to, currency), amount), currency)
}

const freeze: Handler<EntryOf<'freeze'>> = (state, { account: number, amount }) => {
  assert(amount <= amountMost, 'amount_too_large')
  const account = known(state, number)
  assert(account.frozen + amount <= amountMost, 'sum_too_large')
  return alone(
    amount === 0n ? { ...account, holds: account.holds + 1 } : { ...account, frozen: account.frozen + amount },
  )
}

const unfreeze: Handler<EntryOf<'unfreeze'>> = (state, { account: number, amount }) => {
  const account = known(state, number)
  assert(amount === 0n ? account.holds > 0 : amount <= account.frozen, 'freeze_unknown')
  return alone(
    amount === 0n ? { ...account, holds: account.holds - 1 } : { ...account, frozen: account.frozen - amount },
  )
}

const seize: Handler<EntryOf<'seize'>> = (state, { from, to, currency, amount, frozen }) => {
  assertAmount(amount)
  assert(from !== to, 'account_same')
  const payer = known(state, from)
  assert(payer.currency === currency, 'currency_mismatch')
  assert(frozen <= amount && frozen <= payer.frozen, 'freeze_unknown')
  const paid = debit({ ...payer, frozen: payer.frozen - frozen }, amount)
  return moved(paid, credit(receivable(state, to, currency), amount), currency)
}

/** Whoever owes interest pays what there is: a negative rate never takes an account below zero. */
const interest: Handler<EntryOf<'interest'>> = (state, { account: number, counter, currency, amount, day }) => {
  assert(number !== counter, 'account_same')
  const { first: account, second: other } = bothKnown(state, number, counter)
  assert(account.currency === currency && other.currency === currency, 'currency_mismatch')
  assert(day > account.interestDay, 'interest_already')
  const dated = { ...account, interestDay: day }
  if (amount === 0n) return alone(dated)
  if (amount < 0n) return moved(debit(dated, -amount), credit(other, -amount), currency)
  return moved(debit(other, amount), credit(dated, amount), currency)
}

const close: Handler<EntryOf<'close'>> = (state, { account: number }) => {
  const account = known(state, number)
  assert(account.holds === 0, 'account_frozen')
  const empty = balanceOf(account) === 0n && account.debitsPending === 0n && account.creditsPending === 0n
  assert(empty && account.frozen === 0n, 'account_not_empty')
  return alone({ ...account, closed: true })
}

const handlers: { [E in Entry as E['kind']]: Handler<E> } = {
  ...{ transfer: pay, withdraw: pay, open, keyChange, keyOrder, reserve, post, void: voided, expire },
  ...{ mint, burn, deposit, freeze, unfreeze, seize, interest, close, link, sweep },
  ...{ instruct, instalment, revoke },
}

/**
 * What an entry does to the state, or why it may not stand. Pure: the same state, entry and time give the same. Signatures were
 * checked before; here only whose key an entry needs is judged. Limits and monitoring are not validity: policy decides on them.
 * @param batchTime of the batch that the entry stands in, in milliseconds.
 */
export const apply = (state: State, { entry, signer }: Attested, batchTime: number): Applied => {
  try {
    const handler = handlers[entry.kind] as Handler<Entry>
    return { valid: true, change: handler(state, entry, signer, batchTime) }
  } catch (error) {
    if (error instanceof Invalid) return { valid: false, why: error.why }
    throw error
  }
}

/** Gives what a batch took in fees to the fee account of each currency: the last thing a batch does. */
export const closeBatch = (
  state: State,
  fees: ReadonlyMap<number, bigint>,
  feeAccount: (currency: number) => number,
): Account[] =>
  [...fees].flatMap(([currency, fee]) => {
    if (fee === 0n) return []
    const account = state.account(feeAccount(currency))
    if (account === undefined) throw new Error(`the currency ${currency} has no fee account`)
    return [{ ...account, creditsPosted: account.creditsPosted + fee }]
  })
