import type { Answer, Context, Route } from '../../../../kernel/plugin.ts'
import type { Requirement } from '../../../../kernel/requirement.ts'
import { interbankRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { cancelQueued, listQueue, reprioritise, settleInterbank } from './payments.ts'
import { resolveNetting } from './resolve.ts'
import { getNettingWindow, joinNetting, openNettingWindow, submitObligations } from './windows.ts'

type Run = (desk: Desk, context: Context) => Promise<Answer>

/** Settlement between institutions. */
export const interbankRoutes = (desk: Desk): Record<string, Route> => {
  const route = (requires: Requirement, run: Run): Route => ({ requires, run: context => run(desk, context) })
  const { participant, settlement } = interbankRequires
  return {
    settleInterbank: route(participant, settleInterbank),
    listQueue: route(participant, listQueue),
    reprioritise: route(participant, reprioritise),
    cancelQueued: route(participant, cancelQueued),
    openNettingWindow: route(settlement, openNettingWindow),
    joinNetting: route(participant, joinNetting),
    submitObligations: route(participant, submitObligations),
    getNettingWindow: route(participant, getNettingWindow),
    resolveNetting: route(settlement, resolveNetting),
  }
}
