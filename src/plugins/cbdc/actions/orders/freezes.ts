import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { freezeNotStanding } from '../../errors.ts'
import { orderRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import type { Ask } from '../rows.ts'
import { accountParam, executeOrder, type OrderBody, orderable, treasuryOf } from './order.ts'

/** Orders that hold money where it is, and that take it. */

type Freeze = { id: string; account: number; amount: bigint }
type FreezeRow = Row & { id: string; account: number; amount: string }

/** @throws Refusal freeze_not_standing, also for a freeze of another account. */
const standingFreeze = async (ask: Ask, account: number, id: string): Promise<Freeze> => {
  const sql = `SELECT id, account, cast(amount AS TEXT) AS amount FROM cbdc_orders
    WHERE id = ? AND kind = 'freeze' AND ended_at IS NULL`
  const [row] = await ask<FreezeRow>(sql, [id])
  if (row === undefined || row.account !== account) throw freezeNotStanding()
  return { id: row.id, account: row.account, amount: BigInt(row.amount) }
}

const endFreeze = async ({ tx, book, record }: Held, id: string): Promise<void> => {
  await tx.query('UPDATE cbdc_orders SET ended_at = ?, ended_by = ? WHERE id = ?', [book.at, record.id, id])
}

type FreezeBody = OrderBody & { amountMinor?: string }

/**
 * Holds an amount on an account, or without an amount the account as a whole, which then neither pays nor receives. An
 * amount may be
 * more than there is: what comes in is then held too.
 * @throws Refusal order_executed, account_unknown, account_of_currency, account_closed, amount_too_large
 */
export const freezeAccount = async (desk: Desk, context: Context): Promise<Answer> => {
  const account = accountParam(context)
  const body = context.body as FreezeBody
  const amount = BigInt(body.amountMinor ?? '0')
  const answer = await executeOrder(desk, context, {
    ...{ operation: 'freezeAccount', requires: orderRequires.freeze, kind: 'freeze', body },
    input: { account, body },
    async plan(held, order) {
      await orderable(held, account)
      return { account, amount, items: [{ entry: { kind: 'freeze', account, amount, order }, signer: undefined }] }
    },
  })
  return { status: 201, body: answer }
}

/**
 * Lifts one freeze, whatever is left of it, and no other.
 * @throws Refusal order_executed, freeze_not_standing
 */
export const unfreezeAccount = async (desk: Desk, context: Context): Promise<Answer> => {
  const account = accountParam(context)
  const id = context.params['order'] ?? ''
  const body = context.body as OrderBody
  const answer = await executeOrder(desk, context, {
    ...{ operation: 'unfreezeAccount', requires: orderRequires.order, kind: 'unfreeze', body },
    input: { account, freeze: id, body },
    async plan({ tx }, order) {
      const { amount } = await standingFreeze(tx.query, account, id)
      return { account, amount, items: [{ entry: { kind: 'unfreeze', account, amount, order }, signer: undefined }] }
    },
    after: held => endFreeze(held, id),
  })
  return { status: 201, body: answer }
}

type SeizeBody = OrderBody & {
  amountMinor: string
  /** The account that receives; without it the treasury of the currency. */
  to?: number
  /** A freeze that the order executes: what it holds is taken first. */
  freeze?: string
}

const shrinkFreeze = async (held: Held, { id, amount }: Freeze, taken: bigint): Promise<void> => {
  if (taken === 0n) return
  if (taken === amount) return endFreeze(held, id)
  await held.tx.query('UPDATE cbdc_orders SET amount = ? WHERE id = ?', [String(amount - taken), id])
}

/**
 * Takes money from an account past its freezes; an amount that another order holds stays held. A freeze of the account
 * as a whole
 * stands on.
 * @throws Refusal order_executed, account_of_currency, freeze_not_standing, treasury_missing, funds_insufficient,
 *   payee_cannot_receive
 */
export const seizeFunds = async (desk: Desk, context: Context): Promise<Answer> => {
  const account = accountParam(context)
  const body = context.body as SeizeBody
  const amount = BigInt(body.amountMinor)
  let executed: Freeze | undefined
  let frozen = 0n
  const answer = await executeOrder(desk, context, {
    ...{ operation: 'seizeFunds', requires: orderRequires.order, kind: 'seize', body },
    input: { account, body },
    async plan(held, order) {
      const { currency } = await orderable(held, account)
      executed = body.freeze === undefined ? undefined : await standingFreeze(held.tx.query, account, body.freeze)
      const standing = executed?.amount ?? 0n
      frozen = standing < amount ? standing : amount
      const to = body.to ?? (await treasuryOf(held.tx.query, currency))
      const entry = { kind: 'seize' as const, from: account, to, currency, amount, frozen, order }
      return { account, amount, items: [{ entry, signer: undefined }] }
    },
    after: async held => {
      if (executed !== undefined) await shrinkFreeze(held, executed, frozen)
    },
  })
  return { status: 201, body: answer }
}
