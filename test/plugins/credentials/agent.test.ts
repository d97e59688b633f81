import { randomBytes, sign as signBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createAgent } from '@veramo/core'
import {
  type ICredentialPlugin,
  type IDataStore,
  type IDataStoreORM,
  type IDIDManager,
  type IKeyManager,
  type IResolver,
  schema,
  type TAgent,
  type VerifiableCredential,
} from '@veramo/core-types'
import { AgentRestClient } from '@veramo/remote-client'
import { openAgencyStore } from '../../../src/agency.ts'
import { parseAgency } from '../../../src/config/agency.ts'
import { createApiKeys } from '../../../src/http/api-keys.ts'
import { openAgent } from '../../../src/identity/agent.ts'
import { openDids } from '../../../src/identity/dids.ts'
import { sealVp11 } from '../../../src/identity/formats/presentation.ts'
import { openKeys } from '../../../src/identity/keys.ts'
import { agentMethods } from '../../../src/plugins/credentials/actions/agent.ts'
import { type Server, startServer } from '../../../src/server.ts'
import { exampleOf, keyOf, newHolder, temporaryFolder } from '../../service.ts'

const name = 'transport-authority'
const folder = temporaryFolder()
const masterKey = { bytes: randomBytes(32), generated: false }
const clock = { now: () => Date.now() }
let server: Server

const freePort = (): Promise<number> =>
  new Promise(done => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })

beforeAll(async () => {
  const text = `{ name: ${name}, title: T, plugins: [credentials], root: true, issues: [DrivingLicence], allowedHttpOrigins: ['http://localhost:1'] }`
  server = await startServer({
    agencies: [parseAgency(text, 'test.yml')],
    ...{ dataDir: folder.path, masterKey, clock, port: await freePort(), production: false, logLevel: 'silent' },
    ...{ publicOrigin: undefined, databaseUrl: undefined, rpcUrls: [], contractsFile: undefined, tls: undefined },
    say: () => undefined,
  })
}, 60_000)

afterAll(async () => {
  await server?.close()
  folder.remove()
})

type Remote = TAgent<IResolver & IDIDManager & IKeyManager & ICredentialPlugin & IDataStore & IDataStoreORM>

/** Every method that Veramo knows, and some that are none of its own. */
const known = Object.values(schema).flatMap(part => Object.keys(part.components.methods))

/** A Veramo client as its users write it. */
const client = (headers: Record<string, string> = { authorization: `Bearer ${keyOf(folder.path, name)}` }): Remote => {
  const url = `${server.url}/${name}/agent`
  return createAgent({ plugins: [new AgentRestClient({ url, enabledMethods: known, headers })] })
}

const post = async (method: string, body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${server.url}/${name}/agent/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf(folder.path, name)}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const scoped = async (...scopes: string[]): Promise<Record<string, string>> => {
  const store = await openAgencyStore(name, { dataDir: folder.path, databaseUrl: undefined })
  const { key } = await createApiKeys(store, clock).create({ scopes })
  await store.close()
  return { authorization: `Bearer ${key}` }
}

const rows = async (table: string): Promise<number> => {
  const store = await openAgencyStore(name, { dataDir: folder.path, databaseUrl: undefined })
  const [row] = await store.read(`SELECT count(*) AS n FROM ${table}`)
  await store.close()
  return Number(row?.['n'])
}

let issuer: string
const licence = (holder = newHolder().did, more: Record<string, unknown> = {}) => ({
  credential: {
    '@context': ['https://www.w3.org/2018/credentials/v1'],
    type: ['VerifiableCredential', 'DrivingLicence'],
    issuer: { id: issuer },
    credentialSubject: { id: holder, ...exampleOf('driving-licence') },
    ...more,
  },
  proofFormat: 'jwt' as const,
})

