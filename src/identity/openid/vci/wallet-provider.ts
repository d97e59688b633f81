import type { CertifiedKey } from '../../../kernel/identity.ts'
import type { Signer } from '../../../kernel/ports.ts'
import { sealJws } from '../../formats/jose.ts'
import type { PublicJwk } from './wallet-keys.ts'

/** Who vouches for a wallet and its keys: the service that keeps them. */
export type WalletProvider = {
  /** Its identifier, as issuers trust it. */
  issuer: string
  /** Shown to those who ask what wallet it is. */
  name: string
  link?: string
  /** What its keys and its sign-in withstand (OpenID4VCI 1.0, appendix D.2). */
  keyStorage?: readonly string[]
  userAuthentication?: readonly string[]
  /** The key that signs, with certificates that end below an anchor which issuers have. */
  key(): Promise<CertifiedKey>
  signer: Signer
}

const lifeSeconds = 5 * 60

const seal = async (
  provider: WalletProvider,
  typ: string,
  payload: Record<string, unknown>,
  now: number,
): Promise<string> => {
  const { keyId, algorithm, x5c } = await provider.key()
  const iat = Math.floor(now / 1_000)
  return sealJws(
    { typ, alg: algorithm, x5c: [...x5c] },
    { iss: provider.issuer, iat, exp: iat + lifeSeconds, ...payload },
    (signing, data) => provider.signer.sign(keyId, signing, data),
  )
}

/**
 * A wallet attestation for one instance key (OpenID4VCI 1.0, appendix E; HAIP 1.0, section 4.4.1). Made for one
 * conversation with one issuer; what it says is the same for every wallet of this provider.
 */
export const sealWalletAttestation = (
  provider: WalletProvider,
  instance: { clientId: string; jwk: PublicJwk },
  now: number,
): Promise<string> => {
  const { name, link } = provider
  const about = { wallet_name: name, ...(link === undefined ? {} : { wallet_link: link }) }
  const payload = { sub: instance.clientId, ...about, cnf: { jwk: instance.jwk } }
  return seal(provider, 'oauth-client-attestation+jwt', payload, now)
}

/** A key attestation (OpenID4VCI 1.0, appendix D.1) over all keys of one request. */
export const sealKeyAttestation = (
  provider: WalletProvider,
  attested: { keys: readonly PublicJwk[]; nonce?: string | undefined },
  now: number,
): Promise<string> => {
  const { keyStorage, userAuthentication } = provider
  const { keys, nonce } = attested
  const payload = {
    attested_keys: keys,
    ...(keyStorage === undefined ? {} : { key_storage: keyStorage }),
    ...(userAuthentication === undefined ? {} : { user_authentication: userAuthentication }),
    ...(nonce === undefined ? {} : { nonce }),
  }
  return seal(provider, 'key-attestation+jwt', payload, now)
}
