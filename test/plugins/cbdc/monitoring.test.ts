import fc from 'fast-check'
import type { AccountClass } from '../../../src/plugins/cbdc/ledger/facts.ts'
import { type MonitoredPayment, ruleRowBytes } from '../../../src/plugins/cbdc/ledger/monitoring.ts'
import {
  type Memory,
  openRules,
  type RuleSettings,
  readMemory,
  rowBytesMost,
  writeMemory,
} from '../../../src/plugins/cbdc/monitoring.ts'
import { onBothLedgers, start } from './ground.ts'
import { refusalOf } from './orders/office.ts'

const settings: RuleSettings = {
  structuring: {
    thresholds: [{ currency: 1, level: 2, thresholdMinor: 10_000n }],
    ...{ marginPercent: 10, mostInDay: 3 },
  },
  rapidMovement: {
    ...{ withinSeconds: 300, sharePercent: 90, mostInDay: 2 },
    least: [{ currency: 1, leastMinor: 1_000n }],
  },
}

const account = (number: number, over: Partial<MonitoredPayment['payer']> = {}): MonitoredPayment['payer'] => ({
  ...{ number, lead: number, class: 'person', level: 2, jurisdiction: null, openedAt: 0, lastActive: 0 },
  ...over,
})
const payment = (over: Partial<MonitoredPayment> = {}): MonitoredPayment => ({
  ...{ payer: account(1), payee: account(2), currency: 1, amount: 9_500n, at: start },
  ...over,
})

/** A history under rules: what is refused changes nothing. */
const openHistory = (given: RuleSettings = settings) => {
  const rules = openRules(given)
  const stored = new Map<number, Uint8Array>()
  const rows = (number: number) => stored.get(number)
  return {
    stored,
    rows,
    make(over: Partial<MonitoredPayment> = {}): string[] {
      const made = payment(over)
      const refused = rules.judge(rows, made).filter(({ outcome }) => outcome === 'refused')
      if (refused.length === 0) for (const [number, row] of rules.advance(rows, made)) stored.set(number, row)
      return refused.map(({ id }) => id)
    },
  }
}

const minute = 60_000
const day = 86_400_000

describe('structuring', () => {
  test('stops the fourth payment just below the threshold in 24 hours, and no longer once a day has passed', () => {
    const { make } = openHistory()
    for (const hour of [0, 8, 16]) expect(make({ at: start + hour * 60 * minute })).toEqual([])
    expect(make({ at: start + day - 1_000 })).toEqual(['structuring'])
    expect(make({ at: start + day })).toEqual([])
  })

  test.each([
    ['below the margin', { amount: 8_999n }, []],
    ['at the lower end', { amount: 9_000n }, ['structuring']],
    ['at the threshold', { amount: 10_000n }, ['structuring']],
    ['above it, where the limit itself speaks', { amount: 10_001n }, []],
    ['of another level', { payer: account(1, { level: 3 }) }, []],
    ['in another currency', { currency: 2 }, []],
    ['of a bank', { payer: account(1, { class: 'reserve' }) }, []],
    ['to the same person', { payee: account(2, { lead: 1 }) }, []],
    ['from another account of the same person', { payer: account(9, { lead: 1 }) }, ['structuring']],
    ['to somebody else', { payee: account(3) }, ['structuring']],
  ])('after three of them a payment %s', (_, over, refused) => {
    const { make } = openHistory()
    for (let at = 0; at < 3; at += 1) make()
    expect(make(over as Partial<MonitoredPayment>)).toEqual(refused)
  })
})

