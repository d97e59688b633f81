import { kinds } from '../../../kernel/ledger-entry.ts'
import type { Store, Tx } from '../../../kernel/ports.ts'
import type { Written } from './book.ts'
import { type Ask, inNumbers } from './rows.ts'

/** What an entry brought into being, by the number that its owner speaks of it with. */
export type Made = { reservation: number } | { instruction: number }

const makers = [
  { code: kinds.reserve.code, table: 'cbdc_reservations', as: 'reservation' },
  { code: kinds.instruct.code, table: 'cbdc_instructions', as: 'instruction' },
] as const

type Maker = (typeof makers)[number]

const named = ({ as }: Maker, number: number): Made => ({ [as]: number }) as Made

const readMade = async (ask: Ask, dialect: Store['dialect'], maker: Maker, entries: readonly number[]) => {
  const sql = `SELECT number, entry FROM ${maker.table} WHERE entry ${inNumbers(dialect)}`
  const rows = await ask<{ number: number; entry: number }>(sql, [JSON.stringify(entries)])
  return rows.map(({ number, entry }) => [entry, named(maker, number)] as const)
}

/** By the number of the entry. Of entries before this batch the ledger is asked. */
export const madeBy = async (
  { query }: Pick<Tx, 'query'>,
  dialect: Store['dialect'],
  written: readonly Written[],
): Promise<ReadonlyMap<number, Made>> => {
  const made = new Map<number, Made>()
  for (const maker of makers) {
    const entries = written.filter(({ raw }) => raw[0] === maker.code)
    for (const entry of entries) {
      const number = entry[maker.as]
      if (number !== undefined) made.set(entry.number, named(maker, number))
    }
    const earlier = entries.flatMap(({ number }) => (made.has(number) ? [] : [number]))
    if (earlier.length === 0) continue
    for (const [entry, number] of await readMade(query, dialect, maker, earlier)) made.set(entry, number)
  }
  return made
}
