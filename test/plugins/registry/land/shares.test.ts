import fc from 'fast-check'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import {
  compareShares,
  convey,
  denominatorMost,
  type Holding,
  heldBy,
  holdingsOf,
  inherit,
  isWhole,
  parseShare,
  sameHoldings,
  shareOf,
  shareText,
  sumOf,
  whole,
} from '../../../../src/plugins/registry/land/shares.ts'

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
  } catch (error) {
    if (!isRefusal(error)) throw error
    return error.code
  }
  return undefined
}

const half = shareOf(1n, 2n)
const third = shareOf(1n, 3n)

describe('a share', () => {
  it.each([
    ['0', '1'],
    ['1', '0'],
    ['2', '1'],
    ['-1', '2'],
    ['1', '-2'],
    ['1.5', '2'],
    ['1e3', '2000'],
    ['01', '2'],
    ['', ''],
    ['1', '1000000000000000001'],
    ['1', '10000000000000000000000'],
  ])('of %s/%s is refused', (numerator, denominator) => {
    expect(codeOf(() => parseShare({ numerator, denominator }))).toBe('share_invalid')
  })

  it('is kept in lowest terms, and reads back as it was written', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, denominatorMost), fc.bigInt(1n, denominatorMost), (first, second) => {
        const [low, high] = first < second ? [first, second] : [second, first]
        const share = shareOf(low, high)
        expect(share.numerator * high).toBe(share.denominator * low)
        expect(parseShare(shareText(share))).toEqual(share)
      }),
    )
  })

  it('in thirds adds up to one, where floats would not do', () => {
    expect(isWhole([third, third, third])).toBe(true)
    expect(isWhole([third, third, shareOf(333_333_333_333n, 1_000_000_000_000n)])).toBe(false)
    expect(compareShares(sumOf([half, third]), shareOf(5n, 6n))).toBe(0)
  })
})

describe('holdings of a title', () => {
  it.each<[string, Holding[], string]>([
    ['lack a part', [{ party: 'a', share: half }], 'shares_not_whole'],
    [
      'are more than one',
      [
        { party: 'a', share: half },
        { party: 'b', share: half },
        { party: 'c', share: third },
      ],
      'shares_not_whole',
    ],
    ['are none', [], 'shares_not_whole'],
    [
      'name a party twice',
      [
        { party: 'a', share: half },
        { party: 'a', share: half },
      ],
      'party_named_twice',
    ],
  ])('are refused when they %s', (_, holdings, code) => {
    expect(codeOf(() => holdingsOf(holdings))).toBe(code)
  })

  const ours = holdingsOf([
    { party: 'a', share: half },
    { party: 'b', share: half },
  ])

  it('cannot be conveyed by who does not own them, or not as much', () => {
    expect(codeOf(() => convey(ours, { from: 'c', to: 'a', share: third }))).toBe('share_not_held')
    expect(codeOf(() => convey(ours, { from: 'a', to: 'c', share: shareOf(2n, 3n) }))).toBe('share_not_held')
    expect(codeOf(() => convey(ours, { from: 'a', to: 'c', share: whole }))).toBe('share_not_held')
  })

  it('leave the seller out when all was sold, and add to what the buyer has', () => {
    expect(convey(ours, { from: 'a', to: 'b', share: half })).toEqual([{ party: 'b', share: whole }])
    expect(heldBy(convey(ours, { from: 'a', to: 'b', share: third }), 'a')).toEqual(shareOf(1n, 6n))
  })

  it('cannot be cut finer than the register can keep', () => {
    const fine = shareOf(1n, denominatorMost - 1n)
    expect(codeOf(() => convey(ours, { from: 'a', to: 'c', share: fine }))).toBe('share_invalid')
  })

  it('pass to heirs who divide the estate exactly, and to no others', () => {
    const heirs = (...shares: [string, bigint, bigint][]) =>
      shares.map(([party, numerator, denominator]) => ({ party, share: shareOf(numerator, denominator) }))
    const divided = inherit(ours, { of: 'a', heirs: heirs(['x', 2n, 3n], ['b', 1n, 3n]) })
    expect(divided).toEqual(holdingsOf(heirs(['x', 1n, 3n], ['b', 2n, 3n])))
    expect(codeOf(() => inherit(ours, { of: 'a', heirs: heirs(['x', 2n, 3n]) }))).toBe('shares_not_whole')
    expect(codeOf(() => inherit(ours, { of: 'a', heirs: heirs(['x', 1n, 2n], ['x', 1n, 2n]) }))).toBe(
      'party_named_twice',
    )
    expect(codeOf(() => inherit(ours, { of: 'z', heirs: heirs(['x', 1n, 1n]) }))).toBe('share_not_held')
  })

  it('stay one whole through any history of deeds and successions', () => {
    const parties = ['a', 'b', 'c', 'd', 'e']
    const party = fc.constantFrom(...parties)
    const small = fc.integer({ min: 1, max: 9 })
    const step = fc.record({ from: party, to: party, other: party, numerator: small, denominator: small })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        let holdings = holdingsOf([{ party: 'a', share: whole }])
        for (const [at, { from, to, other, numerator, denominator }] of steps.entries()) {
          const before = holdings
          const code = codeOf(() => {
            if (at % 3 === 2 && to !== other) {
              const heirs = [to, other].map(heir => ({ party: heir, share: half }))
              holdings = inherit(holdings, { of: from, heirs })
            } else {
              const [low, high] = [Math.min(numerator, denominator), Math.max(numerator, denominator)]
              holdings = convey(holdings, { from, to, share: shareOf(BigInt(low), BigInt(high)) })
            }
          })
          if (code !== undefined) expect(sameHoldings(holdings, before)).toBe(true)
          expect(isWhole(holdings.map(({ share }) => share))).toBe(true)
        }
      }),
    )
  })
})
