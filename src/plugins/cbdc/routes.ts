import type { Route } from '../../kernel/plugin.ts'
import { openAccount } from './actions/accounts.ts'
import { decideReservation, inspectReservedFunds, openArbiter } from './actions/arbiters.ts'
import type { Desk } from './actions/desk.ts'
import { exchangeRoutes } from './actions/exchange/routes.ts'
import { instructionRoutes } from './actions/instructions/routes.ts'
import { interbankRoutes } from './actions/interbank/routes.ts'
import { offlineRoutes } from './actions/offline/routes.ts'
import { orderRoutes } from './actions/orders/routes.ts'
import { submitBatch, submitRecords } from './actions/payments.ts'
import { purposeRoutes } from './actions/purpose/routes.ts'
import { decideMove, getMove } from './actions/rail/decide.ts'
import { listOpenMoves } from './actions/rail/open.ts'
import { readRoutes } from './actions/reads/routes.ts'
import { requestRoutes } from './actions/requests/routes.ts'
import { arbiterRequires, railRequires, requires } from './policy.ts'

/** operationId → what it requires, what runs. */
export const routes = (desk: Desk): Record<string, Route> => ({
  openAccount: { requires: requires.openAccount, run: context => openAccount(desk, context) },
  submitRecords: { requires: requires.pay, run: context => submitRecords(desk, context) },
  submitBatch: { requires: requires.payForCustomers, run: context => submitBatch(desk, context) },
  openArbiter: { requires: arbiterRequires.arbiter, run: context => openArbiter(desk, context) },
  inspectReservedFunds: { requires: arbiterRequires.arbiter, run: context => inspectReservedFunds(desk, context) },
  decideReservation: { requires: arbiterRequires.arbiter, run: context => decideReservation(desk, context) },
  decideMove: { requires: railRequires.decide, run: context => decideMove(desk, context) },
  getMove: { requires: railRequires.read, run: context => getMove(desk, context) },
  listOpenMoves: { requires: railRequires.list, run: context => listOpenMoves(desk, context) },
  ...orderRoutes(desk),
  ...interbankRoutes(desk),
  ...offlineRoutes(desk),
  ...instructionRoutes(desk),
  ...exchangeRoutes(desk),
  ...purposeRoutes(desk),
  ...requestRoutes(desk),
  ...readRoutes(desk),
})
