import type { Row, Store } from '../../kernel/ports.ts'
import { openAuthorizationSweep } from './authorization/sweep.ts'
import type { Openid4vciNeeds } from './needs.ts'
import { keptMs, sweepEveryMs } from './policy.ts'

const chunkRows = 500

const inChunks = async (store: Store, sql: string, before: number): Promise<void> => {
  for (;;) {
    const rows = await store.transaction(tx => tx.query(sql, [before]))
    if (rows.length < chunkRows) return
  }
}

const erase = (where: string, also = ''): string =>
  `UPDATE oid4vci_issuances SET sealed = NULL, person = NULL${also} WHERE id IN
  (SELECT i.id FROM oid4vci_issuances i WHERE sealed IS NOT NULL AND ${where} LIMIT ${chunkRows}) RETURNING id`

/** Of whoever takes an offer up at its end: in another process, whose clock is behind, that is not written yet. */
const takeUpGraceMs = 30_000

/** The claims of offers that nobody collected in time, and of those that nobody took up. */
const erasures = [
  { sql: erase('collect_by <= ?', `, state = 'expired'`), afterMs: 0 },
  {
    sql: erase(`expires <= ? AND NOT EXISTS (SELECT 1 FROM oid4vci_grants g WHERE g.id = i.id AND g.state = 'spent')`),
    afterMs: takeUpGraceMs,
  },
]

/** With the claims goes for whom they were waited for. */
const eraseClaims = async (store: Store, sql: string, now: number): Promise<void> => {
  for (;;) {
    const gone = await store.transaction(async tx => {
      const rows = await tx.query<Row & { id: string }>(sql, [now])
      const ids = rows.map(({ id }) => id)
      const named = ids.map(() => '?').join(', ')
      if (ids.length > 0)
        await tx.query(`UPDATE oid4vci_deliveries SET holders = NULL WHERE issuance IN (${named})`, ids)
      return ids.length
    })
    if (gone < chunkRows) return
  }
}

const dropDeliveries = `DELETE FROM oid4vci_deliveries WHERE id IN
  (SELECT d.id FROM oid4vci_deliveries d JOIN oid4vci_issuances i ON i.id = d.issuance
   WHERE i.collect_by < ? LIMIT ${chunkRows}) RETURNING 1 AS gone`

const dropEnded = `DELETE FROM oid4vci_issuances WHERE id IN
  (SELECT id FROM oid4vci_issuances WHERE collect_by < ? ORDER BY collect_by LIMIT ${chunkRows}) RETURNING 1 AS gone`

/**
 * Erases what has expired, at most once a minute in each process. Whoever calls it does not wait; what fails is tried again
 * a minute later.
 */
export const openSweep = ({ house, sweepSpent }: Pick<Openid4vciNeeds, 'house' | 'sweepSpent'>): (() => void) => {
  const { store, clock } = house
  let next = 0
  return () => {
    const now = clock.now()
    if (now < next) return
    next = now + sweepEveryMs
    sweepSpent()
    const sweep = async (): Promise<void> => {
      for (const { sql, afterMs } of erasures) await eraseClaims(store, sql, now - afterMs)
      await inChunks(store, dropDeliveries, now - keptMs)
      await inChunks(store, dropEnded, now - keptMs)
    }
    sweep().catch(() => undefined)
  }
}

/** For a timer: what has expired is erased also where nobody calls any more. */
export const openSweeps = (needs: Pick<Openid4vciNeeds, 'house' | 'sweepSpent'>): (() => void) => {
  const sweeps = [openSweep(needs), openAuthorizationSweep(needs)]
  return () => {
    for (const sweep of sweeps) sweep()
  }
}
