import { join } from 'node:path'
import { agencyEntities, agencyMigrations } from '../../src/agency.ts'
import { disclose } from '../../src/kernel/disclose.ts'
import { anonymous, type Caller, type HolderCaller, type ProvenCredential } from '../../src/kernel/gate.ts'
import { type ActRecord, type House, perform } from '../../src/kernel/perform.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import { openIdempotency } from '../../src/store/idempotency.ts'
import { type JournalDetails, journal, verifyDetails } from '../../src/store/journal.ts'
import { openStore } from '../../src/store/store.ts'
import { stopPostgres, withPostgres } from '../postgres.ts'
import { temporaryFolder } from '../service.ts'

const officer: Caller = { kind: 'apiKey', id: 'k1', scopes: ['credentials:issue'] }
const requires = { by: 'staff', scope: 'credentials:issue' } as const
const folder = temporaryFolder()

const proven = (type: string): ProvenCredential => ({
  ...{ type, issuer: 'did:ethr:0x1:0xaa', holder: 'did:key:z6Mk', holderKey: 'k', claims: {} },
  digest: `digest of ${type}`,
})

const holder = (id: string, principal: string, over: Partial<HolderCaller> = {}): HolderCaller => ({
  ...{ kind: 'holder', id, actor: id, principal, mandates: [], proof: 'session', matched: {} },
  credentials: [proven('Unasked')],
  ...over,
})
const known = { by: 'known' } as const

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

  it('does an act that answers nothing once for one key', async () => {
    let runs = 0
    const nothing = () =>
      perform(house, {
        ...{ operation: 'op', requires, caller: officer, input: {}, idempotencyKey: 'nothing' },
        act: async () => {
          runs += 1
        },
      })
    await nothing()
    await nothing()
    expect(runs).toBe(1)
  })

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

  it('lets an act know its record, and commits the record to what the act brought about, in order', async () => {
    const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    const id = await perform(house, {
      ...{ operation: 'op', requires, caller: officer, input: {} },
      act: async (_tx, record) => {
        record.effect(two)
        record.effect(one)
        return record.id
      },
    })
    expect((await journalled(id))['effects']).toEqual([two.toString('hex'), one.toString('hex')])
  })

  it.each([0, 31, 33, 64])('takes no digest of %d bytes for a SHA-256, and the act is not done', async bytes => {
    const before = [await count('challenges'), await count('journal')]
    const tried = perform(house, {
      ...{ operation: 'op', requires, caller: officer, input: {} },
      act: async (tx, record) => {
        await insert(`short ${bytes}`)(tx)
        record.effect(Buffer.alloc(bytes))
      },
    })
    await expect(tried).rejects.toThrow(TypeError)
    expect([await count('challenges'), await count('journal')]).toEqual(before)
  })

  it('commits an act that had to be run again to the effects of its last run alone', async () => {
    const runs: ActRecord[] = []
    const taken = insert('taken already')
    await perform(house, { operation: 'op', requires, caller: officer, input: {}, act: taken })
    const rerun = () =>
      perform(house, {
        ...{ operation: 'op', requires, caller: officer, input: {} },
        act: async (_tx, record) => {
          runs.push(record)
          record.effect(Buffer.alloc(32, runs.length))
          return record.id
        },
      })
    // Those that share a transaction with an act that breaks it are run again, each alone.
    const breaking = () => perform(house, { operation: 'op', requires, caller: officer, input: {}, act: taken })
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, at) => (at % 3 === 1 ? breaking() : rerun())),
    )
    const ids = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    expect(ids).toHaveLength(8)
    expect(runs.length).toBeGreaterThan(ids.length)
    for (const id of ids) {
      const last = runs.findIndex(record => record.id === id) + 1
      expect((await journalled(id))['effects']).toEqual([Buffer.alloc(32, last).toString('hex')])
    }
  })

  const spending = (key: string, spent: string[]): HolderCaller =>
    holder('did:key:z6Mk', 'did:key:z6Mk', {
      proof: 'presentation',
      async spend(tx) {
        spent.push(key)
        await insert(key)(tx)
      },
    })

  it('uses a proof up in the act’s own transaction, before the act, and not again for an answer recalled', async () => {
    const spent: string[] = []
    const asked = (caller: HolderCaller, idempotencyKey?: string) =>
      perform(house, {
        ...{ operation: 'op', requires: known, caller, input: {}, idempotencyKey },
        act: async () => `after ${spent.length}`,
      })
    expect(await asked(spending('proof 1', spent), 'once')).toBe('after 1')
    expect(await asked(spending('proof 1', spent), 'once')).toBe('after 1')
    expect(spent).toEqual(['proof 1'])
    const before = await count('journal')
    await expect(asked(spending('proof 1', spent))).rejects.toThrow()
    expect(await count('journal')).toBe(before)
  })

  it('leaves a proof whole whose act was refused', async () => {
    const before = await count('challenges')
    const refused = perform(house, {
      ...{ operation: 'op', requires: known, caller: spending('proof 2', []), input: {} },
      act: async () => {
        throw new Refusal('rejected', 'no', 'No.')
      },
    })
    await expect(refused).rejects.toMatchObject({ code: 'no' })
    expect(await count('challenges')).toBe(before)
  })

  it('keeps the keys of one person apart who acts for two principals', async () => {
    const forWhom = (principal: string) =>
      perform(house, {
        ...{ operation: 'op', requires: known, caller: holder('did:key:z6Mk', principal), input: {} },
        ...{ idempotencyKey: 'same', act: async () => principal },
      })
    expect([await forWhom('did:a'), await forWhom('did:b'), await forWhom('did:a')]).toEqual([
      'did:a',
      'did:b',
      'did:a',
    ])
  })

  it('names all who took part, what they proved and for whom, and nothing that the act does not rest on', async () => {
    const mandate = { credentialId: 'urn:uuid:m', digest: 'dm', issuer: 'did:i', principal: 'did:company' }
    const seller = holder('did:seller', 'did:company', { mandates: [mandate], matched: { licence: proven('Licence') } })
    const buyer = holder('did:buyer', 'did:buyer', { matched: { identity: proven('Identity') } })
    const author = holder('did:first', 'did:first', { matched: { officer: proven('Officer') } })
    const caller = holder('did:seller', 'did:company', { parties: { seller, buyer }, author })
    const operation = { operation: 'op', requires: known, caller, input: {} }
    const id = await perform(house, { ...operation, act: async (_tx, record) => record.id })
    const named = {
      ...{ callerKind: 'holder', callerId: 'did:seller', principal: 'did:company', mandates: ['urn:uuid:m'] },
      credentials: ['digest of Licence', 'dm', 'digest of Identity', 'digest of Officer'],
      parties: [
        { role: 'seller', id: 'did:seller', principal: 'did:company' },
        { role: 'buyer', id: 'did:buyer', principal: 'did:buyer' },
      ],
      author: { kind: 'holder', id: 'did:first' },
    }
    expect(await journalled(id)).toMatchObject({ ...named, outcome: 'done' })
    await disclose(house, { ...operation, read: async () => 'personal' })
    const [last] = await house.store.read<{ id: string }>('SELECT id FROM journal ORDER BY id DESC LIMIT 1')
    expect(await journalled(last?.id ?? '')).toMatchObject({ ...named, outcome: 'disclosed' })
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
