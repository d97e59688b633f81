import type { Row, Tx } from '../../../kernel/ports.ts'
import type { Written } from './book.ts'
import { type Ask, type Column, type Dialect, hexOf, insertMany, integer, perDialect } from './rows.ts'

/** Entries as they stand in their table, and lists of them in one statement, on both databases. */

const entryColumns = `number, batch, at, id, raw, debit, credit, cast(debit_balance AS TEXT) AS debit_balance,
  cast(credit_balance AS TEXT) AS credit_balance`

const idHex = (id: string): string => id.replaceAll('-', '')

const uuidOf = (bytes: Buffer): string => {
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

export const writtenOf = (row: Row): Written => ({
  number: row['number'] as number,
  batch: row['batch'] as number,
  at: row['at'] as number,
  id: row['id'] === null ? null : uuidOf(row['id'] as Buffer),
  raw: row['raw'] as Buffer,
  debit: row['debit'] as number,
  credit: row['credit'] as number | null,
  debitBalance: BigInt(row['debit_balance'] as string),
  creditBalance: row['credit_balance'] === null ? null : BigInt(row['credit_balance'] as string),
})

export const readByIds = async (ask: Ask, dialect: Dialect, ids: readonly string[]): Promise<Written[]> => {
  if (ids.length === 0) return []
  const list =
    dialect === 'sqlite'
      ? 'IN (SELECT unhex(value) FROM json_each(?))'
      : `IN (SELECT decode(value, 'hex') FROM json_array_elements_text(?::json))`
  const sql = `SELECT ${entryColumns} FROM cbdc_entries WHERE id ${list}`
  return (await ask(sql, [JSON.stringify(ids.map(idHex))])).map(writtenOf)
}

/** An entry to be written, with the entries of its accounts before it. */
export type EntryRow = Written & { debitBefore: number; creditBefore: number | null }

const ofEntry: readonly Column[] = [
  ...['number', 'batch', 'at'].map(integer),
  ...(['id', 'raw'] as const).map((name): Column => ({ name, type: 'BYTES' })),
  ...['debit', 'credit', 'debit_balance', 'credit_balance', 'debit_before', 'credit_before'].map(integer),
]
const insert = perDialect(dialect => insertMany(dialect, 'cbdc_entries', ofEntry))

/** The columns of `ofEntry` as JSON: put together, since this is done for every entry. */
const entryText = (entry: EntryRow): string => {
  const { number, batch, at, raw, debit, credit, debitBalance, creditBalance, debitBefore, creditBefore } = entry
  const id = entry.id === null ? 'null' : `"${idHex(entry.id)}"`
  const balances = `"${debitBalance}",${creditBalance === null ? 'null' : `"${creditBalance}"`}`
  return `[${number},${batch},${at},${id},"${hexOf(raw)}",${debit},${credit},${balances},${debitBefore},${creditBefore}]`
}

/** What `writeEntries` takes: it can be made ready while the database is at work. */
export const entriesText = (entries: readonly EntryRow[]): string => `[${entries.map(entryText).join()}]`

export const writeEntries = async ({ query }: Pick<Tx, 'query'>, dialect: Dialect, text: string): Promise<void> => {
  await query(insert[dialect], [text])
}
