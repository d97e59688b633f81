import { perform } from '../../../../kernel/perform.ts'
import type { Context } from '../../../../kernel/plugin.ts'
import type { ChainWrite, Tx } from '../../../../kernel/ports.ts'
import { isRefusal, type Refusal } from '../../../../kernel/refusal.ts'
import { walletBindingEnded } from '../../assets/errors.ts'
import { type AssetRequirement, assetRequirements } from '../../assets/policy.ts'
import { registerUnknown } from '../../errors.ts'
import type { LandNeeds } from '../../land/needs.ts'
import { pseudonymDomain } from '../../land/policy.ts'
import type { Register } from '../../soundness.ts'
import type { Desk } from '../desk.ts'
import type { Acting } from '../entries.ts'

/** Holders of units are known as parties to land are; what that needs is the same. */
export type AssetDesk = Desk & LandNeeds

export type AssetRegister = Register & { quantity: NonNullable<Register['quantity']> }

/** @throws Refusal register_unknown, also for a register of another kind. */
export const assetRegister = (desk: AssetDesk, context: Context): AssetRegister => {
  const register = desk.register(context.params['register'])
  if (register.kind !== 'quantity' || register.quantity === undefined) throw registerUnknown()
  return { ...register, quantity: register.quantity }
}

export type AssetAct<Prepared, Output> = {
  operation: string
  requires: AssetRequirement
  register: AssetRegister
  input: Record<string, unknown>
  /** What is checked, read and signed beforehand. */
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
  desk: AssetDesk,
  context: Context,
  work: AssetAct<Prepared, Output>,
): Promise<Output> => {
  const ready = await prepared(work.prepare)
  const { caller } = context
  return perform(desk.house, {
    operation: work.operation,
    requires: assetRequirements[work.requires](work.register),
    caller,
    input: { register: work.register.name, ...work.input },
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      if (isRefusal(ready)) throw ready
      return work.act({ tx, record, caller }, ready)
    },
  })
}

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
