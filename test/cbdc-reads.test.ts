import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { newWalletHolder, type Session, send, type WalletHolder, withdraw } from './holder.ts'
import { type Answer, exampleOf, inherited, root, type Started, startService, temporaryFolder } from './service.ts'

/** What is read of the ledger from outside: by officers, by whom a court's order lets, and by nobody else. */

const folder = temporaryFolder()
let service: Started
const bank = 'central-bank'
const url = () => `${service.url}/${bank}`
const codeOf = (answer: Answer) => [answer.status, answer.body['code']]
const dayMs = 86_400_000
const iso = (at: number): string => new Date(at).toISOString()

/** A currency of this test's own, whose accounts there are to read. */
let account = 0
let did = ''
let reader: Session

const officer = async (officerNumber: string, competences: string[]): Promise<Session> => {
  const holder = newWalletHolder(service)
  await holder.receive(bank, 'PublicOfficer', { ...exampleOf('public-officer'), officerNumber, competences })
  return holder.openSession(bank)
}

beforeAll(async () => {
  service = await startService({
    dataDir: folder.path,
    agencies: ['root-authority', bank, 'financial-regulator'].map(name => join(root, `agents/${name}.yml`)),
  })
  did = ((await send(`${url()}/did.json`, 'GET')).body['alsoKnownAs'] as unknown as [string])[0]
  const [first, second] = [await officer('CB-21', ['cbdc:policy']), await officer('CB-22', ['cbdc:policy'])]
  const policy = {
    tiers: [{ level: 1, perPaymentMinor: '10000', perDayMinor: '20000', holdingMinor: '50000' }],
    ...{ merchantsKeepMinor: '100000', keyOrderDelaySeconds: 86_400, reservationMostSeconds: 2_592_000 },
    ...{ interest: null, dormancy: null },
  }
  const body = { number: 901, code: 'XRD', decimals: 2, home: 'ledger', policy }
  const asked = await first.call('POST', '/cbdc/currencies', body)
  const approved = await second.call('POST', `/pending-acts/${asked.body['pendingAct']}/approval`, {})
  const opened = approved.body['answer'] as unknown as { body: { accounts?: { suspense: number }; suspense?: number } }
  account = Number(opened.body.accounts?.suspense ?? opened.body.suspense)
  reader = await officer('CB-23', ['cbdc:read'])
}, 120_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

const order = async (over: Record<string, unknown> = {}) => {
  const holder: WalletHolder = newWalletHolder(service)
  const claims = {
    ...exampleOf('court-order'),
    ...{ ledger: did, accountNumber: account, from: iso(Date.now() - dayMs), until: iso(Date.now() + dayMs) },
    ...over,
  }
  const held = await holder.receive('financial-regulator', 'CourtOrder', claims)
  return { holder, held }
}

const request = (over: Record<string, unknown> = {}) => ({
  ...{ account, from: iso(Date.now() - dayMs / 2), until: iso(Date.now() + dayMs / 2) },
  ...over,
})

const disclose = async (holder: WalletHolder, body: Record<string, unknown>): Promise<Answer> =>
  send(`${url()}/cbdc/disclosures`, 'POST', await holder.oneShot(bank, 'discloseAccount', {}, body))

describe('reading the ledger', () => {
  it('is for officers with the competence; everybody reads batches', async () => {
    const path = `/cbdc/views/officer/accounts/${account}`
    const read = await reader.call('GET', path)
    expect(read).toMatchObject({ status: 200, body: { account, currency: 901, class: 'suspense', balanceMinor: '0' } })
    expect((await reader.call('GET', `${path}/entries`)).body['items']).toMatchObject([{ kind: 'open', side: 'alone' }])
    const at = encodeURIComponent(iso(Date.now()))
    expect((await reader.call('GET', `${path}/balance?at=${at}`)).body).toMatchObject({ balanceMinor: '0' })
    const other = await officer('CB-24', ['cbdc:issue'])
    expect(codeOf(await other.call('GET', path))).toEqual([403, 'claims_insufficient'])
    for (const view of ['officer', 'customer', 'institution']) {
      const answer = await send(`${url()}/cbdc/views/${view}/accounts/${account}`, 'GET')
      expect([view, ...codeOf(answer)]).toEqual([view, 401, 'unauthenticated'])
    }
    expect((await send(`${url()}/cbdc/views/friend/accounts/${account}`, 'GET')).status).toBeGreaterThanOrEqual(400)
    expect((await send(`${url()}/cbdc/batches/1`, 'GET')).body).toMatchObject({ number: 1, firstEntry: 1 })
    expect(codeOf(await send(`${url()}/cbdc/batches/99999`, 'GET'))).toEqual([404, 'batch_unknown'])
  })

  it('is open to a court’s order, for its account and period alone, once a presentation', async () => {
    const { holder } = await order()
    const body = await holder.oneShot(bank, 'discloseAccount', {}, request())
    const disclosed = await send(`${url()}/cbdc/disclosures`, 'POST', body)
    expect(disclosed).toMatchObject({ status: 200, body: { account, openingMinor: '0', items: [{ kind: 'open' }] } })
    const again = await send(`${url()}/cbdc/disclosures`, 'POST', body)
    expect([again.status >= 400, again.body['items']]).toEqual([true, undefined])
    expect(codeOf(await disclose(holder, request({ account: account - 1 })))).toEqual([403, 'order_account'])
    const early = request({ from: iso(Date.now() - 2 * dayMs) })
    expect(codeOf(await disclose(holder, early))).toEqual([403, 'order_period'])
    const elsewhere = await order({ ledger: 'did:ethr:0x7a69:0x00000000000000000000000000000000000000dd' })
    expect(codeOf(await disclose(elsewhere.holder, request()))).toEqual([403, 'order_ledger'])
    const session = await holder.openSession(bank)
    expect(codeOf(await session.call('POST', '/cbdc/disclosures', request()))).toEqual([401, 'presentation_needed'])
  })

  it('ends with the order: one that was revoked discloses nothing', async () => {
    const { holder, held } = await order()
    expect((await disclose(holder, request())).status).toBe(200)
    await withdraw(service, held)
    expect(codeOf(await disclose(holder, request()))).toEqual([403, 'credential_revoked'])
  })

  it('is put to the proof from a shell: the ledger is what its entries make it', async () => {
    await service.stop()
    const run = spawnSync(process.execPath, ['src/commands.ts', 'reconcile', bank], {
      cwd: root,
      encoding: 'utf8',
      env: { ...inherited(), DATA_DIR: folder.path },
    })
    const { status, stdout, stderr } = run
    expect({ status, stdout, stderr }).toMatchObject({ status: 0, stdout: '' })
    expect(stderr).toContain('the ledger is what its entries make it')
    expect(stderr).toContain('XRD: issued 0 = 0 on the ledger + 0 on the chain + 0 in transit')
  }, 60_000)
})
