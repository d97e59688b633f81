import type { Answer, Context, Route } from '../../../../kernel/plugin.ts'
import type { Requirement } from '../../../../kernel/requirement.ts'
import { orderRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { closeAccount, closeServedAccount, setAccountLevel } from './accounts.ts'
import { getPolicy, listCurrencies, openCurrency, setPolicy } from './currencies.ts'
import { freezeAccount, seizeFunds, unfreezeAccount } from './freezes.ts'
import { accrueInterest } from './interest.ts'
import {
  issueMoney,
  listRedemptions,
  redeemMoney,
  refuseRedemption,
  requestRedemption,
  withdrawRedemption,
} from './issuance.ts'
import { executeKeyOrder, listKeyOrders, objectToKeyOrder, orderKeyChange } from './key-orders.ts'
import { admitParticipant, endParticipant, listParticipants } from './participants.ts'

type Run = (desk: Desk, context: Context) => Promise<Answer>

/** Issuance, orders and policy. */
export const orderRoutes = (desk: Desk): Record<string, Route> => {
  const route = (requires: Requirement, run: Run): Route => ({ requires, run: context => run(desk, context) })
  return {
    openCurrency: route(orderRequires.govern, openCurrency),
    setPolicy: route(orderRequires.govern, setPolicy),
    listCurrencies: route(orderRequires.anyone, listCurrencies),
    getPolicy: route(orderRequires.anyone, getPolicy),
    admitParticipant: route(orderRequires.participants, admitParticipant),
    endParticipant: route(orderRequires.participants, endParticipant),
    listParticipants: route(orderRequires.anyone, listParticipants),
    issueMoney: route(orderRequires.issue, issueMoney),
    requestRedemption: route(orderRequires.participant, requestRedemption),
    listRedemptions: route(orderRequires.redemptions, listRedemptions),
    redeemMoney: route(orderRequires.issue, redeemMoney),
    refuseRedemption: route(orderRequires.redemptions, refuseRedemption),
    withdrawRedemption: route(orderRequires.participant, withdrawRedemption),
    freezeAccount: route(orderRequires.freeze, freezeAccount),
    unfreezeAccount: route(orderRequires.order, unfreezeAccount),
    seizeFunds: route(orderRequires.order, seizeFunds),
    orderKeyChange: route(orderRequires.order, orderKeyChange),
    executeKeyOrder: route(orderRequires.freeze, executeKeyOrder),
    objectToKeyOrder: route(orderRequires.anyone, objectToKeyOrder),
    listKeyOrders: route(orderRequires.owner, listKeyOrders),
    closeAccount: route(orderRequires.order, closeAccount),
    closeServedAccount: route(orderRequires.participant, closeServedAccount),
    setAccountLevel: route(orderRequires.participant, setAccountLevel),
    accrueInterest: route(orderRequires.interest, accrueInterest),
  }
}
