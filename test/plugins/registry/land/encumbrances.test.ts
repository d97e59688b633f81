import fc from 'fast-check'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import {
  assertConsented,
  assertUnblocked,
  carriedOver,
  type Interest,
  type InterestKind,
  mortgagesOf,
  nextRank,
  postpone,
  publicInterest,
  sameInterests,
  without,
} from '../../../../src/plugins/registry/land/encumbrances.ts'

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work()
  } catch (error) {
    if (!isRefusal(error)) throw error
    return error.code
  }
  return undefined
}

const interest = (id: string, kind: InterestKind, rank: number | null = null): Interest => ({
  ...{ id, origin: id, kind, rank, party: null, legalBasis: 'Act', terms: { secret: id }, registeredAt: 0 },
})
const [first, second, third] = [1, 2, 3].map(rank => interest(`m${rank}`, 'mortgage', rank)) as [
  Interest,
  Interest,
  Interest,
]
const mortgages = [first, second, third]

describe('ranks', () => {
  it('close up when a mortgage goes, and a new one stands last', () => {
    const left = without([...mortgages, interest('e', 'easement')], 'm1')
    expect(mortgagesOf(left).map(({ id, rank }) => `${id}:${rank}`)).toEqual(['m2:1', 'm3:2'])
    expect(nextRank(left)).toBe(3)
  })

  it('change places with the next one only', () => {
    expect(mortgagesOf(postpone(mortgages, 'm1', 'm2')).map(({ id }) => id)).toEqual(['m2', 'm1', 'm3'])
    expect(codeOf(() => postpone(mortgages, 'm1', 'm3'))).toBe('rank_not_adjacent')
    expect(codeOf(() => postpone(mortgages, 'm2', 'm1'))).toBe('rank_not_adjacent')
    expect(codeOf(() => postpone([...mortgages, interest('e', 'lease')], 'e', 'm1'))).toBe('rank_not_adjacent')
    expect(codeOf(() => postpone(mortgages, 'm1', 'gone'))).toBe('encumbrance_unknown')
  })

  it('have neither gaps nor doubles after any history', () => {
    const step = fc.record({ what: fc.constantFrom('add', 'end', 'postpone', 'lease'), at: fc.nat() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        let interests: Interest[] = []
        for (const [turn, { what, at }] of steps.entries()) {
          const ranked = mortgagesOf(interests)
          const any = interests[at % Math.max(interests.length, 1)]
          const next = ranked[(at % Math.max(ranked.length, 1)) + 1]
          if (what === 'add') interests.push(interest(`m${turn}`, 'mortgage', nextRank(interests)))
          else if (what === 'lease') interests.push(interest(`l${turn}`, 'lease'))
          else if (what === 'end' && any !== undefined) interests = without(interests, any.id)
          else if (next !== undefined) {
            interests = postpone(interests, ranked[at % ranked.length]?.id ?? '', next.id)
          }
          const ranks = mortgagesOf(interests).map(({ rank }) => rank)
          expect(ranks).toEqual(ranks.map((_, index) => index + 1))
        }
      }),
    )
  })
})

describe('what lies on a title', () => {
  it('blocks it if it is a caveat or an order of a court, and says under which', () => {
    expect(codeOf(() => assertUnblocked([first, interest('e', 'easement')]))).toBeUndefined()
    const orders = [interest('c', 'caveat'), interest('o', 'court-order')]
    expect(() => assertUnblocked([first, ...orders])).toThrow(
      expect.objectContaining({ code: 'title_blocked', facts: { orders: ['c', 'o'] } }),
    )
  })

  it('has to be consented to, each by its own id', () => {
    expect(codeOf(() => assertConsented(mortgages, ['m1', 'm2', 'm3']))).toBeUndefined()
    expect(codeOf(() => assertConsented(mortgages, ['m1', 'm2', 'm3', 'm4']))).toBe('encumbrance_unknown')
    expect(() => assertConsented(mortgages, ['m2', 'M1', ''])).toThrow(
      expect.objectContaining({ code: 'encumbrance_unconsented', facts: { missing: ['m1', 'm3'] } }),
    )
  })

  it('is the same on the parts of a split, until one of them changes', () => {
    let made = 0
    const newId = () => `n${++made}`
    const [one, two] = [carriedOver(mortgages, newId), carriedOver(mortgages, newId)]
    expect(sameInterests(one, two)).toBe(true)
    expect(new Set([...one, ...two].map(({ id }) => id)).size).toBe(6)
    expect(sameInterests(one, without(two, two[1]?.id ?? ''))).toBe(false)
    expect(sameInterests(one, postpone(two, two[0]?.id ?? '', two[1]?.id ?? ''))).toBe(false)
    expect(sameInterests(one, mortgages)).toBe(true)
  })

  it('shows the public its kind and rank, and nothing of its terms or parties', () => {
    expect(publicInterest({ ...first, party: 'p' })).toEqual({
      ...{ id: 'm1', kind: 'mortgage', class: 'restriction', rank: 1, registeredOn: '1970-01-01' },
    })
  })
})
