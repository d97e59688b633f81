import { spawn } from 'node:child_process'
import { createPrivateKey, type JsonWebKey } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgencyOnChain } from '../src/agency.ts'
import { demoNation } from '../src/demo/economy.ts'
import { firstPayments, issuedToBankMinor, names, people as planned, policy, standing } from '../src/demo/plan.ts'
import { runTerminal } from '../src/demo/terminal.ts'
import { canonical } from '../src/kernel/canonical.ts'
import { bind, dpopFetch, type Key, type Session, send, sha256, tryOpenSession } from './holder.ts'
import { stopPostgres, withPostgres } from './postgres.ts'
import { inherited, killNode, root, type Started, startService, temporaryFolder } from './service.ts'

type Person = {
  name: string
  kind: string
  agency: string
  level: number
  did: string
  key: JsonWebKey
  credential: string
  account: number
}
type Economy = { begun: string; funded: boolean; people: Person[] }

const fileIn = (dataDir: string) => join(dataDir, 'demo', 'economy.json')
const read = (dataDir: string): Economy => JSON.parse(readFileSync(fileIn(dataDir), 'utf8')) as Economy

const keyOf = ({ did, key }: Person): Key => {
  const { crv, kty, x, y } = key
  const jwk = { crv, kty, x, y }
  const privateKey = createPrivateKey({ key, format: 'jwk' })
  return { did, kid: `${did}#0`, jwk, thumbprint: sha256(canonical(jwk)), privateKey }
}

/** As a tour of the demo does: with the key and the credential that stand in the file. */
const sessionOf = async (service: Started, person: Person): Promise<Session> => {
  const url = `${service.url}/${names.centralBank}`
  const { answer, key } = await tryOpenSession(url, to => bind(person.credential, to, keyOf(person)))
  expect(answer.status).toBe(201)
  return dpopFetch(url, String(answer.body['access_token']), key, answer.headers.get('dpop-nonce') ?? undefined)
}

type Shown = { balance: bigint; class: string; linked: number; servicer: number; level: number }

const readAccount = async (session: Session, reader: string, account: number): Promise<Shown> => {
  const { status, body } = await session.call('GET', `/cbdc/views/${reader}/accounts/${account}`)
  expect(status).toBe(200)
  const { balanceMinor, linked, servicer, level, ...rest } = body as Record<string, unknown>
  const balance = BigInt(String(balanceMinor))
  return {
    balance,
    class: String(rest['class']),
    linked: Number(linked),
    servicer: Number(servicer),
    level: Number(level),
  }
}

const ledgerOf = async (service: Started) => {
  const of = async (path: string) =>
    (await send(`${service.url}/${names.centralBank}/cbdc${path}`, 'GET')).body['items'] as unknown as Record<
      string,
      unknown
    >[]
  return { currencies: await of('/currencies'), participants: await of('/currencies/1/participants') }
}

/** Balances of every account there is, by number. */
const balances = async (service: Started): Promise<bigint[]> => {
  const { people } = read(service.dataDir)
  const session = await sessionOf(service, people.find(({ kind }) => kind === 'officer') as Person)
  const last = Math.max(...people.map(({ account }) => account ?? 0))
  const all: bigint[] = []
  for (let number = 1; number <= last; number++) all.push((await readAccount(session, 'officer', number)).balance)
  // Behind the last one that the file names are the own accounts of currencies that others issue, and no more.
  const own = (await ledgerOf(service)).currencies.slice(1).length * 6
  expect((await session.call('GET', `/cbdc/views/officer/accounts/${last + own + 1}`)).status).toBe(403)
  return all
}

/** What a funded economy comes to, whichever way it came about. */
const assertFunded = async (service: Started): Promise<void> => {
  expect(service.output()).toContain(standing)
  const { funded, people } = read(service.dataDir)
  expect([funded, people.map(({ name }) => name)]).toEqual([true, planned.map(({ name }) => name)])
  const { currencies, participants } = await ledgerOf(service)
  const hasIssuer = existsSync(join(service.dataDir, 'stablecoin-issuer'))
  expect(currencies.map(({ code, home }) => `${code} ${home}`)).toEqual([
    'CRD ledger',
    ...(hasIssuer ? ['HBR chain'] : []),
  ])
  expect(participants).toHaveLength(names.banks.length)
  const session = await sessionOf(service, people[0] as Person)
  const reserves = new Map<string, number>()
  for (const [at, { account }] of participants.entries()) reserves.set(names.banks[at] as string, Number(account))
  const paid = new Map<string, bigint>()
  for (const person of people.filter(({ kind }) => kind !== 'officer')) {
    const account = await readAccount(session, 'officer', person.account)
    const reserve = reserves.get(person.agency) as number
    const isMerchant = person.kind === 'merchant'
    const balance = isMerchant ? 0n : (firstPayments[person.level] as bigint)
    paid.set(person.agency, (paid.get(person.agency) ?? 0n) + balance)
    const kept = { class: isMerchant ? 'merchant' : 'person', linked: reserve, servicer: reserve, level: person.level }
    expect([person.name, account]).toEqual([person.name, { balance, ...kept }])
  }
  for (const [bank, account] of reserves) {
    const { balance } = await readAccount(session, 'officer', account)
    expect(balance).toBe(BigInt(issuedToBankMinor) - (paid.get(bank) as bigint))
  }
  const [issued, ...others] = await balances(service)
  expect(-(issued as bigint)).toBe(BigInt(issuedToBankMinor) * BigInt(names.banks.length))
  expect(others.reduce((sum, each) => sum + each, 0n)).toBe(-(issued as bigint))
}

