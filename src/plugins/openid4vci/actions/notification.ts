import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { accessOf } from '../authorization/access.ts'
import type { Desk } from '../desk.ts'
import { notificationInvalid, notificationUnknown } from '../errors.ts'
import { endpoints } from '../metadata.ts'
import { requires } from '../policy.ts'
import { deliveryByNotification, noteEvent } from './deliveries.ts'

const events = ['credential_accepted', 'credential_failure', 'credential_deleted'] as const

/** The characters of section 11.1. What a wallet says about its reasons is held against that, and not kept. */
const described = /^[\x20\x21\x23-\x5B\x5D-\x7E]*$/

/** Notification endpoint (OpenID4VCI 1.0, section 11): staff see what became of an offer. The last event counts. */
export const notifyIssuer = async (desk: Desk, context: Context): Promise<Answer> => {
  const access = await accessOf(desk, context, { method: 'POST', path: endpoints.notification })
  const { notification_id: id, event, event_description: description } = (context.body ?? {}) as Record<string, unknown>
  if (typeof id !== 'string') throw notificationInvalid('A notification names its notification_id.')
  const named = events.find(each => each === event)
  if (named === undefined) throw notificationInvalid(`The event is one of ${events.join(', ')}.`)
  if (description !== undefined && !(typeof description === 'string' && described.test(description))) {
    throw notificationInvalid('event_description is ASCII without quotes and backslashes.')
  }
  await perform(desk.house, {
    operation: 'notifyIssuer',
    requires: requires.anyone,
    caller: context.caller,
    input: { notification: id, event: named },
    act: async tx => {
      await access.spend(tx)
      const delivery = await deliveryByNotification(tx, id)
      const isOwn = delivery !== undefined && access.issuances.includes(delivery.issuance)
      if (!isOwn || delivery.state !== 'delivered') throw notificationUnknown()
      if (delivery.event !== named) await noteEvent(tx, delivery.id, named)
      return {}
    },
  })
  return { status: 204, headers: access.headers }
}
