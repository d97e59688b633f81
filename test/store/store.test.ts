import { setTimeout as sleep } from 'node:timers/promises'
import type { Tx } from '../../src/kernel/ports.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import { storeEntities } from '../../src/store/entities.ts'
import { isUniqueViolation, openStore } from '../../src/store/store.ts'
import { itemIds, migrations, onBothDatabases, Trial1760000000900 } from './backends.ts'

const item = (id: string, amount: number | string = 1) => ({ id, amount, note: null, data: null })

onBothDatabases(({ fresh, place, again }) => {
  test('many acts at once are all there afterwards, and each answer is its own', async () => {
    const store = await fresh()
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, at) =>
        store.transaction(async tx => {
          tx.insert('items', [item(`i${at}`, at)])
          if (at % 7 === 0) await tx.query('UPDATE items SET note = ? WHERE id = ?', ['seen', `i${at}`])
          return at
        }),
      ),
    )
    expect(answers).toEqual(Array.from({ length: 300 }, (_, at) => at))
    expect((await itemIds(store)).length).toBe(300)
    expect(await store.read('SELECT count(*) AS n FROM items WHERE note = ?', ['seen'])).toEqual([{ n: 43 }])
  })

  test('a refused act among others leaves no row, neither buffered nor written by a query', async () => {
    const store = await fresh()
    const acts = Array.from({ length: 30 }, (_, at) =>
      store.transaction(async tx => {
        tx.insert('items', [item(`i${at}`)])
        if (at % 3 === 1) await tx.query('INSERT INTO items (id, amount) VALUES (?, ?)', [`q${at}`, 1])
        if (at % 2 === 1) throw new Refusal('rejected', 'no', 'No.')
        return at
      }),
    )
    const settled = await Promise.allSettled(acts)
    expect(settled.filter(each => each.status === 'rejected')).toHaveLength(15)
    const ids = await itemIds(store)
    expect(ids.filter(id => Number(id.slice(1)) % 2 === 1)).toEqual([])
    expect(ids).toHaveLength(15 + 5)
  })

  test('an act that is alone in its transaction leaves nothing when it refuses, whatever it wrote, and the next goes on', async () => {
    const store = await fresh()
    await store.transaction(async tx => tx.insert('items', [item('known')]))
    const ran: string[] = []
    const refusing = async (id: string, write: (tx: Tx) => Promise<unknown>): Promise<unknown> =>
      store
        .transaction(async tx => {
          tx.afterCommit(() => ran.push(id))
          await write(tx)
          throw new Refusal('rejected', 'no', 'No.')
        })
        .catch(error => error.code)
    const codes = [
      await refusing('a', tx => tx.query('INSERT INTO items (id, amount) VALUES (?, 1)', ['a'])),
      await refusing('b', async tx => tx.insert('items', [item('b')])),
      await refusing('c', async tx => {
        tx.insert('items', [item('c')])
        return tx.query('SELECT id FROM items')
      }),
      await refusing('d', tx => tx.query(`UPDATE items SET note = 'seen' WHERE id = 'known'`)),
      await refusing('e', tx => tx.query('INSERT INTO items (id, amount) VALUES (?, 1)', ['known']).catch(() => [])),
    ]
    expect(codes).toEqual(Array(5).fill('no'))
    await store.transaction(async tx => tx.query('INSERT INTO items (id, amount) VALUES (?, 1)', ['next']))
    expect(await itemIds(store)).toEqual(['known', 'next'])
    expect(await store.read('SELECT note FROM items WHERE note IS NOT NULL')).toEqual([])
    expect(ran).toEqual([])
  })

  test('a unique violation at the end of a batch refuses only the guilty act', async () => {
    const store = await fresh()
    await store.transaction(async tx => tx.insert('items', [item('i13')]))
    const ran: number[] = []
    const settled = await Promise.allSettled(
      Array.from({ length: 40 }, (_, at) =>
        store.transaction(async tx => {
          tx.insert('items', [item(`i${at}`)])
          tx.afterCommit(() => ran.push(at))
        }),
      ),
    )
    const refused = settled.flatMap((each, at) => (each.status === 'rejected' ? [{ at, reason: each.reason }] : []))
    expect(refused.map(each => each.at)).toEqual([13])
    expect(isUniqueViolation(refused[0]?.reason)).toBe(true)
    expect((await itemIds(store)).length).toBe(40)
    expect(ran.sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, at) => at).filter(at => at !== 13))
  })

  test('a unique violation in a query can be made a refusal of its own, and the others go on', async () => {
    const store = await fresh()
    const act = (id: string) =>
      store.transaction(async tx => {
        try {
          await tx.query('INSERT INTO items (id, amount) VALUES (?, 1)', [id])
        } catch (cause) {
          if (isUniqueViolation(cause)) throw new Refusal('conflict', 'taken', 'Taken.', { cause })
          throw cause
        }
      })
    const settled = await Promise.allSettled([act('a'), act('a'), act('b')])
    expect(settled.map(each => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(settled[1]).toMatchObject({ reason: { code: 'taken' } })
    expect(await itemIds(store)).toEqual(['a', 'b'])
  })

  test('an act that goes on after a failed query is refused all the same', async () => {
    const store = await fresh()
    const act = store.transaction(async tx => {
      await tx.query('INSERT INTO items (id, amount) VALUES (?, 1)', ['a'])
      await tx.query('INSERT INTO items (id, amount) VALUES (?, 1)', ['a']).catch(() => {})
      return 'done'
    })
    await expect(act).rejects.toThrow(/unique/i)
    expect(await itemIds(store)).toEqual([])
  })

  test('a query that is wrong refuses its act only', async () => {
    const store = await fresh()
    const settled = await Promise.allSettled([
      store.transaction(async tx => tx.insert('items', [item('a')])),
      store.transaction(tx => tx.query('SELECT nonsense FROM nowhere')),
      store.transaction(async tx => tx.insert('items', [item('b')])),
      store.transaction(async tx => tx.insert('nowhere', [{ id: 'x' }])),
    ])
    expect(settled.map(each => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    expect(await itemIds(store)).toEqual(['a', 'b'])
  })

  test('a query sees the rows of its own act and of those before it, also through a view', async () => {
    const store = await fresh()
    const count = (view: string) => async (tx: Tx) => {
      tx.insert('items', [item(`${view}${Math.random()}`)])
      const sql = view === 'v' ? 'SELECT n FROM item_count' : 'SELECT count(*) AS n FROM items'
      return (await tx.query<{ n: number }>(sql))[0]?.n
    }
    const one = store.transaction(count('v'))
    expect(await one).toBe(1)
    expect(await store.transaction(count('t'))).toBe(2)
  })

  test('parents go in before their children, whatever the order of the acts', async () => {
    const store = await fresh()
    await store.transaction(async tx => tx.insert('items', [item('old')]))
    await Promise.all([
      store.transaction(async tx => tx.insert('parts', [{ id: 'p1', item: 'old' }])),
      store.transaction(async tx => {
        tx.insert('parts', [{ id: 'p2', item: 'new' }])
        tx.insert('items', [item('new')])
      }),
    ])
    const orphan = store.transaction(async tx => tx.insert('parts', [{ id: 'p3', item: 'nobody' }]))
    await expect(orphan).rejects.toThrow(/foreign key/i)
    expect(await store.read('SELECT count(*) AS n FROM parts')).toEqual([{ n: 2 }])
  })

  test('reads see nothing uncommitted', async () => {
    const store = await fresh()
    let seen: unknown
    await store.transaction(async tx => {
      await tx.query('INSERT INTO items (id, amount) VALUES (?, 1)', ['a'])
      seen = await store.read('SELECT id FROM items')
    })
    expect(seen).toEqual([])
    expect(await itemIds(store)).toEqual(['a'])
  })

  test('reads cannot write', async () => {
    const store = await fresh()
    await expect(store.read(`INSERT INTO items (id, amount) VALUES ('a', 1)`)).rejects.toThrow(/read-?only/i)
    expect(await itemIds(store)).toEqual([])
  })

  test('an act cannot open a transaction inside its own, which would wait for ever', async () => {
    const store = await fresh()
    const nested = store.transaction(() => store.transaction(async tx => tx.insert('items', [item('a')])))
    await expect(nested).rejects.toThrow(/own tx/)
    expect(await itemIds(store)).toEqual([])
  })

  test('a transaction that is over takes nothing more', async () => {
    const store = await fresh()
    let kept: Tx | undefined
    await store.transaction(async tx => {
      kept = tx
    })
    expect(() => kept?.insert('items', [item('late')])).toThrow(/over/)
    await expect(kept?.query('SELECT 1 AS one')).rejects.toThrow(/over/)
  })

  test('an act that never ends is refused, and those behind it go on', async () => {
    const store = await fresh()
    const stuck = store.transaction(() => new Promise(() => {}))
    const next = store.transaction(async tx => tx.insert('items', [item('b')]))
    await expect(stuck).rejects.toThrow(/longer than/)
    await next
    expect(await itemIds(store)).toEqual(['b'])
  })

  test('work after the commit runs once, after it, and never for a refused act', async () => {
    const store = await fresh()
    const seen: string[][] = []
    await store.transaction(async tx => {
      tx.insert('items', [item('a')])
      tx.afterCommit(() => void itemIds(store).then(ids => seen.push(ids)))
    })
    await store
      .transaction(async tx => {
        tx.afterCommit(() => seen.push(['never']))
        throw new Error('no')
      })
      .catch(() => {})
    await sleep(100)
    expect(seen).toEqual([['a']])
  })

  test('integers beyond 2^53 survive as text and are refused as numbers', async () => {
    const store = await fresh()
    const amounts = ['9007199254740993', '9223372036854775807', '-9223372036854775808']
    await store.transaction(async tx => {
      tx.insert('items', [item('i0', amounts[0])])
      await tx.query('INSERT INTO items (id, amount) VALUES (?, ?)', ['i1', amounts[1] ?? ''])
      tx.insert('items', [item('i2', amounts[2])])
    })
    const rows = await store.read<{ t: string }>('SELECT cast(amount AS text) AS t FROM items ORDER BY id')
    expect(rows.map(row => row.t)).toEqual(amounts)
    await expect(store.read('SELECT amount FROM items')).rejects.toThrow(RangeError)
    await expect(store.transaction(async tx => tx.insert('items', [item('i3', 2 ** 53)]))).rejects.toThrow(TypeError)
    const tooLarge = store.transaction(async tx => tx.insert('items', [item('i4', '9223372036854775808')]))
    await expect(tooLarge).rejects.toThrow()
    const bigint = 5n as unknown as number
    await expect(store.transaction(tx => tx.query('SELECT ? AS x', [bigint]))).rejects.toThrow(TypeError)
    expect((await itemIds(store)).length).toBe(3)
  })

  test('values come back alike from both databases', async () => {
    const store = await fresh()
    const data = Buffer.from([0, 1, 254, 255])
    const note = `quote ' " \\ $1 ? ünï 🎉\n`
    await store.transaction(async tx => {
      tx.insert('items', [{ id: 'a', amount: 1_700_000_000_000, note, data: new Uint8Array(data) }])
      tx.insert('items', [{ id: 'b', amount: 0, data: null, note: '' }])
    })
    expect(
      await store.read(
        `SELECT id, amount, note, data, amount > 5 AS large, '?' AS mark FROM items WHERE note = ? OR id = ? ORDER BY id`,
        [note, 'b'],
      ),
    ).toEqual([
      { id: 'a', amount: 1_700_000_000_000, note, data, large: 1, mark: '?' },
      { id: 'b', amount: 0, note: '', data: null, large: 0, mark: '?' },
    ])
    expect(await store.read('SELECT sum(amount) AS s, count(*) AS n FROM items')).toEqual([
      { s: 1_700_000_000_000, n: 2 },
    ])
    const nul = store.transaction(async tx => tx.insert('items', [{ ...item('c'), note: 'a\0b' }]))
    await expect(nul).rejects.toThrow(/NUL/)
  })

  test('text sorts by its bytes', async () => {
    const store = await fresh()
    const ids = ['B', 'a', 'ä', 'Z', '-', '_']
    await store.transaction(async tx =>
      tx.insert(
        'items',
        ids.map(id => item(id)),
      ),
    )
    expect(await itemIds(store)).toEqual(['-', 'B', 'Z', '_', 'a', 'ä'])
  })

  test('names of tables and columns cannot carry SQL', async () => {
    const store = await fresh()
    await expect(store.transaction(async tx => tx.insert('items" --', [item('a')]))).rejects.toThrow(/snake_case/)
    await expect(store.transaction(async tx => tx.insert('items', [{ 'id") --': 'a' }]))).rejects.toThrow(/snake_case/)
  })

  test('a database that a newer release has migrated is not opened', async () => {
    const where = await place()
    await (await again(where)).close()
    const older = openStore({ ...where, migrations: migrations.slice(0, 1), entities: storeEntities })
    await expect(older).rejects.toThrow(/does not know: Trial/)
  })

  test('a second start finds everything, and a closed store takes nothing', async () => {
    const where = await place()
    const first = await again(where)
    await first.transaction(async tx => tx.insert('items', [item('a')]))
    await first.close()
    await expect(first.transaction(async tx => tx.insert('items', [item('b')]))).rejects.toThrow(/closed/)
    expect(await itemIds(await again(where))).toEqual(['a'])
  })

  test('what is queued when the store is closed is still done', async () => {
    const where = await place()
    const store = await again(where)
    const acts = Array.from({ length: 50 }, (_, at) =>
      store.transaction(async tx => tx.insert('items', [item(`i${at}`)])),
    )
    await store.close()
    await Promise.all(acts)
    expect(await itemIds(await again(where))).toHaveLength(50)
  })

  test('acts that lock rows crosswise are all done in the end', async () => {
    const store = await fresh()
    await store.transaction(async tx => tx.insert('items', [item('a', 0), item('b', 0)]))
    const raise = (first: string, second: string) =>
      store.transaction(async tx => {
        for (const id of [first, second]) await tx.query('UPDATE items SET amount = amount + 1 WHERE id = ?', [id])
      })
    await Promise.all(Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? raise('a', 'b') : raise('b', 'a'))))
    expect(await store.read('SELECT amount FROM items')).toEqual([{ amount: 60 }, { amount: 60 }])
  })

  test('the entities name the tables and columns that the migration makes', async () => {
    const store = await fresh()
    for (const { options } of storeEntities) {
      const columns = Object.keys(options.columns).join(', ')
      expect(await store.read(`SELECT ${columns} FROM ${options.tableName} WHERE 1 = 0`)).toEqual([])
    }
  })
})

test('a store needs exactly one database', async () => {
  await expect(openStore({ migrations, entities: [] })).rejects.toThrow(/either/)
  await expect(openStore({ file: 'x', databaseUrl: 'y', migrations, entities: [] })).rejects.toThrow(/either/)
})

test('a schema name cannot carry SQL', async () => {
  const opening = openStore({
    databaseUrl: 'postgres://x',
    schema: 'a"; --',
    migrations: [Trial1760000000900],
    entities: [],
  })
  await expect(opening).rejects.toThrow(/not the name of a schema/)
})
