import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { parse } from 'yaml'
import { newWallet } from './plugins/vc-api/fixture.ts'
import { readQr } from './qr-reader.ts'
import { killNode, root, type Started, startService, temporaryFolder } from './service.ts'

/** The conformance profile as the suites of others meet it: over https, with a certificate of its own, without a key. */

type Body = Record<string, unknown>
type Reply = { status: number; body: Body; bytes: Buffer; headers: IncomingMessage['headers'] }
type Configured = { name: string; suite: string; status?: boolean }

const file = readFileSync(join(root, 'agents/conformance.yml'), 'utf8')
const instances = (parse(file) as { issuers: Configured[] }).issuers

const v1 = 'https://www.w3.org/2018/credentials/v1'
const v2 = 'https://www.w3.org/ns/credentials/v2'
const examples = 'https://www.w3.org/ns/credentials/examples/v2'
const subject = 'did:example:abcdefgh'

const credentialFor = ({ suite }: Configured): Body =>
  suite === 'jwt_vc'
    ? {
        '@context': [v1, 'https://www.w3.org/2018/credentials/examples/v1'],
        type: ['VerifiableCredential', 'UniversityDegreeCredential'],
        issuanceDate: '2020-03-10T04:24:12Z',
        credentialSubject: { id: subject },
      }
    : {
        '@context': [v2, examples],
        type: ['VerifiableCredential', 'ExampleDegreeCredential'],
        validFrom: '2020-03-10T04:24:12Z',
        credentialSubject: {
          id: subject,
          name: 'A Graduate',
          alumniOf: { id: 'did:example:school', name: 'The School' },
        },
      }

const ofMany = instances.filter(({ suite }) => suite === 'ecdsa-sd-2023' || suite === 'bbs-2023')
const listed = instances.filter(({ status }) => status === true)
/** Suites that show parts, and those for credentials alone, secure no presentation. */
const presenting = instances.filter(({ suite }) => /^(eddsa|ecdsa)-(rdfc|jcs)|^vc\+jwt$/.test(suite))

let service: Started
let folder: ReturnType<typeof temporaryFolder>
let base = ''

const freePort = (): Promise<number> =>
  new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })

/** Nobody vouches for the profile's certificate. */
const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  new Promise((done, failed) => {
    const url = path.startsWith('https:') ? path : `${base}${path}`
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    const asked = request(url, { method, rejectUnauthorized: false, headers: { ...type, ...headers } }, reply => {
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => chunks.push(chunk))
      reply.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const isJson = /json|application\/vc/.test(reply.headers['content-type'] ?? '')
        const json = isJson ? (JSON.parse(bytes.toString()) as Body) : {}
        done({ status: reply.statusCode ?? 0, body: json, bytes, headers: reply.headers })
      })
    })
    asked.on('error', failed)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
const post = (path: string, body: unknown): Promise<Reply> => send('POST', path, body)

const issue = async (instance: Configured, credential = credentialFor(instance), options?: Body): Promise<Reply> =>
  post(`/issuers/${instance.name}/credentials/issue`, { credential, ...(options && { options }) })
const issued = async (...parts: Parameters<typeof issue>): Promise<Body> =>
  (await issue(...parts)).body['verifiableCredential'] as Body
const verify = (verifiableCredential: unknown): Promise<Reply> => post('/credentials/verify', { verifiableCredential })

/** One character of what secures it is another. */
const tampered = (credential: Body): Body => {
  const id = credential['id']
  if (credential['type'] !== 'EnvelopedVerifiableCredential' || typeof id !== 'string') {
    return { ...credential, credentialSubject: { id: 'did:example:somebody-else' } }
  }
  const at = Math.floor(id.length * 0.6)
  return { ...credential, id: id.slice(0, at) + (id[at] === 'A' ? 'B' : 'A') + id.slice(at + 1) }
}

beforeAll(async () => {
  folder = temporaryFolder()
  const port = await freePort()
  const path = join(folder.path, 'conformance.yml')
  writeFileSync(path, file.replace(/^(\s+port:) \d+$/m, `$1 ${port}`))
  service = await startService({ dataDir: join(folder.path, 'data'), agencies: [path] })
  base = `https://localhost:${port}/conformance`
}, 90_000)

afterAll(async () => {
  await service?.stop()
  killNode(join(folder.path, 'data', 'conformance'))
  folder.remove()
})

