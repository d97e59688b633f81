import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Context } from '../../../kernel/plugin.ts'
import { isRefusal, type Refusal } from '../../../kernel/refusal.ts'
import type { Requirement } from '../../../kernel/requirement.ts'
import type { Desk } from './desk.ts'
import type { Acting } from './entries.ts'

export type PreparedAct<Prepared, Output> = {
  operation: string
  requires: Requirement
  input: Record<string, unknown>
  /** What is read, measured and signed beforehand, for what stands then. */
  prepare: () => Promise<Prepared>
  act: (acting: Acting, prepared: Prepared) => Promise<Output>
}

const outcomeOf = async <Prepared>(prepare: () => Promise<Prepared>): Promise<Prepared | Refusal> => {
  try {
    return await prepare()
  } catch (error) {
    if (isRefusal(error)) return error
    throw error
  }
}

/** What prevents the preparation is thrown within the act, so that an answer given before is given again. */
export const enact = async <Prepared, Output>(
  desk: Desk,
  context: Context,
  work: PreparedAct<Prepared, Output>,
): Promise<Output> => {
  const { caller } = context
  const { operation, requires, input } = work
  // Before anything is read or signed for them; the act admits again.
  admit(caller, requires)
  const prepared = await outcomeOf(work.prepare)
  return perform(desk.house, {
    ...{ operation, requires, caller, input },
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      if (isRefusal(prepared)) throw prepared
      return work.act({ tx, record, caller }, prepared)
    },
  })
}
