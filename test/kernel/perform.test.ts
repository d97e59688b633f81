import { join } from 'node:path'
import { agencyEntities, agencyMigrations } from '../../src/agency.ts'
import { disclose } from '../../src/kernel/disclose.ts'
import { anonymous, type Caller } from '../../src/kernel/gate.ts'
import { type House, perform } from '../../src/kernel/perform.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import { openIdempotency } from '../../src/store/idempotency.ts'
import { journal } from '../../src/store/journal.ts'
import { openStore } from '../../src/store/store.ts'
import { stopPostgres, withPostgres } from '../postgres.ts'
import { temporaryFolder } from '../service.ts'

const officer: Caller = { kind: 'apiKey', id: 'k1', scopes: ['credentials:issue'] }
const requires = { by: 'staff', scope: 'credentials:issue' } as const
const folder = temporaryFolder()

afterAll(async () => {
  await stopPostgres()
  folder.remove()
})

describe.each(['sqlite', 'postgres'] as const)('the doors over %s', dialect => {
  let house: House & { store: Awaited<ReturnType<typeof openStore>> }
  beforeAll(async () => {
    const place =
      dialect === 'sqlite'
        ? { file: join(folder.path, 'a.sqlite') }
        : { databaseUrl: await withPostgres(), schema: 'doors' }
    const store = await openStore({ ...place, migrations: agencyMigrations, entities: agencyEntities })
    const clock = { now: () => 1_800_000_000_000 }
    house = { store, journal, idempotency: openIdempotency(clock), clock }
  })
  afterAll(() => house.store.close())

  const count = async (table: string) =>
    Number((await house.store.read(`SELECT count(*) AS n FROM ${table}`))[0]?.['n'])
  const insert = (key: string) => async (tx: Parameters<Parameters<House['store']['transaction']>[0]>[0]) => {
    tx.insert('challenges', [{ digest: Buffer.from(key), expires: 1, used: null }])
    return key
  }
  const act = (key: string, idempotencyKey?: string) =>
    perform(house, { operation: 'op', requires, caller: officer, input: { key }, idempotencyKey, act: insert(key) })

  it('writes the act and its evidence together', async () => {
    const before = [await count('challenges'), await count('journal')]
    await act('one')
    expect([await count('challenges'), await count('journal')]).toEqual(before.map(n => n + 1))
  })

  it('never takes one caller’s key for another’s, whatever characters their names and keys hold', async () => {
    const by = (id: string, idempotencyKey: string, answer: string) =>
      perform(house, {
        ...{ operation: 'op', requires, input: {}, idempotencyKey, act: async () => answer },
        caller: { kind: 'oidc', id, scopes: [requires.scope] },
      })
    expect(await by('system:sa:clerk', '1', 'first')).toBe('first')
    expect(await by('system:sa', 'clerk:1', 'second')).toBe('second')
    expect(await by('system:sa:clerk', '1', 'third')).toBe('first')
  })

  it('leaves neither act nor evidence of a refused act', async () => {
    const before = [await count('challenges'), await count('journal')]
    const refused = perform(house, {
      operation: 'op',
      requires,
      caller: officer,
      input: {},
      act: async tx => {
        await insert('never')(tx)
        throw new Refusal('rejected', 'no', 'No.')
      },
    })
    await expect(refused).rejects.toMatchObject({ code: 'no' })
    expect([await count('challenges'), await count('journal')]).toEqual(before)
  })

  it('does not let in who is not admitted, and writes nothing of it', async () => {
    const before = await count('journal')
    const tried = perform(house, { operation: 'op', requires, caller: anonymous, input: {}, act: insert('x') })
    await expect(tried).rejects.toMatchObject({ kind: 'unauthenticated' })
    expect(await count('journal')).toBe(before)
  })

  it('acts once under one idempotency key, even when asked twice at once', async () => {
    const answers = await Promise.all([act('twice', 'k'), act('twice', 'k')])
    expect(answers).toEqual(['twice', 'twice'])
    // Two lanes of PostgreSQL look before either has committed.
    const slowly = () =>
      perform(house, {
        operation: 'op',
        requires,
        caller: officer,
        input: {},
        idempotencyKey: 'slow',
        act: async tx => {
          await new Promise(done => setTimeout(done, 50))
          return insert('slow')(tx)
        },
      })
    const first = slowly()
    await new Promise(done => setTimeout(done, 20))
    expect(await Promise.all([first, slowly()])).toEqual(['slow', 'slow'])
    await expect(act('other', 'k')).rejects.toMatchObject({ code: 'idempotency_mismatch' })
  })

  it('hands out no personal data unrecorded, and reads nothing for whom it does not admit', async () => {
    const before = await count('journal')
    let reads = 0
    const reading = (caller: Caller) =>
      disclose(house, { operation: 'read', requires, caller, input: {}, read: async () => ++reads })
    await reading(officer)
    expect(await count('journal')).toBe(before + 1)
    await expect(reading(anonymous)).rejects.toMatchObject({ kind: 'unauthenticated' })
    expect(reads).toBe(1)
  })

  it('has a column of every entity in the tables that the migrations made, and no table without an entity', async () => {
    const sql =
      dialect === 'sqlite'
        ? `SELECT m.name AS t, c.name AS c FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'`
        : `SELECT table_name AS t, column_name AS c FROM information_schema.columns WHERE table_schema = 'doors'`
    const made = (await house.store.read(sql))
      .map(row => `${row['t']}.${row['c']}`)
      .filter(name => !/^(migrations|sqlite_\w+)\./.test(name))
    const described = house.store.dataSource.entityMetadatas.flatMap(entity =>
      entity.columns.map(column => `${entity.tableName}.${column.databaseName}`),
    )
    expect(described.sort()).toEqual(made.sort())
  })
})
