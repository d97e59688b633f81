import { sameOrder } from '../../../../kernel/order-key.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../../kernel/ports.ts'
import { orderExecuted } from '../../assets/errors.ts'
import type { Fields } from '../../extract.ts'
import { partiesNotDistinct } from '../../land/errors.ts'
import { convey, parseShare, type ShareText } from '../../land/shares.ts'
import type { OrderInput } from '../../order-input.ts'
import { currentCredentials, type Step } from '../entries.ts'
import { assertLegalBasis } from '../prepare.ts'
import { outdated, signFor, stillHeld, withHolders } from './credentials.ts'
import { enact, type LandDesk, landRegister } from './desk.ts'
import { enterNamed, type PartyInput } from './parties.ts'
import { assertFields } from './register.ts'
import { assertOpen, assertUnchanged, changeTitle, lockTitle, standingTitle, titleView } from './titles.ts'

/** What officers change by themselves: what a title says besides its land, and owners under an order of a court. */

type AmendBody = { version: number; fields: Fields; legalBasis: string; reason: string }

/** Corrects what a title says of its land; owners' credentials are issued anew for the keys they had. */
export const amendTitle = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const id = context.params['title'] ?? ''
  const body = context.body as AmendBody
  const { fields, legalBasis, reason } = body
  const answer = await enact(desk, context, {
    operation: 'amendTitle',
    requires: 'decision',
    register,
    input: { title: id, ...body },
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      assertFields(register, fields)
      const title = await standingTitle(desk, id, register.name)
      assertOpen(title.entry, desk.house.clock.now())
      assertUnchanged(title, body.version)
      const { number } = title.entry
      return signFor(desk, register, { number, fields, legalBasis, parcels: title.parcels }, title.owners)
    },
    act: async (acting, signed) => {
      const title = await lockTitle(desk, acting.tx, id, register.name)
      assertUnchanged(title, body.version)
      const current = await currentCredentials(acting.tx, id)
      const issued = stillHeld(signed, title.owners)
      const ended = current.map(credential => credential.id)
      const changed = await changeTitle(desk, acting, title, {
        kind: 'amended',
        fields,
        legalBasis,
        reason,
        issued,
        ended,
      })
      return titleView(changed)
    },
  })
  return { status: 200, body: answer }
}

type ExecuteBody = {
  version: number
  order: OrderInput
  /** Id of the party whose share it takes, from the full extract. */
  from: string
  to: PartyInput
  share: ShareText
  legalBasis: string
}

const byOrder = 'transferred-by-order'

/** An order takes effect once on a title, as one over units does, however it is spelt. @throws Refusal order_executed */
const assertNotExecuted = async (tx: Tx, title: string, order: OrderInput): Promise<void> => {
  const sql = `SELECT step FROM registry_history WHERE entry = ? AND step LIKE '%"kind":"${byOrder}"%'`
  const rows = await tx.query<Row & { step: string }>(sql, [title])
  const executed = rows.some(({ step }) => {
    const { kind, detail } = JSON.parse(step) as Step
    const under = detail?.['under'] as OrderInput | undefined
    return kind === byOrder && under !== undefined && sameOrder(under, order)
  })
  if (executed) throw orderExecuted()
}

/**
 * Carries out an order of a court that gives a share to another, past whatever blocks the title; what lies on it stays,
 * blocks included, until it is lifted. The token goes back to the register, by a forced transfer under this order.
 */
export const transferByOrder = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const id = context.params['title'] ?? ''
  const body = context.body as ExecuteBody
  const answer = await enact(desk, context, {
    operation: 'transferByOrder',
    requires: 'decision',
    register,
    input: { title: id, ...body },
    prepare: async () => {
      assertLegalBasis(register, body.legalBasis)
      return parseShare(body.share)
    },
    act: async (acting, share) => {
      const { tx } = acting
      const title = await lockTitle(desk, tx, id, register.name)
      assertUnchanged(title, body.version)
      await assertNotExecuted(tx, id, body.order)
      const to = await enterNamed(desk, tx, register.name, body.to)
      if (to === body.from) throw partiesNotDistinct()
      const owners = withHolders(convey(title.owners, { from: body.from, to, share }), title.owners)
      const order = desk.newId()
      const changed = await changeTitle(desk, acting, title, {
        ...{
          kind: byOrder,
          owners,
          wallet: null,
          legalBasis: body.legalBasis,
          order,
          forcedUnder: order,
        },
        ended: await outdated(tx, title, owners),
        detail: { deed: { from: body.from, to, share: body.share }, under: body.order },
      })
      return { ...titleView(changed), order }
    },
  })
  return { status: 200, body: answer }
}
