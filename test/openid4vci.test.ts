import { createHash, type JsonWebKey, randomUUID, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { CredentialOfferObject } from '@openid4vc/openid4vci'
import {
  CompactEncrypt,
  compactDecrypt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
} from 'jose'
import { didKeyOf } from '../src/identity/did-local.ts'
import { publicKeyFromJwk } from '../src/identity/key-material.ts'
import { caller, exampleOf, keyOf, killNode, root, type Started, startService, temporaryFolder } from './service.ts'
import {
  didJwkOf,
  newTheirWallet,
  proofOf,
  signerOf,
  signJws,
  type TheirWallet,
  type WalletKey,
} from './their-wallet.ts'

/** The issuer as wallets of others meet it: over HTTP, by a library that is not ours. */

type Body = Record<string, unknown>

let service: Started
let folder: ReturnType<typeof temporaryFolder>
let issuer = ''
let staff: ReturnType<typeof caller>

const licence = exampleOf('driving-licence')
const formats = ['dc_sd_jwt', 'jwt_vc_json', 'ldp_vc', 'mso_mdoc', 'vc_jwt']
const idOf = (format: string): string => `DrivingLicence.1.${format}`
const preAuthorized = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

beforeAll(async () => {
  folder = temporaryFolder()
  service = await startService({
    dataDir: folder.path,
    agencies: ['root-authority', 'transport-authority'].map(name => join(root, 'agents', `${name}.yml`)),
  })
  issuer = `${service.url}/transport-authority`
  staff = caller(service, 'transport-authority')
}, 90_000)

afterAll(async () => {
  await service?.stop()
  killNode(folder.path)
  folder.remove()
})

const offerFor = async (formats: readonly string[], more: Body = {}): Promise<Body> => {
  const { status, body } = await staff('POST', '/credential-offers', {
    credentialConfigurationIds: formats.map(idOf),
    claims: { DrivingLicence: licence },
    ...more,
  })
  expect({ status, code: body['code'] }).toEqual({ status: 201, code: undefined })
  return body
}

const linksOf = (offer: Body) => offer['links'] as { reference: string; value: string; haip: string }

/** From the offer to the token, with a DPoP key. */
const takeUp = async (wallet: TheirWallet, offer: Body, txCode?: string) => {
  const { client } = wallet
  const credentialOffer: CredentialOfferObject = await client.resolveCredentialOffer(linksOf(offer).reference)
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const { accessTokenResponse, dpop } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    ...{ credentialOffer, issuerMetadata, dpop: { signer: signerOf(wallet.dpopKey) } },
    ...(txCode === undefined ? {} : { txCode }),
  })
  return { client, issuerMetadata, accessToken: accessTokenResponse.access_token, response: accessTokenResponse, dpop }
}

type Taken = Awaited<ReturnType<typeof takeUp>>

const freshNonce = async ({ client, issuerMetadata }: Taken): Promise<string> =>
  (await client.requestNonce({ issuerMetadata })).c_nonce

const collect = async (taken: Taken, keys: readonly WalletKey[], configurationId: string, more: Body = {}) => {
  const { client, issuerMetadata, accessToken, dpop } = taken
  const nonce = await freshNonce(taken)
  const jwts = await Promise.all(
    keys.map(async key => {
      const { jwt } = await client.createCredentialRequestJwtProof({
        ...{ issuerMetadata, credentialConfigurationId: configurationId, signer: signerOf(key), nonce },
      })
      return jwt
    }),
  )
  return client.retrieveCredentials({
    ...{ issuerMetadata, accessToken, credentialConfigurationId: configurationId },
    ...{ proofs: { jwt: jwts as [string, ...string[]] }, additionalRequestPayload: more },
    ...(dpop && { dpop }),
  })
}

const credentialsIn = (response: Awaited<ReturnType<typeof collect>>): unknown[] =>
  ((response.credentialResponse as Body)['credentials'] as { credential: unknown }[]).map(
    ({ credential }) => credential,
  )

