import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { accessOf } from '../authorization/access.ts'
import type { Desk } from '../desk.ts'
import { requestInvalid, transactionInvalid } from '../errors.ts'
import { endpoints } from '../metadata.ts'
import { requires } from '../policy.ts'
import { commit, concludeIfDone, credentialsBody, issueTo, openIssuanceOf, waitingBody } from './credential.ts'
import { deliver, deliveryByTransaction } from './deliveries.ts'
import { readMessage, replyTo } from './message.ts'

/** Deferred credential endpoint (OpenID4VCI 1.0, section 9). A transaction ends with the answer that brings its credentials. */
export const requestDeferredCredential = async (desk: Desk, context: Context): Promise<Answer> => {
  const access = await accessOf(desk, context, { method: 'POST', path: endpoints.deferred })
  const message = await readMessage(desk, context)
  const { transaction_id: transactionId } = message.content
  if (typeof transactionId !== 'string') throw requestInvalid('A deferred request names its transaction_id.')
  const reply = await replyTo(desk, message, access.headers)
  desk.sweep()
  const delivery = await deliveryByTransaction(desk.house.store, transactionId)
  const configuration = delivery && desk.configurations.get(delivery.configuration)
  if (delivery === undefined || configuration === undefined || delivery.issuance !== access.issuance) {
    throw transactionInvalid()
  }
  if (!access.configurationIds.includes(configuration.id) || delivery.state !== 'waiting') throw transactionInvalid()
  const issuance = await openIssuanceOf(desk, access)
  if (issuance.release === 'asked') return reply(202, waitingBody(desk, delivery.id))
  const issued = await issueTo(desk, configuration, issuance.prepared, delivery.holders)
  await perform(desk.house, {
    operation: 'requestDeferredCredential',
    requires: requires.anyone,
    caller: context.caller,
    input: { offer: issuance.id, configuration: configuration.id, delivery: delivery.id },
    act: async (tx, record) => {
      await access.spend(tx)
      const now = await desk.book.lock(tx, issuance.id)
      const ids = issued.map(({ id }) => id)
      if (now?.state !== 'offered' || !(await deliver(tx, delivery.id, ids))) throw transactionInvalid()
      for (const each of issued) {
        desk.issuance.store(tx, each)
        commit(record, each)
      }
      await concludeIfDone(desk, tx, now)
      return {}
    },
  })
  // notification_id may stand here, but wallets made with @openid4vc/openid4vci take an answer with it for malformed.
  return reply(200, { credentials: credentialsBody(issued) })
}
