import { digestOf } from '../../../../kernel/canonical.ts'
import { admit } from '../../../../kernel/gate.ts'
import { type EntryOf, sameKey } from '../../../../kernel/ledger-entry.ts'
import { nextPage, pageOf } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { assertBodySigned } from '../../../../kernel/signed-body.ts'
import {
  accountNotYours,
  invalidEntry,
  participantUnknown,
  payeeCannotReceive,
  queuedTerms,
  queuedUnknown,
  queueFull,
  queueOrder,
  queueValidity,
  recordMalformed,
  transferIdNotCurrent,
  transferIdTaken,
} from '../../errors.ts'
import { amountMost } from '../../ledger/state.ts'
import { interbankRequires, listMost, queuedMost } from '../../policy.ts'
import type { Handed } from '../attest.ts'
import type { BookItem } from '../book.ts'
import type { Desk } from '../desk.ts'
import { type Held, isCurrentId } from '../enter.ts'
import type { Ask } from '../rows.ts'
import {
  admittedAccounts,
  findPayment,
  openQueue,
  type Payment,
  paymentView,
  type QueueWork,
  readPayments,
} from './queue.ts'

/** Settlement between institutions on their reserve accounts: gross, in real time. */

type Transfer = BookItem & { id: string; raw: Buffer; entry: EntryOf<'transfer'> }

const requires = interbankRequires.participant

/** @throws Refusal record_malformed */
const transfersOf = async (desk: Desk, handed: readonly Handed[]): Promise<Transfer[]> =>
  (await desk.attest(handed)).map(item => {
    const { id, raw, entry } = item
    if (entry.kind !== 'transfer' || id === undefined || raw === undefined) throw recordMalformed()
    return { ...item, id, raw, entry }
  })

/** The institution's reserve accounts, one a currency. @throws Refusal participant_unknown */
export const ownAccounts = async (ask: Ask, did: string): Promise<ReadonlySet<number>> => {
  const sql = 'SELECT account FROM cbdc_participants WHERE did = ? AND ended_at IS NULL'
  const own = new Set((await ask<{ account: number }>(sql, [did])).map(({ account }) => account))
  if (own.size === 0) throw participantUnknown()
  return own
}

const dayMs = 86_400_000
/** When a UUIDv7 was made (RFC 9562, 5.7). */
const madeAt = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

/**
 * What waits is judged as far as it can be before its turn comes. An id serves for a day, so nothing waits longer.
 * @throws Refusal amount_not_positive, amount_too_large, signature_invalid, transfer_expired, currency_mismatch,
 * transfer_id_not_current, queue_validity
 */
const assertMayWait = ({ book }: Held, { id, entry, signer }: Transfer): void => {
  const payer = book.state.account(entry.from)
  if (entry.amount <= 0n) throw invalidEntry('amount_not_positive')
  if (entry.amount > amountMost) throw invalidEntry('amount_too_large')
  if (payer === undefined || signer === undefined || !sameKey(payer.key, signer))
    throw invalidEntry('signature_invalid')
  if (book.at >= entry.validUntil * 1_000) throw invalidEntry('transfer_expired')
  if (entry.nonce < payer.nonce) throw invalidEntry('nonce_mismatch')
  if (payer.currency !== entry.currency) throw invalidEntry('currency_mismatch')
  if (!isCurrentId(id, book.at)) throw transferIdNotCurrent()
  if (entry.validUntil * 1_000 > madeAt(id) + dayMs) throw queueValidity()
}

/** @throws Refusal those of `assertMayWait` */
const waitingOf = (held: Held, item: Transfer, priority: number, since = held.book.at): Payment => {
  assertMayWait(held, item)
  const { id, raw, entry, signer } = item
  if (signer === undefined) throw invalidEntry('signature_invalid')
  return {
    ...{ id, raw, signer, priority, currency: entry.currency, payer: entry.from, payee: entry.to },
    ...{ amount: entry.amount, fee: entry.fee, nonce: entry.nonce, validUntil: entry.validUntil },
    ...{ state: 'queued', reason: null, since, endedAt: null, entry: null },
  }
}

/** Priorities never rise along the nonces, and each nonce is there once. @throws Refusal queue_order */
const assertOrder = (waiting: readonly Payment[]): void => {
  for (const [at, payment] of waiting.entries()) {
    const before = waiting[at - 1]
    if (before !== undefined && (before.nonce === payment.nonce || before.priority < payment.priority)) {
      throw queueOrder()
    }
  }
}

/** A payment that waits, signed anew: only nonce, time and signature may differ. @throws Refusal queued_terms */
const signedAnew = (held: Held, known: Payment, item: Transfer, priority = known.priority): Payment => {
  const { from, to, currency, amount, fee } = item.entry
  const same =
    from === known.payer &&
    to === known.payee &&
    currency === known.currency &&
    amount === known.amount &&
    fee === known.fee
  if (!same) throw queuedTerms()
  return waitingOf(held, item, priority, known.since)
}

/** @throws Refusal queued_unknown */
const waitingOwn = async (held: Held, work: QueueWork, own: ReadonlySet<number>, id: string): Promise<Payment> => {
  const known = await findPayment(held.tx.query, id)
  if (known === undefined || !own.has(known.payer)) throw queuedUnknown()
  await work.waiting(known.payer)
  const now = work.find(id)
  if (now?.state !== 'queued') throw queuedUnknown()
  return now
}

type SettleBody = {
  id: string
  record: string
  priority: number
  queue: boolean
  behind?: { id: string; record: string }[]
}

/** What was said of this id before. @throws Refusal transfer_id_taken */
const answeredBefore = async (held: Held, item: Transfer): Promise<Payment | undefined> => {
  const known = await findPayment(held.tx.query, item.id)
  if (known !== undefined && !known.raw.equals(item.raw)) throw transferIdTaken()
  return known
}