const mediaTypes: Record<string, string> = { dc_sd_jwt: 'dc+sd-jwt', vc_jwt: 'vc+jwt' }

/** As the VC API takes it. */
const verified = async (format: string, credential: unknown): Promise<Body> => {
  const type = mediaTypes[format]
  const enveloped = {
    '@context': 'https://www.w3.org/ns/credentials/v2',
    ...{ type: 'EnvelopedVerifiableCredential', id: `data:application/${type},${String(credential)}` },
  }
  const { body } = await staff('POST', '/credentials/verify', {
    verifiableCredential: type === undefined ? credential : enveloped,
  })
  return body
}

/** What a response's credentials say of their own. */
const sdJwtOf = (credential: unknown): Body =>
  JSON.parse(Buffer.from(String(credential).split('.')[1] ?? '', 'base64url').toString()) as Body

/** The endpoint's answer to a request that is made by hand. */
const ask = async (
  { accessToken }: Taken,
  wallet: TheirWallet,
  path: string,
  sent: { body: unknown; type?: string; token?: string; authorization?: string | undefined },
): Promise<{ status: number; body: Body; text: string; headers: Headers }> => {
  const url = `${issuer}/openid4vci/${path}`
  const { jwk } = wallet.dpopKey
  const nonce = (await fetch(`${issuer}/openid4vci/nonce`, { method: 'POST' })).headers.get('dpop-nonce')
  const ath = createHash('sha256').update(accessToken).digest('base64url')
  const claims = { htm: 'POST', htu: url, jti: randomUUID(), iat: Math.floor(Date.now() / 1_000), ath }
  const proof = signJws({ typ: 'dpop+jwt', jwk }, { ...claims, nonce }, wallet.dpopKey)
  const authorization = 'authorization' in sent ? sent.authorization : `DPoP ${sent.token ?? accessToken}`
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': sent.type ?? 'application/json',
      ...{ dpop: proof },
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body),
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, text, body: isJson ? JSON.parse(text) : {}, headers: response.headers }
}

const errorIn = ({ status, body }: { status: number; body: Body }): string => `${status} ${String(body['error'])}`

const identity = { credential_configuration_id: idOf('dc_sd_jwt') }
const proofsOf = async (taken: Taken, ...keys: WalletKey[]): Promise<Body> => {
  const nonce = await freshNonce(taken)
  return { proofs: { jwt: keys.map(key => proofOf(key, { issuer, nonce })) } }
}

