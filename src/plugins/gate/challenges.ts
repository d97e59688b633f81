import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { canonical } from '../../kernel/canonical.ts'
import type { Clock } from '../../kernel/ports.ts'
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

const timeBytes = 6
const randomLength = 16
const tagBytes = 16
const nonceForm = /^[A-Za-z0-9_-]{51}$/

const sha256 = (text: string): string => hash('sha256', text, 'base64url')

/**
 * Challenges that no table keeps: each carries its end and a keyed digest of what it was given out for, so that every
 * process of the agency knows its own. `nonce = base64url(end ‖ random ‖ HMAC)`.
 *
 * The challenge for one act is `nonce.digest`, where the digest is SHA-256 (base64url) of the canonical JSON of
 * `{ audience, bodySha256, nonce, operationId, params }`: a wallet computes it again and knows what it signs for. A party to a
 * joint act answers `nonce.digest.party`, and so signs for its own part only.
 */
export const openChallenges = (parts: { secret: Uint8Array; clock: Clock; audience: string }) => {
  const { secret, clock, audience } = parts

  const tagOf = (kind: string, binding: string, head: Buffer): Buffer =>
    createHmac('sha256', secret).update(`${kind}\0${binding}\0`).update(head).digest().subarray(0, tagBytes)

  const give = (kind: string, binding: string): { nonce: string; expires: number } => {
    const expires = clock.now() + challengeLifeMs
    const head = Buffer.alloc(timeBytes + randomLength)
    head.writeUIntBE(expires, 0, timeBytes)
    randomBytes(randomLength).copy(head, timeBytes)
    return { nonce: Buffer.concat([head, tagOf(kind, binding, head)]).toString('base64url'), expires }
  }

  /** When the nonce ends, if it is one of ours for this. */
  const endOf = (nonce: string, kind: string, binding: string): number | undefined => {
    const bytes = Buffer.from(nonce, 'base64url')
    if (!nonceForm.test(nonce) || bytes.toString('base64url') !== nonce) return undefined
    const head = bytes.subarray(0, timeBytes + randomLength)
    const given = bytes.subarray(timeBytes + randomLength)
    return timingSafeEqual(given, tagOf(kind, binding, head)) ? head.readUIntBE(0, timeBytes) : undefined
  }

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