describe('a Veramo client with @veramo/remote-client', () => {
  beforeAll(async () => {
    const [identifier] = await client().didManagerFind()
    issuer = identifier?.did ?? ''
  })

  it('finds the agency’s identifier and gets it, without anything of a private key', async () => {
    expect(issuer).toMatch(/^did:ethr:0x7a69:0x[0-9a-f]{40}$/)
    const identifier = await client().didManagerGet({ did: issuer })
    expect(identifier.keys.map(key => key.kid).sort()).toEqual(['controller.1', 'signing.1'])
    expect(JSON.stringify(identifier)).not.toMatch(/private/i)
    expect(await client().didManagerFind({ alias: 'nobody' })).toEqual([])
    expect(await client().didManagerGetProviders()).toContain('did:ethr')
    expect(await client().keyManagerGetKeyManagementSystems()).toEqual(['local'])
  })

  it('resolves a DID and gets a part of its document', async () => {
    const { didDocument } = await client().resolveDid({ didUrl: issuer })
    expect(didDocument?.id).toBe(issuer)
    const didUrl = `${issuer}#controller`
    const part = await client().getDIDComponentById({ didDocument: didDocument as never, didUrl })
    expect(part).toMatchObject({ id: didUrl })
  })

  it('issues a credential that is stored, journalled, has a status, and verifies', async () => {
    const before = [await rows('credentials'), await rows('journal')]
    const credential = await client().createVerifiableCredential({ ...licence(), save: true })
    expect(credential).toMatchObject({ issuer: { id: issuer }, proof: { type: 'JwtProof2020' } })
    expect(credential.type).toEqual(['VerifiableCredential', 'DrivingLicence'])
    expect(JSON.stringify(credential.credentialStatus)).toContain('EvmStatusEntry')
    expect([await rows('credentials'), await rows('journal')]).toEqual([(before[0] ?? 0) + 1, (before[1] ?? 0) + 1])
    expect(await client().verifyCredential({ credential })).toMatchObject({ verified: true, issuer })
    const jwt = String(credential.proof['jwt'])
    expect(await client().verifyCredential({ credential: jwt })).toMatchObject({ verified: true })
    const past = { now: Math.floor(Date.now() / 1_000) - 86_400 }
    expect(await client().verifyCredential({ credential, policies: past })).toMatchObject({ verified: false })
  })

  it('is told of an edited and of a revoked credential by a verdict, as Veramo tells it', async () => {
    const credential = await client().createVerifiableCredential(licence())
    const edited = { ...credential, issuer: { id: 'did:example:1' } }
    const verdict = await client().verifyCredential({ credential: edited })
    expect(verdict).toMatchObject({ verified: false, error: { errorCode: 'payload_edited' } })
    const revoked = await fetch(`${server.url}/${name}/credentials/status`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf(folder.path, name)}` },
      body: JSON.stringify({ credentialId: credential.id, credentialStatus: { statusPurpose: 'revocation' } }),
    })
    expect(revoked.status).toBe(202)
    const again = await client().verifyCredential({ credential })
    expect(again).toMatchObject({ verified: false, error: { errorCode: 'credential_revoked' } })
    const compact = await client().verifyCredential({ credential: String(credential.proof['jwt']) })
    expect(compact.error?.errorCode).toBe('credential_revoked')
  })

  it('has a presentation verified once, and never without a challenge', async () => {
    const holder = newHolder()
    const credential = await client().createVerifiableCredential(licence(holder.did))
    const sealing = {
      holder: { did: holder.did, kid: `${holder.did}#0`, keyId: '', algorithm: 'ES256' as const },
      ...{ audience: issuer, nonce: 'nonce-of-this-test', now: Date.now() },
    }
    const key = { key: holder.privateKey, dsaEncoding: 'ieee-p1363' as const }
    const sign = async (_algorithm: string, data: Buffer) => signBytes('sha256', data, key)
    const presentation = await sealVp11([String(credential.proof['jwt'])], sealing, sign)
    const challenge = 'nonce-of-this-test'
    await expect(client().verifyPresentation({ presentation })).rejects.toThrow(/challenge/)
    const other = await client().verifyPresentation({ presentation, challenge, domain: 'https://other.example' })
    expect(other).toMatchObject({ verified: false, error: { errorCode: 'audience_mismatch' } })
    expect(await client().verifyPresentation({ presentation, challenge })).toMatchObject({ verified: true })
    const replayed = await client().verifyPresentation({ presentation, challenge })
    expect(replayed).toMatchObject({ verified: false, error: { errorCode: 'challenge_replayed' } })
  })

  it('reads stored credentials by hash, in pages and by their columns, and each reading is journalled', async () => {
    const made: VerifiableCredential[] = []
    for (let count = 0; count < 3; count++) made.push(await client().createVerifiableCredential(licence()))
    const journalled = await rows('journal')
    const all = await client().dataStoreORMGetVerifiableCredentials()
    expect(await client().dataStoreORMGetVerifiableCredentialsCount()).toBe(all.length)
    expect(await rows('journal')).toBe(journalled + 2)
    expect(all.slice(-3).map(({ verifiableCredential }) => verifiableCredential)).toEqual(made)
    const hash = all.at(-1)?.hash as string
    expect(await client().dataStoreGetVerifiableCredential({ hash })).toEqual(made[2])
    const page = { order: [{ column: 'issuanceDate', direction: 'DESC' }] as never, take: 1, skip: 1 }
    const [second] = await client().dataStoreORMGetVerifiableCredentials(page)
    expect(second?.verifiableCredential).toEqual(made[1])
    const count = (...where: object[]) => client().dataStoreORMGetVerifiableCredentialsCount({ where: where as never })
    expect(await count({ column: 'type', value: ['VerifiableCredential,DrivingLicence'], op: 'Equal' })).toBe(
      all.length,
    )
    expect(await count({ column: 'type', value: ['Residence'] })).toBe(0)
    expect(await count({ column: 'type', value: ['Residence'], not: true })).toBe(all.length)
    expect(await count({ column: 'issuer', value: [issuer] }, { column: 'id', value: [made[0]?.id] })).toBe(1)
    expect(await count({ column: 'issuer', value: ['did:example:1'] })).toBe(0)
    const hour = [new Date(Date.now() - 3_600_000).toISOString(), new Date(Date.now() + 3_600_000).toISOString()]
    expect(await count({ column: 'issuanceDate', value: hour, op: 'Between' })).toBe(all.length)
    expect(await count({ column: 'expirationDate', value: [hour[1]], op: 'LessThan' })).toBe(0)
  })

  it('gets what was issued in another format so that it verifies when it is handed back', async () => {
    for (const format of ['vc+jwt', 'dc+sd-jwt']) {
      const { credential } = licence()
      const response = await fetch(`${server.url}/${name}/credentials/issue`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${keyOf(folder.path, name)}` },
        body: JSON.stringify({ credential, options: { format } }),
      })
      const { credentialId: hash } = (await response.json()) as { credentialId: string }
      const stored = await client().dataStoreGetVerifiableCredential({ hash })
      expect(await client().verifyCredential({ credential: stored })).toMatchObject({ verified: true, format })
    }
  })

  it('issues once under one idempotency key', async () => {
    const headers = { authorization: `Bearer ${keyOf(folder.path, name)}`, 'idempotency-key': 'once' }
    const wanted = licence()
    const first = await client(headers).createVerifiableCredential(wanted)
    expect(await client(headers).createVerifiableCredential(wanted)).toEqual(first)
    await expect(client(headers).createVerifiableCredential(licence())).rejects.toThrow(/key/i)
  })
})

const unsupported = 'agent_argument_unsupported'
const weakened = (policies: object) => ({ credential: 'a.b.c', policies })

const refuses = async (method: string, args: unknown, code: string): Promise<void> => {
  const before = await rows('credentials')
  const { status, body } = await post(method, args)
  expect([body['code'], body['error'], status < 500]).toEqual([code, body['detail'], true])
  expect(await rows('credentials')).toBe(before)
}

describe('the agent’s door', () => {
  it('answers the allow-list and refuses every other method that the agent or Veramo has', async () => {
    const agency = { agency: 'test', directory: join(folder.path, 'test'), masterKey, clock }
    const keys = await openKeys(agency)
    const dids = openDids({ chainId: 1, replica: { events: () => [] }, clock })
    const own = openAgent({ keys, dids, chainId: 1, credentialProviders: [] }).agent.availableMethods()
    await keys.close()
    const strange = ['constructor', '__proto__', 'toString', 'execute', 'emit', 'availableMethods', 'getSchema']
    const all = [...new Set([...own, ...known, ...strange])]
    expect(own).toEqual(
      expect.arrayContaining(['keyManagerSign', 'keyManagerImport', 'keyManagerDelete', 'didManagerDelete']),
    )
    const answered: string[] = []
    for (const method of all) {
      const { status, body } = await post(method, {})
      if (body['code'] !== 'agent_method_unknown') answered.push(method)
      else expect([status, body['error']]).toEqual([404, body['detail']])
    }
    expect(answered.sort()).toEqual([...agentMethods].sort())
    expect(
      agentMethods.filter(method => /Sign|Import|Delete|Create$|SharedSecret|Encrypt|Decrypt/i.test(method)),
    ).toEqual([])
  })

  it('is described in openapi.yaml with exactly the methods that it answers', () => {
    const text = readFileSync(join(import.meta.dirname, '../../../openapi.yaml'), 'utf8')
    const [, described = ''] = /operationId: callAgent[\s\S]*?description: \|([\s\S]*?)parameters:/.exec(text) ?? []
    const words = new Set(described.match(/\w+/g))
    expect(known.filter(method => words.has(method)).sort()).toEqual([...agentMethods].sort())
  })

  const operationScopes: Record<string, string> = {
    didManagerFind: 'credentials:read',
    didManagerGet: 'credentials:read',
    didManagerGetProviders: 'credentials:read',
    keyManagerGetKeyManagementSystems: 'credentials:read',
    dataStoreGetVerifiableCredential: 'credentials:read',
    dataStoreORMGetVerifiableCredentials: 'credentials:read',
    dataStoreORMGetVerifiableCredentialsCount: 'credentials:read',
    createVerifiableCredential: 'credentials:issue',
    verifyCredential: 'credentials:verify',
    verifyPresentation: 'credentials:verify',
  }

  it('asks each method’s caller for the scope of the operation it stands for', async () => {
    const scopes = [...new Set(Object.values(operationScopes))]
    for (const method of Object.keys(operationScopes)) {
      const nobody = await post(method, {}, { authorization: '' })
      expect([method, nobody.status]).toEqual([method, 401])
    }
    for (const held of scopes) {
      const headers = await scoped(held)
      for (const [method, scope] of Object.entries(operationScopes)) {
        const { status, body } = await post(method, {}, headers)
        expect([method, held, body['code'] === 'scope_missing']).toEqual([method, held, scope !== held])
        expect(status < 500).toBe(true)
      }
    }
  })

  it('leaves nobody without a reason: the client throws what the refusal says', async () => {
    await expect(client({}).didManagerFind()).rejects.toThrow('This operation needs an API key or an OIDC token.')
    await expect(client(await scoped('credentials:read')).createVerifiableCredential(licence())).rejects.toThrow(
      'lacks the scope credentials:issue',
    )
    await expect(client().keyManagerSign({ keyRef: 'signing.1', data: 'x' })).rejects.toThrow('No Veramo method')
    await expect(client().didManagerGet({ did: 'did:example:1' })).rejects.toThrow('manages no identifier')
  })

  it.each([
    [
      'createVerifiableCredential',
      'a JSON-LD proof',
      () => ({ ...licence(), proofFormat: 'lds' }),
      'proof_format_unsupported',
    ],
    [
      'createVerifiableCredential',
      'a key of the caller’s choice',
      () => ({ ...licence(), keyRef: 'controller.1' }),
      unsupported,
    ],
    ['createVerifiableCredential', 'remote contexts', () => ({ ...licence(), fetchRemoteContexts: true }), unsupported],
    [
      'createVerifiableCredential',
      'a credential that is text',
      () => ({ proofFormat: 'jwt', credential: 'eyJ' }),
      unsupported,
    ],
    [
      'createVerifiableCredential',
      'an id of the caller’s choice',
      () => licence(undefined, { id: 'urn:x' }),
      unsupported,
    ],
    [
      'createVerifiableCredential',
      'a status of the caller’s choice',
      () => licence(undefined, { credentialStatus: {} }),
      unsupported,
    ],
    ['createVerifiableCredential', 'a type that is a number', () => licence(undefined, { type: [1] }), unsupported],
    [
      'createVerifiableCredential',
      'no type',
      () => licence(undefined, { type: 'VerifiableCredential' }),
      'type_missing',
    ],
    [
      'createVerifiableCredential',
      'another issuer',
      () => licence(undefined, { issuer: 'did:example:1' }),
      'issuer_foreign',
    ],
    [
      'createVerifiableCredential',
      'a date that is none',
      () => licence(undefined, { issuanceDate: 'soon' }),
      unsupported,
    ],
    [
      'createVerifiableCredential',
      'missing claims',
      () => licence(undefined, { credentialSubject: { id: 'x' } }),
      'schema_violated',
    ],
    ['verifyCredential', 'no credential', () => ({}), unsupported],
    [
      'verifyCredential',
      'to look away from the status',
      () => weakened({ credentialStatus: false }),
      'agent_policy_unsupported',
    ],
    [
      'verifyCredential',
      'to look away from the dates',
      () => weakened({ expirationDate: false }),
      'agent_policy_unsupported',
    ],
    ['verifyCredential', 'an unknown policy', () => weakened({ signature: true }), 'agent_policy_unsupported'],
    ['verifyCredential', 'a time beyond all times', () => weakened({ now: 1e300 }), unsupported],
    ['verifyPresentation', 'no challenge', () => ({ presentation: 'a.b.c' }), 'challenge_missing'],
    ['verifyPresentation', 'no presentation', () => ({ challenge: 'x' }), unsupported],
    ['resolveDid', 'no DID', () => ({}), unsupported],
    ['resolveDid', 'options that are a list', () => ({ didUrl: 'did:example:1', options: [] }), unsupported],
    [
      'getDIDComponentById',
      'a broken document',
      () => ({ didUrl: '#x', didDocument: { service: 5 } }),
      'did_component_unknown',
    ],
    ['didManagerFind', 'an operator for a text', () => ({ alias: { $ne: 1 } }), unsupported],
    ['didManagerGet', 'an argument it has not', () => ({ did: 'did:example:1', alias: 'x' }), unsupported],
    ['dataStoreGetVerifiableCredential', 'an unknown hash', () => ({ hash: 'urn:uuid:none' }), 'credential_unknown'],
    ['dataStoreGetVerifiableCredential', 'no hash', () => ({}), unsupported],
  ] as const)('%s refuses %s', async (method, _what, args, code) => {
    await refuses(method, args(), code)
  })

  it.each([
    { take: 201 },
    { take: -1 },
    { skip: 1e9 },
    { where: 'all' },
    { where: [{ column: 'compact', value: ['x'] }] },
    { where: [{ column: '__proto__', value: ['x'] }] },
    { where: [{ column: 'type; DROP TABLE credentials', value: ['x'] }] },
    { where: [{ column: 'type', value: ['x'], op: 'Like' }] },
    { where: [{ column: 'type', value: [1] }] },
    { where: [{ column: 'type', value: ['a', 'b'], op: 'Equal' }] },
    { where: [{ column: 'type', value: ['a'], not: 'yes' }] },
    { where: Array(11).fill({ column: 'type', value: ['a'] }) },
    { order: [{ column: 'type', direction: 'ASC' }] },
    { order: [{ column: 'id', direction: 'DESC; --' }] },
  ])('a query refuses %j', async args => {
    await refuses('dataStoreORMGetVerifiableCredentials', args, 'agent_query_unsupported')
  })

  it('a query refuses a date that is none, and a thousand values', async () => {
    const dated = { where: [{ column: 'issuanceDate', value: ['yesterday'] }] }
    await refuses('dataStoreORMGetVerifiableCredentials', dated, 'date_malformed')
    const many = { where: [{ column: 'id', value: Array(1_000).fill('a') }] }
    await refuses('dataStoreORMGetVerifiableCredentialsCount', many, 'agent_query_unsupported')
  })

  it('refuses a body that is no object', async () => {
    expect((await post('resolveDid', [])).body['code']).toBe('body_invalid')
    expect((await post('didManagerGetProviders', undefined)).status).toBe(200)
  })
})

describe('a NUL character', () => {
  it('is refused in a path and in a body', async () => {
    const headers = { authorization: `Bearer ${keyOf(folder.path, name)}` }
    const followed = await fetch(`${server.url}/${name}/credentials/status/%00`, { headers })
    expect(followed.status).toBe(400)
    expect((await post('dataStoreGetVerifiableCredential', { hash: '\0' })).status).toBe(400)
  })
})
