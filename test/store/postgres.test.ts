import { storeEntities } from '../../src/store/entities.ts'
import { openStore } from '../../src/store/store.ts'
import { stopPostgres, withPostgres } from '../postgres.ts'
import { migrations } from './backends.ts'

afterAll(stopPostgres)

const openIn = async (schema: string) =>
  openStore({ databaseUrl: await withPostgres(), schema, migrations, entities: storeEntities })

test('a connection lost inside an act refuses that act, and the store goes on with another', async () => {
  const store = await openIn('lost')
  const lost = store.transaction(async tx => {
    await tx.query('INSERT INTO items (id, amount) VALUES (?, 1)', ['a'])
    await tx.query('SELECT pg_terminate_backend(pg_backend_pid())')
  })
  await expect(lost).rejects.toThrow()
  await store.transaction(async tx => tx.insert('items', [{ id: 'b', amount: 1 }]))
  expect(await store.read('SELECT id FROM items')).toEqual([{ id: 'b' }])
  await store.close()
})

test('after a commit that was not confirmed the caller is told so, and nothing is done twice', async () => {
  const store = await openIn('unconfirmed')
  // A deferred trigger ends the connection at COMMIT, when nobody can know what became of the transaction.
  for (const sql of [
    `CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`,
    `CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW WHEN (NEW.note = 'cut') EXECUTE FUNCTION cut()`,
  ]) {
    await store.dataSource.query(sql)
  }
  let runs = 0
  const act = store.transaction(async tx => {
    runs += 1
    tx.insert('items', [{ id: 'a', amount: 1, note: 'cut' }])
  })
  await expect(act).rejects.toMatchObject({ kind: 'unavailable', code: 'outcome_unknown' })
  expect(runs).toBe(1)
  await store.transaction(async tx => tx.insert('items', [{ id: 'b', amount: 1 }]))
  await store.close()
})

test('processes that start at once on a new schema migrate it once', async () => {
  const stores = await Promise.all(Array.from({ length: 4 }, () => openIn('together')))
  const [first] = stores
  expect(await first?.read('SELECT count(*) AS n FROM migrations')).toEqual([{ n: migrations.length }])
  for (const store of stores) await store.close()
})

test('agencies in one database do not see one another', async () => {
  const [one, two] = [await openIn('agency-one'), await openIn('agency-two')]
  await one.transaction(async tx => tx.insert('items', [{ id: 'a', amount: 1 }]))
  expect(await two.read('SELECT id FROM items')).toEqual([])
  await Promise.all([one.close(), two.close()])
})

test('a database that cannot be reached is no store', async () => {
  const opening = openStore({ databaseUrl: 'postgres://nobody@127.0.0.1:1/none', migrations, entities: storeEntities })
  await expect(opening).rejects.toThrow(/ECONNREFUSED/)
})
