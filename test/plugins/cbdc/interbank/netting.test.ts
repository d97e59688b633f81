import { type EntryOf, encodeEntry } from '../../../../src/kernel/ledger-entry.ts'
import { resolveClosedWindows } from '../../../../src/plugins/cbdc/actions/interbank/rounds.ts'
import { expectFolded } from '../folded.ts'
import { type Ground, onBothLedgers, own } from '../ground.ts'
import { noFence, refusalOf } from '../orders/office.ts'
import { type Answered, type Bank, type Banks, openBanks, settings } from './banks.ts'

const minute = 60_000

/** A window of ten minutes over banks. */
const openNetting = async (ground: Ground, funds: readonly bigint[]) => {
  const opened = await openBanks(ground, funds)
  const { as, asOfficer, bank } = opened
  const closesAt = ground.state.now + 10 * minute
  const openBody = { currency: 1, closesAt: new Date(closesAt).toISOString() }
  const window = await asOfficer('openNettingWindow', openBody)
  const params = { window: String(window['id']) }
  const clearing = Number(window['clearing'])
  const expiry = Math.ceil(closesAt / 1_000) + 3_600
  /** A reservation to the clearing account as its bank signs it. */
  const funded = async (from: Bank, amount: bigint, over: Partial<EntryOf<'reserve'>> = {}) => {
    const { nonce } = await ground.account(from.account)
    return ground.signed(from.owner, {
      ...{ kind: 'reserve', from: from.account, to: clearing, currency: 1, amount, fee: 0, expiry, nonce },
      ...{ lockHash: '00'.repeat(32), arbiter: 0, validUntil: expiry, signature: '', ...over },
    })
  }
  const join = async (at: number, amount: bigint, more: Record<string, unknown> = {}): Promise<Answered> => {
    const body = amount === 0n ? more : { funds: await funded(bank(at), amount), ...more }
    return as(bank(at), 'joinNetting', body, { params })
  }
  const owe = (from: number, ...list: [to: number, amount: bigint, priority?: number][]): Promise<Answered> => {
    const obligations = list.map(([to, amount, priority = 5]) => ({
      ...{ id: ground.newId(), payee: bank(to).account, amountMinor: String(amount), priority },
    }))
    return as(bank(from), 'submitObligations', { obligations }, { params })
  }
  return {
    ...{ ...opened, window, params, clearing, openBody, funded, join, owe, ground },
    close() {
      ground.state.now = closesAt
    },
    resolve: () => asOfficer('resolveNetting', {}, { params }),
    view: (at: number) => as(bank(at), 'getNettingWindow', undefined, { params }),
  }
}

const statesOf = (view: Answered): unknown[] => (view['items'] as { state: string }[]).map(({ state }) => state)

/** What stands on the ledger is what its entries make of it, and every signature is of the key that had to sign. */
const expectSound = async ({ ground }: { ground: Ground }): Promise<void> => {
  const { claims } = await expectFolded(ground.store)
  const records = claims.map(({ entry }) => ({ record: encodeEntry(entry).toString('base64url') }))
  const items = await ground.desk.attest(records)
  expect(items.map(({ signer }) => signer)).toEqual(claims.map(({ key }) => key))
}

