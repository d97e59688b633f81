import { createHmac, hash } from 'node:crypto'
import type { Dcql } from '../../kernel/dcql-query.ts'
import type { FormatId } from '../../kernel/identity.ts'
import type { Row, Tx } from '../../kernel/ports.ts'
import { openJson, sealJson } from '../../kernel/sealed.ts'
import { exchangeUnknown, threadUnknown, threadUsed } from './errors.ts'
import type { DidcommNeeds } from './needs.ts'

/** A credential that somebody may collect. */
export type PreparedCredential = {
  type: string
  version: number
  format: FormatId
  claims: Readonly<Record<string, unknown>>
  validUntil: number | undefined
  /** What the holder's proof answers. */
  challenge: string
}

/** A question that somebody may answer. */
export type PreparedQuestion = { dcql: Dcql; purpose: string; challenge: string }

export type ExchangeKind = 'issue' | 'present'
export type ExchangeState = 'prepared' | 'open' | 'done' | 'abandoned' | 'withdrawn'

export type Exchange<Prepared = unknown> = {
  id: string
  kind: ExchangeKind
  peer: string | undefined
  thread: string | undefined
  state: ExchangeState
  /** Gone when it has ended. */
  prepared: Prepared | undefined
  credential: string | undefined
  result: Uint8Array | undefined
  created: number
  expires: number
}

type ExchangeRow = Row & {
  id: string
  kind: ExchangeKind
  peer: string | null
  thread: string | null
  state: ExchangeState
  sealed: Uint8Array | null
  credential: string | null
  result: Uint8Array | null
  created: number
  expires: number
}

const columns = 'id, kind, peer, thread, state, sealed, credential, result, created, expires'
const sha256 = (text: string): string => hash('sha256', text, 'base64url')

