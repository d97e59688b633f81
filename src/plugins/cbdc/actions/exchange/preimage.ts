import { decodeEntry } from '../../../../kernel/ledger-entry.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { postsSoughtMost } from '../../exchange/policy.ts'
import { walk } from '../reads/chain.ts'
import type { Ask, ReservationRow } from '../rows.ts'

const noHash = '0'.repeat(64)

const preimageIn = (raw: Buffer, reservation: number): string | undefined => {
  const entry = decodeEntry(raw)
  return entry?.kind === 'post' && entry.reservation === reservation ? entry.preimage : undefined
}

/**
 * What a reservation under a hash lock was paid by, in hex: it opens the lock on the other rail. Of one that was paid in part and
 * has not ended so it is sought among the payee's newest entries.
 */
export const preimageOf = async (ask: Ask, reservation: ReservationRow): Promise<string | undefined> => {
  const { number, state, endedBy, to, lockHash, posted } = reservation
  if (lockHash === noHash || posted === 0n) return undefined
  if (state === 'posted' && endedBy !== null) {
    const [row] = await ask<Row>('SELECT raw FROM cbdc_entries WHERE number = ?', [endedBy])
    return row && preimageIn(Buffer.from(row['raw'] as Uint8Array), number)
  }
  const [account] = await ask<Row>('SELECT last_entry FROM cbdc_accounts WHERE number = ?', [to])
  const entries = await walk(ask, {
    account: to,
    from: (account?.['last_entry'] as number) ?? 0,
    limit: postsSoughtMost,
  })
  for (const { raw } of entries) {
    const preimage = preimageIn(raw, number)
    if (preimage !== undefined) return preimage
  }
  return undefined
}
