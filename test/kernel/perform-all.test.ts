import { join } from 'node:path'
import { agencyEntities, agencyMigrations } from '../../src/agency.ts'
import { anonymous, type Caller, type HolderCaller } from '../../src/kernel/gate.ts'
import { type ActRecord, type Asked, type House, type Outcome, performAll } from '../../src/kernel/perform.ts'
import type { Tx } from '../../src/kernel/ports.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import { openIdempotency } from '../../src/store/idempotency.ts'
import { type JournalDetails, journal, verifyDetails } from '../../src/store/journal.ts'
import { openStore } from '../../src/store/store.ts'
import { stopPostgres, withPostgres } from '../postgres.ts'
import { temporaryFolder } from '../service.ts'

const clerk: Caller = { kind: 'apiKey', id: 'k1', scopes: ['credentials:issue'] }
const requires = { by: 'staff', scope: 'credentials:issue' } as const
const folder = temporaryFolder()

afterAll(async () => {
  await stopPostgres()
  folder.remove()
})

describe.each(['sqlite', 'postgres'] as const)('the door for lists over %s', dialect => {
  let house: House & { store: Awaited<ReturnType<typeof openStore>> }
  beforeAll(async () => {
    const place =
      dialect === 'sqlite'
        ? { file: join(folder.path, 'a.sqlite') }
        : { databaseUrl: await withPostgres(), schema: 'lists' }
    const store = await openStore({ ...place, migrations: agencyMigrations, entities: agencyEntities })
    const clock = { now: () => 1_800_000_000_000 }
    house = { store, journal, idempotency: openIdempotency(clock), clock }
  })
  afterAll(() => house.store.close())

  const count = async (table: string) =>
    Number((await house.store.read(`SELECT count(*) AS n FROM ${table}`))[0]?.['n'])
  const counts = async () => [await count('challenges'), await count('journal'), await count('idempotency')]
  const grown = (before: number[], by: number[]) => before.map((n, at) => n + (by[at] ?? 0))
  const keep = (tx: Tx, name: string): void =>
    tx.insert('challenges', [{ digest: Buffer.from(name), expires: 1, used: null }])

  /** What an act of the list does with its own name: it keeps it, refuses, or breaks. */
  type Does = 'keeps' | 'refuses' | 'breaks'
  type Listed = { name: string; does?: Does; key?: string | undefined; input?: unknown; caller?: Caller }
  const askedOf = ({ name, key, input, caller }: Listed): Asked => ({
    ...{ operation: 'list', requires: caller?.kind === 'holder' ? ({ by: 'known' } as const) : requires },
    ...{ caller: caller ?? clerk, input: input ?? { name }, idempotencyKey: key },
  })
  const ran: string[] = []
  const performList = (list: readonly Listed[], also: (record: ActRecord) => void = () => {}) =>
    performAll<string>(house, list.map(askedOf), async (tx, run) => {
      await run(async (at, record) => {
        const { name, does } = list[at] as Listed
        ran.push(name)
        if (does === 'refuses') throw new Refusal('rejected', 'no', 'No.')
        if (does === 'breaks') throw new TypeError(`${name} is defective`)
        keep(tx, name)
        also(record)
        return `${name} done`
      })
    })
  const told = (outcomes: readonly Outcome<string>[]): string[] =>
    outcomes.map(outcome => (outcome.done ? outcome.output : outcome.refusal.code))

  type Kept = { commitment: Buffer; salt: Buffer; record: string }
  const journalled = async (id: string): Promise<JournalDetails> => {
    const sql =
      'SELECT j.commitment, d.salt, d.record FROM journal j JOIN journal_details d ON d.id = j.id WHERE j.id = ?'
    const [row] = await house.store.read<Kept>(sql, [id])
    if (row === undefined) throw new Error(`${id} is not in the journal`)
    const details = JSON.parse(row.record) as JournalDetails
    expect(verifyDetails(row.commitment, row.salt, details)).toBe(true)
    return details
  }

  it('gives each act its outcome in order, and each that was done one record', async () => {
    const before = await counts()
    const list: Listed[] = [{ name: 'a1', key: 'a1' }, { name: 'a2', does: 'refuses', key: 'a2' }, { name: 'a3' }]
    expect(told(await performList(list))).toEqual(['a1 done', 'no', 'a3 done'])
    expect(await counts()).toEqual(grown(before, [2, 2, 1]))
  })

  it('is nothing when it is empty', async () => {
    const before = await counts()
    expect(await performList([])).toEqual([])
    expect(await counts()).toEqual(before)
  })

  it('recalls what was answered before, and does not act again', async () => {
    await performList([{ name: 'b1', key: 'b' }])
    const before = await counts()
    ran.length = 0
    expect(told(await performList([{ name: 'b1', key: 'b' }, { name: 'b2' }]))).toEqual(['b1 done', 'b2 done'])
    expect(ran).toEqual(['b2'])
    expect(await counts()).toEqual(grown(before, [1, 1, 0]))
  })

  it('refuses a key that was used with another input, alone', async () => {
    await performList([{ name: 'c1', key: 'c' }])
    expect(told(await performList([{ name: 'c2', key: 'c' }, { name: 'c3' }]))).toEqual([
      'idempotency_mismatch',
      'c3 done',
    ])
  })

  it('acts once for twins in one list, and refuses one of another input', async () => {
    const before = await counts()
    ran.length = 0
    const list = [
      { name: 'd', key: 'd' },
      { name: 'd', key: 'd' },
      { name: 'd other', key: 'd' },
    ]
    expect(told(await performList(list))).toEqual(['d done', 'd done', 'idempotency_mismatch'])
    expect(ran).toEqual(['d'])
    expect(await counts()).toEqual(grown(before, [1, 1, 1]))
  })

  it('lets the twin of a refused act try for itself', async () => {
    ran.length = 0
    const list: Listed[] = [
      { name: 'e', key: 'e', does: 'refuses' },
      { name: 'e', key: 'e' },
    ]
    expect(told(await performList(list))).toEqual(['no', 'e done'])
    expect(ran).toEqual(['e', 'e'])
    expect(told(await performList([{ name: 'e', key: 'e' }]))).toEqual(['e done'])
    expect(ran).toEqual(['e', 'e'])
  })

  it('acts once when two lists with one key come at once', async () => {
    const before = await counts()
    const both = await Promise.all([performList([{ name: 'f', key: 'f' }]), performList([{ name: 'f', key: 'f' }])])
    expect(both.map(told)).toEqual([['f done'], ['f done']])
    expect(await counts()).toEqual(grown(before, [1, 1, 1]))
  })

  it('keeps nothing at all when one act breaks: who asked may try the others without it', async () => {
    const before = await counts()
    const list: Listed[] = [{ name: 'g1', key: 'g1' }, { name: 'g2', does: 'breaks' }, { name: 'g3' }]
    await expect(performList(list)).rejects.toThrow('g2 is defective')
    expect(await counts()).toEqual(before)
    const apart = await Promise.allSettled(list.map(each => performList([each])))
    expect(apart.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await counts()).toEqual(grown(before, [2, 2, 1]))
  })

  it('lets nobody in who is not admitted, and nobody else of that list', async () => {
    const before = await counts()
    ran.length = 0
    await expect(performList([{ name: 'h1' }, { name: 'h2', caller: anonymous }])).rejects.toMatchObject({
      kind: 'unauthenticated',
    })
    expect(ran).toEqual([])
    expect(await counts()).toEqual(before)
  })

  const holder = (proof: string): HolderCaller => ({
    ...{ kind: 'holder', id: 'did:key:z6Mk', actor: 'did:key:z6Mk', principal: 'did:key:z6Mk', mandates: [] },
    ...{ proof: 'presentation', matched: {}, credentials: [] },
    spend: async tx => {
      const sql =
        'INSERT INTO challenges (digest, expires, used) VALUES (?, 1, 1) ON CONFLICT DO NOTHING RETURNING used'
      const rows = await tx.query(sql, [Buffer.from(proof)])
      if (rows.length === 0) throw new Refusal('conflict', 'proof_used', 'The proof was used before.')
    },
  })

  it('uses each proof up once: for a refused act too, and not for an answer recalled', async () => {
    const list: Listed[] = [
      { name: 'i1', caller: holder('proof 1'), key: 'i1' },
      { name: 'i2', caller: holder('proof 1') },
      { name: 'i3', caller: holder('proof 3'), does: 'refuses' },
    ]
    expect(told(await performList(list))).toEqual(['i1 done', 'proof_used', 'no'])
    const again: Listed[] = [
      { name: 'i1', caller: holder('proof 1'), key: 'i1' },
      { name: 'i4', caller: holder('proof 3') },
    ]
    expect(told(await performList(again))).toEqual(['i1 done', 'proof_used'])
  })

  it('commits each record to the effects and rules of its own act, in order, each rule once and refusals above all', async () => {
    const ids: string[] = []
    const [passed, refused] = (['passed', 'refused'] as const).map(outcome => ({ id: 'r1', version: 1, outcome }))
    await performList([{ name: 'j1' }, { name: 'j2' }], record => {
      ids.push(record.id)
      record.effect(Buffer.alloc(32, ids.length))
      record.effect(Buffer.alloc(32, 9))
      if (passed === undefined || refused === undefined) return
      record.judged(passed)
      if (ids.length === 1) record.judged(refused)
      record.judged(passed)
    })
    const details = await Promise.all(ids.map(journalled))
    const hex = (byte: number): string => Buffer.alloc(32, byte).toString('hex')
    expect(details.map(({ effects }) => effects)).toEqual([
      [hex(1), hex(9)],
      [hex(2), hex(9)],
    ])
    expect(details.map(({ rules }) => rules)).toEqual([[refused], [passed]])
  })

  it('takes effects that are known only when all acts have run', async () => {
    const ids: string[] = []
    await performAll<string>(house, [askedOf({ name: 'k1' }), askedOf({ name: 'k2' })], async (_tx, run) => {
      const records: ActRecord[] = []
      await run(async (at, record) => {
        if (at === 1) throw new Refusal('rejected', 'no', 'No.')
        records.push(record)
        ids.push(record.id)
        return 'done'
      })
      for (const record of records) record.effect(Buffer.alloc(32, 5))
    })
    const details = await Promise.all(ids.map(journalled))
    expect(details.map(({ effects }) => effects)).toEqual([[Buffer.alloc(32, 5).toString('hex')]])
  })
})
