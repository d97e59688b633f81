import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import {
  createWorkflowExchange,
  getExchangeProtocols,
  getExchangeQr,
  getExchangeRequest,
  getInteraction,
  getWorkflowExchange,
} from './actions/exchanges.ts'
import { createPresentation, deriveCredential } from './actions/hold.ts'
import { issueByInstance, listIssuers } from './actions/issue.ts'
import { participateInExchange } from './actions/participate.ts'
import { getInstanceStatusList, updateInstanceStatus } from './actions/status.ts'
import { createWorkflow, getWorkflow } from './actions/workflows.ts'
import type { VcApiNeeds } from './needs.ts'
import { requires } from './policy.ts'

type Action = (needs: VcApiNeeds, context: Context) => Promise<Answer>

/** operationId → what it requires, what runs. */
export const routes = (needs: VcApiNeeds): Record<string, Route> => {
  const route = (of: (typeof requires)[keyof typeof requires], action: Action): Route => ({
    requires: of,
    run: context => action(needs, context),
  })
  return {
    listIssuers: route(requires.anyone, listIssuers),
    issueByInstance: route(requires.issue, issueByInstance),
    updateInstanceStatus: route(requires.status, updateInstanceStatus),
    getInstanceStatusList: route(requires.anyone, getInstanceStatusList),
    deriveCredential: route(requires.present, deriveCredential),
    createPresentation: route(requires.present, createPresentation),
    createWorkflow: route(requires.exchange, createWorkflow),
    getWorkflow: route(requires.exchange, getWorkflow),
    createWorkflowExchange: route(requires.exchange, createWorkflowExchange),
    getWorkflowExchange: route(requires.exchange, getWorkflowExchange),
    participateInExchange: route(requires.anyone, participateInExchange),
    getExchangeRequest: route(requires.anyone, getExchangeRequest),
    getExchangeProtocols: route(requires.anyone, getExchangeProtocols),
    getInteraction: route(requires.anyone, getInteraction),
    getExchangeQr: route(requires.exchange, getExchangeQr),
  }
}
