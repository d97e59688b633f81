import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { authorizationCodeGrantIdentifier, clientAuthenticationClientAttestationJwt } from '@openid4vc/oauth2'
import type { CredentialOfferObject } from '@openid4vc/openid4vci'
import { type Held, newKey, newWalletHolder, sha256, signJwt } from './holder.ts'
import { answerWith, fetchRequest } from './plugins/openid4vp/wallet.ts'
import { caller, exampleOf, killNode, root, type Started, startService, temporaryFolder } from './service.ts'
import { newTheirWallet, signerOf, signJws, type TheirWallet } from './their-wallet.ts'

/** The authorization server as wallets of others and citizens' browsers meet it, over HTTP. */

type Body = Record<string, unknown>

const licenceId = 'DrivingLicence.1.dc_sd_jwt'
const redirectUri = 'https://their-wallet.example/cb'
const licence = exampleOf('driving-licence')
const identity = exampleOf('national-identity')
const provider = newKey()
const elsewhere = generateKeyPairSync('ec', { namedCurve: 'P-256' })

let service: Started
let folder: ReturnType<typeof temporaryFolder>
let issuer = ''
let external: Server

/** The transport authority with another section `openid4vci`. */
const agencyFile = (name: string, section: Body): string => {
  const own = readFileSync(join(root, 'agents', 'transport-authority.yml'), 'utf8')
  const text = own
    .replaceAll('transport-authority', name)
    .replace(/^issuers:\n.*\n/m, '')
    .replace(/^openid4vci:.*\n(?: .*\n)*/m, '')
  const file = join(folder.path, `${name}.yml`)
  writeFileSync(file, `${text}\nopenid4vci: ${JSON.stringify(section)}\n`)
  return file
}

const person = { type: 'NationalIdentity', claims: ['personalAdministrativeNumber', 'familyName'] }

beforeAll(async () => {
  folder = temporaryFolder()
  external = createServer((_request, response) => {
    const keys = [{ ...elsewhere.publicKey.export({ format: 'jwk' }), kid: 'as-1' }]
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ issuer: asUrl(), keys }))
  })
  await new Promise<void>(done => external.listen(0, '127.0.0.1', done))
  const walletProviders = { keys: [{ ...provider.jwk, kid: 'provider-1' }] }
  const file = agencyFile('transport-two', { authorizationServer: { issuer: asUrl(), jwksUrl: `${asUrl()}/jwks` } })
  writeFileSync(file, `${readFileSync(file, 'utf8')}allowedHttpOrigins: ['${asUrl()}']\n`)
  service = await startService({
    dataDir: join(folder.path, 'data'),
    agencies: [
      join(root, 'agents', 'root-authority.yml'),
      agencyFile('transport-one', { identification: person, walletProviders }),
      file,
      agencyFile('transport-three', { crossDevice: true }),
    ],
  })
  issuer = `${service.url}/transport-one`
}, 90_000)

const asUrl = (): string => `http://127.0.0.1:${(external.address() as AddressInfo).port}`

afterAll(async () => {
  await service?.stop()
  killNode(join(folder.path, 'data'))
  folder.remove()
  await new Promise(done => external.close(done))
})

const offerOf = async (agency: string, more: Body = {}): Promise<{ link: string; credentialOffer: unknown }> => {
  const { status, body } = await caller(service, agency)('POST', '/credential-offers', {
    ...{ credentialConfigurationIds: [licenceId], claims: { DrivingLicence: licence }, ...more },
  })
  expect({ status, code: body['code'] }).toEqual({ status: 201, code: undefined })
  const { links, credentialOffer } = body as unknown as { links: { reference: string }; credentialOffer: unknown }
  return { link: links.reference, credentialOffer }
}

const citizen = async (claims: Body = identity): Promise<Held> =>
  newWalletHolder({ url: service.url, dataDir: service.dataDir }).receive('root-authority', 'NationalIdentity', claims)

