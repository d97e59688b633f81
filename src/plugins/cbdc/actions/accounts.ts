import { admit, holderOf } from '../../../kernel/gate.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { assertBodySigned } from '../../../kernel/signed-body.ts'
import { accountIdTaken } from '../errors.ts'
import type { Facts } from '../ledger/facts.ts'
import { requires } from '../policy.ts'
import type { Desk } from './desk.ts'
import { onlyOne } from './execute.ts'
import { kycOf, kycPlaceOf, leadOf, pseudonymOf } from './owner.ts'
import { purposeOf } from './purpose/opening.ts'
import { bindAccount, type Programme } from './purpose/purposes.ts'
import type { Ask } from './rows.ts'

type OpenBody = {
  id: string
  currency: number
  /** A merchant's account has no holding limit, so their bank alone says that it is one. */
  class: 'person' | 'purse' | 'purpose'
  /** Of an account with a purpose, the programme that it is bound to. */
  programme?: string
  scheme: number
  prefix: number
  x: string
}

/** The order that stands in an entry: the journal record of the act. */
export const orderOf = (recordId: string): string => recordId.replaceAll('-', '')

export const servicerOf = async (ask: Ask, did: string, currency: number): Promise<number> => {
  const sql = 'SELECT account FROM cbdc_participants WHERE did = ? AND currency = ? AND ended_at IS NULL'
  return (await ask<{ account: number }>(sql, [did, currency]))[0]?.account ?? 0
}

type Screening = { list?: unknown; screenedAt?: unknown; result?: unknown }

const screeningOf = (
  claims: Record<string, unknown>,
): Pick<Facts, 'screenedAt' | 'screeningList' | 'screeningResult'> => {
  const [screened] = Array.isArray(claims['screened']) ? (claims['screened'] as Screening[]) : []
  if (screened === undefined) return { screenedAt: null, screeningList: null, screeningResult: null }
  const at = Date.parse(String(screened.screenedAt))
  return {
    screenedAt: Number.isNaN(at) ? null : at,
    screeningList: String(screened.list ?? ''),
    screeningResult: String(screened.result ?? ''),
  }
}

/**
 * A customer opens an account with a key of theirs. Further accounts of the same person count with the first for every limit.
 * @throws Refusal currency_unknown, pseudonym_missing, kyc_not_in_force, account_id_taken, key_invalid, and those of a purpose
 */
export const openAccount = async (desk: Desk, context: Context): Promise<Answer> => {
  admit(context.caller, requires.openAccount)
  assertBodySigned(context.caller, context.body)
  const caller = holderOf(context.caller)
  const body = context.body as OpenBody
  const { currency: number, scheme, prefix, x } = body
  const kyc = kycOf(caller)
  let programme: Programme | undefined
  const account = await desk.ledger.execute({
    operation: 'openAccount',
    requires: requires.openAccount,
    caller,
    input: body,
    idempotencyKey: context.headers['idempotency-key'],
    chains: async held => {
      const { tx, book, currencies, record } = held
      const pseudonym = pseudonymOf(caller, currencies.of(number))
      const [taken] = await tx.query('SELECT number FROM cbdc_account_ids WHERE id = ?', [body.id])
      if (taken !== undefined) throw accountIdTaken()
      const next = book.state.nextAccount
      const lead = (await leadOf(tx.query, number, pseudonym)) ?? next
      programme = await purposeOf(held, body, lead)
      await book.load([lead])
      const facts: Partial<Facts> = {
        ...{ class: body.class, level: Number(kyc.claims['level']), lead, ...screeningOf(kyc.claims) },
        jurisdiction: String(kyc.claims['jurisdiction'] ?? '') || null,
        servicer: await servicerOf(tx.query, kyc.issuer, number),
        kyc: kycPlaceOf(kyc, desk.issuerAddress(kyc.issuer)),
      }
      const order = orderOf(record.id)
      const entry = { kind: 'open' as const, account: next, currency: number, side: 0, scheme, prefix, x, order }
      return [[{ entry, signer: undefined, facts }]]
    },
    answer: async (held, outcomes) => {
      const { tx, book, currencies } = held
      const { debit: opened, at } = onlyOne(outcomes)
      tx.insert('cbdc_account_ids', [{ id: body.id, number: opened }])
      const { lead = opened } = book.state.account(opened) ?? {}
      if (programme !== undefined) await bindAccount(held, { account: opened, lead, programme })
      if (lead === opened) {
        const pseudonym = pseudonymOf(caller, currencies.of(number))
        tx.insert('cbdc_persons', [{ currency: number, pseudonym, lead: opened }])
      }
      return { id: body.id, account: opened, currency: number, nonce: 0, openedAt: new Date(at).toISOString() }
    },
  })
  return { status: 201, body: account }
}
