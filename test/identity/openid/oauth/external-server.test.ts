import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetchBounded } from '../../../../src/identity/fetch-bounded.ts'
import { metadataUrlOf, openExternalServer } from '../../../../src/identity/openid/oauth/external-server.ts'
import { movableClock } from '../../../http/fixture.ts'

type Members = Record<string, unknown>

const audience = 'https://agency.example/agency'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwkOf = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' })

/** An authorization server of others: its metadata and its keys, as it serves them. */
let served: Record<string, () => { status?: number; body: string }> = {}
let asked: string[] = []
let server: Server
let issuer = ''
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const { status = 200, body } = served[request.url ?? '']?.() ?? { status: 404, body: '' }
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/tenant`
})
afterAll(() => new Promise(done => server.close(done)))

const keysPath = '/tenant/keys'
const metadataPath = '/.well-known/oauth-authorization-server/tenant'
beforeEach(() => {
  asked = []
  served = {
    [keysPath]: () => ({
      body: JSON.stringify({ keys: [jwkOf(rsa.publicKey, 'rsa-1'), jwkOf(ec.publicKey, 'ec-1')] }),
    }),
    [metadataPath]: () => ({
      body: JSON.stringify({ issuer, jwks_uri: new URL(keysPath, issuer).href, token_endpoint: 'x' }),
    }),
  }
})

const open = (more: Partial<Parameters<typeof openExternalServer>[0]> = {}, clock = movableClock()) => ({
  clock,
  ...openExternalServer(
    { issuer, ...more },
    {
      ...{ clock, audience },
      fetchText: async url =>
        (await fetchBounded(url, { allowedHttpOrigins: [new URL(issuer).origin] })).body.toString('utf8'),
    },
  ),
})

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const tokenOf = (claims: Members = {}, header: Members = {}, key: KeyObject = rsa.privateKey): string => {
  const now = Math.floor(Date.now() / 1_000)
  const payload = {
    ...{ iss: issuer, aud: audience, sub: 'u-1', client_id: 'wallet', jti: 'j-1', iat: now, exp: now + 300 },
    ...{ scope: 'licence openid', cnf: { jkt: 'k'.repeat(43) }, ...claims },
  }
  const input = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'rsa-1', ...header })}.${encode(payload)}`
  const signature =
    key.asymmetricKeyType === 'rsa'
      ? sign('sha256', Buffer.from(input), key)
      : sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

describe('access tokens of another authorization server (RFC 9068)', () => {
  it('say whose they are and what they open', async () => {
    const { judge } = open({ person: { type: 'NationalIdentity', claims: { personalNumber: 'pid' } } })
    const details = [
      { type: 'openid_credential', credential_configuration_id: 'A' },
      { type: 'openid_credential', credential_configuration_id: 'B', locations: ['https://other.example'] },
      { type: 'payment', credential_configuration_id: 'C' },
    ]
    expect(await judge(tokenOf({ authorization_details: details, pid: '7', issuer_state: 's' }))).toEqual({
      ...{ id: expect.stringMatching(/^[\w-]{43}$/), expires: expect.any(Number), subject: 'u-1', clientId: 'wallet' },
      ...{ thumbprint: 'k'.repeat(43), scopes: ['licence', 'openid'], configurationIds: ['A'], issuerState: 's' },
      person: { type: 'NationalIdentity', claims: { personalNumber: '7' } },
    })
  })

  it('may be signed with RSA or on a curve, and be meant for several', async () => {
    const token = tokenOf({ aud: ['x', audience] }, { alg: 'ES256', kid: 'ec-1' }, ec.privateKey)
    expect((await open().judge(token)).subject).toBe('u-1')
  })

  it('name nobody where a claim is missing that would say whose they are', async () => {
    const { judge } = open({ person: { type: 'NationalIdentity', claims: { personalNumber: 'pid' } } })
    expect((await judge(tokenOf())).person).toBeUndefined()
  })

  const now = Math.floor(Date.now() / 1_000)
  it.each<[string, () => string]>([
    ['of another typ', () => tokenOf({}, { typ: 'JWT' })],
    ['without a typ', () => tokenOf({}, { typ: undefined })],
    ['that are an id token', () => tokenOf({}, { typ: 'id_token+jwt' })],
    ['of another server', () => tokenOf({ iss: 'https://other.example' })],
    ['of a server whose name only begins so', () => tokenOf({ iss: `${issuer}/` })],
    ['for another issuer', () => tokenOf({ aud: 'https://other.example' })],
    ['for nobody', () => tokenOf({ aud: undefined })],
    ['that have expired', () => tokenOf({ exp: now - 3_600 })],
    ['without an end', () => tokenOf({ exp: undefined })],
    ['that live too long', () => tokenOf({ exp: now + 90_000 })],
    ['without a beginning', () => tokenOf({ iat: undefined })],
    ['from the future', () => tokenOf({ iat: now + 3_600, exp: now + 3_700 })],
    ['that begin later', () => tokenOf({ nbf: now + 3_600 })],
    ['without a subject', () => tokenOf({ sub: undefined })],
    ['without a client', () => tokenOf({ client_id: undefined })],
    ['without an id', () => tokenOf({ jti: undefined })],
    ['bound to a certificate', () => tokenOf({ cnf: { 'x5t#S256': 'x' } })],
    ['without a signature', () => tokenOf({}, { alg: 'none' })],
    ['with a MAC', () => tokenOf({}, { alg: 'HS256' })],
    ['signed by another key', () => tokenOf({}, {}, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)],
    ['with the name of another key', () => tokenOf({}, { kid: 'ec-1' })],
    ['with the name of no key', () => tokenOf({}, { kid: 'rsa-2' })],
    ['that are no JWT', () => 'opaque'],
    ['that are too long', () => tokenOf({ filler: 'x'.repeat(20_000) })],
  ])('%s are refused', async (_, token) => {
    await expect(open().judge(token())).rejects.toMatchObject({
      ...{ kind: 'unauthenticated', code: 'access_token_refused', facts: { error: 'invalid_token' } },
    })
  })
})

