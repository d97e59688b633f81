import type { Answer, Context, Route } from '../../../../kernel/plugin.ts'
import { type LandRequirement, landRequirements } from '../../land/policy.ts'
import { anyone, byRegister } from '../../policy.ts'
import { amendTitle, transferByOrder } from './amend.ts'
import { collectTitle } from './credentials.ts'
import type { LandDesk } from './desk.ts'
import { mergeTitles, splitTitle } from './divide.ts'
import {
  consentToMortgage,
  dischargeByOrder,
  dischargeMortgage,
  postponeMortgage,
  registerMortgage,
} from './mortgages.ts'
import { endInterest, liftCaveat, lodgeCaveat, registerInterest } from './orders.ts'
import { getPaymentTerms } from './payments.ts'
import { getFullTitle, getTitle, listParcels } from './read.ts'
import { registerTitle } from './register.ts'
import { registerSuccession } from './succession.ts'
import { transferTitle } from './transfer.ts'

type Action = (desk: LandDesk, context: Context) => Promise<Answer>

/**
 * What registers of kind `land` add: operationId → what it requires, what runs.
 * @throws Error for a register that leaves transfers to wallets: owners follow deeds, and no deed would be made.
 */
export const landRoutes = (desk: LandDesk): Record<string, Route> => {
  const land = desk.registers.filter(({ kind }) => kind === 'land')
  const led = land.find(({ walletTransfers }) => walletTransfers !== undefined)
  if (led !== undefined) {
    throw new Error(`The register ${led.name}: walletTransfers cannot be met; titles move by the register alone.`)
  }
  const open = (action: Action): Route => ({ requires: anyone, run: context => action(desk, context) })
  const of = (requirement: LandRequirement, action: Action): Route => ({
    requires: byRegister(land, landRequirements[requirement]),
    run: context => action(desk, context),
  })
  return {
    getTitle: open(getTitle),
    getFullTitle: of('reader', getFullTitle),
    listParcels: open(listParcels),
    collectTitle: of('owner', collectTitle),
    registerTitle: of('decision', registerTitle),
    splitTitle: of('decision', splitTitle),
    mergeTitles: of('decision', mergeTitles),
    getPaymentTerms: open(getPaymentTerms),
    transferTitle: of('transfer', transferTitle),
    registerMortgage: of('mortgage', registerMortgage),
    consentToMortgage: of('consent', consentToMortgage),
    dischargeMortgage: of('lender', dischargeMortgage),
    dischargeByOrder: of('decision', dischargeByOrder),
    postponeMortgage: of('postponement', postponeMortgage),
    lodgeCaveat: of('decision', lodgeCaveat),
    liftCaveat: of('decision', liftCaveat),
    registerInterest: of('decision', registerInterest),
    endInterest: of('decision', endInterest),
    amendTitle: of('decision', amendTitle),
    transferByOrder: of('decision', transferByOrder),
    registerSuccession: of('decision', registerSuccession),
  }
}
