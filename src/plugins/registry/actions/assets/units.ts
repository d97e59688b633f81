import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { give, issue, parseAmount, receive, retire } from '../../assets/ledger.ts'
import { enterNamed, type PartyInput } from '../land/parties.ts'
import { assertLegalBasis } from '../prepare.ts'
import { classView, lockClass, writeSupply } from './classes.ts'
import { type AssetDesk, assertReceivable, assetRegister, enact, enqueue } from './desk.ts'
import { holdingOf, recordMovement, writeHolding } from './holdings.ts'

/** Units begin and end by decisions of officers. */

type IssueBody = { to: PartyInput; amount: string; legalBasis: string; reason?: string }

export const issueUnits = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const id = context.params['entry'] ?? ''
  const body = context.body as IssueBody
  const { legalBasis, reason } = body
  const answer = await enact(desk, context, {
    ...{ operation: 'issueUnits', requires: 'decision', register, input: { entry: id, ...body } },
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      return parseAmount(body.amount)
    },
    act: async (acting, amount) => {
      const { entry, supply } = await lockClass(desk, acting, id, register.name)
      const issued = issue(supply, amount)
      const { tx } = acting
      const receiver = await enterNamed(desk, tx, register.name, body.to)
      const held = await holdingOf(tx.query, id, receiver)
      assertReceivable(desk, register, held.wallet)
      await writeSupply(acting, id, issued)
      await writeHolding(tx, id, receiver, { ...held, ...receive(held, amount) })
      const movement = { id: desk.newId(), kind: 'issued' as const, entry, giver: null, receiver, amount }
      await recordMovement(desk, acting, { ...movement, legalBasis, reason })
      const token = { entryId: id, to: held.wallet, amount }
      await enqueue(desk, tx, register, desk.tokens.assets.issue(register.name, token))
      return { ...classView(desk, { entry, supply: issued }), movement: movement.id, party: receiver }
    },
  })
  return { status: 201, body: answer }
}

type RetireBody = { from: PartyInput; amount: string; legalBasis: string; reason: string }

export const retireUnits = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const id = context.params['entry'] ?? ''
  const body = context.body as RetireBody
  const { legalBasis, reason } = body
  const answer = await enact(desk, context, {
    ...{ operation: 'retireUnits', requires: 'decision', register, input: { entry: id, ...body } },
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      return parseAmount(body.amount)
    },
    act: async (acting, amount) => {
      const { entry, supply } = await lockClass(desk, acting, id, register.name)
      const { tx } = acting
      const giver = await enterNamed(desk, tx, register.name, body.from)
      const held = await holdingOf(tx.query, id, giver)
      const left = give(held, amount)
      const retired = retire(supply, amount)
      await writeHolding(tx, id, giver, { ...held, ...left })
      await writeSupply(acting, id, retired)
      const movement = { id: desk.newId(), kind: 'retired' as const, entry, giver, receiver: null, amount }
      await recordMovement(desk, acting, { ...movement, legalBasis, reason })
      const token = { entryId: id, from: held.wallet, amount }
      await enqueue(desk, tx, register, desk.tokens.assets.retire(register.name, token))
      return { ...classView(desk, { entry, supply: retired }), movement: movement.id, party: giver }
    },
  })
  return { status: 201, body: answer }
}
