import { registrySuite } from './registry-suite.ts'
import { type Started, startService, temporaryFolder } from './service.ts'

const folder = temporaryFolder()
let service: Started

beforeAll(async () => {
  service = await startService({ dataDir: folder.path })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

registrySuite(() => service)
