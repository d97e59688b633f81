import { stopPostgres, withPostgres } from './postgres.ts'
import { caller, killNode, licenceFor, newHolder, type Started, startService, temporaryFolder } from './service.ts'

const folder = temporaryFolder()
const agencies = ['root-authority', 'transport-authority', 'commercial-bank'].map(name => `agents/${name}.yml`)
let service: Started

const start = async (port?: number) =>
  startService({
    dataDir: folder.path,
    agencies,
    env: { DATABASE_URL: await withPostgres() },
    ...(port === undefined ? {} : { port }),
  })

beforeAll(async () => {
  service = await start()
}, 90_000)

afterAll(async () => {
  await service?.stop()
  await stopPostgres()
  folder.remove()
}, 60_000)

describe('agencies on PostgreSQL', () => {
  it('issue, verify and revoke, and keep it through a kill of service and node', async () => {
    const issued = await caller(service, 'transport-authority')(
      'POST',
      '/credentials/issue',
      licenceFor(newHolder().did),
    )
    expect(issued.status).toBe(201)
    const credential = issued.body['verifiableCredential'] as unknown
    const verify = () =>
      caller(service, 'commercial-bank')('POST', '/credentials/verify', { verifiableCredential: credential })
    expect((await verify()).status).toBe(200)
    const revoked = await caller(service, 'transport-authority')('POST', '/credentials/status?wait=mined', {
      credentialId: issued.body['credentialId'] as unknown,
      credentialStatus: { statusPurpose: 'revocation' },
    })
    expect(revoked.status).toBe(202)
    await service.kill()
    killNode(folder.path)
    service = await start(Number(new URL(service.url).port))
    const verdict = await verify()
    expect([verdict.status, verdict.body['verified']]).toEqual([422, false])
  }, 120_000)
})
