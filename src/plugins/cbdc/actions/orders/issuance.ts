import { digestOf } from '../../../../kernel/canonical.ts'
import { disclose } from '../../../../kernel/disclose.ts'
import { admit } from '../../../../kernel/gate.ts'
import type { EntryOf } from '../../../../kernel/ledger-entry.ts'
import { nextPage, pageOf } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { assertBodySigned } from '../../../../kernel/signed-body.ts'
import {
  invalidEntry,
  issuanceLimit,
  issuanceOnChain,
  participantMissing,
  participantUnknown,
  redemptionEnded,
  redemptionTaken,
  redemptionUnknown,
} from '../../errors.ts'
import { amountMost } from '../../ledger/state.ts'
import { listMost, orderRequires } from '../../policy.ts'
import type { Currency } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import type { Ask } from '../rows.ts'
import { currencyParam, executeOrder } from './order.ts'
import { findParticipant } from './participants.ts'

/** Money comes into circulation on reserve accounts, and goes out of it from there. */

/** @throws Refusal currency_unknown, issuance_on_chain */
const issuedHere = ({ currencies }: Held, number: number): Currency => {
  const currency = currencies.of(number)
  if (currency.home !== 'ledger') throw issuanceOnChain()
  return currency
}

/** Issued to a reserve account less redeemed from it. */
const standIssued = async (ask: Ask, account: number): Promise<bigint> => {
  const sql = 'SELECT cast(issued AS TEXT) AS issued FROM cbdc_issued WHERE account = ?'
  return BigInt((await ask<Row & { issued: string }>(sql, [account]))[0]?.issued ?? '0')
}

const writeIssued = async ({ tx }: Held, account: number, issued: bigint): Promise<void> => {
  await tx.query(
    `INSERT INTO cbdc_issued (account, issued) VALUES (?, ?)
     ON CONFLICT (account) DO UPDATE SET issued = excluded.issued`,
    [account, String(issued)],
  )
}

type IssueBody = { participant: string; amountMinor: string; reference: string; legalBasis: string }

/**
 * Issues money to an institution's reserve account. Its reference, such as that of the collateral or of the debit in
 * the books of
 * the central bank, serves once.
 * @throws Refusal currency_unknown, issuance_on_chain, participant_missing, issuance_limit, order_executed
 */
export const issueMoney = async (desk: Desk, context: Context): Promise<Answer> => {
  const number = currencyParam(context)
  const { participant, amountMinor, reference, legalBasis } = context.body as IssueBody
  const amount = BigInt(amountMinor)
  let account = 0
  const answer = await executeOrder(desk, context, {
    ...{ operation: 'issueMoney', requires: orderRequires.issue, kind: 'mint' },
    body: { order: { authority: desk.did, reference: `${number}/${reference}` }, legalBasis },
    input: { currency: number, body: context.body },
    async plan(held, order) {
      const currency = issuedHere(held, number)
      const known = await findParticipant(held.tx.query, participant.toLowerCase(), number)
      if (known === undefined || known.endedAt !== null) throw participantMissing()
      account = known.account
      if ((await standIssued(held.tx.query, account)) + amount > known.issuanceLimit) throw issuanceLimit()
      const { issuance: from } = currency
      const entry: EntryOf<'mint'> = { kind: 'mint', from, to: account, currency: number, amount, order }
      return { account, amount, items: [{ entry, signer: undefined }] }
    },
    after: async held => writeIssued(held, account, (await standIssued(held.tx.query, account)) + amount),
  })
  return { status: 201, body: answer }
}

type Redemption = {
  id: string
  did: string
  currency: number
  account: number
  amount: bigint
  reference: string
  state: 'requested' | 'executed' | 'refused' | 'withdrawn'
  requestedAt: number
  endedAt: number | null
  entry: number | null
  reason: string | null
}

type RedemptionRow = Row & {
  id: string
  did: string
  currency: number
  account: number
  amount: string
  reference: string
  state: Redemption['state']
  requested_at: number
  ended_at: number | null
  entry: number | null
  reason: string | null
}

const redemptionColumns = `id, did, currency, account, cast(amount AS TEXT) AS amount, reference, state, requested_at,
  ended_at, entry, reason`

const redemptionOf = (row: RedemptionRow): Redemption => ({
  ...{ id: row.id, did: row.did, currency: row.currency, account: row.account, amount: BigInt(row.amount) },
  ...{ reference: row.reference, state: row.state, requestedAt: row.requested_at, endedAt: row.ended_at },
  ...{ entry: row.entry, reason: row.reason },
})

const view = ({ amount, requestedAt, endedAt, entry, reason, ...redemption }: Redemption) => ({
  ...redemption,
  amountMinor: String(amount),
  requestedAt: new Date(requestedAt).toISOString(),
  ...(endedAt === null ? {} : { endedAt: new Date(endedAt).toISOString() }),
  ...(entry === null ? {} : { entry }),
  ...(reason === null ? {} : { reason }),
})

/** @throws Refusal redemption_unknown, redemption_ended */
const openRedemption = async (ask: Ask, id: string): Promise<Redemption> => {
  const [row] = await ask<RedemptionRow>(`SELECT ${redemptionColumns} FROM cbdc_redemptions WHERE id = ?`, [id])
  if (row === undefined) throw redemptionUnknown()
  if (row.state !== 'requested') throw redemptionEnded()
  return redemptionOf(row)
}

type RequestBody = { amountMinor: string; reference: string }

/**
 * A bank asks to give money back to the central bank. Nothing is held by asking: what is on its account when the
 * officers execute the
 * request is what counts. Also open to one whose admission has ended, so that it can wind down.
 * @throws Refusal agency_body_mismatch, participant_unknown, issuance_on_chain, redemption_taken
 */
