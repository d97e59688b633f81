import { type OrderName, orderKey } from '../../../../kernel/order-key.ts'
import type { Context } from '../../../../kernel/plugin.ts'
import type { Requirement } from '../../../../kernel/requirement.ts'
import { accountOfCurrency, invalidEntry, orderExecuted, treasuryMissing } from '../../errors.ts'
import type { AccountClass } from '../../ledger/facts.ts'
import { orderOf } from '../accounts.ts'
import type { BookItem, Written } from '../book.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { allOf } from '../execute.ts'
import type { Ask } from '../rows.ts'

/** An order, as an officer hands it in. */
export type OrderBody = { order: OrderName; legalBasis: string }

export type OrderKind = 'mint' | 'burn' | 'freeze' | 'unfreeze' | 'seize' | 'escheat' | 'keyChange' | 'close'

/** @throws Refusal account_unknown for what no account can have as its number */
export const accountParam = (context: Context): number => {
  const number = Number(context.params['account'])
  if (!Number.isInteger(number) || number < 1 || number > 0xffff_ffff) throw invalidEntry('account_unknown')
  return number
}

export const currencyParam = (context: Context): number => Number(context.params['currency'])

/** However the order is spelt. @throws Refusal order_executed */
export const assertOrderNew = async (ask: Ask, kind: OrderKind, order: OrderName): Promise<void> => {
  const { authority, reference } = orderKey(order)
  const sql = 'SELECT id FROM cbdc_orders WHERE kind = ? AND authority = ? AND reference = ?'
  if ((await ask(sql, [kind, authority, reference])).length > 0) throw orderExecuted()
}

/** `amount` 0 of a freeze: the whole account. `entry` 0: none yet, or none at all. */
export type OrderRow = {
  id: string
  kind: OrderKind
  order: OrderName
  account: number
  amount: bigint
  legalBasis: string
  entry: number
}

/** At once, so that another order of the same batch finds it. */
export const recordOrder = async ({ tx, book }: Held, row: OrderRow): Promise<void> => {
  const { authority, reference } = orderKey(row.order)
  await tx.query(
    `INSERT INTO cbdc_orders
       (id, kind, authority, reference, account, amount, legal_basis, entry, since, ended_at, ended_by)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)`,
    [
      ...[row.id, row.kind, authority, reference, row.account, String(row.amount), row.legalBasis],
      ...[row.entry, book.at],
    ],
  )
}

export const readTreasury = async (ask: Ask, currency: number): Promise<number | undefined> => {
  const sql = 'SELECT account FROM cbdc_treasuries WHERE currency = ?'
  return (await ask<{ account: number }>(sql, [currency]))[0]?.account
}

/** @throws Refusal treasury_missing */
export const treasuryOf = async (ask: Ask, currency: number): Promise<number> => {
  const account = await readTreasury(ask, currency)
  if (account === undefined) throw treasuryMissing()
  return account
}

/** @throws Refusal account_unknown */
export const loadAccount = async ({ book }: Held, number: number) => {
  await book.load([number])
  const account = book.state.account(number)
  if (account === undefined) throw invalidEntry('account_unknown')
  return account
}

const ownClasses: ReadonlySet<AccountClass> = new Set([
  ...(['issuance', 'fees', 'rail', 'suspense', 'interest', 'treasury', 'clearing'] as const),
])

/**
 * An account that orders can be about. What is taken from the issuance account would be new money, past every limit.
 * @throws Refusal account_unknown, account_of_currency
 */
export const orderable = async (held: Held, number: number) => {
  const account = await loadAccount(held, number)
  if (ownClasses.has(account.class)) throw accountOfCurrency()
  return account
}

export type Ordered = {
  operation: string
  requires: Requirement
  kind: OrderKind
  body: OrderBody
  input: unknown
  /** What is entered, all of it or nothing, and whose account it is about; `order` names the act in the entries. */
  plan(held: Held, order: string): Promise<{ account: number; amount: bigint; items: BookItem[] }>
  /** What else is written once the entries stand. */
  after?(held: Held, written: readonly Written[]): Promise<void>
}

/**
 * An order of a court or an authority, or the central bank's own: executed once under its authority and reference, as
 * one act with the
 * entries that it brings about.
 * @throws Refusal order_executed, and those of the entries
 */
export const executeOrder = (desk: Desk, context: Context, ordered: Ordered) => {
  const { operation, requires, kind, body } = ordered
  let [account, amount] = [0, 0n]
  return desk.ledger.execute({
    ...{ operation, requires, caller: context.caller, input: ordered.input },
    idempotencyKey: context.headers['idempotency-key'],
    chains: async held => {
      await assertOrderNew(held.tx.query, kind, body.order)
      const planned = await ordered.plan(held, orderOf(held.record.id))
      ;({ account, amount } = planned)
      return [planned.items]
    },
    answer: async (held, outcomes) => {
      const written = allOf(outcomes)
      const entry = written[0]?.number ?? 0
      const { id } = held.record
      await recordOrder(held, { id, kind, order: body.order, account, amount, legalBasis: body.legalBasis, entry })
      await ordered.after?.(held, written)
      return { order: id, kind, account, amountMinor: String(amount), entry, at: new Date(held.book.at).toISOString() }
    },
  })
}
