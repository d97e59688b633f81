import { decodeEntry, type KindName } from '../../../../kernel/ledger-entry.ts'
import type { Row, Store } from '../../../../kernel/ports.ts'
import { transferIdTaken } from '../../errors.ts'
import { refundExceeds, refundNotTransfer, refundOfRefund, refundUnknown } from '../../requests/errors.ts'
import type { Book, BookItem, Written } from '../book.ts'
import type { Held, ItemOutcome } from '../enter.ts'
import { type Ask, inNumbers } from '../rows.ts'

/**
 * A refund is a transfer of its own, from the payee of a payment back to its payer, that says which payment it gives back. The link
 * stands beside the ledger and is no part of what is signed. All refunds of a payment together come to no more than was paid. What one
 * leg of a split paid is given back by whoever got that leg: a merchant's refund does not bring back the tax on the sale.
 */

/** Kinds by which somebody pays somebody. */
const payments: ReadonlySet<KindName> = new Set(['transfer', 'post', 'instalment'])

type Paid = { debit: number; credit: number | null; amount: bigint; isRefund: boolean; refunded: bigint }

/** What refunds of one batch are judged by. */
type Refunds = {
  claims: Map<BookItem, number>
  /** By number of entry; null: nothing that anybody was paid by. */
  paid: Map<number, Paid | null>
  /** Of entries made before: what they give back. */
  links: Map<number, number>
  /** What this batch gives back. A chain that was refused leaves entries here that the book has no more. */
  made: { written: Written; of: number; amount: bigint }[]
}

const ofBooks = new WeakMap<Book, Refunds>()

const refundsOf = (book: Book): Refunds => {
  const known = ofBooks.get(book) ?? { claims: new Map(), paid: new Map(), links: new Map(), made: [] }
  ofBooks.set(book, known)
  return known
}

export type RefundLinks = {
  /** What an entry gives back, by its number. */
  of: ReadonlyMap<number, number>
  /** How much of an entry was given back, by its number. */
  refunded: ReadonlyMap<number, bigint>
}

/** What is refunded by these entries, and what of them was. */
export const readRefundLinks = async (
  ask: Ask,
  dialect: Store['dialect'],
  numbers: readonly number[],
): Promise<RefundLinks> => {
  if (numbers.length === 0) return { of: new Map(), refunded: new Map() }
  const list = JSON.stringify(numbers)
  const ofSql = `SELECT refund, entry FROM cbdc_refunds WHERE refund ${inNumbers(dialect)}`
  const of = await ask<Row & { refund: number; entry: number }>(ofSql, [list])
  // Never more than was paid, so the sum is in its range.
  const sumSql = `SELECT entry, cast(sum(amount) AS TEXT) AS refunded FROM cbdc_refunds
    WHERE entry ${inNumbers(dialect)} GROUP BY entry`
  const sums = await ask<Row & { entry: number; refunded: string }>(sumSql, [list])
  return {
    of: new Map(of.map(({ refund, entry }) => [refund, entry])),
    refunded: new Map(sums.map(({ entry, refunded }) => [entry, BigInt(refunded)])),
  }
}

/** What a reader of an entry is told beside it. */
export const refundView = (number: number, { of, refunded }: RefundLinks) => ({
  ...(of.has(number) && { refunds: of.get(number) }),
  ...(refunded.has(number) && { refundedMinor: String(refunded.get(number)) }),
})

const paidOf = (row: Row, { of, refunded }: RefundLinks): Paid | null => {
  const entry = decodeEntry(row['raw'] as Buffer)
  if (entry === undefined || !payments.has(entry.kind) || !('amount' in entry)) return null
  const number = row['number'] as number
  return {
    ...{ debit: row['debit'] as number, credit: row['credit'] as number | null, amount: entry.amount },
    ...{ isRefund: of.has(number), refunded: refunded.get(number) ?? 0n },
  }
}

/**
 * Reads what judging these refunds takes, while the ledger is held. Entries of the batch under way are in nobody's hands yet, so
 * nobody can give them back.
 */
