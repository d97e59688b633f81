import { disclose } from '../../../../kernel/disclose.ts'
import { decodeEntry } from '../../../../kernel/ledger-entry.ts'
import { merklePath } from '../../../../kernel/merkle.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { batchUnknown, receiptsUnavailable, reservationNotYours, transferNotYours } from '../../errors.ts'
import type { ReceiptStatement } from '../../ledger/receipt.ts'
import { entryLeaf, type Written } from '../book.ts'
import type { Desk } from '../desk.ts'
import { writtenOf } from '../entry-rows.ts'
import { preimageOf } from '../exchange/preimage.ts'
import { type RefundLinks, refundView } from '../requests/refunds.ts'
import { type Ask, readReservations } from '../rows.ts'
import { refundsAmong } from './accounts.ts'
import { readerOf, seenAmong } from './who.ts'

type Part = Pick<Desk, 'house'>

const iso = (at: number): string => new Date(at).toISOString()

const entryColumns = `number, batch, at, id, raw, debit, credit, cast(debit_balance AS TEXT) AS debit_balance,
  cast(credit_balance AS TEXT) AS credit_balance`

const readById = async (ask: Ask, id: string): Promise<Written | undefined> => {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  const [row] = await ask<Row>(`SELECT ${entryColumns} FROM cbdc_entries WHERE id = ?`, [bytes])
  return row && writtenOf(row)
}

type Reading<Output> = {
  operation: string
  context: Context
  read: (written: Written, seen: Set<number>) => Promise<Output>
}

/**
 * A read of an entry by its sender's id, for whoever owns or serves one of its accounts.
 * @throws Refusal transfer_not_yours, which also answers for ids that nothing bears
 */
const ofTransfer = async <Output>(desk: Part, { operation, context, read }: Reading<Output>): Promise<Answer> => {
  const reader = readerOf(desk, context)
  const id = (context.params['transfer'] ?? '').toLowerCase()
  const body = await disclose(desk.house, {
    ...{ operation, requires: reader.requires, caller: reader.caller, input: { transfer: id } },
    async read() {
      const written = await readById(desk.house.store.read, id)
      if (written === undefined) throw transferNotYours()
      const accounts = [written.debit, ...(written.credit === null ? [] : [written.credit])]
      const seen = await seenAmong(desk, reader, accounts)
      if (seen.size === 0) throw transferNotYours()
      return read(written, seen)
    },
  })
  return { status: 200, body }
}

/** Of the balances each reader sees those of the accounts that are theirs to see. */
const transferView = (written: Written, seen: Set<number>, refunds: RefundLinks) => {
  const entry = decodeEntry(written.raw)
  const { debit, credit, debitBalance, creditBalance } = written
  return {
    ...{ id: written.id, entry: written.number, batch: written.batch, at: iso(written.at), kind: entry?.kind },
    ...{ debit, credit, currency: entry !== undefined && 'currency' in entry ? entry.currency : null },
    amountMinor: entry !== undefined && 'amount' in entry ? String(entry.amount) : null,
    record: written.raw.toString('base64url'),
    ...(seen.has(debit) && { debitBalanceMinor: String(debitBalance) }),
    ...(credit !== null && seen.has(credit) && { creditBalanceMinor: String(creditBalance) }),
    ...refundView(written.number, refunds),
  }
}

/** @throws Refusal transfer_not_yours */
export const getTransfer = (desk: Part, context: Context): Promise<Answer> =>
  ofTransfer(desk, {
    ...{ operation: 'getTransfer', context },
    read: async (written, seen) => transferView(written, seen, await refundsAmong(desk, [written])),
  })

/**
 * A reservation with what became of it, for its payer, its payee and its arbiter.
 * @throws Refusal reservation_not_yours, which also answers for numbers that none has
 */
