import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
  verify,
} from 'node:crypto'
import {
  type CallbackContext,
  type HttpMethod,
  type Jwk,
  Oauth2AuthorizationServer,
  Oauth2ResourceServer,
  preAuthorizedCodeGrantIdentifier,
  type RequestLike,
  SupportedAuthenticationScheme,
} from '@openid4vc/oauth2'
import { type CredentialIssuerMetadata, type IssuerMetadataResult, Openid4vciIssuer } from '@openid4vc/openid4vci'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { answer, readInput } from '../child.ts'

/**
 * The same flow with the issuer's pieces of libraries: offer, token, nonce, credential, in one process and with nothing kept. What the
 * wallet does is not timed. Neither HTTP nor a database takes part.
 */

export type Oid4vciPeerRun = { claims: Record<string, unknown>; flows: number; warm: number }
export type Oid4vciPeerResult = { perSecond: number }

type Body = Record<string, unknown>

const run = await readInput<Oid4vciPeerRun>()
const issuer = 'https://issuer.example'
const configuration = 'DrivingLicence'

const newKey = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  return { jwk: { kty, crv, x, y } as Jwk, privateKey }
}
const [issuing, dpopKey, holderKey] = [newKey(), newKey(), newKey()]

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const signText = (text: string, key: KeyObject): string =>
  sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
const jws = (header: unknown, payload: unknown, { privateKey }: typeof issuing): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signText(input, privateKey)}`
}

const callbacks: CallbackContext = {
  hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
  generateRandom: length => randomBytes(length),
  clientAuthentication: () => undefined,
  signJwt: (_signer, { header, payload }) => ({ jwt: jws(header, payload, issuing), signerJwk: issuing.jwk }),
  fetch: async () =>
    new Response(JSON.stringify({ keys: [{ ...issuing.jwk, kid: 'key' }] }), {
      headers: { 'content-type': 'application/jwk-set+json' },
    }),
  verifyJwt: (signer, { compact }) => {
    const jwk = signer.method === 'jwk' ? signer.publicJwk : undefined
    if (jwk === undefined) return { verified: false }
    const [head, body, signature = ''] = compact.split('.')
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    const input = Buffer.from(`${head}.${body}`)
    const holds = verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
    return holds ? { verified: true, signerJwk: jwk } : { verified: false }
  },
  decryptJwe: () => ({ decrypted: false }),
  encryptJwe: () => {
    throw new Error('nothing is encrypted here')
  },
}

const server = new Oauth2AuthorizationServer({ callbacks })
const resource = new Oauth2ResourceServer({ callbacks })
const vci = new Openid4vciIssuer({ callbacks })
const sdJwt = new SDJwtVcInstance({
  ...{
    signAlg: 'ES256',
    hashAlg: 'sha-256',
    saltGenerator: async (length: number) => randomBytes(length).toString('base64url'),
  },
  signer: async (data: string) => signText(data, issuing.privateKey),
  hasher: async (data: string | ArrayBuffer) =>
    createHash('sha256')
      .update(typeof data === 'string' ? data : Buffer.from(data))
      .digest(),
})

const credentialIssuer = vci.createCredentialIssuerMetadata({
  ...{ credential_issuer: issuer, credential_endpoint: `${issuer}/credential`, nonce_endpoint: `${issuer}/nonce` },
  credential_configurations_supported: {
    [configuration]: {
      ...{ format: 'dc+sd-jwt', vct: 'urn:licence', cryptographic_binding_methods_supported: ['jwk'] },
      ...{ credential_signing_alg_values_supported: ['ES256'] },
      proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256'] } },
    },
  },
} as CredentialIssuerMetadata)
const authorizationServer = server.createAuthorizationServerMetadata({
  ...{ issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` },
  dpop_signing_alg_values_supported: ['ES256'],
  'pre-authorized_grant_anonymous_access_supported': true,
})
const issuerMetadata = {
  ...{ credentialIssuer, authorizationServers: [authorizationServer], originalDraftVersion: 'V1' },
  knownCredentialConfigurations: vci.getKnownCredentialConfigurationsSupported(credentialIssuer),
} as unknown as IssuerMetadataResult

