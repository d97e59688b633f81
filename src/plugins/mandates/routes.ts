import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import type { Requirement } from '../../kernel/requirement.ts'
import { collectMandate } from './actions/collect.ts'
import { getCompanySignatories, registerSignatories } from './actions/companies.ts'
import { issueSubMandate } from './actions/delegate.ts'
import { endMandate } from './actions/end.ts'
import { listMandates } from './actions/list.ts'
import type { MandatesNeeds } from './needs.ts'
import { requires } from './policy.ts'

type Action = (needs: MandatesNeeds, context: Context) => Promise<Answer>

/** operationId → what it requires, what runs. */
export const routes = (needs: MandatesNeeds): Record<string, Route> => {
  const route = (of: Requirement, action: Action): Route => ({
    requires: of,
    run: context => action(needs, context),
  })
  return {
    registerSignatories: route(requires.register, registerSignatories),
    getCompanySignatories: route(requires.anyone, getCompanySignatories),
    issueSubMandate: route(requires.delegate, issueSubMandate),
    collectMandate: route(requires.anyone, collectMandate),
    endMandate: route(requires.end, endMandate),
    listMandates: route(requires.read, listMandates),
  }
}
