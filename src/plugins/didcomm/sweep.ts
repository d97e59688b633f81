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

/** Whose mediation has gone. */
const dropRecipients = `DELETE FROM didcomm_recipients WHERE did IN
  (SELECT r.did FROM didcomm_recipients r LEFT JOIN didcomm_mediations m ON m.requester = r.requester
   WHERE m.requester IS NULL AND r.added < ? LIMIT ${chunkRows}) RETURNING 1 AS gone`

/** Takes away what is over, at most once a minute in each process. Whoever calls it does not wait. */
export const openSweep = ({ house }: Pick<DidcommNeeds, 'house'>): (() => void) => {
  const { store, clock } = house
  let next = 0
  return () => {
    const now = clock.now()
    if (now < next) return
    next = now + sweepEveryMs
    const inChunks = async (sql: string, before: number): Promise<void> => {
      for (;;) {
        const gone = await store.transaction(tx => tx.query(sql, [before]))
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
      await inChunks(drop('didcomm_mediations', 'requester', 'used'), now - mediation.idleMs)
      await inChunks(dropRecipients, now)
    }
    sweep().catch(() => undefined)
  }
}