onBothLedgers(({ fresh }) => {
  const open = async (...funds: bigint[]): Promise<Banks & Awaited<ReturnType<typeof openNetting>>> =>
    openNetting(await fresh(settings), funds)

  test('a ring in which nobody has money is discharged, and nothing moves', async () => {
    const world = await open(0n, 0n, 0n)
    for (const at of [0, 1, 2]) await world.join(at, 0n)
    await world.owe(0, [1, 100n])
    await world.owe(1, [2, 100n])
    await world.owe(2, [0, 100n])
    world.close()
    expect(await world.resolve()).toMatchObject({ settled: 3, left: 0, settledMinor: '300', movedMinor: '0' })
    expect(await world.balances()).toEqual([0n, 0n, 0n])
    expect(await world.view(0)).toMatchObject({ state: 'resolved', netMinor: '0' })
    expect(statesOf(await world.view(0))).toEqual(['settled', 'settled'])
  })

  test('who owes pays from what it reserved, gets back the rest, and who is owed is paid, in one batch', async () => {
    const world = await open(100n, 50n, 0n)
    await world.join(0, 80n)
    await world.join(1, 40n)
    await world.join(2, 0n)
    expect(await world.ground.account(world.bank(0).account)).toMatchObject({ debitsPending: 80n })
    await world.owe(0, [1, 100n], [2, 30n])
    await world.owe(1, [0, 60n], [2, 10n])
    world.close()
    const resolved = await world.resolve()
    expect(resolved).toMatchObject({ status: 201, settled: 4, left: 0, settledMinor: '200', movedMinor: '70' })
    expect(await world.balances()).toEqual([30n, 80n, 40n])
    for (const at of [0, 1, 2]) {
      const { account } = world.bank(at)
      expect(await world.ground.account(account)).toMatchObject({ debitsPending: 0n, creditsPending: 0n })
    }
    const clearing = await world.ground.account(world.clearing)
    expect(clearing.creditsPosted).toBe(clearing.debitsPosted)
    expect(await world.view(0)).toMatchObject({ netMinor: '-70' })
    expect(await world.view(1)).toMatchObject({ netMinor: '30' })
    await expectSound(world)
  })

  test('the last and least urgent of a bank beyond its funds is left, whatever else it has', async () => {
    const world = await open(1_000n, 0n)
    await world.join(0, 50n)
    await world.join(1, 0n)
    await world.owe(0, [1, 40n, 1], [1, 45n, 9])
    world.close()
    expect(await world.resolve()).toMatchObject({ settled: 1, left: 1, settledMinor: '45' })
    expect(await world.balances()).toEqual([955n, 45n])
    expect(statesOf(await world.view(0))).toEqual(['left', 'settled'])
  })

  test('caps of a bank hold below its funds, to all and to one', async () => {
    const world = await open(1_000n, 0n, 0n)
    const bilateral = [{ account: world.bank(1).account, capMinor: '10' }]
    await world.join(0, 500n, { capMinor: '60', bilateral })
    await world.join(1, 0n)
    await world.join(2, 0n)
    await world.owe(0, [1, 11n], [2, 50n], [1, 10n], [2, 1n])
    world.close()
    expect(await world.resolve()).toMatchObject({ settled: 2, left: 2 })
    expect(await world.balances()).toEqual([940n, 10n, 50n])
  })

  test('what is owed to who does not take part is left, and so is all of a bank that is frozen by then', async () => {
    const world = await open(100n, 100n, 100n, 0n)
    for (const at of [0, 1, 2]) await world.join(at, 100n)
    await world.owe(0, [3, 10n], [1, 20n])
    await world.owe(1, [2, 20n])
    await world.owe(2, [1, 5n])
    const order = '00'.repeat(16)
    const { account } = world.bank(2)
    await world.ground.execute([[{ entry: { kind: 'freeze', account, amount: 0n, order }, signer: undefined }]])
    world.close()
    expect(await world.resolve()).toMatchObject({ settled: 1, left: 3 })
    expect(await world.balances()).toEqual([80n, 120n, 100n, 0n])
    expect(await world.ground.account(account)).toMatchObject({ debitsPending: 0n })
    await expectSound(world)
  })

  test('funds whose reservation has expired before the resolution count for nothing', async () => {
    const world = await open(100n, 0n)
    await world.join(0, 100n)
    await world.join(1, 0n)
    await world.owe(0, [1, 10n])
    world.ground.state.now += 71 * minute
    expect(await world.resolve()).toMatchObject({ settled: 0, left: 1 })
    expect(await world.balances()).toEqual([100n, 0n])
    expect(await world.ground.account(world.bank(0).account)).toMatchObject({ debitsPending: 0n })
  })

  test('it settles as one or not at all', async () => {
    const world = await open(100n, 100n, 0n)
    await world.join(0, 50n)
    await world.join(1, 50n)
    await world.join(2, 0n)
    await world.owe(0, [2, 10n])
    await world.owe(1, [2, 10n])
    world.close()
    const { account } = world.bank(2)
    // The last entry of the chain fails: its payee has received as much as an account can.
    const setReceived = (sum: bigint) =>
      world.ground.store.transaction(async tx => {
        const sql = 'UPDATE cbdc_accounts SET credits_posted = ?, debits_posted = ? WHERE number = ?'
        await tx.query(sql, [String(sum), String(sum), account])
      })
    await setReceived(2n ** 63n - 1n)
    expect(await refusalOf(world.resolve())).toBe('payee_cannot_receive')
    expect(await world.balances()).toEqual([100n, 100n, 0n])
    expect(await world.view(0)).toMatchObject({ state: 'open' })
    expect(statesOf(await world.view(0))).toEqual(['open'])
    await setReceived(0n)
    expect(await world.resolve()).toMatchObject({ settled: 2 })
    expect(await world.balances()).toEqual([90n, 90n, 20n])
  })

  test('what a bank is paid goes on to what waits on its account, in the same act', async () => {
    const world = await open(100n, 0n, 0n)
    await world.settle(world.bank(1), world.signed(world.bank(1), world.bank(2).account, 30n))
    await world.join(0, 50n)
    await world.join(1, 0n)
    await world.owe(0, [1, 40n])
    world.close()
    await world.resolve()
    expect(await world.balances()).toEqual([60n, 10n, 30n])
  })

  test('the service resolves a closed window by itself, once, and only under its lease', async () => {
    const world = await open(100n, 0n)
    const { desk } = world.ground
    await world.join(0, 50n)
    await world.join(1, 0n)
    await world.owe(0, [1, 40n])
    expect(await resolveClosedWindows(desk, noFence)).toBe(0)
    world.close()
    const lost = async () => {
      throw new Error('the lease is gone')
    }
    await expect(resolveClosedWindows(desk, lost)).rejects.toThrow('the lease is gone')
    expect(await world.balances()).toEqual([100n, 0n])
    const both = await Promise.all([resolveClosedWindows(desk, noFence), resolveClosedWindows(desk, noFence)])
    expect(both.toSorted()).toEqual([0, 1])
    expect(await resolveClosedWindows(desk, noFence)).toBe(0)
    expect(await world.balances()).toEqual([60n, 40n])
  })

  test('the clearing account of a currency stays the same from window to window', async () => {
    const world = await open(100n, 0n)
    world.close()
    await world.resolve()
    const later = new Date(world.ground.state.now + minute).toISOString()
    const next = await world.asOfficer('openNettingWindow', { currency: 1, closesAt: later })
    expect(next).toMatchObject({ clearing: world.clearing })
    expect(next['id']).not.toBe(world.window['id'])
  })

  test('windows that may not be opened or resolved are refused by name', async () => {
    const world = await open(100n, 0n)
    const { now } = world.ground.state
    const opening = (at: number, currency = 1) =>
      refusalOf(world.asOfficer('openNettingWindow', { currency, closesAt: new Date(at).toISOString() }))
    expect(await opening(now + minute)).toBe('netting_standing')
    expect(await opening(now)).toBe('netting_closing')
    expect(await opening(now + 25 * 60 * minute)).toBe('netting_closing')
    expect(await opening(now + minute, 9)).toBe('currency_unknown')
    expect(await refusalOf(world.resolve())).toBe('netting_open')
    const unknown = { params: { window: world.ground.newId() } }
    expect(await refusalOf(world.asOfficer('resolveNetting', {}, unknown))).toBe('netting_unknown')
    expect(await refusalOf(world.call('resolveNetting', {}, { params: world.params }))).toBe('unauthenticated')
    world.close()
    await world.resolve()
    expect(await refusalOf(world.resolve())).toBe('netting_resolved')
  })

  test('who joins with what is no fund for this window is refused, and nothing is reserved', async () => {
    const world = await open(100n, 100n)
    const { bank, as, params, ground } = world
    const late = Math.floor(ground.state.now / 1_000) + 60 * 60
    const joining = async (over: Partial<EntryOf<'reserve'>>, more: Record<string, unknown> = {}) =>
      refusalOf(as(bank(0), 'joinNetting', { funds: await world.funded(bank(0), 50n, over), ...more }, { params }))
    expect(await joining({ to: bank(1).account })).toBe('netting_funds')
    expect(await joining({ from: bank(1).account })).toBe('netting_funds')
    expect(await joining({ lockHash: '11'.repeat(32) })).toBe('netting_funds')
    expect(await joining({ arbiter: bank(1).account })).toBe('netting_funds')
    expect(await joining({ expiry: late })).toBe('netting_funds')
    expect(await joining({ currency: 2 })).toBe('netting_funds')
    expect(await joining({ amount: 101n })).toBe('funds_insufficient')
    expect(await joining({ nonce: 7 })).toBe('nonce_mismatch')
    expect(await joining({}, { capMinor: '51' })).toBe('netting_cap')
    const above = [{ account: bank(1).account, capMinor: '9999999999999999999' }]
    expect(await joining({}, { bilateral: above })).toBe('netting_cap')
    const transfer = world.signed(bank(0), bank(1).account, 1n)
    const joinWith = (funds: unknown) => refusalOf(as(bank(0), 'joinNetting', { funds }, { params }))
    expect(await joinWith(transfer)).toBe('record_malformed')
    expect(await ground.account(bank(0).account)).toMatchObject({ nonce: 0, debitsPending: 0n })
    const elsewhere = await world.funded(bank(0), 5n)
    await ground.submit(elsewhere)
    expect(await joinWith(elsewhere)).toBe('transfer_id_taken')
    await world.join(0, 50n)
    expect(await refusalOf(world.join(0, 10n))).toBe('netting_joined')
    expect(await ground.account(bank(0).account)).toMatchObject({ nonce: 2, debitsPending: 55n })
    expect(await refusalOf(as({ did: 'did:ethr:0x7a69:0xff' }, 'joinNetting', {}, { params }))).toBe(
      'participant_unknown',
    )
    world.close()
    expect(await refusalOf(world.join(1, 0n))).toBe('netting_closed')
  })

  test('obligations that may not stand are refused, all that came with them as well', async () => {
    const world = await open(100n, 100n)
    const { ground, bank, as, params } = world
    expect(await refusalOf(world.owe(0, [1, 10n]))).toBe('netting_not_joined')
    await world.join(0, 50n)
    const person = await ground.customer()
    const one = (over: Record<string, unknown> = {}) => ({
      ...{ id: ground.newId(), payee: bank(1).account, amountMinor: '10', priority: 5, ...over },
    })
    const owing = (...obligations: unknown[]) =>
      refusalOf(as(bank(0), 'submitObligations', { obligations }, { params }))
    expect(await owing(one(), one({ amountMinor: '0' }))).toBe('amount_not_positive')
    expect(await owing(one({ amountMinor: '9223372036854775808' }))).toBe('amount_too_large')
    expect(await owing(one({ payee: bank(0).account }))).toBe('account_same')
    expect(await owing(one(), one({ payee: person.number }))).toBe('payee_cannot_receive')
    expect(await owing(one({ payee: own.treasury }))).toBe('payee_cannot_receive')
    expect(await owing(one({ payee: 999 }))).toBe('payee_cannot_receive')
    const twice = one()
    expect(await owing(twice, twice)).toBe('obligation_taken')
    expect(await ground.store.read('SELECT id FROM cbdc_obligations')).toEqual([])
    expect(await owing(twice)).toBeUndefined()
    expect(await owing(one(), twice)).toBe('obligation_taken')
    expect(statesOf(await world.view(0))).toEqual(['open'])
    await ground.store.transaction(async tx => {
      await tx.query('UPDATE cbdc_netting_windows SET obligations = 2000')
    })
    expect(await owing(one())).toBe('netting_full')
    const caller = { kind: 'agency', id: bank(0).did, bodySha256: 'other' } as const
    const body = { obligations: [one()] }
    expect(await refusalOf(world.call('submitObligations', body, { caller, params }))).toBe('agency_body_mismatch')
    expect(await refusalOf(world.call('joinNetting', {}, { caller, params }))).toBe('agency_body_mismatch')
    world.close()
    expect(await owing(one())).toBe('netting_closed')
  })

  test('nobody pays a clearing account but into a window', async () => {
    const world = await open(100n, 0n)
    const transfer = world.signed(world.bank(0), world.clearing, 10n)
    expect(await refusalOf(world.ground.submit(transfer))).toBe('payee_cannot_receive')
    expect(await refusalOf(world.settle(world.bank(0), transfer))).toBe('payee_cannot_receive')
  })

  test('a ledger that cannot sign for its own accounts opens no window', async () => {
    const { asOfficer } = await openBanks(await fresh(), [])
    const body = { currency: 1, closesAt: '2026-06-01T13:00:00Z' }
    expect(await refusalOf(asOfficer('openNettingWindow', body))).toBe('clearing_unavailable')
  })
})