describe('rapid movement', () => {
  const passOn = (make: (over: Partial<MonitoredPayment>) => string[], at: number, amount = 5_000n): string[] => {
    make({ payer: account(7, { class: 'reserve' }), payee: account(1), amount: 5_000n, at })
    return make({ amount, at: at + 4 * minute })
  }

  test('stops the third time in a day that an account pays out at once what came in', () => {
    const { make } = openHistory()
    expect(passOn(make, start)).toEqual([])
    expect(passOn(make, start + 60 * minute)).toEqual([])
    expect(passOn(make, start + 120 * minute)).toEqual(['rapid-movement'])
    expect(passOn(make, start + 2 * day)).toEqual([])
  })

  test('counts several payments together, and several receipts', () => {
    const { make } = openHistory()
    passOn(make, start)
    passOn(make, start + 60 * minute)
    const at = start + 120 * minute
    make({ payer: account(7, { class: 'reserve' }), payee: account(1), amount: 5_000n, at })
    make({ payer: account(7, { class: 'reserve' }), payee: account(1), amount: 5_000n, at: at + minute })
    expect(make({ amount: 5_000n, at: at + 2 * minute })).toEqual([])
    expect(make({ amount: 3_999n, at: at + 3 * minute })).toEqual([])
    expect(make({ amount: 1n, at: at + 3 * minute })).toEqual(['rapid-movement'])
  })

  test.each([
    ['keeps more than a tenth', 4_499n, 4 * minute, 5_000n],
    ['waits longer', 5_000n, 6 * minute, 5_000n],
    ['received little', 900n, minute, 999n],
  ])('does not concern whoever %s', (_, paid, waits, came) => {
    const { make } = openHistory()
    for (let time = 0; time < 8; time += 1) {
      const at = start + time * 60 * minute
      make({ payer: account(7, { class: 'reserve' }), payee: account(1), amount: came, at })
      expect(make({ amount: paid, at: at + waits })).toEqual([])
    }
  })
})

describe('rows', () => {
  const times = fc.array(fc.integer({ min: 1, max: 0xffff_ffff }), { maxLength: 16 })
  const sums = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
  const memories = fc.record({
    ...{ structured: times, passedOn: times, receivedAt: fc.nat({ max: 0xffff_ffff }), received: sums, paid: sums },
  })

  test('stay within what the port allows, and read as they were written', () => {
    fc.assert(
      fc.property(memories, memory => {
        const row = writeMemory(memory)
        expect(row.length).toBeLessThanOrEqual(rowBytesMost)
        expect(readMemory(row)).toEqual(memory)
      }),
    )
    expect(rowBytesMost).toBeLessThanOrEqual(ruleRowBytes)
  })

  test('of the first layout, with fixed places, still say what they said', () => {
    const fixed = (memory: Memory): Buffer => {
      const row = Buffer.alloc(149)
      row[0] = 1
      for (const [place, time] of memory.structured.entries()) row.writeUInt32BE(time, 1 + 4 * place)
      for (const [place, time] of memory.passedOn.entries()) row.writeUInt32BE(time, 65 + 4 * place)
      row.writeUInt32BE(memory.receivedAt, 129)
      row.writeBigUInt64BE(memory.received, 133)
      row.writeBigUInt64BE(memory.paid, 141)
      return row
    }
    fc.assert(fc.property(memories, memory => void expect(readMemory(fixed(memory))).toEqual(memory)))
  })

  test('that are of no known layout stop their payer, and stay as they are', () => {
    const rules = openRules(settings)
    const unknown = fc.uint8Array({ maxLength: 300 }).filter(bytes => bytes[0] !== 1 && bytes[0] !== 2)
    const whole = writeMemory({ structured: [5], passedOn: [], receivedAt: 0, received: 0n, paid: 0n })
    const broken = [whole.subarray(0, -1), Buffer.concat([whole, Buffer.of(0)]), new Uint8Array(149).fill(2)]
    fc.assert(
      fc.property(fc.oneof(unknown, fc.constantFrom(...broken)), row => {
        const rows = (number: number) => (number === 1 ? row : undefined)
        const verdicts = rules.judge(rows, payment({ amount: 1n }))
        expect(verdicts.map(({ outcome }) => outcome)).toEqual(['refused', 'refused'])
        expect(rules.advance(rows, payment()).has(1)).toBe(false)
        // Somebody else may still pay that account.
        expect(rules.judge(rows, payment({ payer: account(3), payee: account(1) }))).toEqual([
          { id: 'structuring', version: 1, outcome: 'passed' },
          { id: 'rapid-movement', version: 1, outcome: 'passed' },
        ])
      }),
    )
  })
})

