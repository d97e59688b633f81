import type { Clock, SignatureAlgorithm, Signer } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import type { DidKeys } from './did-keys.ts'
import { fromNumericDate, keyUrl, openJws, sealJws, signatureHolds } from './formats/jose.ts'
import { clockSkewMs } from './standing.ts'

/** How old a proof of a key may be. */
const proofAgeMs = 5 * 60_000

const proofType = 'openid4vci-proof+jwt'

const refused = (detail: string): Refusal => new Refusal('unauthenticated', 'key_proof_refused', detail)

/**
 * Holds a proof of possession of a holder's key (OpenID4VCI, proof type `jwt`: typ `openid4vci-proof+jwt`, kid, aud, iat,
 * nonce) against what was asked for: what a wallet shows that has no credential for the key yet.
 * @returns the DID whose key it is.
 * @throws Refusal key_proof_refused, credential_malformed; unavailable when the DID cannot be resolved now
 */
export const proveKey = async (
  proof: string,
  needs: { dids: DidKeys; clock: Clock },
  expected: { audience: readonly string[]; nonce: string },
): Promise<{ did: string }> => {
  const { signed, payload } = openJws(proof)
  const { typ, kid, alg } = signed.header
  if (typ !== proofType) throw refused(`The typ of a proof of a key is ${proofType}.`)
  if (!kid.startsWith('did:')) throw refused('A proof of a key names the key by its DID URL (kid).')
  if (payload['nonce'] !== expected.nonce) throw refused('The proof of the key answers another nonce.')
  if (!expected.audience.includes(payload['aud'] as string))
    throw refused('The proof of the key is for another issuer.')
  const now = needs.clock.now()
  const issuedAt = fromNumericDate(payload['iat'], 'iat')
  if (issuedAt === undefined || issuedAt > now + clockSkewMs || issuedAt < now - proofAgeMs) {
    throw refused('The proof of the key is too old, or from the future: sign a new one.')
  }
  const key = await needs.dids.key(kid.includes('#') ? kid : keyUrl('', kid), 'authentication', now)
  if (key.algorithm !== alg || !(await signatureHolds(signed, key))) {
    throw refused('The proof is not signed by the key that it names.')
  }
  return { did: key.did }
}

/** The holder's side: proves a key to an issuer that will bind a credential to it. @param now milliseconds */
export const sealKeyProof = (
  key: { kid: string; keyId: string; algorithm: SignatureAlgorithm },
  to: { audience: string; nonce: string },
  signer: Signer,
  now: number,
): Promise<string> => {
  const payload = { aud: to.audience, iat: Math.floor(now / 1_000), nonce: to.nonce }
  return sealJws({ alg: key.algorithm, typ: proofType, kid: key.kid }, payload, (algorithm, data) =>
    signer.sign(key.keyId, algorithm, data),
  )
}
