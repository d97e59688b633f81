import type { Answer, Context, Route } from '../../../../kernel/plugin.ts'
import { type AssetRequirement, assetRequirements } from '../../assets/policy.ts'
import { anyone, byRegister } from '../../policy.ts'
import { certifyHolding } from './certificate.ts'
import { changeAssetCap, getAssetClass, openAssetClass } from './classes.ts'
import type { AssetDesk } from './desk.ts'
import { forceTransferUnits, freezeUnits, liftUnitsFreeze } from './orders.ts'
import { listHoldings, listMovements } from './read.ts'
import { placeHolding, transferUnits } from './transfer.ts'
import { issueUnits, retireUnits } from './units.ts'

type Action = (desk: AssetDesk, context: Context) => Promise<Answer>

/**
 * What registers of kind `quantity` add: operationId → what it requires, what runs.
 * @throws Error for a register that leaves transfers to wallets: the register leads, and would not know of them.
 */
export const assetRoutes = (desk: AssetDesk): Record<string, Route> => {
  const quantities = desk.registers.filter(({ kind }) => kind === 'quantity')
  const led = quantities.find(({ quantity }) => quantity?.walletTransfers !== undefined)
  if (led !== undefined) {
    throw new Error(
      `The register ${led.name}: quantity.walletTransfers cannot be met; units move by the register alone.`,
    )
  }
  const of = (requirement: AssetRequirement, action: Action): Route => ({
    requires: byRegister(quantities, assetRequirements[requirement]),
    run: context => action(desk, context),
  })
  return {
    getAssetClass: { requires: anyone, run: context => getAssetClass(desk, context) },
    openAssetClass: of('decision', openAssetClass),
    changeAssetCap: of('decision', changeAssetCap),
    issueUnits: of('decision', issueUnits),
    retireUnits: of('decision', retireUnits),
    transferUnits: of('transfer', transferUnits),
    placeHolding: of('holder', placeHolding),
    freezeUnits: of('decision', freezeUnits),
    liftUnitsFreeze: of('decision', liftUnitsFreeze),
    forceTransferUnits: of('decision', forceTransferUnits),
    listHoldings: of('reader', listHoldings),
    listMovements: of('reader', listMovements),
    certifyHolding: of('holder', certifyHolding),
  }
}
