import { sameOrder } from '../../../../kernel/order-key.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import {
  assertUnblocked,
  type Interest,
  type InterestKind,
  interestOf,
  isOrder,
  isPlain,
  without,
} from '../../land/encumbrances.ts'
import { encumbranceUnknown, interestNotEnded, orderTaken } from '../../land/errors.ts'
import type { OrderInput } from '../../order-input.ts'
import type { Register } from '../../soundness.ts'
import type { Acting } from '../entries.ts'
import { assertLegalBasis } from '../prepare.ts'
import { enact, type LandDesk, landRegister } from './desk.ts'
import { enterNamed, type PartyInput } from './parties.ts'
import { changeTitle, lockTitle, type Title, titleView } from './titles.ts'

/** What officers enter on a title: orders that block it, and plain rights, restrictions and responsibilities. */

type Decision<Body> = { acting: Acting; title: Title; register: Register; body: Body }

/** What an officer decides about one title, on a legal basis. */
const decide = <Body extends { legalBasis: string }>(
  desk: LandDesk,
  context: Context,
  operation: string,
  act: (decision: Decision<Body>) => Promise<Record<string, unknown>>,
): Promise<Record<string, unknown>> => {
  const register = landRegister(desk, context)
  const { register: _, ...named } = context.params
  const body = context.body as Body
  return enact(desk, context, {
    ...{ operation, requires: 'decision', register, input: { ...named, ...body } },
    prepare: async () => assertLegalBasis(register, body.legalBasis),
    act: async acting => {
      const title = await lockTitle(desk, acting.tx, named['title'] ?? '', register.name)
      return act({ acting, title, register, body })
    },
  })
}

type LodgeBody = { kind: 'caveat' | 'court-order'; order: OrderInput; legalBasis: string; reason?: string }

/** A caveat or an order of a court: until it is lifted nothing of the title is disposed of, and its token is frozen. */
export const lodgeCaveat = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const answer = await decide<LodgeBody>(desk, context, 'lodgeCaveat', async ({ acting, title, body }) => {
    const same = (each: Interest): boolean => {
      const order = each.terms['order'] as OrderInput | undefined
      return order !== undefined && sameOrder(order, body.order)
    }
    if (title.interests.some(each => isOrder(each) && same(each))) throw orderTaken()
    const order = desk.newId()
    const interest: Interest = {
      ...{ id: order, origin: order, kind: body.kind, rank: null, party: null, legalBasis: body.legalBasis },
      ...{ terms: { order: body.order }, registeredAt: desk.house.clock.now() },
    }
    const changed = await changeTitle(desk, acting, title, {
      ...{ kind: 'blocked', legalBasis: body.legalBasis, interests: [...title.interests, interest], order },
      ...(body.reason !== undefined && { reason: body.reason }),
      writes: (name, entryId) => desk.tokens.titles.freeze(name, { entryId, order }),
    })
    return { ...titleView(changed), order }
  })
  return { status: 201, body: answer }
}

type LiftBody = { legalBasis: string; order?: OrderInput; reason?: string }

export const liftCaveat = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const { order = '' } = context.params
  const answer = await decide<LiftBody>(desk, context, 'liftCaveat', async ({ acting, title, body }) => {
    if (!isOrder(interestOf(title.interests, order))) throw encumbranceUnknown()
    const changed = await changeTitle(desk, acting, title, {
      ...{ kind: 'unblocked', legalBasis: body.legalBasis, interests: without(title.interests, order), order },
      ...(body.order !== undefined && { detail: { lifting: body.order } }),
      ...(body.reason !== undefined && { reason: body.reason }),
      writes: (name, entryId) => desk.tokens.titles.unfreeze(name, { entryId, order }),
    })
    return titleView(changed)
  })
  return { status: 200, body: answer }
}

type InterestBody = {
  kind: Extract<InterestKind, 'usufruct' | 'lease' | 'easement' | 'responsibility'>
  /** Whom it is for; an easement may be for the public, a responsibility for nobody in particular. */
  for?: PartyInput
  description: string
  legalBasis: string
  documentSha256?: string
}

export const registerInterest = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const answer = await decide<InterestBody>(
    desk,
    context,
    'registerInterest',
    async ({ acting, title, register, body }) => {
      // A duty of public law is no disposal.
      if (body.kind !== 'responsibility') assertUnblocked(title.interests)
      const party = body.for === undefined ? null : await enterNamed(desk, acting.tx, register.name, body.for)
      const interest = desk.newId()
      const { kind, description, legalBasis, documentSha256 } = body
      const added: Interest = {
        ...{ id: interest, origin: interest, kind, rank: null, party, legalBasis },
        terms: { description, ...(documentSha256 !== undefined && { documentSha256 }) },
        registeredAt: desk.house.clock.now(),
      }
      const interests = [...title.interests, added]
      const changed = await changeTitle(desk, acting, title, { kind: 'encumbered', legalBasis, interests })
      return { ...titleView(changed), interest }
    },
  )
  return { status: 201, body: answer }
}

type EndBody = { legalBasis: string; reason?: string }

export const endInterest = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const { interest = '' } = context.params
  const answer = await decide<EndBody>(desk, context, 'endInterest', async ({ acting, title, body }) => {
    if (!isPlain(interestOf(title.interests, interest))) throw interestNotEnded()
    const changed = await changeTitle(desk, acting, title, {
      ...{ kind: 'released', legalBasis: body.legalBasis, interests: without(title.interests, interest) },
      ...{ detail: { interest }, ...(body.reason !== undefined && { reason: body.reason }) },
    })
    return titleView(changed)
  })
  return { status: 200, body: answer }
}
