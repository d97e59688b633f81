import { type OrderName, orderKey } from '../../../kernel/order-key.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import {
  attestationStale,
  mintAllowanceExceeded,
  mintAwaitsOthers,
  mintBeyondReserve,
  tokenPaused,
  walletNotEligible,
} from '../errors.ts'
import type { IssuedCoin, StablecoinNeeds } from '../needs.ts'
import { coinDomain, requires } from '../policy.ts'
import { issuedCoin, readActs, sendAct } from './acts.ts'
import { assertLicensed } from './licence.ts'

type MintBody = { wallet: string; amountMinor: string; reference: string; legalBasis: string }

/** What the agency minted and the chain has not in any block yet. */
const underWay = async ({ outbox }: StablecoinNeeds, tx: Tx, currency: number): Promise<bigint> => {
  const sent = await readActs(tx.query, `currency = ? AND kind = 'mint' AND state = 'sent'`, [currency])
  let sum = 0n
  for (const { outbox: id, amount } of sent) {
    // Undefined: another act of this very moment, which nobody else sees yet.
    const state = (await outbox.state(id))?.state ?? 'queued'
    if (state === 'queued') sum += amount
  }
  return sum
}

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/**
 * As the contract judges, and then with what is under way to it. Asked in this order: first what is under way, so that what a block
 * takes in between counts twice rather than not at all; who is refused for that alone may try again.
 * @throws Refusal token_paused, attestation_stale, mint_allowance_exceeded, mint_beyond_attested_reserve, mint_awaits_others
 */
const assertMintable = async (needs: StablecoinNeeds, tx: Tx, coin: IssuedCoin, amount: bigint): Promise<void> => {
  const waiting = await underWay(needs, tx, coin.number)
  const { paused, reserve, supply, minting } = await coin.chain.standing()
  if (paused) throw tokenPaused()
  if (reserve === undefined || reserve.validUntil <= needs.house.clock.now()) throw attestationStale()
  if (amount > minting.left) throw mintAllowanceExceeded(minting.left)
  const coverable = reserve.amount - lesser(reserve.amount, supply)
  if (amount > coverable) throw mintBeyondReserve(coverable)
  if (waiting + amount > lesser(minting.left, coverable)) throw mintAwaitsOthers()
}

/** @throws Refusal wallet_not_eligible */
const assertKnown = ({ wallets }: StablecoinNeeds, { code }: IssuedCoin, wallet: string): void => {
  if (!wallets.standing(wallet, coinDomain(code)).valid) throw walletNotEligible()
}

/**
 * Mints to a wallet behind which somebody with KYC in force stands, against a payment whose reference serves once.
 * @throws Refusal coin_unknown, coin_issuer_only, coin_licence_missing, coin_licence_not_in_force, coin_licence_of_another,
 * wallet_not_eligible, token_paused, attestation_stale, mint_allowance_exceeded, mint_beyond_attested_reserve, mint_awaits_others, wallet_frozen,
 * coin_reference_taken, token_refuses
 */
export const mintTokens = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const coin = issuedCoin(needs, context)
  const { amountMinor, reference, legalBasis, ...body } = context.body as MintBody
  const [wallet, amount] = [body.wallet.toLowerCase(), BigInt(amountMinor)]
  const order: OrderName = orderKey({ authority: '', reference })
  return sendAct(needs, context, {
    ...{ coin, operation: 'mintTokens', requires: requires.issue },
    async plan(tx) {
      await assertLicensed(needs, tx.query, coin.number)
      assertKnown(needs, coin, wallet)
      await assertMintable(needs, tx, coin, amount)
      const act = { kind: 'mint' as const, ...order, wallet, amount, legal_basis: legalBasis }
      return { act, write: coin.chain.mint(wallet, amount) }
    },
  })
}
