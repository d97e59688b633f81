import { createPrivateKey, generateKeyPair, hash, type JsonWebKey, randomUUID, sign as signBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { sealJws } from '../../formats/jose.ts'

/** A key on P-256 that a wallet holds itself. */
export type OwnKey = { publicJwk: PublicJwk; privateJwk: JsonWebKey }
export type PublicJwk = { kty: 'EC'; crv: 'P-256'; x: string; y: string }

export const newOwnKey = async (): Promise<OwnKey> => {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  return ownKeyOf(privateKey.export({ format: 'jwk' }))
}

export const ownKeyOf = (privateJwk: JsonWebKey): OwnKey => {
  const { x, y } = privateJwk as { x: string; y: string }
  return { publicJwk: { kty: 'EC', crv: 'P-256', x, y }, privateJwk }
}

/** Signs with ES256 by a key that is at hand. */
export const signWith =
  ({ privateJwk }: Pick<OwnKey, 'privateJwk'>) =>
  async (_algorithm: string, data: Uint8Array): Promise<Buffer> =>
    signBytes('sha256', data, { key: createPrivateKey({ key: privateJwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' })

/**
 * A DPoP proof (RFC 9449, section 4.2) for one POST.
 * @param now milliseconds
 */
export const sealDpop = (
  key: OwnKey,
  call: { url: string; accessToken?: string | undefined; nonce?: string | undefined },
  now: number,
): Promise<string> => {
  const { origin, pathname } = new URL(call.url)
  const { accessToken, nonce } = call
  const payload = {
    ...{ jti: randomUUID(), htm: 'POST', htu: origin + pathname, iat: Math.floor(now / 1_000) },
    ...(nonce === undefined ? {} : { nonce }),
    ...(accessToken === undefined ? {} : { ath: hash('sha256', accessToken, 'base64url') }),
  }
  return sealJws({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk }, payload, signWith(key))
}

/**
 * The proof that a client attestation is presented by the instance it is for (OAuth 2.0 Attestation-Based Client
 * Authentication, draft 07, section 5.2).
 */
export const sealAttestationProof = (
  key: OwnKey,
  to: { clientId: string; server: string; challenge?: string | undefined },
  now: number,
): Promise<string> => {
  const { clientId, server, challenge } = to
  const payload = {
    ...{ iss: clientId, aud: server, jti: randomUUID(), iat: Math.floor(now / 1_000) },
    ...(challenge === undefined ? {} : { challenge }),
  }
  return sealJws({ typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' }, payload, signWith(key))
}
