import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { stopPostgres, withPostgres } from '../../../postgres.ts'
import { expectFolded } from '../folded.ts'
import { type Ground, onBothLedgers, openGround, own, type Place, secp256k1Owner } from '../ground.ts'

type Answer = { id: string; record: string; number: number; balance: string }
type Spender = { number: number; seed: number }
type Work = { place: Place; spenders: Spender[]; shared: { id: string; record: string }[]; rounds: number }

const children: ChildProcess[] = []
const grounds: Ground[] = []
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const ground of grounds.splice(0)) await ground.close()
})

/** Starts a process of the ledger. @param answers after which it is killed; undefined: it ends by itself. */
const run = async (work: Work, answers?: number): Promise<Answer[]> => {
  const script = join(import.meta.dirname, 'spender.ts')
  const child = spawn(process.execPath, ['--no-warnings', script, JSON.stringify(work)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let [said, wrong] = ['', '']
  child.stderr.on('data', chunk => {
    wrong += chunk
  })
  child.stdout.on('data', chunk => {
    said += chunk
    if (answers !== undefined && said.split('\n').length > answers) child.kill('SIGKILL')
  })
  const [code, signal] = await once(child, 'close')
  if (answers === undefined ? code !== 0 : signal !== 'SIGKILL') throw new Error(`the process ended: ${wrong}`)
  // The last line may have been cut off by the kill.
  return said
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Answer)
}

const founded = async (place: Place): Promise<Ground> => {
  const ground = await openGround(place)
  grounds.push(ground)
  ground.state.now = Date.now() - 3_000
  await ground.found()
  return ground
}
const spendersOf = async (ground: Ground, seeds: readonly number[]): Promise<Spender[]> => {
  const spenders: Spender[] = []
  for (const seed of seeds) {
    const kyc = { issuer: '0xb1', list: 1, index: 1_000 + seed, until: Date.now() + 10 ** 9 }
    const { number } = await ground.customer(secp256k1Owner(Buffer.alloc(32, seed)), { level: 3, kyc }, 10_000n)
    spenders.push({ number, seed })
  }
  return spenders
}

const numbersById = async (ground: Ground): Promise<Map<string, number>> => {
  const rows = await ground.store.read<{ number: number; id: Buffer }>(
    'SELECT number, id FROM cbdc_entries WHERE id IS NOT NULL',
  )
  return new Map(rows.map(({ number, id }) => [id.toString('hex'), number]))
}
const bare = (id: string): string => id.replaceAll('-', '')

onBothLedgers(({ place }) => {
  test('kill -9 in the middle of payments loses nothing that was answered, and leaves no half payment', async () => {
    const where = await place()
    const first = await founded(where)
    const spenders = await spendersOf(first, [21, 22, 23, 24, 25, 26, 27, 28])
    await first.close()
    grounds.splice(0)
    const answered: Answer[] = []
    for (const answers of [40, 173, 311]) {
      answered.push(...(await run({ place: where, spenders, shared: [], rounds: 0 }, answers)))
    }
    const ground = await openGround(where)
    grounds.push(ground)
    ground.state.now = Date.now()
    const { entries } = await expectFolded(ground.store)
    const numbers = await numbersById(ground)
    expect(answered.length).toBeGreaterThan(500)
    expect(answered.filter(({ id, number }) => numbers.get(bare(id)) !== number)).toEqual([])
    // Asked again, they are answered as they were.
    for (const { id, record, number, balance } of answered.slice(-20)) {
      expect(await ground.submit({ id, record })).toMatchObject([{ number, debitBalance: BigInt(balance) }])
    }
    expect((await expectFolded(ground.store)).entries.length).toBe(entries.length)
  }, 120_000)
})

describe('on one PostgreSQL', () => {
  afterAll(stopPostgres)

  test('several processes at once give one order without a gap, and one answer to one id', async () => {
    const where = { databaseUrl: await withPostgres(), schema: 'l_processes' }
    const ground = await founded(where)
    const spenders = await spendersOf(ground, [31, 32, 33, 34, 35, 36])
    const [contested] = await spendersOf(ground, [37])
    const owner = secp256k1Owner(Buffer.alloc(32, 37))
    ground.state.now = Date.now()
    const shared = Array.from({ length: 40 }, (_, nonce) =>
      ground.signed(owner, ground.transfer(contested?.number ?? 0, own.bank, 1n, { nonce })),
    )
    const works = [0, 2, 4].map(at => ({ place: where, spenders: spenders.slice(at, at + 2), shared, rounds: 60 }))
    const answers = await Promise.all(works.map(work => run(work)))
    await expectFolded(ground.store)
    const numbers = await numbersById(ground)
    const ids = new Set(shared.map(({ id }) => id))
    for (const said of answers) {
      expect(said.filter(({ id }) => ids.has(id))).toHaveLength(40)
      expect(said.filter(({ id, number }) => numbers.get(bare(id)) !== number)).toEqual([])
    }
    const [one, two, three] = answers.map(said => said.filter(({ id }) => ids.has(id)))
    expect(two).toEqual(one)
    expect(three).toEqual(one)
    expect((await ground.account(contested?.number ?? 0)).debitsPosted).toBe(40n)
    // They worked side by side: the entries of the three stand mixed in the one order.
    const lastOf = answers.map(said => Math.max(...said.map(({ number }) => number)))
    const firstOf = answers.map(said => Math.min(...said.map(({ number }) => number)))
    expect(Math.max(...firstOf)).toBeLessThan(Math.min(...lastOf))
  }, 120_000)
})
