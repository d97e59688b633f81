import { type Caller, type HolderCaller, holderOf } from '../../../../kernel/gate.ts'
import type { Context } from '../../../../kernel/plugin.ts'
import { registerUnknown } from '../../errors.ts'
import type { LandNeeds } from '../../land/needs.ts'
import { type LandRequirement, landRequirements } from '../../land/policy.ts'
import type { Register } from '../../soundness.ts'
import type { Desk } from '../desk.ts'
import { enact as enactPrepared, type PreparedAct } from '../enact.ts'

export type LandDesk = Desk & LandNeeds

/** @throws Refusal register_unknown, also for a register of another kind. */
export const landRegister = (desk: LandDesk, context: Context): Register => {
  const register = desk.register(context.params['register'])
  if (register.kind !== 'land') throw registerUnknown()
  return register
}

/** One party of a joint act. */
export const partyIn = (caller: Caller, name: string): HolderCaller => {
  const party = holderOf(caller).parties?.[name]
  if (party === undefined) throw new Error(`a joint act was entered without its party ${name}`)
  return party
}

export type LandAct<Prepared, Output> = Omit<PreparedAct<Prepared, Output>, 'requires'> & {
  requires: LandRequirement
  register: Register
}

/** An act on a title, under the requirement that its register has for it. */
export const enact = <Prepared, Output>(
  desk: LandDesk,
  context: Context,
  { requires, register, input, ...work }: LandAct<Prepared, Output>,
): Promise<Output> =>
  enactPrepared(desk, context, {
    ...work,
    requires: landRequirements[requires](register),
    input: { register: register.name, ...input },
  })
