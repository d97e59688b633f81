import fc from 'fast-check'
import { roundedShare, type Share, split } from '../../../../src/plugins/cbdc/ledger/split.ts'

const most = 0x7fffffffffffffffn
const total = fc.bigInt({ min: 0n, max: most })
const fraction = fc
  .record({ denominator: fc.bigInt({ min: 1n, max: 1_000_000_000n }), part: fc.bigInt({ min: 0n, max: 10n ** 12n }) })
  .map(({ denominator, part }) => ({ denominator, numerator: 1n + (part % denominator) }))

/** Shares that leave the payee something, however they round: each of at most a part of the whole. */
const shares: fc.Arbitrary<Share[]> = fc.array(fraction, { maxLength: 15 }).map(all =>
  all.map(({ numerator, denominator }, at) => ({
    ...{ account: at + 10, numerator },
    denominator: denominator * BigInt(all.length + 1),
  })),
)

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, amount) => all + amount, 0n)
const shareOf = (numerator: bigint, denominator: bigint, account = 10): Share => ({ account, numerator, denominator })

describe('a payment split by shares', () => {
  test('comes to its total exactly, with nobody below zero', () => {
    fc.assert(
      fc.property(total, shares, (amount, all) => {
        const parts = split(amount, all)
        // A few units may be too few for all to be rounded up.
        if (parts === undefined) return expect(amount).toBeLessThan(BigInt(all.length * (all.length + 1)))
        expect(sum(parts.amounts) + parts.rest).toBe(amount)
        expect([...parts.amounts, parts.rest].every(part => part >= 0n)).toBe(true)
      }),
    )
  })

  test('gives each share what it is to half a minor unit, and the rest bears no more than that of each', () => {
    fc.assert(
      fc.property(total, shares, (amount, all) => {
        const parts = split(amount, all)
        fc.pre(parts !== undefined)
        for (const [at, { numerator, denominator }] of all.entries()) {
          // amount − exact, times 2·denominator: above −1 unit's half, half included upwards.
          const off = 2n * ((parts.amounts[at] ?? -1n) * denominator - amount * numerator)
          expect(off > -denominator && off <= denominator).toBe(true)
        }
        const whole = all.reduce((product, { denominator }) => product * denominator, 1n)
        const exact = all.reduce(
          (left, share) => left - (amount * share.numerator * whole) / share.denominator,
          amount * whole,
        )
        const distance = parts.rest * whole - exact
        expect((distance < 0n ? -distance : distance) * 2n <= whole * BigInt(all.length)).toBe(true)
      }),
    )
  })

  test('does not depend on the order of the shares, nor one share on the others', () => {
    fc.assert(
      fc.property(total, shares, (amount, all) => {
        const parts = split(amount, all)
        fc.pre(parts !== undefined)
        const turned = split(amount, all.toReversed())
        expect(turned).toEqual({ amounts: parts.amounts.toReversed(), rest: parts.rest })
        expect(parts.amounts).toEqual(all.map(share => roundedShare(amount, share)))
        for (const [at, share] of all.entries()) expect(split(amount, [share])?.amounts[0]).toBe(parts.amounts[at])
      }),
    )
  })

  test('gives a share no less of a larger payment, and a larger share no less', () => {
    fc.assert(
      fc.property(total, total, fraction, fraction, (one, two, share, other) => {
        const [less, more] = one < two ? [one, two] : [two, one]
        expect(roundedShare(less, share)).toBeLessThanOrEqual(roundedShare(more, share))
        const isLess = share.numerator * other.denominator <= other.numerator * share.denominator
        const [small, large] = isLess ? [share, other] : [other, share]
        expect(roundedShare(more, small)).toBeLessThanOrEqual(roundedShare(more, large))
      }),
    )
  })

  test.each([
    { name: 'a tax of 20 % on the net price', amount: 119_99n, share: shareOf(1n, 6n), tax: 2_000n },
    { name: 'exactly half a unit, which goes up', amount: 5n, share: shareOf(1n, 10n), tax: 1n },
    { name: 'less than half a unit, which goes down', amount: 4n, share: shareOf(1n, 10n), tax: 0n },
    { name: 'the whole', amount: most, share: shareOf(1n, 1n), tax: most },
    {
      name: 'next to nothing of the most there can be',
      amount: most,
      share: shareOf(1n, 1_000_000_000n),
      tax: 9_223_372_037n,
    },
  ])('rounds $name', ({ amount, share, tax }) => {
    expect(split(amount, [share])).toEqual({ amounts: [tax], rest: amount - tax })
  })

  test('leaves all to the payee where nobody has a share', () => {
    expect(split(700n, [])).toEqual({ amounts: [], rest: 700n })
  })

  test('is none when the shares are more than the whole, by however little', () => {
    expect(split(100n, [shareOf(1n, 2n), shareOf(500_000_001n, 1_000_000_000n, 11)])).toBeUndefined()
    expect(split(100n, [shareOf(3n, 2n)])).toBeUndefined()
    expect(split(100n, [shareOf(1n, 3n), shareOf(1n, 3n, 11), shareOf(1n, 3n, 12)])).toEqual({
      ...{ amounts: [33n, 33n, 33n], rest: 1n },
    })
  })

  test('is none when rounding leaves the payee less than nothing', () => {
    const halves = [shareOf(1n, 2n), shareOf(1n, 2n, 11)]
    expect(split(101n, halves)).toBeUndefined()
    expect(split(100n, halves)).toEqual({ amounts: [50n, 50n], rest: 0n })
  })

  test('knows no share of nothing, nor of less', () => {
    for (const [numerator, denominator] of [
      [0n, 1n],
      [1n, 0n],
      [-1n, 2n],
      [1n, -2n],
    ] as const) {
      expect(() => split(100n, [shareOf(numerator, denominator)])).toThrow(RangeError)
    }
  })
})
