import type { Clock } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'

export type FetchSlotsOptions = {
  clock: Clock
  /** Fetches under way at one time. */
  total: number
  /** Of them, to one host: a slow one does not stop the others. */
  perHost: number
  /** Begun within a minute, to one host: nobody is made to call somebody else too often through us. */
  perHostPerMinute: number
}

const minuteMs = 60_000
const hostsMost = 10_000

/**
 * Places for fetches of what strangers name, shared out among the hosts. Whoever finds none free is refused at once: waiting
 * would only hold up more.
 */
export const openFetchSlots = ({ clock, total, perHost, perHostPerMinute }: FetchSlotsOptions) => {
  const underWay = new Map<string, number>()
  let begun = new Map<string, number>()
  let minute = Number.NEGATIVE_INFINITY
  let busy = 0

  const refuse = (): never => {
    throw new Refusal('unavailable', 'fetches_excessive', 'Too much is being fetched now; try again.')
  }
  const countBegun = (host: string): number => {
    const now = Math.floor(clock.now() / minuteMs)
    if (now !== minute || begun.size >= hostsMost) begun = new Map()
    minute = now
    const count = (begun.get(host) ?? 0) + 1
    begun.set(host, count)
    return count
  }
  const hasRoom = (host: string): boolean => busy < total && (underWay.get(host) ?? 0) < perHost
  return {
    /** Whether a fetch would be begun now, so that who keeps answers need not keep refusals. */
    hasRoom,
    /** @throws Refusal unavailable/fetches_excessive, and what the fetch throws */
    async run<T>(host: string, fetch: () => Promise<T>): Promise<T> {
      if (!hasRoom(host) || countBegun(host) > perHostPerMinute) refuse()
      busy++
      underWay.set(host, (underWay.get(host) ?? 0) + 1)
      try {
        return await fetch()
      } finally {
        busy--
        const left = (underWay.get(host) ?? 1) - 1
        if (left === 0) underWay.delete(host)
        else underWay.set(host, left)
      }
    },
  }
}
