import type { Route } from '../../kernel/plugin.ts'
import { evaluateAliases } from './actions/evaluate.ts'
import { lookUpAlias } from './actions/look-up.ts'
import { registerAlias, removeAlias } from './actions/register.ts'
import { resolvePaymentAddress } from './actions/resolve.ts'
import type { AliasesNeeds } from './needs.ts'
import { requires } from './policy.ts'

/** operationId → what it requires, what runs. */
export const routes = (needs: AliasesNeeds): Record<string, Route> => ({
  evaluateAliases: { requires: requires.ask, run: context => evaluateAliases(needs, context) },
  lookUpAlias: { requires: requires.ask, run: context => lookUpAlias(needs, context) },
  registerAlias: { requires: requires.own, run: context => registerAlias(needs, context) },
  removeAlias: { requires: requires.own, run: context => removeAlias(needs, context) },
  resolvePaymentAddress: { requires: requires.resolve, run: context => resolvePaymentAddress(needs, context) },
})
