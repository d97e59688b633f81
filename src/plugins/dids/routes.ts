import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import { getDidLog } from './actions/log.ts'
import { resolveDid, resolveDidWithOptions } from './actions/resolve.ts'
import type { DidsNeeds } from './needs.ts'
import { requires } from './policy.ts'

type Action = (needs: DidsNeeds, context: Context) => Promise<Answer>

/** operationId → what it requires, what runs. */
export const routes = (needs: DidsNeeds): Record<string, Route> => {
  const open = (action: Action): Route => ({ requires: requires.anyone, run: context => action(needs, context) })
  return {
    resolveDid: open(resolveDid),
    resolveDidWithOptions: open(resolveDidWithOptions),
    getDidLog: open(getDidLog),
  }
}