/** A browser without script: it follows nothing by itself and keeps cookies. */
const newBrowser = () => {
  let cookie = ''
  const visit = async (url: string, form?: Record<string, string>) => {
    const response = await fetch(url, {
      ...{ redirect: 'manual', headers: { cookie } },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    })
    const set = response.headers.get('set-cookie')
    if (set !== null) cookie = `${cookie}; ${set.split(';')[0]}`
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  return {
    visit,
    async decide(page: { text: string }, decision: 'allow' | 'deny' = 'allow') {
      const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1] ?? ''
      const action = /<form method="post" action="([^"]*)"/.exec(page.text)?.[1] ?? ''
      return visit(action, { request_uri: value('request_uri'), token: value('token'), decision })
    },
  }
}

const unescaped = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'")
/** The request on the page, for a wallet on the same device. */
const sameDevice = ({ text }: { text: string }): string =>
  unescaped(/<a class="button" href="([^"]*)">Open my wallet/.exec(text)?.[1] ?? '')

/** From the offer to the page, with PAR, PKCE and DPoP, as the library does it. */
const begin = async (wallet: TheirWallet, credentialOffer: CredentialOfferObject) => {
  const { client } = wallet
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const request = await client.createAuthorizationRequestUrlFromOffer({
    ...{ clientId: 'their-wallet', issuerMetadata, credentialOffer, redirectUri, scope: licenceId },
    dpop: { signer: signerOf(wallet.dpopKey) },
  })
  const collect = async (location: string | null) => {
    const authorizationServer = issuerMetadata.authorizationServers[0]
    if (authorizationServer === undefined) throw new Error('no authorization server')
    const answer = client.parseAndVerifyAuthorizationResponseRedirectUrl({
      ...{ url: location ?? '', authorizationServerMetadata: authorizationServer },
    })
    if (answer.code === undefined) throw new Error(String(answer.error))
    const { accessTokenResponse, dpop } = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
      ...{ issuerMetadata, credentialOffer, authorizationCode: answer.code, redirectUri },
      ...{ pkceCodeVerifier: request.pkce?.codeVerifier ?? '', dpop: { signer: signerOf(wallet.dpopKey) } },
    })
    const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
    const { jwt } = await client.createCredentialRequestJwtProof({
      ...{ issuerMetadata, credentialConfigurationId: licenceId, signer: signerOf(wallet.newKey()), nonce },
    })
    const { credentialResponse } = await client.retrieveCredentials({
      ...{ issuerMetadata, accessToken: accessTokenResponse.access_token, credentialConfigurationId: licenceId },
      ...{ proofs: { jwt: [jwt] }, ...(dpop && { dpop }) },
    })
    return String(
      (credentialResponse as unknown as { credentials: { credential: unknown }[] }).credentials[0]?.credential,
    )
  }
  return { url: request.authorizationRequestUrl, collect }
}

const claimsOf = (credential: string): Body =>
  JSON.parse(Buffer.from(credential.split('.')[1] ?? '', 'base64url').toString()) as Body

