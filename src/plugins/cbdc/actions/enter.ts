import type { ActRecord } from '../../../kernel/perform.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRefusal, type Refusal } from '../../../kernel/refusal.ts'
import {
  chainBroken,
  invalidEntry,
  payeeCannotReceive,
  railUnavailable,
  stoppedByPolicy,
  stoppedByRule,
  transferIdNotCurrent,
  transferIdTaken,
} from '../errors.ts'
import { closedToPayments, type LedgerAccount } from '../ledger/facts.ts'
import { beyondHolding, type CurrencyPolicy, isCustomer, isPersonal, judgePayer, spend } from '../ledger/limits.ts'
import type { MonitoredPayment, RuleRows } from '../ledger/monitoring.ts'
import type { CbdcNeeds } from '../needs.ts'
import { type Book, type BookItem, namedBy, type Written } from './book.ts'
import type { Currencies } from './currencies.ts'
import { assertInstructable } from './instructions/permit.ts'
import { assertOnline, isOnline, loadPurses, pursesIn } from './offline/purses.ts'
import { judgePurpose } from './purpose/judge.ts'
import { loadPurposes } from './purpose/purposes.ts'
import { assertRefund, assertSameRefund, noteRefund } from './requests/refunds.ts'

/** Entries as they are judged and entered while the ledger is held: validity first, then policy, and the payee last. */

/** What came of one entry of an order. */
export type ItemOutcome = { written: Written; again: boolean } | { refusal: Refusal }

/** What an act sees of the ledger while it holds it. */
export type Held = {
  tx: Tx
  record: ActRecord
  book: Book
  currencies: Currencies
}

const dayMs = 86_400_000
const aheadMs = 60_000

/** Ids are UUIDv7 of about now, so that their index grows at its end. */
export const isCurrentId = (id: string, at: number): boolean => {
  if (id[14] !== '7') return false
  const made = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return made > at - dayMs && made < at + aheadMs
}

type Payment = { payer: LedgerAccount; payee: LedgerAccount; currency: number; amount: bigint }

type Paying = Extract<BookItem['entry'], { kind: 'transfer' | 'withdraw' | 'reserve' | 'instalment' }>
const isPaying = (entry: BookItem['entry']): entry is Paying =>
  entry.kind === 'transfer' || entry.kind === 'withdraw' || entry.kind === 'reserve' || entry.kind === 'instalment'

const kycStands = (needs: CbdcNeeds, account: LedgerAccount): boolean =>
  account.kyc !== null && needs.kycInForce(account.kyc)

const known = (book: Book, number: number): LedgerAccount => {
  const account = book.state.account(number)
  if (account === undefined) throw new Error(`the account ${number} was not loaded`)
  return account
}

const monitored = ({ payer, payee, currency, amount }: Payment, at: number): MonitoredPayment => ({
  ...{ payer, payee, currency, amount, at },
})

/** What leaves the payer, fee included: so much counts for limits and rules. */
const chargedBy = (entry: Paying): bigint => entry.amount + BigInt('fee' in entry ? entry.fee : 0)

/**
 * The payer's own limits, whoever the payee is. What is given back was bounded when it was paid.
 * @throws Refusal kyc_not_in_force, limit_per_payment, limit_per_day
 */
const judgeLimits = (
  needs: CbdcNeeds,
  { book }: Held,
  policy: CurrencyPolicy,
  { entry, basis }: { entry: Paying; basis: BookItem['basis'] },
): void => {
  // What a purse may pay was counted when it was certified, and its payee relied on the voucher.
  if (basis === 'voucher') return
  const payer = known(book, entry.from)
  const kycInForce = isCustomer(payer) ? kycStands(needs, payer) : true
  if (basis === 'refund' && kycInForce) return
  const stop = judgePayer(policy, { payer, lead: known(book, payer.lead), kycInForce }, chargedBy(entry), book.at)
  if (stop !== undefined) throw stoppedByPolicy(stop)
}

