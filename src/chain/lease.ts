import type { Clock, Store, Tx } from '../kernel/ports.ts'

/** The right to send from one account, as a row of the store's `leases`. */
export type SenderLease = {
  /** @returns whether this process may send now; takes the lease if it is free, extends it if it is ours. */
  hold(): Promise<boolean>
  /** The fence inside every write of the sender. @returns whether the lease still is ours. */
  check(tx: Tx): Promise<boolean>
  /** Lets another process take over at once. */
  release(): Promise<void>
}

export const senderLease = (store: Store, clock: Clock, name: string, holder: string, ttlMs: number): SenderLease => {
  let epoch: number | undefined
  return {
    hold: async () => {
      epoch = await store.transaction(async tx => {
        const now = clock.now()
        const [taken] = await tx.query<{ epoch: number }>(
          `INSERT INTO leases (name, holder, epoch, expires) VALUES (?, ?, 1, ?)
           ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires,
             epoch = CASE WHEN leases.holder = excluded.holder THEN leases.epoch ELSE leases.epoch + 1 END
           WHERE leases.holder = excluded.holder OR leases.expires <= ?
           RETURNING epoch`,
          [name, holder, now + ttlMs, now],
        )
        return taken?.epoch
      })
      return epoch !== undefined
    },
    check: async tx => {
      if (epoch === undefined) return false
      const lock = store.dialect === 'postgres' ? ' FOR SHARE' : ''
      const held = await tx.query(`SELECT epoch FROM leases WHERE name = ? AND holder = ? AND epoch = ?${lock}`, [
        name,
        holder,
        epoch,
      ])
      return held.length === 1
    },
    release: async () => {
      if (epoch === undefined) return
      const held = epoch
      epoch = undefined
      await store.transaction(async tx => {
        // The row stays: without it the epoch would start again.
        await tx.query(`UPDATE leases SET expires = 0, holder = '' WHERE name = ? AND holder = ? AND epoch = ?`, [
          name,
          holder,
          held,
        ])
      })
    },
  }
}
