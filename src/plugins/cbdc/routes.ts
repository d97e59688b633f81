import type { Route } from '../../kernel/plugin.ts'
import { openAccount } from './actions/accounts.ts'
import type { Desk } from './actions/desk.ts'
import { submitBatch, submitRecords } from './actions/payments.ts'
import { decideMove, getMove } from './actions/rail/decide.ts'
import { railRequires, requires } from './policy.ts'

/** operationId → what it requires, what runs. */
export const routes = (desk: Desk): Record<string, Route> => ({
  openAccount: { requires: requires.openAccount, run: context => openAccount(desk, context) },
  submitRecords: { requires: requires.pay, run: context => submitRecords(desk, context) },
  submitBatch: { requires: requires.payForCustomers, run: context => submitBatch(desk, context) },
  decideMove: { requires: railRequires.decide, run: context => decideMove(desk, context) },
  getMove: { requires: railRequires.read, run: context => getMove(desk, context) },
})
