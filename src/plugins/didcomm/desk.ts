import { type ExchangeBook, openExchanges } from './exchanges.ts'
import type { DidcommNeeds } from './needs.ts'
import { type Outbox, openOutbox } from './outgoing.ts'
import { openSweep } from './sweep.ts'

/** What every operation of the plugin has at hand. */
export type Desk = DidcommNeeds & { exchanges: ExchangeBook; outbox: Outbox; sweep(): void }

export const openDesk = (needs: DidcommNeeds): Desk => ({
  ...needs,
  exchanges: openExchanges(needs),
  outbox: openOutbox(needs),
  sweep: openSweep(needs),
})