describe('a wallet made with @openid4vc/openid4vci', () => {
  it.each(formats)(
    'collects a driving licence as %s with a pre-authorised code, and the licence verifies',
    async format => {
      const wallet = newTheirWallet()
      const offer = await offerFor([format])
      const taken = await takeUp(wallet, offer)
      const key = wallet.newKey()
      const response = await collect(taken, [key], idOf(format))
      const [credential] = credentialsIn(response)
      const verdict = await verified(format, credential)
      expect({ verified: verdict['verified'], errors: verdict['errors'] }).toEqual({ verified: true, errors: [] })
      // An mdoc has a device key and no DID.
      const holder = format === 'mso_mdoc' ? didKeyOf(publicKeyFromJwk(key.jwk as JsonWebKey)) : didJwkOf(key)
      expect(JSON.stringify(verdict)).toContain(holder)
      const state = await staff('GET', `/credential-offers/${String(offer['id'])}`)
      expect(state.body).toMatchObject({ state: 'collected', open: false, collected: { [idOf(format)]: 1 } })
    },
  )

  it('is told a transaction code in another way, and needs it', async () => {
    const wallet = newTheirWallet()
    const txCode = { length: 5, inputMode: 'numeric', description: 'It is in the letter.' }
    const offer = await offerFor(['dc_sd_jwt'], { txCode })
    expect(String(offer['txCode'])).toMatch(/^\d{5}$/)
    const { grants } = await wallet.client.resolveCredentialOffer(linksOf(offer).reference)
    expect(grants?.[preAuthorized]?.tx_code).toEqual({
      length: 5,
      input_mode: 'numeric',
      description: txCode.description,
    })
    const wrong = offer['txCode'] === '00000' ? '00001' : '00000'
    await expect(takeUp(wallet, offer, wrong)).rejects.toThrow()
    const taken = await takeUp(wallet, offer, String(offer['txCode']))
    expect(credentialsIn(await collect(taken, [wallet.newKey()], idOf('dc_sd_jwt')))).toHaveLength(1)
  })

  it('reads the same offer by value, by reference and off a QR code', async () => {
    const { client } = newTheirWallet()
    const offer = await offerFor(['dc_sd_jwt', 'mso_mdoc'])
    const { reference, value, haip } = linksOf(offer)
    expect(await client.resolveCredentialOffer(value)).toEqual(offer['credentialOffer'])
    expect(await client.resolveCredentialOffer(reference)).toEqual(offer['credentialOffer'])
    expect(haip.replace('haip-vci:', 'openid-credential-offer:')).toBe(reference)
    for (const [query, type, begins] of [
      ['', 'image/svg+xml', '<svg'],
      ['?format=png&scheme=haip-vci', 'image/png', '\u0089PNG'],
    ] as const) {
      const url = `${issuer}/credential-offers/${String(offer['id'])}/qr${query}`
      const headers = { authorization: `Bearer ${keyOf(service.dataDir, 'transport-authority')}` }
      const response = await fetch(url, { headers })
      expect(response.headers.get('content-type')).toBe(type)
      expect(
        Buffer.from(await response.arrayBuffer())
          .toString('latin1')
          .startsWith(begins),
      ).toBe(true)
    }
  })

  it('collects a batch: a credential a key, each with an index of its own', async () => {
    const wallet = newTheirWallet()
    const taken = await takeUp(wallet, await offerFor(['dc_sd_jwt']))
    const keys = [wallet.newKey(), wallet.newKey('Ed25519'), wallet.newKey()]
    const credentials = credentialsIn(await collect(taken, keys, idOf('dc_sd_jwt'))).map(sdJwtOf)
    expect(credentials.map(({ sub }) => sub)).toEqual(keys.map(didJwkOf))
    expect(credentials.map(({ cnf }) => (cnf as { jwk: Body }).jwk['x'])).toEqual(keys.map(({ jwk }) => jwk.x))
    const indices = credentials.map(({ status }) => (status as { status_list: Body }).status_list['idx'])
    expect(new Set(indices).size).toBe(3)
  })

  it('waits for an officer, and asks again until the credential is released', async () => {
    const wallet = newTheirWallet()
    const offer = await offerFor(['dc_sd_jwt'], { release: 'officer' })
    const taken = await takeUp(wallet, offer)
    const { client, issuerMetadata, accessToken, dpop } = taken
    const key = wallet.newKey()
    const waiting = (await collect(taken, [key], idOf('dc_sd_jwt'))).credentialResponse as Body
    expect(waiting).toEqual({ transaction_id: expect.any(String), interval: 5 })
    const transactionId = String(waiting['transaction_id'])
    const again = () =>
      client.retrieveDeferredCredentials({ issuerMetadata, accessToken, transactionId, ...(dpop && { dpop }) })
    expect((await again()).deferredCredentialResponse).toEqual(waiting)
    const released = await staff('POST', `/credential-offers/${String(offer['id'])}/release`, { decision: 'release' })
    expect(released.body).toMatchObject({ release: 'given', state: 'offered' })
    const { deferredCredentialResponse: answer } = await again()
    const [credential] = (answer as unknown as { credentials: { credential: unknown }[] }).credentials
    expect(sdJwtOf(credential?.credential)['sub']).toBe(didJwkOf(key))
    // The answer may have been lost on its way: it comes again for a while, and is the same.
    expect((await again()).deferredCredentialResponse).toEqual(answer)
    const body = { transaction_id: `${transactionId}x` }
    expect(errorIn(await ask(taken, wallet, 'deferred-credential', { body }))).toBe('400 invalid_transaction_id')
    const { body: state } = await staff('GET', `/credential-offers/${String(offer['id'])}`)
    expect(state).toMatchObject({ state: 'collected', deliveries: [{ state: 'delivered' }] })
  })

  it('tells that it has kept the credential, twice if it likes', async () => {
    const wallet = newTheirWallet()
    const offer = await offerFor(['dc_sd_jwt'])
    const taken = await takeUp(wallet, offer)
    const { client, issuerMetadata, accessToken, dpop } = taken
    const { credentialResponse } = await collect(taken, [wallet.newKey()], idOf('dc_sd_jwt'))
    const notificationId = String((credentialResponse as Body)['notification_id'])
    for (const event of ['credential_accepted', 'credential_accepted', 'credential_deleted'] as const) {
      const notification = { notificationId, event }
      await client.sendNotification({ issuerMetadata, accessToken, notification, ...(dpop && { dpop }) })
      const { body } = await staff('GET', `/credential-offers/${String(offer['id'])}`)
      expect(body['deliveries']).toMatchObject([{ state: 'delivered', event }])
    }
  })

  it('reads signed metadata under the certificates of the agency', async () => {
    const url = `${service.url}/.well-known/openid-credential-issuer/transport-authority`
    const response = await fetch(url, { headers: { accept: 'application/jwt' } })
    expect(response.headers.get('content-type')).toBe('application/jwt')
    const jwt = await response.text()
    const { x5c = [], typ } = decodeProtectedHeader(jwt)
    expect(typ).toBe('openidvci-issuer-metadata+jwt')
    const chain = x5c.map(each => new X509Certificate(Buffer.from(each, 'base64')))
    const { anchors } = (await (await fetch(`${issuer}/certificates`)).json()) as { anchors: string[] }
    const roots = anchors.map(each => new X509Certificate(Buffer.from(each, 'base64')))
    expect(roots.some(root => chain.at(-1)?.checkIssued(root) && chain.at(-1)?.verify(root.publicKey))).toBe(true)
    const { payload } = await jwtVerify(jwt, (chain[0] as X509Certificate).publicKey)
    const { iss, sub, iat, exp, ...signed } = payload
    expect({ sub, isLater: Number(exp) > Number(iat), isDid: String(iss).startsWith('did:') }).toEqual({
      ...{ sub: issuer, isLater: true, isDid: true },
    })
    expect(signed).toEqual(await (await fetch(url)).json())
    const rather = await fetch(url, { headers: { accept: 'application/json, application/jwt;q=0.5' } })
    expect(rather.headers.get('content-type')).toBe('application/json')
  })
})

