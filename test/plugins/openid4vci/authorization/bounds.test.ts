import { digestOfHandle } from '../../../../src/plugins/openid4vci/authorization/handles.ts'
import { identifyPage } from '../../../../src/plugins/openid4vci/authorization/page.ts'
import { registeredMost, strangersMost } from '../../../../src/plugins/openid4vci/authorization/policy.ts'
import { takeUp } from '../../../../src/plugins/openid4vci/authorization/redeem.ts'
import { onEachDatabase } from '../../../databases.ts'
import { errorOf, licence, migrations, newWallet, openServer, redirectUri, type Server } from './fixture.ts'

const minute = 60_000
const rowsOf = (server: Server, table: string) => server.store.read(`SELECT * FROM ${table}`)

onEachDatabase(migrations, ({ place, closing }) => {
  const open = async (options?: Parameters<typeof openServer>[1]): Promise<Server> =>
    closing(await openServer(await place(), options))

  describe('what strangers may ask', () => {
    it('leaves no record, and nothing when it has expired', async () => {
      const server = await open()
      const { issuerState = '' } = await server.offer({ authorizationCode: true })
      const wallet = newWallet(server)
      const pushed = await wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState }))
      const query = { client_id: 'wallet', request_uri: String(pushed.body['request_uri']) }
      expect((await server.call('authorize', { query })).status).toBe(200)
      expect(await rowsOf(server, 'journal')).toEqual([])
      server.clock.advance(31 * minute)
      await server.call('getAuthorizationServerMetadata')
      for (let tries = 0; tries < 200 && (await rowsOf(server, 'oid4vci_requests')).length > 0; tries++) {
        await new Promise(done => setTimeout(done, 10))
      }
      expect(await rowsOf(server, 'oid4vci_requests')).toEqual([])
    })

    it('is bounded for all of them together, further on for whoever uses a known name, and shuts out nobody who is attested', async () => {
      const clients = [{ id: 'known', redirectUris: [redirectUri] }]
      const server = await open({ policy: { clients } })
      const { issuerState = '' } = await server.offer({ authorizationCode: true })
      const expires = server.clock.now() + minute
      const fill = (from: number, to: number) =>
        server.store.transaction(async tx =>
          tx.insert(
            'oid4vci_requests',
            Array.from({ length: to - from }, (_, at) => ({
              ...{ id: `r${from + at}`, uri_sha256: `u${from + at}`, stage: 'pushed', request: '{}' },
              ...{ session_sha256: null, sealed: null, issuance: null, failures: 0 },
              ...{ code_sha256: null, code_expires: null, expires },
            })),
          ),
        )
      await fill(0, strangersMost + 1)
      const push = (wallet: ReturnType<typeof newWallet>) =>
        wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState }))
      const stranger = newWallet(server)
      expect(errorOf(await push(stranger))).toMatchObject({
        code: 'requests_exceeded',
        error: 'temporarily_unavailable',
      })
      const plain = { ...stranger.requestOf(stranger.verifierOf(), { issuer_state: issuerState }) }
      expect((await server.call('authorize', { query: plain })).status).toBe(503)
      const known = newWallet(server, { clientId: 'known' })
      expect((await push(known)).status).toBe(201)
      await fill(strangersMost + 1, registeredMost + 1)
      expect(errorOf(await push(known)).code).toBe('requests_exceeded')
      expect((await push(newWallet(server, { clientId: 'known', attested: true }))).status).toBe(201)
      expect((await push(newWallet(server, { attested: true }))).status).toBe(201)
      server.clock.advance(2 * minute)
      expect((await push(newWallet(server))).status).toBe(201)
    })
  })

  describe('codes that come together', () => {
    it('are taken up in one statement, each once, and none that a transaction code protects or that has expired', async () => {
      const server = await open()
      const [one, other, coded, late] = await Promise.all([
        server.offer({ preAuthorized: {} }),
        server.offer({ preAuthorized: {} }),
        server.offer({ preAuthorized: { txCode: { length: 6, inputMode: 'numeric' } } }),
        server.offer({ preAuthorized: {}, expires: server.clock.now() - 1 }),
      ])
      const digests = [one, other, coded, late].map(({ preAuthorizedCode = '' }) => digestOfHandle(preAuthorizedCode))
      const codes = [...digests, digestOfHandle('unknown')]
      const taken = await server.store.transaction(tx => takeUp(server.desk, tx, codes))
      expect(new Set([...taken.values()].map(({ id }) => id))).toEqual(new Set([one.issuance, other.issuance]))
      expect((await server.store.transaction(tx => takeUp(server.desk, tx, codes))).size).toBe(0)
    })

    it('give each wallet its own tokens, and one journal record', async () => {
      const server = await open()
      const given = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const { preAuthorizedCode, issuance } = await server.offer({ preAuthorized: {} })
          return { wallet: newWallet(server), preAuthorizedCode, issuance }
        }),
      )
      const answers = await Promise.all(
        given.map(({ wallet, preAuthorizedCode }) => wallet.preAuthorized(preAuthorizedCode)),
      )
      const uses = await Promise.all(given.map(({ wallet }, at) => wallet.use(answers[at]?.body['access_token'])))
      expect(uses.map(({ issuance }) => issuance)).toEqual(given.map(({ issuance }) => issuance))
      expect(await rowsOf(server, 'journal')).toHaveLength(20)
    })
  })

  describe('a wallet without a key of its own (RFC 6750)', () => {
    it('may renew its token where it has to wait for an officer; each renewal counts once (RFC 9700, section 4.14)', async () => {
      const server = await open()
      const wallet = newWallet(server, { bound: false })
      const { preAuthorizedCode, issuance } = await server.offer({ preAuthorized: {}, release: 'asked' })
      const first = (await wallet.preAuthorized(preAuthorizedCode)).body
      expect(first).toMatchObject({ token_type: 'Bearer', expires_in: 300, refresh_token: expect.any(String) })
      server.clock.advance(20 * minute)
      await expect(wallet.use(first['access_token'])).rejects.toMatchObject({ code: 'access_token_unknown' })
      const renewed = (await wallet.refresh(first['refresh_token'])).body
      expect(await wallet.use(renewed['access_token'])).toMatchObject({ issuance, configurationIds: [licence] })
      expect((await newWallet(server).refresh(renewed['refresh_token'])).status).toBe(400)
      const next = await wallet.refresh(renewed['refresh_token'])
      expect(next.body['refresh_token']).toEqual(expect.any(String))
      expect(errorOf(await wallet.refresh(first['refresh_token'])).code).toBe('refresh_token_used')
      await expect(wallet.use(next.body['access_token'])).rejects.toMatchObject({ code: 'access_token_revoked' })
    })

    it('may not where it need not wait', async () => {
      const server = await open()
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      const { body } = await newWallet(server, { bound: false }).preAuthorized(preAuthorizedCode)
      expect(body).not.toHaveProperty('refresh_token')
    })
  })
})

