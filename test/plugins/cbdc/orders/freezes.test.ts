import { decodeEntry } from '../../../../src/kernel/ledger-entry.ts'
import { entryLeaf } from '../../../../src/plugins/cbdc/actions/book.ts'
import { onBothLedgers, own, secp256k1Owner } from '../ground.ts'
import { anOrder, both, officer, openOffice, refusalOf } from './office.ts'

onBothLedgers(({ fresh }) => {
  const open = async () => {
    const ground = await fresh()
    const office = openOffice(ground)
    await office.addTreasury()
    const target = await ground.customer(undefined, {}, 1_000n)
    const other = await ground.customer()
    const params = { account: String(target.number) }
    const pay = (amount: bigint, nonce: number) =>
      ground.submit(ground.signed(target.owner, ground.transfer(target.number, other.number, amount, { nonce })))
    return { ground, office, target, other, params, pay, call: office.call }
  }

  describe('freezeAccount', () => {
    test('an amount is held, the rest can be spent', async () => {
      const { call, params, pay, ground, target } = await open()
      const answer = await call('freezeAccount', { amountMinor: '900', ...anOrder() }, { caller: officer(), params })
      expect(answer).toMatchObject({ kind: 'freeze', account: target.number, amountMinor: '900' })
      expect(await ground.account(target.number)).toMatchObject({ frozen: 900n, holds: 0 })
      expect(await refusalOf(pay(101n, 0))).toBe('funds_insufficient')
      await pay(100n, 0)
    })

    test('without an amount the account neither pays nor receives', async () => {
      const { call, params, pay, ground, target, other } = await open()
      await call('freezeAccount', anOrder(), { caller: officer(), params })
      expect(await refusalOf(pay(1n, 0))).toBe('account_frozen')
      await ground.mint(other.number, 10n)
      const back = ground.signed(other.owner, ground.transfer(other.number, target.number, 1n))
      expect(await refusalOf(ground.submit(back))).toBe('payee_cannot_receive')
    })

    test('the same order is executed once, however it is spelt', async () => {
      const { call, params, ground, target } = await open()
      const once = { amountMinor: '1', ...anOrder('DC 7/2026') }
      await call('freezeAccount', once, { caller: officer(), params })
      const again = { ...once, order: { authority: ' district  COURT', reference: 'dc 7/2026' } }
      expect(await refusalOf(call('freezeAccount', again, { caller: officer(), params }))).toBe('order_executed')
      expect(await ground.account(target.number)).toMatchObject({ frozen: 1n })
    })

    test('the entry names the act, and the act’s record commits to the entry', async () => {
      const { call, params, ground } = await open()
      const { order, entry } = await call('freezeAccount', anOrder(), { caller: officer(), params })
      const [row] = await ground.store.read('SELECT number, raw FROM cbdc_entries WHERE number = ?', [Number(entry)])
      const raw = row?.['raw'] as Buffer
      expect(decodeEntry(raw)).toMatchObject({ kind: 'freeze', order: String(order).replaceAll('-', '') })
      const [record] = await ground.store.read('SELECT record FROM journal_details WHERE id = ?', [String(order)])
      const leaf = entryLeaf({ number: Number(entry), raw }).toString('hex')
      expect(String(record?.['record'])).toContain(leaf)
    })

    test('two at once under one order freeze once', async () => {
      const { call, params, ground, target } = await open()
      const body = { amountMinor: '5', ...anOrder() }
      const codes = await Promise.all(
        [1, 2, 3].map(() => refusalOf(call('freezeAccount', body, { caller: officer(), params }))),
      )
      expect(codes.sort()).toEqual(['order_executed', 'order_executed', undefined])
      expect(await ground.account(target.number)).toMatchObject({ frozen: 5n })
    })

    test('the same idempotency key gives the same answer', async () => {
      const { call, params, ground, target } = await open()
      const body = { amountMinor: '5', ...anOrder() }
      const how = { caller: officer(), params, key: 'k1' }
      expect(await call('freezeAccount', body, how)).toEqual(await call('freezeAccount', body, how))
      expect(await ground.account(target.number)).toMatchObject({ frozen: 5n })
    })

    test.each([
      ['999999', 'account_unknown'],
      ['9999999999', 'account_unknown'],
    ])('account %s is refused with %s', async (account, code) => {
      const { call } = await open()
      const how = { caller: officer(), params: { account } }
      expect(await refusalOf(call('freezeAccount', anOrder(), how))).toBe(code)
    })

    test('an amount beyond 2^63 − 1 is refused', async () => {
      const { call, params } = await open()
      const body = { amountMinor: '9223372036854775808', ...anOrder() }
      expect(await refusalOf(call('freezeAccount', body, { caller: officer(), params }))).toBe('amount_too_large')
    })
  })

  test.each(['freezeAccount', 'seizeFunds', 'closeAccount', 'orderKeyChange'])(
    '%s is not about accounts of the currency itself: taken from issuance it would be new money',
    async operation => {
      const { call, ground } = await open()
      const bodies = { seizeFunds: { amountMinor: '1', to: own.bank }, orderKeyChange: secp256k1Owner().key }
      const body = { ...(bodies as Record<string, object>)[operation], ...anOrder() }
      for (const account of [own.issuance, own.fees, own.rail, own.suspense, own.interest, own.treasury]) {
        const how = { caller: both(), params: { account: String(account) } }
        expect(await refusalOf(call(operation, body, how))).toBe('account_of_currency')
      }
      expect(await ground.account(own.bank)).toMatchObject({ creditsPosted: 0n })
    },
  )

  describe('unfreezeAccount', () => {
    test('lifts that freeze, and no other', async () => {
      const { call, params, ground, target } = await open()
      const first = await call('freezeAccount', { amountMinor: '300', ...anOrder() }, { caller: officer(), params })
      await call('freezeAccount', { amountMinor: '50', ...anOrder() }, { caller: officer(), params })
      const how = { caller: both(), params: { ...params, order: String(first['order']) } }
      await call('unfreezeAccount', anOrder(), how)
      expect(await ground.account(target.number)).toMatchObject({ frozen: 50n })
      expect(await refusalOf(call('unfreezeAccount', anOrder(), how))).toBe('freeze_not_standing')
    })

    test('a freeze of another account is unknown here', async () => {
      const { call, params, other } = await open()
      const { order } = await call('freezeAccount', anOrder(), { caller: officer(), params })
      const how = { caller: both(), params: { account: String(other.number), order: String(order) } }
      expect(await refusalOf(call('unfreezeAccount', anOrder(), how))).toBe('freeze_not_standing')
    })

    test('one officer does not do', async () => {
      const { call, params } = await open()
      const { order } = await call('freezeAccount', anOrder(), { caller: officer(), params })
      const how = { caller: officer(), params: { ...params, order: String(order) } }
      expect(await refusalOf(call('unfreezeAccount', anOrder(), how))).toBe('approval_missing')
    })
  })

  describe('seizeFunds', () => {
    test('takes to the treasury, and out of the freeze that it executes first', async () => {
      const { call, params, ground, target } = await open()
      const { order: freeze } = await call(
        'freezeAccount',
        { amountMinor: '600', ...anOrder() },
        { caller: officer(), params },
      )
      await call('seizeFunds', { amountMinor: '400', freeze, ...anOrder() }, { caller: both(), params })
      expect(await ground.account(target.number)).toMatchObject({ frozen: 200n, debitsPosted: 400n, held: 600n })
      expect(await ground.account(own.treasury)).toMatchObject({ creditsPosted: 400n })
      await call('seizeFunds', { amountMinor: '500', freeze, ...anOrder() }, { caller: both(), params })
      expect(await ground.account(target.number)).toMatchObject({ frozen: 0n, debitsPosted: 900n })
      const how = { caller: both(), params: { ...params, order: String(freeze) } }
      expect(await refusalOf(call('unfreezeAccount', anOrder(), how))).toBe('freeze_not_standing')
    })

    test('what is left of a freeze is what lifting it frees', async () => {
      const { call, params, ground, target, pay } = await open()
      const { order } = await call('freezeAccount', { amountMinor: '600', ...anOrder() }, { caller: officer(), params })
      await call('seizeFunds', { amountMinor: '100', freeze: order, ...anOrder() }, { caller: both(), params })
      const how = { caller: both(), params: { ...params, order: String(order) } }
      expect(await call('unfreezeAccount', anOrder(), how)).toMatchObject({ amountMinor: '500' })
      expect(await ground.account(target.number)).toMatchObject({ frozen: 0n })
      await pay(900n, 0)
    })

    test('goes past a freeze of the whole account, which stands on', async () => {
      const { call, params, ground, target, other } = await open()
      await call('freezeAccount', anOrder(), { caller: officer(), params })
      await call('seizeFunds', { amountMinor: '1000', to: other.number, ...anOrder() }, { caller: both(), params })
      expect(await ground.account(target.number)).toMatchObject({ holds: 1, debitsPosted: 1_000n })
      expect(await ground.account(other.number)).toMatchObject({ creditsPosted: 1_000n })
    })

    test('is not executed twice, and moves nothing the second time', async () => {
      const { call, params, ground } = await open()
      const body = { amountMinor: '100', ...anOrder() }
      await call('seizeFunds', body, { caller: both(), params })
      expect(await refusalOf(call('seizeFunds', body, { caller: both(), params }))).toBe('order_executed')
      expect(await ground.account(own.treasury)).toMatchObject({ creditsPosted: 100n })
    })

    test('an order that could not be executed is not used up', async () => {
      const { call, params } = await open()
      const body = { amountMinor: '1001', ...anOrder() }
      expect(await refusalOf(call('seizeFunds', body, { caller: both(), params }))).toBe('funds_insufficient')
      await call('seizeFunds', { ...body, amountMinor: '1000' }, { caller: both(), params })
    })

    test('leaves what another order holds', async () => {
      const { call, params } = await open()
      await call('freezeAccount', { amountMinor: '500', ...anOrder() }, { caller: officer(), params })
      const body = { amountMinor: '501', ...anOrder() }
      expect(await refusalOf(call('seizeFunds', body, { caller: both(), params }))).toBe('funds_insufficient')
    })

    test('a currency without a treasury needs the account named', async () => {
      const ground = await fresh()
      const { call } = openOffice(ground)
      const { number } = await ground.customer(secp256k1Owner(), {}, 5n)
      const how = { caller: both(), params: { account: String(number) } }
      expect(await refusalOf(call('seizeFunds', { amountMinor: '5', ...anOrder() }, how))).toBe('treasury_missing')
    })

    test('one officer does not do', async () => {
      const { call, params } = await open()
      const body = { amountMinor: '1', ...anOrder() }
      expect(await refusalOf(call('seizeFunds', body, { caller: officer(), params }))).toBe('approval_missing')
    })
  })
})
