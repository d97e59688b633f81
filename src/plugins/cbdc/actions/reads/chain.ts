import type { Row } from '../../../../kernel/ports.ts'
import type { Written } from '../book.ts'
import { writtenOf } from '../entry-rows.ts'
import type { Ask } from '../rows.ts'

/**
 * The entries of one account, each of which names the one before: reading goes backwards, from the newest or from one that is
 * found by the marks (one every 256 entries), and never through entries of others.
 */

export type ChainEntry = Written & {
  /** The account's entry before this one; 0: this is its first. */
  before: number
}

const columns = (of: string): string =>
  `${of}.number, ${of}.batch, ${of}.at, ${of}.id, ${of}.raw, ${of}.debit, ${of}.credit, ${of}.debit_balance,
   ${of}.credit_balance, ${of}.debit_before, ${of}.credit_before`

/**
 * @param from an entry that touches the account; where it does not, nothing is found.
 * @param until every entry up to the first that is not after this time (ms), which is the last of the answer.
 */
const walkSql = `WITH RECURSIVE chain AS (
    SELECT ${columns('e')}, CAST(1 AS BIGINT) AS place
    FROM cbdc_entries e WHERE e.number = ? AND (e.debit = ? OR e.credit = ?)
    UNION ALL
    SELECT ${columns('e')}, c.place + 1
    FROM chain c CROSS JOIN cbdc_entries e
    WHERE e.number = CASE WHEN c.debit = ? THEN c.debit_before ELSE c.credit_before END AND c.place < ? AND c.at > ?
  )
  SELECT number, batch, at, id, raw, debit, credit, cast(debit_balance AS TEXT) AS debit_balance,
    cast(credit_balance AS TEXT) AS credit_balance, debit_before, credit_before
  FROM chain ORDER BY place`

type Walk = {
  account: number
  /** The entry to begin with. */
  from: number
  limit: number
  /** Milliseconds: the walk ends with the first entry that is not later. @default all are later */
  until?: number
}

/** An account's entries, newest first. */
export const walk = async (ask: Ask, { account, from, limit, until = -1 }: Walk): Promise<ChainEntry[]> => {
  if (from === 0 || limit === 0) return []
  const rows = await ask<Row>(walkSql, [from, account, account, account, limit, until])
  return rows.map(row => {
    const written = writtenOf(row)
    const before = written.debit === account ? row['debit_before'] : row['credit_before']
    return { ...written, before: before as number }
  })
}

/** The first mark of an account that is later than a time: by halving, since marks are in the order of time. */
const firstMarkAfter = async (
  ask: Ask,
  account: number,
  { most, at }: { most: number; at: number },
): Promise<number | undefined> => {
  let [low, high] = [1, most]
  let found: number | undefined
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const sql = 'SELECT entry, at FROM cbdc_marks WHERE account = ? AND ordinal = ?'
    const [mark] = await ask<{ entry: number; at: number }>(sql, [account, middle])
    if (mark === undefined) throw new Error(`the account ${account} has no mark ${middle}`)
    if (mark.at > at) {
      found = mark.entry
      high = middle - 1
    } else low = middle + 1
  }
  return found
}

/** Every so many entries of an account one is marked; two more than that are looked at at most. */
const stretch = 258

/**
 * The newest entry of an account that is not later than a time (ms); undefined before its first.
 * @param account as it was read: it may have gone on since.
 */
export const lastBy = async (
  ask: Ask,
  account: { number: number; lastEntry: number; entries: number },
  at: number,
  every: number,
): Promise<ChainEntry | undefined> => {
  const most = Math.floor(account.entries / every)
  const from = (await firstMarkAfter(ask, account.number, { most, at })) ?? account.lastEntry
  const walked = await walk(ask, { account: account.number, from, limit: stretch, until: at })
  const last = walked.at(-1)
  return last !== undefined && last.at <= at ? last : undefined
}

/** What an entry left on an account it touched. */
export const balanceAfter = (entry: Written, account: number): bigint =>
  entry.debit === account ? entry.debitBalance : (entry.creditBalance ?? 0n)
