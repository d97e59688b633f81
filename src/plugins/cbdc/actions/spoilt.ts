import type { Tx } from '../../../kernel/ports.ts'

/** A transaction that knows whether anything was written through it. */
export const watch = (tx: Tx): { tx: Tx; hasWritten(): boolean } => {
  let written = false
  const watched: Tx = {
    // What the store's own parts ask of a transaction stays to be had.
    ...tx,
    insert(table, rows) {
      written = true
      tx.insert(table, rows)
    },
    query(sql, params) {
      if (!/^\s*SELECT\b/i.test(sql)) written = true
      return tx.query(sql, params)
    },
    afterCommit(work) {
      written = true
      tx.afterCommit(work)
    },
  }
  return { tx: watched, hasWritten: () => written }
}

/** One order of a list failed so that its transaction cannot be kept: it broke, or it refused after it had written. */
export class Spoilt extends Error {
  readonly at: number

  constructor(at: number, cause: unknown) {
    super(`the order ${at} of the list cannot be kept`, { cause })
    this.at = at
  }
}
