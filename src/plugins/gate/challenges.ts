import { hash } from 'node:crypto'
import { canonical } from '../../kernel/canonical.ts'
import type { Clock } from '../../kernel/ports.ts'
import { openTimedNonces } from '../../kernel/timed-nonce.ts'
import { challengeExpired, challengeMismatch, challengeOfAnother, challengeUnknown } from './errors.ts'
import { challengeLifeMs } from './policy.ts'

/** What a presentation for one act is bound to. */
export type BoundAct = {
  operationId: string
  params: Readonly<Record<string, string>>
  /** SHA-256 (base64url) of the canonical body without its presentations. */
  bodySha256: string
}

/** A challenge that counts: under which name it is used up, and until when (ms) that has to be remembered. */
export type Answered = { key: string; expires: number }

const sha256 = (text: string): string => hash('sha256', text, 'base64url')

/**
 * Challenges that no table keeps: nonces for what they were given out for, which every process of the agency knows for its own.
 *
 * The challenge for one act is `nonce.digest`, where the digest is SHA-256 (base64url) of the canonical JSON of
 * `{ audience, bodySha256, nonce, operationId, params }`: a wallet computes it again and knows what it signs for. A party to a
 * joint act answers `nonce.digest.party`, and so signs for its own part only.
 */
export const openChallenges = (parts: { secret: Uint8Array; clock: Clock; audience: string }) => {
  const { secret, clock, audience } = parts

  const nonces = openTimedNonces({ secret, clock })
  const give = (kind: string, binding: string) => nonces.give(`${kind}\0${binding}`, challengeLifeMs)
  const endOf = (nonce: string, kind: string, binding: string) => nonces.endOf(nonce, `${kind}\0${binding}`)

  const answered = (nonce: string, expires: number): Answered => {
    if (expires <= clock.now()) throw challengeExpired()
    return { key: sha256(nonce), expires }
  }

  const digestOf = (act: BoundAct, nonce: string): string => {
    const { operationId, params, bodySha256 } = act
    return sha256(canonical({ audience, operationId, params, bodySha256, nonce }))
  }

  return {
    /** For opening a session with the key of this thumbprint. */
    forSession(thumbprint: string): { challenge: string; expires: number } {
      const { nonce, expires } = give('session', thumbprint)
      return { challenge: nonce, expires }
    },
    /** @throws Refusal challenge_mismatch, challenge_expired */
    checkSession(challenge: string, thumbprint: string): Answered {
      const expires = endOf(challenge, 'session', thumbprint)
      if (expires === undefined) throw challengeOfAnother()
      return answered(challenge, expires)
    },
    forAct(act: BoundAct): { challenge: string; expires: number } {
      const { nonce, expires } = give('act', '')
      return { challenge: `${nonce}.${digestOf(act, nonce)}`, expires }
    },
    /** @throws Refusal challenge_unknown, challenge_mismatch, challenge_expired */
    checkAct(challenge: string, act: BoundAct): Answered {
      const [nonce = '', digest = ''] = challenge.split('.', 2)
      const expires = endOf(nonce, 'act', '')
      if (expires === undefined) throw challengeUnknown()
      if (challenge !== `${nonce}.${digestOf(act, nonce)}` || digest === '') throw challengeMismatch()
      return answered(nonce, expires)
    },
  }
}

export type Challenges = ReturnType<typeof openChallenges>
