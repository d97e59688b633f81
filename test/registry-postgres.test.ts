import { stopPostgres, withPostgres } from './postgres.ts'
import { registrySuite } from './registry-suite.ts'
import { type Started, startService, temporaryFolder } from './service.ts'

const folder = temporaryFolder()
const agencies = ['root-authority', 'business-registry', 'land-registry'].map(name => `agents/${name}.yml`)
let service: Started

beforeAll(async () => {
  service = await startService({ dataDir: folder.path, agencies, env: { DATABASE_URL: await withPostgres() } })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  await stopPostgres()
  folder.remove()
}, 60_000)

registrySuite(() => service)