/** @throws Refusal payment_stopped */
const judgeByRules = (needs: CbdcNeeds, { book, record }: Held, payment: Payment, basis: BookItem['basis']): void => {
  const rows: RuleRows = number => book.state.account(number)?.rules ?? undefined
  const verdicts = needs.rules.judge(rows, monitored(payment, book.at))
  for (const verdict of verdicts) record.judged(verdict)
  if (basis !== 'voucher' && verdicts.some(({ outcome }) => outcome === 'refused')) throw stoppedByRule()
}

/** Who has paid has used up something of their day; what the rules remember goes on. */
const afterPaying = (needs: CbdcNeeds, { book }: Held, payment: Payment, basis: BookItem['basis']): void => {
  const { payer, payee, amount } = payment
  // What an owner brings to their own purse counts when it is paid from there, or certified.
  const isLoading = payee.class === 'purse' && payee.lead === payer.lead
  const counts = isPersonal(payer) && basis === undefined && !isLoading
  const spent = counts ? spend(known(book, payer.lead), amount, book.at) : undefined
  const rows: RuleRows = number => book.state.account(number)?.rules ?? undefined
  const advanced = needs.rules.advance(rows, monitored(payment, book.at))
  // One change of the payer's lead, which nearly every payment has, and not two.
  if (spent !== undefined && !advanced.has(payer.lead)) book.alter(payer.lead, spent)
  for (const [number, rules] of advanced) book.alter(number, number === payer.lead ? { ...spent, rules } : { rules })
}

type Receiver = { account: number; decided: boolean }

/**
 * A customer who received holds no more than their tier lets them: the rest goes to their linked account, at once. What an institution
 * decided is paid even so: it was relied upon when the deed was done. Whoever relied on a voucher may come to hold more, but has
 * to be known.
 */
const afterReceiving = (
  needs: CbdcNeeds,
  { book, currencies }: Held,
  { account: number, decided, relied }: Receiver & { relied: boolean },
): void => {
  const payee = known(book, number)
  if (!isCustomer(payee)) return
  if (!decided && !kycStands(needs, payee)) throw payeeCannotReceive()
  const { policy } = currencies.of(payee.currency)
  const amount = beyondHolding(policy, payee, known(book, payee.lead).held)
  if (amount === 0n) return
  const { linked: to, currency } = payee
  // At another customer's it would pass that one's limit in turn.
  if (book.state.account(to)?.class === 'reserve' && isOnline(book, number)) {
    const swept = book.apply({ entry: { kind: 'sweep', from: number, to, currency, amount }, signer: undefined })
    if ('written' in swept) return
  }
  if (!decided && !relied) throw payeeCannotReceive()
}

const receiverOf = (book: Book, entry: BookItem['entry']): Receiver | undefined => {
  const { kind } = entry
  if (kind === 'transfer' || kind === 'deposit' || kind === 'instalment') return { account: entry.to, decided: false }
  const reservation = entry.kind === 'post' ? book.state.reservation(entry.reservation) : undefined
  return reservation && { account: reservation.to, decided: reservation.arbiter !== 0 }
}

const paymentOf = (book: Book, entry: Paying): Payment | undefined => {
  const [payer, payee] = [book.state.account(entry.from), book.state.account(entry.to)]
  return payer && payee && { payer, payee, currency: entry.currency, amount: chargedBy(entry) }
}

/** A withdrawal goes to the rail's account, and everything else never to an account of the currency's own. */
const mayBePaid = ({ currencies }: Held, entry: BookItem['entry'], payment: Payment | undefined): boolean => {
  if (payment === undefined) return true
  // Funds of a netting window, of which the currency's clearing account posts what is owed.
  if (payment.payee.class === 'clearing') return entry.kind === 'reserve'
  if (entry.kind === 'withdraw') return entry.to === currencies.of(payment.currency).rail
  return !closedToPayments.has(payment.payee.class)
}

