import type { CbdcNeeds } from '../needs.ts'
import { type Attest, openAttest } from './attest.ts'
import { type Ledger, openLedger } from './execute.ts'

/** What every operation of the ledger has at hand. */
export type Desk = CbdcNeeds & { ledger: Ledger; attest: Attest }

export const openDesk = (needs: CbdcNeeds): Desk => ({ ...needs, ledger: openLedger(needs), attest: openAttest(needs) })
