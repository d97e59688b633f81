import { acquireLease, checkLease, type Lease, releaseLease, renewLease } from '../../src/store/leases.ts'
import { itemIds, type Opened, onBothDatabases } from './backends.ts'

const clockAt = (start: number) => {
  const clock = { at: start, now: () => clock.at }
  return clock
}

const writeUnder = (store: Opened, lease: Lease, id: string) =>
  store.transaction(async tx => {
    await checkLease(store, tx, lease)
    tx.insert('items', [{ id, amount: 1 }])
  })

onBothDatabases(({ fresh, place, again }) => {
  const take = (store: Opened, clock: { now(): number }, holder: string) =>
    acquireLease(store, clock, { name: 'work', holder, ttlMs: 1000 })

  test('of many that ask at once exactly one gets the lease', async () => {
    const where = await place()
    const stores = [await again(where), await again(where)]
    const clock = clockAt(1_000_000)
    const asked = Array.from({ length: 20 }, (_, at) => take(stores[at % 2] as Opened, clock, `h${at}`))
    expect((await Promise.all(asked)).filter(lease => lease !== undefined)).toHaveLength(1)
  })

  test('a lease held by another is not given until it has expired, and then under a higher epoch', async () => {
    const store = await fresh()
    const clock = clockAt(1_000_000)
    expect(await take(store, clock, 'a')).toEqual({ name: 'work', holder: 'a', epoch: 1, expires: 1_001_000 })
    clock.at += 999
    expect(await take(store, clock, 'b')).toBeUndefined()
    clock.at += 1
    expect(await take(store, clock, 'b')).toMatchObject({ holder: 'b', epoch: 2 })
    expect(await take(store, clock, 'a')).toBeUndefined()
  })

  test('the holder keeps its epoch when it asks or renews again', async () => {
    const store = await fresh()
    const clock = clockAt(1_000_000)
    const lease = (await take(store, clock, 'a')) as Lease
    clock.at += 500
    expect(await take(store, clock, 'a')).toMatchObject({ epoch: 1, expires: 1_001_500 })
    expect(await renewLease(store, clock, lease, 2000)).toMatchObject({ epoch: 1, expires: 1_002_500 })
  })

  test('a holder that slept through its expiry cannot write, nor renew, once another has taken over', async () => {
    const store = await fresh()
    const clock = clockAt(1_000_000)
    const old = (await take(store, clock, 'a')) as Lease
    clock.at += 2000
    await writeUnder(store, old, 'still-alone')
    const next = (await take(store, clock, 'b')) as Lease
    await expect(writeUnder(store, old, 'late')).rejects.toMatchObject({ code: 'lease_lost', kind: 'conflict' })
    expect(await renewLease(store, clock, old, 1000)).toBeUndefined()
    await writeUnder(store, next, 'new')
    expect(await itemIds(store)).toEqual(['new', 'still-alone'])
  })

  test('a released lease can be taken at once, and its old holder is fenced off', async () => {
    const store = await fresh()
    const clock = clockAt(1_000_000)
    const old = (await take(store, clock, 'a')) as Lease
    await releaseLease(store, old)
    await expect(writeUnder(store, old, 'late')).rejects.toMatchObject({ code: 'lease_lost' })
    expect(await take(store, clock, 'b')).toMatchObject({ epoch: 2 })
    await releaseLease(store, old)
    expect(await take(store, clock, 'c')).toBeUndefined()
  })

  test('nobody takes over while a transaction under the lease is open', async () => {
    const where = await place()
    const [one, two] = [await again(where), await again(where)]
    const clock = clockAt(1_000_000)
    const lease = (await take(one, clock, 'a')) as Lease
    const order: string[] = []
    let taking: Promise<unknown> | undefined
    await one.transaction(async tx => {
      await checkLease(one, tx, lease)
      clock.at += 5000
      taking = take(two, clock, 'b').then(() => order.push('taken'))
      await new Promise(resolve => setTimeout(resolve, 200))
      tx.insert('items', [{ id: 'a', amount: 1 }])
      tx.afterCommit(() => order.push('committed'))
    })
    await taking
    expect(order).toEqual(['committed', 'taken'])
  })
})
