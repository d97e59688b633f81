import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generated } from '../client/generate/files.ts'
import { type Client, openClient, openSession } from '../client/src/client.ts'
import { anyoneAt, refusalOf, staffOf } from './clients.ts'
import { newWalletHolder, present } from './holder.ts'
import { exampleOf, licenceFor, newHolder, root, type Started, startService, temporaryFolder } from './service.ts'

const folder = temporaryFolder()
const authority = 'transport-authority'
let service: Started
let staff: Client
let anyone: Client

const under = (path: string): string[] =>
  readdirSync(join(root, path), { withFileTypes: true }).flatMap(entry =>
    entry.isDirectory() ? under(join(path, entry.name)) : [join(path, entry.name)],
  )

beforeAll(async () => {
  const agencies = ['root-authority', authority].map(name => `agents/${name}.yml`)
  service = await startService({ dataDir: folder.path, agencies })
  anyone = anyoneAt(service, authority)
  staff = staffOf(service, authority)
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

describe('what is made from openapi.yaml', () => {
  it('is what `npm run client` would write now, and there is nothing else', () => {
    const files = generated()
    const stale = Object.entries(files).filter(
      ([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
    )
    expect(stale.map(([path]) => path)).toEqual([])
    expect(under('collection').filter(path => files[path] === undefined)).toEqual([])
  })

  it('becomes a package that plain Node runs without types or other packages', () => {
    const out = join(folder.path, 'package')
    execFileSync(
      process.execPath,
      [join(root, 'node_modules/.bin/tsc'), '-p', 'client/tsconfig.json', '--outDir', out],
      {
        cwd: root,
      },
    )
    const script = `import(${JSON.stringify(join(out, 'client.js'))}).then(async ({ openClient }) => {
      const { body } = await openClient({ url: ${JSON.stringify(`${service.url}/${authority}`)} }).listTypes()
      console.log(body.items?.length ?? Object.keys(body).length)
    })`
    const options = { cwd: folder.path, env: { PATH: process.env['PATH'] }, encoding: 'utf8' as const }
    expect(Number(execFileSync(process.execPath, ['-e', script], options))).toBeGreaterThan(0)
  }, 60_000)
})

describe('the client', () => {
  it('calls what anyone may read, and throws what the agency refuses by its name', async () => {
    expect((await anyone.listTypes()).status).toBe(200)
    const { status, code, problem } = await refusalOf(anyone.issueCredential({ body: licenceFor(newHolder().did) }))
    expect([status, code, problem['title']]).toEqual([401, 'unauthenticated', 'The caller is not known'])
    const unknown = await refusalOf(staff.resolveDid({ params: { didUrlRawPath: 'did:nothing:1' } }))
    expect(unknown.status).toBeGreaterThanOrEqual(400)
  })

  it('refuses a call without its path parameter before anything is sent', async () => {
    await expect(staff.getCredential({ params: { id: '' } })).rejects.toThrow(TypeError)
  })

  it('issues and judges as the staff, once for one idempotency key', async () => {
    const call = { headers: { 'Idempotency-Key': 'client-1' }, body: licenceFor(newHolder().did) }
    const [first, again] = [await staff.issueCredential(call), await staff.issueCredential(call)]
    expect(again.body.credentialId).toBe(first.body.credentialId)
    const other = await staff.issueCredential({ body: licenceFor(newHolder().did) })
    expect(other.body.credentialId).not.toBe(first.body.credentialId)
    const { body } = await staff.verifyCredential({ body: { verifiableCredential: first.body.verifiableCredential } })
    expect(body.verified).toBe(true)
  })

  it('sends lines as they are made and reads the answers as they come', async () => {
    const lines = async function* () {
      yield licenceFor(newHolder().did)
      yield { credential: { ...licenceFor(newHolder().did).credential, credentialSubject: {} } } as never
    }
    const { body } = await staff.issueCredentialBatch({ body: lines() })
    const answers: Record<string, unknown>[] = []
    for await (const answer of body) answers.push(answer as Record<string, unknown>)
    expect(answers.length).toBe(2)
    expect(answers[0]?.['credentialId']).toBeDefined()
    expect(answers[1]).toMatchObject({ line: 2, error: { code: 'schema_violated' } })
  })

  it('proves the key of a session in every call, and is refused when that has ended', async () => {
    const holder = newWalletHolder(service)
    await holder.receive(authority, 'DrivingLicence', exampleOf('driving-licence'))
    const { client } = await openSession({ url: `${service.url}/${authority}` }, asked =>
      holder.held.map(each => present(each, asked)),
    )
    expect((await client.listPendingActs()).body.acts).toEqual([])
    expect((await client.listPendingActs({ query: { limit: 5 } })).status).toBe(200)
    await client.endSession()
    expect((await refusalOf(client.listPendingActs())).code).toBe('session_invalid')
  })

  it('makes a proof anew with the nonce that a refusal brings', async () => {
    const holder = newWalletHolder(service)
    await holder.receive(authority, 'DrivingLicence', exampleOf('driving-licence'))
    let refused = 0
    const url = `${service.url}/${authority}`
    const counting: typeof fetch = async (...given) => {
      const response = await fetch(...given)
      if (response.status === 401) refused += 1
      const headers = new Headers(response.headers)
      if (response.status !== 401) headers.delete('dpop-nonce')
      return new Response(response.body, { status: response.status, headers })
    }
    const { client } = await openSession({ url, fetch: counting }, asked =>
      holder.held.map(each => present(each, asked)),
    )
    expect((await client.listPendingActs()).status).toBe(200)
    expect(refused).toBe(1)
  })

  it('gives up when no answer begins in time', async () => {
    const silent: typeof fetch = (_url, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
    const client = openClient({ url: service.url, timeoutMs: 20, fetch: silent })
    await expect(client.listTypes()).rejects.toThrow('no answer within 20 ms')
  })
})
