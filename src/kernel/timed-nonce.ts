import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { randomBytes } from './entropy.ts'
import type { Clock } from './ports.ts'

const timeBytes = 6
const randomLength = 16
const tagBytes = 16
const form = /^[A-Za-z0-9_-]{51}$/

/** A nonce, and until when (ms) it counts. */
export type TimedNonce = { nonce: string; expires: number }

export type TimedNonces = {
  /** A fresh nonce for what it is bound to. */
  give(binding: string, lifeMs: number): TimedNonce
  /** When (ms) it ends, also when it has; undefined for what is none of ours for this. */
  endOf(nonce: string, binding: string): number | undefined
}

/**
 * Nonces that no table keeps: each carries its end and a keyed digest of what it was given out for, so that every process
 * that has the secret knows its own. `nonce = base64url(end ‖ random ‖ HMAC)`.
 */
export const openTimedNonces = ({ secret, clock }: { secret: Uint8Array; clock: Clock }): TimedNonces => {
  // Bytes as they are take six times as long at each use.
  const key = createSecretKey(secret)
  const tagOf = (binding: string, head: Buffer): Buffer =>
    createHmac('sha256', key).update(`${binding}\0`).update(head).digest().subarray(0, tagBytes)
  return {
    give(binding, lifeMs) {
      const expires = clock.now() + lifeMs
      const head = Buffer.alloc(timeBytes + randomLength)
      head.writeUIntBE(expires, 0, timeBytes)
      randomBytes(randomLength).copy(head, timeBytes)
      return { nonce: Buffer.concat([head, tagOf(binding, head)]).toString('base64url'), expires }
    },
    endOf(nonce, binding) {
      const bytes = Buffer.from(nonce, 'base64url')
      if (!form.test(nonce) || bytes.toString('base64url') !== nonce) return undefined
      const head = bytes.subarray(0, timeBytes + randomLength)
      const given = bytes.subarray(timeBytes + randomLength)
      return timingSafeEqual(given, tagOf(binding, head)) ? head.readUIntBE(0, timeBytes) : undefined
    },
  }
}
