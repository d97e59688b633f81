import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { schema } from '@veramo/core-types'
import { parse } from 'yaml'
import { type AgencyOnChain, bringOnChain, followChain, keepLists, openAgencyBase } from '../src/agency.ts'
import { parseAgency } from '../src/config/agency.ts'
import { createApiKeys } from '../src/http/api-keys.ts'
import { createApp } from '../src/http/app.ts'
import type { OpenApiDocument } from '../src/http/contract.ts'
import { listen } from '../src/http/listen.ts'
import { createLog } from '../src/http/log.ts'
import { loadCredentialTypes } from '../src/identity/types.ts'
import type { GatedAgent } from '../src/identity/veramo-plugin.ts'
import { isRefusal } from '../src/kernel/refusal.ts'
import { mount } from '../src/mount.ts'
import { agentFor } from '../src/plugins.ts'
import { establishTrust, fund, missingAttributes, settle } from '../src/register.ts'
import { dpopProof, newWalletHolder, type Service, send } from './holder.ts'
import { exampleOf, keyOf, licenceFor, newHolder, root, temporaryFolder } from './service.ts'

const name = 'transport-authority'
const folder = temporaryFolder()
const clock = { now: () => Date.now() }
let agency: AgencyOnChain
let service: Service
let agentOf: (authorization?: string) => GatedAgent
const closing: (() => unknown)[] = []

const freePort = (): Promise<number> =>
  new Promise(done => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })

/** One agency as the composition root brings it up, with its door in hand. */
beforeAll(async () => {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const log = createLog({ level: 'silent' })
  const types = loadCredentialTypes(join(root, 'schemas'))
  const openapi = parse(readFileSync(join(root, 'openapi.yaml'), 'utf8')) as OpenApiDocument
  const text = `{ name: ${name}, title: T, plugins: [credentials, wallet], root: true, issues: [DrivingLicence], allowedHttpOrigins: ['${origin}'] }`
  const masterKey = { bytes: randomBytes(32), generated: false }
  const settings = { dataDir: folder.path, masterKey, clock, databaseUrl: undefined, production: false, log }
  await mkdir(folder.path, { recursive: true })
  const base = await openAgencyBase(parseAgency(text, 'test.yml'), { ...settings, publicUrl: `${origin}/${name}` })
  closing.push(base.store.close, base.keys.close)
  const chain = await followChain({ ...settings, rpcUrls: [], contractsFile: undefined, rootAccount: base.address })
  closing.push(chain.close)
  await fund(base, chain)
  agency = bringOnChain(base, chain, log)
  closing.push(agency.outbox.close, agency.log.sequencer.stop)
  agency.log.sequencer.start()
  await settle(agency, () => missingAttributes(agency))
  await establishTrust(agency, [agency], types)
  const mounted = await mount(agency, types)
  await agency.outbox.settled(60_000)
  await chain.follower.poke()
  const keeper = await keepLists(chain, [base], types, log)
  closing.push(() => keeper.close())
  const app = createApp({ agencies: [mounted], openapi, log })
  const listening = await listen(app, { port })
  closing.push(listening.close)
  service = { url: origin, dataDir: folder.path }
  const { routes } = mounted
  agentOf = agentFor({ openapi, routes, call: (operation, call) => app.call(name, operation, call) })
}, 90_000)

afterAll(async () => {
  for (const close of closing.reverse()) await close()
  folder.remove()
})

const bearer = (): string => `Bearer ${keyOf(folder.path, name)}`
const scoped = async (...scopes: string[]): Promise<string> => {
  const { key } = await createApiKeys(agency.store, clock).create({ scopes })
  return `Bearer ${key}`
}

type Args = {
  params?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: unknown
}

const refusalOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    if (isRefusal(error)) return `${error.kind} ${error.code}`
    throw error
  }
  return 'admitted'
}