export const requestRedemption = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, orderRequires.participant)
  assertBodySigned(caller, context.body)
  const currency = currencyParam(context)
  const { amountMinor, reference } = context.body as RequestBody
  const amount = BigInt(amountMinor)
  if (amount === 0n) throw invalidEntry('amount_not_positive')
  if (amount > amountMost) throw invalidEntry('amount_too_large')
  const answer = await desk.ledger.execute({
    ...{ operation: 'requestRedemption', requires: orderRequires.participant, caller },
    input: { currency, body: context.body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const { tx, book, record } = held
      issuedHere(held, currency)
      const known = await findParticipant(tx.query, caller.id, currency)
      if (known === undefined) throw participantUnknown()
      const { did, account } = known
      const inserted = await tx.query(
        `INSERT INTO cbdc_redemptions
           (id, did, currency, account, amount, reference, state, requested_at, ended_at, entry, reason)
         VALUES (?, ?, ?, ?, ?, ?, 'requested', ?, NULL, NULL, NULL) ON CONFLICT DO NOTHING RETURNING id`,
        [record.id, did, currency, account, String(amount), reference, book.at],
      )
      if (inserted.length === 0) throw redemptionTaken()
      const open = { state: 'requested' as const, requestedAt: book.at, endedAt: null, entry: null, reason: null }
      const asked = view({ id: record.id, did, currency, account, amount, reference, ...open })
      record.effect(digestOf(asked))
      return asked
    },
  })
  return { status: 201, body: answer }
}

/** What waits for the officers, oldest first. */
export const listRedemptions = (desk: Desk, context: Context): Promise<Answer> =>
  disclose(desk.house, {
    ...{ operation: 'listRedemptions', requires: orderRequires.redemptions, caller: context.caller },
    input: { currency: currencyParam(context), ...context.query },
    async read() {
      const page = pageOf(context.query, { most: listMost, usual: listMost })
      const sql = `SELECT ${redemptionColumns} FROM cbdc_redemptions
        WHERE currency = ? AND state = 'requested' AND id > ? ORDER BY id LIMIT ?`
      const rows = await desk.house.store.read<RedemptionRow>(sql, [currencyParam(context), page.after, page.limit])
      return { status: 200, body: { items: rows.map(redemptionOf).map(view), ...nextPage(rows, page) } }
    },
  })

/**
 * Takes the money that a bank gives back out of circulation.
 * @throws Refusal redemption_unknown, redemption_ended, funds_insufficient, account_frozen
 */
export const redeemMoney = async (desk: Desk, context: Context): Promise<Answer> => {
  const id = context.params['redemption'] ?? ''
  const { legalBasis } = context.body as { legalBasis: string }
  let asked: Redemption | undefined
  const answer = await executeOrder(desk, context, {
    ...{ operation: 'redeemMoney', requires: orderRequires.issue, kind: 'burn' },
    body: { order: { authority: desk.did, reference: id }, legalBasis },
    input: { redemption: id, body: context.body },
    async plan(held, order) {
      asked = await openRedemption(held.tx.query, id)
      const { currency, account: from, amount } = asked
      const entry: EntryOf<'burn'> = {
        kind: 'burn',
        from,
        to: issuedHere(held, currency).issuance,
        currency,
        amount,
        order,
      }
      return { account: from, amount, items: [{ entry, signer: undefined }] }
    },
    async after(held, [written]) {
      if (asked === undefined) throw new Error('a redemption was executed that nobody asked for')
      const { account, amount } = asked
      await held.tx.query(`UPDATE cbdc_redemptions SET state = 'executed', ended_at = ?, entry = ? WHERE id = ?`, [
        ...[held.book.at, written?.number ?? null, id],
      ])
      await writeIssued(held, account, (await standIssued(held.tx.query, account)) - amount)
    },
  })
  return { status: 201, body: { ...answer, redemption: id } }
}

type Ending = {
  operation: 'refuseRedemption' | 'withdrawRedemption'
  requires: (typeof orderRequires)['redemptions' | 'participant']
  state: 'refused' | 'withdrawn'
  reason: string
  /** Whose request it has to be. */
  of?: string
}

const endRedemption = async (desk: Desk, context: Context, ending: Ending): Promise<Answer> => {
  const id = context.params['redemption'] ?? ''
  const { operation, requires, state, reason } = ending
  const answer = await desk.ledger.execute({
    ...{ operation, requires, caller: context.caller, input: { redemption: id, body: context.body } },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer({ tx, book, record }) {
      const asked = await openRedemption(tx.query, id)
      if (ending.of !== undefined && ending.of !== asked.did) throw redemptionUnknown()
      const sql = 'UPDATE cbdc_redemptions SET state = ?, reason = ?, ended_at = ? WHERE id = ?'
      await tx.query(sql, [state, reason, book.at, id])
      const ended = view({ ...asked, state, reason, endedAt: book.at })
      record.effect(digestOf(ended))
      return ended
    },
  })
  return { status: 200, body: answer }
}

/** @throws Refusal redemption_unknown, redemption_ended */
export const refuseRedemption = (desk: Desk, context: Context): Promise<Answer> => {
  const { reason } = context.body as { reason: string }
  const requires = orderRequires.redemptions
  return endRedemption(desk, context, { operation: 'refuseRedemption', requires, state: 'refused', reason })
}

/** The bank takes its own request back. @throws Refusal redemption_unknown, redemption_ended */
export const withdrawRedemption = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  const requires = orderRequires.participant
  admit(caller, requires)
  assertBodySigned(caller, context.body)
  const { reason } = context.body as { reason: string }
  const state = { state: 'withdrawn' as const, reason, of: caller.id }
  return endRedemption(desk, context, { operation: 'withdrawRedemption', requires, ...state })
}
