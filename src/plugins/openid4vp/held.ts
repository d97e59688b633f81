import { askBytesHeld, asksHeld } from './policy.ts'
import type { Asking } from './requests.ts'

/**
 * Requests under way that this process knows, so that it need not read and open them again for each step of a wallet. Whether a step
 * may be taken is decided by the database alone. With the answer a request goes from here, and its key with it.
 */
export const openHeld = () => {
  const known = new Map<string, Asking>()
  return {
    get: (id: string): Asking | undefined => known.get(id),
    /** @param bytes that it takes at rest: long ones are read again. */
    keep(asking: Asking, bytes: number): Asking {
      if (bytes > askBytesHeld) return asking
      const [oldest] = known.size >= asksHeld ? known.keys() : []
      if (oldest !== undefined) known.delete(oldest)
      known.set(asking.id, asking)
      return asking
    },
    drop: (id: string): void => void known.delete(id),
    /** What has expired opens nothing more. */
    dropExpired(now: number): void {
      for (const [id, { expires }] of known) if (expires <= now) known.delete(id)
    },
  }
}
