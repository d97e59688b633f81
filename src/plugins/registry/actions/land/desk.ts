import { admit, type Caller, type HolderCaller } from '../../../../kernel/gate.ts'
import { perform } from '../../../../kernel/perform.ts'
import type { Context } from '../../../../kernel/plugin.ts'
import { isRefusal, type Refusal } from '../../../../kernel/refusal.ts'
import { registerUnknown } from '../../errors.ts'
import type { LandNeeds } from '../../land/needs.ts'
import { type LandRequirement, landRequirements } from '../../land/policy.ts'
import type { Register } from '../../soundness.ts'
import type { Desk } from '../desk.ts'
import type { Acting } from '../entries.ts'

export type LandDesk = Desk & LandNeeds

/** @throws Refusal register_unknown, also for a register of another kind. */
export const landRegister = (desk: LandDesk, context: Context): Register => {
  const register = desk.register(context.params['register'])
  if (register.kind !== 'land') throw registerUnknown()
  return register
}

/** A caller by credentials; a requirement of holders or parties lets no others in. */
export const holderOf = (caller: Caller): HolderCaller => {
  if (caller.kind !== 'holder') throw new Error('a route that requires credentials was entered without any')
  return caller
}

/** One party of a joint act. */
export const partyIn = (caller: Caller, name: string): HolderCaller => {
  const party = holderOf(caller).parties?.[name]
  if (party === undefined) throw new Error(`a joint act was entered without its party ${name}`)
  return party
}

export type LandAct<Prepared, Output> = {
  operation: string
  requires: LandRequirement
  register: Register
  input: Record<string, unknown>
  /** What is read, measured and signed beforehand, for the title as it stands then. */
  prepare: () => Promise<Prepared>
  act: (acting: Acting, prepared: Prepared) => Promise<Output>
}

const prepared = async <Prepared>(prepare: () => Promise<Prepared>): Promise<Prepared | Refusal> => {
  try {
    return await prepare()
  } catch (error) {
    if (isRefusal(error)) return error
    throw error
  }
}

/** What prevents the preparation is thrown within the act, so that an answer given before is given again. */
export const enact = async <Prepared, Output>(
  desk: LandDesk,
  context: Context,
  work: LandAct<Prepared, Output>,
): Promise<Output> => {
  const { caller } = context
  const requires = landRequirements[work.requires](work.register)
  // Before anything is read or measured for them; the act admits again.
  admit(caller, requires)
  const ready = await prepared(work.prepare)
  return perform(desk.house, {
    operation: work.operation,
    requires,
    caller,
    input: { register: work.register.name, ...work.input },
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      if (isRefusal(ready)) throw ready
      return work.act({ tx, record, caller }, ready)
    },
  })
}
