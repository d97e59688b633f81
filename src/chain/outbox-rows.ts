import type { Store, Value } from '../kernel/ports.ts'
import type { SenderLease } from './lease.ts'

/** A transaction that is not settled. Hex without prefix in `calldata`; `raw` and `hash` as they are sent. */
export type OutboxRow = {
  id: string
  position: number
  contract: string
  calldata: string
  state: 'queued' | 'mined' | 'final' | 'failed'
  nonce: number | null
  raw: string | null
  hash: string | null
  /** JSON: hashes under which this nonce was sent before its fees were raised. */
  earlier: string
  block_number: number | null
  block_hash: string | null
  attempts: number
  error: string | null
  sent_at: number | null
}

export type SignedRow = OutboxRow & { nonce: number; raw: string; hash: string }

type Column = Exclude<keyof OutboxRow, 'id' | 'position'> | 'settled' | 'block_time'
export type Change = { row: OutboxRow; set: Partial<Record<Column, Value>> }

/** Another process sends now. What was being done is left to it. */
export class LeaseLost extends Error {}

export type OutboxRows = {
  anyWaiting(): Promise<boolean>
  /** Signed and not settled, in the order of their nonces. */
  signed(): Promise<SignedRow[]>
  /** Not signed yet, oldest first. */
  unsigned(limit: number): Promise<OutboxRow[]>
  /** Rows with this nonce or a higher one, settled or not. */
  noncesFrom(nonce: number): Promise<(SignedRow & { settled: number })[]>
  /** All or nothing, under the lease. @throws LeaseLost */
  save(changes: Change[]): Promise<void>
}

const columns =
  'id, position, contract, calldata, state, nonce, raw, hash, earlier, block_number, block_hash, attempts, error, sent_at'

export const outboxRows = (store: Store, account: string, lease: SenderLease): OutboxRows => ({
  anyWaiting: async () => {
    const rows = await store.read('SELECT id FROM outbox WHERE account = ? AND settled = 0 LIMIT 1', [account])
    return rows.length > 0
  },
  signed: () =>
    store.read<SignedRow>(
      `SELECT ${columns} FROM outbox WHERE account = ? AND settled = 0 AND nonce IS NOT NULL ORDER BY nonce`,
      [account],
    ),
  unsigned: limit =>
    store.read<OutboxRow>(
      `SELECT ${columns} FROM outbox WHERE account = ? AND settled = 0 AND nonce IS NULL
       ORDER BY id, position LIMIT ?`,
      [account, limit],
    ),
  noncesFrom: nonce =>
    store.read<SignedRow & { settled: number }>(
      `SELECT ${columns}, settled FROM outbox WHERE account = ? AND nonce >= ? ORDER BY nonce`,
      [account, nonce],
    ),
  save: async changes => {
    if (changes.length === 0) return
    await store.transaction(async tx => {
      if (!(await lease.check(tx))) throw new LeaseLost('Another process sends from this account now.')
      for (const { row, set } of changes) {
        const names = Object.keys(set)
        await tx.query(
          `UPDATE outbox SET ${names.map(name => `${name} = ?`).join(', ')} WHERE id = ? AND position = ?`,
          [...Object.values(set), row.id, row.position],
        )
      }
    })
    for (const { row, set } of changes) Object.assign(row, set)
  },
})
