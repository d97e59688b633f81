import { digestOf } from '../../../../kernel/canonical.ts'
import { admit, type HolderCaller, holderOf } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { isRefusal } from '../../../../kernel/refusal.ts'
import { accountNotYours, invalidEntry, transferIdNotCurrent } from '../../errors.ts'
import { split } from '../../ledger/split.ts'
import { amountMost } from '../../ledger/state.ts'
import { openRequestsMost, requestLifeMost, requestRequires, requestsToOneMost } from '../../policy.ts'
import {
  requestExpiry,
  requestIdTaken,
  requestNotOpen,
  requestsTooMany,
  requestUndirected,
  requestUnknown,
  shareAccountTwice,
  sharesExceedAmount,
} from '../../requests/errors.ts'
import type { Currency } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import { type Held, isCurrentId } from '../enter.ts'
import { assertOwner, leadOf, pseudonymOf } from '../owner.ts'
import type { Ask } from '../rows.ts'
import { countOpen, endRequest, findRequest, insertRequest, type Leg, type PaymentRequest } from './rows.ts'

/**
 * Requests to pay: the payee asks (ISO 20022 pain.013), the payer pays or declines, and both see what came of it (pain.014). A
 * request moves nothing and binds nobody: paying it is a transfer like any other, which only the payer's signature makes. Whatever a
 * payee asks of an account that is not there looks as if it were.
 */

const requires = requestRequires.party

export type Share = { account: number; numerator: number; denominator: number }

/**
 * What each account gets of the amount, in the order of the shares, the payee's rest last. What comes to nothing is no leg.
 * @throws Refusal share_account_twice, shares_exceed_amount
 */
export const legsOf = (amount: bigint, payee: number, shares: readonly Share[]): Leg[] => {
  if (new Set([payee, ...shares.map(({ account }) => account)]).size <= shares.length) throw shareAccountTwice()
  const parts = split(
    amount,
    shares.map(({ account, numerator, denominator }) => ({
      ...{ account, numerator: BigInt(numerator), denominator: BigInt(denominator) },
    })),
  )
  if (parts === undefined) throw sharesExceedAmount()
  const legs: Leg[] = shares.map(({ account, numerator, denominator }, at) => ({
    ...{ account, amount: parts.amounts[at] ?? 0n, share: { numerator, denominator }, entry: null },
  }))
  return [...legs, { account: payee, amount: parts.rest, share: null, entry: null }].filter(leg => leg.amount > 0n)
}

const iso = (at: number): string => new Date(at).toISOString()

/** What a request is at a time: nobody has to come and end it. */
export const stateAt = ({ state, expires }: PaymentRequest, at: number): PaymentRequest['state'] =>
  state === 'open' && at >= expires ? 'expired' : state

/** Who somebody is to a request; `bearer`: anyone who has the id of one that asks nobody in particular. */
export type Role = 'payee' | 'payer' | 'bearer'

export const roleIn = (
  { payee: _, payeeLead, payer, payerLead }: PaymentRequest,
  lead: number | undefined,
): Role | undefined => {
  if (lead !== undefined && lead === payeeLead) return 'payee'
  if (lead !== undefined && lead === payerLead) return 'payer'
  return payer === null ? 'bearer' : undefined
}

/** Bearers see what to sign and whether it is open still, and not what it was paid with. */
export const requestView = (request: PaymentRequest, { at, role }: { at: number; role: Role }) => {
  const state = stateAt(request, at)
  const endedAt = state === 'expired' ? request.expires : request.endedAt
  return {
    ...{ id: request.id, state, currency: request.currency, payeeAccount: request.payee },
    ...(request.payer === null ? {} : { payerAccount: request.payer }),
    amountMinor: String(request.amount),
    ...(request.reference === null ? {} : { referenceDigest: request.reference }),
    ...{ expires: iso(request.expires), since: iso(request.since), ...(endedAt !== null && { endedAt: iso(endedAt) }) },
    legs: request.legs.map(({ account, amount, share, entry }) => ({
      ...{ account, amountMinor: String(amount), ...(share !== null && { share }) },
      ...(entry !== null && role !== 'bearer' && { entry }),
    })),
  }
}

