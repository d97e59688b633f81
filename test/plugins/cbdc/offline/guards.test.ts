import { Refusal } from '../../../../src/kernel/refusal.ts'
import type { Held } from '../../../../src/plugins/cbdc/actions/enter.ts'
import { loadPurses } from '../../../../src/plugins/cbdc/actions/offline/purses.ts'
import { retryVouchers } from '../../../../src/plugins/cbdc/actions/offline/upkeep.ts'
import { escheatDormant, flagDormant } from '../../../../src/plugins/cbdc/actions/orders/dormancy.ts'
import { executeKeyOrders } from '../../../../src/plugins/cbdc/actions/orders/upkeep.ts'
import { tryDeposit } from '../../../../src/plugins/cbdc/actions/rail/follow.ts'
import type { CurrencyPolicy } from '../../../../src/plugins/cbdc/ledger/limits.ts'
import { evidenceMost } from '../../../../src/plugins/cbdc/offline/policy.ts'
import { onBothLedgers, own, policy, secp256k1Owner } from '../ground.ts'
import { officer as anOfficer, anOrder, both, dayMs, noFence, openOffice, refusalOf } from '../orders/office.ts'
import { offlineSettings, openOffline, type Purse, terms } from './purse.ts'

/** What keeps payments offline from being a way around everything else. */
onBothLedgers(({ fresh }) => {
  const open = async (over: Partial<CurrencyPolicy> = {}) => {
    const { settings } = offlineSettings()
    const ground = await fresh({ ...settings, policy: { ...settings.policy, ...over } })
    const offline = openOffline(ground)
    const [anna, ben] = [await offline.payee({ level: 3 }), await offline.payee({ level: 3 })]
    const office = openOffice(ground)
    return { ...offline, ground, office, anna, ben }
  }
  type World = Awaited<ReturnType<typeof open>>
  const at = ({ number }: { number: number }) => ({ params: { account: String(number) } })
  const freeze = async ({ office }: World, account: { number: number }): Promise<string> =>
    String((await office.call('freezeAccount', anOrder(), { caller: anOfficer(), ...at(account) }))['order'])
  const unfreeze = ({ office }: World, { number }: { number: number }, order: string) =>
    office.call('unfreezeAccount', anOrder(), { caller: both(), params: { account: String(number), order } })
  /** Goes offline and spends the cap at once, so that the certificate has ended. */
  const spendAll = async ({ goOffline, voucher, sync, anna }: World, purse: Purse, body = {}): Promise<bigint> => {
    const given = await goOffline(purse, body)
    await sync(anna.caller, [voucher(purse, given, { place: 0, to: anna.number, amount: given.cap })])
    return given.cap
  }

  describe('limits of the day', () => {
    test('certificates of a day come to no more than the tier lets their owner pay, through whatever purses', async () => {
      const world = await open()
      const one = await world.purse(25_000n, secp256k1Owner(), 1)
      const person = { number: one.home, pseudonym: one.pseudonym, caller: one.caller }
      const other = await world.purse(25_000n, secp256k1Owner(), 1, person)
      expect(await spendAll(world, one)).toBe(10_000n)
      expect(await spendAll(world, one, { capMinor: '4000' })).toBe(4_000n)
      expect(await world.goOffline(other)).toMatchObject({ cap: 6_000n })
      expect(await refusalOf(world.goOffline(one))).toBe('limit_per_day')
      world.ground.state.now += dayMs
      expect(await world.goOffline(one)).toMatchObject({ cap: 10_000n })
    })

    test('what an owner brings to their own purse counts once, when it is certified or paid from there', async () => {
      const { ground, payee, purse: newPurse, goOffline } = await open()
      const person = await payee({ level: 1 })
      await ground.mint(person.number, 10_000n)
      const purse = await newPurse(0n, secp256k1Owner(), 1, person)
      await ground.submit(ground.signed(person.owner, ground.transfer(person.number, purse.number, 10_000n)))
      expect(await ground.account(person.number)).toMatchObject({ spent: 0n })
      expect(await goOffline(purse)).toMatchObject({ cap: 10_000n })
      expect(await ground.account(person.number)).toMatchObject({ spent: 10_000n })
    })
  })

  describe('a lost key', () => {
    const order = async ({ office }: World, purse: Purse) => {
      const { key } = secp256k1Owner()
      const { order: id } = await office.call(
        'orderKeyChange',
        { ...key, ...anOrder() },
        { caller: both(), ...at(purse) },
      )
      return String(id)
    }

    test('whoever has it cannot put off the order for another one by going offline', async () => {
      const world = await open()
      const purse = await world.purse(100n)
      await order(world, purse)
      expect(await refusalOf(world.goOffline(purse))).toBe('key_order_waiting')
    })

    test('that waits for the end of a certificate does not keep the round busy', async () => {
      const world = await open()
      const purse = await world.purse(100n)
      await world.goOffline(purse)
      await order(world, purse)
      world.ground.state.now += policy.keyOrderDelaySeconds * 1_000 + 1_000
      expect(await executeKeyOrders(world.ground.desk, noFence)).toBe(0)
      world.ground.state.now += (terms.certificateSeconds + terms.graceSeconds) * 1_000
      expect(await executeKeyOrders(world.ground.desk, noFence)).toBe(1)
      expect((await world.ground.account(purse.number)).key).not.toEqual(purse.owner.key)
    })

    test('that officers replaced accuses nobody any more: what it signs is recorded, and freezes nothing', async () => {
      const world = await open()
      const { anna, ben, ground, sync, voucher, misuses } = world
      const purse = await world.purse(100n)
      const given = await world.goOffline(purse)
      await sync(anna.caller, [voucher(purse, given, { place: 0, to: anna.number, amount: 100n })])
      const id = await order(world, purse)
      ground.state.now += policy.keyOrderDelaySeconds * 1_000 + 1_000
      await world.office.call('executeKeyOrder', {}, { caller: anOfficer(), params: { order: id } })
      const found = voucher(purse, given, { place: 0, to: ben.number, amount: 100n })
      expect(await sync(ben.caller, [found])).toMatchObject([[{ code: 'voucher_double_spent' }]])
      expect(await misuses()).toHaveLength(1)
      expect(await ground.account(purse.number)).toMatchObject({ holds: 0 })
    })
  })

  test('a flood of vouchers beyond the cap holds the ledger for few statements, and its answer stays small', async () => {
    const world = await open()
    const { ground, anna, voucher, sync, goOffline, misuses } = world
    const purse = await world.purse(1_000n)
    const given = await goOffline(purse)
    const paid = [0, 1, 2, 3].map(place => voucher(purse, given, { place, to: anna.number, amount: 250n }))
    await sync(anna.caller, paid.slice(0, 3))
    const flood = Array.from({ length: 5 }, (_, chain) =>
      Array.from({ length: 32 }, (_, at) =>
        voucher(purse, given, { place: 4, to: anna.number, amount: 1_000n + BigInt(32 * chain + at) }),
      ),
    )
    await sync(anna.caller, ...flood)
    let statements = 0
    const { transaction } = ground.store
    ground.store.transaction = work =>
      transaction(tx =>
        work({
          ...tx,
          query(sql, params) {
            statements += 1
            return tx.query(sql, params)
          },
        }),
      )
    const outcomes = (await sync(anna.caller, ...flood)).flat()
    ground.store.transaction = transaction
    expect(statements).toBeLessThan(40)
    expect(new Set(outcomes.map(({ code }) => code))).toEqual(new Set(['voucher_uncovered']))
    expect(outcomes.filter(({ evidence }) => evidence !== undefined)).toHaveLength(evidenceMost)
    expect((await misuses()).length).toBeGreaterThan(0)
    expect(await sync(anna.caller, paid)).toMatchObject([paid.map(() => ({ outcome: 'entered' }))])
  }, 30_000)

  test('certificates that have ended cost a payment nothing', async () => {
    const world = await open()
    const { ground } = world
    const purse = await world.purse(100n)
    for (const _ of Array.from({ length: 5 })) await spendAll(world, purse, { capMinor: '2' })
    await world.goOffline(purse)
    let rows = 0
    await ground.execute(async ({ book, tx }: Held) => {
      await book.load([purse.number])
      const query = async (sql: string, params: unknown[]) => {
        const found = await tx.query(sql, params as never)
        rows += found.length
        return found
      }
      await loadPurses({ book, tx: { query } as never }, ground.store.dialect, [purse.number])
      return []
    })
    expect(rows).toBe(1)
  })

  test('an account that nobody used does not escheat while its purse is offline', async () => {
    const world = await open({ dormancy: { dormantAfterDays: 1, escheatAfterDays: 2 } })
    const { ground, anna, voucher, sync } = world
    await world.office.addTreasury()
    const purse = await world.purse(100n)
    const given = await world.goOffline(purse)
    ground.state.now += 1.1 * dayMs
    while ((await flagDormant(ground.desk, noFence)) > 0);
    ground.state.now += 1.1 * dayMs
    await ground.mint(anna.number, 1n)
    while ((await escheatDormant(ground.desk, noFence)) > 0);
    const paid = voucher(purse, given, { place: 0, to: anna.number, amount: 100n })
    expect(await sync(anna.caller, [paid])).toMatchObject([[{ outcome: 'entered' }]])
  })

  test('what comes from the chain beyond a holding limit is swept from a purse that is online', async () => {
    const { ground, purse: newPurse, balance } = await open()
    const purse = await newPurse(0n, secp256k1Owner(), 1)
    const validUntil = Math.floor(ground.state.now / 1_000) + 600
    const link = { kind: 'link' as const, account: purse.number, linked: own.bank, nonce: 0, validUntil, signature: '' }
    await ground.submit(ground.signed(purse.owner, link))
    await ground.mint(own.rail, 60_000n)
    const move = {
      ...{ currency: 1, operation: 'ab'.repeat(32), direction: 'toLedger' as const, account: purse.number, wallet: '' },
      ...{ amount: 60_000n, state: 'credited' as const, reason: null, outbox: null, entry: null, refund: null },
      ...{ since: 0, changed: 0 },
    }
    let done: object = {}
    await ground.execute(async (held: Held) => {
      done = await tryDeposit(ground.desk, held, move)
      return []
    })
    expect(done).toHaveProperty('entry')
    expect(await balance(purse.number)).toBe(50_000n)
  })

  test('the newest certificate is shown, also when the clock was moved back', async () => {
    const world = await open()
    const purse = await world.purse(100n)
    await spendAll(world, purse, { capMinor: '2' })
    world.ground.state.now -= dayMs / 2
    await world.goOffline(purse, { capMinor: '3' })
    expect(await world.getPurse(purse)).toMatchObject({ capMinor: '3', offline: true })
  })

  describe('a voucher that waits', () => {
    const acts = async ({ ground }: World): Promise<number> =>
      Number((await ground.store.read<{ n: number }>('SELECT count(*) AS n FROM journal'))[0]?.n)
    const promised = async (world: World) => {
      const { anna, ben, voucher, goOffline, purse: newPurse } = world
      const purse = await newPurse(1_000n)
      const given = await goOffline(purse)
      const one = voucher(purse, given, { place: 0, to: anna.number, amount: 900n })
      const two = voucher(purse, given, { place: 1, to: ben.number, amount: 1n })
      return { purse, one, two }
    }
    const waits = { outcome: 'waiting' }

    test('for a frozen payee is entered once they can receive, though nobody hands it in again', async () => {
      const world = await open()
      const { ground, anna, sync, balance } = world
      const { purse, one, two } = await promised(world)
      const order = await freeze(world, anna)
      expect(await sync(purse.caller, [one, two])).toMatchObject([[waits, waits]])
      const before = await acts(world)
      expect(await retryVouchers(ground.desk, noFence)).toBe(0)
      expect(await acts(world)).toBe(before)
      await unfreeze(world, anna, order)
      expect(await retryVouchers(ground.desk, noFence)).toBe(1)
      expect(await balance(anna.number)).toBe(900n)
      expect(await balance(purse.number)).toBe(99n)
      expect(await retryVouchers(ground.desk, noFence)).toBe(0)
      expect(await sync(anna.caller, [one, two])).toMatchObject([[{ outcome: 'entered' }, { outcome: 'entered' }]])
    })

    test('for a frozen payee is not passed over by what the payer signs later, until half of the grace is over', async () => {
      const world = await open()
      const { ground, anna, ben, sync, balance } = world
      const { purse, one, two } = await promised(world)
      await freeze(world, anna)
      expect(await sync(purse.caller, [one, two])).toMatchObject([[waits, waits]])
      ground.state.now += (terms.certificateSeconds + terms.graceSeconds / 2 - 60) * 1_000
      expect(await retryVouchers(ground.desk, noFence)).toBe(0)
      expect(await balance(ben.number)).toBe(0n)
      ground.state.now += 120_000
      expect(await retryVouchers(ground.desk, noFence)).toBe(1)
      expect(await balance(ben.number)).toBe(1n)
      expect(await sync(anna.caller, [one])).toMatchObject([[{ code: 'voucher_passed' }]])
    })

    test('for a payee who is not known any more is entered when their attestation is renewed, and not before', async () => {
      const world = await open()
      const { ground, anna, sync, balance } = world
      const { one } = await promised(world)
      const { kyc } = await ground.account(anna.number)
      ground.state.revoked.add(`${kyc?.issuer}/${kyc?.list}/${kyc?.index}`)
      expect(await sync(anna.caller, [one])).toMatchObject([[{ ...waits, reason: 'payee_cannot_receive' }]])
      expect(await retryVouchers(ground.desk, noFence)).toBe(0)
      ground.state.revoked.clear()
      expect(await retryVouchers(ground.desk, noFence)).toBe(1)
      expect(await balance(anna.number)).toBe(900n)
    })

    test('for an order on the purse is entered when that is lifted, and past no court’s freeze before', async () => {
      const world = await open()
      const { ground, sync, balance, anna, ben, voucher, goOffline } = world
      const purse = await world.purse(1_000n)
      const given = await goOffline(purse)
      const order = await freeze(world, purse)
      const one = voucher(purse, given, { place: 0, to: anna.number, amount: 900n })
      const other = voucher(purse, given, { place: 0, to: ben.number, amount: 900n })
      expect(await sync(anna.caller, [one])).toMatchObject([[waits]])
      await sync(ben.caller, [other])
      expect(await ground.account(purse.number)).toMatchObject({ holds: 2 })
      expect(await retryVouchers(ground.desk, noFence)).toBe(0)
      await unfreeze(world, purse, order)
      expect(await retryVouchers(ground.desk, noFence)).toBe(1)
      expect(await balance(anna.number)).toBe(900n)
      expect(await ground.account(purse.number)).toMatchObject({ holds: 1 })
    })

    test('is left alone once its certificate has ended, and while another process has the lease', async () => {
      const world = await open()
      const { ground, anna, sync, balance } = world
      const { one } = await promised(world)
      const order = await freeze(world, anna)
      await sync(anna.caller, [one])
      await unfreeze(world, anna, order)
      const lost = async () => {
        throw new Refusal('conflict', 'lease_lost', 'Another process has the lease.')
      }
      expect(await refusalOf(retryVouchers(ground.desk, lost))).toBe('lease_lost')
      ground.state.now += (terms.certificateSeconds + terms.graceSeconds) * 1_000
      expect(await retryVouchers(ground.desk, noFence)).toBe(0)
      expect(await balance(anna.number)).toBe(0n)
    })
  })
})
