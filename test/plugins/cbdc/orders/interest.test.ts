import { accrueDue } from '../../../../src/plugins/cbdc/actions/orders/interest.ts'
import { roundMost } from '../../../../src/plugins/cbdc/policy.ts'
import { type Ground, onBothLedgers, own, policy, start } from '../ground.ts'
import { anOrder, dayMs, noFence, officer, openOffice, policyBody, refusalOf } from './office.ts'

const paying = (basisPoints: number, exemptMinor = 0n) => ({
  policy: { ...policy, interest: { basisPoints, dayCount: 'ACT/365F' as const, exemptMinor } },
})
const params = { currency: '1' }
/** The first day of the currency, and those after it. */
const dayAfter = (days: number): string => new Date(start + days * dayMs).toISOString().slice(0, 10)

const untilDone = async (ground: Ground): Promise<void> => {
  for (let acts = 0; acts < 20; acts += 1) if ((await accrueDue(ground.desk, noFence)) < roundMost) return
  throw new Error('the round never ends')
}

const total = async (ground: Ground): Promise<bigint> => {
  const rows = await ground.store.read<{ sum: string }>(
    'SELECT cast(sum(credits_posted - debits_posted) AS TEXT) AS sum FROM cbdc_accounts',
  )
  return BigInt(rows[0]?.sum ?? '0')
}

