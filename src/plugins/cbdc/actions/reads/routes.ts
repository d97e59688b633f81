import type { Route } from '../../../../kernel/plugin.ts'
import { readRequires, requires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { getAccount, getAccountAt, getLedger, listEntries } from './accounts.ts'
import { discloseAccount } from './lawful.ts'
import { getBatch, getReceipt, getReservation, getTransfer } from './transfers.ts'

/** operationId → what it requires, what runs: reading the ledger. */
export const readRoutes = (desk: Desk): Record<string, Route> => ({
  getAccount: { requires: readRequires.view, run: context => getAccount(desk, context) },
  getAccountAt: { requires: readRequires.view, run: context => getAccountAt(desk, context) },
  listEntries: { requires: readRequires.view, run: context => listEntries(desk, context) },
  getTransfer: { requires: readRequires.view, run: context => getTransfer(desk, context) },
  getReservation: { requires: readRequires.view, run: context => getReservation(desk, context) },
  getReceipt: { requires: readRequires.view, run: context => getReceipt(desk, context) },
  getLedger: { requires: requires.read, run: async () => getLedger(desk) },
  getBatch: { requires: requires.read, run: context => getBatch(desk, context) },
  discloseAccount: { requires: readRequires.lawful, run: context => discloseAccount(desk, context) },
})
