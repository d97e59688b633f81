import type { Route } from '../../kernel/plugin.ts'
import { getCoinAct } from './actions/acts.ts'
import { attestReserve, listAttestations } from './actions/attest.ts'
import { presentCoinLicence } from './actions/licence.ts'
import { setCoinLimits } from './actions/limits.ts'
import { mintTokens } from './actions/mint.ts'
import { forceTransfer, freezeWallet, unfreezeWallet } from './actions/orders.ts'
import {
  burnRedeemed,
  getTokenRedemption,
  listTokenRedemptions,
  payRedemption,
  redeemTokens,
} from './actions/redemptions.ts'
import { getStablecoin } from './actions/standing.ts'
import type { StablecoinNeeds } from './needs.ts'
import { requires } from './policy.ts'

/** operationId → what it requires, what runs. */
export const routes = (needs: StablecoinNeeds): Record<string, Route> => ({
  getStablecoin: { requires: requires.read, run: context => getStablecoin(needs, context) },
  getCoinAct: { requires: requires.read, run: context => getCoinAct(needs, context) },
  presentCoinLicence: { requires: requires.licence, run: context => presentCoinLicence(needs, context) },
  setCoinLimits: { requires: requires.issue, run: context => setCoinLimits(needs, context) },
  mintTokens: { requires: requires.issue, run: context => mintTokens(needs, context) },
  attestReserve: { requires: requires.attest, run: context => attestReserve(needs, context) },
  listAttestations: { requires: requires.read, run: context => listAttestations(needs, context) },
  redeemTokens: { requires: requires.redeem, run: context => redeemTokens(needs, context) },
  getTokenRedemption: { requires: requires.read, run: context => getTokenRedemption(needs, context) },
  listTokenRedemptions: { requires: requires.redemptions, run: context => listTokenRedemptions(needs, context) },
  burnRedeemed: { requires: requires.redemptions, run: context => burnRedeemed(needs, context) },
  payRedemption: { requires: requires.pay, run: context => payRedemption(needs, context) },
  freezeWallet: { requires: requires.freeze, run: context => freezeWallet(needs, context) },
  unfreezeWallet: { requires: requires.order, run: context => unfreezeWallet(needs, context) },
  forceTransfer: { requires: requires.order, run: context => forceTransfer(needs, context) },
})
