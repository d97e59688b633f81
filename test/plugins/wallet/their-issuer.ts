import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type AuthorizationServerMetadata,
  type CallbackContext,
  type HttpMethod,
  type Jwk,
  Oauth2AuthorizationServer,
  Oauth2ResourceServer,
  Oauth2ResourceUnauthorizedError,
  Oauth2ServerErrorResponseError,
  preAuthorizedCodeGrantIdentifier,
  type RequestLike,
  SupportedAuthenticationScheme,
  setGlobalConfig,
} from '@openid4vc/oauth2'
import { type CredentialIssuerMetadata, type IssuerMetadataResult, Openid4vciIssuer } from '@openid4vc/openid4vci'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { compactDecrypt, EncryptJWT, importJWK } from 'jose'
import { parseLocalDid } from '../../../src/identity/did-local.ts'
import { signJws } from '../../their-wallet.ts'

/** A credential issuer with its authorization server, made of libraries that are not ours, over HTTP on this machine. */

setGlobalConfig({ allowInsecureUrls: true })

type Body = Record<string, unknown>
export type Reply = { status: number; body?: unknown; headers?: Record<string, string>; raw?: string; type?: string }
export type Endpoint =
  | 'offer'
  | 'metadata'
  | 'server'
  | 'par'
  | 'token'
  | 'nonce'
  | 'credential'
  | 'deferred'
  | 'notification'
  | 'keys'

/** Which key a credential is to be bound to. */
export type Holder = { did: string; jwk: JsonWebKey }

const p256 = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { jwk: publicKey.export({ format: 'jwk' }) as Jwk & Body, privateKey, alg: 'ES256' as const }
}

const jwkOf = (signer: Parameters<CallbackContext['verifyJwt']>[0]): JsonWebKey => {
  if (signer.method === 'jwk') return signer.publicJwk as JsonWebKey
  if (signer.method !== 'did') throw new Error(`no key by ${signer.method}`)
  const local = parseLocalDid(signer.didUrl.split('#')[0] ?? '')
  if (local === undefined) throw new Error('no key of that DID')
  return local.key.jwk
}

const holds = (jwk: JsonWebKey, compact: string): boolean => {
  const [head, body, signature = ''] = compact.split('.')
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const }
  return verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))
}

const didJwk = (jwk: JsonWebKey): string => {
  const { crv, kty, x, y } = jwk
  return `did:jwk:${Buffer.from(JSON.stringify({ crv, kty, x, y })).toString('base64url')}`
}

const callbacksWith = (key: ReturnType<typeof p256>): CallbackContext => ({
  hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
  generateRandom: length => randomBytes(length),
  clientAuthentication: () => undefined,
  signJwt: (_signer, { header, payload }) => ({ jwt: signJws(header, payload, key), signerJwk: key.jwk }),
  // The resource server's own look at the keys of its authorization server.
  fetch: async () =>
    new Response(JSON.stringify({ keys: [{ ...key.jwk, kid: 'theirs' }] }), {
      headers: { 'content-type': 'application/jwk-set+json' },
    }),
  verifyJwt: (signer, { compact }) => {
    const jwk = jwkOf(signer)
    return holds(jwk, compact) ? { verified: true, signerJwk: jwk as Jwk } : { verified: false }
  },
  decryptJwe: () => ({ decrypted: false }),
  encryptJwe: () => {
    throw new Error('answers are encrypted by hand')
  },
})

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

export type Settings = {
  now(): number
  /** What is issued for each proven key. */
  give(holder: Holder): Promise<unknown>
  configurations: Record<string, Body>
  grants?: Body
  /** Beside what an issuer must say. */
  metadata?: Body
  server?: Body
  /** What else stands at its origin, by path. */
  documents?: (origin: string) => Record<string, unknown>
}

const idOf = 'licence-dataset'

