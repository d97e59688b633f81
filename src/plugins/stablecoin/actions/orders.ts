import { type OrderName, orderKey } from '../../../kernel/order-key.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { actState, actUnknown } from '../errors.ts'
import type { StablecoinNeeds } from '../needs.ts'
import { requires } from '../policy.ts'
import { type ActRow, type Ask, issuedCoin, readActs, sendAct } from './acts.ts'

/** What the issuer does under an order of a court or an authority; each is executed once, however it is spelt. */

type OrderBody = { order: OrderName; legalBasis: string }

/** The freeze as it stands on the chain. @throws Refusal coin_act_unknown, coin_act_state */
const standingFreeze = async (ask: Ask, currency: number, id: string): Promise<ActRow> => {
  const [freeze] = await readActs(ask, `id = ? AND currency = ? AND kind = 'freeze'`, [id, currency])
  if (freeze === undefined) throw actUnknown()
  if (freeze.state !== 'done') throw actState(freeze.state)
  return freeze
}

const heldBy = ({ amount }: ActRow): bigint | undefined => (amount === 0n ? undefined : amount)

type FreezeBody = OrderBody & { wallet: string; amountMinor?: string }

/**
 * Freezes a wallet, or so much of what is in it.
 * @throws Refusal coin_unknown, coin_issuer_only, coin_reference_taken, wallet_frozen where less is there, token_refuses
 */
export const freezeWallet = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const coin = issuedCoin(needs, context)
  const { order, legalBasis, ...body } = context.body as FreezeBody
  const wallet = body.wallet.toLowerCase()
  const amount = body.amountMinor === undefined ? undefined : BigInt(body.amountMinor)
  return sendAct(needs, context, {
    ...{ coin, operation: 'freezeWallet', requires: requires.freeze },
    async plan(_tx, id) {
      const act = { kind: 'freeze' as const, ...orderKey(order), wallet, amount: amount ?? 0n, legal_basis: legalBasis }
      return { act, write: coin.chain.freeze(wallet, amount, id) }
    },
  })
}

/** Lifts a freeze. @throws Refusal coin_unknown, coin_issuer_only, coin_act_unknown, coin_act_state, token_paused, token_refuses */
export const unfreezeWallet = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const coin = issuedCoin(needs, context)
  const { order, legalBasis } = context.body as OrderBody
  return sendAct(needs, context, {
    ...{ coin, operation: 'unfreezeWallet', requires: requires.order },
    async plan(tx) {
      const freeze = await standingFreeze(tx.query, coin.number, context.params['freeze'] ?? '')
      const wallet = freeze.wallet ?? ''
      const act = { kind: 'unfreeze' as const, ...orderKey(order), wallet, amount: freeze.amount, under: freeze.id }
      return { act: { ...act, legal_basis: legalBasis }, write: coin.chain.unfreeze(wallet, heldBy(freeze), freeze.id) }
    },
  })
}

type ForceBody = OrderBody & { from: string; to: string; amountMinor: string; freeze?: string }

/**
 * Moves tokens under an order: what stands frozen under `freeze` first, then what is free.
 * @throws Refusal coin_unknown, coin_issuer_only, coin_act_unknown, coin_act_state, coin_reference_taken, wallet_frozen, token_paused,
 * token_refuses
 */
export const forceTransfer = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const coin = issuedCoin(needs, context)
  const { order, legalBasis, amountMinor, freeze, ...body } = context.body as ForceBody
  const [from, to, amount] = [body.from.toLowerCase(), body.to.toLowerCase(), BigInt(amountMinor)]
  return sendAct(needs, context, {
    ...{ coin, operation: 'forceTransfer', requires: requires.order },
    async plan(tx, id) {
      const under = freeze === undefined ? undefined : (await standingFreeze(tx.query, coin.number, freeze)).id
      const act = {
        ...{ kind: 'force' as const, ...orderKey(order), wallet: from, other: to, amount },
        ...{ legal_basis: legalBasis, under: under ?? null },
      }
      return { act, write: coin.chain.force({ from, to, amount, order: id, freeze: under }) }
    },
  })
}
