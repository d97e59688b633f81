import type { Route } from '../../kernel/plugin.ts'
import { bindWallet } from './actions/bind.ts'
import { endWalletBinding, revokeWalletBinding } from './actions/end.ts'
import { listWalletBindings } from './actions/list.ts'
import type { BindingsNeeds } from './needs.ts'
import { requires } from './policy.ts'

/** operationId → what it requires, what runs. */
export const routes = (needs: BindingsNeeds): Record<string, Route> => ({
  bindWallet: { requires: requires.bind, run: context => bindWallet(needs, context) },
  listWalletBindings: { requires: requires.own, run: context => listWalletBindings(needs, context) },
  endWalletBinding: { requires: requires.own, run: context => endWalletBinding(needs, context) },
  revokeWalletBinding: { requires: requires.revoke, run: context => revokeWalletBinding(needs, context) },
})
