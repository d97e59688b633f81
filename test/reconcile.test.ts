import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type AgencyOnChain, bringOnChain, followChain, openAgencyBase, openAgencyStore } from '../src/agency.ts'
import { runCommand } from '../src/commands/run.ts'
import { readAgencies } from '../src/config/agency.ts'
import { createLog } from '../src/http/log.ts'
import { readMasterKey } from '../src/identity/seal.ts'
import { loadCredentialTypes } from '../src/identity/types.ts'
import type { ChainWrite, RegisterTokens, Row, Store, Value } from '../src/kernel/ports.ts'
import { openDesk } from '../src/plugins/registry/actions/desk.ts'
import { type Disparity, disparities } from '../src/plugins/registry/actions/reconcile.ts'
import { repairTokens } from '../src/plugins/registry/actions/repair.ts'
import { readingOf, repairingOf, tokensOf } from '../src/registers.ts'
import { newWalletHolder } from './holder.ts'
import { officerOf } from './registry-suite.ts'
import { root, startService, temporaryFolder } from './service.ts'

const folder = temporaryFolder()
const dataDir = folder.path
const agency = 'business-registry'
const register = 'professional-licences'
const files = ['root-authority', agency].map(name => join(root, 'agents', `${name}.yml`))
const clock = { now: () => Date.now() }
const stranger = randomUUID()
const forged = '01999999-0000-7000-8000-000000000000'
const later = '01999999-0000-7000-8000-000000000001'
const past = '01999999-0000-7000-8000-000000000002'
const yearMs = 31_536_000_000
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

const run = async (...options: string[]) => {
  const lines: string[] = []
  const notes: string[] = []
  const code = await runCommand(['reconcile', agency, ...options], {
    ...{ env: { DATA_DIR: dataDir }, agentsFolder: join(root, 'agents'), clock },
    out: text => lines.push(text),
    note: text => notes.push(text),
  })
  return { code, lines, notes: notes.join('\n') }
}

/** The agency on its chain, as a command has it. */
const opened = async <T>(work: (agency: AgencyOnChain) => Promise<T>): Promise<T> => {
  const [config] = readAgencies([join(root, 'agents', `${agency}.yml`)])
  if (config === undefined) throw new Error('no such agency')
  const masterKey = readMasterKey({ value: undefined, file: undefined, demoDirectory: dataDir, production: false })
  const settings = { dataDir, databaseUrl: undefined, masterKey, clock, publicUrl: 'http://localhost:3000/x' }
  const base = await openAgencyBase(config, settings)
  const log = createLog({ level: 'silent' })
  const chain = await followChain({
    ...{ dataDir, clock, rpcUrls: [], production: false, contractsFile: undefined, rootAccount: undefined, log },
  })
  const onChain = bringOnChain(base, chain, log)
  try {
    return await work(onChain)
  } finally {
    await onChain.outbox.close()
    await chain.close()
    await base.store.close()
    await base.keys.close()
  }
}

/** Transactions of the registrar that no act of the register asked for. @returns what became of them together. */
const plant = (write: (tokens: RegisterTokens) => ChainWrite[]): Promise<string | undefined> =>
  opened(async ({ store, outbox, ...rest }) => {
    const id = await store.transaction(tx => outbox.enqueue(tx, write(tokensOf(rest))))
    await outbox.poke()
    expect(await outbox.settled(30_000)).toBe(true)
    return (await outbox.state(id))?.state
  })

const withStore = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
  const store = await openAgencyStore(agency, { dataDir, databaseUrl: undefined })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** An entry that the register has, and of which the chain was never told. */
const enter = (changed: Row & { id: string }): Promise<void> =>
  withStore(store =>
    store.transaction(async tx => {
      const [row] = await tx.query('SELECT * FROM registry_entries WHERE id = ?', [entries[0] ?? ''])
      tx.insert('registry_entries', [{ ...row, ...changed }])
    }),
  )

const queuedEver = (): Promise<number> =>
  withStore(async store => Number((await store.read('SELECT count(*) AS n FROM outbox'))[0]?.['n']))

const shortened = (lines: readonly string[]): Set<string> =>
  new Set(lines.map(each => each.replaceAll(/0x[0-9a-f]{64}/g, '0x…')))

describe('reconcile', () => {
  it('finds that register and chain agree, whatever has become of the entries', async () => {
    const { code, lines, notes } = await run()
    expect({ code, lines }).toEqual({ code: 0, lines: [] })
    expect(notes).toMatch(/professional-licences is compared at block \d+/)
    expect(notes).toMatch(/register and chain agree/)
  }, 60_000)

  it('reports every fact that somebody changed on chain behind the register’s back', async () => {
    const [first = '', second = ''] = entries
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
    await enter({ id: forged, number: 'PL-FORGED' })
    const { code, lines } = await run()
    expect(code).toBe(1)
    expect(lines).toContain(`${register} ${forged} missing: register PL-FORGED, chain no token`)
  }, 60_000)
})