const enqueueOne = async (desk: Desk, held: Held, did: string, items: readonly Transfer[], body: SettleBody) => {
  const [item, ...behind] = items
  if (item === undefined) throw recordMalformed()
  const { from, to } = item.entry
  const own = await ownAccounts(held.tx.query, did)
  if (!own.has(from)) throw accountNotYours()
  const before = await answeredBefore(held, item)
  if (before !== undefined) return before
  await held.book.load([from, to])
  if (from === to) throw invalidEntry('account_same')
  const work = openQueue(desk, held)
  const { length } = await work.waiting(from)
  const payment = waitingOf(held, item, body.priority)
  if (!(await admittedAccounts(held, desk, [to])).has(to)) throw payeeCannotReceive()
  for (const later of behind) work.put(signedAnew(held, await waitingOwn(held, work, own, later.id), later))
  work.put(payment)
  assertOrder(await work.waiting(from))
  await work.drain([from])
  const now = work.find(item.id)
  if (now === undefined) throw new Error('a payment was lost')
  if (now.state !== 'settled') {
    const refusal = work.refusalOf(item.id)
    if (!body.queue || now.state === 'ended') throw refusal ?? invalidEntry('nonce_mismatch')
    if (length >= queuedMost) throw queueFull()
  }
  await work.write()
  return now
}

/**
 * Pays another institution from reserve account to reserve account: at once where it is this payment's turn and funds
 * suffice; else, with `queue`, when they do. Payments that shall wait behind it are handed in along with it, signed
 * anew.
 * @throws Refusal agency_body_mismatch, participant_unknown, account_not_yours, payee_cannot_receive,
 * transfer_id_taken, queue_order, queue_full, queue_validity, queued_terms, queued_unknown, and of the record
 */
export const settleInterbank = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, requires)
  assertBodySigned(caller, context.body)
  const body = context.body as SettleBody
  const items = await transfersOf(desk, [{ id: body.id, record: body.record }, ...(body.behind ?? [])])
  const answer = await desk.ledger.execute({
    ...{ operation: 'settleInterbank', requires, caller, input: body },
    idempotencyKey: context.headers['idempotency-key'],
    ...{ foreseen: items, chains: [] },
    async answer(held) {
      const view = paymentView(await enqueueOne(desk, held, caller.id, items, body))
      held.record.effect(digestOf(view))
      return view
    },
  })
  return { status: answer.state === 'settled' ? 201 : 202, body: answer }
}

type PriorityBody = { payments: { id: string; priority: number; record?: string }[] }

/**
 * Gives payments that wait other priorities, and with records signed anew other nonces: all of it, or nothing.
 * @throws Refusal agency_body_mismatch, participant_unknown, queued_unknown, queued_terms, queue_order, and of the
 * records
 */
export const reprioritise = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, requires)
  assertBodySigned(caller, context.body)
  const { payments } = context.body as PriorityBody
  const handed = payments.flatMap(({ id, record }) => (record === undefined ? [] : [{ id, record }]))
  const items = new Map((await transfersOf(desk, handed)).map(item => [item.id, item]))
  const answer = await desk.ledger.execute({
    ...{ operation: 'reprioritise', requires, caller, input: context.body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const own = await ownAccounts(held.tx.query, caller.id)
      const work = openQueue(desk, held)
      const payers = new Set<number>()
      for (const { id: given, priority } of payments) {
        const id = given.toLowerCase()
        const known = await waitingOwn(held, work, own, id)
        const item = items.get(id)
        work.put(item === undefined ? { ...known, priority } : signedAnew(held, known, item, priority))
        payers.add(known.payer)
      }
      for (const payer of payers) assertOrder(await work.waiting(payer))
      await work.drain([...payers])
      await work.write()
      const views = payments.flatMap(({ id }) => work.find(id.toLowerCase()) ?? []).map(paymentView)
      held.record.effect(digestOf(views))
      return { items: views }
    },
  })
  return { status: 200, body: answer }
}

/**
 * Takes a payment that waits out of the queue. What was signed stays valid until its time: using its nonce for another
 * payment makes sure of it.
 * @throws Refusal agency_body_mismatch, participant_unknown, queued_unknown
 */
export const cancelQueued = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, requires)
  assertBodySigned(caller, context.body)
  const id = context.params['payment'] ?? ''
  const answer = await desk.ledger.execute({
    ...{ operation: 'cancelQueued', requires, caller, input: { payment: id, body: context.body } },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const work = openQueue(desk, held)
      const known = await waitingOwn(held, work, await ownAccounts(held.tx.query, caller.id), id)
      const cancelled: Payment = { ...known, state: 'cancelled', endedAt: held.book.at }
      work.put(cancelled)
      await work.write()
      const view = paymentView(cancelled)
      held.record.effect(digestOf(view))
      return view
    },
  })
  return { status: 200, body: answer }
}

/**
 * What waits to be paid by the calling institution, or to it: a bank that knows what it will get lends and pays the
 * sooner.
 */
export const listQueue = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller, query } = context
  admit(caller, requires)
  const ask = desk.house.store.read
  const page = pageOf(query, { most: listMost, usual: listMost })
  const own = [...(await ownAccounts(ask, caller.id))]
  const side = query['direction'] === 'incoming' ? 'payee' : 'payer'
  const places = own.map(() => '?').join(', ')
  const where = `state = 'queued' AND ${side} IN (${places}) AND id > ? ORDER BY id LIMIT ?`
  const found = await readPayments(ask, where, [...own, page.after, page.limit])
  return { status: 200, body: { items: found.map(paymentView), ...nextPage(found, page) } }
}