describe('the page that asks who somebody is', () => {
  const told = {
    ...{ institution: 'Transport Authority', clientId: 'wallet', clientName: undefined, redirectUri, vouched: false },
    credentials: [{ name: 'Driving licence', claims: ['Family name'] }],
  }
  const form = { action: 'https://agency.example/a', requestUri: 'urn:x', token: 'token' }
  const pageWith = (qr: string | undefined): string => {
    const question = { credential: 'National identity', claims: ['Family name'], walletUrl: 'openid4vp://?a=1&b=2' }
    const at = { again: 'https://agency.example/a?b', refreshSeconds: 4, form, headers: {} }
    return String(identifyPage(told, { ...question, qr, failed: false }, at).body)
  }

  it('has no code that could be sent to somebody else, says what to do, and lets people go', () => {
    const text = pageWith(undefined)
    expect(text).not.toMatch(/<img|http-equiv="refresh"|Scan/)
    expect(text).toContain('href="openid4vp://?a=1&amp;b=2">Open my wallet')
    expect(text).toContain('Is it on another device? Then begin again there')
    expect(text).toMatch(/name="decision" value="deny">Cancel/)
  })

  it('warns of the code where the agency’s file allows it', () => {
    const text = pageWith('<svg/>')
    expect(text).toContain('Scan this code only if you opened this page yourself')
    expect(text).toContain('http-equiv="refresh"')
  })
})