/** Who decides on a reservation is an institution that the ledger admitted, and a sweep goes to a bank. */
const isPermitted = (
  needs: CbdcNeeds,
  { book, currencies }: Held,
  { entry, isValid }: { entry: BookItem['entry']; isValid: boolean },
): void => {
  if (entry.kind === 'link' && entry.linked !== 0) {
    if (book.state.account(entry.linked)?.class !== 'reserve') throw payeeCannotReceive()
  }
  if (entry.kind === 'instruct') assertInstructable(needs, { book }, { entry, isValid })
  if (entry.kind !== 'reserve') return
  const { reservationMostSeconds } = currencies.of(entry.currency).policy
  if (entry.expiry * 1_000 > book.at + reservationMostSeconds * 1_000) throw invalidEntry('reservation_expiry')
  if (entry.arbiter !== 0 && book.state.account(entry.arbiter)?.class !== 'arbiter') throw payeeCannotReceive()
}

const signatureBytes = 64

/** The same fields. Signed anew, a signature has other bytes; then it has to be the owner's, as the first one was. */
const isSame = ({ raw, signer }: BookItem, written: Written): boolean => {
  if (raw === undefined) return false
  if (written.raw.equals(raw)) return true
  const fields = raw.length - signatureBytes
  return (
    signer !== undefined && raw.length === written.raw.length && raw.compare(written.raw, 0, fields, 0, fields) === 0
  )
}

/** The same id and the same entry: the answer given before. @throws Refusal transfer_id_taken, transfer_id_not_current */
const earlier = (book: Book, item: BookItem): Written | undefined => {
  if (item.id === undefined) return undefined
  const found = book.byId(item.id)
  if (found === undefined) {
    if (!isCurrentId(item.id, book.at)) throw transferIdNotCurrent()
    return undefined
  }
  if (isSame(item, found)) return found
  throw transferIdTaken()
}

/**
 * One entry: what it says has to be valid first, then policy is asked about the payer, and what concerns the payee comes
 * last; the rules see what would otherwise be done.
 */
export const enterOne = (needs: CbdcNeeds, held: Held, item: BookItem): { written: Written; again: boolean } => {
  const { book, currencies } = held
  const { entry, basis } = item
  const before = earlier(book, item)
  if (before !== undefined && basis === 'refund') assertSameRefund(book, item, before)
  if (before !== undefined) return { written: before, again: true }
  if (entry.kind === 'withdraw' && needs.rail?.serves(entry.currency) !== true) throw railUnavailable()
  const payment = isPaying(entry) ? paymentOf(book, entry) : undefined
  const receiver = receiverOf(book, entry)
  const back = book.mark()
  const applied = book.apply(item)
  if ('invalid' in applied && applied.invalid !== 'payee_cannot_receive') throw invalidEntry(applied.invalid)
  try {
    assertOnline(book, item)
    if (basis === 'refund') assertRefund(book, item)
    if (isPaying(entry)) judgeLimits(needs, held, currencies.of(entry.currency).policy, { entry, basis })
    const serves = judgePurpose(needs, held, item)
    isPermitted(needs, held, { entry, isValid: !('invalid' in applied) })
    if ('invalid' in applied || !serves || !mayBePaid(held, entry, payment)) throw payeeCannotReceive()
    if (payment !== undefined) judgeByRules(needs, held, payment, basis)
    if (payment !== undefined) afterPaying(needs, held, payment, basis)
    if (receiver !== undefined) afterReceiving(needs, held, { ...receiver, relied: basis === 'voucher' })
  } catch (error) {
    back()
    throw error
  }
  if (basis === 'refund') noteRefund(book, item, applied.written)
  return { written: applied.written, again: false }
}

type Fault = { at: number; refusal: Refusal }

/**
 * What is wrong with later links, where a payee was in the way of this one: the rest is tried with money going to suspense instead, so
 * that nobody learns about a payee by a payment linked to one that must fail. Of several payees in the way the last is named, which
 * tells nothing about those before it. Leaves its traces for the chain to take back.
 */
