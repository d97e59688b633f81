import { digestOf } from '../../../../kernel/canonical.ts'
import { admit } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { assertBodySigned } from '../../../../kernel/signed-body.ts'
import { attestationNotInForce, invalidEntry, servicerDiffers } from '../../errors.ts'
import type { KycPlace, LedgerAccount } from '../../ledger/facts.ts'
import { isCustomer, isPersonal } from '../../ledger/limits.ts'
import { balanceOf } from '../../ledger/state.ts'
import { purseOffline } from '../../offline/errors.ts'
import { orderRequires } from '../../policy.ts'
import { servicerOf } from '../accounts.ts'
import type { BookItem } from '../book.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { loadPurses, offlineUntil } from '../offline/purses.ts'
import { assertNoMoveOpen } from '../rail/moves.ts'
import { accountParam, executeOrder, type OrderBody, orderable } from './order.ts'

/** Accounts are closed, and what is known of their owners is refreshed. */

const dropDormancy = (held: Held, account: number) =>
  held.tx.query('DELETE FROM cbdc_dormant WHERE account = ?', [account])

const closing = (account: number, order: string) => {
  const items: BookItem[] = [{ entry: { kind: 'close', account, order }, signer: undefined }]
  return { account, amount: 0n, items }
}

/** @throws Refusal order_executed, account_not_empty, account_frozen, account_closed */
export const closeAccount = async (desk: Desk, context: Context): Promise<Answer> => {
  const account = accountParam(context)
  const body = context.body as OrderBody
  const answer = await executeOrder(desk, context, {
    ...{ operation: 'closeAccount', requires: orderRequires.order, kind: 'close', body },
    input: { account, body },
    async plan(held, order) {
      await orderable(held, account)
      await assertNoMoveOpen(held.tx.query, account)
      return closing(account, order)
    },
    after: async held => void (await dropDormancy(held, account)),
  })
  return { status: 201, body: answer }
}

/**
 * A customer's account that the caller serves. Nobody learns of one that it does not serve.
 * @throws Refusal servicer_differs, also where there is no such account
 */
const servedAccount = async (held: Held, did: string, number: number): Promise<LedgerAccount> => {
  await held.book.load([number])
  const account = held.book.state.account(number)
  // A purpose account has no tier, but its owner's attestation is renewed all the same.
  if (account === undefined || !(isCustomer(account) || account.class === 'purpose')) throw servicerDiffers()
  const own = await servicerOf(held.tx.query, did, account.currency)
  if (own === 0 || account.servicer !== own) throw servicerDiffers()
  return account
}

type CloseServedBody = { reference: string; legalBasis: string }

/**
 * The servicing bank closes a customer's account that is empty.
 * @throws Refusal agency_body_mismatch, servicer_differs, order_executed, account_not_empty, account_frozen
 */
export const closeServedAccount = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, orderRequires.participant)
  assertBodySigned(caller, context.body)
  const account = accountParam(context)
  const { reference, legalBasis } = context.body as CloseServedBody
  const answer = await executeOrder(desk, context, {
    ...{ operation: 'closeServedAccount', requires: orderRequires.participant, kind: 'close' },
    body: { order: { authority: caller.id, reference }, legalBasis },
    input: { account, body: context.body },
    async plan(held, order) {
      await servedAccount(held, caller.id, account)
      await assertNoMoveOpen(held.tx.query, account)
      return closing(account, order)
    },
    after: async held => void (await dropDormancy(held, account)),
  })
  return { status: 201, body: answer }
}

type RefreshBody = {
  level: number
  attestation: { list: number; index: number; until: string }
  screened?: { list: string; at: string; result: string }
  jurisdiction?: string
  class?: 'person' | 'merchant'
}

/** @throws Refusal attestation_not_in_force */
const placeOf = (desk: Desk, did: string, { list, index, until }: RefreshBody['attestation'], at: number): KycPlace => {
  const place = { issuer: desk.issuerAddress(did), list, index, until: Date.parse(until) }
  if (Number.isNaN(place.until) || place.until <= at || !desk.kycInForce(place)) throw attestationNotInForce()
  return place
}

/** What the account holds counts with its person's, or no longer does. */
const reclass = ({ book }: Held, account: LedgerAccount, to: LedgerAccount['class']): void => {
  if (!isCustomer(account)) throw invalidEntry('account_unknown')
  const lead = book.state.account(account.lead)
  if (lead === undefined) throw new Error(`the lead account ${account.lead} was not loaded`)
  const counts = (each: Pick<LedgerAccount, 'class'>): bigint => (isPersonal(each) ? balanceOf(account) : 0n)
  book.alter(lead.number, { held: lead.held - counts(account) + counts({ class: to }) })
}

/**
 * The servicing bank says what its due diligence now comes to, with the place of the attestation that it issued. It counts
 * with the next entry: a lower level at once limits what was allowed before.
 * @throws Refusal agency_body_mismatch, servicer_differs, account_closed, attestation_not_in_force; purse_offline, whose class
 *   stays what it is
 */
export const setAccountLevel = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller } = context
  admit(caller, orderRequires.participant)
  assertBodySigned(caller, context.body)
  const number = accountParam(context)
  const body = context.body as RefreshBody
  const { level, screened } = body
  const answer = await desk.ledger.execute({
    ...{ operation: 'setAccountLevel', requires: orderRequires.participant, caller },
    input: { account: number, body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const account = await servedAccount(held, caller.id, number)
      if (account.closed) throw invalidEntry('account_closed')
      const kyc = placeOf(desk, caller.id, body.attestation, held.book.at)
      await loadPurses(held, desk.house.store.dialect, [number])
      const until = offlineUntil(held.book, number)
      if (body.class !== undefined && until !== undefined) throw purseOffline(new Date(until).toISOString())
      if (body.class !== undefined) reclass(held, account, body.class)
      held.book.alter(number, {
        ...{ level, kyc, jurisdiction: body.jurisdiction ?? account.jurisdiction },
        ...(body.class !== undefined && { class: body.class }),
        ...(screened && {
          ...{ screenedAt: Date.parse(screened.at), screeningList: screened.list, screeningResult: screened.result },
        }),
      })
      const answered = { account: number, level, attestedUntil: new Date(kyc.until).toISOString() }
      held.record.effect(digestOf(answered))
      return answered
    },
  })
  return { status: 200, body: answer }
}