describe('the authorization code flow with @openid4vc/openid4vci', () => {
  it('collects what was offered with PAR, PKCE and DPoP once the citizen has said yes', async () => {
    const wallet = newTheirWallet()
    const { link } = await offerOf('transport-one')
    const { url, collect } = await begin(wallet, await wallet.client.resolveCredentialOffer(link))
    expect([...new URL(url).searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
    const browser = newBrowser()
    const page = await browser.visit(url)
    expect(page.headers.get('content-type')).toBe('text/html')
    expect(page.headers.get('cache-control')).toBe('no-store')
    for (const said of ['Transport Authority', 'Driving licence', 'their-wallet.example'])
      expect(page.text).toContain(said)
    const { status, headers } = await browser.decide(page)
    expect(status).toBe(303)
    expect(claimsOf(await collect(headers.get('location')))).toMatchObject({
      vct: 'urn:chancery:vct:driving-licence:1',
    })
  })

  it('is known by its provider’s attestation, which the page says', async () => {
    const [instance, now] = [newTheirWallet(), Math.floor(Date.now() / 1_000)]
    const attestation = signJwt(
      { typ: 'oauth-client-attestation+jwt', kid: 'provider-1' },
      {
        ...{ iss: 'https://provider.example', sub: 'their-wallet', iat: now, exp: now + 300 },
        ...{ cnf: { jwk: instance.dpopKey.jwk }, wallet_name: 'Wallet of Wonderland' },
      },
      provider,
    )
    const { callbacks } = instance
    // The library signs its proof with a callback: the key of the instance is the one of its DPoP proofs.
    const signing: typeof callbacks = {
      ...callbacks,
      signJwt: async (_signer, { header, payload }) => ({
        ...{ jwt: signJws(header, payload, instance.dpopKey), signerJwk: instance.dpopKey.jwk },
      }),
    }
    const wallet = newTheirWallet(
      clientAuthenticationClientAttestationJwt({ callbacks: signing, clientAttestationJwt: attestation }),
    )
    const { link } = await offerOf('transport-one')
    const { url, collect } = await begin(wallet, await wallet.client.resolveCredentialOffer(link))
    const browser = newBrowser()
    const page = await browser.visit(url)
    expect(page.text).toContain('Wallet of Wonderland')
    expect(page.text).not.toContain('Nobody vouches')
    await expect(collect((await browser.decide(page)).headers.get('location'))).resolves.toContain('~')
  })

  it('goes away when the citizen says no', async () => {
    const wallet = newTheirWallet()
    const { link } = await offerOf('transport-one')
    const { url, collect } = await begin(wallet, await wallet.client.resolveCredentialOffer(link))
    const browser = newBrowser()
    const answer = await browser.decide(await browser.visit(url), 'deny')
    await expect(collect(answer.headers.get('location'))).rejects.toThrow('access_denied')
  })

  it('refuses an answer that another server gave (RFC 9207, mix-up)', async () => {
    const wallet = newTheirWallet()
    const { link } = await offerOf('transport-one')
    const { url, collect } = await begin(wallet, await wallet.client.resolveCredentialOffer(link))
    const browser = newBrowser()
    const answer = await browser.decide(await browser.visit(url))
    const mixed = new URL(answer.headers.get('location') ?? '')
    expect(mixed.searchParams.get('iss')).toBe(issuer)
    mixed.searchParams.set('iss', 'https://evil.example')
    await expect(collect(mixed.href)).rejects.toThrow()
  })
})

describe('a citizen who has to show who they are (OpenID4VP)', () => {
  const identifiedBy = {
    type: 'NationalIdentity',
    claims: { personalAdministrativeNumber: identity['personalAdministrativeNumber'] },
  }
  const opened = async (agency = 'transport-one') => {
    const wallet = newTheirWallet()
    const { link } = await offerOf(agency, { identifiedBy })
    const credentialOffer = await wallet.client.resolveCredentialOffer(link)
    expect(Object.keys(credentialOffer.grants ?? {})).toEqual([authorizationCodeGrantIdentifier])
    const { url, collect } = await begin(wallet, credentialOffer)
    const browser = newBrowser()
    return { browser, url, collect, page: await browser.visit(url) }
  }

  it('does so with the wallet on the same device, comes back, says yes and collects', async () => {
    const held = await citizen()
    const { browser, url, collect, page } = await opened()
    for (const said of ['Show who you are', 'National identity', 'begin again there']) {
      expect(page.text).toContain(said)
    }
    // A code could be sent to somebody else, who would show it for the one who sent it.
    expect(page.text).not.toMatch(/<img|http-equiv="refresh"/)
    // Nothing of whom it is for is told to whoever has the offer.
    expect(page.text).not.toContain(String(identity['personalAdministrativeNumber']))
    expect((await browser.visit(url)).text).toContain('Show who you are')
    const answered = await answerWith(sameDevice(page), held)
    const returnTo = String(answered.body['redirect_uri'])
    // Whoever only has the address of the page gets no further, nor does the browser without the wallet's code.
    const elsewhere = (await newBrowser().visit(returnTo)).text
    expect(elsewhere).toContain('belongs to another browser')
    // With the address whoever began, and sent the request on, would get further.
    expect(elsewhere).toContain('Tell nobody its address')
    expect((await browser.visit(url)).text).toContain('Show who you are')
    const consent = await browser.visit(returnTo)
    expect(consent.text).toContain('Collect this with your wallet?')
    const { headers } = await browser.decide(consent)
    expect(claimsOf(await collect(headers.get('location')))).toMatchObject({
      vct: 'urn:chancery:vct:driving-licence:1',
    })
  })

  it('may use a wallet on another device where the agency’s file allows it, and is warned', async () => {
    const held = await citizen()
    const { browser, url, page } = await opened('transport-three')
    expect(page.text).toContain('Scan this code only if you opened this page yourself')
    expect(page.text).toMatch(/<img alt="QR code[^>]*src="data:image\/svg\+xml;base64,/)
    // Each has a request of its own: the one on the same device goes on with its code alone.
    const { body } = await answerWith(sameDevice(page), held)
    expect((await browser.visit(url)).text).toContain('Show who you are')
    expect((await browser.visit(String(body['redirect_uri']))).text).toContain('Collect this with your wallet?')
  })

  it('may let it be: the wallet is told, and nothing is given', async () => {
    const { browser, collect, page } = await opened()
    const { status, headers } = await browser.decide(page, 'deny')
    expect(status).toBe(303)
    await expect(collect(headers.get('location'))).rejects.toThrow('access_denied')
    // Nor does a yes count from whoever has not shown who they are.
    const other = await opened()
    const yes = await other.browser.decide(other.page, 'allow')
    expect([yes.status, yes.headers.get('location')]).toEqual([400, null])
  })

  it('is asked for what names them and for nothing else', async () => {
    const { page } = await opened()
    const { body } = await fetchRequest(sameDevice(page))
    const [, payload = ''] = String(body['text']).split('.')
    const { dcql_query: query } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { dcql_query: Body }
    expect((query as { credentials: Body[] }).credentials.map(({ claims }) => claims)).toEqual([
      [{ path: ['personalAdministrativeNumber'] }],
    ])
  })

  it('is somebody else: nothing is given, and after five times it is over', async () => {
    const other = await citizen({ ...identity, personalAdministrativeNumber: '711111-1111' })
    const opening = await opened()
    const { browser, url } = opening
    let { page } = opening
    for (let times = 1; times <= 5; times++) {
      const { body } = await answerWith(sameDevice(page), other)
      page = await browser.visit(String(body['redirect_uri']))
      expect(page.text).not.toContain('value="allow"')
      expect(page.text).toContain(times < 5 ? 'That did not say that this is yours' : 'This is not for you')
    }
    expect((await browser.visit(url)).status).toBe(400)
  })

  it('finds what is prepared for them without an offer (wallet-initiated)', async () => {
    const claims = { ...identity, personalAdministrativeNumber: '720202-2222', familyName: 'Nakamura' }
    const held = await citizen(claims)
    const known = { personalAdministrativeNumber: '720202-2222', familyName: 'Nakamura' }
    await offerOf('transport-one', { identifiedBy: { type: 'NationalIdentity', claims: known } })
    const wallet = newTheirWallet()
    const credentialOffer: CredentialOfferObject = {
      ...{ credential_issuer: issuer, credential_configuration_ids: [licenceId], grants: { authorization_code: {} } },
    }
    const { url, collect } = await begin(wallet, credentialOffer)
    const browser = newBrowser()
    const page = await browser.visit(url)
    const { body } = await answerWith(sameDevice(page), held)
    const { headers } = await browser.decide(await browser.visit(String(body['redirect_uri'])))
    expect(claimsOf(await collect(headers.get('location')))).toMatchObject({
      vct: 'urn:chancery:vct:driving-licence:1',
    })
    const again = await begin(newTheirWallet(), credentialOffer)
    const second = newBrowser()
    const asked = await second.visit(again.url)
    const reply = await answerWith(sameDevice(asked), held)
    expect((await second.visit(String(reply.body['redirect_uri']))).text).toContain('That did not say')
  })
})

describe('an agency that leaves authorizing to another server', () => {
  const agency = (): string => `${service.url}/transport-two`
  const tokenOf = (claims: Body): string => {
    const now = Math.floor(Date.now() / 1_000)
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const payload = { iss: asUrl(), aud: agency(), sub: 'u', client_id: 'w', iat: now, exp: now + 60, ...claims }
    const input = `${encode({ alg: 'ES256', typ: 'at+jwt', kid: 'as-1' })}.${encode(payload)}`
    const signature = sign('sha256', Buffer.from(input), { key: elsewhere.privateKey, dsaEncoding: 'ieee-p1363' })
    return `${input}.${signature.toString('base64url')}`
  }
  const collect = async (claims: Body) => {
    const key = newTheirWallet().newKey()
    const { c_nonce: nonce } = (await (await fetch(`${agency()}/openid4vci/nonce`, { method: 'POST' })).json()) as {
      c_nonce: string
    }
    const proof = { aud: agency(), iat: Math.floor(Date.now() / 1_000), nonce }
    const jwt = signJws({ typ: 'openid4vci-proof+jwt', jwk: key.jwk }, proof, key)
    const response = await fetch(`${agency()}/openid4vci/credential`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf(claims)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ credential_configuration_id: licenceId, proofs: { jwt: [jwt] } }),
    })
    return { status: response.status, body: (await response.json()) as Body, headers: response.headers }
  }

  it('says which, and gives no tokens itself', async () => {
    const metadata = (await (await fetch(`${agency()}/.well-known/openid-credential-issuer`)).json()) as Body
    expect(metadata['authorization_servers']).toEqual([asUrl()])
    const server = (await (await fetch(`${agency()}/.well-known/oauth-authorization-server`)).json()) as Body
    expect(server['issuer']).toBe(asUrl())
    for (const path of ['token', 'par']) {
      const body = new URLSearchParams({ grant_type: 'authorization_code', code: 'x', code_verifier: 'v'.repeat(43) })
      const response = await fetch(`${agency()}/openid4vci/${path}`, { method: 'POST', body })
      expect([response.status, ((await response.json()) as Body)['code']]).toEqual([404, 'authorization_elsewhere'])
    }
  })

  it('issues to whoever brings its token with the state of an offer, once', async () => {
    const offer = await offerOf('transport-two', { grants: ['authorization_code'] })
    const { grants } = offer.credentialOffer as { grants: { authorization_code: { issuer_state: string } } }
    const state = { issuer_state: grants.authorization_code.issuer_state, scope: licenceId }
    const collected = await collect({ ...state, jti: 'j-1' })
    expect(collected.status).toBe(200)
    const credentials = collected.body['credentials'] as { credential: string }[]
    expect(claimsOf(String(credentials[0]?.credential))).toMatchObject({ vct: 'urn:chancery:vct:driving-licence:1' })
    expect((await collect({ ...state, jti: 'j-2' })).status).not.toBe(200)
  })

  it.each<[string, Body, string]>([
    ['for another issuer', { aud: 'https://other.example' }, '401 invalid_token'],
    ['without a scope of ours', { scope: 'other' }, '403 insufficient_scope'],
    ['for nobody that something is prepared for', { scope: licenceId }, '403 insufficient_scope'],
    ['bound to a key that nobody proves', { scope: licenceId, cnf: { jkt: sha256('x') } }, '401 invalid_token'],
  ])('refuses its token %s', async (_, claims, expected) => {
    const { status, body } = await collect({ jti: 'j-3', ...claims })
    expect(`${status} ${String(body['error'])}`).toBe(expected)
  })
})
