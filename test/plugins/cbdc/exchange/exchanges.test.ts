import type { EntryOf } from '../../../../src/kernel/ledger-entry.ts'
import { expectFolded } from '../folded.ts'
import { type Ground, onBothLedgers, openGround, own } from '../ground.ts'
import { refusalOf } from '../orders/office.ts'
import { customerCaller, openMarket, openTrading } from './trading.ts'

const bankOne = `did:ethr:0x7a69:0x${'c1'.repeat(20)}`
const bankTwo = `did:ethr:0x7a69:0x${'c2'.repeat(20)}`

onBothLedgers(({ fresh, place }) => {
  const open = async () => {
    const ground = await fresh()
    return { ground, ...(await openMarket(ground)) }
  }

  test('both payments are entered together, and each side learns its own balance', async () => {
    const { ground, alice, bob, as, offered, counter, terms, balances } = await open()
    const record = offered({ fee: 1 })
    const offer = await as(alice.crd, 'offerExchange', { ...record, ...terms() })
    expect(offer).toMatchObject({ status: 201, id: record.id, state: 'open', amountMinor: '300' })
    expect(await balances()).toEqual([1_000n, 0n, 500n, 0n])
    expect(await as(bob.ecu, 'getExchange', undefined, record.id)).toMatchObject({ state: 'open' })
    const done = await as(bob.ecu, 'acceptExchange', counter(), record.id)
    expect(done).toMatchObject({ state: 'settled', balanceMinor: '460' })
    expect(await balances()).toEqual([699n, 300n, 460n, 40n])
    const seen = await as(alice.crd, 'getExchange', undefined, record.id)
    expect(seen).toMatchObject({ state: 'settled', entry: done['entry'], counterEntry: done['counterEntry'] })
    expect(seen).not.toHaveProperty('balanceMinor')
    const entries = await ground.store.read<{ batch: number }>(
      'SELECT batch FROM cbdc_entries WHERE number IN (?, ?)',
      [...[done['entry'] as number, done['counterEntry'] as number]],
    )
    expect(new Set(entries.map(({ batch }) => batch)).size).toBe(1)
    await expectFolded(ground.store)
  })

  test('two banks exchange on their reserve accounts, and a bank for whom it serves', async () => {
    const ground = await fresh()
    const trading = await openTrading(ground)
    const [one, oneTo] = [await trading.bank(1, bankOne, 900n), await trading.bank(2, bankOne)]
    const [two, twoTo] = [await trading.bank(2, bankTwo, 80n), await trading.bank(1, bankTwo)]
    const record = trading.pay(one, twoTo.number, 900n)
    const terms = { counterFrom: two.number, counterTo: oneTo.number, counterCurrency: 2, counterAmountMinor: '80' }
    await trading.as(one, 'offerExchange', { ...record, ...terms })
    await trading.as(two, 'acceptExchange', trading.pay(two, oneTo.number, 80n), record.id)
    for (const [bank, amount] of [
      [one, 0n],
      [twoTo, 900n],
      [two, 0n],
      [oneTo, 80n],
    ] as const) {
      expect(await trading.balance(bank.number)).toBe(amount)
    }
    const served = await trading.customer(1, 50n, { servicer: twoTo.number })
    const second = trading.pay(served, one.number, 50n)
    const back = { ...terms, counterFrom: oneTo.number, counterTo: two.number, counterAmountMinor: '5' }
    expect(await refusalOf(trading.as(one, 'offerExchange', { ...second, ...back }))).toBe('servicer_differs')
    await trading.as(two, 'offerExchange', { ...second, ...back })
    await trading.as(one, 'acceptExchange', trading.pay(oneTo, two.number, 5n), second.id)
    expect(await trading.balance(two.number)).toBe(5n)
    await expectFolded(ground.store)
  })

  test('what does not make two payments of two owners is refused by name', async () => {
    const { ground, alice, bob, as, pay, offered, terms, customer } = await open()
    const offer = (record: object, over: Record<string, unknown> = {}, by = alice.crd) =>
      refusalOf(as(by, 'offerExchange', { ...record, ...terms(over) }))
    expect(
      await offer(offered({}), { counterCurrency: 1, counterFrom: bob.crd.number, counterTo: alice.crd.number }),
    ).toBe('exchange_currency')
    expect(await offer(offered(), { counterCurrency: 3 })).toBe('currency_unknown')
    expect(await offer(offered(), { counterAmountMinor: '0' })).toBe('amount_not_positive')
    expect(await offer(offered(), { counterAmountMinor: '9999999999999999999' })).toBe('amount_too_large')
    expect(await offer(offered(), { counterFrom: alice.ecu.number })).toBe('account_same')
    expect(await offer(offered({ to: alice.crd.number }))).toBe('account_same')
    for (const unknown of [999_999, own.suspense, bob.crd.number]) {
      expect(await offer(offered(), { counterFrom: unknown })).toBe('payee_cannot_receive')
      expect(await offer(offered(), { counterTo: unknown })).toBe('payee_cannot_receive')
    }
    for (const to of [999_999, own.fees, bob.ecu.number]) {
      expect(await offer(offered({ to }))).toBe('payee_cannot_receive')
    }
    expect(await offer(offered(), {}, bob.crd)).toBe('account_not_yours')
    expect(await offer(offered(), {}, bob.ecu)).toBe('pseudonym_missing')
    expect(await offer(offered({ from: 999_999 }))).toBe('account_not_yours')
    expect(await offer(pay(bob.ecu, alice.ecu.number, 1n, { from: alice.crd.number, currency: 1 }))).toBe(
      'signature_invalid',
    )
    expect(await offer(offered({ currency: 2 }))).toBe('pseudonym_missing')
    expect(await offer(offered({ amount: 0n }))).toBe('amount_not_positive')
    expect(await offer(offered({ validUntil: Math.floor(ground.state.now / 1_000) }))).toBe('transfer_expired')
    expect(await offer(offered({ validUntil: Math.floor(ground.state.now / 1_000) + 86_460 }))).toBe(
      'exchange_validity',
    )
    expect(await offer(offered({}, '0196d8a0-0000-4000-8000-000000000000'))).toBe('transfer_id_not_current')
    const { owner } = alice.crd
    const sameOwner = await ground.openOne(owner.key, { class: 'person', level: 2 }, 0, 2)
    expect(await offer(offered(), { counterFrom: sameOwner })).toBe('exchange_self')
    expect(await as(alice.crd, 'offerExchange', { ...offered(), ...terms() })).toMatchObject({ state: 'open' })
    const third = await customer(1, 5n)
    expect(
      await offer(offered(), {}, { ...third, party: 'institution', caller: { kind: 'agency', id: bankOne } }),
    ).toBe('participant_unknown')
    const { caller } = alice.crd
    expect(await offer(offered(), {}, { ...alice.crd, caller, party: 'officer' })).toBe('case_unknown')
  })

  test('a bank does not exchange with itself, nor by a body that it did not sign', async () => {
    const ground = await fresh()
    const trading = await openTrading(ground)
    const [crd, ecu, other] = [
      await trading.bank(1, bankOne, 10n),
      await trading.bank(2, bankOne, 10n),
      await trading.bank(1, bankTwo),
    ]
    const otherTo = await trading.bank(2, bankTwo)
    const record = trading.pay(crd, other.number, 10n)
    const terms = { counterFrom: ecu.number, counterTo: otherTo.number, counterCurrency: 2, counterAmountMinor: '5' }
    expect(await refusalOf(trading.as(crd, 'offerExchange', { ...record, ...terms }))).toBe('exchange_self')
    const caller = { kind: 'agency', id: bankOne, bodySha256: 'x' } as const
    const { desk } = ground
    const { offerExchange } = await import('../../../../src/plugins/cbdc/actions/exchange/offer.ts')
    const bare = { params: { party: 'institution' }, query: {}, headers: {}, publicUrl: '' }
    expect(await refusalOf(offerExchange(desk, { ...bare, caller, body: { ...record, ...terms } }))).toBe(
      'agency_body_mismatch',
    )
  })

  test('the same offer gets the same answer; its id stands for nothing else', async () => {
    const { ground, alice, as, offered, terms } = await open()
    const record = offered()
    const first = await as(alice.crd, 'offerExchange', { ...record, ...terms() })
    expect(await as(alice.crd, 'offerExchange', { ...record, ...terms() })).toEqual(first)
    const other = refusalOf(as(alice.crd, 'offerExchange', { ...record, ...terms({ counterAmountMinor: '41' }) }))
    expect(await other).toBe('transfer_id_taken')
    const changed = offered({ amount: 301n }, record.id)
    expect(await refusalOf(as(alice.crd, 'offerExchange', { ...changed, ...terms() }))).toBe('transfer_id_taken')
    const paid = offered()
    await ground.submit(paid)
    expect(await refusalOf(as(alice.crd, 'offerExchange', { ...paid, ...terms() }))).toBe('nonce_mismatch')
  })

  test('only the exact counter payment, by its owner, settles', async () => {
    const { alice, bob, as, offered, counter, terms, balances, customer } = await open()
    const record = offered()
    await as(alice.crd, 'offerExchange', { ...record, ...terms() })
    const accept = (body: unknown, by = bob.ecu, id = record.id) => refusalOf(as(by, 'acceptExchange', body, id))
    expect(await accept(counter({ amount: 39n }))).toBe('exchange_leg')
    expect(await accept(counter({ amount: 41n }))).toBe('exchange_leg')
    expect(await accept(counter({ to: bob.crd.number }))).toBe('exchange_leg')
    expect(await accept(counter({ currency: 1 }))).toBe('exchange_leg')
    expect(await accept(counter(), alice.crd)).toBe('exchange_unknown')
    expect(await accept(counter(), await customer(2, 40n))).toBe('exchange_unknown')
    expect(await accept(counter(), bob.crd)).toBe('exchange_unknown')
    expect(await accept(counter(), bob.ecu, '0196d8a0-0000-7000-8000-000000000000')).toBe('exchange_unknown')
    expect(await accept(counter({ nonce: 1 }))).toBe('nonce_mismatch')
    expect(await accept({ ...counter(), record: counter().record.slice(0, 100) })).toBe('record_malformed')
    expect(await balances()).toEqual([1_000n, 0n, 500n, 0n])
    expect(await refusalOf(as(await customer(1), 'getExchange', undefined, record.id))).toBe('exchange_unknown')
  })

  test('an offer whose payer paid otherwise meanwhile is stale, and says nothing else', async () => {
    const { ground, alice, bob, as, pay, offered, counter, terms, balances } = await open()
    const record = offered()
    await as(alice.crd, 'offerExchange', { ...record, ...terms() })
    await ground.submit(pay(alice.crd, bob.crd.number, 1n))
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter(), record.id))).toBe('offer_stale')
    expect(await balances()).toEqual([999n, 1n, 500n, 0n])
    expect(await ground.account(bob.ecu.number)).toMatchObject({ nonce: 0 })
    const poor = offered({ nonce: 1, amount: 5_000n })
    await as(alice.crd, 'offerExchange', { ...poor, ...terms() })
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter(), poor.id))).toBe('offer_stale')
    const dear = await openMarket(await fresh())
    const much = dear.pay(dear.alice.crd, dear.bob.crd.number, 1_000n, { fee: 1 })
    await dear.as(dear.alice.crd, 'offerExchange', { ...much, ...dear.terms() })
    expect(await refusalOf(dear.as(dear.bob.ecu, 'acceptExchange', dear.counter(), much.id))).toBe('offer_stale')
    await dear.mint(dear.alice.crd.number, 1, 1n)
    expect(await dear.as(dear.bob.ecu, 'acceptExchange', dear.counter(), much.id)).toMatchObject({ state: 'settled' })
  })

  test('whoever cannot pay the counter payment does not learn whether the offer holds', async () => {
    const { ground, alice, bob, as, pay, offered, terms, customer } = await open()
    const poor = await customer(2)
    const record = offered()
    await as(alice.crd, 'offerExchange', { ...record, ...terms({ counterFrom: poor.number }) })
    const accept = () => refusalOf(as(poor, 'acceptExchange', pay(poor, alice.ecu.number, 40n), record.id))
    expect(await accept()).toBe('funds_insufficient')
    await ground.submit(pay(alice.crd, bob.crd.number, 1n))
    expect(await accept()).toBe('funds_insufficient')
  })

  test('policy judges both payers', async () => {
    const { ground, alice, bob, as, offered, counter, terms, balances, pay, customer } = await open()
    const record = offered()
    await as(alice.crd, 'offerExchange', { ...record, ...terms() })
    const { kyc } = await ground.account(alice.crd.number)
    const place = (of: typeof kyc) => `${of?.issuer}/${of?.list}/${of?.index}`
    ground.state.revoked.add(place(kyc))
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter(), record.id))).toBe('offer_stale')
    ground.state.revoked.clear()
    const other = (await ground.account(bob.ecu.number)).kyc
    ground.state.revoked.add(place(other))
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter(), record.id))).toBe('kyc_not_in_force')
    ground.state.revoked.clear()
    const third = await ground.account(alice.ecu.number)
    ground.state.revoked.add(place(third.kyc))
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter(), record.id))).toBe('payee_cannot_receive')
    ground.state.revoked.clear()
    expect(await balances()).toEqual([1_000n, 0n, 500n, 0n])
    const small = await customer(1, 20_000n, { level: 1 })
    const great = pay(small, bob.crd.number, 10_001n)
    await as(small, 'offerExchange', { ...great, ...terms() })
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter(), great.id))).toBe('offer_stale')
    await as(bob.ecu, 'acceptExchange', counter(), record.id)
    expect(await ground.account(alice.crd.number)).toMatchObject({ spent: 300n })
    expect(await ground.account(bob.ecu.number)).toMatchObject({ spent: 40n })
  })

  test('one payment is the price of one offer only', async () => {
    const { ground, alice, bob, as, offered, counter, terms, balances } = await open()
    const [first, second] = [offered(), offered({ nonce: 1, amount: 200n })]
    await as(alice.crd, 'offerExchange', { ...first, ...terms() })
    await as(alice.crd, 'offerExchange', { ...second, ...terms() })
    const price = counter()
    await as(bob.ecu, 'acceptExchange', price, first.id)
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', price, second.id))).toBe('transfer_id_taken')
    const paid = counter({ nonce: 1 })
    await ground.submit(paid)
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', paid, second.id))).toBe('transfer_id_taken')
    // The offered payment, handed in by itself, is no longer there to be exchanged.
    await ground.submit(second)
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter({ nonce: 2 }), second.id))).toBe('offer_stale')
    // Nor does a payment made before tell whether an offer holds.
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', price, second.id))).toBe('transfer_id_taken')
    expect(await balances()).toEqual([500n, 500n, 420n, 80n])
    expect(await ground.account(bob.ecu.number)).toMatchObject({ nonce: 2 })
    await expectFolded(ground.store)
  })

  test('an offer ends once: settled, withdrawn, or by its time', async () => {
    const { ground, alice, bob, as, offered, counter, terms, balances } = await open()
    const record = offered()
    await as(alice.crd, 'offerExchange', { ...record, ...terms() })
    expect(await refusalOf(as(bob.ecu, 'withdrawExchange', {}, record.id))).toBe('exchange_unknown')
    expect(await as(alice.crd, 'withdrawExchange', {}, record.id)).toMatchObject({ state: 'withdrawn' })
    expect(await refusalOf(as(alice.crd, 'withdrawExchange', {}, record.id))).toBe('exchange_ended')
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter(), record.id))).toBe('exchange_ended')
    expect(await refusalOf(as(alice.crd, 'offerExchange', { ...record, ...terms() }))).toBe('exchange_ended')
    const [row] = await ground.store.read('SELECT raw FROM cbdc_exchanges WHERE id = ?', [record.id])
    expect(row?.['raw']).toBeNull()
    const short = offered({ validUntil: Math.floor(ground.state.now / 1_000) + 60 })
    await as(alice.crd, 'offerExchange', { ...short, ...terms() })
    ground.state.now += 60_000
    expect(await as(bob.ecu, 'getExchange', undefined, short.id)).toMatchObject({ state: 'expired' })
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter(), short.id))).toBe('exchange_ended')
    expect(await refusalOf(as(alice.crd, 'withdrawExchange', {}, short.id))).toBe('exchange_ended')
    const good = offered()
    await as(alice.crd, 'offerExchange', { ...good, ...terms() })
    await as(bob.ecu, 'acceptExchange', counter(), good.id)
    expect(await refusalOf(as(alice.crd, 'withdrawExchange', {}, good.id))).toBe('exchange_ended')
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter({ nonce: 1 }), good.id))).toBe('exchange_ended')
    expect(await balances()).toEqual([700n, 300n, 460n, 40n])
  })

  test('a key changed after the offer makes it stale', async () => {
    const { ground, alice, bob, as, offered, counter, terms, balances } = await open()
    const record = offered({ nonce: 1 })
    await as(alice.crd, 'offerExchange', { ...record, ...terms() })
    const { key } = bob.crd.owner
    const change: EntryOf<'keyChange'> = {
      ...{ kind: 'keyChange', account: alice.crd.number, ...key, nonce: 0, signature: '' },
      validUntil: Math.floor(ground.state.now / 1_000) + 3_600,
    }
    await ground.submit(ground.signed(alice.crd.owner, change))
    expect(await refusalOf(as(bob.ecu, 'acceptExchange', counter(), record.id))).toBe('offer_stale')
    expect(await balances()).toEqual([1_000n, 0n, 500n, 0n])
  })

  test('an account has at most a hundred offers at a time', async () => {
    const { ground, alice, as, offered, terms } = await open()
    const rows = Array.from({ length: 100 }, (_, at) => ({
      ...{
        id: `offer-${at}`,
        state: 'open',
        raw: Buffer.alloc(1),
        valid_until: Math.floor(ground.state.now / 1_000) + 9,
      },
      ...{ payer: alice.crd.number, payee: 1, currency: 1, amount: '1', counter_payer: 1, counter_payee: 1 },
      ...{ counter_currency: 2, counter_amount: '1', offered_at: ground.state.now },
    }))
    await ground.store.transaction(async tx => tx.insert('cbdc_exchanges', rows))
    expect(await refusalOf(as(alice.crd, 'offerExchange', { ...offered(), ...terms() }))).toBe('exchange_full')
    ground.state.now += 10_000
    expect(await as(alice.crd, 'offerExchange', { ...offered(), ...terms() })).toMatchObject({ state: 'open' })
  })

  test('of two processes that accept at once one settles, and a repeated request is answered as before', async () => {
    const where = await place()
    const grounds: Ground[] = [await openGround(where)]
    try {
      const [first] = grounds as [Ground]
      await first.found()
      const market = await openMarket(first)
      const { alice, bob, as, offered, counter, terms } = market
      const record = offered()
      await as(alice.crd, 'offerExchange', { ...record, ...terms() })
      const other = await openGround(where)
      grounds.push(other)
      const { callerOf } = await import('./trading.ts')
      const elsewhere = callerOf(other)
      const params = { party: 'customer', exchange: record.id }
      const tries = await Promise.allSettled([
        as(bob.ecu, 'acceptExchange', counter(), record.id),
        elsewhere('acceptExchange', counter(), { caller: bob.ecu.caller, params }),
        as(bob.ecu, 'acceptExchange', counter(), record.id),
        elsewhere('acceptExchange', counter(), { caller: bob.ecu.caller, params }),
      ])
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      const codes = tries.flatMap(each => (each.status === 'rejected' ? [(each.reason as { code: string }).code] : []))
      expect(codes).toEqual(['exchange_ended', 'exchange_ended', 'exchange_ended'])
      expect(await market.balances()).toEqual([700n, 300n, 460n, 40n])
      const again = offered({ nonce: 1 })
      await as(alice.crd, 'offerExchange', { ...again, ...terms() })
      const price = counter({ nonce: 1 })
      const answered = await as(bob.ecu, 'acceptExchange', price, again.id, 'key-1')
      expect(
        await elsewhere('acceptExchange', price, {
          caller: bob.ecu.caller,
          params: { ...params, exchange: again.id },
          key: 'key-1',
        }),
      ).toEqual(answered)
      await expectFolded(first.store)
    } finally {
      for (const ground of grounds) await ground.close()
    }
  })

  test('who presents the pseudonym of neither currency is no party', async () => {
    const { alice, as, offered, terms } = await open()
    const record = offered()
    await as(alice.crd, 'offerExchange', { ...record, ...terms() })
    const stranger = { caller: customerCaller('person-1', 3), party: 'customer' }
    expect(await refusalOf(as(stranger, 'getExchange', undefined, record.id))).toBe('exchange_unknown')
    expect(
      await refusalOf(
        as({ caller: { kind: 'agency', id: bankOne }, party: 'institution' }, 'getExchange', undefined, record.id),
      ),
    ).toBe('participant_unknown')
  })
})
