import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import type { CallbackContext, HashAlgorithm, Jwk } from '@openid4vc/oauth2'
import { Openid4vpVerifier } from '@openid4vc/openid4vp'
import { SDJwtInstance } from '@sd-jwt/core'
import { DcqlPresentationResult, DcqlQuery } from 'dcql'
import { compactDecrypt, type JWK } from 'jose'
import { answer, readInput } from '../child.ts'
import { dcql, encrypt, holderOf, type Jwk as Members, present } from './wallet.ts'

/**
 * The same flow with the verifier's pieces of libraries: request object, decryption, SD-JWT with key binding, DCQL, in one process
 * and with nothing kept. What the wallet does is not timed; trust and status are not looked at. Neither HTTP nor a database takes part.
 */

export type Oid4vpPeerRun = { credential: string; jwk: Members; flows: number; warm: number }
export type Oid4vpPeerResult = { perSecond: number }

const run = await readInput<Oid4vpPeerRun>()
const holder = holderOf(run.jwk)
const clientId = 'decentralized_identifier:did:jwk:verifier'

const newKey = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  return { jwk: { kty, crv, x, y } as Jwk, privateKey }
}
const signing = newKey()

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const jws = (header: unknown, payload: unknown, key: KeyObject): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const keys = new Map<string, JWK>()
const callbacks = {
  hash: (data: Uint8Array, algorithm: HashAlgorithm) => createHash(algorithm.replace('-', '')).update(data).digest(),
  signJwt: (_signer: unknown, { header, payload }: { header: unknown; payload: unknown }) => ({
    jwt: jws(header, payload, signing.privateKey),
    signerJwk: signing.jwk,
  }),
  decryptJwe: async (jwe: string) => {
    const { kid } = JSON.parse(Buffer.from(jwe.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }
    const jwk = keys.get(kid)
    if (jwk === undefined) return { decrypted: false }
    const { plaintext } = await compactDecrypt(jwe, jwk)
    return { decrypted: true, decryptionJwk: jwk, payload: Buffer.from(plaintext).toString() }
  },
} as unknown as CallbackContext
const verifier = new Openid4vpVerifier({ callbacks })

const holds = (key: KeyObject) => async (data: string, signature: string) =>
  verify('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
const hasher = async (data: string | ArrayBuffer) =>
  createHash('sha256')
    .update(typeof data === 'string' ? data : Buffer.from(data))
    .digest()
/** The issuer's key is fetched by nobody here: the signature is made again with one of this process. */
const issuing = newKey()
const [, ...disclosures] = run.credential.split('~')
const body = JSON.parse(Buffer.from(run.credential.split('.')[1] ?? '', 'base64url').toString())
const credential = [jws({ alg: 'ES256', typ: 'dc+sd-jwt' }, body, issuing.privateKey), ...disclosures].join('~')
const sdJwt = new SDJwtInstance({
  ...{ hasher, hashAlg: 'sha-256' },
  verifier: holds(createPublicKey({ key: issuing.jwk as JsonWebKey, format: 'jwk' })),
  kbVerifier: holds(createPublicKey({ key: run.jwk as JsonWebKey, format: 'jwk' })),
})

const ask = async () => {
  const { jwk, privateKey } = newKey()
  const kid = randomBytes(16).toString('base64url')
  keys.set(kid, { ...(privateKey.export({ format: 'jwk' }) as JWK), kid, alg: 'ECDH-ES' })
  const metadata = {
    jwks: { keys: [{ ...jwk, kid, use: 'enc', alg: 'ECDH-ES' }] },
    ...{ encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'], vp_formats_supported: { 'dc+sd-jwt': {} } },
  }
  const created = await verifier.createOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: {
      ...{ client_id: clientId, response_type: 'vp_token', response_mode: 'direct_post.jwt' },
      ...{ nonce: randomBytes(32).toString('base64url'), state: randomBytes(32).toString('base64url') },
      ...{ response_uri: 'https://office.example/response', dcql_query: dcql, client_metadata: metadata },
    } as never,
    jar: {
      jwtSigner: { method: 'did', didUrl: 'did:jwk:verifier#0', alg: 'ES256' },
      ...{ requestUri: 'https://office.example/request', expiresInSeconds: 300 },
      additionalJwtPayload: { aud: 'https://self-issued.me/v2' },
    },
  })
  return { kid, payload: created.authorizationRequestPayload as unknown as Record<string, unknown>, jwk }
}
type Asked = Awaited<ReturnType<typeof ask>>

const query = DcqlQuery.parse(dcql as never)

const judge = async ({ kid, payload }: Asked, response: string): Promise<void> => {
  const parsed = await verifier.parseOpenid4vpAuthorizationResponse({
    ...{ authorizationResponse: { response }, authorizationRequestPayload: payload as never, callbacks },
  })
  keys.delete(kid)
  if (parsed.type !== 'dcql') throw new Error('the answer is none to a DCQL query')
  const [shown] = parsed.dcql.presentations['licence'] as [string]
  const { payload: claims } = await sdJwt.verify(shown, { keyBindingNonce: parsed.expectedNonce })
  const result = DcqlPresentationResult.fromDcqlPresentation(
    {
      licence: [
        {
          ...{ credential_format: 'dc+sd-jwt', cryptographic_holder_binding: true },
          ...{ vct: 'urn:chancery:vct:driving-licence:1', claims: claims as never },
        },
      ],
    } as never,
    { dcqlQuery: query },
  )
  if (!result.can_be_satisfied) throw new Error('the query is not answered')
}

let spentMs = 0
/** What the verifier does. */
const timed = async <T>(work: () => Promise<T>): Promise<T> => {
  const from = performance.now()
  const result = await work()
  spentMs += performance.now() - from
  return result
}

const flow = async (): Promise<void> => {
  const asked = await timed(ask)
  const shown = present(credential, { audience: clientId, nonce: String(asked.payload['nonce']) }, holder)
  const jwk = { ...asked.jwk, kid: asked.kid } as unknown as Members
  const response = encrypt({ vp_token: { licence: [shown] }, state: asked.payload['state'] }, jwk)
  await timed(() => judge(asked, response))
}

for (let count = 0; count < run.warm; count++) await flow()
spentMs = 0
for (let count = 0; count < run.flows; count++) await flow()
answer({ perSecond: (run.flows * 1_000) / spentMs } satisfies Oid4vpPeerResult)
