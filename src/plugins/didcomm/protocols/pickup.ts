import type { Tx } from '../../../kernel/ports.ts'
import { bodyMalformed, liveModeUnsupported } from '../errors.ts'
import { answering, assertConnected, type Handler, type Handling, isDid, replyTo, wholeNumber } from '../handling.ts'
import type { Reply } from '../needs.ts'
import { deliveryMost, protocols } from '../policy.ts'
import { assertGranted } from './mediation.ts'

/** Message Pickup 3.0: whoever asked for mediation gets what waits for them, and nothing of anybody else's. */

/** One of their DIDs, where they name one; Veramo's agents say recipient_key, as version 2 did. */
const recipientOf = ({ message }: Handling): { did: string; name: string } | undefined => {
  const { recipient_did: did, recipient_key: key } = message.body
  const [name, value] = did === undefined ? ['recipient_key', key] : ['recipient_did', did]
  if (value === undefined) return undefined
  const bare = typeof value === 'string' ? value.split('#')[0] : undefined
  if (!isDid(bare)) throw bodyMalformed(`${name} is a DID.`)
  return { did: bare, name }
}

const where = 'requester = ? AND expires > ?'

type StatusRow = { n: number; bytes: string; first: number | null; last: number | null }

const statusOf = async (handling: Handling, tx: Tx): Promise<Reply> => {
  const { desk, sender, message } = handling
  const recipient = recipientOf(handling)
  const now = desk.house.clock.now()
  const sql = `SELECT count(*) AS n, CAST(coalesce(sum(bytes), 0) AS text) AS bytes, min(arrived) AS first, max(arrived) AS last
    FROM didcomm_queue WHERE ${where}${recipient === undefined ? '' : ' AND recipient = ?'}`
  const params = [sender, now, ...(recipient === undefined ? [] : [recipient.did])]
  const [row] = await tx.query<StatusRow>(sql, params)
  const seconds = (at: number): number => Math.floor(at / 1_000)
  const { first, last } = row ?? { first: null, last: null }
  const times =
    first === null || last === null
      ? {}
      : {
          longest_waited_seconds: seconds(now - Number(first)),
          newest_received_time: seconds(Number(last)),
          oldest_received_time: seconds(Number(first)),
        }
  return replyTo({ desk, message }, `${protocols.pickup}/status`, {
    ...(recipient === undefined ? {} : { [recipient.name]: message.body[recipient.name] }),
    ...{ message_count: Number(row?.n ?? 0), total_bytes: Number(row?.bytes ?? 0), live_delivery: false, ...times },
  })
}

export const requestStatus: Handler = async handling => {
  assertConnected(handling)
  return answering(handling, async tx => {
    await assertGranted(handling, tx)
    return statusOf(handling, tx)
  })
}

/** As many as are wanted and fit, the oldest first; they stay until they are acknowledged. */
const waiting = async (handling: Handling, tx: Tx, limit: number): Promise<{ id: string; message: string }[]> => {
  const { desk, sender } = handling
  const recipient = recipientOf(handling)
  const sql = `SELECT id, message FROM didcomm_queue WHERE ${where}${recipient === undefined ? '' : ' AND recipient = ?'}
    ORDER BY arrived, id LIMIT ?`
  const params = [sender, desk.house.clock.now(), ...(recipient === undefined ? [] : [recipient.did]), limit]
  const rows = await tx.query<{ id: string; message: string }>(sql, params)
  let bytes = 0
  return rows.filter(({ message }, at) => {
    bytes += message.length
    return at === 0 || bytes <= deliveryMost.bytes
  })
}

export const requestDelivery: Handler = async handling => {
  assertConnected(handling)
  const limit = wholeNumber(handling.message.body['limit'], 'limit', 1, deliveryMost.messages)
  return answering(handling, async tx => {
    await assertGranted(handling, tx)
    const rows = await waiting(handling, tx, limit)
    if (rows.length === 0) return statusOf(handling, tx)
    const recipient = recipientOf(handling)
    const body = recipient === undefined ? {} : { [recipient.name]: handling.message.body[recipient.name] }
    const attachments = rows.map(({ id, message }) => ({
      ...{ id, media_type: 'application/didcomm-encrypted+json', data: { json: JSON.parse(message) } },
    }))
    return replyTo(handling, `${protocols.pickup}/delivery`, body, attachments)
  })
}

const idsMost = 500
const isQueueId = (value: unknown): value is string => typeof value === 'string' && /^[\w-]{1,255}$/.test(value)

export const acknowledge: Handler = async handling => {
  assertConnected(handling)
  const { message_id_list: ids } = handling.message.body
  const isList = Array.isArray(ids) && ids.length <= idsMost && ids.every(isQueueId)
  if (!isList) throw bodyMalformed(`message_id_list is a list of up to ${idsMost} ids.`)
  return answering(handling, async tx => {
    await assertGranted(handling, tx)
    for (const id of ids as string[]) {
      await tx.query('DELETE FROM didcomm_queue WHERE id = ? AND requester = ?', [id, handling.sender])
    }
    return statusOf(handling, tx)
  })
}

export const changeLiveDelivery: Handler = async handling => {
  if (handling.message.body['live_delivery'] !== false) throw liveModeUnsupported()
  return requestStatus(handling)
}
