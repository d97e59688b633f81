import { createHmac, hash, type JsonWebKey, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { openJws, signatureHolds } from './formats/jose.ts'
import { isRecord, readSegment } from './formats/json.ts'
import { Generations } from './generations.ts'
import { type PublicKey, publicKeyFromJwk } from './key-material.ts'

/** What a proof of possession (RFC 9449) has to fit. */
export type DpopExpectation = {
  method: string
  /** Without query and fragment. */
  url: string
  /** SHA-256 (base64url) of the access token that comes with the proof. */
  tokenSha256?: string
  /** The key that the token is bound to, by its thumbprint. */
  thumbprint?: string
  /**
   * Needed: a proof without the server's nonce is refused, and one that was seen here before. Optional is for calls that
   * use something else up, such as a challenge.
   */
  nonce: 'needed' | 'optional'
}

export type ProvenPossession = {
  /** RFC 7638 thumbprint of the key. */
  thumbprint: string
  /** Names this proof among all of that key. */
  id: string
  /** From then on (ms) the proof is too old, so nobody has to remember it any longer. */
  expires: number
  /** The nonce to use from now on, when it is another than the proof's. */
  nonce?: string
}

export type Dpop = {
  /**
   * @throws Refusal unauthenticated: proof_malformed, proof_mismatch, proof_expired, proof_key_mismatch, proof_replayed,
   * use_dpop_nonce; too_many/proofs_exceeded
   */
  verify(proof: string, expected: DpopExpectation): Promise<ProvenPossession>
  /** The nonce of the time window that it is now. */
  nonce(): string
}

const windowMs = 60_000
/** How old a proof may be: as long as its nonce lasts. */
const ageMostMs = 2 * windowMs
/** How far a client's clock may be ahead. */
const aheadMostMs = 60_000
const proofLengthMost = 4_096
const idLengthMost = 128
const keysHeld = 20_000
/** Proofs remembered in one window. More cannot be told from replays, so they are refused. */
const proofsMost = 500_000

const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unauthenticated', 'proof_malformed', detail, { cause })
const mismatch = (detail: string): Refusal => new Refusal('unauthenticated', 'proof_mismatch', detail)

const proofKey = (segment: string): PublicKey => {
  const header = readSegment(segment, 'header of the DPoP proof')
  if (!isRecord(header) || header['typ'] !== 'dpop+jwt') throw malformed('The typ of a DPoP proof is dpop+jwt.')
  const { jwk, alg } = header
  if (!isRecord(jwk)) throw malformed('The header of a DPoP proof holds its public key (jwk).')
  const key = publicKeyFromJwk(jwk as JsonWebKey)
  if (!(key.algorithm === 'ES256' || key.algorithm === 'EdDSA') || key.algorithm !== alg) {
    throw malformed('A DPoP proof is signed with ES256 or EdDSA, and names the algorithm of its key.')
  }
  return key
}

/** `htu` as RFC 9449 section 4.3 compares it: without query and fragment, scheme and host in any case. */
const sameUrl = (given: unknown, expected: string): boolean => {
  if (given === expected) return true
  if (typeof given !== 'string' || !URL.canParse(given)) return false
  const [one, other] = [new URL(given), new URL(expected)]
  // The path as it was called: read as a URL it would lose its `%2e%2e`, and so be another address.
  const called = expected.slice(expected.indexOf('/', expected.indexOf('://') + 3))
  return one.origin === other.origin && one.pathname === called
}

type Claims = { method: unknown; url: unknown; id: string; issuedAt: number; nonce: string | undefined; token: unknown }

const claimsOf = (payload: Record<string, unknown>): Claims => {
  const { htm, htu, jti, iat, nonce, ath } = payload
  if (typeof jti !== 'string' || jti === '' || jti.length > idLengthMost) {
    throw malformed(`A DPoP proof has a jti of at most ${idLengthMost} characters.`)
  }
  if (typeof iat !== 'number' || !Number.isFinite(iat)) throw malformed('A DPoP proof says when it was made (iat).')
  if (nonce !== undefined && typeof nonce !== 'string') throw malformed('The nonce of a DPoP proof is a string.')
  return { method: htm, url: htu, id: jti, issuedAt: iat * 1_000, nonce, token: ath }
}

const sameText = (a: string, b: string): boolean => {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/**
 * The server's nonces: one for each minute, the same in every process that has the secret. A nonce is good in its own
 * minute and the next.
 */
const openNonces = (secret: Uint8Array, clock: Clock) => {
  const made = new Map<number, string>()
  const of = (window: number): string => {
    const known = made.get(window)
    if (known !== undefined) return known
    const nonce = createHmac('sha256', secret)
      .update(`dpop nonce ${window}`)
      .digest()
      .subarray(0, 18)
      .toString('base64url')
    for (const old of made.keys()) if (old < window - 2) made.delete(old)
    made.set(window, nonce)
    return nonce
  }
  const now = () => Math.floor(clock.now() / windowMs)
  return {
    current: () => of(now()),
    /** Whether it counts now. */
    holds: (nonce: string) => sameText(nonce, of(now())) || sameText(nonce, of(now() - 1)),
  }
}

/** Proofs seen in this minute and the one before: as long as the nonce of any of them is good. */
const openSeen = (clock: Clock) => {
  let window = 0
  let current = new Set<string>()
  let previous = new Set<string>()
  return (name: string): void => {
    const now = Math.floor(clock.now() / windowMs)
    if (now > window) {
      previous = now === window + 1 ? current : new Set()
      current = new Set()
      window = now
    }
    if (current.has(name) || previous.has(name)) {
      throw new Refusal('unauthenticated', 'proof_replayed', 'This DPoP proof was used before; make a new one.')
    }
    if (current.size >= proofsMost) {
      throw new Refusal('too_many', 'proofs_exceeded', 'There are too many proofs in this minute; wait for the next.')
    }
    current.add(name)
  }
}

/**
 * Proofs of possession (DPoP, RFC 9449). Client keys are read once and held by the spelling of their header; nothing is
 * kept of a judgement.
 * @param parts.secret shared by all processes of the agency.
 */
export const openDpop = ({ clock, secret }: { clock: Clock; secret: Uint8Array }): Dpop => {
  const keys = new Generations<PublicKey>(keysHeld)
  const nonces = openNonces(secret, clock)
  const seen = openSeen(clock)

  const keyOf = (segment: string): PublicKey => {
    const known = keys.get(segment)
    if (known !== undefined) return known
    const key = proofKey(segment)
    // A copy: the segment is a window on the whole proof, which would stay in memory with it.
    keys.set(Buffer.from(segment, 'latin1').toString('latin1'), key)
    return key
  }

  const opened = (proof: string) => {
    if (proof.length > proofLengthMost) throw malformed('The DPoP proof is too long.')
    try {
      const { signed, payload } = openJws(proof)
      return { signed, key: keyOf(proof.slice(0, proof.indexOf('.'))), claims: claimsOf(payload) }
    } catch (error) {
      if (!(error instanceof Refusal) || error.code === 'proof_malformed') throw error
      throw malformed('The DPoP header is not a proof that can be read: a compact JWS with its public key.', error)
    }
  }

  const judge = (claims: Claims, key: PublicKey, expected: DpopExpectation): void => {
    if (expected.thumbprint !== undefined && key.thumbprint !== expected.thumbprint) {
      throw new Refusal(
        'unauthenticated',
        'proof_key_mismatch',
        'The token is bound to another key than the one that made this proof.',
      )
    }
    if (claims.method !== expected.method) throw mismatch('The DPoP proof is made for another method (htm).')
    if (!sameUrl(claims.url, expected.url)) throw mismatch('The DPoP proof is made for another address (htu).')
    if (expected.tokenSha256 !== undefined && claims.token !== expected.tokenSha256) {
      throw mismatch('The DPoP proof is made for another token (ath).')
    }
    const age = clock.now() - claims.issuedAt
    if (age > ageMostMs || age < -aheadMostMs) {
      throw new Refusal(
        'unauthenticated',
        'proof_expired',
        'The DPoP proof is too old, or from the future; make one for each request.',
      )
    }
    const isNonceGood = claims.nonce === undefined ? expected.nonce === 'optional' : nonces.holds(claims.nonce)
    if (isNonceGood) return
    throw new Refusal('unauthenticated', 'use_dpop_nonce', 'Make the DPoP proof anew with the nonce of this answer.', {
      facts: { nonce: nonces.current() },
    })
  }

  return {
    nonce: nonces.current,
    async verify(proof, expected) {
      const { signed, key, claims } = opened(proof)
      judge(claims, key, expected)
      if (!(await signatureHolds(signed, key))) throw malformed('The signature does not fit the DPoP proof.')
      const id = `${key.thumbprint}.${claims.id}`
      if (expected.nonce === 'needed') seen(id)
      const nonce = nonces.current()
      return {
        thumbprint: key.thumbprint,
        id: hash('sha256', id, 'base64url'),
        expires: claims.issuedAt + ageMostMs,
        ...(claims.nonce === nonce ? {} : { nonce }),
      }
    },
  }
}
