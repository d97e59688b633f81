import { isRefusal, Refusal } from '../../../kernel/refusal.ts'

/** OpenID4VCI 1.0, section 8.3.1.2. */
export const invalidProof = (detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'invalid_proof', detail, { cause })

export const invalidNonce = (cause?: unknown): Refusal =>
  new Refusal(
    'rejected',
    'invalid_nonce',
    'The c_nonce of a key proof is none of this issuer, has expired or was used; ask the nonce endpoint for a new one.',
    { cause },
  )

const own: ReadonlySet<string> = new Set(['invalid_proof', 'invalid_nonce'])

/** What is wrong with a proof has one name in the protocol; what cannot be known now keeps its own. */
export const asInvalidProof = (error: unknown): unknown =>
  !isRefusal(error) || error.kind === 'unavailable' || own.has(error.code) ? error : invalidProof(error.message, error)
