import type { Store } from '../../kernel/ports.ts'
import type { Openid4vciNeeds } from './needs.ts'
import { keptMs, sweepEveryMs } from './policy.ts'

const chunkRows = 500

const inChunks = async (store: Store, sql: string, before: number): Promise<void> => {
  for (;;) {
    const rows = await store.transaction(tx => tx.query(sql, [before]))
    if (rows.length < chunkRows) return
  }
}

/** The claims of offers that nobody collected in time. */
const eraseExpired = `UPDATE oid4vci_issuances SET sealed = NULL, person = NULL, state = 'expired' WHERE id IN
  (SELECT id FROM oid4vci_issuances WHERE sealed IS NOT NULL AND collect_by <= ? ORDER BY collect_by LIMIT ${chunkRows})
  RETURNING 1 AS gone`

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
      await inChunks(store, eraseExpired, now)
      await inChunks(store, dropDeliveries, now - keptMs)
      await inChunks(store, dropEnded, now - keptMs)
    }
    sweep().catch(() => undefined)
  }
}
