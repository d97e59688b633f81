import type { Tx } from '../../kernel/ports.ts'
import { proofReplayed } from './errors.ts'

/** Something that counts once, and the request that it counts for. */
export type Spending = { key: string; owner: string; expires: number }

type Waiting = { spending: Spending; resolve: () => void; reject: (error: unknown) => void }

/** Rows in one statement: powers of two, so that the statements are few. */
const rowsMost = 64

const insert = (rows: number): string =>
  `INSERT INTO gate_spent (key, owner, expires) VALUES ${Array.from({ length: rows }, () => '(?, ?, ?)').join(', ')}
   ON CONFLICT (key) DO NOTHING RETURNING key, owner`

/** @returns those that this statement added, as keys with whom they count for. */
const add = async (tx: Tx, part: readonly Waiting[]): Promise<ReadonlyMap<string, string>> => {
  const values = part.flatMap(({ spending: { key, owner, expires } }) => [key, owner, Math.ceil(expires)])
  const added = await tx.query<{ key: string; owner: string }>(insert(part.length), values)
  return new Map(added.map(({ key, owner }) => [key, owner]))
}

const settlePart = async (tx: Tx, part: readonly Waiting[]): Promise<void> => {
  const added = await add(tx, part)
  for (const { spending, resolve, reject } of part) {
    const { key, owner } = spending
    if (added.get(key) === owner) {
      resolve()
      continue
    }
    const [known] = await tx.query<{ owner: string }>('SELECT owner FROM gate_spent WHERE key = ?', [key])
    if (known?.owner === owner) resolve()
    else reject(proofReplayed())
  }
}

const settleAll = async (tx: Tx, waiting: readonly Waiting[]): Promise<void> => {
  // In one order everywhere, so that two transactions never wait for one another.
  const inOrder = waiting.toSorted((a, b) => (a.spending.key < b.spending.key ? -1 : 1))
  try {
    for (let at = 0; at < inOrder.length; ) {
      const rows = 2 ** Math.floor(Math.log2(Math.min(rowsMost, inOrder.length - at)))
      await settlePart(tx, inOrder.slice(at, at + rows))
      at += rows
    }
  } catch (error) {
    for (const { reject } of waiting) reject(error)
  }
}

const waitingIn = new WeakMap<Tx, Waiting[]>()

/**
 * Uses something up within an act's transaction. One request may do so in several transactions, and an act that is run
 * again does it again; another request never. What is asked for in the same turn goes in the same statements.
 * @throws Refusal proof_replayed
 */
export const spend = (tx: Tx, spending: Spending): Promise<void> =>
  new Promise((resolve, reject) => {
    const waiting = waitingIn.get(tx) ?? []
    waiting.push({ spending, resolve, reject })
    if (waiting.length > 1) return
    waitingIn.set(tx, waiting)
    queueMicrotask(() => {
      waitingIn.delete(tx)
      void settleAll(tx, waiting)
    })
  })

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
