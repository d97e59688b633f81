import { hash } from 'node:crypto'
import type { Clock } from '../../kernel/ports.ts'
import { openTimedNonces } from '../../kernel/timed-nonce.ts'
import { nonceInvalid } from './errors.ts'
import { nonceLifeMs } from './policy.ts'

/** c_nonces (OpenID4VCI 1.0, section 7): no table keeps those that nobody used. */
export const openNonces = (parts: { secret: Uint8Array; clock: Clock }) => {
  const nonces = openTimedNonces(parts)
  const binding = 'c_nonce'
  const endOf = (nonce: string): number => {
    const expires = nonces.endOf(nonce, binding)
    if (expires === undefined || expires <= parts.clock.now()) throw nonceInvalid()
    return expires
  }
  return {
    give: (): string => nonces.give(binding, nonceLifeMs).nonce,
    /** @throws Refusal invalid_nonce */
    check: (nonce: string): void => void endOf(nonce),
    /** Under which name it is used up, and until when (ms) that has to be remembered. @throws Refusal invalid_nonce */
    spending: (nonce: string): { key: string; expires: number } => ({
      key: hash('sha256', `${binding}\0${nonce}`, 'base64url'),
      expires: endOf(nonce),
    }),
  }
}

export type Nonces = ReturnType<typeof openNonces>
