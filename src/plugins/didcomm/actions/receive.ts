import type { Answer, Context } from '../../../kernel/plugin.ts'
import { isRefusal, type Refusal, type RefusalKind } from '../../../kernel/refusal.ts'
import type { Desk } from '../desk.ts'
import { senderNeeded, tooLarge, typeUnknown } from '../errors.ts'
import { answering, type Handler, type Handling } from '../handling.ts'
import type { Reply } from '../needs.ts'
import { messageBytesMost, protocols } from '../policy.ts'
import { discover, noted, ping, problemReported } from '../protocols/basic.ts'
import * as issue from '../protocols/issue.ts'
import { mediate, queryRecipients, updateRecipients } from '../protocols/mediation.ts'
import { acknowledge, changeLiveDelivery, requestDelivery, requestStatus } from '../protocols/pickup.ts'
import * as present from '../protocols/present.ts'
import { forward } from '../protocols/routing.ts'

/** What is understood, by type of message. */
const handlers: Readonly<Record<string, Handler>> = {
  [`${protocols.ping}/ping`]: ping,
  [`${protocols.ping}/ping-response`]: noted,
  [`${protocols.empty}/empty`]: noted,
  [`${protocols.discover}/queries`]: discover,
  [`${protocols.discover}/disclose`]: noted,
  [`${protocols.problem}/problem-report`]: problemReported,
  [`${protocols.issue}/propose-credential`]: issue.proposed,
  [`${protocols.issue}/request-credential`]: issue.requested,
  [`${protocols.issue}/ack`]: noted,
  [`${protocols.issue}/problem-report`]: problemReported,
  [`${protocols.present}/propose-presentation`]: present.proposed,
  [`${protocols.present}/presentation`]: present.presented,
  [`${protocols.present}/ack`]: noted,
  [`${protocols.present}/problem-report`]: problemReported,
  [`${protocols.mediation}/mediate-request`]: mediate,
  [`${protocols.mediation}/recipient-update`]: updateRecipients,
  [`${protocols.mediation}/recipient-query`]: queryRecipients,
  [`${protocols.pickup}/status-request`]: requestStatus,
  [`${protocols.pickup}/delivery-request`]: requestDelivery,
  [`${protocols.pickup}/messages-received`]: acknowledge,
  [`${protocols.pickup}/live-delivery-change`]: changeLiveDelivery,
}

/** Descriptors of problem codes (Problem Codes): what kind of thing went wrong. */
const descriptors: Readonly<Record<RefusalKind, string>> = {
  malformed: 'msg',
  unauthenticated: 'trust',
  forbidden: 'trust',
  not_found: 'req',
  conflict: 'req',
  rejected: 'req',
  too_large: 'me.res.storage',
  too_many: 'me.res',
  unavailable: 'me.res',
}

const problemCode = ({ kind, code }: Refusal): string =>
  code === 'live_mode_not_supported'
    ? 'e.m.live-mode-not-supported'
    : `e.m.${descriptors[kind]}.${code.replaceAll('_', '-')}`

/** Report Problem 2.0, on the thread below the one it is about. */
const problemReport = ({ desk, message }: Handling, refusal: Refusal): Reply => ({
  ...{ id: desk.newId(), type: `${protocols.problem}/problem-report`, pthid: message.thid },
  body: { code: problemCode(refusal), comment: refusal.message },
})

/** Of a problem with them, peers reported; nobody is told of problems with problems. */
const isReport = ({ message }: Handling): boolean => message.type.endsWith('/problem-report')

/** What is refused is told to whoever proved to have sent it; what came before gets no second answer. */
const answered = async (handling: Handling): Promise<Reply | undefined> => {
  const { type } = handling.message
  const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined
  try {
    if (handler === undefined) throw typeUnknown()
    return await handler(handling)
  } catch (error) {
    if (!isRefusal(error) || error.code === 'didcomm_replayed' || isReport(handling)) throw error
    const report = problemReport(handling, error)
    return handling.message.returnRoute ? report : answering(handling, async () => report)
  }
}

/**
 * A message of anybody (DIDComm v2.1, Transports, HTTPS). An answer goes back on the same connection where the sender asked for
 * that, and otherwise to where the sender's DID says.
 */
export const receiveDidcommMessage = async (desk: Desk, context: Context): Promise<Answer> => {
  desk.sweep()
  if (JSON.stringify(context.body).length > messageBytesMost) throw tooLarge(messageBytesMost)
  const { message, sender, signer, dialect } = await desk.messages.open(context.body)
  // Of an anonymous message what it carries, since anybody may choose its id, and wrap it anew.
  const digest = desk.messages.digest(sender, message.id, [message.body, message.attachments])
  if (message.type === `${protocols.routing}/forward`) {
    await forward(desk, context, message, digest)
    return { status: 202 }
  }
  if (sender === undefined) throw senderNeeded()
  const reply = await answered({ desk, context, message, sender, signer, dialect, digest })
  if (reply === undefined || !message.returnRoute) return { status: 202 }
  const envelope = await desk.messages.seal({ ...reply, to: sender }, dialect)
  return { status: 200, contentType: 'application/didcomm-encrypted+json', body: envelope }
}
