import { hash, type JsonWebKey } from 'node:crypto'
import type { Clock } from '../../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { openTimedNonces } from '../../../kernel/timed-nonce.ts'
import { fromNumericDate, openJws, signatureHolds } from '../../formats/jose.ts'
import { isRecord } from '../../formats/json.ts'
import { type PublicKey, publicKeyFromJwk } from '../../key-material.ts'
import { clockSkewMs } from '../../standing.ts'
import type { JudgeAttestationStatus } from '../attestation-status.ts'
import type { Attesters } from '../attesters.ts'

/** A wallet for which its provider vouched, and which proved its key. Times are milliseconds. */
export type AttestedClient = {
  clientId: string
  /** RFC 7638 thumbprint of the key of this instance. */
  instance: string
  /** `wallet_name` (OpenID4VCI 1.0, appendix E). */
  name?: string | undefined
  /** Names this proof of possession among all; until when it has to be remembered. */
  proof: { id: string; expires: number }
}

export type ClientAttestationNeeds = {
  clock: Clock
  attesters: Attesters
  /** The issuer identifier of the authorization server, which proofs are made for. */
  audience: string
  /** Shared by all processes of the agency. */
  secret: Uint8Array
  /** Whether a proof has to answer a challenge of ours; else being fresh is enough. */
  challengeNeeded: boolean
  /** Judges the status list that an attestation names. @throws Refusal */
  judgeStatus?: JudgeAttestationStatus | undefined
}

export type ClientAttestations = {
  /** @throws Refusal unauthenticated/attestation_refused, use_attestation_challenge; unavailable for what cannot be known now */
  judge(parts: { attestation: string; pop: string }): Promise<AttestedClient>
  challenge(): string
  algorithms: readonly string[]
}

const attestationType = 'oauth-client-attestation+jwt'
const popType = 'oauth-client-attestation-pop+jwt'
const algorithms: readonly string[] = ['ES256', 'ES384', 'EdDSA']

const popAgeMs = 5 * 60_000
const challengeLifeMs = 5 * 60_000
const tokenLengthMost = 16_384
const nameLengthMost = 200
const clientIdLengthMost = 512
/** RFC 6749, appendix A.1: visible ASCII and spaces. */
const clientIdForm = /^[\x20-\x7E]+$/

const refused = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unauthenticated', 'attestation_refused', detail, { cause, facts: { error: 'invalid_client' } })

/** What is wrong with an attestation has one name; what cannot be known now keeps its own. */
const asRefused = (error: unknown): unknown => {
  if (!isRefusal(error) || error.kind === 'unavailable' || error.code === 'use_attestation_challenge') return error
  return error.code === 'attestation_refused' ? error : refused(error.message, error)
}

/** Challenges that no table keeps. */
const openChallenges = (parts: Pick<ClientAttestationNeeds, 'secret' | 'clock'>) => {
  const nonces = openTimedNonces(parts)
  const binding = 'client attestation'
  return {
    give: (): string => nonces.give(binding, challengeLifeMs).nonce,
    holds: (challenge: string): boolean => (nonces.endOf(challenge, binding) ?? 0) > parts.clock.now(),
  }
}

const opened = (token: string, type: string) => {
  if (token.length > tokenLengthMost) throw refused('The attestation is too long.')
  const { signed, payload } = openJws(token)
  if (signed.header.typ !== type) throw refused(`The typ has to be ${type}.`)
  if (!algorithms.includes(signed.header.alg)) throw refused('The alg is none that the metadata lists.')
  return { signed, payload }
}

const textOf = (payload: Record<string, unknown>, name: string): string => {
  const value = payload[name]
  if (typeof value === 'string' && value !== '') return value
  throw refused(`The claim ${name} is missing.`)
}

/** Both JWTs may have a start (`nbf`), and none is from the future. */
const assertBegun = (payload: Record<string, unknown>, now: number): void => {
  for (const name of ['iat', 'nbf']) {
    const at = fromNumericDate(payload[name], name)
    if (at !== undefined && at > now + clockSkewMs) throw refused(`It is not valid yet (${name}).`)
  }
}

const instanceKeyOf = ({ cnf }: Record<string, unknown>): PublicKey => {
  const jwk = isRecord(cnf) ? cnf['jwk'] : undefined
  if (!isRecord(jwk)) throw refused('The attestation has to hold the public key of the wallet (cnf.jwk).')
  return publicKeyFromJwk(jwk as JsonWebKey)
}

