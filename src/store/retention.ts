import type { Clock, Store } from '../kernel/ports.ts'
import { timeIdBefore } from '../kernel/time-id.ts'
import { checkedName } from './values.ts'

const day = 24 * 60 * 60 * 1000

/** How long the rows of a table are kept, and why. Every table has such a statement. */
export type RetentionRule =
  | { table: string; keep: 'forever'; why: string }
  | {
      table: string
      keepMs: number
      why: string
      /** Primary key, by which rows are deleted a few at a time. */
      key: string
      /** Tells the age: a column of milliseconds, or one of `timeId`s. An index should begin with it. */
      age: { column: string; kind: 'ms' | 'timeId' }
    }

export const storeRetention: RetentionRule[] = [
  {
    table: 'journal_details',
    keepMs: 10 * 365 * day,
    why: 'Readable evidence of official acts, as long as they can be contested; then only the commitment stays.',
    key: 'id',
    age: { column: 'id', kind: 'timeId' },
  },
  {
    table: 'idempotency',
    keepMs: 7 * day,
    why: 'A caller repeats a lost request within days; after that the key would act again.',
    key: 'key',
    age: { column: 'at', kind: 'ms' },
  },
  { table: 'journal', keep: 'forever', why: 'Salted commitments, meaningless without the salt; they make up the log.' },
  { table: 'journal_positions', keep: 'forever', why: 'Places in the log, without personal data.' },
  { table: 'journal_pending', keep: 'forever', why: 'Emptied by the sequencer within a second.' },
  { table: 'log_head', keep: 'forever', why: 'One row.' },
  { table: 'log_tiles', keep: 'forever', why: 'Outsiders check the log against them, for ever.' },
  { table: 'log_entries', keep: 'forever', why: 'Outsiders check the log against them, for ever.' },
  { table: 'log_checkpoints', keep: 'forever', why: 'What was published stays citable.' },
  { table: 'leases', keep: 'forever', why: 'A row a lease; its epoch must never start again.' },
]

const chunkRows = 1000

type Expiring = Extract<RetentionRule, { keepMs: number }>

const eraseTable = async (store: Store, rule: Expiring, nowMs: number): Promise<number> => {
  const [table, key, column] = [rule.table, rule.key, rule.age.column].map(checkedName)
  const before = nowMs - rule.keepMs
  const cut = rule.age.kind === 'ms' ? before : timeIdBefore(before)
  const sql = `DELETE FROM ${table} WHERE ${key} IN
    (SELECT ${key} FROM ${table} WHERE ${column} < ? ORDER BY ${column} LIMIT ${chunkRows}) RETURNING 1 AS gone`
  let erased = 0
  for (;;) {
    // A transaction a chunk: whoever waits behind it waits briefly.
    const gone = await store.transaction(tx => tx.query(sql, [cut]))
    erased += gone.length
    if (gone.length < chunkRows) return erased
  }
}

/**
 * Deletes what has outlived its stated period. May run anywhere and at any time, also twice at once.
 * @param rules those of the store and of all plugins.
 * @returns rows deleted by table.
 */
export const erase = async (
  store: Store,
  clock: Clock,
  rules: RetentionRule[] = storeRetention,
): Promise<Record<string, number>> => {
  const erased: Record<string, number> = {}
  for (const rule of rules) {
    if ('keepMs' in rule) erased[rule.table] = await eraseTable(store, rule, clock.now())
  }
  return erased
}