const portOf = ({ url }: Started): number => Number(new URL(url).port)

describe('the demo economy', () => {
  const folder = temporaryFolder()
  let service: Started
  beforeAll(async () => {
    service = await startService({ dataDir: folder.path })
  }, 90_000)
  afterAll(async () => {
    await service?.stop()
    folder.remove()
  })

  it('is funded by the first start, and issued is the sum of what everybody holds', async () => {
    await assertFunded(service)
  }, 60_000)

  it('lets a citizen read their own account with the key from the file, and nobody else’s', async () => {
    const [one, other] = read(folder.path).people.filter(({ kind }) => kind === 'citizen') as [Person, Person]
    const session = await sessionOf(service, one)
    expect((await readAccount(session, 'customer', one.account)).balance).toBe(firstPayments[one.level])
    const foreign = await session.call('GET', `/cbdc/views/customer/accounts/${other.account}`)
    expect([foreign.status, foreign.body['code']]).toEqual([403, 'account_not_yours'])
  })

  it('keeps the keys where only the operator reads them, and says none of them', () => {
    expect(statSync(fileIn(folder.path)).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder.path, 'demo')).mode & 0o777).toBe(0o700)
    for (const { key } of read(folder.path).people) expect(service.output()).not.toContain(key.d)
  })

  it('pays at the terminal with a person’s own key, and says by its code what the nation refuses', async () => {
    const said: string[] = []
    const keep = (line: string) => void said.push(line)
    const run = async (...args: string[]) => {
      const terminal = {
        origin: service.url,
        dataDir: folder.path,
        clock: { now: () => Date.now() },
        out: keep,
        note: keep,
      }
      said.length = 0
      return { code: await runTerminal(args, terminal), said: said.join('\n') }
    }
    expect(await run('pay', 'citizen-04', 'merchant-02', '200.01')).toEqual({
      ...{ code: 1, said: expect.stringMatching(/^refused \(limit_per_payment\)/) },
    })
    expect(await run('pay', 'citizen-04', 'merchant-02', '500.01')).toEqual({
      ...{ code: 1, said: expect.stringMatching(/^refused \(funds_insufficient\)/) },
    })
    expect(await run('pay', 'citizen-04', 'citizen-04', '1')).toMatchObject({ code: 1 })
    for (const amount of ['0.001', '1e3', '-1', '']) {
      expect(await run('pay', 'citizen-04', 'merchant-02', amount)).toMatchObject({ code: 2 })
    }
    expect(await run('pay', 'citizen-99', 'merchant-02', '1')).toMatchObject({ code: 2 })
    expect(await run('pay', 'officer-01', 'merchant-02', '1')).toMatchObject({ code: 2 })
    expect(await run('pay', 'citizen-04')).toMatchObject({ code: 2, said: expect.stringContaining('sell-parcel') })
    expect((await run('people')).said.split('\n')).toHaveLength(24)
    const nowhere = {
      origin: 'http://127.0.0.1:1',
      dataDir: folder.path,
      clock: { now: () => 0 },
      out: keep,
      note: keep,
    }
    expect(await runTerminal(['people'], nowhere)).toBe(1)
    expect(said.at(-1)).toContain('is the nation running?')
  }, 30_000)

  it('is found by the next start as it was', async () => {
    const [before, held] = [readFileSync(fileIn(folder.path), 'utf8'), await balances(service)]
    expect(await service.stop()).toBe(0)
    service = await startService({ dataDir: folder.path, port: portOf(service) })
    expect(readFileSync(fileIn(folder.path), 'utf8')).toBe(before)
    expect(await balances(service)).toEqual(held)
    await assertFunded(service)
  }, 120_000)
})

const few = [names.root, names.centralBank, ...names.banks].map(name => `agents/${name}.yml`)

/** Starts, and kills it as soon as the file shows what is waited for. */
const killedWhen = async (dataDir: string, port: number, isReached: (economy: Economy) => boolean): Promise<void> => {
  const env = { ...inherited(), DATA_DIR: dataDir, PORT: String(port) }
  const child = spawn(process.execPath, ['src/main.ts', ...few], { cwd: root, env, stdio: 'ignore' })
  const ended = new Promise<void>(done => child.once('exit', () => done()))
  const deadline = Date.now() + 60_000
  while (!(existsSync(fileIn(dataDir)) && isReached(read(dataDir)))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('the start did not come so far')
    await new Promise(done => setTimeout(done, 2))
  }
  child.kill('SIGKILL')
  await ended
  killNode(dataDir)
}

