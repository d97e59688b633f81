import type { JsonWebKey } from 'node:crypto'
import type { Clock } from '../../../kernel/ports.ts'
import { fromNumericDate, openJws } from '../../formats/jose.ts'
import { isRecord } from '../../formats/json.ts'
import { type PublicKey, publicKeyFromJwk } from '../../key-material.ts'
import { clockSkewMs } from '../../standing.ts'
import type { JudgeAttestationStatus } from '../attestation-status.ts'
import type { Attesters } from '../attesters.ts'
import { asInvalidProof, invalidProof } from './refusals.ts'

const attestationType = 'key-attestation+jwt'
const keysMost = 100
/** An attestation without an end is taken for fresh for as long. */
const ageMostMs = 24 * 60 * 60_000

/** What a provider of wallets says about keys (OpenID4VCI 1.0, appendix D.1). Times are milliseconds. */
export type KeyAttestation = {
  /** In the order in which they are attested, with the `kid` that the attestation gives them. */
  keys: readonly (PublicKey & { kid: string | undefined })[]
  nonce: string | undefined
  issuedAt: number
  expires: number | undefined
}

/** What a configuration asks of a key attestation (`key_attestations_required`). Nothing where both are left out. */
export type AttestationRequirement = {
  key_storage?: readonly string[]
  user_authentication?: readonly string[]
}

export type KeyAttestationNeeds = {
  clock: Clock
  attesters: Attesters
  algorithms: readonly string[]
  /** Judges the status list that an attestation names. @throws Refusal */
  judgeStatus?: JudgeAttestationStatus | undefined
}

const attestedKeys = (value: unknown): KeyAttestation['keys'] => {
  if (!Array.isArray(value) || value.length === 0 || value.length > keysMost) {
    throw invalidProof(`A key attestation attests one to ${keysMost} keys (attested_keys).`)
  }
  const keys = value.map((jwk: unknown) => {
    if (!isRecord(jwk) || 'd' in jwk) throw invalidProof('An attested key is not a public JWK.')
    const { kid } = jwk
    return { ...publicKeyFromJwk(jwk as JsonWebKey), kid: typeof kid === 'string' ? kid : undefined }
  })
  if (new Set(keys.map(({ thumbprint }) => thumbprint)).size < keys.length) {
    throw invalidProof('A key attestation attests one key twice.')
  }
  return keys
}

/** One of the values that are asked for has to be among those that the provider vouches for. */
const assertResistance = (name: string, given: unknown, wanted: readonly string[] | undefined): void => {
  const values = Array.isArray(given) ? given : []
  if (given !== undefined && (values.length === 0 || !values.every(value => typeof value === 'string'))) {
    throw invalidProof(`${name} of a key attestation is a list of texts.`)
  }
  if (wanted === undefined || wanted.some(value => values.includes(value))) return
  throw invalidProof(`The key attestation vouches for no ${name} of ${wanted.join(', ')}.`)
}

const judge = async (
  compact: string,
  needs: KeyAttestationNeeds,
  expected: { proof: 'jwt' | 'attestation'; requirement: AttestationRequirement | undefined },
): Promise<KeyAttestation> => {
  const { signed, payload } = openJws(compact)
  const { typ, alg } = signed.header
  if (typ !== attestationType) throw invalidProof(`The typ of a key attestation is ${attestationType}.`)
  if (!needs.algorithms.includes(alg)) throw invalidProof('The key attestation is signed with an unsupported alg.')
  const now = needs.clock.now()
  const issuedAt = fromNumericDate(payload['iat'], 'iat')
  const expires = fromNumericDate(payload['exp'], 'exp')
  if (issuedAt === undefined || issuedAt > now + clockSkewMs) {
    throw invalidProof('A key attestation says when it was issued (iat), and not in the future.')
  }
  if (expires === undefined && expected.proof === 'jwt') {
    throw invalidProof('A key attestation that comes with a jwt proof says when it ends (exp).')
  }
  if (now - clockSkewMs >= (expires ?? issuedAt + ageMostMs)) throw invalidProof('The key attestation has expired.')
  const { nonce } = payload
  if (nonce !== undefined && typeof nonce !== 'string') throw invalidProof('The nonce of a key attestation is a text.')
  assertResistance('key_storage', payload['key_storage'], expected.requirement?.key_storage)
  assertResistance('user_authentication', payload['user_authentication'], expected.requirement?.user_authentication)
  const { provider } = await needs.attesters.assertSigned(signed, now)
  if (payload['status'] !== undefined) {
    if (needs.judgeStatus === undefined) throw invalidProof('The status of a key attestation cannot be looked up here.')
    await needs.judgeStatus(payload['status'], provider)
  }
  return { keys: attestedKeys(payload['attested_keys']), nonce, issuedAt, expires }
}

/**
 * Judges a key attestation in JWT format: OpenID4VCI 1.0, appendix D.1; HAIP 1.0, section 4.5.1, by the attesters.
 * @param expected.proof how it came: in the header of a `jwt` proof, where it must have an end, or by itself.
 * @throws Refusal rejected/invalid_proof; unavailable for what cannot be known now
 */
export const judgeKeyAttestation = async (
  compact: string,
  needs: KeyAttestationNeeds,
  expected: { proof: 'jwt' | 'attestation'; requirement: AttestationRequirement | undefined },
): Promise<KeyAttestation> => {
  try {
    return await judge(compact, needs, expected)
  } catch (error) {
    throw asInvalidProof(error)
  }
}
