import type { Tx } from '../../../kernel/ports.ts'
import { isRecord } from '../../../kernel/record.ts'
import { bodyMalformed, mediationMissing } from '../errors.ts'
import { answering, assertConnected, type Handler, type Handling, isDid, replyTo, wholeNumber } from '../handling.ts'
import { mediation, protocols } from '../policy.ts'

/** Coordinate Mediation 3.0, for those who have nowhere of their own to be reached. */

/** @throws Refusal didcomm_mediation_missing */
export const assertGranted = async ({ desk, sender }: Pick<Handling, 'desk' | 'sender'>, tx: Tx): Promise<void> => {
  const sql = 'UPDATE didcomm_mediations SET used = ? WHERE requester = ? RETURNING requester'
  if ((await tx.query(sql, [desk.house.clock.now(), sender])).length === 0) throw mediationMissing()
}

/** Anybody may ask for mediation: those who then named no DID for a day give way to others. */
const madeRoom = async (tx: Tx, now: number): Promise<boolean> => {
  const before = now - mediation.unnamedMs
  // Asked again of the row itself: whoever just came back has a newer one.
  const sql = `DELETE FROM didcomm_mediations WHERE used < ? AND requester IN (SELECT m.requester FROM didcomm_mediations m
    WHERE m.used < ? AND NOT EXISTS (SELECT 1 FROM didcomm_recipients r WHERE r.requester = m.requester)
    ORDER BY m.used LIMIT 100) RETURNING requester`
  return (await tx.query(sql, [before, before])).length > 0
}

export const mediate: Handler = async handling => {
  const { desk, sender } = handling
  return answering(handling, async tx => {
    const grant = replyTo(handling, `${protocols.mediation}/mediate-grant`, { routing_did: [desk.messages.did] })
    const deny = replyTo(handling, `${protocols.mediation}/mediate-deny`, {})
    if (!desk.mediator) return deny
    const now = desk.house.clock.now()
    const counting = 'SELECT count(*) AS n FROM didcomm_mediations'
    const [row] = await tx.query<{ n: number }>(counting)
    const isFull = Number(row?.n ?? 0) >= mediation.requestersMost && !(await madeRoom(tx, now))
    const sql = isFull
      ? 'UPDATE didcomm_mediations SET used = ? WHERE requester = ? RETURNING requester'
      : `INSERT INTO didcomm_mediations (used, requester) VALUES (?, ?)
         ON CONFLICT (requester) DO UPDATE SET used = excluded.used RETURNING requester`
    const granted = await tx.query(sql, [now, sender])
    return granted.length === 0 ? deny : grant
  })
}

type Update = { recipient_did: string; action: 'add' | 'remove' }
type Result = 'success' | 'no_change' | 'client_error'

const updatesMost = 100

const updatesOf = (body: Readonly<Record<string, unknown>>): Update[] => {
  const { updates } = body
  if (!Array.isArray(updates) || updates.length > updatesMost) {
    throw bodyMalformed(`updates is a list of up to ${updatesMost}.`)
  }
  return updates.map(each => {
    const { recipient_did: did, action } = isRecord(each) ? each : {}
    if (isDid(did) && (action === 'add' || action === 'remove')) return { recipient_did: did, action }
    throw bodyMalformed('An update is a recipient_did and an action, add or remove.')
  })
}

/**
 * The first to name a DID has it, so that nobody's messages can be drawn away; but whoever the DID itself belongs to gets it
 * back.
 */
const add = async (tx: Tx, did: string, requester: string, now: number): Promise<Result> => {
  const [known] = await tx.query<{ requester: string }>('SELECT requester FROM didcomm_recipients WHERE did = ?', [did])
  if (known?.requester === requester) return 'no_change'
  if (known !== undefined && did !== requester) return 'client_error'
  const [row] = await tx.query<{ n: number }>('SELECT count(*) AS n FROM didcomm_recipients WHERE requester = ?', [
    requester,
  ])
  if (Number(row?.n ?? 0) >= mediation.recipientsMost) return 'client_error'
  const sql =
    known === undefined
      ? `INSERT INTO didcomm_recipients (requester, added, did) VALUES (?, ?, ?) ON CONFLICT (did) DO NOTHING RETURNING did`
      : 'UPDATE didcomm_recipients SET requester = ?, added = ? WHERE did = ? RETURNING did'
  // Somebody else may have been faster.
  if ((await tx.query(sql, [requester, now, did])).length === 0) return 'client_error'
  const moved = 'UPDATE didcomm_queue SET requester = ? WHERE requester = ? AND recipient = ?'
  // What waits was written to the DID, not to whoever named it first.
  if (known !== undefined) await tx.query(moved, [requester, known.requester, did])
  return 'success'
}

const remove = async (tx: Tx, did: string, requester: string): Promise<Result> => {
  const sql = 'DELETE FROM didcomm_recipients WHERE did = ? AND requester = ? RETURNING did'
  return (await tx.query(sql, [did, requester])).length === 0 ? 'no_change' : 'success'
}

export const updateRecipients: Handler = async handling => {
  const { desk, sender, message } = handling
  const updates = updatesOf(message.body)
  return answering(handling, async tx => {
    await assertGranted(handling, tx)
    const updated: (Update & { result: Result })[] = []
    for (const update of updates) {
      const { recipient_did: did, action } = update
      const isAdded = action === 'add'
      const result = isAdded ? await add(tx, did, sender, desk.house.clock.now()) : await remove(tx, did, sender)
      updated.push({ ...update, result })
    }
    return replyTo(handling, `${protocols.mediation}/recipient-update-response`, { updated })
  })
}

export const queryRecipients: Handler = async handling => {
  assertConnected(handling)
  const { sender, message } = handling
  const { paginate } = message.body
  if (paginate !== undefined && !isRecord(paginate)) throw bodyMalformed('paginate is a limit and an offset.')
  const limit = paginate === undefined ? mediation.recipientsMost : wholeNumber(paginate['limit'], 'limit', 1, 100)
  const offset = paginate === undefined ? 0 : wholeNumber(paginate['offset'], 'offset', 0, mediation.recipientsMost)
  return answering(handling, async tx => {
    await assertGranted(handling, tx)
    const all = await tx.query<{ did: string }>(
      `SELECT did FROM didcomm_recipients WHERE requester = ? ORDER BY did LIMIT ${mediation.recipientsMost}`,
      [sender],
    )
    const dids = all.slice(offset, offset + limit).map(({ did }) => ({ recipient_did: did }))
    const remaining = Math.max(0, all.length - offset - dids.length)
    const pagination = paginate === undefined ? {} : { pagination: { count: dids.length, offset, remaining } }
    return replyTo(handling, `${protocols.mediation}/recipient`, { dids, ...pagination })
  })
}
