import fc from 'fast-check'
import { expectFolded } from '../folded.ts'
import { type Ground, onBothLedgers } from '../ground.ts'
import { refusalOf } from '../orders/office.ts'
import { openMarket } from './trading.ts'

type Step =
  | { does: 'offer'; amount: number; price: number; ahead: number; seconds: number }
  | { does: 'accept'; which: number; over: number; at: number }
  | { does: 'acceptTwice' | 'withdraw'; which: number }
  | { does: 'pay'; amount: number }
  | { does: 'wait'; seconds: number }

const which = fc.nat(5)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ does: fc.constant('offer' as const), amount: fc.integer({ min: 1, max: 400 }) },
      ...{ price: fc.integer({ min: 1, max: 200 }), ahead: fc.nat(1), seconds: fc.integer({ min: 1, max: 300 }) },
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ does: fc.constant('accept' as const), which },
      ...{ over: fc.constantFrom(0, 0, 0, 1, -1), at: fc.constantFrom(0, 0, 0, 1) },
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('acceptTwice' as const, 'withdraw' as const), which }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('pay' as const), amount: fc.integer({ min: 1, max: 50 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 200 }) }),
  },
)

type Offer = { id: string; amount: bigint; price: bigint }

/** Does what it is told, and holds every balance against what may have changed. */
const trader = async (ground: Ground) => {
  const market = await openMarket(ground)
  const { alice, bob, as, terms, balances } = market
  const offers: Offer[] = []
  const nonceOf = async (number: number) => (await ground.account(number)).nonce
  const offer = async ({ amount, price, ahead, seconds }: Extract<Step, { does: 'offer' }>) => {
    const record = market.offered({
      ...{ amount: BigInt(amount), nonce: (await nonceOf(alice.crd.number)) + ahead },
      validUntil: Math.floor(ground.state.now / 1_000) + seconds,
    })
    await as(alice.crd, 'offerExchange', { ...record, ...terms({ counterAmountMinor: String(price) }) })
    offers.push({ id: record.id, amount: BigInt(amount), price: BigInt(price) })
  }
  const accept = async ({ id, price }: Offer, over = 0, at = 0) => {
    const nonce = (await nonceOf(bob.ecu.number)) + at
    return refusalOf(as(bob.ecu, 'acceptExchange', market.counter({ amount: price + BigInt(over), nonce }), id))
  }
  const chosen = (at: number) => offers.at(-1 - (at % Math.max(1, offers.length)))
  /** @returns what Alice gave and got by it */
  const run = async (each: Step): Promise<{ gave: bigint; got: bigint }> => {
    const nothing = { gave: 0n, got: 0n }
    if (each.does === 'wait') ground.state.now += each.seconds * 1_000
    if (each.does === 'offer') await offer(each)
    if (each.does === 'pay') {
      const amount = BigInt(each.amount)
      const record = market.pay(alice.crd, bob.crd.number, amount, { nonce: await nonceOf(alice.crd.number) })
      return (await refusalOf(ground.submit(record))) === undefined ? { gave: amount, got: 0n } : nothing
    }
    const known = 'which' in each ? chosen(each.which) : undefined
    if (known === undefined) return nothing
    if (each.does === 'withdraw') await refusalOf(as(alice.crd, 'withdrawExchange', {}, known.id))
    const tries =
      each.does === 'accept'
        ? [await accept(known, each.over, each.at)]
        : each.does === 'acceptTwice'
          ? await Promise.all([accept(known), accept(known)])
          : []
    const settled = tries.filter(refusal => refusal === undefined).length
    expect(settled).toBeLessThanOrEqual(1)
    return settled === 1 ? { gave: known.amount, got: known.price } : nothing
  }
  return {
    offers,
    async step(each: Step): Promise<boolean> {
      const [crd, crdTo, ecu, ecuTo] = (await balances()) as [bigint, bigint, bigint, bigint]
      const { gave, got } = await run(each)
      expect(await balances()).toEqual([crd - gave, crdTo + gave, ecu - got, ecuTo + got])
      return got > 0n
    },
    /** Every exchange that says it is settled has both entries, in one batch, and every other has neither. */
    async expectWhole(): Promise<void> {
      const rows = await ground.store.read<{ state: string; entry: number | null; counter_entry: number | null }>(
        'SELECT state, entry, counter_entry FROM cbdc_exchanges',
      )
      expect(rows).toHaveLength(offers.length)
      for (const { state, entry, counter_entry: counter } of rows) {
        if (state !== 'settled') expect([entry, counter]).toEqual([null, null])
        else {
          const sql = 'SELECT batch FROM cbdc_entries WHERE number IN (?, ?)'
          const found = await ground.store.read<{ batch: number }>(sql, [entry, counter])
          expect(found).toHaveLength(2)
          expect(found[0]?.batch).toBe(found[1]?.batch)
        }
      }
      await expectFolded(ground.store)
    },
  }
}

onBothLedgers(({ fresh }) => {
  test('whatever is offered, accepted, withdrawn and paid in between: both payments or none', async () => {
    let settled = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async steps => {
        const history = await trader(await fresh())
        for (const each of steps) if (await history.step(each)) settled += 1
        await history.expectWhole()
      }),
      { numRuns: 6, endOnFailure: true },
    )
    expect(settled).toBeGreaterThan(0)
  }, 120_000)
})
