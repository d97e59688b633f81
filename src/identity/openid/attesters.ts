import type { JsonWebKey } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import type { Signature, SignedParts } from '../formats/format.ts'
import { jwsSignature } from '../formats/jose.ts'
import { type PublicKey, publicKeyFromJwk } from '../key-material.ts'
import { certificatesOfX5c } from '../x509/certificate.ts'
import { trustAnchors } from '../x509/chain.ts'

/** Providers of wallets whose statements count: by the authorities that certify their keys, or by the keys themselves. */
export type WalletProviders = {
  /** DER. */
  anchors: readonly Uint8Array[]
  /** Public keys, each with a `kid`. */
  keys: readonly Readonly<JsonWebKey & { kid?: string }>[]
}

/** Names under whom somebody signs: an authority, or a key of the configuration. */
export type Attester = { provider: string }

export type Attesters = {
  /**
   * Judges who signed a wallet or key attestation (OpenID4VCI 1.0, appendices D and E).
   * @param at time (ms) at which the certificates have to be valid.
   * @throws Refusal rejected/attester_untrusted, rejected/certificate_untrusted, rejected/certificate_expired,
   * malformed/certificate_malformed
   */
  assertSigned(signed: SignedParts, at: number): Promise<Attester>
  /** The same for what is not a JWS, such as their status lists. */
  assertSignature(signature: Signature, at: number): Promise<Attester>
}

const untrusted = (detail: string): Refusal => new Refusal('rejected', 'attester_untrusted', detail)

/**
 * @param options.haip HAIP 1.0, sections 4.4.1 and 4.5.1: the key comes in `x5c`, without the trust anchor, and its certificate is not
 * self-signed.
 * @throws Refusal malformed/certificate_malformed, malformed/key_malformed for providers that cannot be read.
 */
export const openAttesters = (providers: WalletProviders, options: { haip: boolean }): Attesters => {
  const judge = trustAnchors(providers.anchors)
  const keys = new Map(providers.keys.map(jwk => [jwk.kid ?? '', publicKeyFromJwk(jwk)]))

  const keyOf = ({ x5c, kid }: Signature, at: number): Attester & { key: PublicKey } => {
    if (x5c !== undefined) {
      const { leaf, anchor } = judge.validate(certificatesOfX5c(x5c), at, { haip: options.haip })
      return { provider: anchor.thumbprint, key: publicKeyFromJwk(leaf.publicKey.export({ format: 'jwk' })) }
    }
    if (options.haip) throw untrusted('The attestation has to bring the certificate of its signer (x5c; HAIP 1.0).')
    const key = kid === '' ? undefined : keys.get(kid)
    if (key === undefined) throw untrusted('The attestation is signed by no provider of wallets that is trusted here.')
    return { provider: `kid ${kid}`, key }
  }
  const assertSignature: Attesters['assertSignature'] = async (signature, at) => {
    const { provider, key } = keyOf(signature, at)
    if (key.algorithm !== signature.algorithm || !(await signature.holds(key))) {
      throw untrusted('The signature of the attestation does not fit the key of its provider.')
    }
    return { provider }
  }
  return { assertSignature, assertSigned: (signed, at) => assertSignature(jwsSignature(signed), at) }
}
