import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign as signBytes } from 'node:crypto'
import {
  type CallbackContext,
  clientAuthenticationNone,
  HashAlgorithm,
  type Jwk,
  type JwtSigner,
  type JwtSignerJwk,
  setGlobalConfig,
} from '@openid4vc/oauth2'
import { Openid4vciClient } from '@openid4vc/openid4vci'

/** A wallet made of a library that is not ours, which collects credentials by OpenID4VCI over real HTTP. */

// The demo's agencies are served over http on this machine.
setGlobalConfig({ allowInsecureUrls: true })

export type WalletKey = { jwk: Jwk & Record<string, unknown>; privateKey: KeyObject; alg: 'ES256' | 'EdDSA' }

export const newWalletKey = (kind: 'P-256' | 'Ed25519' = 'P-256'): WalletKey => {
  const { publicKey, privateKey } =
    kind === 'P-256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  const jwk = publicKey.export({ format: 'jwk' }) as WalletKey['jwk']
  return { jwk, privateKey, alg: kind === 'P-256' ? 'ES256' : 'EdDSA' }
}

export const signerOf = ({ jwk, alg }: WalletKey): JwtSignerJwk => ({ method: 'jwk', publicJwk: jwk, alg })
export const didJwkOf = ({ jwk }: WalletKey): string => {
  const { crv, kty, x, y } = jwk
  const required = y === undefined ? { crv, kty, x } : { crv, kty, x, y }
  return `did:jwk:${Buffer.from(JSON.stringify(required)).toString('base64url')}`
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export const signJws = (header: Record<string, unknown>, payload: Record<string, unknown>, key: WalletKey): string => {
  const input = `${encode({ alg: key.alg, ...header })}.${encode(payload)}`
  const signature =
    key.alg === 'EdDSA'
      ? signBytes(null, Buffer.from(input), key.privateKey)
      : signBytes('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** A jwt proof as appendix F.1 of OpenID4VCI 1.0 has it, made by hand. */
export const proofOf = (
  key: WalletKey,
  to: { issuer: string; nonce: string },
  header: Record<string, unknown> = {},
  claims: Record<string, unknown> = {},
): string =>
  signJws(
    { typ: 'openid4vci-proof+jwt', jwk: key.jwk, ...header },
    { aud: to.issuer, iat: Math.floor(Date.now() / 1_000), nonce: to.nonce, ...claims },
    key,
  )

const hashes: Record<HashAlgorithm, string> = {
  [HashAlgorithm.Sha256]: 'sha256',
  [HashAlgorithm.Sha384]: 'sha384',
  [HashAlgorithm.Sha512]: 'sha512',
}

export type TheirWallet = {
  client: Openid4vciClient
  dpopKey: WalletKey
  newKey(kind?: 'P-256' | 'Ed25519'): WalletKey
  callbacks: Omit<CallbackContext, 'decryptJwe' | 'encryptJwe' | 'verifyJwt'>
}

export const newTheirWallet = (
  clientAuthentication: CallbackContext['clientAuthentication'] = clientAuthenticationNone({
    clientId: 'their-wallet',
  }),
): TheirWallet => {
  const keys = new Map<string, WalletKey>()
  const held = (key: WalletKey): WalletKey => {
    keys.set(String(key.jwk.x), key)
    return key
  }
  const callbacks: TheirWallet['callbacks'] = {
    hash: (data, alg) => createHash(hashes[alg]).update(data).digest(),
    generateRandom: length => randomBytes(length),
    clientAuthentication,
    signJwt: (signer: JwtSigner, { header, payload }) => {
      const publicJwk = signer.method === 'jwk' ? signer.publicJwk : undefined
      const key = keys.get(String(publicJwk?.x))
      if (key === undefined) throw new Error('the wallet has no such key')
      return { jwt: signJws(header, payload, key), signerJwk: key.jwk }
    },
  }
  const missing = (): never => {
    throw new Error('this wallet was not asked for that')
  }
  const client = new Openid4vciClient({
    callbacks: { ...callbacks, decryptJwe: missing, encryptJwe: missing, verifyJwt: missing },
  } as ConstructorParameters<typeof Openid4vciClient>[0])
  return { client, callbacks, dpopKey: held(newWalletKey()), newKey: kind => held(newWalletKey(kind)) }
}
