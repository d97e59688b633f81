import type { SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { escheatDormant, flagDormant } from '../../../../src/plugins/cbdc/actions/orders/dormancy.ts'
import { expireReservations, sweepMerchants } from '../../../../src/plugins/cbdc/actions/orders/upkeep.ts'
import { type Ground, onBothLedgers, own, policy, start } from '../ground.ts'
import { anOrder, both, dayMs, noFence, officer, openOffice, refusalOf } from './office.ts'

const lost = async () => {
  throw new Error('another has the lease')
}
const soon = ({ state }: Ground): number => Math.floor(state.now / 1_000) + 3_600
const signs = { nonce: 0, signature: '' }

onBothLedgers(({ fresh }) => {
  describe('expireReservations', () => {
    const reserve = (ground: Ground, from: number, to: number, expiry: number): SignedEntry => ({
      ...{
        kind: 'reserve',
        from,
        to,
        currency: 1,
        amount: 300n,
        fee: 0,
        expiry,
        lockHash: '00'.repeat(32),
        arbiter: 0,
      },
      ...{ ...signs, validUntil: soon(ground) },
    })

    test('gives back what was held, when the time is over and not before', async () => {
      const ground = await fresh()
      const payer = await ground.customer(undefined, {}, 1_000n)
      const payee = await ground.customer()
      const expiry = Math.floor(start / 1_000) + 600
      await ground.submit(ground.signed(payer.owner, reserve(ground, payer.number, payee.number, expiry)))
      expect(await expireReservations(ground.desk, noFence)).toBe(0)
      expect(await ground.account(payer.number)).toMatchObject({ debitsPending: 300n })
      ground.state.now += 601_000
      await expect(expireReservations(ground.desk, lost)).rejects.toThrow('another has the lease')
      expect(await ground.account(payer.number)).toMatchObject({ debitsPending: 300n })
      const twice = await Promise.all([1, 2].map(() => expireReservations(ground.desk, noFence)))
      expect(twice).toContain(1)
      expect(await ground.account(payer.number)).toMatchObject({ debitsPending: 0n, debitsPosted: 0n })
      expect(await ground.account(payee.number)).toMatchObject({ creditsPending: 0n })
      expect(await expireReservations(ground.desk, noFence)).toBe(0)
    })
  })

  describe('sweepMerchants', () => {
    const merchant = async (ground: Ground, funds: bigint, linked: number = own.bank) => {
      const opened = await ground.customer(undefined, { class: 'merchant' })
      if (linked !== 0) {
        const entry: SignedEntry = { kind: 'link', account: opened.number, linked, ...signs, validUntil: soon(ground) }
        await ground.submit(ground.signed(opened.owner, entry))
      }
      await ground.mint(opened.number, funds)
      return opened
    }

    test('brings to the bank what is above what merchants keep', async () => {
      const ground = await fresh()
      const shop = await merchant(ground, 250_000n)
      const small = await merchant(ground, 100_000n)
      const unlinked = await merchant(ground, 250_000n, 0)
      const person = await ground.customer(undefined, {}, 250_000n)
      expect(await sweepMerchants(ground.desk, noFence)).toBe(1)
      expect(await ground.account(shop.number)).toMatchObject({ debitsPosted: 150_000n, held: 0n })
      expect(await ground.account(own.bank)).toMatchObject({ creditsPosted: 150_000n })
      for (const { number } of [small, unlinked, person]) {
        expect(await ground.account(number)).toMatchObject({ debitsPosted: 0n })
      }
      expect(await sweepMerchants(ground.desk, noFence)).toBe(0)
    })

    test('leaves what is frozen, and goes past one whose bank cannot receive', async () => {
      const ground = await fresh()
      const { call } = openOffice(ground)
      const other = await ground.openOne(ground.operator.key, { class: 'reserve' })
      const stuck = await merchant(ground, 300_000n, other)
      const shop = await merchant(ground, 300_000n)
      await call('freezeAccount', anOrder(), { caller: officer(), params: { account: String(other) } })
      const held = { amountMinor: '150000', ...anOrder() }
      await call('freezeAccount', held, { caller: officer(), params: { account: String(shop.number) } })
      await sweepMerchants(ground.desk, noFence)
      expect(await ground.account(stuck.number)).toMatchObject({ debitsPosted: 0n })
      expect(await ground.account(shop.number)).toMatchObject({ debitsPosted: 50_000n })
    })

    test('without the lease nothing moves', async () => {
      const ground = await fresh()
      const shop = await merchant(ground, 250_000n)
      await expect(sweepMerchants(ground.desk, lost)).rejects.toThrow('another has the lease')
      expect(await ground.account(shop.number)).toMatchObject({ debitsPosted: 0n })
    })
  })

  describe('dormant accounts', () => {
    const dormancy = { dormantAfterDays: 10, escheatAfterDays: 30 }
    const interest = { basisPoints: 365, dayCount: 'ACT/365F' as const, exemptMinor: 0n }
    const open = async () => {
      const ground = await fresh({ policy: { ...policy, dormancy, interest } })
      const office = openOffice(ground)
      await office.addTreasury()
      const { owner, number } = await ground.customer(undefined, { kyc: null, class: 'merchant' }, 1_000n)
      const flags = () => ground.store.read<{ account: number }>('SELECT account FROM cbdc_dormant ORDER BY account')
      const isFlagged = async () => (await flags()).some(({ account }) => account === number)
      const pass = (days: number) => {
        ground.state.now += days * dayMs
      }
      const rounds = async () => {
        await flagDormant(ground.desk, noFence)
        await escheatDormant(ground.desk, noFence)
      }
      return { ground, ...office, owner, number, isFlagged, pass, rounds }
    }

    test('are said to be so when nobody used them for the time of the policy', async () => {
      const { isFlagged, pass, rounds } = await open()
      pass(9)
      await rounds()
      expect(await isFlagged()).toBe(false)
      pass(2)
      await rounds()
      expect(await isFlagged()).toBe(true)
    })

    test('escheat when the rest of the time has passed since that was said, and are closed', async () => {
      const { ground, number, isFlagged, pass, rounds } = await open()
      pass(40)
      await rounds()
      // A service that was down takes no notice period from anyone.
      expect(await ground.account(number)).toMatchObject({ closed: false, debitsPosted: 0n })
      pass(19)
      await rounds()
      expect(await ground.account(number)).toMatchObject({ closed: false })
      pass(1)
      await rounds()
      expect(await ground.account(number)).toMatchObject({ closed: true, debitsPosted: 1_000n, held: 0n })
      expect(await ground.account(own.treasury)).toMatchObject({ creditsPosted: 1_000n })
      expect(await isFlagged()).toBe(false)
      const sql = `SELECT authority, account, cast(amount AS TEXT) AS amount FROM cbdc_orders WHERE kind = 'escheat'`
      expect(await ground.store.read(sql)).toEqual([{ authority: 'STATUTE', account: number, amount: '1000' }])
      pass(1)
      await rounds()
      expect(await ground.account(own.treasury)).toMatchObject({ creditsPosted: 1_000n })
    })

    test('an account that is used again is not dormant, and its time begins anew', async () => {
      const { ground, number, isFlagged, pass, rounds } = await open()
      pass(11)
      await rounds()
      pass(1)
      await ground.mint(number, 1n)
      await rounds()
      expect(await isFlagged()).toBe(false)
      pass(18)
      await rounds()
      expect(await ground.account(number)).toMatchObject({ closed: false })
    })

    test('one that is used in the very day on which it would escheat stays', async () => {
      const { ground, number, pass, rounds } = await open()
      pass(11)
      await rounds()
      pass(20)
      await ground.mint(number, 1n)
      await escheatDormant(ground.desk, noFence)
      expect(await ground.account(number)).toMatchObject({ closed: false, debitsPosted: 0n })
    })

    test('what orders do to an account is no use of it', async () => {
      const { call, number, isFlagged, pass, rounds } = await open()
      pass(9)
      const params = { account: String(number) }
      const { order } = await call('freezeAccount', anOrder(), { caller: officer(), params })
      await call('unfreezeAccount', anOrder(), { caller: both(), params: { ...params, order: String(order) } })
      pass(2)
      await rounds()
      expect(await isFlagged()).toBe(true)
    })

    test('what another order holds does not escheat until that has ended', async () => {
      const { ground, call, number, pass, rounds } = await open()
      pass(11)
      await rounds()
      const params = { account: String(number) }
      const { order } = await call('freezeAccount', { amountMinor: '1', ...anOrder() }, { caller: officer(), params })
      pass(20)
      await rounds()
      expect(await ground.account(number)).toMatchObject({ closed: false })
      await call('unfreezeAccount', anOrder(), { caller: both(), params: { ...params, order: String(order) } })
      pass(1)
      await rounds()
      expect(await ground.account(number)).toMatchObject({ closed: true })
    })

    test('an empty account is closed, and nothing is taken', async () => {
      const { ground, pass, rounds } = await open()
      const empty = await ground.customer()
      pass(11)
      await rounds()
      pass(20)
      await rounds()
      expect(await ground.account(empty.number)).toMatchObject({ closed: true, debitsPosted: 0n })
    })

    test('reserve accounts, and those of the currency, are never dormant', async () => {
      const { ground, pass, rounds } = await open()
      pass(11)
      await rounds()
      pass(20)
      await rounds()
      for (const number of Object.values(own)) expect(await ground.account(number)).toMatchObject({ closed: false })
    })

    test('without the lease nothing is said and nothing taken', async () => {
      const { ground, number, isFlagged, pass, rounds } = await open()
      pass(11)
      await expect(flagDormant(ground.desk, lost)).rejects.toThrow('another has the lease')
      expect(await isFlagged()).toBe(false)
      await rounds()
      pass(20)
      await expect(escheatDormant(ground.desk, lost)).rejects.toThrow('another has the lease')
      expect(await ground.account(number)).toMatchObject({ closed: false })
    })

    test('a payment to an account that escheated tells nothing', async () => {
      const { ground, number, pass, rounds } = await open()
      pass(11)
      await rounds()
      pass(20)
      await rounds()
      const payer = await ground.customer(undefined, {}, 10n)
      const work = ground.submit(ground.signed(payer.owner, ground.transfer(payer.number, number, 1n)))
      expect(await refusalOf(work)).toBe('payee_cannot_receive')
    })
  })
})