/** Starts an issuer. `twist` changes single answers; `seen` is what was asked of it. */
export const startIssuer = async (settings: Settings) => {
  const key = p256()
  const encryption = p256()
  const callbacks = callbacksWith(key)
  const authorization = new Oauth2AuthorizationServer({ callbacks })
  const resource = new Oauth2ResourceServer({ callbacks })
  const issuing = new Openid4vciIssuer({ callbacks })
  const twist: Partial<
    Record<Endpoint, (honest: Reply, request: { text: string; headers: IncomingMessage['headers'] }) => Reply>
  > = {}
  const seen: { endpoint: Endpoint; text: string; headers: IncomingMessage['headers'] }[] = []
  const state = { txCode: undefined as string | undefined, deferred: false, ready: false, identifiers: false }
  const codes = { preAuthorized: 'pre-authorized-1', authorization: 'authorization-1', refresh: 'refresh-1' }
  const pushed: Body[] = []
  let nonce = 'nonce-0'
  let held: { keys: Holder[] } | undefined
  let notified: Body[] = []

  const http = createServer((request, response) => {
    void (async () => {
      const { pathname } = new URL(request.url ?? '/', origin())
      const endpoint = routes[pathname]
      const text = await textOf(request)
      if (endpoint === undefined) {
        const document = settings.documents?.(origin())[pathname]
        response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
        response.end(document === undefined ? '' : JSON.stringify(document))
        return
      }
      seen.push({ endpoint, text, headers: request.headers })
      const honest = await answered(endpoint, text, request)
      const {
        status,
        body,
        headers = {},
        raw,
        type,
      } = twist[endpoint]?.(honest, { text, headers: request.headers }) ?? honest
      const contentType = type ?? 'application/json'
      response.writeHead(status, { 'content-type': contentType, ...headers })
      response.end(raw ?? (body === undefined ? '' : JSON.stringify(body)))
    })()
  })
  await new Promise<void>(done => http.listen(0, '127.0.0.1', done))
  const origin = () => `http://localhost:${(http.address() as AddressInfo).port}`
  const routes: Record<string, Endpoint> = {
    '/offer/1': 'offer',
    '/.well-known/openid-credential-issuer': 'metadata',
    '/.well-known/oauth-authorization-server': 'server',
    ...{ '/par': 'par', '/token': 'token', '/nonce': 'nonce', '/credential': 'credential', '/deferred': 'deferred' },
    '/notification': 'notification',
    '/.well-known/jwt-vc-issuer': 'keys',
  }

  const metadata = (): CredentialIssuerMetadata =>
    issuing.createCredentialIssuerMetadata({
      ...{ credential_issuer: origin(), credential_endpoint: `${origin()}/credential` },
      ...{ nonce_endpoint: `${origin()}/nonce`, deferred_credential_endpoint: `${origin()}/deferred` },
      notification_endpoint: `${origin()}/notification`,
      batch_credential_issuance: { batch_size: 3 },
      display: [{ name: 'Their University', locale: 'en' }],
      credential_configurations_supported: settings.configurations,
      ...settings.metadata,
    } as CredentialIssuerMetadata)
  const serverMetadata = (): AuthorizationServerMetadata =>
    authorization.createAuthorizationServerMetadata({
      ...{ issuer: origin(), token_endpoint: `${origin()}/token`, authorization_endpoint: `${origin()}/authorize` },
      pushed_authorization_request_endpoint: `${origin()}/par`,
      ...{ dpop_signing_alg_values_supported: ['ES256'], code_challenge_methods_supported: ['S256'] },
      'pre-authorized_grant_anonymous_access_supported': true,
      authorization_response_iss_parameter_supported: true,
      authorization_details_types_supported: ['openid_credential'],
      token_endpoint_auth_methods_supported: ['none'],
      ...settings.server,
    } as AuthorizationServerMetadata)
  const issuerMetadata = (): IssuerMetadataResult =>
    ({
      credentialIssuer: metadata(),
      knownCredentialConfigurations: issuing.getKnownCredentialConfigurationsSupported(metadata()),
      authorizationServers: [serverMetadata()],
      originalDraftVersion: 'V1',
    }) as unknown as IssuerMetadataResult

  const like = (request: IncomingMessage): RequestLike => ({
    headers: new Headers(
      Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value]] : [],
      ) as [string, string][],
    ) as RequestLike['headers'],
    method: 'POST' as HttpMethod,
    url: `${origin()}${request.url}`,
  })

  const now = () => new Date(settings.now())

  const token = async (text: string, request: IncomingMessage): Promise<Reply> => {
    const accessTokenRequest = Object.fromEntries(new URLSearchParams(text)) as Body
    const parsed = authorization.parseAccessTokenRequest({ request: like(request), accessTokenRequest })
    const { grant, dpop } = parsed
    const common = {
      ...{
        authorizationServerMetadata: serverMetadata(),
        request: like(request),
        accessTokenRequest: parsed.accessTokenRequest,
      },
      ...{ now: now(), ...(dpop === undefined ? {} : { dpop: { ...dpop, required: true } }) },
    }
    let verified: { dpop?: { jwk: Jwk } | undefined }
    if (grant.grantType === preAuthorizedCodeGrantIdentifier) {
      const expected = {
        expectedPreAuthorizedCode: codes.preAuthorized,
        ...(state.txCode && { expectedTxCode: state.txCode }),
      }
      verified = await authorization.verifyPreAuthorizedCodeAccessTokenRequest({ ...common, grant, ...expected })
    } else if (grant.grantType === 'authorization_code') {
      const last = pushed.at(-1) ?? {}
      verified = await authorization.verifyAuthorizationCodeAccessTokenRequest({
        ...{ ...common, grant, expectedCode: codes.authorization },
        pkce: {
          codeChallenge: String(last['code_challenge']),
          codeChallengeMethod: 'S256' as never,
          codeVerifier: parsed.pkceCodeVerifier ?? '',
        },
      })
    } else if (grant.grantType === 'refresh_token') {
      verified = await authorization.verifyRefreshTokenAccessTokenRequest({
        ...{ ...common, grant, expectedRefreshToken: codes.refresh },
      })
    } else throw new Error('no such grant')
    const [id = ''] = Object.keys(settings.configurations)
    const details = {
      authorization_details: [
        { type: 'openid_credential', credential_configuration_id: id, credential_identifiers: [idOf] },
      ],
    }
    const body = await authorization.createAccessTokenResponse({
      ...{ audience: origin(), authorizationServer: origin(), expiresInSeconds: 300, subject: 'somebody', now: now() },
      signer: { method: 'jwk', publicJwk: { ...key.jwk, kid: 'theirs' }, alg: 'ES256' },
      ...(verified.dpop === undefined ? {} : { dpop: { jwk: verified.dpop.jwk } }),
      refreshToken: codes.refresh,
      ...(state.identifiers ? { additionalAccessTokenResponsePayload: details } : {}),
    })
    return { status: 200, body }
  }

  const assertToken = (request: IncomingMessage) =>
    resource.verifyResourceRequest({
      ...{
        authorizationServers: [{ ...serverMetadata(), jwks_uri: `${origin()}/jwks` }],
        request: like(request),
        resourceServer: origin(),
      },
      allowedAuthenticationSchemes: [SupportedAuthenticationScheme.DPoP, SupportedAuthenticationScheme.Bearer],
      now: now(),
    } as unknown as Parameters<typeof resource.verifyResourceRequest>[0])

  const opened = async (text: string, request: IncomingMessage): Promise<Body> => {
    if (request.headers['content-type'] !== 'application/jwt') return JSON.parse(text) as Body
    const privateJwk = { ...encryption.privateKey.export({ format: 'jwk' }), alg: 'ECDH-ES' }
    const { plaintext } = await compactDecrypt(text, await importJWK(privateJwk))
    return JSON.parse(Buffer.from(plaintext).toString()) as Body
  }

  const sealed = async (asked: Body, reply: Reply): Promise<Reply> => {
    const wanted = asked['credential_response_encryption'] as { jwk: Jwk & { kid: string }; enc: string } | undefined
    if (wanted === undefined) return reply
    const raw = await new EncryptJWT(reply.body as Body)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: wanted.enc, kid: wanted.jwk.kid })
      .encrypt(await importJWK(wanted.jwk as never, 'ECDH-ES'))
    return { ...reply, raw, type: 'application/jwt' }
  }

  const issued = async (keys: readonly Holder[]) => ({
    credentials: await Promise.all(keys.map(async holder => ({ credential: (await settings.give(holder)) as string }))),
    notification_id: 'notification-1',
  })

  const holdersOf = async (proofs: Record<string, string[]>): Promise<Holder[]> =>
    Promise.all(
      (proofs['jwt'] ?? []).map(async jwt => {
        const expected = { jwt, expectedNonce: nonce, issuerMetadata: issuerMetadata(), now: now() }
        const { header, signer } = await issuing.verifyCredentialRequestJwtProof(expected)
        const jwk = signer.publicJwk as JsonWebKey
        return { did: header.kid?.split('#')[0] ?? didJwk(jwk), jwk }
      }),
    )

  const credential = async (text: string, request: IncomingMessage): Promise<Reply> => {
    await assertToken(request)
    const asked = await opened(text, request)
    const parsed = issuing.parseCredentialRequest({ issuerMetadata: issuerMetadata(), credentialRequest: asked })
    const isNamed = state.identifiers
      ? parsed.credentialIdentifier === idOf
      : Object.hasOwn(settings.configurations, String(parsed.credentialConfigurationId))
    if (!isNamed) return { status: 400, body: { error: 'unknown_credential_identifier' } }
    const keys = await holdersOf((asked['proofs'] ?? {}) as Record<string, string[]>)
    if (state.deferred) {
      held = { keys }
      return sealed(asked, { status: 202, body: { transaction_id: 'transaction-1', interval: 60 } })
    }
    const { credentials, notification_id: notificationId } = await issued(keys)
    const body = issuing.createCredentialResponse({ credentialRequest: parsed, credentials, notificationId })
    return sealed(asked, { status: 200, body })
  }

  const deferred = async (text: string, request: IncomingMessage): Promise<Reply> => {
    await assertToken(request)
    const asked = await opened(text, request)
    if (asked['transaction_id'] !== 'transaction-1') return { status: 400, body: { error: 'invalid_transaction_id' } }
    if (!state.ready) return sealed(asked, { status: 202, body: { transaction_id: 'transaction-1', interval: 60 } })
    return sealed(asked, { status: 200, body: await issued(held?.keys ?? []) })
  }

  const honest: Record<Endpoint, (text: string, request: IncomingMessage) => Promise<Reply>> = {
    offer: async () => ({ status: 200, body: offerObject() }),
    metadata: async () => ({ status: 200, body: metadata() }),
    server: async () => ({ status: 200, body: serverMetadata() }),
    par: async (text, request) => {
      const authorizationRequest = Object.fromEntries(new URLSearchParams(text))
      const parsed = await authorization.parsePushedAuthorizationRequest({
        request: like(request),
        authorizationRequest,
      })
      pushed.push(parsed.authorizationRequest as Body)
      const requestUri = 'urn:ietf:params:oauth:request_uri:request-1' as const
      const made = authorization.createPushedAuthorizationResponse({ requestUri, expiresInSeconds: 60 })
      return { status: 201, body: made.pushedAuthorizationResponse }
    },
    keys: async () => ({
      status: 200,
      body: { issuer: origin(), jwks: { keys: [{ ...key.jwk, kid: 'theirs', alg: 'ES256', use: 'sig' }] } },
    }),
    token,
    nonce: async () => {
      nonce = `nonce-${randomBytes(8).toString('hex')}`
      return { status: 200, body: issuing.createNonceResponse({ cNonce: nonce }) }
    },
    credential,
    deferred,
    notification: async (text, request) => {
      await assertToken(request)
      notified = [...notified, JSON.parse(text) as Body]
      return { status: 204 }
    },
  }

  const answered = async (endpoint: Endpoint, text: string, request: IncomingMessage): Promise<Reply> => {
    try {
      return await honest[endpoint](text, request)
    } catch (error) {
      if (error instanceof Oauth2ServerErrorResponseError) {
        return { status: error.status ?? 400, body: error.errorResponse }
      }
      if (error instanceof Oauth2ResourceUnauthorizedError) {
        return { status: 401, headers: { 'www-authenticate': error.toHeaderValue() } }
      }
      return { status: 400, body: { error: 'invalid_proof', error_description: String(error).slice(0, 200) } }
    }
  }

  const grantsUsual = () => ({
    [preAuthorizedCodeGrantIdentifier]: {
      'pre-authorized_code': codes.preAuthorized,
      ...(state.txCode === undefined ? {} : { tx_code: { length: state.txCode.length } }),
    },
  })
  const offerObject = (): Body => ({
    credential_issuer: origin(),
    credential_configuration_ids: Object.keys(settings.configurations),
    grants: settings.grants ?? grantsUsual(),
  })

  return {
    ...{ state, twist, seen, pushed, codes },
    /** Changes these answers, and no others. */
    only(changes: typeof twist): void {
      for (const endpoint of Object.keys(twist)) delete twist[endpoint as Endpoint]
      Object.assign(twist, changes)
    },
    origin: origin(),
    /** An SD-JWT VC of this issuer, made by a library of others; its keys stand under its URL (SD-JWT VC, section 5). */
    sdJwt: (claims: Body, concealed: string[]): Promise<string> =>
      new SDJwtVcInstance({
        ...{
          hasher: (data: string | ArrayBuffer) =>
            createHash('sha256')
              .update(Buffer.from(data as string))
              .digest(),
          hashAlg: 'sha-256',
        },
        saltGenerator: () => randomBytes(16).toString('base64url'),
        ...{
          signAlg: 'ES256',
          signer: async (data: string) =>
            sign('sha256', Buffer.from(data), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
        },
      }).issue(
        { iss: origin(), iat: Math.floor(settings.now() / 1_000), ...claims } as never,
        { _sd: concealed } as never,
        { header: { kid: 'theirs' } },
      ),
    link: `openid-credential-offer://?credential_offer_uri=${encodeURIComponent(`${origin()}/offer/1`)}`,
    byValue: () => `openid-credential-offer://?credential_offer=${encodeURIComponent(JSON.stringify(offerObject()))}`,
    offerObject,
    encryptionKey: { ...encryption.jwk, alg: 'ECDH-ES', use: 'enc', kid: 'their-encryption-key' },
    notified: () => notified,
    calls: (endpoint: Endpoint) => seen.filter(each => each.endpoint === endpoint).length,
    close: () =>
      new Promise<void>(done => {
        http.closeAllConnections()
        http.close(() => done())
      }),
  }
}
export type TheirIssuer = Awaited<ReturnType<typeof startIssuer>>
