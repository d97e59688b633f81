import type { Clock, SignatureAlgorithm, Signer } from '../kernel/ports.ts'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import type { DidKeys } from './did-keys.ts'
import { sealJws } from './formats/jose.ts'
import { judgeKeyProof, keyProofType } from './openid/vci/key-proof.ts'
import { proofAlgorithms } from './openid/vci/key-proofs.ts'

const refused = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unauthenticated', 'key_proof_refused', detail, { cause })

/**
 * Holds a proof of possession of a holder's key (OpenID4VCI 1.0, proof type `jwt`: typ `openid4vci-proof+jwt`, kid, aud, iat,
 * nonce) against what was asked for: what a wallet shows that has no credential for the key yet.
 * @returns the DID whose key it is.
 * @throws Refusal key_proof_refused; unavailable when the DID cannot be resolved now
 */
export const proveKey = async (
  proof: string,
  needs: { dids: DidKeys; clock: Clock },
  expected: { audience: readonly string[]; nonce: string },
): Promise<{ did: string }> => {
  const nonce = (given: string): void => {
    if (given !== expected.nonce) throw refused('The proof of the key answers another nonce.')
  }
  try {
    const wanted = { audience: expected.audience, by: ['kid'] as const, algorithms: proofAlgorithms, nonce }
    const { key } = await judgeKeyProof(proof, needs, wanted)
    return { did: key.did }
  } catch (error) {
    if (!isRefusal(error) || error.code !== 'invalid_proof') throw error
    const { cause } = error
    // What cannot be read keeps the name that it has everywhere else.
    throw isRefusal(cause) ? cause : refused(error.message, error)
  }
}

/** The holder's side: proves a key to an issuer that will bind a credential to it. @param now milliseconds */
export const sealKeyProof = (
  key: { kid: string; keyId: string; algorithm: SignatureAlgorithm },
  to: { audience: string; nonce: string },
  signer: Signer,
  now: number,
): Promise<string> => {
  const payload = { aud: to.audience, iat: Math.floor(now / 1_000), nonce: to.nonce }
  return sealJws({ alg: key.algorithm, typ: keyProofType, kid: key.kid }, payload, (algorithm, data) =>
    signer.sign(key.keyId, algorithm, data),
  )
}
