import type { AgencyOnChain } from '../agency.ts'
import { Refusal } from '../kernel/refusal.ts'
import { moneyOf } from '../money.ts'
import { type CurrencyStanding, checkInvariant } from '../plugins/cbdc/actions/reads/invariant.ts'
import { reconcileLedger } from '../plugins/cbdc/actions/reads/reconcile.ts'
import type { Desk } from './desk.ts'

const standingLine = ({ code, issued, onLedger, onChain, inTransit }: CurrencyStanding): string =>
  `${code}: issued ${issued} = ${onLedger} on the ledger + ${onChain ?? 0n} on the chain + ${inTransit ?? 0n} in transit`

const never = (): never => {
  throw new Error('nothing is entered here')
}

/**
 * Folds the agency's ledger from its first entry, holds everything that is stored against it, and adds up what is issued. A line for
 * each difference; nothing is repaired: which of two sums is wrong is for people to find out.
 * @throws Refusal ledger_differs
 */
export const reportLedger = async (desk: Desk, agency: AgencyOnChain): Promise<void> => {
  const { needs, close } = await moneyOf(agency, { newId: never, issuerKey: never })
  try {
    let found = 0
    for await (const { where, what, stored, folded } of reconcileLedger(needs)) {
      found += 1
      desk.out(`ledger ${where} ${what}: stored ${stored}, by its entries ${folded}`)
    }
    const { currencies } = await checkInvariant(needs)
    for (const currency of currencies) {
      desk.note(standingLine(currency))
      for (const breach of currency.breaches) desk.out(`ledger ${currency.code} ${breach}`)
      found += currency.breaches.length
    }
    if (found > 0) {
      throw new Refusal('conflict', 'ledger_differs', `The ledger differs in ${found} facts; see the lines above.`)
    }
    desk.note('the ledger is what its entries make it')
  } finally {
    await close()
  }
}
