import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { bringOnChain, followChain, openAgencyBase, openAgencyStore } from '../src/agency.ts'
import { runCommand } from '../src/commands/run.ts'
import { readAgencies } from '../src/config.ts'
import { createLog } from '../src/http/log.ts'
import { readMasterKey } from '../src/identity/seal.ts'
import type { ChainWrite, RegisterTokens } from '../src/kernel/ports.ts'
import { tokensOf } from '../src/registers.ts'
import { newWalletHolder } from './holder.ts'
import { officerOf } from './registry-suite.ts'
import { root, startService, temporaryFolder } from './service.ts'

const folder = temporaryFolder()
const dataDir = folder.path
const agency = 'business-registry'
const register = 'professional-licences'
const files = ['root-authority', agency].map(name => join(root, 'agents', `${name}.yml`))
const clock = { now: () => Date.now() }
const numbers: string[] = []
let entries: string[] = []

const line = (at: number) => ({
  ...{ holder: newWalletHolder({ url: '', dataDir }).did, legalBasis: 'Notaries Act, s. 90' },
  fields: {
    ...{ familyName: `Family${at}`, givenName: 'Given', profession: 'notary', scopeOfPractice: ['conveyancing'] },
    ...{ professionalBody: { name: 'Chamber of Notaries' }, admittedOn: '2020-01-01' },
  },
})

beforeAll(async () => {
  const service = await startService({ dataDir, agencies: files })
  const { session } = await officerOf(service)
  const text = `${[0, 1, 2, 3].map(at => JSON.stringify(line(at))).join('\n')}\n`
  const answer = await session.call('POST', `/registry/registers/${register}/grants`, text)
  const answers = String(answer.body['text']).trim().split('\n')
  const granted = answers.map(each => JSON.parse(each) as { entry: string; number: string })
  entries = granted.map(({ entry }) => entry)
  numbers.push(...granted.map(({ number }) => number))
  const cause = { legalBasis: 'Notaries Act, s. 40', reason: 'Inquiry' }
  const path = (at: number) => `/registry/registers/${register}/entries/${entries[at]}`
  for (const [at, what] of [
    [2, 'suspension'],
    [3, 'revocation'],
  ] as const) {
    expect((await session.call('POST', `${path(at)}/${what}`, cause)).status).toBe(200)
  }
  await service.stop()
}, 120_000)

afterAll(() => folder.remove())

const run = async () => {
  const lines: string[] = []
  const notes: string[] = []
  const code = await runCommand(['reconcile', agency], {
    ...{ env: { DATA_DIR: dataDir }, agentsFolder: join(root, 'agents'), clock },
    out: text => lines.push(text),
    note: text => notes.push(text),
  })
  return { code, lines, notes: notes.join('\n') }
}

/** A transaction of the registrar that no act of the register asked for. */
const plant = async (write: (tokens: RegisterTokens) => ChainWrite[]): Promise<void> => {
  const [config] = readAgencies([join(root, 'agents', `${agency}.yml`)])
  if (config === undefined) throw new Error('no such agency')
  const masterKey = readMasterKey({ value: undefined, file: undefined, demoDirectory: dataDir, production: false })
  const settings = { dataDir, databaseUrl: undefined, masterKey, clock, publicUrl: 'http://localhost:3000/x' }
  const base = await openAgencyBase(config, settings)
  const log = createLog({ level: 'silent' })
  const chain = await followChain({
    ...{ dataDir, clock, rpcUrls: [], production: false, contractsFile: undefined, rootAccount: undefined, log },
  })
  const opened = bringOnChain(base, chain, log)
  try {
    await base.store.transaction(tx => opened.outbox.enqueue(tx, write(tokensOf(opened))))
    await opened.outbox.poke()
    expect(await opened.outbox.settled(30_000)).toBe(true)
  } finally {
    await opened.outbox.close()
    await chain.close()
    await base.store.close()
    await base.keys.close()
  }
}

describe('reconcile', () => {
  it('finds that register and chain agree, whatever has become of the entries', async () => {
    const { code, lines, notes } = await run()
    expect({ code, lines }).toEqual({ code: 0, lines: [] })
    expect(notes).toMatch(/professional-licences is compared at block \d+/)
    expect(notes).toMatch(/register and chain agree/)
  }, 60_000)

  it('reports every fact that somebody changed on chain behind the register’s back', async () => {
    const [first = '', second = ''] = entries
    const stranger = randomUUID()
    await plant(({ licences }) => [
      ...licences.suspend(register, [first]),
      ...licences.amend(register, [{ entryId: second, commitment: `0x${'ab'.repeat(32)}` }]),
      ...licences.mint(register, [
        { entryId: stranger, holder: null, commitment: `0x${'cd'.repeat(32)}`, expires: null },
      ]),
    ])
    const { code, lines, notes } = await run()
    expect(code).toBe(1)
    const shown = lines.map(each => each.replace(/register 0x[0-9a-f]{64}/, 'register 0x…'))
    expect(new Set(shown)).toEqual(
      new Set([
        `${register} ${first} state: register active, chain suspended`,
        `${register} ${second} commitment: register 0x…, chain 0x${'ab'.repeat(32)}`,
        `${register} ${stranger} extra: register no entry, chain 0x${'cd'.repeat(32)}`,
      ]),
    )
    expect(notes).toMatch(/refused \(registers_differ\): Register and chain differ in 3 facts/)
  }, 90_000)

  it('reports an entry that never got its token', async () => {
    const store = await openAgencyStore(agency, { dataDir, databaseUrl: undefined })
    const id = '01999999-0000-7000-8000-000000000000'
    await store.transaction(async tx => {
      const [row] = await tx.query('SELECT * FROM registry_entries WHERE id = ?', [entries[0] ?? ''])
      tx.insert('registry_entries', [{ ...row, id, number: 'PL-FORGED' }])
    })
    await store.close()
    const { code, lines } = await run()
    expect(code).toBe(1)
    expect(lines).toContain(`${register} ${id} missing: register PL-FORGED, chain no token`)
  }, 60_000)
})
