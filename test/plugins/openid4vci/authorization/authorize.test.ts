import { formTokenOf } from '../../../../src/plugins/openid4vci/authorization/sessions.ts'
import { onEachDatabase } from '../../../databases.ts'
import { signJwt } from '../../../holder.ts'
import {
  challengeOf,
  cookieOf,
  errorOf,
  licence,
  migrations,
  newWallet,
  openServer,
  publicUrl,
  redirectUri,
  type Server,
} from './fixture.ts'

const prefix = 'urn:ietf:params:oauth:request_uri:'

onEachDatabase(migrations, ({ place, closing }) => {
  let server: Server
  let issuerState = ''
  beforeEach(async () => {
    server = closing(await openServer(await place()))
    issuerState = (await server.offer({ authorizationCode: true })).issuerState ?? ''
  })

  describe('pushed authorization requests (RFC 9126)', () => {
    it('are answered with a URI for the browser, good for a short time', async () => {
      const wallet = newWallet(server)
      const { status, body } = await wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState }))
      expect({ status, body }).toEqual({
        status: 201,
        body: { request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{43}$/), expires_in: 90 },
      })
    })

    it('pass over what nobody knows: parameters, and scopes beside known ones (RFC 6749, section 3.1)', async () => {
      const wallet = newWallet(server)
      const more = { issuer_state: issuerState, scope: `openid ${licence}`, vendor: 'x', resource: publicUrl }
      expect((await wallet.push(wallet.requestOf(wallet.verifierOf(), more))).status).toBe(201)
    })

    it('without an offer are refused where people cannot be told apart', async () => {
      const wallet = newWallet(server)
      const refused = await wallet.push(wallet.requestOf(wallet.verifierOf(), { scope: licence }))
      expect(errorOf(refused)).toEqual({ status: 400, error: 'access_denied', code: 'issuance_unprepared' })
    })
  })

  describe('the page', () => {
    const opened = async (more: Record<string, string> = {}) => {
      const wallet = newWallet(server)
      const pushed = await wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState, ...more }))
      const query = { client_id: 'wallet', request_uri: String(pushed.body['request_uri']) }
      return { wallet, query, page: await server.call('authorize', { query }) }
    }

    it('says in plain words what is collected, from whom and for which wallet', async () => {
      const { page } = await opened()
      expect(page.status).toBe(200)
      for (const said of ['Agency of the Test', 'Driving licence', 'Driving privileges', 'wallet.example']) {
        expect(page.text).toContain(said)
      }
      expect(page.text).toContain('Nobody vouches for this wallet')
    })

    it('needs nothing from elsewhere and no script, and can be framed by nobody', async () => {
      const { page } = await opened()
      const policy = page.headers['content-security-policy'] ?? ''
      expect(policy).toMatch(/default-src 'none'.*style-src 'sha256-[^']+'.*frame-ancestors 'none'/)
      expect(policy).not.toMatch(/script|unsafe|\*/)
      expect(policy).toContain("form-action 'self' https://wallet.example")
      expect(page.text).not.toMatch(/<script|src="http|href="http|\son\w+="/)
      expect(page.text).toMatch(/<html lang="en">[\s\S]*name="viewport"[\s\S]*<main>[\s\S]*<h1>/)
    })

    it('writes what wallets call themselves as text', async () => {
      const name = '<script>alert(1)</script>'
      const wallet = newWallet(server, { clientId: name })
      const pushed = await wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState }))
      const query = { client_id: name, request_uri: String(pushed.body['request_uri']) }
      const { text } = await server.call('authorize', { query })
      expect(text).toContain('&lt;script&gt;')
      expect(text).not.toContain('<script>')
    })

    it('is bound to the browser that began: its cookie is out of reach of script and of other sites', async () => {
      const { page } = await opened()
      expect(page.headers['set-cookie']).toMatch(
        /^oid4vci_[\w-]{12}=[\w-]{43}; Path=\/agency\/openid4vci\/authorize; Max-Age=900; HttpOnly; SameSite=Lax; Secure$/,
      )
    })

    it('can be loaded again by that browser, and by no other: a request_uri counts once (RFC 9126, section 4)', async () => {
      const { query, page } = await opened()
      const again = await server.call('authorize', { query, headers: { cookie: `other=1; ${cookieOf(page)}` } })
      expect(again.status).toBe(200)
      for (const cookie of [undefined, `${cookieOf(page)}x`, 'oid4vci_x=y']) {
        const other = await server.call('authorize', { query, headers: cookie === undefined ? {} : { cookie } })
        expect(other.status).toBe(400)
        expect(other.text).toContain('belongs to another browser')
      }
    })

    it('opens once when two browsers come at once', async () => {
      const wallet = newWallet(server)
      const pushed = await wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState }))
      const query = { client_id: 'wallet', request_uri: String(pushed.body['request_uri']) }
      const pages = await Promise.all(Array.from({ length: 6 }, () => server.call('authorize', { query })))
      expect(pages.filter(({ status }) => status === 200)).toHaveLength(1)
    })

    it.each([
      ['another wallet', { client_id: 'another' }],
      ['no wallet', { client_id: undefined }],
      ['a request_uri that nobody gave', { request_uri: `${prefix}${'x'.repeat(43)}` }],
      ['a request_uri of elsewhere', { request_uri: 'https://evil.example/request' }],
    ])('says that it cannot go on with %s, and leads nowhere', async (_, change) => {
      const wallet = newWallet(server)
      const pushed = await wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState }))
      const query = Object.fromEntries(
        Object.entries({ client_id: 'wallet', request_uri: String(pushed.body['request_uri']), ...change }).filter(
          (entry): entry is [string, string] => entry[1] !== undefined,
        ),
      )
      const page = await server.call('authorize', { query })
      expect(page.status).toBe(400)
      expect(page.headers).not.toHaveProperty('location')
      expect(page.text).not.toMatch(/wallet\.example|evil\.example/)
    })

    it('has ended when its time is over', async () => {
      const { query, page } = await opened()
      server.clock.advance(15 * 60_000)
      expect((await server.call('authorize', { query, headers: { cookie: cookieOf(page) } })).status).toBe(400)
    })

    it('waits a minute and a half for the browser', async () => {
      const wallet = newWallet(server)
      const pushed = await wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState }))
      server.clock.advance(90_000)
      const query = { client_id: 'wallet', request_uri: String(pushed.body['request_uri']) }
      expect((await server.call('authorize', { query })).status).toBe(400)
    })
  })

  describe('the citizen’s word', () => {
    it('sends a code to the wallet, with its state and with who gave it (RFC 9207), by 303', async () => {
      const wallet = newWallet(server)
      const { answer, location } = await wallet.consent({ issuer_state: issuerState })
      expect(answer.status).toBe(303)
      expect(answer.headers['referrer-policy']).toBe('no-referrer')
      expect(`${location.origin}${location.pathname}`).toBe(redirectUri)
      expect(Object.fromEntries(location.searchParams)).toEqual({
        ...{ code: expect.stringMatching(/^[\w-]{43}$/), state: 'state of the wallet', iss: publicUrl },
      })
    })

    it('sends the wallet away with a no', async () => {
      const wallet = newWallet(server)
      const { location } = await wallet.consent({ issuer_state: issuerState }, 'deny')
      expect(Object.fromEntries(location.searchParams)).toEqual({
        ...{ error: 'access_denied', state: 'state of the wallet', iss: publicUrl },
      })
    })

    it('counts once, from the browser that began, with the form of its page', async () => {
      const wallet = newWallet(server)
      const pushed = await wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState }))
      const requestUri = String(pushed.body['request_uri'])
      const page = await server.call('authorize', { query: { client_id: 'wallet', request_uri: requestUri } })
      const form = { request_uri: requestUri, token: wallet.hidden(page.text, 'token'), decision: 'allow' }
      const cookie = cookieOf(page)
      const decide = (change: Record<string, string>, headers: Record<string, string> = { cookie }) =>
        server.call('decideAuthorization', { form: { ...form, ...change }, headers })
      expect((await decide({}, {})).status).toBe(400)
      expect((await decide({ token: 'forged' })).status).toBe(400)
      expect((await decide({ request_uri: `${prefix}${'x'.repeat(43)}` })).status).toBe(400)
      expect(errorOf(await decide({ decision: 'maybe' })).code).toBe('body_invalid')
      expect((await decide({})).status).toBe(303)
      expect((await decide({})).status).toBe(400)
      expect((await decide({ decision: 'deny' })).status).toBe(400)
    })

    it('counts once when it comes twice at once', async () => {
      const wallet = newWallet(server)
      const pushed = await wallet.push(wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState }))
      const requestUri = String(pushed.body['request_uri'])
      const page = await server.call('authorize', { query: { client_id: 'wallet', request_uri: requestUri } })
      const form = { request_uri: requestUri, token: wallet.hidden(page.text, 'token'), decision: 'allow' }
      const sent = { form, headers: { cookie: cookieOf(page) } }
      const answers = await Promise.all([1, 2, 3].map(() => server.call('decideAuthorization', sent)))
      expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 400, 400])
    })

    it('does not stand for proof: without having shown who it is nobody gets past the page', async () => {
      const identifiedBy = { type: 'NationalIdentity', claims: { personalNumber: '1' } }
      const offer = await server.offer({ authorizationCode: true, identifiedBy })
      const wallet = newWallet(server)
      const verifier = wallet.verifierOf()
      const pushed = await wallet.push(wallet.requestOf(verifier, { issuer_state: offer.issuerState ?? '' }))
      const requestUri = String(pushed.body['request_uri'])
      const page = await server.call('authorize', { query: { client_id: 'wallet', request_uri: requestUri } })
      expect(page.text).not.toContain('name="decision"')
      const cookie = cookieOf(page)
      const token = formTokenOf(cookie.split('=')[1] ?? '')
      const form = { request_uri: requestUri, token, decision: 'allow' }
      const forced = await server.call('decideAuthorization', { form, headers: { cookie } })
      expect([forced.status, forced.headers['location']]).toEqual([400, undefined])
    })
  })

  describe('requests that come with the browser (RFC 6749, section 4.1.1)', () => {
    const plain = (more: Record<string, string> = {}) => ({
      ...{
        response_type: 'code',
        client_id: 'wallet',
        redirect_uri: redirectUri,
        state: 's',
        issuer_state: issuerState,
      },
      ...{ code_challenge: challengeOf('v'.repeat(43)), code_challenge_method: 'S256', ...more },
    })

    it('are pushed by the server itself, so that nothing of them stays in the address', async () => {
      const answer = await server.call('authorize', { query: plain({ unknown: 'x' }) })
      expect(answer.status).toBe(303)
      const { searchParams } = new URL(answer.headers['location'] ?? '')
      expect([...searchParams.keys()]).toEqual(['client_id', 'request_uri'])
      const page = await server.call('authorize', { query: Object.fromEntries(searchParams) })
      expect(page.text).toContain('Collect this with your wallet?')
    })

    it('of a stranger lead nowhere by themselves when something is wrong: the page has the way back', async () => {
      const page = await server.call('authorize', { query: plain({ response_type: 'token' }) })
      expect(page.status).toBe(400)
      expect(page.headers).not.toHaveProperty('location')
      expect(page.text).toContain('https://wallet.example/cb?error=unsupported_response_type')
    })

    it('of a registered wallet go back with what is wrong, its state and who says so', async () => {
      const clients = [{ id: 'wallet', redirectUris: [redirectUri] }]
      const own = closing(await openServer(await place(), { policy: { clients, unknownClients: false } }))
      const state = (await own.offer({ authorizationCode: true })).issuerState ?? ''
      const wrong = await own.call('authorize', { query: plain({ issuer_state: state, scope: 'unknown' }) })
      const { origin, searchParams } = new URL(wrong.headers['location'] ?? '')
      expect([wrong.status, origin]).toEqual([303, 'https://wallet.example'])
      expect(Object.fromEntries(searchParams)).toMatchObject({ error: 'invalid_scope', state: 's', iss: publicUrl })
      const evil = await own.call('authorize', { query: plain({ redirect_uri: 'https://evil.example/cb' }) })
      expect([evil.status, evil.headers['location'], evil.text.includes('evil.example')]).toEqual([
        400,
        undefined,
        false,
      ])
      const stranger = await own.call('authorize', { query: plain({ client_id: 'stranger' }) })
      expect([stranger.status, stranger.headers['location']]).toEqual([400, undefined])
    })
  })

  describe('attested wallets (attestation-based client authentication, draft 07; OpenID4VCI 1.0, appendix E)', () => {
    it('are known by what their provider calls them', async () => {
      const wallet = newWallet(server, { attested: true })
      const { page, ...given } = await wallet.consent({ issuer_state: issuerState })
      expect(page.text).toContain('Wallet of Wonderland')
      expect(page.text).not.toContain('Nobody vouches')
      const { body } = await wallet.redeem(given)
      expect(await wallet.use(body['access_token'])).toMatchObject({ clientId: 'wallet' })
    })

    it('bring their code themselves: not without attestation, nor with that of another instance', async () => {
      const wallet = newWallet(server, { attested: true })
      const given = await wallet.consent({ issuer_state: issuerState })
      const form = {
        ...{ grant_type: 'authorization_code', client_id: 'wallet', redirect_uri: redirectUri },
        ...{ code: given.code, code_verifier: given.verifier },
      }
      const other = newWallet(server, { attested: true })
      const dpop = wallet.headers('/openid4vci/token')['dpop'] ?? ''
      expect(errorOf(await other.token(form, { dpop })).code).toBe('code_of_another')
    })

    it('renew their tokens with the same keys only (draft 07, section 12.3)', async () => {
      const wallet = newWallet(server, { attested: true })
      const { preAuthorizedCode } = await server.offer({ preAuthorized: {} })
      const { body } = await wallet.preAuthorized(preAuthorizedCode)
      const form = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) }
      const dpop = () => ({ dpop: wallet.headers('/openid4vci/token')['dpop'] ?? '' })
      const unattested = await server.call('exchangeToken', { form, headers: dpop() })
      expect(errorOf(unattested).code).toBe('code_of_another')
      expect(errorOf(await newWallet(server, { attested: true }).token(form, dpop())).code).toBe('code_of_another')
      expect((await wallet.refresh(body['refresh_token'])).status).toBe(200)
    })

    it('prove themselves with each request anew, in every process (draft 07, section 13.1)', async () => {
      const where = await place()
      const [one, other] = [closing(await openServer(where)), closing(await openServer(where))]
      const wallet = newWallet(one, { bound: false, attested: true })
      const headers = wallet.headers('/openid4vci/par')
      const [first, second] = [
        await one.offer({ authorizationCode: true }),
        await one.offer({ authorizationCode: true }),
      ]
      const push = (at: Server, state: string | undefined) =>
        at.call('pushAuthorizationRequest', {
          form: wallet.requestOf(wallet.verifierOf(), { issuer_state: state ?? '' }),
          headers,
        })
      expect((await push(one, first.issuerState)).status).toBe(201)
      const replayed = { status: 401, error: 'invalid_client', code: 'attestation_replayed' }
      expect(errorOf(await push(other, second.issuerState))).toEqual(replayed)
      expect(errorOf(await push(one, second.issuerState))).toEqual(replayed)
    })

    it('answer a challenge where the agency wants that, and are told one when they do not', async () => {
      const strict = closing(await openServer(await place(), { challengeNeeded: true }))
      const { preAuthorizedCode = '' } = await strict.offer({ preAuthorized: {} })
      const wallet = newWallet(strict, { attested: true })
      const asked = await wallet.preAuthorized(preAuthorizedCode)
      expect(errorOf(asked).error).toBe('use_attestation_challenge')
      const challenge = asked.headers['OAuth-Client-Attestation-Challenge']
      const form = {
        grant_type: 'urn:ietf:params:oauth:grant-type:pre-authorized_code',
        'pre-authorized_code': preAuthorizedCode,
      }
      const forged = await wallet.token(form, { 'oauth-client-attestation-pop': wallet.pop({ challenge: 'mine' }) })
      expect(errorOf(forged).error).toBe('use_attestation_challenge')
      const told = (await strict.call('createAttestationChallenge')).body['attestation_challenge']
      expect(told).not.toBe(challenge)
      const answer = await wallet.token(form, { 'oauth-client-attestation-pop': wallet.pop({ challenge }) })
      expect(answer.status).toBe(200)
    })
  })

  describe('under HAIP 1.0 (with FAPI 2.0)', () => {
    let strict: Server
    beforeEach(async () => {
      const policy = { haip: true, bearer: false, unknownClients: false }
      strict = closing(await openServer(await place(), { policy }))
    })

    it('wallets are attested, requests are pushed, tokens are bound', async () => {
      const state = (await strict.offer({ authorizationCode: true })).issuerState ?? ''
      const unattested = newWallet(strict)
      const request = unattested.requestOf(unattested.verifierOf(), { issuer_state: state })
      expect(errorOf(await unattested.push(request)).code).toBe('attestation_missing')
      const { preAuthorizedCode } = await strict.offer({ preAuthorized: {} })
      expect(errorOf(await unattested.preAuthorized(preAuthorizedCode)).code).toBe('attestation_missing')
      const unbound = newWallet(strict, { attested: true, bound: false })
      expect(errorOf(await unbound.preAuthorized(preAuthorizedCode)).code).toBe('token_binding_needed')
      const plain = await strict.call('authorize', { query: request })
      expect([plain.status, plain.text.includes('pushed authorization requests only')]).toEqual([400, true])
      const wallet = newWallet(strict, { attested: true })
      const given = await wallet.consent({ issuer_state: state, scope: licence })
      expect((await wallet.redeem(given)).status).toBe(200)
    })

    it('refresh tokens stay as they are', async () => {
      const wallet = newWallet(strict, { attested: true })
      const { preAuthorizedCode } = await strict.offer({ preAuthorized: {} })
      const { body } = await wallet.preAuthorized(preAuthorizedCode)
      for (let times = 0; times < 2; times++) {
        const renewed = await wallet.refresh(body['refresh_token'])
        expect(renewed.status).toBe(200)
        expect(renewed.body).not.toHaveProperty('refresh_token')
      }
    })

    it('the metadata says so (RFC 8414)', async () => {
      const { body } = await strict.call('getAuthorizationServerMetadata')
      expect(body).toMatchObject({
        issuer: publicUrl,
        require_pushed_authorization_requests: true,
        token_endpoint_auth_methods_supported: ['attest_jwt_client_auth'],
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        'pre-authorized_grant_anonymous_access_supported': false,
        dpop_signing_alg_values_supported: ['ES256', 'EdDSA'],
        challenge_endpoint: `${publicUrl}/openid4vci/challenge`,
      })
    })
  })

  it('refuses wallets that are not registered where the agency wants only those', async () => {
    const clients = [{ id: 'known', redirectUris: [redirectUri] }]
    const own = closing(await openServer(await place(), { policy: { clients, unknownClients: false } }))
    const state = (await own.offer({ authorizationCode: true })).issuerState ?? ''
    const { preAuthorizedCode } = await own.offer({ preAuthorized: {} })
    const stranger = newWallet(own)
    const request = stranger.requestOf(stranger.verifierOf(), { issuer_state: state })
    expect(errorOf(await stranger.push(request))).toEqual({
      status: 401,
      error: 'invalid_client',
      code: 'client_unknown',
    })
    expect(errorOf(await stranger.preAuthorized(preAuthorizedCode)).code).toBe('client_unknown')
    const known = newWallet(own, { clientId: 'known' })
    const elsewhere = known.requestOf(known.verifierOf(), { issuer_state: state, redirect_uri: `${redirectUri}/x` })
    expect(errorOf(await known.push(elsewhere)).code).toBe('redirect_forbidden')
    expect((await known.redeem(await known.consent({ issuer_state: state }))).status).toBe(200)
  })

  it('takes no attestation for a proof of itself', async () => {
    const wallet = newWallet(server, { bound: false })
    const self = signJwt(
      { typ: 'oauth-client-attestation+jwt', kid: 'provider-1' },
      { iss: 'wallet', sub: 'wallet', exp: 9_999_999_999, cnf: { jwk: wallet.instance.jwk } },
      wallet.instance,
    )
    const headers = { 'oauth-client-attestation': self, 'oauth-client-attestation-pop': wallet.pop() }
    const request = wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState })
    expect(errorOf(await wallet.push(request, headers)).code).toBe('attestation_refused')
  })
})
