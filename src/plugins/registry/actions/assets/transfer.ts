import type { HolderCaller } from '../../../../kernel/gate.ts'
import { holderOf } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Tx } from '../../../../kernel/ports.ts'
import { holderSame, holdingFrozen, holdingUnknown, walletOfAnother } from '../../assets/errors.ts'
import { give, parseAmount, receive } from '../../assets/ledger.ts'
import { holderRole } from '../../assets/policy.ts'
import { pseudonymDomain } from '../../land/policy.ts'
import { partyIn } from '../land/desk.ts'
import { assertDistinct, enterParty, type Identified, identified, knownParty } from '../land/parties.ts'
import { assertLegalBasis, assertWallet } from '../prepare.ts'
import { lockClass } from './classes.ts'
import { type AssetDesk, type AssetRegister, assertReceivable, assetRegister, enact, enqueue } from './desk.ts'
import { type HeldBy, holdingOf, knownHolding, recordMovement, writeHolding } from './holdings.ts'

/** What holders do themselves: pass units on, and say where the tokens of theirs are kept. */

type Party = { caller: HolderCaller; as: Identified }

/** @throws Refusal party_unidentified */
const partyOf = (desk: AssetDesk, register: AssetRegister, caller: HolderCaller): Party => ({
  caller,
  as: identified(desk, register.name, caller, holderRole),
})

/** What of a holding its holder sees. */
export const holdingView = ({ party, amount, frozen, wallet }: HeldBy) => ({
  ...{ party, amount: String(amount), frozen: String(frozen), wallet },
})

type TransferBody = { amount: string; legalBasis: string; reason?: string }

/** Giver and receiver sign one deed over one challenge. */
export const transferUnits = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const id = context.params['entry'] ?? ''
  const body = context.body as TransferBody
  const { legalBasis, reason } = body
  const answer = await enact(desk, context, {
    ...{ operation: 'transferUnits', requires: 'transfer', register, input: { entry: id, ...body } },
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      const giver = partyOf(desk, register, partyIn(context.caller, 'giver'))
      const receiver = partyOf(desk, register, partyIn(context.caller, 'receiver'))
      return { giver, receiver, amount: parseAmount(body.amount) }
    },
    act: async (acting, { giver: from, receiver: to, amount }) => {
      const { tx } = acting
      const { entry } = await lockClass(desk, acting, id, register.name)
      const giver = await knownParty(tx.query, register.name, from.as)
      if (giver === undefined) throw holdingUnknown()
      const receiver = await enterParty(desk, tx, register.name, to.as)
      if (giver === receiver) throw holderSame()
      assertDistinct([
        { party: giver, caller: from.caller },
        { party: receiver, caller: to.caller },
      ])
      const given = await holdingOf(tx.query, id, giver)
      const received = await holdingOf(tx.query, id, receiver)
      assertReceivable(desk, register, received.wallet)
      const left = { ...given, ...give(given, amount) }
      await writeHolding(tx, id, giver, left)
      await writeHolding(tx, id, receiver, { ...received, ...receive(received, amount) })
      const movement = { id: desk.newId(), kind: 'transferred' as const, entry, giver, receiver, amount }
      await recordMovement(desk, acting, { ...movement, legalBasis, reason })
      const token = { entryId: id, from: given.wallet, to: received.wallet, amount }
      await enqueue(desk, tx, register, desk.tokens.assets.transfer(register.name, token))
      return { movement: movement.id, entry: id, giver, receiver, amount: String(amount) }
    },
  })
  return { status: 201, body: answer }
}

/**
 * A person's own wallet, as the bindings on chain say.
 * @throws Refusal wallet_of_another, wallet_not_for_register
 */
const ownWallet = (desk: AssetDesk, register: AssetRegister, wallet: string | null, holder: Identified) => {
  if (wallet === null) return null
  const named = assertWallet(register, wallet)
  const standing = named === null ? undefined : desk.wallets?.standing(named, pseudonymDomain(register.name))
  if (!standing?.valid || !holder.aliases.includes(`pseudonym:${standing.pseudonym}`)) throw walletOfAnother()
  return named
}

type PlaceBody = { wallet: string | null }

/** Brings the tokens of one's units to one's own wallet, or back to the registrar. */
export const placeHolding = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const id = context.params['entry'] ?? ''
  const body = context.body as PlaceBody
  const answer = await enact(desk, context, {
    ...{ operation: 'placeHolding', requires: 'holder', register, input: { entry: id, ...body } },
    prepare: async () => {
      const { as } = partyOf(desk, register, holderOf(context.caller))
      return { as, wallet: ownWallet(desk, register, body.wallet, as) }
    },
    act: async (acting, { as, wallet }) => {
      const { tx } = acting
      const { entry } = await lockClass(desk, acting, id, register.name)
      const held = await holdingOfCaller(tx, register, id, as)
      if (held.frozen > 0n) throw holdingFrozen()
      const { amount, wallet: from, party } = held
      if (from === wallet) return holdingView(held)
      await writeHolding(tx, id, party, { ...held, wallet })
      const movement = { id: desk.newId(), kind: 'placed' as const, entry, giver: party, receiver: party, amount }
      await recordMovement(desk, acting, { ...movement, wallet })
      const token = { entryId: id, from, to: wallet, amount }
      await enqueue(desk, tx, register, amount > 0n ? desk.tokens.assets.transfer(register.name, token) : [])
      return holdingView({ ...held, wallet })
    },
  })
  return { status: 200, body: answer }
}

/** @throws Refusal holding_unknown */
const holdingOfCaller = async (tx: Tx, register: AssetRegister, entry: string, as: Identified): Promise<HeldBy> => {
  const party = await knownParty(tx.query, register.name, as)
  const held = party === undefined ? undefined : await knownHolding(tx.query, entry, party)
  if (party === undefined || held === undefined) throw holdingUnknown()
  return { party, ...held }
}
