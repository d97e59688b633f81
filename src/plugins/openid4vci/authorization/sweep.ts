import type { Store } from '../../../kernel/ports.ts'
import { authorizationRetention } from './entities.ts'
import type { AuthorizationDesk } from './needs.ts'
import { sweepEveryMs } from './policy.ts'

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
 * Takes away what has expired, at most once a minute in each process. Whoever calls it does not wait; what fails is tried
 * again a minute later.
 */
export const openAuthorizationSweep = ({ house }: Pick<AuthorizationDesk, 'house'>): (() => void) => {
  const { store, clock } = house
  let next = 0
  return () => {
    const now = clock.now()
    if (now < next) return
    next = now + sweepEveryMs
    const sweep = async (): Promise<void> => {
      for (const { table, key, keepMs } of authorizationRetention) {
        await sweepTable(store, { name: table, key }, now - keepMs)
      }
    }
    sweep().catch(() => undefined)
  }
}
