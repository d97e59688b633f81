import type { Row, Tx } from '../../kernel/ports.ts'
import { isRefusal } from '../../kernel/refusal.ts'
import { openJson, sealJson } from '../../kernel/sealed.ts'
import type { Desk } from './desk.ts'
import { outgoingFull } from './errors.ts'
import type { Dialect, DidcommNeeds, Reply } from './needs.ts'
import {
  outgoingAtOnce,
  outgoingAttemptsMost,
  outgoingBackoffMs,
  outgoingLifeMs,
  outgoingMost,
  outgoingTryMs,
} from './policy.ts'

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

type Outcome = 'sent' | 'later' | 'never'

/** @returns whether it is worth another try. */
const send = async (desk: Desk, row: OutgoingRow): Promise<Outcome> => {
  try {
    const message = desk.outbox.open(row.id, row.sealed)
    if (message === undefined) return 'never'
    const envelope = await desk.messages.seal({ ...message, to: row.peer }, row.dialect)
    const routed = await desk.messages.route(row.peer, envelope)
    await desk.messages.post(routed.endpoint, routed.envelope)
    return 'sent'
  } catch (error) {
    return isRefusal(error) && error.kind !== 'unavailable' ? 'never' : 'later'
  }
}

/** Many hosts may be asked on the way, each as slow as it likes; the others of the round wait so long and no longer. */
const inTime = async (work: Promise<Outcome>, tryMs: number): Promise<Outcome> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Outcome>(resolve => {
    timer = setTimeout(resolve, tryMs, 'later')
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** What is due, those first that were tried least: what cannot be delivered holds up nothing else. */
const due = `SELECT id, peer, dialect, sealed, attempts FROM didcomm_outgoing WHERE id IN
  (SELECT id FROM didcomm_outgoing WHERE due <= ? AND expires > ? AND attempts < ${outgoingAttemptsMost}
   ORDER BY attempts, due LIMIT ${outgoingAtOnce})`

/** Counts a try before it is made: nobody is written to more often than that, whatever becomes of this process meanwhile. */
const claimed = (desk: Desk, rows: readonly OutgoingRow[], check: Check): Promise<OutgoingRow[]> =>
  desk.house.store.transaction(async tx => {
    await check(tx)
    const taken: OutgoingRow[] = []
    for (const row of rows) {
      const attempts = row.attempts + 1
      const next = desk.house.clock.now() + outgoingBackoffMs * 2 ** Math.min(attempts, 9)
      const sql = 'UPDATE didcomm_outgoing SET attempts = ?, due = ? WHERE id = ? AND attempts = ? RETURNING id'
      const found = await tx.query(sql, [attempts, next, row.id, row.attempts])
      if (found.length > 0) taken.push({ ...row, attempts })
    }
    return taken
  })

type Check = (tx: Tx) => Promise<void>

/**
 * Sends what is due. Each goes out at least once: an answer that gets lost is followed by the same message with the same id.
 * @param check belongs into the act that takes the round's messages.
 */
export const sendDue = async (desk: Desk, check: Check, tryMs: number = outgoingTryMs): Promise<number> => {
  const { store, clock } = desk.house
  const now = clock.now()
  const waiting = await store.read<OutgoingRow>(due, [now, now])
  if (waiting.length === 0) return 0
  const rows = await claimed(desk, waiting, check)
  const outcomes = await Promise.all(rows.map(async row => ({ row, outcome: await inTime(send(desk, row), tryMs) })))
  const over = outcomes.filter(({ row, outcome }) => outcome !== 'later' || row.attempts >= outgoingAttemptsMost)
  await store.transaction(async tx => {
    for (const { row } of over) await tx.query('DELETE FROM didcomm_outgoing WHERE id = ?', [row.id])
  })
  return rows.length
}
