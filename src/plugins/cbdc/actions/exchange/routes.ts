import type { Route } from '../../../../kernel/plugin.ts'
import { exchangeRequires } from '../../exchange/policy.ts'
import type { Desk } from '../desk.ts'
import { acceptExchange } from './accept.ts'
import { getLockTerms, inspectLock } from './locks.ts'
import { getExchange, offerExchange, withdrawExchange } from './offer.ts'

/** Payment versus payment, and the ledger's half of locks across the rails. */
export const exchangeRoutes = (desk: Desk): Record<string, Route> => ({
  offerExchange: { requires: exchangeRequires.party, run: context => offerExchange(desk, context) },
  acceptExchange: { requires: exchangeRequires.party, run: context => acceptExchange(desk, context) },
  withdrawExchange: { requires: exchangeRequires.party, run: context => withdrawExchange(desk, context) },
  getExchange: { requires: exchangeRequires.party, run: context => getExchange(desk, context) },
  getLockTerms: { requires: exchangeRequires.terms, run: () => getLockTerms(desk) },
  inspectLock: { requires: exchangeRequires.inspect, run: context => inspectLock(desk, context) },
})
