import { ipKeyGenerator, MemoryStore, type Options } from 'express-rate-limit'
import { Refusal } from '../kernel/refusal.ts'

export type FailureLimits = { failures: number; windowMs: number }

/**
 * Counts failed attempts to prove who one is, by address and place (the operation, or `credentials` for keys and
 * tokens), and refuses further attempts at that place until the window ends. Only failures count, so busy callers with
 * good keys are never slowed; an IPv6 network counts as one address.
 */
export type Failures = {
  /** @throws Refusal too_many/attempts_exceeded */
  check(address: string, place: string): Promise<void>
  count(address: string, place: string): Promise<void>
  close(): void
}

export const createFailures = ({ failures, windowMs }: FailureLimits): Failures => {
  const store = new MemoryStore()
  store.init({ windowMs } as Options)
  const keyOf = (address: string, place: string): string => `${ipKeyGenerator(address)} ${place}`
  let counted = false
  return {
    async check(address, place) {
      if (!counted) return
      const known = await store.get(keyOf(address, place))
      if (known === undefined || known.totalHits < failures) return
      const leftMs = (known.resetTime?.getTime() ?? Date.now() + windowMs) - Date.now()
      if (leftMs <= 0) return
      throw new Refusal('too_many', 'attempts_exceeded', 'There were too many failed attempts; wait before the next.', {
        facts: { retryAfterSeconds: Math.ceil(leftMs / 1000) },
      })
    },
    async count(address, place) {
      counted = true
      await store.increment(keyOf(address, place))
    },
    close: () => store.shutdown(),
  }
}
