import { join } from 'node:path'
import { newWalletHolder, send } from './holder.ts'
import { type Answer, exampleOf, root, type Started, startService, temporaryFolder } from './service.ts'

/** Payment versus payment and locks across the rails, at a service over its own node. */

const folder = temporaryFolder()
let service: Started
const bank = 'central-bank'
const url = () => `${service.url}/${bank}`
const codeOf = (answer: Answer) => [answer.status, answer.body['code']]
const id = '0196d8a0-0000-7000-8000-000000000000'

beforeAll(async () => {
  service = await startService({
    dataDir: folder.path,
    agencies: ['root-authority', bank].map(name => join(root, `agents/${name}.yml`)),
  })
}, 120_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

test('anyone reads how far apart two legs expire, as the contract on the chain has it', async () => {
  const answer = await send(`${url()}/cbdc/lock-terms`, 'GET')
  expect(answer.status).toBe(200)
  expect(answer.body).toMatchObject({ marginSeconds: 3_600, settlement: expect.stringMatching(/^0x[0-9a-f]{40}$/) })
  expect(Number(answer.body['finalitySeconds'])).toBeGreaterThan(0)
})

test('exchanges and reservations are for their parties alone', async () => {
  for (const party of ['customer', 'institution']) {
    const [status] = codeOf(await send(`${url()}/cbdc/exchanges/${party}/${id}`, 'GET'))
    expect(status).toBe(401)
  }
  expect(codeOf(await send(`${url()}/cbdc/exchanges/anyone/${id}`, 'GET'))).toEqual([404, 'case_unknown'])
  const holder = newWalletHolder(service)
  await holder.receive(bank, 'PublicOfficer', { ...exampleOf('public-officer'), competences: ['cbdc:read'] })
  const officer = await holder.openSession(bank)
  expect(codeOf(await officer.call('GET', `/cbdc/exchanges/customer/${id}`))).toEqual([403, 'credential_missing'])
  const zero = `0x${'0'.repeat(40)}`
  const lock = {
    ...{ payer: zero, payee: zero, arbiter: zero, money: zero, amountMinor: '1', expiry: 1, hashLock: '0'.repeat(64) },
    ...{ delivery: zero, deliveryId: '0', otherExpiry: 0, second: false, salt: '0'.repeat(64) },
  }
  const path = '/cbdc/views/officer/reservations/999/lock'
  const asked = { lock, first: 'chain', ledgerAmountMinor: '1' }
  expect(codeOf(await officer.call('POST', path, asked))).toEqual([404, 'reservation_not_yours'])
  for (const wrong of [
    { expiry: 1.5 },
    { amountMinor: '1e3' },
    { amountMinor: '-1' },
    { payer: '0x12' },
    { hashLock: 'A'.repeat(64) },
  ]) {
    const answer = await officer.call('POST', path, { ...asked, lock: { ...lock, ...wrong } })
    expect(answer.status).toBe(400)
  }
})
