import { perform } from '../../../kernel/perform.ts'
import type { Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRecord } from '../../../kernel/record.ts'
import type { Desk } from '../desk.ts'
import { bodyMalformed, forwardLooped, queueFull, recipientUnknown } from '../errors.ts'
import { isDid, remember } from '../handling.ts'
import type { Message } from '../needs.ts'
import { mediation, messageBytesMost, requires } from '../policy.ts'

/** Routing Protocol 2.0: what a mediator is handed for somebody else. Nobody needs to say who they are. */

const isEnvelope = (value: unknown): value is Record<string, unknown> =>
  isRecord(value) && typeof value['ciphertext'] === 'string' && typeof value['protected'] === 'string'

const attachmentsMost = 10

const envelopesOf = ({ attachments }: Message): string[] => {
  if (attachments.length === 0 || attachments.length > attachmentsMost) {
    throw bodyMalformed(`A forward has one to ${attachmentsMost} attachments.`)
  }
  return attachments.map(({ json }) => {
    if (!isEnvelope(json)) throw bodyMalformed('What is forwarded is an encrypted message.')
    const text = JSON.stringify(json)
    if (Buffer.byteLength(text) > messageBytesMost)
      throw bodyMalformed(`What is forwarded has up to ${messageBytesMost} bytes.`)
    return text
  })
}

/** @throws Refusal didcomm_queue_full; the row of whoever it is kept for is locked */
const assertRoom = async (tx: Tx, requester: string, envelopes: readonly string[], now: number): Promise<void> => {
  const sql = `SELECT count(*) AS n, CAST(coalesce(sum(bytes), 0) AS text) AS bytes FROM didcomm_queue
    WHERE requester = ? AND expires > ?`
  const [row] = await tx.query<{ n: number; bytes: string }>(sql, [requester, now])
  const bytes = envelopes.reduce((sum, each) => sum + Buffer.byteLength(each), Number(row?.bytes ?? 0))
  const messages = Number(row?.n ?? 0) + envelopes.length
  if (messages > mediation.messagesMost || bytes > mediation.bytesMost) throw queueFull()
}

/** Keeps it for the recipient; for others than those who asked, nothing is kept or sent on. */
export const forward = async (desk: Desk, context: Context, message: Message, digest: string): Promise<void> => {
  const { next } = message.body
  const recipient = typeof next === 'string' ? next.split('#')[0] : undefined
  if (!isDid(recipient)) throw bodyMalformed('next is the DID it is forwarded to.')
  if (recipient === desk.messages.did) throw forwardLooped()
  const envelopes = envelopesOf(message)
  await perform(desk.house, {
    operation: 'receiveDidcommMessage',
    requires: requires.anyone,
    caller: context.caller,
    input: { message: digest, type: message.type },
    act: async tx => {
      await remember(desk, tx, digest, message)
      const sql = `UPDATE didcomm_mediations SET used = used WHERE requester =
        (SELECT requester FROM didcomm_recipients WHERE did = ?) RETURNING requester`
      const [found] = await tx.query<{ requester: string }>(sql, [recipient])
      if (found === undefined) throw recipientUnknown()
      const { requester } = found
      const now = desk.house.clock.now()
      await assertRoom(tx, requester, envelopes, now)
      const expires = Math.min(message.expires ?? Number.POSITIVE_INFINITY, now + mediation.lifeMs)
      tx.insert(
        'didcomm_queue',
        envelopes.map(text => ({
          ...{
            id: desk.newId(),
            requester,
            recipient,
            message: text,
            bytes: Buffer.byteLength(text),
            arrived: now,
            expires,
          },
        })),
      )
      return {}
    },
  })
}