type Journalled = { operation: string; callerKind: string; callerId: string; authority: string; input: string }
const journalled = async (): Promise<Journalled[]> =>
  (await agency.store.read<{ record: string }>('SELECT record FROM journal_details ORDER BY id')).map(row =>
    JSON.parse(row.record),
  )

describe('an operation as a method of a Veramo agent', () => {
  it('is refused without a key, and leaves nothing behind', async () => {
    const before = await journalled()
    const body = licenceFor(newHolder().did)
    expect(await refusalOf(agentOf().execute('issueCredential', { body }))).toBe('unauthenticated unauthenticated')
    expect(await journalled()).toEqual(before)
  })

  it('is admitted with a key, and answers and journals as over HTTP', async () => {
    const body = licenceFor(newHolder().did)
    const answer = await agentOf(bearer()).execute('issueCredential', { body })
    expect(answer).toMatchObject({ status: 201, body: { credentialId: expect.stringMatching(/^urn:uuid:/) } })
    const [inside] = (await journalled()).slice(-1)
    const headers = { authorization: bearer() }
    const over = await send(`${service.url}/${name}/credentials/issue`, 'POST', body, headers)
    expect([over.status, Object.keys(over.body).sort()]).toEqual([201, Object.keys(answer.body).sort()])
    const [outside] = (await journalled()).slice(-1)
    const evidence = ({ operation, callerKind, callerId, authority, input }: Journalled) => ({
      ...{ operation, callerKind, callerId, authority, input },
    })
    expect(inside && evidence(inside)).toEqual(outside && evidence(outside))
    expect(inside?.operation).toBe('issueCredential')
  })

  it('gives one answer to one idempotency key, whichever way it comes', async () => {
    const body = licenceFor(newHolder().did)
    const headers = { 'idempotency-key': 'both ways' }
    const url = `${service.url}/${name}/credentials/issue`
    const over = await send(url, 'POST', body, { ...headers, authorization: bearer() })
    const inside = await agentOf(bearer()).execute('issueCredential', { headers, body })
    expect(inside.body).toEqual(over.body)
    const other = agentOf(bearer()).execute('issueCredential', { headers, body: licenceFor(newHolder().did) })
    expect(await refusalOf(other)).toBe('conflict idempotency_mismatch')
  })

  it('keeps no hold on a body that it was given: what is checked is what runs', async () => {
    const agent = agentOf(bearer())
    const { credential } = licenceFor(newHolder().did)
    let looks = 0
    const shifting = {
      ...credential,
      get type() {
        looks += 1
        return looks > 1 ? ['VerifiableCredential', 'Passport'] : ['VerifiableCredential', 'DrivingLicence']
      },
    }
    const answer = await agent.execute('issueCredential', { body: { credential: shifting } })
    const params = { id: String(answer.body.credentialId) }
    expect((await agent.execute('getCredential', { params })).body).toMatchObject({ type: 'DrivingLicence' })
  })

  it.each([
    ['a number too large for JSON', { credential: { amount: 1n } }, 'malformed json_malformed'],
    ['half a character', { credential: { type: ['\ud800'] } }, 'malformed json_lone_surrogate'],
    ['nothing that JSON has', () => undefined, 'malformed json_malformed'],
  ])('takes %s in a body no more than HTTP does', async (_, body, refusal) => {
    expect(await refusalOf(agentOf(bearer()).execute('issueCredential', { body }))).toBe(refusal)
  })
})

