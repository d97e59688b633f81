import type { Caller } from '../../../../kernel/gate.ts'
import type { Row, Tx } from '../../../../kernel/ports.ts'
import { orderRequires } from '../../policy.ts'
import type { Ask } from '../rows.ts'

/** How far a round has come through the accounts, by their numbers. */
export type Place = { day: number; place: number; complete: boolean }

/** @throws once another process has taken over. */
export type Fence = (tx: Tx) => Promise<void>

/** The service itself, as the journal names it. */
export const itself: Caller = { kind: 'apiKey', id: 'cbdc-upkeep', scopes: [orderRequires.upkeep.scope] }

type PlaceRow = Row & { day: number; place: number; complete: number }

export const readPlace = async (ask: Ask, name: string, currency: number): Promise<Place | undefined> => {
  const sql = 'SELECT day, place, complete FROM cbdc_rounds WHERE name = ? AND currency = ?'
  const [row] = await ask<PlaceRow>(sql, [name, currency])
  return row && { day: row.day, place: row.place, complete: row.complete === 1 }
}

export const writePlace = async (
  tx: Tx,
  name: string,
  currency: number,
  { day, place, complete }: Place,
): Promise<void> => {
  await tx.query(
    `INSERT INTO cbdc_rounds (name, currency, day, place, complete) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (name, currency) DO UPDATE SET day = excluded.day, place = excluded.place,
       complete = excluded.complete`,
    [name, currency, day, place, complete ? 1 : 0],
  )
}

export const dayMs = 86_400_000
/** A day from 1970-01-01 as ISO 8601 has it. */
export const dateOf = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10)
