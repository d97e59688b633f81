import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { createApiKeys, createFirstKey } from '../../src/http/api-keys.ts'
import { createAuth, type OidcConfig } from '../../src/http/auth.ts'
import type { Caller } from '../../src/kernel/gate.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import { memoryStore, movableClock, openHouse, post } from './fixture.ts'

const invalid = expect.objectContaining({ kind: 'unauthenticated', code: 'credentials_invalid' })
const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` })

describe('an API key', () => {
  const open = async () => {
    const store = await memoryStore()
    const clock = movableClock()
    return { store, clock, keys: createApiKeys(store, clock), auth: createAuth({ store, clock, scopes: ['a', 'b'] }) }
  }

  test('opens with its own scopes', async () => {
    const { keys, auth } = await open()
    const { id, key } = await keys.create({ scopes: ['a'] })
    expect(await auth.authenticate(bearer(key))).toEqual({ kind: 'apiKey', id, scopes: ['a'] })
  })

  test('is nowhere in the store', async () => {
    const { store, keys } = await open()
    const { key } = await keys.create({ scopes: ['a'] })
    const secret = key.split('_').slice(2).join('_')
    const [row] = await store.read('SELECT hex(secret_sha256) AS digest, scopes FROM api_keys')
    expect(JSON.stringify(row)).not.toContain(secret)
    expect(row?.['digest']).toHaveLength(64)
  })

  test.each([
    ['with another secret', (key: string) => `${key.slice(0, -2)}${key.endsWith('AA') ? 'BB' : 'AA'}`],
    ['with an unknown id', (key: string) => key.replace(/ck_.{16}/, 'ck_0000000000000000')],
    ['cut short', (key: string) => key.slice(0, -1)],
    ['with more behind', (key: string) => `${key}A`],
    ['without a secret', (key: string) => key.slice(0, 20)],
    ['in capitals', (key: string) => key.toUpperCase()],
  ])('is refused %s, always in the same words', async (_name, change) => {
    const { keys, auth } = await open()
    const { key } = await keys.create({ scopes: ['a'] })
    await expect(auth.authenticate(bearer(change(key)))).rejects.toThrow(invalid)
    await expect(auth.authenticate(bearer(change(key)))).rejects.toThrow('The key, token or session is not valid.')
  })

  test.each(['Basic dXNlcjpwYXNz', 'Bearer', 'Bearer  two  spaces', 'Bearer a b', '', `Bearer ${'x'.repeat(9_000)}`])(
    'is not read from the header "%.20s"',
    async authorization => {
      const { auth } = await open()
      await expect(auth.authenticate({ authorization })).rejects.toThrow(invalid)
    },
  )

  test('is refused from the moment it expires', async () => {
    const { clock, keys, auth } = await open()
    const { key } = await keys.create({ scopes: ['a'], expires: clock.now() + 1_000 })
    await auth.authenticate(bearer(key))
    clock.advance(1_000)
    await expect(auth.authenticate(bearer(key))).rejects.toThrow(invalid)
  })

  test('is refused at once where it is revoked, and within five seconds elsewhere', async () => {
    const { store, clock, keys, auth } = await open()
    const { id, key } = await keys.create({ scopes: ['a'] })
    expect(await keys.find(key)).toBeDefined()
    await auth.authenticate(bearer(key))
    await keys.revoke(id)
    expect(await keys.find(key)).toBeUndefined()
    clock.advance(5_000)
    await expect(auth.authenticate(bearer(key))).rejects.toThrow(invalid)
    await store.close()
  })

  test('that was unknown a moment ago opens as soon as it exists', async () => {
    const { store, clock, keys, auth } = await open()
    const other = createApiKeys(store, clock)
    const { id, key } = await other.create({ scopes: ['a'] })
    await store.transaction(tx => tx.query('UPDATE api_keys SET id = ? WHERE id = ?', [`x${id}`, id]))
    expect(await keys.find(key)).toBeUndefined()
    await store.transaction(tx => tx.query('UPDATE api_keys SET id = ? WHERE id = ?', [id, `x${id}`]))
    expect(await auth.authenticate(bearer(key))).toMatchObject({ id })
  })
})

describe('the first key', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chancery-keys-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('is written once, for its owner only, and has every scope', async () => {
    const [store, clock, file] = [await memoryStore(), movableClock(), join(folder, 'first-key')]
    expect(await createFirstKey(store, file, clock)).toBe(true)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const key = (await readFile(file, 'utf8')).trim()
    const auth = createAuth({ store, clock, scopes: ['a', 'b', 'brought by a later version'] })
    expect(await auth.authenticate(bearer(key))).toMatchObject({ scopes: ['a', 'b', 'brought by a later version'] })
    expect(await createFirstKey(store, file, clock)).toBe(false)
    expect((await readFile(file, 'utf8')).trim()).toBe(key)
  })

  test('is not made when another key exists', async () => {
    const [store, clock] = [await memoryStore(), movableClock()]
    await createApiKeys(store, clock).create({ scopes: [] })
    expect(await createFirstKey(store, join(folder, 'first-key'), clock)).toBe(false)
    await expect(stat(join(folder, 'first-key'))).rejects.toThrow('ENOENT')
  })

  test('survives a kill between its commit and its file', async () => {
    const [store, clock, file] = [await memoryStore(), movableClock(), join(folder, 'first-key')]
    const { key } = await createApiKeys(store, clock).create({ scopes: ['*'] })
    await writeFile(`${file}.draft`, `${key}\n`, { mode: 0o600 })
    expect(await createFirstKey(store, file, clock)).toBe(false)
    expect((await readFile(file, 'utf8')).trim()).toBe(key)
  })

  test('is made anew after a kill before its commit', async () => {
    const [store, clock, file] = [await memoryStore(), movableClock(), join(folder, 'first-key')]
    await writeFile(`${file}.draft`, `ck_0000000000000000_${'A'.repeat(43)}\n`)
    expect(await createFirstKey(store, file, clock)).toBe(true)
    expect(await readFile(file, 'utf8')).not.toContain('AAAAAAAA')
  })
})

describe('an OIDC token', () => {
  const issuer = 'https://login.example'
  const audience = 'chancery'
  let pair: Awaited<ReturnType<typeof generateKeyPair>>
  let jwk: JWK
  beforeAll(async () => {
    pair = await generateKeyPair('ES256')
    jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' }
  })

  const sign = (claims: JWTPayload = {}, header: object = {}, key = pair.privateKey): Promise<string> =>
    new SignJWT({ iss: issuer, aud: audience, sub: 'officer-7', scope: 'a b', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
      .setIssuedAt()
      .setExpirationTime((claims.exp as number | undefined) ?? '5m')
      .sign(key)

  const authOf = async (config: Partial<OidcConfig> = {}) => {
    const oidc: OidcConfig = { issuer, audience, jwks: { keys: [jwk] }, ...config }
    return createAuth({ store: await memoryStore(), clock: movableClock(), scopes: ['a', 'b'], oidc })
  }

  test('opens with its scopes', async () => {
    const auth = await authOf()
    const caller = await auth.authenticate(bearer(await sign({ roles: ['c'] })))
    expect(caller).toEqual({ kind: 'oidc', id: 'officer-7', scopes: ['a', 'b', 'c'] })
  })

  test('opens with what its roles stand for, and nothing else, when there is a mapping', async () => {
    const auth = await authOf({ scopes: { officer: ['a', 'b'] } })
    const token = await sign({ scope: 'everything *', roles: ['officer', 'constructor'] })
    expect(await auth.authenticate(bearer(token))).toMatchObject({ scopes: ['a', 'b'] })
  })

  test('cannot ask for every scope by the sign of the first key', async () => {
    const auth = await authOf()
    expect(await auth.authenticate(bearer(await sign({ scope: '* a' })))).toMatchObject({ scopes: ['a'] })
  })

  const past = (): number => Math.floor(Date.now() / 1000) - 60
  test.each([
    ['without a signature (alg none)', async () => new UnsecuredJWT({ sub: 'x', exp: past() + 999 }).encode()],
    ['of another issuer', () => sign({ iss: 'https://evil.example' })],
    ['for a foreign audience', () => sign({ aud: 'another-service' })],
    ['that has expired', () => sign({ exp: past() })],
    ['that is not valid yet', () => sign({ nbf: past() + 600 })],
    ['without a subject', () => sign({ sub: '' })],
    ['signed by another key', async () => sign({}, {}, (await generateKeyPair('ES256')).privateKey)],
    ['of an unknown key', () => sign({}, { kid: 'two' })],
    [
      'signed with the public key as a shared secret',
      () =>
        new SignJWT({ iss: issuer, aud: audience, sub: 'x' })
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .setExpirationTime('5m')
          .sign(Buffer.from(JSON.stringify(jwk))),
    ],
    [
      'with an edited payload',
      async () => {
        const [header, , signature] = (await sign()).split('.')
        const claims = { iss: issuer, aud: audience, sub: 'x', scope: 'a b', exp: past() + 999 }
        return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
      },
    ],
    ['that is no token', async () => 'eyJ.eyJ.x'],
  ])('%s is refused', async (_name, make) => {
    const auth = await authOf()
    await expect(auth.authenticate(bearer(await make()))).rejects.toThrow(invalid)
  })

  test('a little late is let through within the tolerance', async () => {
    const auth = await authOf({ clockToleranceSeconds: 120 })
    expect(await auth.authenticate(bearer(await sign({ exp: past() })))).toMatchObject({ kind: 'oidc' })
  })

  test('is refused where no OIDC issuer is configured', async () => {
    const auth = createAuth({ store: await memoryStore(), clock: movableClock(), scopes: [] })
    await expect(auth.authenticate(bearer(await sign()))).rejects.toThrow(invalid)
  })

  test('cannot be configured with a shared-secret algorithm', async () => {
    await expect(authOf({ algorithms: ['HS256'] })).rejects.toThrow('HS256 is not allowed')
  })

  describe('whose keys come from a URL', () => {
    let server: Server
    let answer: (url: string) => { status: number; body: string; location?: string }
    beforeAll(async () => {
      server = createServer((request, response) => {
        const { status, body, location } = answer(request.url ?? '')
        response.writeHead(status, { 'content-type': 'application/json', ...(location ? { location } : {}) }).end(body)
      })
      await new Promise<void>(resolve => {
        server.listen(0, '127.0.0.1', resolve)
      })
    })
    afterAll(() => new Promise(resolve => server.close(resolve)))
    const remote = () => authOf({ jwks: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks` } })
    const unavailable = expect.objectContaining({ kind: 'unavailable', code: 'oidc_keys_unavailable' })

    test('opens', async () => {
      answer = () => ({ status: 200, body: JSON.stringify({ keys: [jwk] }) })
      expect(await (await remote()).authenticate(bearer(await sign()))).toMatchObject({ id: 'officer-7' })
    })

    test.each([
      ['fail', () => ({ status: 500, body: '' })],
      ['are no key set', () => ({ status: 200, body: '"x"' })],
      ['are endless', () => ({ status: 200, body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` })],
      [
        'are elsewhere',
        (url: string) =>
          url === '/jwks'
            ? { status: 302, body: '', location: '/elsewhere' }
            : { status: 200, body: JSON.stringify({ keys: [jwk] }) },
      ],
    ])('is told to come back when they %s', async (_name, given) => {
      answer = given
      await expect((await remote()).authenticate(bearer(await sign()))).rejects.toThrow(unavailable)
    })
  })
})

describe('a citizen', () => {
  test('comes in by the wallet service, and unknown sessions do not', async () => {
    const citizens = {
      session: async (token: string) =>
        token === 'cs_known' ? { kind: 'citizen' as const, id: 'c1', session: 's1' } : undefined,
    }
    const parts = { store: await memoryStore(), clock: movableClock(), scopes: [] }
    const auth = createAuth({ ...parts, citizens })
    expect(await auth.authenticate(bearer('cs_known'))).toEqual({ kind: 'citizen', id: 'c1', session: 's1' })
    await expect(auth.authenticate(bearer('cs_other'))).rejects.toThrow(invalid)
    await expect(createAuth(parts).authenticate(bearer('cs_known'))).rejects.toThrow(invalid)
  })
})

describe('over HTTP', () => {
  const staff = async (url: string, headers: Record<string, string> = {}) => {
    const response = await post(`${url}/staff`, '', headers)
    const { code } = (await response.json()) as { code?: string }
    return { status: response.status, code, challenge: response.headers.get('www-authenticate') }
  }

  test('no key is 401, a wrong key is 401 in one sentence, a key without the scope is 403', async () => {
    const house = await openHouse()
    const weak = await createApiKeys(house.store, house.clock).create({ scopes: ['things:read'] })
    expect(await staff(house.url)).toEqual({
      status: 401,
      code: 'unauthenticated',
      challenge: 'Bearer realm="chancery"',
    })
    expect(await staff(house.url, bearer(`${house.key}x`))).toMatchObject({ status: 401, code: 'credentials_invalid' })
    expect(await staff(house.url, bearer(weak.key))).toMatchObject({ status: 403, code: 'scope_missing' })
    expect(await staff(house.url, bearer(house.key))).toMatchObject({ status: 200 })
    await house.close()
  })

  test('a wrong key is refused even where anyone may call', async () => {
    const house = await openHouse()
    expect((await fetch(`${house.url}/things/a`, { headers: bearer('ck_wrong') })).status).toBe(401)
    await house.close()
  })

  test('too many failed attempts end in 429 with the time to wait, and only for credentials', async () => {
    const house = await openHouse({ limits: { failures: 5 } })
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(await staff(house.url, bearer('ck_wrong'))).toMatchObject({ status: 401 })
    }
    const response = await post(`${house.url}/staff`, '', bearer('ck_wrong'))
    expect(response.status).toBe(429)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await fetch(`${house.url}/things/a`)).status).toBe(200)
    await house.close()
  })

  test('guessing a passphrase is slowed at that operation only', async () => {
    const house = await openHouse({ limits: { failures: 3 } })
    const statuses: number[] = []
    for (let attempt = 0; attempt < 5; attempt++) {
      statuses.push((await post(`${house.url}/sign-in`, '{"name":"guess"}')).status)
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    expect(await staff(house.url, bearer(house.key))).toMatchObject({ status: 200 })
    await house.close()
  })
})

describe('the other schemes', () => {
  const token = `gs_${'0'.repeat(32)}.${'s'.repeat(43)}`
  const call = { method: 'POST', url: 'https://office.example/act', query: 'a=1', request: 'r-1' }

  test.each([`Bearer ${token}`, `DPoP ${token}`, 'Agency eyJ.x.y', 'DPoP ck_0000000000000000_x', 'Other x'])(
    'are refused where nobody answers for them: %.12s',
    async authorization => {
      const auth = createAuth({ store: await memoryStore(), clock: movableClock(), scopes: [] })
      await expect(auth.authenticate({ authorization, ...call })).rejects.toThrow(invalid)
    },
  )

  test('hand a session with its call to whoever keeps sessions, and a signed request with its query', async () => {
    const seen: unknown[] = []
    const agency: Caller = { kind: 'agency', id: 'did:ethr:0x1:0xa' }
    const auth = createAuth({
      ...{ store: await memoryStore(), clock: movableClock(), scopes: [] },
      holders: {
        session: async given => {
          seen.push(given)
          throw new Refusal('unauthenticated', 'proof_missing', 'x')
        },
      },
      agencies: {
        admit: async given => {
          seen.push(given)
          return agency
        },
      },
    })
    const session = auth.authenticate({ authorization: `dpop ${token}`, dpop: 'p', ...call })
    await expect(session).rejects.toMatchObject({ code: 'proof_missing' })
    expect(await auth.authenticate({ authorization: 'Agency eyJ.x.y', ...call })).toBe(agency)
    expect(seen).toEqual([
      expect.objectContaining({ token, dpop: 'p', method: 'POST', url: call.url, request: 'r-1' }),
      { token: 'eyJ.x.y', method: 'POST', url: `${call.url}?a=1` },
    ])
    await expect(auth.authenticate({ authorization: `Bearer ${token}`, ...call })).rejects.toThrow(invalid)
    await expect(auth.authenticate({ authorization: 'DPoP eyJ.x.y', ...call })).rejects.toThrow(invalid)
  })
})