test('judging and going on are pure: nothing handed over changes, and the same gives the same', () => {
  const steps = fc.array(
    fc.record({
      from: fc.integer({ min: 1, max: 4 }),
      to: fc.integer({ min: 1, max: 4 }),
      kind: fc.constantFrom<AccountClass>('person', 'merchant', 'purse', 'reserve'),
      amount: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }),
      // Seconds may also go back, as a clock does that was moved.
      wait: fc.integer({ min: -100, max: 2_000 }),
    }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(steps, list => {
      const rules = openRules(settings)
      const stored = new Map<number, Uint8Array>()
      const rows = (number: number) => stored.get(number)
      let at = start
      for (const { from, to, kind, amount, wait } of list) {
        at += wait * 1_000
        const made = payment({ payer: account(from, { class: kind }), payee: account(to), amount, at })
        const before = new Map([...stored].map(([number, row]) => [number, Uint8Array.from(row)]))
        const verdicts = rules.judge(rows, made)
        const next = rules.advance(rows, made)
        expect(rules.judge(rows, made)).toEqual(verdicts)
        expect(rules.advance(rows, made)).toEqual(next)
        expect(new Map([...stored].map(([number, row]) => [number, Uint8Array.from(row)]))).toEqual(before)
        const keys = new Set(rules.keys([made]))
        for (const [number, row] of next) {
          expect(keys.has(number) && row.length <= ruleRowBytes).toBe(true)
          stored.set(number, row)
        }
      }
    }),
    { numRuns: 200 },
  )
})

test.each([
  ['a margin of nothing', { structuring: { ...settings.structuring, marginPercent: 0 } }],
  ['more payments than are remembered', { structuring: { ...settings.structuring, mostInDay: 17 } }],
  [
    'a threshold of nothing',
    { structuring: { ...settings.structuring, thresholds: [{ currency: 1, level: null, thresholdMinor: 0n }] } },
  ],
  ['no time at all', { rapidMovement: { ...settings.rapidMovement, withinSeconds: 0 } }],
  ['more than all', { rapidMovement: { ...settings.rapidMovement, sharePercent: 101 } }],
  ['a part of a time', { rapidMovement: { ...settings.rapidMovement, mostInDay: 1.5 } }],
])('settings with %s are refused at the start', (_, over) => {
  expect(() => openRules({ ...settings, ...over })).toThrow(RangeError)
})

onBothLedgers(({ fresh }) => {
  test('a stopped payment moves nothing, and the evidence names the rules that judged', async () => {
    const ground = await fresh({ rules: openRules(settings) })
    const payer = await ground.customer(undefined, {}, 100_000n)
    const payee = await ground.customer()
    const pay = (nonce: number) =>
      ground.signed(payer.owner, ground.transfer(payer.number, payee.number, 9_500n, { nonce }))
    for (const nonce of [0, 1, 2]) await ground.submit(pay(nonce))
    const before = await ground.account(payer.number)
    expect(readMemory(before.rules ?? undefined)?.structured).toHaveLength(3)
    expect(await refusalOf(ground.submit(pay(3)))).toBe('payment_stopped')
    expect(await ground.account(payer.number)).toEqual(before)
    expect(await ground.account(payee.number)).toMatchObject({ creditsPosted: 28_500n })

    // In one chain after another: what the first brings, the second is judged by.
    const small = ground.signed(payer.owner, ground.transfer(payer.number, payee.number, 10n, { nonce: 3 }))
    const items = await ground.desk.attest([small, pay(4)])
    const { outcomes } = await ground.execute(items.map(item => [item]))
    expect(outcomes[1]?.[0]).toMatchObject({ refusal: { code: 'payment_stopped' } })
    const [record] = await ground.store.read<{ record: string }>(
      'SELECT record FROM journal_details ORDER BY id DESC LIMIT 1',
    )
    expect(JSON.parse(record?.record ?? '{}')).toMatchObject({
      rules: [
        { id: 'structuring', version: 1, outcome: 'refused' },
        { id: 'rapid-movement', version: 1, outcome: 'passed' },
      ],
    })
  })
})