/** Exchanges that staff prepared. The id of an invitation is made of the exchange's, so that no table holds it. */
export const openExchanges = ({ house, derive }: Pick<DidcommNeeds, 'house' | 'derive'>) => {
  const [sealing, locating] = [derive('didcomm exchanges'), derive('didcomm invitations')]
  const { store, clock } = house
  const contextOf = (id: string): string => `didcomm exchange ${id}`
  const invitationOf = (id: string): string => createHmac('sha256', locating).update(id).digest('base64url')

  const read = (row: ExchangeRow): Exchange => ({
    ...{ id: row.id, kind: row.kind, state: row.state, created: row.created, expires: row.expires },
    ...{ peer: row.peer ?? undefined, thread: row.thread ?? undefined, credential: row.credential ?? undefined },
    result: row.result ?? undefined,
    prepared: row.sealed === null ? undefined : openJson(sealing, row.sealed, contextOf(row.id)),
  })
  const one = async (tx: Tx, where: string, params: (string | number)[]): Promise<Exchange | undefined> => {
    const sql = `UPDATE didcomm_exchanges SET state = state WHERE ${where} RETURNING ${columns}`
    const [row] = await tx.query<ExchangeRow>(sql, params)
    return row && read(row)
  }
  const isOpen = ({ state, expires, prepared }: Exchange): boolean =>
    (state === 'prepared' || state === 'open') && expires > clock.now() && prepared !== undefined

  return {
    invitationOf,
    isOpen,
    add(
      tx: Tx,
      exchange: Pick<Exchange, 'id' | 'kind' | 'peer' | 'thread' | 'prepared' | 'created' | 'expires'>,
    ): void {
      const { id, kind, peer, thread, prepared, created, expires } = exchange
      tx.insert('didcomm_exchanges', [
        {
          ...{ id, kind, locator: sha256(invitationOf(id)), peer: peer ?? null, thread: thread ?? null },
          ...{ state: thread === undefined ? 'prepared' : 'open', credential: null, result: null, created, expires },
          sealed: sealJson(sealing, prepared, contextOf(id)),
        },
      ])
    },
    /** @throws Refusal didcomm_exchange_unknown */
    async byId(kind: ExchangeKind, id: string): Promise<Exchange> {
      const sql = `SELECT ${columns} FROM didcomm_exchanges WHERE id = ? AND kind = ?`
      const [row] = await store.read<ExchangeRow>(sql, [id, kind])
      if (row === undefined) throw exchangeUnknown()
      return read(row)
    },
    lock: (tx: Tx, kind: ExchangeKind, id: string): Promise<Exchange | undefined> =>
      one(tx, 'id = ? AND kind = ?', [id, kind]),
    /**
     * The exchange that an invitation leads to, for the first who takes it up, or for whom it was made.
     * @throws Refusal didcomm_thread_unknown also for somebody else
     */
    async takeUp<Prepared>(
      tx: Tx,
      { kind, invitation, peer, thread }: { kind: ExchangeKind; invitation: string; peer: string; thread: string },
    ): Promise<Exchange<Prepared> & { prepared: Prepared }> {
      const found = await one(tx, 'locator = ? AND kind = ?', [sha256(invitation), kind])
      const { prepared } = found ?? {}
      const isTheirs = found?.peer === undefined || found.peer === peer
      if (found === undefined || prepared === undefined || !isOpen(found) || !isTheirs) throw threadUnknown()
      const used = 'SELECT id FROM didcomm_exchanges WHERE peer = ? AND thread = ? AND id <> ?'
      if ((await tx.query(used, [peer, thread, found.id])).length > 0) throw threadUsed()
      const sql = `UPDATE didcomm_exchanges SET peer = ?, thread = ?, state = 'open' WHERE id = ?`
      await tx.query(sql, [peer, thread, found.id])
      return { ...found, peer, thread, state: 'open', prepared: prepared as Prepared }
    },
    /** The exchange on a thread with this peer, without locking it. */
    async onThread<Prepared>(kind: ExchangeKind, peer: string, thread: string) {
      const sql = `SELECT ${columns} FROM didcomm_exchanges WHERE peer = ? AND thread = ? AND kind = ?`
      const [row] = await store.read<ExchangeRow>(sql, [peer, thread, kind])
      const found = row && read(row)
      if (found?.prepared === undefined || !isOpen(found)) throw threadUnknown()
      return { ...found, prepared: found.prepared as Prepared }
    },
    /** The id of the credential that was issued on a thread with this peer, as long as its offer would have lasted. */
    async issuedOn(peer: string, thread: string): Promise<string | undefined> {
      const sql = `SELECT ${columns} FROM didcomm_exchanges
        WHERE peer = ? AND thread = ? AND kind = 'issue' AND state = 'done' AND expires > ?`
      const [row] = await store.read<ExchangeRow>(sql, [peer, thread, clock.now()])
      return row?.credential ?? undefined
    },
    /** @throws Refusal didcomm_thread_unknown when it has ended meanwhile */
    async stillOpen(tx: Tx, id: string): Promise<void> {
      const found = await one(tx, 'id = ?', [id])
      if (found === undefined || !isOpen(found)) throw threadUnknown()
    },
    async end(tx: Tx, id: string, state: ExchangeState, outcome: { credential?: string; result?: unknown } = {}) {
      const { credential, result } = outcome
      const shown = result === undefined ? null : sealJson(sealing, result, `${contextOf(id)} result`)
      const sql = `UPDATE didcomm_exchanges SET state = ?, sealed = NULL, credential = ?, result = ? WHERE id = ?`
      await tx.query(sql, [state, credential ?? null, shown, id])
    },
    /** What a peer reported ends what is on the thread with them, if anything is. */
    async abandon(tx: Tx, peer: string, threads: readonly string[]): Promise<void> {
      for (const thread of threads) {
        const sql = `UPDATE didcomm_exchanges SET state = 'abandoned', sealed = NULL
          WHERE peer = ? AND thread = ? AND state = 'open'`
        await tx.query(sql, [peer, thread])
      }
    },
    resultOf: ({ id, result }: Exchange): unknown =>
      result === undefined ? undefined : openJson(sealing, result, `${contextOf(id)} result`),
  }
}

export type ExchangeBook = ReturnType<typeof openExchanges>
