import { decodeEntry, type Entry, kinds } from '../../../../kernel/ledger-entry.ts'
import { stoppedByPolicy } from '../../errors.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import { amountMost } from '../../ledger/state.ts'
import type { CbdcNeeds } from '../../needs.ts'
import { purposeBound, purposeEnded } from '../../purpose/errors.ts'
import { orderOf } from '../accounts.ts'
import { type Book, type BookItem, signerOf, type Written } from '../book.ts'
import type { Held } from '../enter.ts'
import { admits } from './classes.ts'
import { type Programme, type PurposeAccount, purposesKnown, writePurposes } from './purposes.ts'

/**
 * Money that serves one purpose comes from the sponsor of its programme, goes to merchants that qualify, until the
 * programme ends, and is neither withdrawn, reserved, linked nor instructed. All of this is policy: the ledger's
 * entries are ordinary ones.
 */

/** Its own batch knows an account by then; where it does not, the order goes again by itself, and then it does. */
const boundTo = (book: Book, number: number): PurposeAccount => {
  const found = purposesKnown(book)?.accounts.get(number)
  if (found === undefined) throw new Error(`the purpose of the account ${number} was not loaded`)
  return found
}

/**
 * A merchant whose licence stands now, in a class that the programme names. Nobody pays a business of their own: the
 * purpose would be off the money at once.
 */
const isServed = (needs: CbdcNeeds, book: Book, payer: LedgerAccount, { payees }: Programme, to: number): boolean => {
  const payee = book.state.account(to)
  if (payee?.class !== 'merchant' || payee.lead === payer.lead) return false
  const held = purposesKnown(book)?.qualifications.get(to) ?? []
  return held.some(each => admits(payees, each) && needs.credentialInForce?.(each.credentialType, each.place) === true)
}

const mayPay = (needs: CbdcNeeds, book: Book, payer: LedgerAccount, { entry, basis }: BookItem): boolean => {
  if (entry.kind === 'keyChange') return true
  if (payer.kyc === null || !needs.kycInForce(payer.kyc)) throw stoppedByPolicy('kyc_not_in_force')
  if (entry.kind !== 'transfer') throw purposeBound()
  const { programme } = boundTo(book, payer.number)
  if (book.at >= programme.endsAt) throw purposeEnded()
  // Whoever does not need what they were granted gives it back.
  if (basis === 'refund') return entry.to === programme.sponsor
  return isServed(needs, book, payer, programme, entry.to)
}

/** What the payee holds has the payment in it already, where it can be made at all. */
const mayReceive = (book: Book, payee: LedgerAccount, { entry, basis }: BookItem): boolean => {
  if (entry.kind !== 'transfer' && entry.kind !== 'instalment' && entry.kind !== 'instruct') return false
  // A merchant gives back what came from here, so it serves the purpose again.
  const from = entry.kind === 'instruct' ? entry.account : entry.from
  if (basis === 'refund') return book.state.account(from)?.class === 'merchant'
  const { programme, refunded } = boundTo(book, payee.number)
  if (from !== programme.sponsor || book.at >= programme.endsAt) return false
  return programme.perBeneficiary === null || payee.creditsPosted - refunded <= programme.perBeneficiary
}

const spenderOf = (item: BookItem): number => ('from' in item.entry ? item.entry.from : (signerOf(item) ?? 0))

/**
 * What the purpose of an account says to an entry; orders of the law are above it. What binds the payer is told to
 * them. Of the payee nothing is: whoever does not qualify, cannot be found or holds a licence that was revoked is a
 * payee who cannot receive, so that a beneficiary's account is no means to find out about merchants.
 * @returns whether the payee may be paid so.
 * @throws Refusal kyc_not_in_force, purpose_bound, purpose_ended, status_unavailable
 */
export const judgePurpose = (needs: CbdcNeeds, { book }: Held, item: BookItem): boolean => {
  const { entry } = item
  if (kinds[entry.kind].authority === 'order') return true
  const payer = book.state.account(spenderOf(item))
  if (payer?.class === 'purpose') return mayPay(needs, book, payer, item)
  const payee = 'to' in entry ? book.state.account(entry.to) : undefined
  return payee?.class !== 'purpose' || mayReceive(book, payee, item)
}

/** More than a column holds has gone round: the sum stays at the most. */
const added = (sum: bigint, amount: bigint): bigint => (amount > amountMost - sum ? amountMost : sum + amount)

const tallyDebit = ({ programme }: PurposeAccount, entry: Entry): void => {
  const { sums, sponsor, record } = programme
  if (entry.kind !== 'transfer' && entry.kind !== 'seize') return
  const amount = entry.amount + (entry.kind === 'transfer' ? BigInt(entry.fee) : 0n)
  const isReturn = entry.to === sponsor && (entry.kind === 'transfer' || entry.order === orderOf(record))
  const sum = isReturn ? 'returned' : entry.kind === 'transfer' ? 'spent' : 'taken'
  sums[sum] = added(sums[sum], amount)
}

/** @returns whether it came from another than the sponsor. */
const tallyCredit = (bound: PurposeAccount, entry: Entry): boolean => {
  if (entry.kind !== 'transfer' && entry.kind !== 'instalment' && entry.kind !== 'seize') return false
  const { sums, sponsor } = bound.programme
  const isGrant = entry.kind !== 'seize' && entry.from === sponsor
  if (isGrant) sums.granted = added(sums.granted, entry.amount)
  else {
    sums.refunded = added(sums.refunded, entry.amount)
    bound.refunded = added(bound.refunded, entry.amount)
  }
  return !isGrant
}

/** Adds to the sums of programmes what an order entered, once all of it stands. */
export const keepPurposes = async ({ tx, book }: Held, entered: readonly Written[]): Promise<void> => {
  const purposes = purposesKnown(book)
  if (purposes === undefined) return
  const programmes = new Set<Programme>()
  const refunded = new Set<PurposeAccount>()
  const ended: number[] = []
  for (const { debit, credit, raw } of entered) {
    const [from, to] = [purposes.accounts.get(debit), purposes.accounts.get(credit ?? 0)]
    const entry = from === undefined && to === undefined ? undefined : decodeEntry(raw)
    if (entry === undefined) continue
    if (from !== undefined) tallyDebit(from, entry)
    if (to !== undefined && tallyCredit(to, entry)) refunded.add(to)
    if (entry.kind === 'close') ended.push(entry.account)
    for (const bound of [from, to]) if (bound !== undefined) programmes.add(bound.programme)
  }
  await writePurposes(tx.query, { refunded: [...refunded], ended, programmes: [...programmes] })
}
