import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { caller, exampleOf, killNode, root, type Started, startService, temporaryFolder } from './service.ts'

/** The citizens' wallet collects from an issuer of this nation, over HTTP: OpenID4VCI 1.0 on both sides. */

type Body = Record<string, unknown>
type Collection = Body & {
  id: string
  state: string
  authorizationUrl?: string
  collected: { heldIds: string[]; state: string }[]
}

let origin = ''
let folder: ReturnType<typeof temporaryFolder>
let service: Started
let citizen: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: Body }>
const names = ['root-authority', 'transport-authority', 'citizen-wallet']

/** The demo's agencies, with what a test changes of them. */
const agencies = (changes: Record<string, string> = {}): string[] => {
  const place = join(folder.path, 'agents')
  mkdirSync(place, { recursive: true })
  return names.map(name => {
    const file = join(place, `${name}.yml`)
    const text = readFileSync(join(root, 'agents', `${name}.yml`), 'utf8')
    const change = changes[name] ?? ''
    const [key = 'nothing'] = change.split(':', 1)
    // A member that a test sets stands in the place of the demo's.
    writeFileSync(file, `${text.replace(new RegExp(`^${key}:\\n(?: .*\\n?)+`, 'm'), '')}\n${change}`)
    return file
  })
}

const freePort = (): Promise<number> =>
  new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })

const start = async (changes?: Record<string, string>): Promise<void> => {
  if (origin === '') origin = `http://localhost:${await freePort()}`
  const port = Number(new URL(origin).port)
  service = await startService({ dataDir: join(folder.path, 'data'), agencies: agencies(changes), port })
}

const asCitizen = (token: string) => async (method: string, path: string, body?: unknown) => {
  const response = await fetch(`${origin}/citizen-wallet${path}`, {
    method,
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body }
}

const signIn = async (): Promise<void> => {
  const open = asCitizen('')
  const { body } = await open('POST', '/wallet/sessions', {
    handle: 'amara',
    passphrase: 'correct horse battery staple',
  })
  citizen = asCitizen(String(body['token']))
}

const staff = (method: string, path: string, body?: unknown) =>
  caller(service, 'transport-authority')(method, path, body)

const licence = exampleOf('driving-licence')
const idOf = (format: string): string => `DrivingLicence.1.${format}`

const offered = async (formats: readonly string[], more: Body = {}): Promise<Body & { txCode?: string }> => {
  const order = { credentialConfigurationIds: formats.map(idOf), claims: { DrivingLicence: licence }, ...more }
  const { status, body } = await staff('POST', '/credential-offers', order)
  expect({ status, code: body['code'] }).toEqual({ status: 201, code: undefined })
  return body
}

const handIn = async (offer: Body): Promise<Collection> => {
  const { reference } = offer['links'] as { reference: string }
  const { status, body } = await citizen('POST', '/wallet/offers', { offer: reference })
  expect({ status, body }).toMatchObject({ status: 201, body: { state: 'offered' } })
  return body as Collection
}

/** Whoever waits for a release asks soon again. */
const soon = { 'transport-authority': 'openid4vci:\n  deferredIntervalSeconds: 2\n' }

beforeAll(async () => {
  folder = temporaryFolder()
  await start(soon)
  await asCitizen('')('POST', '/wallet/citizens', { handle: 'amara', passphrase: 'correct horse battery staple' })
  await signIn()
}, 90_000)

afterAll(async () => {
  await service?.stop()
  killNode(join(folder.path, 'data'))
  folder.remove()
})

const preAuthorized = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

test.each(['dc_sd_jwt', 'jwt_vc_json', 'ldp_vc', 'vc_jwt', 'mso_mdoc'])(
  'a licence as %s goes from the authority’s offer into the wallet',
  async format => {
    const { id } = await handIn(await offered([format]))
    const { status, body } = await citizen('POST', `/wallet/offers/${id}/accept`, {})
    expect({ status, body }).toMatchObject({ status: 200, body: { state: 'collected' } })
    const [piece] = (body as Collection).collected
    const held = await citizen('GET', `/wallet/credentials/${piece?.heldIds[0]}`)
    expect(held).toMatchObject({ status: 200, body: { type: 'DrivingLicence' } })
    expect(held.body['trust']).toBeUndefined()
  },
)

test('a wrong transaction code is told with its tries, and the right one still collects', async () => {
  const offer = await offered(['dc_sd_jwt'], { grants: [preAuthorized], txCode: { length: 6 } })
  const { id, txCode } = await handIn(offer)
  expect(txCode).toMatchObject({ inputMode: 'numeric', length: 6, tries: 0 })
  const accept = (body: Body) => citizen('POST', `/wallet/offers/${id}/accept`, body)
  expect((await accept({})).body).toMatchObject({ code: 'tx_code_missing' })
  expect((await accept({ txCode: '12ab56' })).body).toMatchObject({ code: 'tx_code_form' })
  const wrong = offer.txCode === '000000' ? '000001' : '000000'
  expect((await accept({ txCode: wrong })).body).toMatchObject({ code: 'tx_code_refused', tries: 1 })
  expect((await accept({ txCode: String(offer.txCode) })).body).toMatchObject({ state: 'collected' })
})

const accepted = async (id: string, wish: Body = {}): Promise<Collection> => {
  const { status, body } = await citizen('POST', `/wallet/offers/${id}/accept`, wish)
  expect({ status, code: body['code'] }).toEqual({ status: 200, code: undefined })
  return body as Collection
}

test('several licences are collected at once, each bound to a key of its own', async () => {
  const { id } = await handIn(await offered(['dc_sd_jwt']))
  const { collected } = await accepted(id, { copies: 4 })
  const ids = collected[0]?.heldIds ?? []
  const held = await Promise.all(ids.map(each => citizen('GET', `/wallet/credentials/${each}`)))
  expect(new Set(held.map(({ body }) => body['holder'])).size).toBe(4)
})

/** A browser without script: it follows pages, keeps cookies, and presses the button that the citizen wants. */
const newBrowser = () => {
  const cookies = new Map<string, string>()
  const go = async (
    url: string,
    init: RequestInit = {},
  ): Promise<{ page: string; url: string; location: string | null }> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      cookies.set(name, value)
    }
    return { page: await response.text(), url, location: response.headers.get('location') }
  }
  const press = async ({ page, url }: { page: string; url: string }, decision: string) => {
    const [, action = ''] = /<form method="post" action="([^"]+)"/.exec(page) ?? []
    const hidden = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const form = new URLSearchParams([
      ...hidden.map(([, name = '', value = '']) => [name, value]),
      ['decision', decision],
    ])
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin }
    return go(new URL(action, url).href, { method: 'POST', headers, body: form.toString() })
  }
  return { go, press }
}

