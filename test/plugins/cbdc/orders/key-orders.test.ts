import type { SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { objectionStruct } from '../../../../src/plugins/cbdc/actions/orders/key-orders.ts'
import { executeKeyOrders } from '../../../../src/plugins/cbdc/actions/orders/upkeep.ts'
import { type Ground, type Owner, onBothLedgers, p256Owner, secp256k1Owner } from '../ground.ts'
import { anOrder, both, customer, dayMs, noFence, officer, openOffice, refusalOf } from './office.ts'

const objection = (ground: Ground, owner: Owner, account: number, order: string) => {
  const { signatures } = ground.needs
  return { signature: owner.sign(signatures.digest(objectionStruct(signatures.keccak, { account, order }))) }
}

onBothLedgers(({ fresh }) => {
  const open = async (old: Owner = secp256k1Owner()) => {
    const ground = await fresh()
    const { call } = openOffice(ground)
    const { number } = await ground.customer(old, {}, 1_000n)
    const other = await ground.customer()
    const next = p256Owner()
    const params = { account: String(number) }
    const ordering = () => ({ ...next.key, ...anOrder() })
    const how = { caller: both(), params }
    const executing = (order: unknown) => ({ caller: officer(), params: { order: String(order) } })
    const pay = (owner: Owner, nonce: number) =>
      ground.submit(ground.signed(owner, ground.transfer(number, other.number, 1n, { nonce })))
    return { ground, call, number, old, next, ordering, how, executing, pay }
  }

  test('the key changes after the delay, and what the old one signed counts no more', async () => {
    const { ground, call, old, next, ordering, how, executing, pay } = await open()
    const ordered = await call('orderKeyChange', ordering(), how)
    expect(ordered).toMatchObject({ state: 'waiting' })
    expect(Date.parse(String(ordered['dueAt'])) - Date.parse(String(ordered['since']))).toBe(dayMs)
    await pay(old, 0)
    ground.state.now += dayMs + 1_000
    expect(await call('executeKeyOrder', {}, executing(ordered['order']))).toMatchObject({ state: 'executed' })
    expect(await refusalOf(pay(old, 1))).toBe('signature_invalid')
    expect(await refusalOf(pay(next, 1))).toBe('nonce_mismatch')
    await pay(next, 2)
  })

  test('before it is due it is not executed, by nobody', async () => {
    const { ground, call, number, old, ordering, how, executing } = await open()
    const { order } = await call('orderKeyChange', ordering(), how)
    ground.state.now += dayMs - 1_000
    expect(await refusalOf(call('executeKeyOrder', {}, executing(order)))).toBe('key_order_early')
    expect(await executeKeyOrders(ground.desk, noFence)).toBe(0)
    expect((await ground.account(number)).key).toEqual(old.key)
  })

  test('the round executes what is due, once', async () => {
    const { ground, call, number, next, ordering, how } = await open()
    await call('orderKeyChange', ordering(), how)
    ground.state.now += dayMs + 1_000
    expect(await executeKeyOrders(ground.desk, noFence)).toBe(1)
    expect(await ground.account(number)).toMatchObject({ key: next.key, nonce: 1 })
    expect(await executeKeyOrders(ground.desk, noFence)).toBe(0)
  })

  test('the round does nothing once its lease is lost', async () => {
    const { ground, call, number, old, ordering, how } = await open()
    await call('orderKeyChange', ordering(), how)
    ground.state.now += dayMs + 1_000
    const lost = async () => {
      throw new Error('another has the lease')
    }
    await expect(executeKeyOrders(ground.desk, lost)).rejects.toThrow('another has the lease')
    expect((await ground.account(number)).key).toEqual(old.key)
  })

  test.each([
    ['secp256k1', () => secp256k1Owner()],
    ['P-256', () => p256Owner()],
  ])('whoever has the old %s key objects, and the order ends', async (_, owner) => {
    const { ground, call, number, old, ordering, how, executing } = await open(owner())
    const order = String((await call('orderKeyChange', ordering(), how))['order'])
    const body = objection(ground, old, number, order)
    expect(await call('objectToKeyOrder', body, { params: { order } })).toMatchObject({ state: 'objected' })
    ground.state.now += dayMs + 1_000
    expect(await refusalOf(call('executeKeyOrder', {}, executing(order)))).toBe('key_order_ended')
    expect(await executeKeyOrders(ground.desk, noFence)).toBe(0)
    expect(await refusalOf(call('objectToKeyOrder', body, { params: { order } }))).toBe('key_order_ended')
  })

  test('an objection with another key, or for another order or account, is refused', async () => {
    const { ground, call, number, old, next, ordering, how } = await open()
    const order = String((await call('orderKeyChange', ordering(), how))['order'])
    const object = (body: object) => refusalOf(call('objectToKeyOrder', body, { params: { order } }))
    expect(await object(objection(ground, next, number, order))).toBe('objection_invalid')
    expect(await object(objection(ground, old, number + 1, order))).toBe('objection_invalid')
    expect(await object(objection(ground, old, number, ground.newId()))).toBe('objection_invalid')
    expect(await object({ signature: '00'.repeat(64) })).toBe('objection_invalid')
  })

  test('an owner who changed the key meanwhile had not lost it', async () => {
    const { ground, call, number, old, ordering, how, executing } = await open()
    const { order } = await call('orderKeyChange', ordering(), how)
    const own = p256Owner()
    const changing = { kind: 'keyChange', account: number, ...own.key, nonce: 0, signature: '' } as const
    const entry: SignedEntry = { ...changing, validUntil: Math.floor(ground.state.now / 1_000) + 60 }
    await ground.submit(ground.signed(old, entry))
    ground.state.now += dayMs + 1_000
    expect(await call('executeKeyOrder', {}, executing(order))).toMatchObject({ state: 'overtaken' })
    expect((await ground.account(number)).key).toEqual(own.key)
  })

  test('one order at a time waits, and each is executed once', async () => {
    const { ground, call, ordering, how, executing } = await open()
    const first = ordering()
    const { order } = await call('orderKeyChange', first, how)
    expect(await refusalOf(call('orderKeyChange', first, how))).toBe('order_executed')
    expect(await refusalOf(call('orderKeyChange', ordering(), how))).toBe('key_order_waiting')
    ground.state.now += dayMs + 1_000
    await call('executeKeyOrder', {}, executing(order))
    expect(await refusalOf(call('executeKeyOrder', {}, executing(order)))).toBe('key_order_ended')
    expect(await refusalOf(call('orderKeyChange', ordering(), how))).toBe('key_same')
  })

  test('the owner sees it coming, and nobody else', async () => {
    const { ground, call, number, ordering, how } = await open()
    await ground.store.transaction(async tx =>
      tx.insert('cbdc_persons', [{ currency: 1, pseudonym: 'owner', lead: number }]),
    )
    const { order } = await call('orderKeyChange', ordering(), how)
    const as = (pseudonym: string) => ({ caller: customer(pseudonym), params: how.params })
    expect(await call('listKeyOrders', undefined, as('owner'))).toMatchObject({ items: [{ order, state: 'waiting' }] })
    expect(await refusalOf(call('listKeyOrders', undefined, as('other')))).toBe('account_not_yours')
    const nowhere = { caller: customer('owner'), params: { account: '99999' } }
    expect(await refusalOf(call('listKeyOrders', undefined, nowhere))).toBe('account_not_yours')
  })

  test('one officer, and an account or order that is not there, are refused', async () => {
    const { call, ordering, how, executing } = await open()
    expect(await refusalOf(call('orderKeyChange', ordering(), { ...how, caller: officer() }))).toBe('approval_missing')
    const nowhere = { ...how, params: { account: '99999' } }
    expect(await refusalOf(call('orderKeyChange', ordering(), nowhere))).toBe('account_unknown')
    expect(await refusalOf(call('executeKeyOrder', {}, executing('0'.repeat(36))))).toBe('key_order_unknown')
  })
})