describe('a wallet that encrypts (OpenID4VCI 1.0, section 10)', () => {
  const encrypted = async (taken: Taken, content: Body): Promise<string> => {
    const metadata = taken.issuerMetadata.credentialIssuer as unknown as {
      credential_request_encryption: { jwks: { keys: JWK[] } }
    }
    const [key] = metadata.credential_request_encryption.jwks.keys as [JWK]
    return new CompactEncrypt(Buffer.from(JSON.stringify(content)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: String(key.kid) })
      .encrypt(await importJWK(key, 'ECDH-ES'))
  }
  const newAnswerKey = async () => {
    const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true })
    return { privateKey, jwk: { ...(await exportJWK(publicKey)), alg: 'ECDH-ES', kid: 'answer-1' } }
  }

  it('gets an answer for its key alone, also of a deferred credential', async () => {
    const wallet = newTheirWallet()
    const offer = await offerFor(['dc_sd_jwt', 'jwt_vc_json'], { release: 'officer' })
    const taken = await takeUp(wallet, offer)
    const { privateKey, jwk } = await newAnswerKey()
    const wanted = { credential_response_encryption: { jwk, enc: 'A128GCM' } }
    const open = async ({ text, headers }: { text: string; headers: Headers }): Promise<Body> => {
      expect(headers.get('content-type')).toBe('application/jwt')
      const { plaintext, protectedHeader } = await compactDecrypt(text, privateKey)
      expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc: 'A128GCM', kid: 'answer-1' })
      return JSON.parse(Buffer.from(plaintext).toString()) as Body
    }
    const request = { ...identity, ...(await proofsOf(taken, wallet.newKey())), ...wanted }
    const sent = { body: await encrypted(taken, request), type: 'application/jwt' }
    const first = await ask(taken, wallet, 'credential', sent)
    expect(first.status).toBe(202)
    const { transaction_id } = await open(first)
    await staff('POST', `/credential-offers/${String(offer['id'])}/release`, { decision: 'release' })
    const later = { body: await encrypted(taken, { transaction_id, ...wanted }), type: 'application/jwt' }
    const second = await ask(taken, wallet, 'deferred-credential', later)
    expect((await open(second))['credentials']).toHaveLength(1)
    const at_once = { credential_configuration_id: idOf('jwt_vc_json'), ...(await proofsOf(taken, wallet.newKey())) }
    const plain = await ask(taken, wallet, 'credential', {
      ...{ body: await encrypted(taken, at_once), type: 'application/jwt' },
    })
    expect({ status: plain.status, credentials: plain.body['credentials'] }).toMatchObject({ status: 200 })
    const deflated = { ...at_once, ...wanted, credential_response_encryption: { jwk, enc: 'A128GCM', zip: 'DEF' } }
    const again = await ask(taken, wallet, 'credential', {
      ...{ body: await encrypted(taken, deflated), type: 'application/jwt' },
    })
    expect((await open(again))['credentials']).toEqual(plain.body['credentials'])
  })

  it('is refused when the request is in the clear, for another key, no JWE, or wants what nobody does', async () => {
    const wallet = newTheirWallet()
    const taken = await takeUp(wallet, await offerFor(['dc_sd_jwt']))
    const { jwk } = await newAnswerKey()
    const request = { ...identity, ...(await proofsOf(taken, wallet.newKey())) }
    const clear = { body: { ...request, credential_response_encryption: { jwk, enc: 'A128GCM' } } }
    expect(errorIn(await ask(taken, wallet, 'credential', clear))).toBe('400 invalid_encryption_parameters')
    const foreign = await new CompactEncrypt(Buffer.from(JSON.stringify(request)))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .encrypt(await importJWK(jwk, 'ECDH-ES'))
    for (const body of [foreign, 'a.b.c', 'a.b.c.d.e']) {
      const answer = await ask(taken, wallet, 'credential', { body, type: 'application/jwt' })
      expect(errorIn(answer)).toBe('400 invalid_encryption_parameters')
    }
    for (const wanted of [
      'answer-1',
      { jwk },
      { jwk, enc: 'A128CBC-HS256' },
      { jwk, enc: 'A128GCM', zip: 'GZIP' },
      { jwk: { ...jwk, alg: 'ECDH-ES+A128KW' }, enc: 'A128GCM' },
      { jwk: { ...jwk, alg: undefined }, enc: 'A128GCM' },
      { jwk: { ...jwk, y: jwk.x }, enc: 'A128GCM' },
      { enc: 'A128GCM' },
    ]) {
      const body = await encrypted(taken, { ...request, credential_response_encryption: wanted })
      const answer = await ask(taken, wallet, 'credential', { body, type: 'application/jwt' })
      expect({ wanted, error: errorIn(answer) }).toEqual({ wanted, error: '400 invalid_encryption_parameters' })
    }
    expect((await ask(taken, wallet, 'credential', { body: request })).status).toBe(200)
  })
})

