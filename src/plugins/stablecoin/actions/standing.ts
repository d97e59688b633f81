import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { StablecoinNeeds } from '../needs.ts'
import { coinOf } from './acts.ts'
import { licenceView } from './licence.ts'

/** The token as the chain has it, for anyone: supply, reserve, allowances, pause. @throws Refusal coin_unknown, chain_unavailable */
export const getStablecoin = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const coin = coinOf(needs, context)
  const { reserve, minting, burning, supply, locked, ...standing } = await coin.chain.standing()
  const minor = (amount: bigint): string => String(amount)
  const body = {
    ...{ currency: coin.number, role: coin.role, ...standing },
    ...(coin.role === 'issuer' ? { code: coin.code, decimals: coin.decimals } : {}),
    ...{ supplyMinor: minor(supply), lockedMinor: minor(locked) },
    reserve: reserve && {
      ...{ amountMinor: minor(reserve.amount), isValid: reserve.validUntil > needs.house.clock.now() },
      isCovering: reserve.amount >= supply,
      ...{ asOf: new Date(reserve.attestedAt).toISOString(), validUntil: new Date(reserve.validUntil).toISOString() },
    },
    minting: { limitMinor: minor(minting.limit), leftMinor: minor(minting.left) },
    burning: { limitMinor: minor(burning.limit), leftMinor: minor(burning.left) },
    ...(coin.role === 'issuer' ? { licence: await licenceView(needs, coin.number) } : {}),
  }
  return { status: 200, body: { ...body, reserve: body.reserve ?? null } }
}
