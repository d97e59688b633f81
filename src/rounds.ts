import { type AgencyOnChain, processId } from './agency.ts'
import type { Log } from './http/log.ts'
import type { Tx } from './kernel/ports.ts'
import { acquireLease, checkLease, type Lease, releaseLease } from './store/leases.ts'

/** What a plugin does again and again, in one process of the agency at a time. */
export type Round = {
  /** Of the lease. */
  name: string
  everyMs: number
  /** What the log says when a round fails; the next one tries again. */
  failing: string
  /** @param check throws once another process has the lease; it belongs into every act of the round. @param ended whether to leave off. */
  run(check: (tx: Tx) => Promise<void>, ended: () => boolean): Promise<void>
}

/** Does a round again and again, while this process has its lease. @returns what ends that, after the round under way. */
export const keepRound = (
  agency: AgencyOnChain,
  log: Log,
  { name, everyMs, failing, run }: Round,
): (() => Promise<void>) => {
  const { store, settings } = agency
  let lease: Lease | undefined
  let ended = false
  const round = async () => {
    const ttlMs = Math.max(leaseLeastMs, everyMs + everyMs / 2)
    lease = await acquireLease(store, settings.clock, { name, holder: processId, ttlMs })
    if (lease === undefined) return
    const held = lease
    await run(
      tx => checkLease(store, tx, held),
      () => ended,
    )
  }
  let under: Promise<void> = Promise.resolve()
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    under = round()
      .catch((error: unknown) => log.error({ error: String(error) }, failing))
      .finally(() => {
        busy = false
      })
  }, everyMs)
  timer.unref()
  return async () => {
    ended = true
    clearInterval(timer)
    await under
    if (lease !== undefined) await releaseLease(store, lease)
  }
}
const leaseLeastMs = 10_000
