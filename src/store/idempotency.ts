import { idempotencyMismatch } from '../kernel/perform.ts'
import type { Clock, Idempotency } from '../kernel/ports.ts'
import { asBatchTx } from './batch.ts'

type Remembered = { key: string; input: Uint8Array; answer: string; at: number }

/**
 * Answers by idempotency key, remembered in the act's own transaction. Two acts with one key at the same time: the key
 * is a primary key, so the second fails at its flush, is run again alone and then recalls the answer of the first.
 */
export const openIdempotency = (clock: Clock): Idempotency => ({
  recall: async (tx, key, input) => {
    const batch = asBatchTx(tx)
    const ahead = batch.unflushed('idempotency').find(row => row['key'] === key) as Remembered | undefined
    const [known] =
      ahead === undefined
        ? await batch.peek<Remembered>('SELECT key, input, answer, at FROM idempotency WHERE key = ?', [key])
        : [ahead]
    if (known === undefined) return undefined
    if (Buffer.compare(known.input, input) === 0) return known.answer
    throw idempotencyMismatch()
  },
  remember: (tx, key, input, answer) => {
    tx.insert('idempotency', [{ key, input, answer, at: clock.now() }])
  },
})
