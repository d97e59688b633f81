import type { Clock, Store, Tx } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'

/** The right to be the only one who does something. The epoch rises with each change of holder and never falls. */
export type Lease = { name: string; holder: string; epoch: number; expires: number }

type Wanted = { name: string; holder: string; ttlMs: number }
type Found = { holder: string; epoch: number; expires: number }

/**
 * Takes the lease if it is free, expired or already ours.
 * @returns undefined while another holds it.
 */
export const acquireLease = (store: Store, clock: Clock, wanted: Wanted): Promise<Lease | undefined> =>
  store.transaction(async tx => {
    const { name, holder } = wanted
    const now = clock.now()
    const expires = now + wanted.ttlMs
    const [taken] = await tx.query<Found>(
      `INSERT INTO leases (name, holder, epoch, expires) VALUES (?, ?, 1, ?)
       ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires,
         epoch = CASE WHEN leases.holder = excluded.holder THEN leases.epoch ELSE leases.epoch + 1 END
       WHERE leases.holder = excluded.holder OR leases.expires <= ?
       RETURNING holder, epoch, expires`,
      [name, holder, expires, now],
    )
    return taken === undefined ? undefined : { name, holder, epoch: taken.epoch, expires: taken.expires }
  })

/**
 * Extends a lease still held; even one that has expired, if nobody has taken it since.
 * @returns undefined once another has taken it.
 */
export const renewLease = (store: Store, clock: Clock, lease: Lease, ttlMs: number): Promise<Lease | undefined> =>
  store.transaction(async tx => {
    const [renewed] = await tx.query<Found>(
      'UPDATE leases SET expires = ? WHERE name = ? AND holder = ? AND epoch = ? RETURNING holder, epoch, expires',
      [clock.now() + ttlMs, lease.name, lease.holder, lease.epoch],
    )
    return renewed === undefined ? undefined : { ...lease, expires: renewed.expires }
  })

/** Lets another take over at once, with a higher epoch. */
export const releaseLease = (store: Store, lease: Lease): Promise<void> =>
  store.transaction(async tx => {
    // The row stays: deleting it would let the epoch start again.
    await tx.query(`UPDATE leases SET expires = 0, holder = '' WHERE name = ? AND holder = ? AND epoch = ?`, [
      lease.name,
      lease.holder,
      lease.epoch,
    ])
  })

/**
 * The fence: to be called inside every transaction done under the lease. Until that transaction ends nobody else can
 * take the lease, so a holder that slept through its expiry cannot write beside its successor.
 * @throws Refusal conflict/lease_lost once another has taken it.
 */
export const checkLease = async (store: Store, tx: Tx, lease: Lease): Promise<void> => {
  const lock = store.dialect === 'postgres' ? ' FOR SHARE' : ''
  const held = await tx.query(`SELECT epoch FROM leases WHERE name = ? AND holder = ? AND epoch = ?${lock}`, [
    lease.name,
    lease.holder,
    lease.epoch,
  ])
  if (held.length === 1) return
  throw new Refusal('conflict', 'lease_lost', `Another process has taken over the lease ${lease.name}.`)
}
