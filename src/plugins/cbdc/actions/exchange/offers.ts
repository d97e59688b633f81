import type { Row } from '../../../../kernel/ports.ts'
import { exchangeUnknown } from '../../exchange/errors.ts'
import type { Ask } from '../rows.ts'

/** Offers as they are kept, and as their parties see them. */

export type ExchangeState = 'open' | 'settled' | 'withdrawn' | 'expired'

/** One of the two payments. `amount` in minor units. */
export type Leg = { payer: number; payee: number; currency: number; amount: bigint }

/** `validUntil` in seconds, other times in milliseconds. */
export type Exchange = {
  /** Of the transfer that is offered. */
  id: string
  state: ExchangeState
  /** The record as it was signed; null once the offer is withdrawn. */
  raw: Buffer | null
  validUntil: number
  offered: Leg
  counter: Leg
  offeredAt: number
  endedAt: number | null
  entry: number | null
  counterEntry: number | null
}

const columns = `id, state, raw, valid_until, payer, payee, currency, cast(amount AS TEXT) AS amount, counter_payer,
  counter_payee, counter_currency, cast(counter_amount AS TEXT) AS counter_amount, offered_at, ended_at, entry,
  counter_entry`

const numberOf = (row: Row, column: string): number => row[column] as number
const stateAt = (row: Row, at: number): ExchangeState =>
  row['state'] === 'open' && at >= numberOf(row, 'valid_until') * 1_000 ? 'expired' : (row['state'] as ExchangeState)

/** @param at when it is looked at (ms): an offer whose time has passed is no longer open. */
export const findExchange = async (ask: Ask, id: string, at: number): Promise<Exchange | undefined> => {
  const [row] = await ask<Row>(`SELECT ${columns} FROM cbdc_exchanges WHERE id = ?`, [id])
  if (row === undefined) return undefined
  return {
    ...{ id, state: stateAt(row, at), validUntil: numberOf(row, 'valid_until') },
    raw: row['raw'] === null ? null : Buffer.from(row['raw'] as Uint8Array),
    offered: {
      ...{ payer: numberOf(row, 'payer'), payee: numberOf(row, 'payee'), currency: numberOf(row, 'currency') },
      amount: BigInt(row['amount'] as string),
    },
    counter: {
      ...{ payer: numberOf(row, 'counter_payer'), payee: numberOf(row, 'counter_payee') },
      ...{ currency: numberOf(row, 'counter_currency'), amount: BigInt(row['counter_amount'] as string) },
    },
    ...{ offeredAt: numberOf(row, 'offered_at'), endedAt: row['ended_at'] as number | null },
    ...{ entry: row['entry'] as number | null, counterEntry: row['counter_entry'] as number | null },
  }
}

/** @throws Refusal exchange_unknown */
export const readExchange = async (ask: Ask, id: string, at: number): Promise<Exchange> => {
  const exchange = await findExchange(ask, id, at)
  if (exchange === undefined) throw exchangeUnknown()
  return exchange
}

export const writeOffer = async (ask: Ask, { id, raw, validUntil, offered, counter, offeredAt }: Exchange) => {
  await ask(
    `INSERT INTO cbdc_exchanges (id, state, raw, valid_until, payer, payee, currency, amount, counter_payer,
       counter_payee, counter_currency, counter_amount, offered_at)
     VALUES (?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[id, raw, validUntil, offered.payer, offered.payee, offered.currency, String(offered.amount)],
      ...[counter.payer, counter.payee, counter.currency, String(counter.amount), offeredAt],
    ],
  )
}

export const openOffersOf = async (ask: Ask, payer: number, at: number): Promise<number> => {
  const sql = `SELECT count(*) AS open FROM cbdc_exchanges WHERE payer = ? AND state = 'open' AND valid_until > ?`
  const [row] = await ask<Row>(sql, [payer, Math.floor(at / 1_000)])
  return Number(row?.['open'] ?? 0)
}

const iso = (at: number): string => new Date(at).toISOString()

/** To either party. What the payer of a leg has, or signed, is not in it. */
export const exchangeView = ({ id, state, offered, counter, ...exchange }: Exchange) => ({
  ...{ id, state, from: offered.payer, to: offered.payee, currency: offered.currency },
  ...{ amountMinor: String(offered.amount), counterFrom: counter.payer, counterTo: counter.payee },
  ...{ counterCurrency: counter.currency, counterAmountMinor: String(counter.amount) },
  ...{ validUntil: iso(exchange.validUntil * 1_000), offeredAt: iso(exchange.offeredAt) },
  ...(exchange.endedAt === null ? {} : { endedAt: iso(exchange.endedAt) }),
  ...(exchange.entry === null ? {} : { entry: exchange.entry }),
  ...(exchange.counterEntry === null ? {} : { counterEntry: exchange.counterEntry }),
})
