import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { openJws } from '../../formats/jose.ts'
import { isRecord } from '../../formats/json.ts'
import { publicKeyFromJwk } from '../../key-material.ts'
import type { VerifierAttestation } from './clients.ts'

const refused = (what: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'attestation_unsuited', `The verifier attestation ${what}.`, { cause })

const confirmedBy = (cnf: unknown): string | undefined => {
  if (!isRecord(cnf) || !isRecord(cnf['jwk'])) return undefined
  try {
    return publicKeyFromJwk(cnf['jwk']).thumbprint
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

/**
 * A Verifier Attestation JWT (OpenID4VP 1.0, section 12) that was given to this agency. Whether wallets trust whoever signed it is
 * theirs to judge; here it only has to be of use.
 * @param own.thumbprint of the key that signs this agency's requests.
 * @throws Refusal rejected/attestation_unsuited, malformed/credential_malformed
 */
export const readOwnAttestation = (jwt: string, own: { thumbprint: string; now: number }): VerifierAttestation => {
  const { signed, payload } = openJws(jwt)
  const { iss, sub, exp, cnf } = payload
  if (signed.header.typ !== 'verifier-attestation+jwt') throw refused('has not the typ verifier-attestation+jwt')
  if (typeof iss !== 'string' || iss === '') throw refused('names nobody who issued it')
  if (typeof sub !== 'string' || sub === '') throw refused('names no subject')
  if (typeof exp !== 'number' || !(exp * 1_000 > own.now)) throw refused('has expired, or never does')
  if (confirmedBy(cnf) !== own.thumbprint) throw refused(`is not bound to the key ${own.thumbprint} of this agency`)
  return { jwt, subject: sub, expires: exp * 1_000 }
}