describe('the credential endpoint (OpenID4VCI 1.0, section 8)', () => {
  it('gives the same credential again for the same request, and no second one for another', async () => {
    const wallet = newTheirWallet()
    const taken = await takeUp(wallet, await offerFor(['dc_sd_jwt']))
    const request = { ...identity, ...(await proofsOf(taken, wallet.newKey())) }
    const [first, second] = [
      await ask(taken, wallet, 'credential', { body: request }),
      await ask(taken, wallet, 'credential', { body: request }),
    ]
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.body).toEqual(first.body)
    const another = { ...identity, ...(await proofsOf(taken, wallet.newKey())) }
    expect(errorIn(await ask(taken, wallet, 'credential', { body: another }))).toBe('400 credential_request_denied')
  })

  it('gives one credential when one request comes ten times at once, and one for ten requests', async () => {
    const wallet = newTheirWallet()
    const taken = await takeUp(wallet, await offerFor(['dc_sd_jwt']))
    const request = { ...identity, ...(await proofsOf(taken, wallet.newKey())) }
    const same = await Promise.all(
      Array.from({ length: 10 }, () => ask(taken, wallet, 'credential', { body: request })),
    )
    expect(same.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(new Set(same.map(({ text }) => text)).size).toBe(1)
    const other = await takeUp(wallet, await offerFor(['dc_sd_jwt']))
    const requests = await Promise.all(
      Array.from({ length: 10 }, async () => ({ ...identity, ...(await proofsOf(other, wallet.newKey())) })),
    )
    const answers = await Promise.all(requests.map(body => ask(other, wallet, 'credential', { body })))
    const given = answers.filter(({ status }) => status === 200)
    const denied = answers.filter(each => errorIn(each) === '400 credential_request_denied')
    expect([given.length, denied.length]).toEqual([1, 9])
  })

  it('uses a nonce for one request, whichever token comes with it', async () => {
    const wallet = newTheirWallet()
    const [one, other] = [
      await takeUp(wallet, await offerFor(['dc_sd_jwt'])),
      await takeUp(wallet, await offerFor(['dc_sd_jwt'])),
    ]
    const nonce = await freshNonce(one)
    const requestOf = () => ({ ...identity, proofs: { jwt: [proofOf(wallet.newKey(), { issuer, nonce })] } })
    expect((await ask(one, wallet, 'credential', { body: requestOf() })).status).toBe(200)
    expect(errorIn(await ask(other, wallet, 'credential', { body: requestOf() }))).toBe('400 invalid_nonce')
  })

  it('collects as often as the offer says', async () => {
    const wallet = newTheirWallet()
    const taken = await takeUp(wallet, await offerFor(['dc_sd_jwt'], { times: 2 }))
    const statuses: number[] = []
    for (let at = 0; at < 3; at++) {
      const body = { ...identity, ...(await proofsOf(taken, wallet.newKey())) }
      statuses.push((await ask(taken, wallet, 'credential', { body })).status)
    }
    expect(statuses).toEqual([200, 200, 400])
  })

  it('refuses what it cannot read or does not offer, by the names of section 8.3.1', async () => {
    const wallet = newTheirWallet()
    const taken = await takeUp(wallet, await offerFor(['dc_sd_jwt']))
    const proofs = await proofsOf(taken, wallet.newKey())
    const table: [unknown, string][] = [
      ['{', '400 invalid_credential_request'],
      ['"text"', '400 invalid_credential_request'],
      [[], '400 invalid_credential_request'],
      [proofs, '400 invalid_credential_request'],
      [{ ...identity, credential_identifier: 'a', ...proofs }, '400 invalid_credential_request'],
      [{ credential_identifier: 'a', ...proofs }, '400 invalid_credential_request'],
      [{ credential_configuration_id: 'Nothing', ...proofs }, '400 unknown_credential_configuration'],
      [{ credential_configuration_id: '__proto__', ...proofs }, '400 unknown_credential_configuration'],
      [{ credential_configuration_id: 7, ...proofs }, '400 unknown_credential_configuration'],
      [{ credential_configuration_id: idOf('mso_mdoc'), ...proofs }, '403 insufficient_scope'],
      [identity, '400 invalid_proof'],
      [{ ...identity, proofs: { jwt: [] } }, '400 invalid_proof'],
      [{ ...identity, proofs: { jwt: Array(21).fill('a.b.c') } }, '400 invalid_proof'],
      [{ ...identity, proofs: { jwt: [proofOf(wallet.newKey(), { issuer, nonce: 'none' })] } }, '400 invalid_nonce'],
    ]
    for (const [body, error] of table) {
      expect({ body, error: errorIn(await ask(taken, wallet, 'credential', { body })) }).toEqual({ body, error })
    }
    const ignored = { ...identity, ...proofs, locale: 'fr', __unknown: { deep: [1] } }
    expect((await ask(taken, wallet, 'credential', { body: ignored })).status).toBe(200)
  })

  it('refuses whoever brings no token, a wrong one, one as bearer, or the proof of another key (RFC 6750, RFC 9449)', async () => {
    const wallet = newTheirWallet()
    const taken = await takeUp(wallet, await offerFor(['dc_sd_jwt']))
    const body = { ...identity, ...(await proofsOf(taken, wallet.newKey())) }
    for (const authorization of [
      undefined,
      'DPoP nobody-knows-this-token',
      `Bearer ${taken.accessToken}`,
      'Basic eA==',
    ]) {
      const answer = await ask(taken, wallet, 'credential', { body, authorization })
      expect({ authorization, error: errorIn(answer) }).toEqual({ authorization, error: '401 invalid_token' })
      expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP /)
    }
    const thief = { ...wallet, dpopKey: wallet.newKey() }
    expect((await ask(taken, thief, 'credential', { body })).status).toBe(401)
    for (const path of ['deferred-credential', 'notification']) {
      expect(errorIn(await ask(taken, wallet, path, { body: {}, authorization: undefined }))).toBe('401 invalid_token')
    }
    expect((await ask(taken, wallet, 'credential', { body })).status).toBe(200)
  })

  it('gives nothing once the offer is withdrawn or denied, and knows transactions and notifications of nobody else', async () => {
    const wallet = newTheirWallet()
    const [withdrawn, denied] = [await offerFor(['dc_sd_jwt']), await offerFor(['dc_sd_jwt'], { release: 'officer' })]
    const [one, other] = [await takeUp(wallet, withdrawn), await takeUp(wallet, denied)]
    const body = { ...identity, ...(await proofsOf(one, wallet.newKey())) }
    const waiting = await ask(other, wallet, 'credential', {
      body: { ...identity, ...(await proofsOf(other, wallet.newKey())) },
    })
    const transaction = { transaction_id: waiting.body['transaction_id'] }
    expect(errorIn(await ask(one, wallet, 'deferred-credential', { body: transaction }))).toBe(
      '400 invalid_transaction_id',
    )
    const ended = await staff('DELETE', `/credential-offers/${String(withdrawn['id'])}`)
    expect(ended.status).toBe(204)
    expect((await ask(one, wallet, 'credential', { body })).status).toBeGreaterThanOrEqual(400)
    expect((await fetch(String(withdrawn['credentialOfferUri']))).status).toBe(404)
    await staff('POST', `/credential-offers/${String(denied['id'])}/release`, { decision: 'deny' })
    expect(errorIn(await ask(other, wallet, 'deferred-credential', { body: transaction }))).toBe(
      '400 credential_request_denied',
    )
    for (const [sent, error] of [
      [{}, 'invalid_notification_request'],
      ['{', 'invalid_notification_request'],
      [{ notification_id: 'a', event: 'lost' }, 'invalid_notification_request'],
      [{ notification_id: 'a', event: 'credential_failure', event_description: 'é' }, 'invalid_notification_request'],
      [{ notification_id: 'a', event: 'credential_failure' }, 'invalid_notification_id'],
    ] as const) {
      expect(errorIn(await ask(other, wallet, 'notification', { body: sent }))).toBe(`400 ${error}`)
    }
  })
})