/** After what was planted above: a suspended token, a false commitment, a stranger's token, and an entry without one. */
describe('reconcile --repair', () => {
  it('refuses an option that reconcile does not have', async () => {
    const { code, notes } = await run('--scopes', 'a')
    expect(code).toBe(1)
    expect(notes).toMatch(/reconcile has no --scopes/)
  })

  it('needs no token for an entry that was over before it had one', async () => {
    await enter({ id: past, number: 'PL-PAST', valid_until: Date.now() - 60_000 })
    const { lines, notes } = await run()
    expect(lines.filter(each => each.includes(past))).toEqual([])
    expect(notes).toMatch(/professional-licences: 1 entries were over before they had a token, and need none/)
  }, 60_000)

  it('queues what brings the chain to what the register says, also where a write had failed', async () => {
    const [first = '', second = '', third = '', fourth = ''] = entries
    const until = Date.now() + 2 * yearMs
    const commitment = `0x${'ef'.repeat(32)}`
    await enter({ id: later, number: 'PL-LATER', valid_until: until, commitment })
    const elsewhere = `0x${'11'.repeat(20)}`
    await plant(({ licences }) => [
      ...licences.mint(register, [{ entryId: later, holder: null, commitment, expires: until - yearMs }]),
      ...licences.reinstate(register, [third]),
      ...licences.replaceWallet(register, { entryId: second, from: null, to: elsewhere, reason: randomUUID() }),
    ])
    const taken = { entryId: forged, holder: null, commitment, expires: Date.now() - yearMs }
    expect(await plant(({ licences }) => licences.mint(register, [taken]))).toBe('failed')
    const { code, lines, notes } = await run('--repair')
    const day = (at: number) => `${new Date(Math.floor(at / 1_000) * 1_000).toISOString()}`
    expect(shortened(lines)).toEqual(
      new Set([
        `${register} ${first} state: register active, chain suspended; queued`,
        `${register} ${second} commitment: register 0x…, chain 0x…; queued`,
        `${register} ${second} owner: register the registrar, chain ${elsewhere}; queued`,
        `${register} ${third} state: register suspended, chain active; queued`,
        `${register} ${later} expiry: register ${day(until)}, chain ${day(until - yearMs)}; queued`,
        `${register} ${forged} missing: register PL-FORGED, chain no token; queued`,
        `${register} ${stranger} extra: register no entry, chain 0x…; not repaired: nothing that the register may write mends it`,
      ]),
    )
    expect(lines.join()).not.toContain(fourth)
    expect(code).toBe(1)
    expect(notes).toMatch(/5 entries are queued for the chain, 0 wait for it already/)
    expect(notes).toMatch(/Register and chain differ in 1 facts/)
  }, 120_000)

  it('leaves register and chain agreed once the service has run, and queues nothing a second time', async () => {
    await enter({ id: stranger, number: 'PL-STRANGER', commitment: `0x${'cd'.repeat(32)}`, valid_until: null })
    await (await startService({ dataDir, agencies: files })).stop()
    const before = await queuedEver()
    const again = await run('--repair')
    expect({ code: again.code, lines: again.lines }).toEqual({ code: 0, lines: [] })
    expect(again.notes).toMatch(/register and chain agree/)
    expect(await queuedEver()).toBe(before)
    const { code, lines } = await run()
    expect({ code, lines }).toEqual({ code: 0, lines: [] })
  }, 120_000)

  it('leaves alone what still waits for the chain, and what the register changed meanwhile', async () => {
    const [first = '', second = ''] = entries
    const wrong = `0x${'ab'.repeat(32)}`
    await plant(({ licences }) =>
      licences.amend(
        register,
        [first, second].map(entryId => ({ entryId, commitment: wrong })),
      ),
    )
    await opened(async on => {
      const { store, outbox, chain } = on
      const lease = `outbox:${chain.client.chain}:${outbox.account}`
      const held = (holder: string, expires: number) =>
        store.transaction(tx =>
          tx.query('UPDATE leases SET holder = ?, expires = ?, epoch = epoch + 1 WHERE name = ? RETURNING name', [
            ...[holder, expires, lease],
          ]),
        )
      // Another process is the one that sends, and it does not come to it.
      expect(await held('elsewhere', Date.now() + 600_000)).toHaveLength(1)
      const registry = openDesk(readingOf(on, loadCredentialTypes(join(root, 'schemas'))))
      const needs = repairingOf(on)
      const began = Date.now()
      const nothing = await needs.waiting(store.read, began)
      const found: Disparity[] = []
      const compared = await disparities(registry, registry.register(register), began)
      for await (const each of compared?.disparities ?? []) if (each.entryId !== past) found.push(each)
      expect(new Set(found.map(({ entryId }) => entryId))).toEqual(new Set([first, second]))
      const repaired = async (all: Disparity[], waiting = nothing) => {
        const outcomes = await repairTokens(registry, needs, { found: all, began, waiting })
        return outcomes.map(({ outcome }) => outcome)
      }
      const rows = async () => Number((await store.read('SELECT count(*) AS n FROM outbox'))[0]?.['n'])
      const before = await rows()
      const stale = found.map(each => ({ ...each, entry: each.entry && { ...each.entry, version: 99 } })) as Disparity[]
      expect(await repaired(stale)).toEqual(['changed', 'changed'])
      expect(await rows()).toBe(before)
      expect(await repaired(found.slice(0, 1))).toEqual(['queued'])
      expect(await rows()).toBe(before + 1)
      // Whether it looked before the other had queued anything, or after.
      expect(await repaired(found.slice(0, 1))).toEqual(['waiting'])
      expect(await repaired(found, await needs.waiting(store.read, began))).toEqual(['waiting', 'queued'])
      expect(await rows()).toBe(before + 2)
      await held('', 0)
    })
    const { code, lines } = await run()
    expect({ code, lines }).toEqual({ code: 0, lines: [] })
  }, 120_000)

  it('leaves an end on chain that is later than the register’s, until the entry has lapsed by itself', async () => {
    const longer = '01999999-0000-7000-8000-000000000003'
    const [commitment, expires] = [`0x${'aa'.repeat(32)}`, Date.now() + 2 * yearMs]
    await enter({ id: longer, number: 'PL-LONGER', valid_until: expires - yearMs, commitment })
    await plant(({ licences }) => licences.mint(register, [{ entryId: longer, holder: null, commitment, expires }]))
    const before = await queuedEver()
    const { code, lines } = await run('--repair')
    expect(code).toBe(1)
    expect(lines).toEqual([expect.stringMatching(/0003 expiry: .*; not repaired: nothing that the register may write/)])
    expect(await queuedEver()).toBe(before)
    const sql = "UPDATE registry_entries SET state = 'lapsed', valid_until = ? WHERE id = ? RETURNING id"
    await withStore(store => store.transaction(tx => tx.query(sql, [expires + yearMs, longer])))
    const after = await run()
    expect({ code: after.code, lines: after.lines }).toEqual({ code: 0, lines: [] })
  }, 60_000)

  it('leaves evidence of every repair, with a digest for every entry that it names', async () => {
    const records = await withStore(store => store.read<{ record: string }>('SELECT record FROM journal_details'))
    const repairs = records
      .map(({ record }) => JSON.parse(record) as Record<string, unknown>)
      .filter(({ operation }) => operation === 'repairTokens')
    expect(JSON.stringify(repairs)).toContain('shell')
    const digests = repairs.flatMap(each => JSON.stringify(each).match(/[0-9a-f]{64}/g) ?? [])
    expect(new Set(digests).size).toBeGreaterThanOrEqual(7)
  })
})

