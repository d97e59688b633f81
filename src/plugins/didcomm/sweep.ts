import type { Row, Tx } from '../../kernel/ports.ts'
import type { DidcommNeeds } from './needs.ts'
import { answerKeptMs, exchangeKeptMs, mediation, sweepEveryMs } from './policy.ts'

const chunkRows = 500

const drop = (table: string, key: string, column: string): string => `DELETE FROM ${table} WHERE ${key} IN
  (SELECT ${key} FROM ${table} WHERE ${column} < ? ORDER BY ${column} LIMIT ${chunkRows}) RETURNING 1 AS gone`

/** What an exchange says is erased when it ends, and what was shown a day later. */
const eraseExchanges = (
  column: 'sealed' | 'result',
): string => `UPDATE didcomm_exchanges SET ${column} = NULL WHERE id IN
  (SELECT id FROM didcomm_exchanges WHERE ${column} IS NOT NULL AND expires < ? ORDER BY expires LIMIT ${chunkRows})
  RETURNING 1 AS gone`

/** Those who were not seen for long, and with them where their messages went. */
const forget = async (tx: Tx, before: number): Promise<Row[]> => {
  // Asked again of the row itself: whoever just came back has a newer one.
  const sql = `DELETE FROM didcomm_mediations WHERE used < ? AND requester IN (SELECT requester FROM didcomm_mediations
    WHERE used < ? ORDER BY used LIMIT ${chunkRows}) RETURNING requester`
  const gone = await tx.query<{ requester: string }>(sql, [before, before])
  for (const { requester } of gone) await tx.query('DELETE FROM didcomm_recipients WHERE requester = ?', [requester])
  return gone
}

/** Takes away what is over, at most once a minute in each process. Whoever calls it does not wait. */
export const openSweep = ({ house }: Pick<DidcommNeeds, 'house'>): (() => void) => {
  const { store, clock } = house
  let next = 0
  return () => {
    const now = clock.now()
    if (now < next) return
    next = now + sweepEveryMs
    const inChunks = async (step: string | typeof forget, before: number): Promise<void> => {
      for (;;) {
        const gone = await store.transaction(tx =>
          typeof step === 'string' ? tx.query(step, [before]) : step(tx, before),
        )
        if (gone.length < chunkRows) return
      }
    }
    const sweep = async (): Promise<void> => {
      await inChunks(drop('didcomm_received', 'digest', 'expires'), now)
      await inChunks(drop('didcomm_queue', 'id', 'expires'), now)
      await inChunks(drop('didcomm_outgoing', 'id', 'expires'), now)
      await inChunks(eraseExchanges('sealed'), now)
      await inChunks(eraseExchanges('result'), now - answerKeptMs)
      await inChunks(drop('didcomm_exchanges', 'id', 'expires'), now - exchangeKeptMs)
      await inChunks(forget, now - mediation.idleMs)
    }
    sweep().catch(() => undefined)
  }
}
