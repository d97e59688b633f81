import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto'
import { type CallbackContext, type Jwk, setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vpClient } from '@openid4vc/openid4vp'
import { CompactEncrypt, importJWK } from 'jose'
import type { Json } from './wallet.ts'

/** A wallet made with @openid4vc/openid4vp: it reads, judges and answers requests; keys and signatures are ours to bring. */

// This machine speaks http to itself.
setGlobalConfig({ allowInsecureUrls: true })

type Keys = Readonly<Record<string, Json>>

const jwkOf = (x5c: string): Jwk =>
  new X509Certificate(Buffer.from(x5c, 'base64')).publicKey.export({ format: 'jwk' }) as Jwk

/** Who signed a request: the key of its certificate, or one that its DID URL is known by. */
const signerOf = (signer: Parameters<CallbackContext['verifyJwt']>[0], keys: Keys): Jwk | undefined => {
  if (signer.method === 'x5c') return jwkOf(signer.x5c[0] ?? '')
  return signer.method === 'did' ? (keys[signer.didUrl] as Jwk | undefined) : undefined
}

const callbacksOf = (keys: Keys) => ({
  fetch,
  hash: (data: Uint8Array, algorithm: string) => createHash(algorithm.replace('-', '')).update(data).digest(),
  verifyJwt: (async (signer, { compact }) => {
    const signerJwk = signerOf(signer, keys)
    if (signerJwk === undefined) return { verified: false as const }
    const [head = '', body = '', signature = ''] = compact.split('.')
    const key = createPublicKey({ key: signerJwk as Json, format: 'jwk' })
    const input = Buffer.from(`${head}.${body}`)
    const holds = verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
    return holds ? { verified: true as const, signerJwk } : { verified: false as const }
  }) satisfies CallbackContext['verifyJwt'],
  decryptJwe: (async () => ({ decrypted: false as const })) satisfies CallbackContext['decryptJwe'],
  encryptJwe: (async ({ publicJwk, alg, enc, apu, apv }, data) => ({
    encryptionJwk: publicJwk,
    jwe: await new CompactEncrypt(Buffer.from(data))
      .setProtectedHeader({ alg, enc, ...(publicJwk.kid === undefined ? {} : { kid: publicJwk.kid }) })
      .setKeyManagementParameters({
        ...(apu === undefined ? {} : { apu: Buffer.from(apu, 'base64url') }),
        ...(apv === undefined ? {} : { apv: Buffer.from(apv, 'base64url') }),
      })
      .encrypt(await importJWK(publicJwk as Json, alg)),
  })) satisfies CallbackContext['encryptJwe'],
  signJwt: (() => {
    throw new Error('this wallet signs no responses')
  }) satisfies CallbackContext['signJwt'],
  getX509CertificateMetadata: (certificate: string) => {
    const { subjectAltName = '' } = new X509Certificate(Buffer.from(certificate, 'base64'))
    const names = subjectAltName.split(', ')
    const of = (kind: string) =>
      names.flatMap(name => (name.startsWith(`${kind}:`) ? [name.slice(kind.length + 1)] : []))
    return { sanDnsNames: of('DNS'), sanUriNames: of('URI') }
  },
})

/** @param keys by DID URL, of verifiers that are known by DID. */
export const openTheirWallet = (keys: Keys = {}) => {
  const client = new Openid4vpClient({ callbacks: callbacksOf(keys) as never })

  /** A request by its link, or as a browser hands it over. */
  const resolve = async (authorizationRequest: string | Json, origin?: string) => {
    const parsed = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest })
    return client.resolveOpenId4vpAuthorizationRequest({
      authorizationRequestPayload: parsed.params as never,
      ...(origin === undefined ? {} : { origin }),
    })
  }
  type Resolved = Awaited<ReturnType<typeof resolve>>

  const respond = async (
    { authorizationRequestPayload }: Resolved,
    vpToken: Record<string, [string]>,
    origin?: string,
  ) => {
    const { response_mode: mode } = authorizationRequestPayload as { response_mode?: string }
    return client.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload,
      authorizationResponsePayload: { vp_token: vpToken },
      ...(origin === undefined ? {} : { origin }),
      ...(mode?.endsWith('.jwt')
        ? {
            jarm: {
              encryption: { nonce: 'a nonce of the wallet' },
              serverMetadata: {
                authorization_signing_alg_values_supported: [],
                authorization_encryption_alg_values_supported: ['ECDH-ES'],
                authorization_encryption_enc_values_supported: ['A256GCM'],
              },
            },
          }
        : {}),
    })
  }

  return {
    resolve,
    respond,
    async submit(resolved: Resolved, vpToken: Record<string, [string]>): Promise<Response> {
      const made = await respond(resolved, vpToken)
      const { response } = await client.submitOpenid4vpAuthorizationResponse({
        authorizationRequestPayload: resolved.authorizationRequestPayload as never,
        authorizationResponsePayload: made.authorizationResponsePayload,
        ...(made.jarm === undefined ? {} : { jarm: made.jarm }),
      })
      return response
    },
  }
}
