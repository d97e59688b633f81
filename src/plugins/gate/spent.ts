import type { Tx } from '../../kernel/ports.ts'
import { proofReplayed } from './errors.ts'

/** Something that counts once, and the request that it counts for. */
export type Spending = { key: string; owner: string; expires: number }

/**
 * Uses something up within an act's transaction. One request may do so in several transactions, and an act that is run
 * again does it again; another request never.
 * @throws Refusal proof_replayed
 */
export const spend = async (tx: Tx, { key, owner, expires }: Spending): Promise<void> => {
  const [added] = await tx.query(
    'INSERT INTO gate_spent (key, owner, expires) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING RETURNING key',
    [key, owner, Math.ceil(expires)],
  )
  if (added !== undefined) return
  const [known] = await tx.query<{ owner: string }>('SELECT owner FROM gate_spent WHERE key = ?', [key])
  if (known?.owner !== owner) throw proofReplayed()
}

/** Uses all of these up, and asks the database only once for each when it has become durable. */
export const spending = (all: readonly Spending[]): ((tx: Tx) => Promise<void>) => {
  let isDurable = false
  return async tx => {
    if (isDurable) return
    for (const each of all) await spend(tx, each)
    tx.afterCommit(() => {
      isDurable = true
    })
  }
}
