import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { applicationDecided } from '../errors.ts'
import { decisionRequirement, officerRequirement } from '../policy.ts'
import {
  type Application,
  assertApplicationState,
  assertNotOwn,
  changeApplication,
  lockApplication,
  officerNumberOf,
  openStates,
  viewOf,
} from './applications.ts'
import type { Desk } from './desk.ts'
import { assertLegalBasis } from './prepare.ts'

/** What an officer does before, or instead of, granting. */

/** @throws Refusal application_decided, application_state */
export const assertUndecided = (application: Application): void => {
  if (!openStates.includes(application.state)) throw applicationDecided(application.state)
  assertApplicationState(application, ['in_review'])
}

/** An officer takes an application into review. */
export const takeApplication = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const id = context.params['application'] ?? ''
  const changed = await perform(desk.house, {
    operation: 'takeApplication',
    requires: officerRequirement(register),
    caller: context.caller,
    input: { register: register.name, application: id },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const application = await lockApplication(tx, id, register.name)
      assertNotOwn(application, context.caller)
      if (!openStates.includes(application.state)) throw applicationDecided(application.state)
      assertApplicationState(application, ['submitted'])
      const officer = officerNumberOf(context.caller) ?? null
      return viewOf(await changeApplication(desk, tx, application, { state: 'in_review', officer }))
    },
  })
  return { status: 200, body: changed }
}

/** Sends an application back to the applicant, saying what is wanted. */
export const askForChanges = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const id = context.params['application'] ?? ''
  const { asked } = context.body as { asked: string }
  const changed = await perform(desk.house, {
    operation: 'askForChanges',
    requires: officerRequirement(register),
    caller: context.caller,
    input: { register: register.name, application: id, asked },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const application = await lockApplication(tx, id, register.name)
      assertNotOwn(application, context.caller)
      assertUndecided(application)
      return viewOf(await changeApplication(desk, tx, application, { state: 'changes_asked', asked }))
    },
  })
  return { status: 200, body: changed }
}

type RefuseBody = { legalBasis: string; reasons: string[] }

/** Refuses an application, with reasons and on a legal basis. */
export const refuseApplication = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const id = context.params['application'] ?? ''
  const { legalBasis, reasons } = context.body as RefuseBody
  const changed = await perform(desk.house, {
    operation: 'refuseApplication',
    requires: decisionRequirement(register),
    caller: context.caller,
    input: { register: register.name, application: id, legalBasis, reasons },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      assertLegalBasis(register, legalBasis)
      const application = await lockApplication(tx, id, register.name)
      assertNotOwn(application, context.caller)
      assertUndecided(application)
      const changes = { state: 'refused', reasons, legalBasis } as const
      return viewOf(await changeApplication(desk, tx, application, changes))
    },
  })
  return { status: 200, body: changed }
}
