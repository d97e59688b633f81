import type { Row, Tx } from '../../kernel/ports.ts'
import { isRefusal } from '../../kernel/refusal.ts'
import { openJson, sealJson } from '../../kernel/sealed.ts'
import type { Desk } from './desk.ts'
import { outgoingFull } from './errors.ts'
import type { Dialect, DidcommNeeds, Reply } from './needs.ts'
import { outgoingAtOnce, outgoingAttemptsMost, outgoingBackoffMs, outgoingLifeMs, outgoingMost } from './policy.ts'

/** Messages of ours that do not go back on the connection that they answer. */
export type Outbox = {
  /** Puts one on its way with the act that it belongs to. */
  add(tx: Tx, to: { peer: string; dialect: Dialect }, message: Reply): void
  /** Strangers can have answers sent, and so not without end. @throws Refusal didcomm_outgoing_full */
  assertRoom(tx: Tx): Promise<void>
  open(id: string, sealed: Uint8Array): Reply | undefined
}

const contextOf = (id: string): string => `didcomm outgoing ${id}`

export const openOutbox = ({ house, derive, newId }: Pick<DidcommNeeds, 'house' | 'derive' | 'newId'>): Outbox => {
  const key = derive('didcomm outgoing')
  return {
    add(tx, { peer, dialect }, message) {
      const now = house.clock.now()
      const id = newId()
      tx.insert('didcomm_outgoing', [
        {
          ...{ id, peer, dialect, sealed: sealJson(key, message, contextOf(id)) },
          ...{ attempts: 0, due: now, expires: now + outgoingLifeMs },
        },
      ])
    },
    async assertRoom(tx) {
      const [row] = await tx.query<{ n: number }>('SELECT count(*) AS n FROM didcomm_outgoing')
      if (Number(row?.n ?? 0) >= outgoingMost) throw outgoingFull()
    },
    open: (id, sealed) => openJson<Reply>(key, sealed, contextOf(id)),
  }
}

type OutgoingRow = Row & { id: string; peer: string; dialect: Dialect; sealed: Uint8Array; attempts: number }

/** @returns whether it is worth another try. */
const send = async (desk: Desk, row: OutgoingRow): Promise<'sent' | 'later' | 'never'> => {
  const message = desk.outbox.open(row.id, row.sealed)
  if (message === undefined) return 'never'
  try {
    const envelope = await desk.messages.seal({ ...message, to: row.peer }, row.dialect)
    const routed = await desk.messages.route(row.peer, envelope)
    await desk.messages.post(routed.endpoint, routed.envelope)
    return 'sent'
  } catch (error) {
    return isRefusal(error) && error.kind !== 'unavailable' ? 'never' : 'later'
  }
}

/**
 * Sends what is due. Each goes out at least once: an answer that gets lost is followed by the same message with the same id.
 * @param check belongs into every act of the round.
 */
export const sendDue = async (desk: Desk, check: (tx: Tx) => Promise<void>): Promise<number> => {
  const { store, clock } = desk.house
  const now = clock.now()
  const sql = `SELECT id, peer, dialect, sealed, attempts FROM didcomm_outgoing
    WHERE due <= ? AND expires > ? ORDER BY due LIMIT ${outgoingAtOnce}`
  const rows = await store.read<OutgoingRow>(sql, [now, now])
  if (rows.length === 0) return 0
  const outcomes = await Promise.all(rows.map(async row => ({ row, outcome: await send(desk, row) })))
  await store.transaction(async tx => {
    await check(tx)
    for (const { row, outcome } of outcomes) {
      const isLast = row.attempts + 1 >= outgoingAttemptsMost
      if (outcome !== 'later' || isLast) await tx.query('DELETE FROM didcomm_outgoing WHERE id = ?', [row.id])
      else {
        const attempts = row.attempts + 1
        const due = clock.now() + outgoingBackoffMs * 2 ** Math.min(attempts, 9)
        await tx.query('UPDATE didcomm_outgoing SET attempts = ?, due = ? WHERE id = ?', [attempts, due, row.id])
      }
    }
  })
  return rows.length
}
