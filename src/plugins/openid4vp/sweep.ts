import type { House } from '../../kernel/perform.ts'
import { answerKeepMs, expiredGraceMs, sweepEveryMs } from './policy.ts'

const chunkRows = 500

const remove = async ({ store }: House, condition: string, before: number): Promise<void> => {
  const sql = `DELETE FROM presentation_requests WHERE id IN
    (SELECT id FROM presentation_requests WHERE expires < ? ${condition} ORDER BY expires LIMIT ${chunkRows})
    RETURNING 1 AS gone`
  for (;;) {
    const gone = await store.transaction(tx => tx.query(sql, [before]))
    if (gone.length < chunkRows) return
  }
}

/** Takes away requests that are over, at most once a minute in each process. Whoever calls it does not wait. */
export const openSweep = ({ house }: { house: House }, held: { dropExpired(now: number): void }): (() => void) => {
  let next = 0
  return () => {
    const now = house.clock.now()
    if (now < next) return
    next = now + sweepEveryMs
    held.dropExpired(now)
    const sweep = async (): Promise<void> => {
      await remove(house, `AND state IN ('open', 'fetched')`, now - expiredGraceMs)
      await remove(house, '', now - answerKeepMs)
    }
    sweep().catch(() => undefined)
  }
}
