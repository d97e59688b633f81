import { digestOf } from './canonical.ts'
import type { Caller } from './gate.ts'
import { Refusal } from './refusal.ts'

/**
 * That the body is the one which the calling institution signed for. Every write that is open to agencies asks this first.
 * @throws Refusal unauthenticated/agency_body_mismatch
 */
export const assertBodySigned = (caller: Caller, body: unknown): void => {
  if (caller.kind !== 'agency') return
  if (caller.bodySha256 === digestOf(body).toString('base64url')) return
  const detail = 'The agency token was signed for another body: its bodySha256 is the SHA-256 of the canonical body.'
  throw new Refusal('unauthenticated', 'agency_body_mismatch', detail)
}
