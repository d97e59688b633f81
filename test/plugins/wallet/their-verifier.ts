import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from '@jest/globals'
import { type CallbackContext, type Jwk, setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vpVerifier } from '@openid4vc/openid4vp'
import { compactDecrypt, importJWK } from 'jose'
import { newSigner } from '../../identity/integrity/signers.ts'

/** A verifier made with a library that is not ours, over HTTP on this machine. */

setGlobalConfig({ allowInsecureUrls: true })

type Members = Record<string, unknown>
export type Mode = 'direct_post' | 'direct_post.jwt'
type Created = Awaited<ReturnType<Openid4vpVerifier['createOpenId4vpAuthorizationRequest']>>
type Parsed = Awaited<ReturnType<Openid4vpVerifier['parseOpenid4vpAuthorizationResponse']>>

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const audience = 'https://self-issued.me/v2'
const nonce = 'their-nonce'
const formats = { 'dc+sd-jwt': {}, jwt_vc_json: {}, ldp_vc: {}, 'vc+jwt': {}, mso_mdoc: {} }

const newEncryptionKey = () => {
  const privateJwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const { d: _, ...publicJwk } = privateJwk
  return { privateJwk, publicJwk: { ...publicJwk, kid: 'enc', use: 'enc', alg: 'ECDH-ES' } }
}

/**
 * A verifier of @openid4vc/openid4vp at an address of its own.
 * @param certify an authority that certifies its key, for the prefix `x509_hash`. Without one it is known by its did:key.
 */
export const openTheirVerifier = async (
  clock: { now(): number },
  certify?: (publicKey: KeyObject) => Promise<Uint8Array>,
) => {
  const signer = newSigner('P-256')
  const { publicJwk, privateJwk } = newEncryptionKey()
  const callbacks = {
    signJwt: (_signer: unknown, { header, payload }: { header: Members; payload: Members }) => {
      const input = `${encode(header)}.${encode(payload)}`
      const signature = sign('sha256', Buffer.from(input), { key: signer.privateKey, dsaEncoding: 'ieee-p1363' })
      const signerJwk = createPublicKey(signer.privateKey).export({ format: 'jwk' }) as Jwk
      return { jwt: `${input}.${signature.toString('base64url')}`, signerJwk }
    },
    decryptJwe: async (jwe: string) => {
      const { plaintext } = await compactDecrypt(jwe, await importJWK(privateJwk, 'ECDH-ES'))
      return { decrypted: true, decryptionJwk: publicJwk, payload: Buffer.from(plaintext).toString() }
    },
  } as unknown as CallbackContext
  const verifier = new Openid4vpVerifier({ callbacks })
  let created: Created | undefined
  let asking: unknown
  let asked = 0
  let parsed: Parsed | undefined
  const server: Server = createServer(async (request, response) => {
    if (request.url?.startsWith('/request') === true) {
      response.writeHead(200, { 'content-type': 'application/oauth-authz-req+jwt' })
      response.end(created?.jar?.authorizationRequestJwt)
      return
    }
    let text = ''
    for await (const chunk of request) text += chunk
    const read = verifier.parseOpenid4vpAuthorizationResponse({
      authorizationResponse: Object.fromEntries(new URLSearchParams(text)),
      authorizationRequestPayload: asking as never,
      callbacks,
    })
    const status = await read.then(
      answer => {
        parsed = answer
        return 200
      },
      () => 400,
    )
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end('{}')
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const encrypted = { jwks: { keys: [publicJwk] }, encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'] }
  const leaf = await certify?.(createPublicKey(signer.privateKey))
  const clientId =
    leaf === undefined
      ? `decentralized_identifier:${signer.did}`
      : `x509_hash:${createHash('sha256').update(leaf).digest('base64url')}`
  const by =
    leaf === undefined
      ? { method: 'did' as const, didUrl: signer.verificationMethod }
      : { method: 'x5c' as const, x5c: [Buffer.from(leaf).toString('base64')] }
  return {
    ...{ origin, clientId, nonce, responseUri: `${origin}/response`, encryptionKey: publicJwk },
    async ask(dcql: Members, mode: Mode, more: Members = {}): Promise<string> {
      parsed = undefined
      asked += 1
      created = await verifier.createOpenId4vpAuthorizationRequest({
        authorizationRequestPayload: {
          ...{ client_id: clientId, response_type: 'vp_token', response_mode: mode, nonce, state: 's' },
          ...{ response_uri: `${origin}/response`, dcql_query: dcql, ...more },
          client_metadata: {
            vp_formats_supported: formats,
            ...(mode === 'direct_post' ? {} : encrypted),
          },
        } as never,
        jar: {
          jwtSigner: { ...by, alg: 'ES256' },
          ...{
            requestUri: `${origin}/request/${asked}`,
            expiresInSeconds: 300,
            additionalJwtPayload: { aud: audience },
          },
        },
        now: new Date(clock.now()),
      })
      asking = created.authorizationRequestPayload
      return created.authorizationRequest
    },
    /** A request that a page hands to the Digital Credentials API, unsigned and encrypted (OpenID4VP 1.0, appendix A). */
    async askByPage(dcql: Members): Promise<{ protocol: 'openid4vp-v1-unsigned'; data: Members }> {
      parsed = undefined
      const { authorizationRequestPayload } = await verifier.createOpenId4vpAuthorizationRequest({
        authorizationRequestPayload: {
          ...{ response_type: 'vp_token', response_mode: 'dc_api.jwt', nonce, dcql_query: dcql },
          client_metadata: { vp_formats_supported: formats, ...encrypted },
        } as never,
      })
      asking = authorizationRequestPayload
      return { protocol: 'openid4vp-v1-unsigned', data: { ...authorizationRequestPayload } }
    },
    /** What the page was given. */
    async take(answer: Members): Promise<void> {
      parsed = await verifier.parseOpenid4vpAuthorizationResponse({
        ...{ authorizationResponse: answer, authorizationRequestPayload: asking as never, origin, callbacks },
      })
    },
    /** What their library made of the answer. */
    answer(): Record<string, unknown[]> {
      if (parsed?.type !== 'dcql') throw new Error('the answer is none to a DCQL query')
      expect(parsed.expectedNonce).toBe(nonce)
      return parsed.dcql.presentations
    },
    close: () => new Promise(done => server.close(done)),
  }
}