describe('the conformance profile', () => {
  it('tells its instances, each with its suite and path', async () => {
    const { status, body } = await send('GET', '/issuers')
    const items = body['items'] as Body[]
    expect(status).toBe(200)
    expect(items.map(({ name, suite }) => ({ name, suite }))).toEqual(
      instances.map(({ name, suite }) => ({ name, suite })),
    )
    expect(items.every(({ url, name }) => url === `${base}/issuers/${String(name)}`)).toBe(true)
  })

  describe.each(instances)('$name', instance => {
    it('issues (201) what verifies (200), and neither once it is changed (400 or 422)', async () => {
      const { status, body } = await issue(instance)
      expect({ status, code: body['code'] }).toEqual({ status: 201, code: undefined })
      const verifiableCredential = body['verifiableCredential'] as Body
      if (!ofMany.includes(instance)) {
        const good = await verify(verifiableCredential)
        expect([good.status, good.body['verified'], good.body['errors']]).toEqual([200, true, []])
      }
      const bad = await verify(tampered(verifiableCredential))
      expect([400, 422]).toContain(bad.status)
      expect(bad.body['verified']).toBe(false)
    })

    it('issues nothing that breaks the data model (400 or 422)', async () => {
      const good = credentialFor(instance)
      const without = (name: string): Body => Object.fromEntries(Object.entries(good).filter(([each]) => each !== name))
      const broken = [
        without('@context'),
        without('type'),
        without('credentialSubject'),
        { ...good, '@context': 'https://example.org/none' },
        { ...good, type: ['ExampleDegreeCredential'] },
        { ...good, credentialSubject: 'did:example:x' },
        { ...good, id: 'not a url' },
        { ...good, issuer: 'did:example:another' },
        { ...good, credentialStatus: { id: 'https://a.example/1' } },
      ]
      for (const credential of broken) {
        const { status } = await issue(instance, credential)
        expect({ credential, refused: status === 400 || status === 422 }).toEqual({ credential, refused: true })
      }
    })
  })

  it('verifies nothing malformed, expired, not yet valid, or without a proof (400 or 422)', async () => {
    const [instance] = instances as [Configured]
    const good = credentialFor(instance)
    const expired = await issued(instance, { ...good, validUntil: '2021-01-01T00:00:00Z' })
    const early = await issued(instance, { ...good, validFrom: '2999-01-01T00:00:00Z' })
    for (const each of [expired, early, good, {}, 'x.y.z', { ...(await issued(instance)), proof: [] }]) {
      const { status, body } = await verify(each)
      expect([400, 422]).toContain(status)
      expect(body['verified']).toBe(false)
    }
  })

  it('gives back what it judged, and what was wrong, to whoever asks for that (VCALM 1.0)', async () => {
    const [instance] = instances as [Configured]
    const held = await issued(instance)
    const options = { returnCredential: true, returnProblemDetails: true, returnResults: true }
    const judged = async (verifiableCredential: unknown, asked: Body) =>
      (await post('/credentials/verify', { verifiableCredential, options: asked })).body
    expect(await judged(held, options)).toMatchObject({ verified: true, credential: held, problemDetails: [] })
    const bad = tampered(held)
    const problem = {
      type: 'urn:chancery:refusal:signature_invalid',
      title: expect.any(String),
      detail: expect.any(String),
    }
    expect(await judged(bad, options)).toMatchObject({ verified: false, credential: bad, problemDetails: [problem] })
    const good = await judged(held, options)
    const proofOf = (credential: unknown) => (credential as { proof: unknown }).proof
    expect(good['results']).toEqual({
      validFrom: { verified: true, input: '2020-03-10T04:24:12Z' },
      ...{ credentialSchema: [], credentialStatus: [] },
      proof: [{ verified: true, input: proofOf(held) }],
    })
    expect(good['checks']).toContainEqual({ check: 'signature', outcome: 'passed' })
    expect((await judged(bad, options))['results']).toMatchObject({ proof: [{ verified: false, input: proofOf(bad) }] })
    const over = { ...credentialFor(instance), validUntil: '2021-03-10T04:24:12Z' }
    expect((await judged(await issued(instance, over), options))['results']).toMatchObject({
      validFrom: { verified: true },
      validUntil: { verified: false, input: over.validUntil },
    })
    const plain = await judged(held, { returnCredential: false, checks: ['proof'] })
    expect([Array.isArray(plain['results']), plain['checks']]).toEqual([true, undefined])
    expect([plain['credential'], plain['problemDetails']]).toEqual([undefined, undefined])
    const presentation = { '@context': [v2], type: ['VerifiablePresentation'], verifiableCredential: [held] }
    const { verifiablePresentation } = (await post('/presentations/create', { presentation })).body
    const shown = await post('/presentations/verify', { verifiablePresentation, options: { returnPresentation: true } })
    expect(shown.body).toMatchObject({ verified: true, verifiablePresentation })
    const byProperty = await post('/presentations/verify', { verifiablePresentation, options: { returnResults: true } })
    expect(byProperty.body['results']).toMatchObject({
      presentation: { proof: [{ verified: true }] },
      credentials: [{ verified: true, problemDetails: [], results: { proof: [{ verified: true }] } }],
    })
    const silent = await post('/presentations/verify', { verifiablePresentation })
    expect(silent.body).not.toHaveProperty('verifiablePresentation')
  })

  it.each(ofMany)(
    'derives from $name what was chosen and what must be shown (201), which verifies (200)',
    async instance => {
      const base = await issued(instance, credentialFor(instance), { mandatoryPointers: ['/issuer'] })
      const options = { selectivePointers: ['/credentialSubject/alumniOf/name'] }
      const { status, body } = await post('/credentials/derive', { verifiableCredential: base, options })
      expect(status).toBe(201)
      const shown = body['verifiableCredential'] as Body
      expect(shown).toMatchObject({ issuer: base['issuer'], credentialSubject: { alumniOf: { name: 'The School' } } })
      expect(shown).not.toHaveProperty('credentialSubject.name')
      expect((await verify(shown)).status).toBe(200)
      const { credentialSubject } = shown as { credentialSubject: { alumniOf: Body } }
      const alumniOf = { ...credentialSubject.alumniOf, name: 'Another School' }
      const changed = { ...shown, credentialSubject: { ...credentialSubject, alumniOf } }
      expect((await verify(changed)).status).toBe(422)
      const nowhere = { verifiableCredential: base, options: { selectivePointers: ['/none'] } }
      expect([400, 422]).toContain((await post('/credentials/derive', nowhere)).status)
      const [plain] = instances as [Configured]
      const unsuited = { verifiableCredential: await issued(plain), options }
      expect([400, 422]).toContain((await post('/credentials/derive', unsuited)).status)
    },
  )

  it.each(presenting)(
    'creates presentations with $name (201), which verify for their challenge and domain alone',
    async instance => {
      const held = await issued(instance)
      const presentation = { '@context': [v2], type: ['VerifiablePresentation'], verifiableCredential: [held] }
      const asked = { challenge: 'c-1', domain: 'https://verifier.example' }
      const { status, body } = await post('/presentations/create', {
        presentation,
        options: { issuer: instance.name, ...asked },
      })
      expect(status).toBe(201)
      const { verifiablePresentation } = body
      const judged = async (options: Body) =>
        (await post('/presentations/verify', { verifiablePresentation, options })).status
      expect(await judged(asked)).toBe(200)
      expect(await judged({ ...asked, challenge: 'c-2' })).toBe(422)
      expect(await judged({ challenge: 'c-1' })).toBe(200)
      expect(await judged({ challenge: 'c-2' })).toBe(422)
      expect(await judged({ ...asked, domain: 'https://another.example' })).toBe(422)
    },
  )

  it.each(ofMany)('creates no presentation with $name, which secures credentials alone (422)', async instance => {
    const presentation = { '@context': [v2], type: ['VerifiablePresentation'] }
    const created = await post('/presentations/create', { presentation, options: { issuer: instance.name } })
    expect(created).toMatchObject({ status: 422, body: { code: 'suite_unsuited' } })
    const nobody = await post('/presentations/create', { presentation, options: { issuer: 'none' } })
    expect(nobody).toMatchObject({ status: 404, body: { code: 'issuer_unknown' } })
  })

  it('verifies no presentation without a proof, of another holder, or with a credential that does not hold (400 or 422)', async () => {
    const [instance] = instances as [Configured]
    const held = await issued(instance)
    const bare = { '@context': [v2], type: ['VerifiablePresentation'] }
    const asked = { challenge: 'c-1', domain: 'https://verifier.example' }
    const create = async (presentation: Body) =>
      (await post('/presentations/create', { presentation, options: asked })).body['verifiablePresentation']
    const wrong = [
      { ...bare, verifiableCredential: [held] },
      await create({ ...bare, holder: 'did:example:another', verifiableCredential: [held] }),
      await create({ ...bare, verifiableCredential: [tampered(held)] }),
      { ...((await create({ ...bare, verifiableCredential: [held] })) as Body), verifiableCredential: [] },
    ]
    for (const verifiablePresentation of wrong) {
      const { status, body } = await post('/presentations/verify', { verifiablePresentation, options: asked })
      expect([400, 422]).toContain(status)
      expect(body['verified']).toBe(false)
    }
  })

  it.each(listed)('revokes and suspends what $name issued: refused (422) as long as it is so', async instance => {
    const verifiableCredential = await issued(instance, { ...credentialFor(instance), id: `urn:uuid:${instance.name}` })
    const change = (statusPurpose: string, status: boolean, credentialId = `urn:uuid:${instance.name}`) =>
      post(`/issuers/${instance.name}/credentials/status`, {
        ...{ credentialId, status },
        credentialStatus: { type: 'BitstringStatusListEntry', statusPurpose },
      })
    expect((await verify(verifiableCredential)).status).toBe(200)
    for (const purpose of ['suspension', 'revocation']) {
      expect((await change(purpose, true)).status).toBe(200)
      const { status, body } = await verify(verifiableCredential)
      expect([status, body['verified']]).toEqual([422, false])
      const looked = await post('/credentials/verify', { verifiableCredential, options: { returnResults: true } })
      const statuses = (looked.body['results'] as { credentialStatus: Body[] }).credentialStatus
      expect(statuses.at(-1)).toMatchObject({ verified: false, value: 1, input: { statusPurpose: purpose } })
      expect(statuses.slice(0, -1).every(({ verified, value }) => verified === true && value === 0)).toBe(true)
      expect((await change(purpose, false)).status).toBe(200)
      expect((await verify(verifiableCredential)).status).toBe(200)
    }
    const list = await send('GET', `/issuers/${instance.name}/status/1`)
    expect([list.status, list.headers['content-type']]).toEqual([200, 'application/vc'])
    for (const [accept, named] of [
      ['application/vc+jwt, application/vc, application/json;q=0.7', 'application/vc'],
      ['application/ld+json, application/json', 'application/ld+json'],
      ['Application/JSON;q=0.9, */*', 'application/json'],
    ] as const) {
      const { headers, body } = await send('GET', `/issuers/${instance.name}/status/1`, undefined, { accept })
      expect([headers['content-type'], headers.vary]).toEqual([named, expect.stringMatching(/accept/i)])
      expect(body['@context']).toBeDefined()
    }
    expect((await change('revocation', true, 'urn:uuid:none')).status).toBe(404)
  })

  it.each(listed)('tells a message about what $name issued, which stands with it (200)', async instance => {
    const id = `urn:uuid:${instance.name}-told`
    const statusMessage = ['pending', 'accepted', 'rejected', 'undefined'].map((message, at) => ({
      status: `0x${at}`,
      message,
    }))
    const credentialStatus = { statusPurpose: 'message', statusSize: 2, statusMessage }
    const path = `/issuers/${instance.name}/credentials`
    const options = { credentialStatus: [{ statusPurpose: 'refresh' }, credentialStatus] }
    const answer = await post(`${path}/issue`, { credential: { ...credentialFor(instance), id }, options })
    expect([answer.status, answer.body['code']]).toEqual([201, undefined])
    const { verifiableCredential } = answer.body
    const change = (statusPurpose: string, status: boolean | string) =>
      post(`${path}/status`, { credentialId: id, credentialStatus: { statusPurpose }, status })
    expect((await change('message', '0x2')).status).toBe(200)
    const looked = await post('/credentials/verify', { verifiableCredential, options: { returnResults: true } })
    expect([looked.status, looked.body['statuses']]).toEqual([
      200,
      [
        { purpose: 'refresh', value: 0 },
        { purpose: 'message', value: 2, message: 'rejected' },
      ],
    ])
    expect((looked.body['results'] as { credentialStatus: Body[] }).credentialStatus).toMatchObject([
      { value: 0, verified: true },
      { value: 2, verified: true },
    ])
    const refused = [
      change('refresh', '0x1'),
      change('message', true),
      change('message', '0x4'),
      change('refresh', false),
    ]
    expect((await Promise.all(refused)).map(({ body }) => body['code'])).toEqual([
      ...['status_value_malformed', 'status_value_malformed', 'status_value_unknown', 'status_final'],
    ])
  })

  it('keeps no status where an instance has none (422)', async () => {
    const body = { credentialId: 'urn:uuid:1', credentialStatus: { statusPurpose: 'revocation' }, status: true }
    expect((await post('/issuers/jose-p256/credentials/status', body)).status).toBe(422)
    expect((await post('/issuers/none/credentials/status', body)).status).toBe(404)
    expect((await send('GET', '/issuers/jose-p256-status/status/8')).status).toBe(404)
  })
})

