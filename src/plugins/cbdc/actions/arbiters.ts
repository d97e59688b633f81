import { admit } from '../../../kernel/gate.ts'
import type { EntryOf } from '../../../kernel/ledger-entry.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { assertBodySigned } from '../../../kernel/signed-body.ts'
import { arbiterUnknown, recordMalformed, reservationNotDecided } from '../errors.ts'
import { arbiterRequires } from '../policy.ts'
import { orderOf } from './accounts.ts'
import type { Handed } from './attest.ts'
import type { Desk } from './desk.ts'
import { allOf, onlyOne } from './execute.ts'
import { type Ask, type ReservationRow, readReservations } from './rows.ts'

/** Institutions that decide on reservations: a registry pays the seller when the title has passed. */

type ArbiterRow = { account: number; currency: number }

const arbitersOf = (ask: Ask, did: string): Promise<ArbiterRow[]> =>
  ask<ArbiterRow>('SELECT account, currency FROM cbdc_arbiters WHERE did = ?', [did])

type OpenBody = { currency: number; scheme: number; prefix: number; x: string }

/**
 * Gives the calling institution an account under whose key it decides on reservations. It holds no money. Asked again for the same
 * currency, the answer is the account that there is.
 * @throws Refusal agency_body_mismatch, currency_unknown, key_invalid
 */
export const openArbiter = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, arbiterRequires.arbiter)
  assertBodySigned(caller, context.body)
  const { currency, scheme, prefix, x } = context.body as OpenBody
  let known: number | undefined
  const body = await desk.ledger.execute({
    ...{ operation: 'openArbiter', requires: arbiterRequires.arbiter, caller, input: context.body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: async ({ tx, book, currencies, record }) => {
      currencies.of(currency)
      known = (await arbitersOf(tx.query, caller.id)).find(each => each.currency === currency)?.account
      if (known !== undefined) return []
      const account = book.state.nextAccount
      const order = orderOf(record.id)
      const entry: EntryOf<'open'> = { kind: 'open', account, currency, side: 0, scheme, prefix, x, order }
      return [[{ entry, signer: undefined, facts: { class: 'arbiter', lead: account } }]]
    },
    async answer({ tx }, outcomes) {
      if (known !== undefined) return { account: known, currency }
      const { debit: account } = onlyOne(outcomes)
      await tx.query('INSERT INTO cbdc_arbiters (did, currency, account) VALUES (?, ?, ?)', [
        ...[caller.id, currency, account],
      ])
      return { account, currency }
    },
  })
  return { status: 201, body }
}

/** What an arbiter has to know before it acts in reliance on a reservation. */
const fundsView = (code: string, reservation: ReservationRow) => ({
  reservation: reservation.number,
  payer: reservation.from,
  payee: reservation.to,
  currency: code,
  amountMinor: String(reservation.amount),
  remainingMinor: String(reservation.remaining),
  postedMinor: String(reservation.posted),
  expires: new Date(reservation.expiry * 1_000).toISOString(),
  locked: !/^0+$/.test(reservation.lockHash),
  state: reservation.state,
})

/**
 * A reservation that the calling institution decides on.
 * @throws Refusal reservation_not_decided, which also answers for those that do not exist
 */
export const inspectReservedFunds = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, arbiterRequires.arbiter)
  assertBodySigned(caller, context.body)
  const { store } = desk.house
  const { reservation: number } = context.body as { reservation: number }
  const own = await arbitersOf(store.read, caller.id)
  const [reservation] = await readReservations(store.read, store.dialect, [number])
  if (reservation === undefined || !own.some(({ account }) => account === reservation.arbiter)) {
    throw reservationNotDecided()
  }
  const sql = 'SELECT code FROM cbdc_currencies WHERE number = ?'
  const [currency] = await store.read<{ code: string }>(sql, [reservation.currency])
  return { status: 200, body: fundsView(currency?.code ?? '', reservation) }
}

type DecideBody = { records: Handed[] }

/**
 * Posts or voids reservations by what their arbiter signed.
 * @throws Refusal agency_body_mismatch, arbiter_unknown, record_malformed, and of the record
 */
export const decideReservation = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, arbiterRequires.arbiter)
  assertBodySigned(caller, context.body)
  const items = await desk.attest((context.body as DecideBody).records)
  const body = await desk.ledger.execute({
    ...{ operation: 'decideReservation', requires: arbiterRequires.arbiter, caller, input: context.body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: async ({ tx }) => {
      const own = await arbitersOf(tx.query, caller.id)
      if (own.length === 0) throw arbiterUnknown()
      for (const { entry } of items) {
        if (entry.kind !== 'post' && entry.kind !== 'void') throw recordMalformed()
        if (!own.some(({ account }) => account === entry.by)) throw reservationNotDecided()
      }
      return [items]
    },
    answer: (_held, outcomes) => ({
      entries: allOf(outcomes).map(({ number, batch, at }) => ({
        ...{ entry: number, batch, at: new Date(at).toISOString() },
      })),
    }),
  })
  return { status: 201, body }
}
