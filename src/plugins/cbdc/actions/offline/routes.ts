import type { Route } from '../../../../kernel/plugin.ts'
import { offlineRequires } from '../../offline/policy.ts'
import { readRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { getPurse, goOffline } from './go-offline.ts'
import { openVouchers } from './handed.ts'
import { listDoubleSpends } from './misuse.ts'
import { syncVouchers } from './sync.ts'

/** operationId → what it requires, what runs: paying offline. */
export const offlineRoutes = (desk: Desk): Record<string, Route> => {
  const read = openVouchers(desk)
  return {
    goOffline: { requires: offlineRequires.owner, run: context => goOffline(desk, context) },
    getPurse: { requires: readRequires.view, run: context => getPurse(desk, context) },
    syncVouchers: { requires: offlineRequires.present, run: context => syncVouchers(desk, read, context) },
    listDoubleSpends: { requires: offlineRequires.misuse, run: context => listDoubleSpends(desk, context) },
  }
}