describe('a start that is killed', () => {
  const folder = temporaryFolder()
  afterAll(() => folder.remove())

  it('goes on where it was, at whatever step it was killed', async () => {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const officersKnown = ({ people }: Economy) => people.every(({ credential }) => credential !== undefined)
    const accountsKnown = ({ people }: Economy) => people.some(({ account }) => account !== undefined)
    for (const reached of [() => true, officersKnown, accountsKnown]) {
      await killedWhen(folder.path, port, reached)
      expect(read(folder.path).funded).toBe(false)
    }
    const { people } = read(folder.path)
    const service = await startService({ dataDir: folder.path, port, agencies: few })
    try {
      await assertFunded(service)
      expect(read(folder.path).people.map(({ did, account }) => [did, account])).toEqual(
        people.map(({ did, account }) => [did, account]),
      )
    } finally {
      await service.stop()
    }
  }, 240_000)

  it('does nothing twice, where all was done and nothing of it written down', async () => {
    const before = read(folder.path)
    const forgotten = before.people.map(({ credential: _one, account: _other, ...person }) => person)
    writeFileSync(fileIn(folder.path), JSON.stringify({ ...before, funded: false, people: forgotten }))
    const service = await startService({ dataDir: folder.path, agencies: few })
    try {
      await assertFunded(service)
      expect(read(folder.path)).toEqual(before)
    } finally {
      await service.stop()
    }
  }, 90_000)

  it('leaves a ledger alone that was begun without its file', async () => {
    rmSync(join(folder.path, 'demo'), { recursive: true })
    const service = await startService({ dataDir: folder.path, agencies: few })
    try {
      expect(existsSync(fileIn(folder.path))).toBe(false)
      const { currencies, participants } = await ledgerOf(service)
      expect([currencies.length, participants.length]).toEqual([1, names.banks.length])
    } finally {
      await service.stop()
    }
  }, 90_000)
})

describe('on PostgreSQL', () => {
  afterAll(stopPostgres, 60_000)

  it('the first start funds the economy as well', async () => {
    const folder = temporaryFolder()
    const env = { DATABASE_URL: await withPostgres() }
    const service = await startService({ dataDir: folder.path, agencies: few, env })
    try {
      await assertFunded(service)
    } finally {
      await service.stop()
      folder.remove()
    }
  }, 120_000)
})

describe('without the demo nation', () => {
  it('nothing of it happens where an agency runs alone', async () => {
    const folder = temporaryFolder()
    const service = await startService({ dataDir: folder.path, agencies: ['agents/central-bank.yml'] })
    try {
      expect(service.output()).not.toContain('demo economy')
      expect(existsSync(join(folder.path, 'demo'))).toBe(false)
      expect((await ledgerOf(service)).currencies).toEqual([])
    } finally {
      await service.stop()
      folder.remove()
    }
  }, 90_000)

  const agencyNamed = (name: string) =>
    ({ config: { name, currencies: [{ number: 1, code: 'CRD' }], carries: [] }, oprf: {} }) as unknown as AgencyOnChain
  const all = [names.root, names.centralBank, ...names.banks].map(agencyNamed)

  it('is the demo nation only where all of it is here, on the chain it brought along, and not in production', () => {
    const demo = { production: false, rpcUrls: [] }
    expect(demoNation(all, demo)?.banks).toHaveLength(names.banks.length)
    expect(demoNation(all, { ...demo, production: true })).toBeUndefined()
    expect(demoNation(all, { ...demo, rpcUrls: ['https://rpc.example'] })).toBeUndefined()
    for (const missing of all) {
      expect(
        demoNation(
          all.filter(each => each !== missing),
          demo,
        ),
      ).toBeUndefined()
    }
  })
})

describe('the plan', () => {
  it('pays nobody more than their tier lets them hold, and no more than is issued', () => {
    for (const bank of names.banks) {
      const citizens = planned.filter(({ kind, agency }) => kind === 'citizen' && agency === bank)
      expect(citizens).toHaveLength(10)
      expect(new Set(citizens.map(({ level }) => level))).toEqual(new Set([1, 2, 3]))
      const sum = citizens.reduce((total, { level }) => total + (firstPayments[level] as bigint), 0n)
      expect(sum).toBeLessThanOrEqual(BigInt(issuedToBankMinor))
    }
    for (const { level, holdingMinor } of policy.tiers.filter(tier => tier.level > 0)) {
      expect(firstPayments[level]).toBeLessThanOrEqual(BigInt(holdingMinor))
    }
  })

  it('knows every person by a number of their own', () => {
    expect(new Set(planned.map(({ nationalId }) => nationalId)).size).toBe(planned.length)
    expect(new Set(planned.map(({ name }) => name)).size).toBe(planned.length)
  })
})