type Statement = { clientId: string; key: PublicKey; name: string | undefined }

/** The statement of the provider: draft 07, section 5.1; OpenID4VCI 1.0, appendix E. */
const judgeStatement = async (token: string, needs: ClientAttestationNeeds): Promise<Statement> => {
  const { signed, payload } = opened(token, attestationType)
  const now = needs.clock.now()
  textOf(payload, 'iss')
  const clientId = textOf(payload, 'sub')
  if (clientId.length > clientIdLengthMost || !clientIdForm.test(clientId)) throw refused('The sub is no client_id.')
  const expires = fromNumericDate(payload['exp'], 'exp')
  if (expires === undefined) throw refused('The attestation has no end (exp).')
  if (expires + clockSkewMs <= now) throw refused('The attestation has expired; get a new one from the provider.')
  assertBegun(payload, now)
  const key = instanceKeyOf(payload)
  const { provider } = await needs.attesters.assertSigned(signed, now)
  if (payload['status'] !== undefined) {
    if (needs.judgeStatus === undefined) throw refused('The status of the attestation cannot be looked up here.')
    await needs.judgeStatus(payload['status'], provider)
  }
  const name = payload['wallet_name']
  return { clientId, key, name: typeof name === 'string' ? name.slice(0, nameLengthMost) : undefined }
}

const isFor = (aud: unknown, audience: string): boolean =>
  aud === audience || (Array.isArray(aud) && aud.includes(audience))

const jtiOf = (payload: Record<string, unknown>): string => {
  const jti = textOf(payload, 'jti')
  if (jti.length > 256) throw refused('The jti is longer than 256 characters.')
  return jti
}

/** The proof of the wallet: draft 07, section 5.2 and section 10, steps 7 to 12. */
const judgeProof = async (
  token: string,
  { clientId, key }: Statement,
  { needs, holds, give }: { needs: ClientAttestationNeeds; holds(text: string): boolean; give(): string },
): Promise<AttestedClient['proof']> => {
  const { signed, payload } = opened(token, popType)
  const now = needs.clock.now()
  if (textOf(payload, 'iss') !== clientId) throw refused('The iss of the proof is not the sub of the attestation.')
  if (!isFor(payload['aud'], needs.audience)) throw refused('The proof is made for another server (aud).')
  const jti = jtiOf(payload)
  const issuedAt = fromNumericDate(payload['iat'], 'iat')
  if (issuedAt === undefined) throw refused('The proof does not say when it was made (iat).')
  if (issuedAt < now - popAgeMs) throw refused('The proof is too old; make one for each request.')
  assertBegun(payload, now)
  const expires = fromNumericDate(payload['exp'], 'exp')
  if (expires !== undefined && expires + clockSkewMs <= now) throw refused('The proof has expired.')
  const { challenge } = payload
  const isAnswer = challenge === undefined ? !needs.challengeNeeded : typeof challenge === 'string' && holds(challenge)
  if (!isAnswer) {
    throw new Refusal('unauthenticated', 'use_attestation_challenge', 'Answer the challenge of this answer.', {
      facts: { challenge: give() },
    })
  }
  if (!(await signatureHolds(signed, key)))
    throw refused('The proof is not signed by the key of the attestation (cnf).')
  return {
    id: hash('sha256', `client attestation ${key.thumbprint}.${jti}`, 'base64url'),
    expires: issuedAt + popAgeMs + clockSkewMs,
  }
}

/**
 * Judges wallet attestations: OAuth 2.0 Attestation-Based Client Authentication, draft 07, as OpenID4VCI 1.0, section 13.12 and
 * appendix E, and HAIP 1.0, section 4.4.1, build on it. That a proof counts once is for the act that takes it.
 */
export const openClientAttestations = (needs: ClientAttestationNeeds): ClientAttestations => {
  const { give, holds } = openChallenges(needs)
  return {
    algorithms,
    challenge: give,
    async judge({ attestation, pop }) {
      try {
        const statement = await judgeStatement(attestation, needs)
        const proof = await judgeProof(pop, statement, { needs, holds, give })
        const { clientId, key, name } = statement
        return { clientId, instance: key.thumbprint, name, proof }
      } catch (error) {
        throw asRefused(error)
      }
    },
  }
}