const [moved, blocked, closed, free] = [0, 1, 2, 3].map(at => `01999999-0000-7000-8000-00000000010${at}`) as [
  ...[string, string, string, string],
]
const wallet = `0x${'22'.repeat(20)}`
const elsewhere = `0x${'11'.repeat(20)}`
const order = '01999999-0000-7000-8000-000000000200'
const deed = '01999999-0000-7000-8000-000000000201'

/** Titles of the agency's own making, in registers that were not opened when their entries were made. */
describe('repairing titles', () => {
  type Given = Parameters<Parameters<typeof opened>[0]>[0]
  const names = ['plain-titles', 'free-titles'] as const

  const registryOf = (on: Given) => {
    const needs = readingOf(on, loadCredentialTypes(join(root, 'schemas')))
    const [first] = needs.registers
    if (first === undefined) throw new Error('no register')
    const plain = { ...first, name: names[0], tokens: 'title' } as const
    const open = { ...plain, name: names[1], walletTransfers: { domain: 'eur', level: 2 } }
    return openDesk({ ...needs, registers: [plain, open] })
  }

  /** @returns what was found, and what became of it. */
  const repairAll = (on: Given) => async (): Promise<string[]> => {
    const registry = registryOf(on)
    const needs = repairingOf(on)
    const began = Date.now() + 1
    const waiting = await needs.waiting(on.store.read, began)
    const found: Disparity[] = []
    for (const name of names) {
      const compared = await disparities(registry, registry.register(name), began)
      for await (const each of compared?.disparities ?? []) found.push(each)
    }
    const repaired = await repairTokens(registry, needs, { found, began, waiting })
    await on.outbox.poke()
    expect(await on.outbox.settled(30_000)).toBe(true)
    return repaired.map(({ disparity: { entryId, facts }, outcome, left }) => {
      const stays = left.facts.map(({ what }) => what)
      return `${entryId.slice(-3)} ${facts.map(({ what }) => what)} ${outcome}${stays.length > 0 ? ` but ${stays}` : ''}`
    })
  }

  const caveat = JSON.stringify({ encumbrances: [{ kind: 'caveat' }] })
  const change = (on: Given, id: string, set: string, values: Value[]) =>
    on.store.transaction(tx =>
      tx.query(`UPDATE registry_entries SET ${set} WHERE id = ? RETURNING id`, [...values, id]),
    )

  it('opens the register, makes the tokens, and freezes them under their own orders', async () => {
    const base = { valid_until: null, wallet, extract: '{}', number: 'T-1', register: names[0] }
    await enter({ ...base, id: moved })
    await enter({ ...base, id: blocked, number: 'T-2', extract: caveat })
    await enter({ ...base, id: closed, number: 'T-3' })
    await enter({ ...base, id: free, number: 'T-4', register: names[1] })
    const interest = { title: blocked, origin: order, kind: 'caveat', rank: null, party: null, legal_basis: 'x' }
    const row = { ...interest, id: order, terms: '{}', registered_at: 1, ended_at: null }
    await opened(async on => {
      await on.store.transaction(async tx => tx.insert('land_interests', [row]))
      const repair = repairAll(on)
      expect(await repair()).toEqual([
        '100 missing queued',
        '101 missing queued',
        '102 missing queued',
        '103 missing queued',
      ])
      expect(await repair()).toEqual([])
    })
  }, 60_000)

  it('moves and closes what is the register’s to move, and leaves what a holder may move', async () => {
    await opened(async on => {
      const { titles } = tokensOf(on)
      const commitment = `0x${'ab'.repeat(32)}`
      const away = (entryId: string) => ({ entryId, from: wallet, to: elsewhere, commitment })
      const planted = [
        ...titles.transfer(names[0], away(moved)),
        ...titles.unfreeze(names[0], { entryId: blocked, order }),
        ...titles.encumber(names[0], { entryId: blocked, encumbrances: 0, commitment }),
        ...titles.transfer(names[1], away(free)),
      ]
      await on.store.transaction(tx => on.outbox.enqueue(tx, planted))
      await on.outbox.poke()
      expect(await on.outbox.settled(30_000)).toBe(true)
      await change(on, closed, 'state = ?', ['closed'])
      const repair = repairAll(on)
      expect(await repair()).toEqual([
        '100 owner,commitment queued',
        '101 frozen,encumbrances,commitment queued',
        '102 owner queued',
        '103 owner,commitment queued but owner',
      ])
      expect(await repair()).toEqual(['103 owner left but owner'])
      await change(on, free, 'wallet = ?', [elsewhere])
      expect(await repair()).toEqual([])
    })
  }, 60_000)

  it('moves a frozen title only under the order by which the register moved it, and lifts what was lifted', async () => {
    await opened(async on => {
      const repair = repairAll(on)
      await change(on, blocked, 'wallet = NULL', [])
      expect(await repair()).toEqual(['101 owner left but owner'])
      const step = (version: number, at: Record<string, unknown>) => ({
        ...{ entry: blocked, version, record: 'r', at: version, digest: Buffer.alloc(32), step: JSON.stringify(at) },
      })
      const steps = [
        step(1, { wallet, order }),
        step(2, { wallet: null, order: deed }),
        step(3, { wallet: null, order }),
      ]
      await on.store.transaction(async tx => tx.insert('registry_history', steps))
      expect(await repair()).toEqual(['101 owner queued'])
      expect(await repair()).toEqual([])
      await on.store.transaction(tx =>
        tx.query('UPDATE land_interests SET ended_at = 2 WHERE id = ? RETURNING id', [order]),
      )
      await change(on, blocked, 'extract = ?', ['{}'])
      expect(await repair()).toEqual(['101 frozen,encumbrances queued'])
      expect(await repair()).toEqual([])
    })
  }, 60_000)
})
