import fc from 'fast-check'
import { halfEven, type InterestTerms, interestOf } from '../../../../src/plugins/cbdc/ledger/interest.ts'
import { dayCounts } from '../../../../src/plugins/cbdc/ledger/limits.ts'
import { amountMost } from '../../../../src/plugins/cbdc/ledger/state.ts'

const dayOn = (date: string): number => Date.parse(date) / 86_400_000
const terms = (basisPoints: number, dayCount: InterestTerms['dayCount'] = 'ACT/365F', exemptMinor = 0n) => ({
  ...{ basisPoints, dayCount, exemptMinor },
})

describe('interestOf', () => {
  test.each([
    ['ACT/365F', '2026-03-01', 100_000_000n, 10_000n],
    ['ACT/365F', '2028-03-01', 100_000_000n, 10_000n],
    ['ACT/360', '2026-03-01', 100_000_000n, 10_139n],
    ['ACT/ACT', '2026-03-01', 100_000_000n, 10_000n],
    ['ACT/ACT', '2028-02-29', 100_000_000n, 9_973n],
    ['ACT/ACT', '2000-06-01', 100_000_000n, 9_973n],
    ['ACT/ACT', '2100-06-01', 100_000_000n, 10_000n],
  ] as const)('%s on %s', (dayCount, date, balance, expected) => {
    expect(interestOf(terms(365, dayCount), balance, dayOn(date))).toBe(expected)
  })

  test('what is exempt bears none, and a balance below it neither earns nor owes', () => {
    expect(interestOf(terms(365, 'ACT/365F', 50_000_000n), 100_000_000n, 0)).toBe(5_000n)
    expect(interestOf(terms(-365, 'ACT/365F', 100_000_000n), 100_000_000n, 0)).toBe(0n)
    expect(interestOf(terms(-365, 'ACT/365F', 100_000_001n), 100_000_000n, 0)).toBe(0n)
  })

  test.each([
    [5_000n, 0n],
    [5_001n, 1n],
    [15_000n, 2n],
    [25_000n, 2n],
    [35_000n, 4n],
  ])('of two amounts equally near the even one: %s comes to %s', (balance, expected) => {
    expect(interestOf(terms(365), balance, 0)).toBe(expected)
    expect(interestOf(terms(-365), balance, 0)).toBe(-expected)
  })

  const anyTerms = fc.record({
    basisPoints: fc.integer({ min: -10_000, max: 10_000 }),
    dayCount: fc.constantFrom(...dayCounts),
    exemptMinor: fc.bigInt({ min: 0n, max: amountMost }),
  })
  const balance = fc.bigInt({ min: 0n, max: amountMost })
  const day = fc.integer({ min: 0, max: 60_000 })

  test('is never further than half a minor unit from the exact amount', () => {
    fc.assert(
      fc.property(anyTerms, balance, day, (given, held, on) => {
        const year = given.dayCount === 'ACT/360' ? 360n : given.dayCount === 'ACT/365F' ? 365n : undefined
        const above = held > given.exemptMinor ? held - given.exemptMinor : 0n
        const leap = new Date(Date.UTC(new Date(on * 86_400_000).getUTCFullYear(), 1, 29)).getUTCMonth() === 1
        const denominator = 10_000n * (year ?? (leap ? 366n : 365n))
        const off = 2n * (interestOf(given, held, on) * denominator - above * BigInt(given.basisPoints))
        expect((off < 0n ? -off : off) <= denominator).toBe(true)
      }),
    )
  })

  test('a negative rate mirrors the positive one, and takes no more than is held', () => {
    fc.assert(
      fc.property(anyTerms, balance, day, (given, held, on) => {
        const mirrored = interestOf({ ...given, basisPoints: -given.basisPoints }, held, on)
        const amount = interestOf(given, held, on)
        expect(mirrored).toBe(-amount)
        expect(held + amount >= 0n).toBe(true)
      }),
    )
  })

  test('more money never bears less', () => {
    fc.assert(
      fc.property(anyTerms, balance, balance, day, (given, one, other, on) => {
        const positive = { ...given, basisPoints: Math.abs(given.basisPoints) }
        const [low, high] = one < other ? [one, other] : [other, one]
        expect(interestOf(positive, low, on) <= interestOf(positive, high, on)).toBe(true)
      }),
    )
  })

  test('halfEven is the nearest integer, and even in the middle', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        (n, d) => {
          const rounded = halfEven(n, d)
          const twice = 2n * (n - rounded * d)
          const off = twice < 0n ? -twice : twice
          expect(off < d || (off === d && rounded % 2n === 0n)).toBe(true)
        },
      ),
    )
  })
})
