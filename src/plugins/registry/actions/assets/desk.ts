import type { Context } from '../../../../kernel/plugin.ts'
import type { ChainWrite, Tx } from '../../../../kernel/ports.ts'
import { walletBindingEnded } from '../../assets/errors.ts'
import { type AssetRequirement, assetRequirements } from '../../assets/policy.ts'
import { registerUnknown } from '../../errors.ts'
import type { LandNeeds } from '../../land/needs.ts'
import { pseudonymDomain } from '../../land/policy.ts'
import type { Register } from '../../soundness.ts'
import type { Desk } from '../desk.ts'
import { enact as enactPrepared, type PreparedAct } from '../enact.ts'

/** Holders of units are known as parties to land are; what that needs is the same. */
export type AssetDesk = Desk & LandNeeds

export type AssetRegister = Register & { quantity: NonNullable<Register['quantity']> }

/** @throws Refusal register_unknown, also for a register of another kind. */
export const assetRegister = (desk: AssetDesk, context: Context): AssetRegister => {
  const register = desk.register(context.params['register'])
  if (register.kind !== 'quantity' || register.quantity === undefined) throw registerUnknown()
  return { ...register, quantity: register.quantity }
}

export type AssetAct<Prepared, Output> = Omit<PreparedAct<Prepared, Output>, 'requires'> & {
  requires: AssetRequirement
  register: AssetRegister
}

/** An act on a class or its units, under the requirement that its register has for it. */
export const enact = <Prepared, Output>(
  desk: AssetDesk,
  context: Context,
  { requires, register, input, ...work }: AssetAct<Prepared, Output>,
): Promise<Output> =>
  enactPrepared(desk, context, {
    ...work,
    requires: assetRequirements[requires](register),
    input: { register: register.name, ...input },
  })

/** Nothing more goes to a wallet behind which nobody stands. @throws Refusal wallet_binding_ended */
export const assertReceivable = (desk: AssetDesk, register: AssetRegister, wallet: string | null): void => {
  if (wallet === null || desk.wallets?.standing(wallet, pseudonymDomain(register.name)).valid) return
  throw walletBindingEnded()
}

/** Units that stay at the registrar under another name need no transaction. */
export const enqueue = async (
  desk: AssetDesk,
  tx: Tx,
  register: AssetRegister,
  writes: ChainWrite[],
): Promise<void> => {
  if (register.tokens === 'none' || writes.length === 0) return
  await desk.outbox.enqueue(tx, writes)
}
