import { refusalOf, staffOf } from './clients.ts'
import { stopPostgres, withPostgres } from './postgres.ts'
import { killNode, licenceFor, newHolder, type Started, startService, temporaryFolder } from './service.ts'

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
    const authority = staffOf(service, 'transport-authority')
    const { verifiableCredential, credentialId } = (
      await authority.issueCredential({ body: licenceFor(newHolder().did) })
    ).body
    const verify = () => staffOf(service, 'commercial-bank').verifyCredential({ body: { verifiableCredential } })
    expect((await verify()).body.verified).toBe(true)
    const body = { credentialId, credentialStatus: { statusPurpose: 'revocation' } }
    expect((await authority.updateCredentialStatus({ query: { wait: 'mined' }, body })).status).toBe(202)
    await service.kill()
    killNode(folder.path)
    service = await start(Number(new URL(service.url).port))
    expect(await refusalOf(verify())).toMatchObject({ status: 422, problem: { verified: false } })
  }, 120_000)
})