describe('the keys of another authorization server', () => {
  it('are found by its metadata, and asked for once in ten minutes', async () => {
    const { judge, clock } = open()
    await Promise.all([judge(tokenOf()), judge(tokenOf())])
    await judge(tokenOf())
    expect(asked.toSorted()).toEqual([metadataPath, keysPath].toSorted())
    clock.advance(600_000)
    await judge(tokenOf({ iat: Math.floor(clock.now() / 1_000), exp: Math.floor(clock.now() / 1_000) + 60 }))
    expect(asked.filter(path => path === keysPath)).toHaveLength(2)
  })

  it('are asked for again when a token names one that nobody knows, but not for each such token', async () => {
    const { judge, clock } = open({ jwksUrl: new URL(keysPath, issuer).href })
    await judge(tokenOf())
    for (let times = 0; times < 3; times++) await judge(tokenOf({}, { kid: 'new' })).catch(() => undefined)
    expect(asked).toHaveLength(1)
    clock.advance(30_000)
    for (let times = 0; times < 3; times++) await judge(tokenOf({}, { kid: 'new' })).catch(() => undefined)
    expect(asked).toHaveLength(2)
  })

  it('that stand in the agency’s file are not asked for at all', async () => {
    const { judge } = open({ keys: [jwkOf(rsa.publicKey, 'rsa-1')] })
    await judge(tokenOf())
    expect(asked).toEqual([])
  })

  it.each<[string, () => { status?: number; body: string }]>([
    ['are not there', () => ({ status: 500, body: '' })],
    ['are no JSON', () => ({ body: '<html>' })],
    ['are no key set', () => ({ body: '{"keys":[]}' })],
    [
      'hold a private key',
      () => ({ body: JSON.stringify({ keys: [{ ...ec.privateKey.export({ format: 'jwk' }), kid: 'x' }] }) }),
    ],
    ['are a bomb', () => ({ body: `{"keys":[${' '.repeat(300_000)}]}` })],
  ])('cannot be known when they %s: then nothing is judged', async (_, answer) => {
    served[keysPath] = answer
    await expect(open().judge(tokenOf())).rejects.toMatchObject({
      ...{ kind: 'unavailable', code: 'authorization_server_unavailable' },
    })
  })

  it('can be had again after they could not', async () => {
    const { judge } = open()
    const good = served[keysPath]
    served[keysPath] = () => ({ status: 503, body: '' })
    await expect(judge(tokenOf())).rejects.toMatchObject({ kind: 'unavailable' })
    if (good !== undefined) served[keysPath] = good
    await expect(judge(tokenOf())).resolves.toBeDefined()
  })
})

describe('the metadata of another authorization server (RFC 8414)', () => {
  it('is told as it publishes it', async () => {
    expect(await open().metadata()).toMatchObject({ issuer, token_endpoint: 'x' })
    expect(metadataUrlOf('https://as.example')).toBe('https://as.example/.well-known/oauth-authorization-server')
    expect(metadataUrlOf('https://as.example/a')).toBe('https://as.example/.well-known/oauth-authorization-server/a')
  })

  it.each<[string, unknown]>([
    ['of another server (section 3.3)', { issuer: 'https://other.example' }],
    ['of nobody', {}],
    ['that is a list', []],
  ])('%s is not believed', async (_, metadata) => {
    served[metadataPath] = () => ({ body: JSON.stringify(metadata) })
    await expect(open().metadata()).rejects.toMatchObject({ code: 'authorization_server_unavailable' })
  })
})