describe('through Veramo as over HTTP', () => {
  type Case = [title: string, operation: string, at: string, args: Args, by: () => string | undefined | Promise<string>]
  const nobody = () => undefined
  const stranger = () => `Bearer ${'a'.repeat(16)}.${'b'.repeat(43)}`
  const forged = { verifiableCredential: 'eyJhbGciOiJFUzI1NiJ9.e30.AA' }
  const cases: Case[] = [
    ['an unknown key', 'issueCredential', 'POST /credentials/issue', { body: licenceFor('did:key:z6Mk') }, stranger],
    [
      'a key of another scope',
      'issueCredential',
      'POST /credentials/issue',
      { body: {} },
      () => scoped('credentials:read'),
    ],
    [
      'a body that is not as the contract says',
      'issueCredential',
      'POST /credentials/issue',
      { body: { credential: 1 } },
      bearer,
    ],
    ['no body', 'issueCredential', 'POST /credentials/issue', {}, bearer],
    [
      'a body too rich',
      'issueCredential',
      'POST /credentials/issue',
      { body: { ...licenceFor('did:key:z6Mk'), more: 1 } },
      bearer,
    ],
    [
      'an unknown type',
      'issueCredential',
      'POST /credentials/issue',
      {
        body: { credential: { type: ['VerifiableCredential', 'Nonsense'], credentialSubject: { id: 'did:key:z6Mk' } } },
      },
      bearer,
    ],
    [
      'claims that its type does not know',
      'issueCredential',
      'POST /credentials/issue',
      {
        body: {
          credential: { type: ['VerifiableCredential', 'DrivingLicence'], credentialSubject: { id: newHolder().did } },
        },
      },
      bearer,
    ],
    [
      'a credential that does not exist',
      'getCredential',
      'GET /credentials/urn:uuid:00000000-0000-7000-8000-000000000000',
      { params: { id: 'urn:uuid:00000000-0000-7000-8000-000000000000' } },
      bearer,
    ],
    [
      'a parameter that is none',
      'listCredentials',
      'GET /credentials?colour=red',
      { query: { colour: 'red' } },
      bearer,
    ],
    [
      'a cursor that is none',
      'listCredentials',
      'GET /credentials?cursor=bm9uc2Vuc2U',
      { query: { cursor: 'bm9uc2Vuc2U' } },
      bearer,
    ],
    ['nobody at a listing', 'listCredentials', 'GET /credentials', {}, nobody],
    ['nobody at a verification', 'credentialsVerifyCredential', 'POST /credentials/verify', { body: forged }, nobody],
    ['staff at a citizen’s wallet', 'listHeld', 'GET /wallet/credentials', {}, bearer],
    ['nobody at a citizen’s wallet', 'listHeld', 'GET /wallet/credentials', {}, nobody],
    [
      'a weak passphrase',
      'registerCitizen',
      'POST /wallet/citizens',
      { body: { handle: 'amara', passphrase: 'password' } },
      nobody,
    ],
    ['a place that the log has not', 'getLogProof', 'GET /log/proof/999999', { params: { index: '999999' } }, nobody],
    ['a place that is none', 'getLogProof', 'GET /log/proof/01', { params: { index: '01' } }, nobody],
    [
      'a requirement of no operation',
      'getRequirement',
      'GET /requirements/nonsense',
      { params: { operationId: 'nonsense' } },
      nobody,
    ],
    ['a session that is none', 'listPendingActs', 'GET /pending-acts', {}, () => `DPoP gs_${'a'.repeat(43)}`],
    ['nobody at pending acts', 'listPendingActs', 'GET /pending-acts', {}, nobody],
  ]

  it.each(cases)('%s is refused with the same code by %s', async (_title, method, at, args, by) => {
    const authorization = await by()
    const [verb = '', path = ''] = at.split(' ')
    const headers = authorization === undefined ? {} : { authorization }
    const over = await send(`${service.url}/${name}${path}`, verb, args.body, headers)
    expect(over.status).toBeGreaterThanOrEqual(400)
    const inside = await refusalOf(agentOf(authorization).execute(method, args))
    expect(inside.split(' ')[1]).toBe(over.body['code'])
  })

  it('a session is known by its proofs, each of which counts once, whichever way it comes', async () => {
    const holder = newWalletHolder(service)
    await holder.receive(name, 'DrivingLicence', exampleOf('driving-licence'))
    const session = await holder.openSession(name)
    const url = `${service.url}/${name}/pending-acts`
    const first = await send(url, 'GET', undefined, {
      authorization: `DPoP ${session.token}`,
      dpop: dpopProof(session.key, { method: 'GET', url, token: session.token }),
    })
    const nonce = first.headers.get('dpop-nonce') ?? undefined
    const proof = () => dpopProof(session.key, { method: 'GET', url, token: session.token, nonce })
    const agent = agentOf(`DPoP ${session.token}`)
    const dpop = proof()
    expect(await agent.execute('listPendingActs', { dpop })).toEqual({ status: 200, body: { acts: [] } })
    expect(await refusalOf(agent.execute('listPendingActs', { dpop }))).toBe('unauthenticated proof_replayed')
    const over = await send(url, 'GET', undefined, { authorization: `DPoP ${session.token}`, dpop })
    expect(over.body['code']).toBe('proof_replayed')
    expect(await refusalOf(agent.execute('listPendingActs', {}))).toBe('unauthenticated proof_missing')
    const elsewhere = dpopProof(session.key, { method: 'GET', url: `${url}/x`, token: session.token, nonce })
    expect(await refusalOf(agent.execute('listPendingActs', { dpop: elsewhere }))).toBe(
      'unauthenticated proof_mismatch',
    )
  })
})