/** The caller's lead account; undefined where they have none, or show no pseudonym of the currency. */
export const leadIn = async (
  ask: Ask,
  caller: HolderCaller,
  currency: Pick<Currency, 'code' | 'number'>,
): Promise<number | undefined> => {
  try {
    return await leadOf(ask, currency.number, pseudonymOf(caller, currency))
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

type RequestBody = {
  id: string
  payeeAccount: number
  payerAccount?: number
  amountMinor: string
  expires: string
  referenceDigest?: string
  shares?: Share[]
}

/**
 * What is asked for, as far as it can be judged from the request alone. Whether the other accounts exist is nothing that a payee learns.
 * @throws Refusal account_not_yours, pseudonym_missing, account_closed, request_expiry, amount_not_positive,
 * amount_too_large, share_account_twice, shares_exceed_amount, account_same
 */
const termsOf = async (held: Held, caller: HolderCaller, body: RequestBody): Promise<PaymentRequest> => {
  const { book, currencies, tx } = held
  const { payeeAccount, payerAccount: payer = null, shares = [] } = body
  await book.load([payeeAccount, payer ?? 0])
  const payee = book.state.account(payeeAccount)
  if (payee === undefined) throw accountNotYours()
  await assertOwner(tx.query, caller, currencies.of(payee.currency), [payee])
  if (payee.closed) throw invalidEntry('account_closed')
  const expires = Date.parse(body.expires)
  if (Number.isNaN(expires)) throw requestExpiry()
  const amount = BigInt(body.amountMinor)
  if (amount <= 0n) throw invalidEntry('amount_not_positive')
  if (amount > amountMost) throw invalidEntry('amount_too_large')
  const legs = legsOf(amount, payeeAccount, shares)
  if (legs.some(({ account }) => account === payer) || payer === payeeAccount) throw invalidEntry('account_same')
  const asked = payer === null ? undefined : book.state.account(payer)
  return {
    ...{ id: body.id.toLowerCase(), currency: payee.currency, payee: payeeAccount, payeeLead: payee.lead, payer },
    ...{ payerLead: asked?.currency === payee.currency ? asked.lead : null, amount },
    ...{ reference: body.referenceDigest ?? null, expires, since: book.at },
    ...{ state: 'open', endedAt: null, legs },
  }
}

/** What a request asks for, and of whom. */
const asked = ({ currency, payee, payer, amount, reference, expires, legs }: PaymentRequest): Buffer =>
  digestOf({
    ...{ currency, payee, payer, amount: String(amount), reference, expires },
    legs: legs.map(({ account, share, amount }) => ({ account, share, amount: String(amount) })),
  })

/** @throws Refusal request_expiry, transfer_id_not_current, requests_too_many */
const assertNew = async ({ tx, book }: Held, { id, payeeLead, payer, expires }: PaymentRequest): Promise<void> => {
  if (expires <= book.at || expires > book.at + requestLifeMost) throw requestExpiry()
  if (!isCurrentId(id, book.at)) throw transferIdNotCurrent()
  const { open, ofPayer } = await countOpen(tx.query, { payeeLead, payer, at: book.at })
  if (open >= openRequestsMost || ofPayer >= requestsToOneMost) throw requestsTooMany()
}

/**
 * The payee asks for a payment to an account of theirs. The same id and terms get the same request.
 * @throws Refusal those of `termsOf`, request_id_taken, request_expiry, transfer_id_not_current, requests_too_many
 */
export const requestPayment = async (desk: Desk, context: Context): Promise<Answer> => {
  admit(context.caller, requires)
  const caller = holderOf(context.caller)
  const body = context.body as RequestBody
  const view = await desk.ledger.execute({
    ...{ operation: 'requestPayment', requires, caller, input: body, chains: [] },
    idempotencyKey: context.headers['idempotency-key'],
    async answer(held) {
      const { tx, book, record } = held
      const terms = await termsOf(held, caller, body)
      const known = await findRequest(tx.query, desk.house.store.dialect, terms.id)
      if (known !== undefined && !(known.payeeLead === terms.payeeLead && asked(known).equals(asked(terms)))) {
        throw requestIdTaken()
      }
      if (known === undefined) await assertNew(held, terms)
      const answered = requestView(known ?? terms, { at: book.at, role: 'payee' })
      if (known === undefined) {
        await insertRequest(tx, terms)
        record.effect(digestOf(answered))
      }
      return answered
    },
  })
  return { status: 201, body: view }
}

/**
 * A request for one side of it, while the ledger is held.
 * @throws Refusal request_unknown, which also answers for requests that are others'; request_undirected, request_not_open
 */
const standing = async (
  desk: Desk,
  held: Held,
  caller: HolderCaller,
  { id, as }: { id: string; as: 'payee' | 'payer' },
): Promise<PaymentRequest> => {
  const request = await findRequest(held.tx.query, desk.house.store.dialect, id)
  if (request === undefined) throw requestUnknown()
  const lead = await leadIn(held.tx.query, caller, held.currencies.of(request.currency))
  if (roleIn(request, lead) === undefined) throw requestUnknown()
  if (lead === undefined || lead !== (as === 'payee' ? request.payeeLead : request.payerLead)) {
    throw as === 'payer' && request.payer === null ? requestUndirected() : requestUnknown()
  }
  if (stateAt(request, held.book.at) !== 'open') throw requestNotOpen()
  return request
}

const endings = {
  declined: { operation: 'declinePaymentRequest', as: 'payer' },
  withdrawn: { operation: 'withdrawPaymentRequest', as: 'payee' },
} as const

const end = async (desk: Desk, context: Context, state: keyof typeof endings): Promise<Answer> => {
  admit(context.caller, requires)
  const caller = holderOf(context.caller)
  const { operation, as } = endings[state]
  const id = (context.params['request'] ?? '').toLowerCase()
  const body = await desk.ledger.execute({
    ...{ operation, requires, caller, input: { request: id, body: context.body }, chains: [] },
    idempotencyKey: context.headers['idempotency-key'],
    async answer(held) {
      const request = await standing(desk, held, caller, { id, as })
      const { at } = held.book
      await endRequest(held.tx, request, { state, at })
      const view = requestView({ ...request, state, endedAt: at }, { at, role: as })
      held.record.effect(digestOf(view))
      return view
    },
  })
  return { status: 200, body }
}

/** Whoever is asked says no; the payee sees that. @throws Refusal request_unknown, request_undirected, request_not_open */
export const declinePaymentRequest = (desk: Desk, context: Context): Promise<Answer> => end(desk, context, 'declined')

/** The payee takes it back. @throws Refusal request_unknown, request_not_open */
export const withdrawPaymentRequest = (desk: Desk, context: Context): Promise<Answer> => end(desk, context, 'withdrawn')