test('the page that shows the answer runs nothing that stands in it, and keeps nothing', async () => {
  const hostile = new URLSearchParams({ code: '</textarea><script>alert(1)</script>', state: '"><img src=x>' })
  const response = await fetch(`${origin}/citizen-wallet/wallet/authorization-response?${hostile}`)
  const page = await response.text()
  expect(page).not.toMatch(/<script|<img/)
  expect(page).toContain('code=%3C%2Ftextarea%3E%3Cscript')
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(service.output()).not.toContain('alert(1)')
})

const authorizationOnly = { grants: ['authorization_code'] }

test('with an authorisation code the citizen agrees on the authority’s page, and hands the answer to the wallet', async () => {
  const { id } = await handIn(await offered(['dc_sd_jwt'], authorizationOnly))
  const { state, authorizationUrl } = await accepted(id)
  expect(state).toBe('authorizing')
  const browser = newBrowser()
  const asked = await browser.go(String(authorizationUrl))
  expect(asked.page).toContain('Collect this with your wallet?')
  const { location } = await browser.press(asked, 'allow')
  const { page } = await browser.go(String(location))
  const [, shown = ''] = /<textarea[^>]*>([^<]*)</.exec(page) ?? []
  const response = shown.replaceAll('&amp;', '&')
  const done = await citizen('POST', `/wallet/offers/${id}/authorization`, { response })
  expect(done).toMatchObject({ status: 200, body: { state: 'collected' } })
})

test('whoever says no on the authority’s page has nothing collected', async () => {
  const { id } = await handIn(await offered(['dc_sd_jwt'], authorizationOnly))
  const { authorizationUrl } = await accepted(id)
  const browser = newBrowser()
  const { location } = await browser.press(await browser.go(String(authorizationUrl)), 'deny')
  const done = await citizen('POST', `/wallet/offers/${id}/authorization`, { response: String(location) })
  expect(done.body).toMatchObject({ code: 'authorization_denied' })
  expect((await citizen('GET', `/wallet/offers/${id}`)).body).toMatchObject({ state: 'authorizing', collected: [] })
})

