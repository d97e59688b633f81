import { orderKey } from '../../../../kernel/order-key.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { freezeOfAnother, holderSame, orderExecuted } from '../../assets/errors.ts'
import { force, freeze, parseAmount, receive, unfreeze } from '../../assets/ledger.ts'
import type { OrderInput } from '../../order-input.ts'
import type { Acting } from '../entries.ts'
import { enterNamed, type PartyInput } from '../land/parties.ts'
import { assertLegalBasis } from '../prepare.ts'
import { lockClass } from './classes.ts'
import { type AssetDesk, type AssetRegister, assertReceivable, assetRegister, enact, enqueue } from './desk.ts'
import { type Freeze, holdingOf, recordMovement, shrinkFreeze, standingFreeze, writeHolding } from './holdings.ts'

/** Orders of courts and authorities: they hold units where they are, and move them. */

type FreezeBody = { of: PartyInput; amount: string; order: OrderInput; legalBasis: string; reason?: string }

/** Until the freeze is lifted, or executed, so many of the party's units stay where they are. */
export const freezeUnits = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const id = context.params['entry'] ?? ''
  const body = context.body as FreezeBody
  const { legalBasis, order } = body
  const answer = await enact(desk, context, {
    ...{ operation: 'freezeUnits', requires: 'decision', register, input: { entry: id, ...body } },
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      return parseAmount(body.amount)
    },
    act: async (acting, amount) => {
      const { tx } = acting
      await lockClass(desk, acting, id, register.name)
      const party = await enterNamed(desk, tx, register.name, body.of)
      const held = await holdingOf(tx.query, id, party)
      const after = { ...held, ...freeze(held, amount) }
      await writeHolding(tx, id, party, after)
      const named = desk.newId()
      tx.insert('asset_freezes', [
        {
          ...{ id: named, entry: id, party, amount: String(amount), terms: JSON.stringify(order) },
          ...{ legal_basis: legalBasis, since: desk.house.clock.now(), ended_at: null },
        },
      ])
      const token = { entryId: id, holder: held.wallet, amount, order: named }
      await enqueue(desk, tx, register, desk.tokens.assets.freeze(register.name, token))
      return { freeze: named, party, amount: String(amount), frozen: String(after.frozen) }
    },
  })
  return { status: 201, body: answer }
}

type LiftBody = { legalBasis: string; reason?: string; order?: OrderInput }

export const liftUnitsFreeze = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const { entry: id = '', freeze: named = '' } = context.params
  const body = context.body as LiftBody
  const answer = await enact(desk, context, {
    ...{ operation: 'liftUnitsFreeze', requires: 'decision', register, input: { entry: id, freeze: named, ...body } },
    prepare: async () => assertLegalBasis(register, body.legalBasis),
    act: async acting => {
      const { tx } = acting
      // What an order holds is not held for ever because the class has come to its end.
      await lockClass(desk, acting, id, register.name, ['active', 'lapsed'])
      const standing = await standingFreeze(tx, id, named)
      const { party, amount } = standing
      const held = await holdingOf(tx.query, id, party)
      const after = { ...held, ...unfreeze(held, amount) }
      await writeHolding(tx, id, party, after)
      await shrinkFreeze(tx, standing, amount, desk.house.clock.now())
      const token = { entryId: id, holder: held.wallet, order: named }
      await enqueue(desk, tx, register, desk.tokens.assets.unfreeze(register.name, token))
      return { freeze: named, party, amount: String(amount), frozen: String(after.frozen) }
    },
  })
  return { status: 200, body: answer }
}

/** However the order is spelt. @throws Refusal order_executed */
const executeOnce = async (acting: Acting, register: string, order: OrderInput, movement: string): Promise<void> => {
  const sql = `INSERT INTO asset_orders (register, authority, reference, movement) VALUES (?, ?, ?, ?)
    ON CONFLICT (register, authority, reference) DO NOTHING RETURNING movement`
  const { authority, reference } = orderKey(order)
  const taken = await acting.tx.query(sql, [register, authority, reference, movement])
  if (taken.length === 0) throw orderExecuted()
}

/** @throws Refusal freeze_unknown, freeze_of_another */
const executedFreeze = async (acting: Acting, entry: string, id: string | undefined, giver: string) => {
  if (id === undefined) return undefined
  const found = await standingFreeze(acting.tx, entry, id)
  if (found.party !== giver) throw freezeOfAnother()
  return found
}

type ForceBody = {
  from: PartyInput
  to: PartyInput
  amount: string
  order: OrderInput
  /** A freeze that the order executes or overrides: what it holds goes first. */
  freeze?: string
  legalBasis: string
  reason?: string
}

type Forced = { entry: string; giver: string; receiver: string; amount: bigint; freeze: Freeze | undefined }

/** Both holdings after it. @throws Refusal holder_same, units_insufficient, units_frozen */
const moveByForce = async (desk: AssetDesk, acting: Acting, register: AssetRegister, forced: Forced, order: string) => {
  const { entry, giver, receiver, amount, freeze: held } = forced
  if (giver === receiver) throw holderSame()
  const { tx } = acting
  const given = await holdingOf(tx.query, entry, giver)
  const received = await holdingOf(tx.query, entry, receiver)
  assertReceivable(desk, register, received.wallet)
  const { holding, released } = force(given, amount, held?.amount ?? 0n)
  await writeHolding(tx, entry, giver, { ...given, ...holding })
  await writeHolding(tx, entry, receiver, { ...received, ...receive(received, amount) })
  if (held !== undefined) await shrinkFreeze(tx, held, released, desk.house.clock.now())
  const token = { entryId: entry, from: given.wallet, to: received.wallet, amount, order, freeze: held?.id ?? null }
  await enqueue(desk, tx, register, desk.tokens.assets.forcedTransfer(register.name, token))
}

/** Moves units under an order, past the freeze that it names. Each order is executed once. */
export const forceTransferUnits = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const id = context.params['entry'] ?? ''
  const body = context.body as ForceBody
  const { legalBasis, order, reason } = body
  const answer = await enact(desk, context, {
    ...{ operation: 'forceTransferUnits', requires: 'decision', register, input: { entry: id, ...body } },
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      return parseAmount(body.amount)
    },
    act: async (acting, amount) => {
      const { tx } = acting
      const { entry } = await lockClass(desk, acting, id, register.name)
      const giver = await enterNamed(desk, tx, register.name, body.from)
      const receiver = await enterNamed(desk, tx, register.name, body.to)
      const freeze = await executedFreeze(acting, id, body.freeze, giver)
      const movement = desk.newId()
      await executeOnce(acting, register.name, order, movement)
      await moveByForce(desk, acting, register, { entry: id, giver, receiver, amount, freeze }, movement)
      const written = { id: movement, kind: 'forced' as const, entry, giver, receiver, amount, order }
      await recordMovement(desk, acting, { ...written, legalBasis, reason, freeze: body.freeze })
      return { movement, entry: id, giver, receiver, amount: String(amount) }
    },
  })
  return { status: 201, body: answer }
}
