import { digestOf } from './canonical.ts'
import type { Caller } from './gate.ts'
import { Refusal } from './refusal.ts'

/**
 * That the body is the one which the calling institution signed for. Every write that is open to agencies asks this first.
 * @returns the digest of the body, of an institution's call; of others it is not made.
 * @throws Refusal unauthenticated/agency_body_mismatch
 */
export const assertBodySigned = (caller: Caller, body: unknown): Buffer | undefined => {
  if (caller.kind !== 'agency') return undefined
  const digest = digestOf(body)
  if (caller.bodySha256 === digest.toString('base64url')) return digest
  const detail = 'The agency token was signed for another body: its bodySha256 is the SHA-256 of the canonical body.'
  throw new Refusal('unauthenticated', 'agency_body_mismatch', detail)
}