test('who has to show who they are does so with the same wallet, and collects', async () => {
  const first = await handIn(await offered(['dc_sd_jwt']))
  const [piece] = (await accepted(first.id)).collected
  const identifiedBy = { type: 'DrivingLicence', claims: { familyName: licence['familyName'] } }
  const { id } = await handIn(await offered(['jwt_vc_json'], { ...authorizationOnly, identifiedBy }))
  const { authorizationUrl } = await accepted(id)
  const browser = newBrowser()
  const asked = await browser.go(String(authorizationUrl))
  const [, link = ''] = /<a class="button" href="([^"]+)"/.exec(asked.page) ?? []
  const read = await citizen('POST', '/wallet/presentation-requests', { link: link.replaceAll('&amp;', '&') })
  expect({ status: read.status, code: read.body['code'] }).toEqual({ status: 201, code: undefined })
  const { queries, digest } = read.body as { queries: { id: string }[]; digest: string }
  const credentials = queries.map(query => ({ query: query.id, heldId: String(piece?.heldIds[0]) }))
  const answered = await citizen('POST', `/wallet/presentation-requests/${read.body['id']}/answer`, {
    digest,
    credentials,
  })
  expect({ status: answered.status, code: answered.body['code'] }).toEqual({ status: 200, code: undefined })
  const consent = await browser.go(String(answered.body['redirectUri']))
  const { location } = await browser.press(consent, 'allow')
  const done = await citizen('POST', `/wallet/offers/${id}/authorization`, { response: String(location) })
  expect(done).toMatchObject({ status: 200, body: { state: 'collected' } })
})

/** The anchor of the wallet provider, where the authority's configuration finds it. */
const trustWallets = async (): Promise<void> => {
  const { body } = await asCitizen('')('GET', '/certificates')
  const [anchor = ''] = body['anchors'] as string[]
  const lines = anchor.match(/.{1,64}/g) ?? []
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  writeFileSync(join(folder.path, 'agents', 'wallets.pem'), pem)
}

test('after a restart what an officer released comes, and the HAIP 1.0 profile asks for attested wallet and keys', async () => {
  const slow = await offered(['dc_sd_jwt'], { release: 'officer' })
  const waiting = await handIn(slow)
  expect(await accepted(waiting.id)).toMatchObject({ state: 'deferred' })
  const early = await citizen('POST', `/wallet/offers/${waiting.id}/collect`)
  expect(early).toMatchObject({ status: 429, body: { code: 'deferral_waiting' } })
  const released = await staff('POST', `/credential-offers/${slow['id']}/release`, { decision: 'release' })
  expect(released.status).toBeLessThan(300)
  await trustWallets()
  await service.stop()
  await start({
    'transport-authority': `openid4vci:
  haip: true
  encryptionRequired: true
  attestationChallenge: true
  keyAttestation: { key_storage: [iso_18045_basic], user_authentication: [iso_18045_basic] }
  walletProviders: { anchors: [wallets.pem] }
`,
    'citizen-wallet': `wallet:
  signedMetadata: true
  provider: { name: Wallets, keyStorage: [iso_18045_basic], userAuthentication: [iso_18045_basic] }
`,
  })
  await signIn()
  const late = await citizen('POST', `/wallet/offers/${waiting.id}/collect`)
  expect(late).toMatchObject({ status: 200, body: { state: 'collected' } })
  for (const format of ['dc_sd_jwt', 'mso_mdoc']) {
    const { id, issuer } = await handIn(await offered([format], authorizationOnly))
    expect(issuer).toMatchObject({ signedBy: expect.stringMatching(/^did:ethr:/) })
    const { authorizationUrl } = await accepted(id, { copies: 2 })
    const browser = newBrowser()
    const { location } = await browser.press(await browser.go(String(authorizationUrl)), 'allow')
    const done = await citizen('POST', `/wallet/offers/${id}/authorization`, { response: String(location) })
    expect(done).toMatchObject({ status: 200, body: { state: 'collected' } })
    expect((done.body as Collection).collected[0]?.heldIds).toHaveLength(2)
  }
}, 60_000)
