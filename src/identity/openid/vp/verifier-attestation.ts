import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { Refusal } from '../../../kernel/refusal.ts'
import { compactJwsHolds, type KeySet, readCompactJws } from '../../formats/compact-jws.ts'
import { isRecord } from '../../formats/json.ts'
import { clockSkewMs } from '../../standing.ts'

/** A Verifier Attestation JWT that holds (OpenID4VP 1.0, section 12). */
export type VerifierAttested = {
  issuer: string
  /** The one key that may sign requests. */
  key: KeyObject
  /** Addresses that answers may go to; without them the attestation says nothing of it. */
  redirectUris?: readonly string[]
}

const untrusted = (detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'verifier_attestation', detail, { cause })

const boundKey = (cnf: unknown): KeyObject => {
  const jwk = isRecord(cnf) ? cnf['jwk'] : undefined
  if (!isRecord(jwk) || jwk['d'] !== undefined || jwk['kty'] === 'oct') {
    throw untrusted('The verifier attestation names no public key in cnf.')
  }
  try {
    return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch (cause) {
    throw untrusted('The key in cnf of the verifier attestation is malformed.', cause)
  }
}

const seconds = (value: unknown, name: string): number | undefined => {
  if (value !== undefined && typeof value !== 'number')
    throw untrusted(`${name} of the verifier attestation is no date.`)
  return value
}

const urisOf = (value: unknown): string[] | undefined => {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.length <= 100 && value.every(each => typeof each === 'string')) return value
  throw untrusted('redirect_uris of the verifier attestation is a list of addresses.')
}

/**
 * @param compact of the header `jwt` of a request.
 * @param expected.subject the client identifier without its prefix (section 5.9.3).
 * @param attesters keys of those whose attestations count, by their `iss`.
 * @throws Refusal rejected/verifier_attestation, those of reading a JWS
 */
export const judgeVerifierAttestation = async (
  compact: unknown,
  expected: { subject: string; now: number },
  attesters: ReadonlyMap<string, KeySet>,
): Promise<VerifierAttested> => {
  if (typeof compact !== 'string') throw untrusted('The request brings no verifier attestation in its header (jwt).')
  const jws = readCompactJws(compact)
  if (jws.typ !== 'verifier-attestation+jwt') throw untrusted('The typ of the attestation is verifier-attestation+jwt.')
  const { iss, sub, exp, nbf, iat, cnf, redirect_uris } = jws.payload
  const keys = typeof iss === 'string' ? attesters.get(iss) : undefined
  if (keys === undefined) throw untrusted('The verifier is attested by nobody whom this wallet trusts.')
  if (sub !== expected.subject) throw untrusted('The attestation is of another verifier.')
  const until = seconds(exp, 'exp')
  if (until === undefined || until * 1_000 <= expected.now) throw untrusted('The verifier attestation has expired.')
  const starts = [seconds(nbf, 'nbf'), seconds(iat, 'iat')].filter(each => each !== undefined)
  if (starts.some(start => start * 1_000 > expected.now + clockSkewMs)) {
    throw untrusted('The verifier attestation is from the future.')
  }
  const named = jws.kid === '' ? [...keys.values()] : [keys.get(jws.kid)].filter(key => key !== undefined)
  const held = await Promise.all(named.map(key => compactJwsHolds(jws, key)))
  if (!held.includes(true)) throw untrusted('The verifier attestation is not signed by its issuer.')
  const redirectUris = urisOf(redirect_uris)
  return { issuer: String(iss), key: boundKey(cnf), ...(redirectUris === undefined ? {} : { redirectUris }) }
}
