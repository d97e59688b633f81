import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import { approvePendingAct, getPendingAct, listPendingActs, refusePendingAct } from './actions/pending.ts'
import { createActPresentationRequest, createSessionPresentationRequest } from './actions/presentation-requests.ts'
import { createActChallenge, getRequirement } from './actions/requirements.ts'
import { createSession, createSessionChallenge, endSession } from './actions/sessions.ts'
import type { Desk } from './desk.ts'
import { requires } from './policy.ts'

type Action = (desk: Desk, context: Context) => Promise<Answer>

/** operationId → what it requires, what runs. */
export const routes = (desk: Desk): Record<string, Route> => {
  const open = (action: Action): Route => ({ requires: requires.anyone, run: context => action(desk, context) })
  const known = (action: Action): Route => ({ requires: requires.known, run: context => action(desk, context) })
  return {
    getRequirement: open(getRequirement),
    createActChallenge: open(createActChallenge),
    createActPresentationRequest: open(createActPresentationRequest),
    createSessionChallenge: open(createSessionChallenge),
    createSessionPresentationRequest: open(createSessionPresentationRequest),
    createSession: open(createSession),
    endSession: known(endSession),
    listPendingActs: known(listPendingActs),
    getPendingAct: known(getPendingAct),
    approvePendingAct: known(approvePendingAct),
    refusePendingAct: known(refusePendingAct),
  }
}
