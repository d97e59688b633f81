import { storeEntities } from '../../src/store/entities.ts'
import { openIdempotency } from '../../src/store/idempotency.ts'
import { journal } from '../../src/store/journal.ts'
import { erase, storeRetention } from '../../src/store/retention.ts'
import { type Opened, onBothDatabases } from './backends.ts'

const day = 24 * 60 * 60 * 1000
const now = 2_000_000_000_000

const journalAt = (store: Opened, ...times: number[]) =>
  store.transaction(async tx => {
    for (const at of times) {
      journal.record(tx, {
        operation: 'x',
        caller: { kind: 'anonymous', id: 'anonymous', credentials: [] },
        input: Buffer.alloc(32),
        authority: 'anyone',
        rules: [],
        outcome: 'done',
        at,
      })
    }
  })

onBothDatabases(({ fresh }) => {
  test('what has outlived its period is erased, and nothing else', async () => {
    const store = await fresh()
    const start = 1_600_000_000_000
    await journalAt(store, start, start + 1000 * day, start + 2000 * day)
    const end = start + 1500 * day + 3650 * day
    for (const at of [end - 8 * day, end - 6 * day]) {
      await store.transaction(async tx =>
        openIdempotency({ now: () => at }).remember(tx, `k${at}`, Buffer.alloc(32), '{}'),
      )
    }
    const erased = await erase(store, { now: () => end })
    expect(erased).toEqual({ journal_details: 2, idempotency: 1 })
    expect(await erase(store, { now: () => end })).toEqual({ journal_details: 0, idempotency: 0 })
    expect(await store.read('SELECT count(*) AS n FROM journal')).toEqual([{ n: 3 }])
    expect(await store.read('SELECT count(*) AS n FROM journal_details')).toEqual([{ n: 1 }])
  })

  test('more rows than one transaction takes are all erased, under a rule of a plugin', async () => {
    const store = await fresh()
    const rows = Array.from({ length: 2500 }, (_, at) => ({ id: `i${at}`, amount: at }))
    await store.transaction(async tx => tx.insert('items', rows))
    const rule = {
      table: 'items',
      keepMs: 100,
      why: 'A trial.',
      key: 'id',
      age: { column: 'amount', kind: 'ms' },
    } as const
    const both = await Promise.all([
      erase(store, { now: () => 2400 }, [rule]),
      erase(store, { now: () => 2400 }, [rule]),
    ])
    expect((both[0]?.['items'] ?? 0) + (both[1]?.['items'] ?? 0)).toBe(2300)
    expect(await store.read('SELECT count(*) AS n FROM items')).toEqual([{ n: 200 }])
  })

  test('a rule cannot carry SQL', async () => {
    const store = await fresh()
    const rule = { table: 'items; --', keepMs: 1, why: '', key: 'id', age: { column: 'amount', kind: 'ms' } } as const
    await expect(erase(store, { now: () => now }, [rule])).rejects.toThrow(/snake_case/)
  })
})

test('every table of the store has a stated period', () => {
  const stated = storeRetention.map(rule => rule.table).sort()
  expect(stated).toEqual(storeEntities.map(({ options }) => options.tableName ?? '').sort())
  expect(storeRetention.every(rule => rule.why.length > 5)).toBe(true)
})
