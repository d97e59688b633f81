import { ipKeyGenerator, MemoryStore, type Options } from 'express-rate-limit'
import { Refusal } from '../kernel/refusal.ts'

const windowMs = 60_000

/**
 * How often one address may call what anybody may, and what leaves something behind before it is known who calls: operations with
 * `x-per-minute`. An IPv6 network counts as one address.
 */
export type Throttle = {
  /** @throws Refusal too_many/calls_exceeded */
  take(address: string, operation: string, perMinute: number): Promise<void>
  close(): void
}

export const createThrottle = (): Throttle => {
  const store = new MemoryStore()
  store.init({ windowMs } as Options)
  return {
    async take(address, operation, perMinute) {
      const { totalHits, resetTime } = await store.increment(`${ipKeyGenerator(address)} ${operation}`)
      if (totalHits <= perMinute) return
      const leftMs = Math.max((resetTime?.getTime() ?? Date.now() + windowMs) - Date.now(), 1_000)
      throw new Refusal(
        'too_many',
        'calls_exceeded',
        'This address called too often in this minute; wait for the next.',
        {
          facts: { retryAfterSeconds: Math.ceil(leftMs / 1_000) },
        },
      )
    },
    close: () => store.shutdown(),
  }
}
