import { orderKey } from '../../../kernel/order-key.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { StablecoinNeeds } from '../needs.ts'
import { requires } from '../policy.ts'
import { issuedCoin, sendAct } from './acts.ts'

type LimitsBody = { minter?: string; mintingMinor: string; burningMinor: string; reference: string; legalBasis: string }

/**
 * Sets what a minter, the issuer's own account unless another is named, may mint and burn a day. What is left of a day changes by the
 * difference; nothing of both ends the minter.
 * @throws Refusal coin_unknown, coin_issuer_only, coin_reference_taken, token_refuses
 */
export const setCoinLimits = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const coin = issuedCoin(needs, context)
  const { minter, mintingMinor, burningMinor, reference, legalBasis } = context.body as LimitsBody
  const [minting, burning] = [BigInt(mintingMinor), BigInt(burningMinor)]
  return sendAct(needs, context, {
    ...{ coin, operation: 'setCoinLimits', requires: requires.issue },
    async plan() {
      const wallet = minter?.toLowerCase() ?? (await coin.chain.standing()).issuer
      const named = orderKey({ authority: '', reference })
      const act = { kind: 'limits' as const, ...named, wallet, amount: minting, burning, legal_basis: legalBasis }
      return { act, write: coin.chain.limit(wallet, { minting, burning }) }
    },
  })
}
