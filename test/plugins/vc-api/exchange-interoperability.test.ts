import { join } from 'node:path'
import { temporaryFolder } from '../../service.ts'
import { openAgency } from './fixture.ts'
import { exchangeWithTheirs } from './their-exchange.ts'

const folder = temporaryFolder()
let agency: Awaited<ReturnType<typeof openAgency>>

beforeAll(async () => {
  agency = await openAgency(
    { file: join(folder.path, 'agency.sqlite') },
    { now: () => Date.now(), advance: () => undefined },
  )
})
afterAll(async () => {
  await agency.close()
  folder.remove()
})

const wallets = [
  { suite: 'eddsa-rdfc-2022', curve: 'Ed25519' },
  { suite: 'ecdsa-rdfc-2019', curve: 'P-256' },
] as const

describe('an exchange with the wallet of @digitalbazaar/vc', () => {
  it.each(wallets)('takes what it presents with $suite, and offers what it verifies', wallet =>
    exchangeWithTheirs(agency, wallet),
  )
})
