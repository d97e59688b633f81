import { hash } from 'node:crypto'
import type { EntryOf } from '../../../../kernel/ledger-entry.ts'
import type { Row, Tx } from '../../../../kernel/ports.ts'
import { moveOpen } from '../../errors.ts'
import type { Ask } from '../rows.ts'

/**
 * A move between the rails. To the chain: `sent` → `arrived` | `suspended` (there) | `ending` (the gate was told to cancel or return it) →
 * `refunded`. From the chain: `credited` | `stranded` (the account cannot have it) → `ending` (the gate was told to refund) → `refunded`.
 * A refund is entered only when the chain has said, finally, that the money will not be spendable there.
 */
export type MoveState = 'sent' | 'arrived' | 'suspended' | 'credited' | 'stranded' | 'ending' | 'refunded'

export type Move = {
  currency: number
  operation: string
  direction: 'toChain' | 'toLedger'
  account: number
  wallet: string
  amount: bigint
  state: MoveState
  /** Why it waits, where it does. */
  reason: string | null
  outbox: string | null
  entry: number | null
  refund: number | null
  since: number
  changed: number
}

export const moveColumns = `currency, operation, direction, account, wallet, cast(amount AS TEXT) AS amount, state, reason, outbox,
  entry, refund, since, changed`

export const moveOf = (row: Row): Move => ({ ...(row as unknown as Move), amount: BigInt(row['amount'] as string) })

export const readMove = async (ask: Ask, currency: number, operation: string): Promise<Move | undefined> => {
  const sql = `SELECT ${moveColumns} FROM cbdc_moves WHERE currency = ? AND operation = ?`
  const [row] = await ask(sql, [currency, operation])
  return row && moveOf(row)
}

export const rowOf = (move: Move): Row => ({ ...move, amount: String(move.amount) })

/** Derived from what the owner signed, so that it is one and the same whenever it is computed. */
export const operationOf = (domainSeparator: Uint8Array, { from, nonce }: EntryOf<'withdraw'>): string => {
  const place = Buffer.allocUnsafe(8)
  place.writeUInt32BE(from, 0)
  place.writeUInt32BE(nonce, 4)
  return hash('sha256', Buffer.concat([Buffer.from('chancery withdrawal'), domainSeparator, place]), 'hex')
}

/** @returns the move as it is from now on. */
export const setMove = async (tx: Tx, move: Move, to: Partial<Move>, at: number): Promise<Move> => {
  const now = { ...move, ...to, changed: at }
  await tx.query(
    `UPDATE cbdc_moves SET state = ?, reason = ?, outbox = ?, entry = ?, refund = ?, wallet = ?, changed = ?
     WHERE currency = ? AND operation = ?`,
    [now.state, now.reason, now.outbox, now.entry, now.refund, now.wallet, at, now.currency, now.operation],
  )
  return now
}

/** @throws Refusal move_open while money of the account is on its way: it may have to come back. */
export const assertNoMoveOpen = async (ask: Ask, account: number): Promise<void> => {
  const sql = `SELECT 1 AS open FROM cbdc_moves
    WHERE account = ? AND state IN ('sent', 'suspended', 'stranded', 'ending') LIMIT 1`
  if ((await ask(sql, [account])).length > 0) throw moveOpen()
}