onBothLedgers(({ fresh }) => {
  const open = async (settings: Parameters<typeof fresh>[0]) => {
    const ground = await fresh(settings)
    const { call } = openOffice(ground)
    const accrue = (day: string) => call('accrueInterest', { day }, { caller: officer(), params })
    return { ground, call, accrue }
  }

  test('is paid on what was held when the day ended, out of new money', async () => {
    const { ground, accrue } = await open(paying(365))
    const rich = await ground.customer(undefined, {}, 1_000_000n)
    const poor = await ground.customer(undefined, {}, 100n)
    ground.state.now += dayMs
    await ground.submit(ground.signed(rich.owner, ground.transfer(rich.number, poor.number, 500_000n)))
    expect(await accrue(dayAfter(0))).toMatchObject({
      complete: true,
      accounts: 1,
      passedOver: 0,
      interestMinor: '100',
    })
    expect(await ground.account(rich.number)).toMatchObject({ creditsPosted: 1_000_100n })
    expect((await ground.account(poor.number)).creditsPosted).toBe(500_100n)
    expect(await ground.account(own.interest)).toMatchObject({ creditsPosted: 100n, debitsPosted: 100n })
    expect(await total(ground)).toBe(0n)
  })

  test('is computed once a day, whoever asks and however often', async () => {
    const { ground, accrue } = await open(paying(365))
    const { number } = await ground.customer(undefined, {}, 1_000_000n)
    ground.state.now += dayMs
    await Promise.all([accrue(dayAfter(0)), accrue(dayAfter(0)), accrueDue(ground.desk, noFence)].map(refusalOf))
    await untilDone(ground)
    expect(await accrue(dayAfter(0))).toMatchObject({ complete: true, accounts: 0, interestMinor: '0' })
    expect((await ground.account(number)).creditsPosted).toBe(1_000_100n)
  })

  test('the round catches up with every day that has ended, each on the balance of its own end', async () => {
    const { ground } = await open(paying(3_650))
    const { number } = await ground.customer(undefined, {}, 1_000_000n)
    ground.state.now += 3 * dayMs
    await untilDone(ground)
    // Interest was entered after all three days had ended, so none of them bears interest of another.
    expect((await ground.account(number)).creditsPosted).toBe(1_003_000n)
    await untilDone(ground)
    expect((await ground.account(number)).creditsPosted).toBe(1_003_000n)
  })

  test('computed day by day it bears interest itself', async () => {
    const { ground } = await open(paying(3_650))
    const { number } = await ground.customer(undefined, {}, 1_000_000n)
    for (let day = 0; day < 3; day += 1) {
      ground.state.now += dayMs
      await untilDone(ground)
    }
    expect((await ground.account(number)).creditsPosted).toBe(1_003_003n)
  })

  test('goes through many accounts in acts of bounded size', async () => {
    const { ground } = await open(paying(365))
    const { number } = await ground.customer(undefined, {}, 1_000_000n)
    const opened = ground.operator.key
    const facts = { class: 'person' as const, level: 2, servicer: own.bank }
    const items = Array.from({ length: roundMost + 20 }, (_, at) => [
      {
        ...{ signer: undefined, facts: { ...facts, lead: number + 1 + at } },
        entry: {
          ...{ kind: 'open' as const, account: number + 1 + at, currency: 1, side: 0, ...opened },
          order: '00'.repeat(16),
        },
      },
    ])
    await ground.execute(items)
    const last = number + roundMost + 20
    await ground.mint(last, 10_000_000n)
    ground.state.now += dayMs
    expect(await accrueDue(ground.desk, noFence)).toBe(roundMost)
    expect((await ground.account(number)).creditsPosted).toBe(1_000_100n)
    expect((await ground.account(last)).creditsPosted).toBe(10_000_000n)
    await untilDone(ground)
    expect((await ground.account(number)).creditsPosted).toBe(1_000_100n)
    expect((await ground.account(last)).creditsPosted).toBe(10_001_000n)
  })

  test('finds the balance behind hundreds of later entries', async () => {
    const { ground, accrue } = await open(paying(365))
    const { number } = await ground.customer(undefined, {}, 1_000_000n)
    const mint = (at: number) => ({
      signer: undefined,
      entry: {
        ...{ kind: 'mint' as const, from: own.issuance, to: number, currency: 1, amount: BigInt(at + 1) },
        order: '00'.repeat(16),
      },
    })
    await ground.execute([Array.from({ length: 300 }, (_, at) => mint(at))])
    ground.state.now += dayMs
    await ground.execute([Array.from({ length: 700 }, (_, at) => mint(at))])
    const held = 1_000_000n + (300n * 301n) / 2n
    expect(await accrue(dayAfter(0))).toMatchObject({ interestMinor: String((held + 5_000n) / 10_000n) })
  })

  test('a negative rate takes what can be spent, and never more', async () => {
    const { ground, call, accrue } = await open(paying(-10_000))
    const { number } = await ground.customer(undefined, {}, 1_000_000n)
    const bare = await ground.customer(undefined, {}, 1_000_000n)
    ground.state.now += dayMs
    const body = { amountMinor: '999000', ...anOrder() }
    await call('freezeAccount', body, { caller: officer(), params: { account: String(bare.number) } })
    expect(await accrue(dayAfter(0))).toMatchObject({ accounts: 2, interestMinor: '-3740' })
    expect(await ground.account(number)).toMatchObject({ debitsPosted: 2_740n })
    expect(await ground.account(bare.number)).toMatchObject({ debitsPosted: 1_000n, frozen: 999_000n })
    expect(await ground.account(own.interest)).toMatchObject({ creditsPosted: 3_740n })
  })

  test('what was taken pays what is owed before new money does', async () => {
    const { ground, call, accrue } = await open(paying(-365))
    await ground.customer(undefined, {}, 1_000_000n)
    const interest = { basisPoints: 730, dayCount: 'ACT/365F', exemptMinor: '0' }
    const body = { validFrom: new Date(start + dayMs / 2 + 1_000).toISOString(), policy: policyBody({ interest }) }
    await call('setPolicy', body, { caller: officer('CB-2', officer()), params })
    ground.state.now += 2 * dayMs
    await accrue(dayAfter(0))
    const before = (await ground.account(own.issuance)).debitsPosted
    await accrue(dayAfter(1))
    expect((await ground.account(own.issuance)).debitsPosted - before).toBe(100n)
    expect(await ground.account(own.interest)).toMatchObject({ creditsPosted: 200n, debitsPosted: 200n })
  })

  test('what is exempt counts once a person', async () => {
    const { ground, accrue } = await open(paying(365, 400_000n))
    const first = await ground.customer(undefined, {}, 1_000_000n)
    const second = await ground.customer(undefined, { lead: first.number }, 1_000_000n)
    ground.state.now += dayMs
    await accrue(dayAfter(0))
    expect((await ground.account(first.number)).creditsPosted).toBe(1_000_060n)
    expect((await ground.account(second.number)).creditsPosted).toBe(1_000_100n)
  })

  test('neither banks nor the currency’s own accounts bear any, nor who came later', async () => {
    const { ground, accrue } = await open(paying(365))
    await ground.mint(own.bank, 1_000_000n)
    ground.state.now += dayMs
    await ground.customer(undefined, {}, 1_000_000n)
    expect(await accrue(dayAfter(0))).toMatchObject({ accounts: 0, complete: true })
  })

  test('days that no policy stated interest for are passed over', async () => {
    const { ground, call, accrue } = await open({})
    const { number } = await ground.customer(undefined, {}, 1_000_000n)
    const interest = { basisPoints: 365, dayCount: 'ACT/365F', exemptMinor: '0' }
    const body = { validFrom: new Date(start + 5 * dayMs).toISOString(), policy: policyBody({ interest }) }
    await call('setPolicy', body, { caller: officer('CB-2', officer()), params })
    ground.state.now += 6 * dayMs
    expect(await refusalOf(accrue(dayAfter(0)))).toBe('interest_not_stated')
    await untilDone(ground)
    expect((await ground.account(number)).creditsPosted).toBe(1_000_100n)
    expect(await refusalOf(accrue(dayAfter(4)))).toBe('interest_day_done')
  })

  test('a day that has not ended, one left out, and one before the currency are refused', async () => {
    const { ground, accrue } = await open(paying(365))
    expect(await refusalOf(accrue(dayAfter(0)))).toBe('interest_day_open')
    ground.state.now += 3 * dayMs
    expect(await refusalOf(accrue(dayAfter(1)))).toBe('interest_day_gap')
    expect(await refusalOf(accrue(dayAfter(-1)))).toBe('interest_not_stated')
    await accrue(dayAfter(0))
    await accrue(dayAfter(1))
    expect(await refusalOf(accrue(dayAfter(0)))).toBe('interest_day_done')
    expect(await refusalOf(accrue(dayAfter(3)))).toBe('interest_day_open')
  })

  test('a round without its lease computes nothing', async () => {
    const { ground } = await open(paying(365))
    const { number } = await ground.customer(undefined, {}, 1_000_000n)
    ground.state.now += dayMs
    const lost = async () => {
      throw new Error('another has the lease')
    }
    await expect(accrueDue(ground.desk, lost)).rejects.toThrow('another has the lease')
    expect((await ground.account(number)).creditsPosted).toBe(1_000_000n)
  })
})