const ownFault = (
  needs: CbdcNeeds,
  held: Held,
  chain: readonly BookItem[],
  { at, refusal }: Fault,
): Fault | undefined => {
  if (refusal.code !== 'payee_cannot_receive') return undefined
  const { book, currencies } = held
  let blocked: Refusal | undefined = refusal
  let last: Fault = { at, refusal }
  for (let link = at; ; ) {
    const item = chain[link]
    if (item === undefined) return last
    const { entry, basis } = item
    if (blocked !== undefined && (isPaying(entry) || entry.kind === 'instruct')) {
      // Of an arbiter as little is told.
      const plain = entry.kind === 'reserve' ? { ...entry, arbiter: 0 } : entry
      const diverted = { ...plain, to: currencies.of(entry.currency).suspense }
      const applied = book.apply({ ...item, entry: diverted })
      const payment = isPaying(diverted) ? paymentOf(book, diverted) : undefined
      // It uses up of the day, and of what may be given back, what it would have.
      if ('written' in applied && payment !== undefined) afterPaying(needs, held, payment, basis)
      if ('written' in applied && basis === 'refund') noteRefund(book, item, applied.written)
    }
    link += 1
    const next = chain[link]
    if (next === undefined) return last
    blocked = undefined
    try {
      enterOne(needs, held, next)
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (error.code !== 'payee_cannot_receive') return { at: link, refusal: error }
      blocked = error
      last = { at: link, refusal: error }
    }
  }
}

/** All of a chain or nothing of it: the link that was refused says why, the others that they went with it. */
export const enterChain = (needs: CbdcNeeds, held: Held, chain: readonly BookItem[]): ItemOutcome[] => {
  const back = held.book.mark()
  const outcomes: ItemOutcome[] = []
  for (const item of chain) {
    try {
      outcomes.push(enterOne(needs, held, item))
    } catch (error) {
      if (!isRefusal(error)) throw error
      const fault = { at: outcomes.length, refusal: error }
      const { at, refusal } = ownFault(needs, held, chain, fault) ?? fault
      back()
      return chain.map((_, link) => ({ refusal: link === at ? refusal : chainBroken() }))
    }
  }
  return outcomes
}

const instructionsOf = (items: readonly BookItem[]): number[] =>
  items.flatMap(({ entry }) => (entry.kind === 'instalment' || entry.kind === 'revoke' ? [entry.instruction] : []))

/** Those who lay down what shall be paid again and again. */
const instructing = (items: readonly BookItem[]): number[] =>
  items.flatMap(({ entry }) => (entry.kind === 'instruct' ? [entry.account] : []))

const reservationsOf = (items: readonly BookItem[]): number[] =>
  items.flatMap(({ entry }) =>
    entry.kind === 'post' || entry.kind === 'void' || entry.kind === 'expire' ? [entry.reservation] : [],
  )

/** Whatever judging these entries may read, in few statements. @param others accounts that are read along with theirs. */
export const prefetch = async (
  needs: CbdcNeeds,
  { tx, book }: Pick<Held, 'tx' | 'book'>,
  items: readonly BookItem[],
  others: readonly number[] = [],
): Promise<void> => {
  const ids = items.flatMap(({ id }) => (id === undefined || book.byId(id) !== undefined ? [] : [id]))
  await book.loadIds(ids)
  const named = items.flatMap(({ entry }) => namedBy(entry))
  await book.load([...others, ...named])
  await loadPurposes({ tx, book }, needs.house.store.dialect, items, named)
  await book.loadReservations(reservationsOf(items))
  const receiving = items.map(({ entry }) => receiverOf(book, entry)?.account)
  await loadPurses({ tx, book }, needs.house.store.dialect, [...pursesIn(items), ...receiving])
  await book.loadInstructions(instructionsOf(items))
  await book.loadStanding(instructing(items))
  const linked = items.flatMap(({ entry }) => {
    // A reservation of this batch may be posted in it.
    const receiver = entry.kind === 'reserve' ? entry.to : receiverOf(book, entry)?.account
    return receiver === undefined ? [] : [book.state.account(receiver)?.linked ?? 0]
  })
  await book.load(linked)
  const payments = items.flatMap(({ entry }) => {
    const payment = isPaying(entry) ? paymentOf(book, entry) : undefined
    return payment === undefined ? [] : [monitored(payment, book.at)]
  })
  await book.load(needs.rules.keys(payments))
}