export const loadRefunds = async (
  { tx, book }: Pick<Held, 'tx' | 'book'>,
  dialect: Store['dialect'],
  claims: readonly { item: BookItem; of: number }[],
): Promise<void> => {
  if (claims.length === 0) return
  const refunds = refundsOf(book)
  for (const { item, of } of claims) refunds.claims.set(item, of)
  const wanted = [...new Set(claims.map(({ of }) => of))].filter(number => !refunds.paid.has(number))
  const before = claims.flatMap(({ item: { id } }) => (id === undefined ? [] : (book.byId(id)?.number ?? [])))
  const links = await readRefundLinks(tx.query, dialect, [...new Set([...wanted, ...before])])
  for (const [refund, of] of links.of) refunds.links.set(refund, of)
  if (wanted.length === 0) return
  const sql = `SELECT number, raw, debit, credit FROM cbdc_entries WHERE number ${inNumbers(dialect)}`
  for (const number of wanted) refunds.paid.set(number, null)
  for (const row of await tx.query<Row>(sql, [JSON.stringify(wanted)])) {
    refunds.paid.set(row['number'] as number, paidOf(row, links))
  }
}

const claimOf = ({ claims }: Refunds, item: BookItem): number => {
  const of = claims.get(item)
  if (of === undefined) throw new Error('a refund was entered without what it gives back')
  return of
}

const standsIn =
  (book: Book) =>
  ({ written }: { written: Written }): boolean =>
    book.since(written.number)[0] === written

/**
 * That a transfer gives back what its payer was paid. Nobody learns of a payment that was not theirs.
 * @throws Refusal refund_not_transfer, refund_unknown, refund_of_refund, refund_exceeds
 */
export const assertRefund = (book: Book, item: BookItem): void => {
  const refunds = refundsOf(book)
  const of = claimOf(refunds, item)
  const { entry } = item
  if (entry.kind !== 'transfer' || entry.fee !== 0) throw refundNotTransfer()
  const paid = refunds.paid.get(of)
  if (paid == null || paid.credit !== entry.from || paid.debit !== entry.to) throw refundUnknown()
  if (paid.isRefund) throw refundOfRefund()
  const made = refunds.made.filter(each => each.of === of).filter(standsIn(book))
  const refunded = made.reduce((sum, { amount }) => sum + amount, paid.refunded)
  if (refunded + entry.amount > paid.amount) throw refundExceeds()
}

/** That a record entered before gave back the same. @throws Refusal transfer_id_taken */
export const assertSameRefund = (book: Book, item: BookItem, before: Written): void => {
  const refunds = refundsOf(book)
  const made = refunds.made.find(({ written }) => written === before)
  if ((made?.of ?? refunds.links.get(before.number)) !== claimOf(refunds, item)) throw transferIdTaken()
}

export const noteRefund = (book: Book, item: BookItem, written: Written): void => {
  const refunds = refundsOf(book)
  if (item.entry.kind !== 'transfer') throw refundNotTransfer()
  refunds.made.push({ written, of: claimOf(refunds, item), amount: item.entry.amount })
}

/** Writes the links of what was entered. @param chains records, with what came of each in `outcomes` */
export const writeRefunds = (
  { tx, book }: Pick<Held, 'tx' | 'book'>,
  chains: readonly (readonly BookItem[])[],
  outcomes: readonly (readonly ItemOutcome[])[],
): void => {
  const rows = outcomes.flatMap((chain, at) =>
    chain.flatMap((outcome, link) => {
      const item = chains[at]?.[link]
      if (item?.basis !== 'refund' || item.entry.kind !== 'transfer' || !('written' in outcome)) return []
      if (outcome.again) return []
      const { number } = outcome.written
      return [{ refund: number, entry: claimOf(refundsOf(book), item), amount: String(item.entry.amount) }]
    }),
  )
  if (rows.length > 0) tx.insert('cbdc_refunds', rows)
}
