import type { Row, Store } from '../../../../kernel/ports.ts'
import { type Ask, inNumbers } from '../rows.ts'

/** Steps along an account's entries before its marks are asked for a shorter way. */
const stepsMost = 16

type EntryRow = Row & {
  number: number
  at: number
  debit: number
  credit: number | null
  debit_balance: string
  credit_balance: string | null
  debit_before: number
  credit_before: number | null
}

/**
 * The first marked entry of an account that is not before a time; from it the time is at most as many entries away as
 * lie between marks.
 */
const markAfter = async (ask: Ask, account: number, before: number): Promise<number | undefined> => {
  const last = 'SELECT ordinal FROM cbdc_marks WHERE account = ? AND at < ? ORDER BY ordinal DESC LIMIT 1'
  const [found] = await ask<Row & { ordinal: number }>(last, [account, before])
  const next = 'SELECT entry FROM cbdc_marks WHERE account = ? AND ordinal = ?'
  return (await ask<Row & { entry: number }>(next, [account, (found?.ordinal ?? 0) + 1]))[0]?.entry
}

/**
 * What accounts held when a time came (ms, exclusive). Entries of an account are chained, so the cost is that of what
 * has happened
 * since, and bounded by the distance of marks.
 * @param last the last entry of each account.
 */
export const balancesBefore = async (
  ask: Ask,
  dialect: Store['dialect'],
  last: ReadonlyMap<number, number>,
  before: number,
): Promise<Map<number, bigint>> => {
  const balances = new Map<number, bigint>()
  let open = [...last].map(([account, entry]) => ({ account, entry }))
  const sql = `SELECT number, at, debit, credit, cast(debit_balance AS TEXT) AS debit_balance,
      cast(credit_balance AS TEXT) AS credit_balance, debit_before, credit_before
    FROM cbdc_entries WHERE number ${inNumbers(dialect)}`
  for (let step = 0; open.length > 0; step += 1) {
    if (step === stepsMost) {
      for (const each of open) each.entry = (await markAfter(ask, each.account, before)) ?? each.entry
    }
    const numbers = [...new Set(open.map(({ entry }) => entry))]
    const rows = await ask<EntryRow>(sql, [JSON.stringify(numbers)])
    const byNumber = new Map(rows.map(row => [row.number, row]))
    const next: typeof open = []
    for (const { account, entry } of open) {
      const row = byNumber.get(entry)
      if (row === undefined) {
        balances.set(account, 0n)
        continue
      }
      const isDebit = row.debit === account
      if (row.at < before) balances.set(account, BigInt((isDebit ? row.debit_balance : row.credit_balance) ?? '0'))
      else next.push({ account, entry: (isDebit ? row.debit_before : row.credit_before) ?? 0 })
    }
    open = next
  }
  return balances
}