const requestOf = (path: string, headers: Record<string, string>): RequestLike => ({
  ...{ method: 'POST' as HttpMethod, url: `${issuer}${path}`, headers: new Headers(headers) as RequestLike['headers'] },
})
const dpopOf = (path: string, token?: string): string =>
  jws(
    { alg: 'ES256', typ: 'dpop+jwt', jwk: dpopKey.jwk },
    {
      ...{ htm: 'POST', htu: `${issuer}${path}`, jti: randomUUID(), iat: Math.floor(Date.now() / 1_000) },
      ...(token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }),
    },
    dpopKey,
  )

let spentMs = 0
/** What the issuer does. */
const timed = async <T>(work: () => Promise<T>): Promise<T> => {
  const from = performance.now()
  const result = await work()
  spentMs += performance.now() - from
  return result
}

const tokenFor = async (code: string, dpop: string): Promise<string> => {
  const request = requestOf('/token', { dpop })
  const accessTokenRequest = { grant_type: preAuthorizedCodeGrantIdentifier, 'pre-authorized_code': code }
  const parsed = server.parseAccessTokenRequest({ request, accessTokenRequest })
  if (parsed.grant.grantType !== preAuthorizedCodeGrantIdentifier || parsed.dpop === undefined) throw new Error('grant')
  const { dpop: proved } = await server.verifyPreAuthorizedCodeAccessTokenRequest({
    ...{ authorizationServerMetadata: authorizationServer, request, accessTokenRequest: parsed.accessTokenRequest },
    ...{ grant: parsed.grant, expectedPreAuthorizedCode: code, dpop: { ...parsed.dpop, required: true } },
  })
  const { access_token: token } = await server.createAccessTokenResponse({
    ...{ audience: issuer, authorizationServer: issuer, expiresInSeconds: 300, subject: 'citizen' },
    signer: { method: 'jwk', publicJwk: { ...issuing.jwk, kid: 'key' }, alg: 'ES256' },
    ...(proved === undefined ? {} : { dpop: { jwk: proved.jwk } }),
  })
  return token
}

const credentialFor = async (request: RequestLike, asked: Body, nonce: string): Promise<unknown> => {
  await resource.verifyResourceRequest({
    ...{ authorizationServers: [authorizationServer], request, resourceServer: issuer },
    allowedAuthenticationSchemes: [SupportedAuthenticationScheme.DPoP],
  } as unknown as Parameters<typeof resource.verifyResourceRequest>[0])
  const parsed = vci.parseCredentialRequest({ issuerMetadata, credentialRequest: asked })
  const [jwt = ''] = (asked['proofs'] as { jwt: string[] }).jwt
  const { signer } = await vci.verifyCredentialRequestJwtProof({ jwt, expectedNonce: nonce, issuerMetadata })
  const credential = await sdJwt.issue(
    { ...run.claims, iss: issuer, vct: 'urn:licence', iat: 1, cnf: { jwk: signer.publicJwk } } as never,
    { _sd: Object.keys(run.claims) } as never,
  )
  return vci.createCredentialResponse({ credentialRequest: parsed, credentials: [{ credential }] })
}

const flow = async (): Promise<void> => {
  const code = await timed(async () => {
    const made = randomBytes(32).toString('base64url')
    await vci.createCredentialOffer({
      ...{ issuerMetadata, credentialConfigurationIds: [configuration] },
      grants: { [preAuthorizedCodeGrantIdentifier]: { 'pre-authorized_code': made } },
    })
    return made
  })
  const first = dpopOf('/token')
  const token = await timed(() => tokenFor(code, first))
  const nonce = await timed(async () => randomBytes(32).toString('base64url'))
  const payload = { aud: issuer, iat: Math.floor(Date.now() / 1_000), nonce }
  const proof = jws({ alg: 'ES256', typ: 'openid4vci-proof+jwt', jwk: holderKey.jwk }, payload, holderKey)
  const asked = { credential_configuration_id: configuration, proofs: { jwt: [proof] } }
  const request = requestOf('/credential', { authorization: `DPoP ${token}`, dpop: dpopOf('/credential', token) })
  await timed(() => credentialFor(request, asked, nonce))
}

for (let count = 0; count < run.warm; count++) await flow()
spentMs = 0
for (let count = 0; count < run.flows; count++) await flow()
answer({ perSecond: (run.flows * 1_000) / spentMs } satisfies Oid4vciPeerResult)