describe('an exchange over https', () => {
  const workflow = {
    issuer: 'eddsa-rdfc-2022',
    initialStep: 'authenticate',
    credentialTemplates: [
      {
        type: 'application/json',
        template: {
          '@context': [v2, examples],
          type: ['VerifiableCredential', 'ExampleDegreeCredential'],
          credentialSubject: { alumniOf: '{school}' },
        },
      },
    ],
    steps: {
      authenticate: {
        verifiablePresentationRequest: {
          query: { type: 'DIDAuthentication', acceptedCryptosuites: [{ cryptosuite: 'eddsa-rdfc-2022' }] },
        },
        nextStep: 'deliver',
      },
      deliver: { issueRequests: [{ credentialTemplateIndex: 0 }], redirectUrl: 'https://school.example/thanks' },
    },
  }

  it('leads from a QR code to a credential that verifies, and then is over', async () => {
    const created = await post('/workflows', workflow)
    expect(created.status).toBe(201)
    const begun = await post(`${created.headers.location ?? ''}/exchanges`, { variables: { school: 'The School' } })
    expect(begun.status).toBe(201)
    const exchange = begun.headers.location ?? ''
    const picture = await send('GET', `${exchange}/qr?format=png`)
    expect(picture.headers['content-type']).toBe('image/png')
    const { text, modulePixels, quietModules } = readQr(picture.bytes)
    expect({ text, quietModules }).toEqual({ text: begun.body['interactionUrl'], quietModules: 4 })
    expect(modulePixels).toBeGreaterThanOrEqual(4)
    const { body } = await send('GET', text, undefined, { accept: 'application/json' })
    expect(body).toEqual({ protocols: { vcapi: exchange } })
    const page = await send('GET', text, undefined, { accept: 'text/html,application/xhtml+xml' })
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html'])
    const asked = await post(exchange, {})
    const wallet = newWallet('eddsa-rdfc-2022', { now: () => Date.now(), advance: () => undefined })
    const request = asked.body['verifiablePresentationRequest'] as { challenge: string; domain: string }
    const verifiablePresentation = await wallet.present(request)
    const answer = await post(exchange, { verifiablePresentation })
    expect(answer).toMatchObject({ status: 200, body: { redirectUrl: 'https://school.example/thanks' } })
    const [credential] = (answer.body['verifiablePresentation'] as { verifiableCredential: Body[] })
      .verifiableCredential
    expect(credential).toMatchObject({ credentialSubject: { id: wallet.did, alumniOf: 'The School' } })
    expect((await verify(credential)).status).toBe(200)
    expect(await post(exchange, { verifiablePresentation })).toMatchObject({
      status: 409,
      body: { code: 'exchange_complete' },
    })
  })

  it('refuses answers to another challenge (422), messages of other forms (400), and URLs that lead nowhere (404)', async () => {
    const { headers } = await post('/workflows', workflow)
    const begun = await post(`${headers.location ?? ''}/exchanges`, { variables: { school: 'The School' } })
    const exchange = begun.headers.location ?? ''
    const asked = await post(exchange, {})
    const request = asked.body['verifiablePresentationRequest'] as { challenge: string; domain: string }
    const wallet = newWallet('eddsa-rdfc-2022', { now: () => Date.now(), advance: () => undefined })
    const wrong = { verifiablePresentation: await wallet.present({ ...request, challenge: 'another' }) }
    expect(await post(exchange, wrong)).toMatchObject({ status: 422, body: { code: 'challenge_mismatch' } })
    expect((await post(exchange, { presentation: {} })).status).toBe(400)
    expect((await post(`${exchange.slice(0, -1)}`, {})).status).toBe(400)
    expect((await post(`${exchange.slice(0, -22)}${'A'.repeat(22)}`, {})).status).toBe(404)
    expect((await send('GET', `/interactions/${'A'.repeat(22)}?iuv=1`)).status).toBe(404)
    expect((await send('GET', String(begun.body['interactionUrl']).replace('iuv=1', 'iuv=2'))).status).toBe(400)
    expect(
      (await post('/workflows', { ...workflow, credentialTemplates: [{ type: 'jsonata', template: '{}' }] })).status,
    ).toBe(422)
  })
})
