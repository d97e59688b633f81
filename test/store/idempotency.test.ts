import { perform } from '../../src/kernel/perform.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import { openIdempotency } from '../../src/store/idempotency.ts'
import { journal } from '../../src/store/journal.ts'
import { itemIds, type Opened, onBothDatabases } from './backends.ts'

const clock = { now: () => Date.now() }
const idempotency = openIdempotency(clock)

let serial = 0
const pay = (store: Opened, idempotencyKey: string, amount: number, fails = false) =>
  perform(
    { store, journal, idempotency, clock },
    {
      operation: 'pay',
      requires: { by: 'staff', scope: 'pay' },
      caller: { kind: 'apiKey', id: 'k1', scopes: ['pay'] },
      input: { amount },
      idempotencyKey,
      act: async tx => {
        serial += 1
        const id = `i${serial}`
        tx.insert('items', [{ id, amount }])
        if (fails) throw new Refusal('rejected', 'no', 'No.')
        return { id }
      },
    },
  )

onBothDatabases(({ fresh, place, again }) => {
  test('the same key and input give the same answer, and the act runs once', async () => {
    const store = await fresh()
    const first = await pay(store, 'a', 5)
    expect(await pay(store, 'a', 5)).toEqual(first)
    expect(await itemIds(store)).toHaveLength(1)
    expect(await store.read('SELECT count(*) AS n FROM journal')).toEqual([{ n: 1 }])
  })

  test('the same key with another input is a conflict, also while the first is not yet committed', async () => {
    const store = await fresh()
    const settled = await Promise.allSettled([pay(store, 'a', 5), pay(store, 'a', 6)])
    const refused = settled.filter(each => each.status === 'rejected')
    expect(refused).toMatchObject([{ reason: { kind: 'conflict', code: 'idempotency_mismatch' } }])
    const wrong = (settled[0]?.status === 'fulfilled' ? 6 : 5) as number
    await expect(pay(store, 'a', wrong)).rejects.toMatchObject({ code: 'idempotency_mismatch' })
    expect(await itemIds(store)).toHaveLength(1)
  })

  test('a refused act is not remembered', async () => {
    const store = await fresh()
    await expect(pay(store, 'a', 5, true)).rejects.toMatchObject({ code: 'no' })
    await pay(store, 'a', 5)
    expect(await itemIds(store)).toHaveLength(1)
  })

  test('many acts of one key at once, from two processes: exactly one acts and all get its answer', async () => {
    const where = await place()
    const stores = [await again(where), await again(where)]
    for (const key of ['a', 'b', 'c']) {
      const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => pay(stores[at % 2] as Opened, key, 5)))
      expect(new Set(answers.map(answer => answer.id)).size).toBe(1)
    }
    expect(await itemIds(stores[0] as Opened)).toHaveLength(3)
  })

  test('different keys at once do not disturb one another', async () => {
    const store = await fresh()
    await Promise.all(Array.from({ length: 100 }, (_, at) => pay(store, `k${at}`, 5)))
    expect(await itemIds(store)).toHaveLength(100)
  })
})
