import type { Store } from '../../kernel/ports.ts'
import type { GateNeeds } from './needs.ts'
import { spentGraceMs, sweepEveryMs } from './policy.ts'

const chunkRows = 500

const sweepTable = async (store: Store, table: { name: string; key: string }, before: number): Promise<void> => {
  const { name, key } = table
  const sql = `DELETE FROM ${name} WHERE ${key} IN
    (SELECT ${key} FROM ${name} WHERE expires < ? ORDER BY expires LIMIT ${chunkRows}) RETURNING 1 AS gone`
  for (;;) {
    const gone = await store.transaction(tx => tx.query(sql, [before]))
    if (gone.length < chunkRows) return
  }
}

/**
 * Takes away what has expired, at most once a minute in each process: every write in a session leaves a row behind.
 * Whoever calls it does not wait; what fails is tried again a minute later.
 */
export const openSweep = ({ house }: Pick<GateNeeds, 'house'>): (() => void) => {
  const { store, clock } = house
  let next = 0
  return () => {
    const now = clock.now()
    if (now < next) return
    next = now + sweepEveryMs
    const sweep = async (): Promise<void> => {
      await sweepTable(store, { name: 'gate_sessions', key: 'id' }, now)
      await sweepTable(store, { name: 'gate_spent', key: 'key' }, now - spentGraceMs)
    }
    sweep().catch(() => undefined)
  }
}