describe('Veramo’s own surface', () => {
  const own = Object.values(schema).flatMap(part => Object.keys(part.components.methods))
  const open = ['resolveDid', 'getDIDComponentById']
  const gated = [
    ...['didManagerFind', 'didManagerGet', 'didManagerGetProviders', 'keyManagerGetKeyManagementSystems'],
    ...['createVerifiableCredential', 'verifyCredential', 'verifyPresentation', 'dataStoreGetVerifiableCredential'],
    ...['dataStoreORMGetVerifiableCredentials', 'dataStoreORMGetVerifiableCredentialsCount'],
  ]

  it('is what the agency answers of it, and nothing else', () => {
    const available = agentOf(bearer()).availableMethods()
    expect(available.filter(method => own.includes(method)).sort()).toEqual([...open, ...gated].sort())
    expect(available).toEqual(expect.arrayContaining(['issueCredential', 'credentialsVerifyCredential', 'listHeld']))
    expect(available).not.toContain('issueCredentialBatch')
  })

  it.each(gated)('%s is refused to nobody’s agent, and to one whose key has not the scope', async method => {
    expect(await refusalOf(agentOf().execute(method, {}))).toBe('unauthenticated unauthenticated')
    const strange = await scoped('credentials:status')
    expect(await refusalOf(agentOf(strange).execute(method, {}))).toBe('forbidden scope_missing')
  })

  it.each(own.filter(method => ![...open, ...gated].includes(method)))(
    '%s is not there, whoever asks',
    async method => {
      await expect(agentOf(bearer()).execute(method, {})).rejects.toThrow(`Method not available: ${method}`)
    },
  )

  it('issues with a key and leaves the evidence of whose it was', async () => {
    const { credential } = licenceFor(newHolder().did)
    const args = { credential: { ...credential, issuer: { id: agency.did } }, proofFormat: 'jwt' }
    const issued = await agentOf(bearer()).execute('createVerifiableCredential', args)
    expect(issued.proof.jwt).toMatch(/^ey/)
    const [last] = (await journalled()).slice(-1)
    expect(last).toMatchObject({ operation: 'issueCredential', callerKind: 'apiKey' })
    expect(last?.callerId).not.toBe('veramo-agent')
    expect((await agentOf(bearer()).execute('verifyCredential', { credential: issued })).verified).toBe(true)
  })

  it('resolves DIDs for anyone', async () => {
    const resolved = await agentOf().execute('resolveDid', { didUrl: agency.did })
    expect(resolved.didDocument.id).toBe(agency.did)
  })
})
