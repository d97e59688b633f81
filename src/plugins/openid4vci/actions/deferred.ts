import { type Asked, perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { type Access, accessOf } from '../authorization/access.ts'
import type { Configuration } from '../configurations.ts'
import type { Desk } from '../desk.ts'
import { requestInvalid, transactionInvalid } from '../errors.ts'
import { endpoints } from '../metadata.ts'
import { deferredAgainMs, requires } from '../policy.ts'
import {
  type Collected,
  commit,
  concludeIfDone,
  credentialsBody,
  issueTo,
  openIssuanceOf,
  waitingBody,
} from './credential.ts'
import { type Delivery, deliver, deliveryByTransaction, holdersOf } from './deliveries.ts'
import { readMessage, replyTo } from './message.ts'

type Waited = { access: Access; delivery: Delivery; configuration: Configuration }

/** What the request waits for. @throws Refusal invalid_transaction_id */
const waitedFor = async (desk: Desk, access: Access, transactionId: string): Promise<Waited> => {
  const delivery = await deliveryByTransaction(desk.house.store, transactionId)
  const configuration = delivery && desk.configurations.get(delivery.configuration)
  if (delivery === undefined || configuration === undefined || !access.issuances.includes(delivery.issuance)) {
    throw transactionInvalid()
  }
  if (!access.configurationIds.includes(configuration.id)) throw transactionInvalid()
  return { access, delivery, configuration }
}

const actOf = (context: Context, { delivery, configuration }: Waited): Asked => ({
  operation: 'requestDeferredCredential',
  requires: requires.anyone,
  caller: context.caller,
  input: { offer: delivery.issuance, configuration: configuration.id, delivery: delivery.id },
})

/** The same answer once more, for a wallet that it did not reach: as long as that may be, and no longer (section 9.2). */
const deliveredBefore = async (desk: Desk, context: Context, waited: Waited): Promise<Collected[]> => {
  const { access, delivery } = waited
  if (delivery.at + deferredAgainMs <= desk.house.clock.now()) throw transactionInvalid()
  await perform(desk.house, {
    ...actOf(context, waited),
    act: async tx => {
      await access.spend(tx)
      return {}
    },
  })
  const found = new Map((await desk.issued(delivery.credentials)).map(each => [each.id, each]))
  return delivery.credentials.flatMap(id => found.get(id) ?? [])
}

/** Deferred credential endpoint (OpenID4VCI 1.0, section 9). A transaction ends with the answer that brings its credentials. */
export const requestDeferredCredential = async (desk: Desk, context: Context): Promise<Answer> => {
  const access = await accessOf(desk, context, { method: 'POST', path: endpoints.deferred })
  const message = await readMessage(desk, context)
  const { transaction_id: transactionId } = message.content
  if (typeof transactionId !== 'string') throw requestInvalid('A deferred request names its transaction_id.')
  const reply = await replyTo(desk, message, access.headers)
  const waited = await waitedFor(desk, access, transactionId)
  const { delivery, configuration } = waited
  if (delivery.state === 'delivered') {
    return reply(200, { credentials: credentialsBody(await deliveredBefore(desk, context, waited)) })
  }
  const issuance = await openIssuanceOf(desk, delivery)
  if (issuance.release === 'asked') return reply(202, waitingBody(desk, delivery.id))
  const holders = holdersOf(desk.deliveryKeys, delivery)
  if (holders.length === 0) throw transactionInvalid()
  const issued = await issueTo(desk, configuration, issuance.prepared, holders)
  await perform(desk.house, {
    ...actOf(context, waited),
    act: async (tx, record) => {
      await access.spend(tx)
      const now = await desk.book.lock(tx, issuance.id)
      const ids = issued.map(({ id }) => id)
      if (now?.state !== 'offered' || !(await deliver(tx, delivery.id, ids, desk.house.clock.now())))
        throw transactionInvalid()
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