export const getReservation = async (desk: Part, context: Context): Promise<Answer> => {
  const { store } = desk.house
  const reader = readerOf(desk, context)
  const number = Number(context.params['reservation'])
  const body = await disclose(desk.house, {
    operation: 'getReservation',
    ...{ requires: reader.requires, caller: reader.caller, input: { reservation: number } },
    async read() {
      const [found] = await readReservations(store.read, store.dialect, [number])
      if (found === undefined) throw reservationNotYours()
      const parties = [found.from, found.to, ...(found.arbiter === 0 ? [] : [found.arbiter])]
      if ((await seenAmong(desk, reader, parties)).size === 0) throw reservationNotYours()
      const preimage = await preimageOf(store.read, found)
      return {
        ...{ reservation: number, from: found.from, to: found.to, currency: found.currency, arbiter: found.arbiter },
        ...{ amountMinor: String(found.amount), remainingMinor: String(found.remaining) },
        ...{ postedMinor: String(found.posted), expiry: iso(found.expiry * 1_000), lockHash: found.lockHash },
        ...{ state: found.state, entry: found.entry, endedBy: found.endedBy },
        ...(preimage === undefined ? {} : { preimage }),
      }
    },
  })
  return { status: 200, body }
}

type Batch = { number: number; at: number; firstEntry: number; entries: number; root: string; journal: string | null }

type BatchRow = Row & {
  number: number
  at: number
  first_entry: number
  entries: number
  root: Buffer
  record: string | null
}

const readBatch = async (ask: Ask, number: number): Promise<Batch | undefined> => {
  const sql = `SELECT b.number, b.at, b.first_entry, b.entries, b.root, r.record FROM cbdc_batches b
    LEFT JOIN cbdc_batch_records r ON r.batch = b.number WHERE b.number = ?`
  const [row] = await ask<BatchRow>(sql, [number])
  return (
    row && {
      ...{ number: row.number, at: row.at, firstEntry: row.first_entry, entries: row.entries },
      ...{ root: row.root.toString('hex'), journal: row.record },
    }
  )
}

/** What everybody may know of a batch: not one of its entries. @throws Refusal batch_unknown */
export const getBatch = async (desk: Part, context: Context): Promise<Answer> => {
  const batch = await readBatch(desk.house.store.read, Number(context.params['batch']))
  if (batch === undefined) throw batchUnknown()
  return { status: 200, body: { ...batch, at: iso(batch.at) } }
}

const leavesOf = async (ask: Ask, { firstEntry, entries }: Batch): Promise<Buffer[]> => {
  const sql = 'SELECT number, raw FROM cbdc_entries WHERE number >= ? AND number < ? ORDER BY number'
  const rows = await ask<{ number: number; raw: Buffer }>(sql, [firstEntry, firstEntry + entries])
  return rows.map(entryLeaf)
}

/** What the ledger states of an entry that stands in it. */
export const statementOf = async (
  { house, did }: Pick<Desk, 'house' | 'did'>,
  written: Written,
): Promise<ReceiptStatement> => {
  const batch = await readBatch(house.store.read, written.batch)
  if (batch === undefined) throw new Error(`the batch ${written.batch} is not in the ledger`)
  const path = merklePath(await leavesOf(house.store.read, batch), written.number - batch.firstEntry)
  const { journal, ...stated } = batch
  return {
    ...{ iss: did, iat: Math.floor(house.clock.now() / 1_000) },
    entry: { number: written.number, id: written.id, record: written.raw.toString('base64url') },
    batch: { ...stated, at: iso(batch.at) },
    path: path.map(hash => Buffer.from(hash).toString('hex')),
    journal,
  }
}

/**
 * The ledger's signed statement of a transfer, which its parties can show to anybody (`verifyReceipt`).
 * @throws Refusal transfer_not_yours, receipts_unavailable
 */
export const getReceipt = async (
  desk: Pick<Desk, 'house' | 'did' | 'signStatement'>,
  context: Context,
): Promise<Answer> => {
  const { signStatement } = desk
  if (signStatement === undefined) throw receiptsUnavailable()
  return ofTransfer(desk, {
    ...{ operation: 'getReceipt', context },
    // Beside what is signed: of a payment more may be given back after its receipt was made.
    read: async written => ({
      receipt: await signStatement(await statementOf(desk, written)),
      ...refundView(written.number, await refundsAmong(desk, [written])),
    }),
  })
}
