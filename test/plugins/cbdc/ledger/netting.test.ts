import fc from 'fast-check'
import {
  type BilateralLimit,
  byUrgency,
  type NettingParticipant,
  type Obligation,
  settleNet,
} from '../../../../src/plugins/cbdc/ledger/netting.ts'

const owes = (order: number, from: number, to: number, amount: bigint, priority = 5): Obligation => ({
  ...{ order, from, to, amount, priority },
})
const with_ = (...limits: bigint[]): NettingParticipant[] => limits.map((limit, at) => ({ account: at + 1, limit }))

/** Written without the solver's positions: every sum is taken anew. */
const netOf = (account: number, set: readonly Obligation[]): bigint =>
  set.reduce((sum, { from, to, amount }) => sum + (to === account ? amount : from === account ? -amount : 0n), 0n)
const owedTo = (from: number, to: number, set: readonly Obligation[]): bigint =>
  -netOf(
    from,
    set.filter(each => (each.from === from && each.to === to) || (each.from === to && each.to === from)),
  )
const isFeasible = (
  participants: readonly NettingParticipant[],
  bilateral: readonly BilateralLimit[],
  set: readonly Obligation[],
): boolean =>
  participants.every(({ account, limit }) => -netOf(account, set) <= limit) &&
  bilateral.every(({ from, to, limit }) => owedTo(from, to, set) <= limit)

type Case = { participants: NettingParticipant[]; bilateral: BilateralLimit[]; obligations: Obligation[] }

const banks = 4
const cases = (most: number): fc.Arbitrary<Case> =>
  fc.record({
    participants: fc
      .array(fc.bigInt({ min: 0n, max: 12n }), { minLength: banks, maxLength: banks })
      .map(limits => with_(...limits)),
    bilateral: fc.array(
      fc
        .record({
          from: fc.integer({ min: 1, max: banks }),
          to: fc.integer({ min: 1, max: banks }),
          limit: fc.bigInt({ min: 0n, max: 8n }),
        })
        .filter(({ from, to }) => from !== to),
      { maxLength: 3 },
    ),
    obligations: fc
      .array(
        fc
          .record({
            from: fc.integer({ min: 1, max: banks }),
            to: fc.integer({ min: 1, max: banks }),
            amount: fc.bigInt({ min: 1n, max: 15n }),
            priority: fc.integer({ min: 0, max: 2 }),
          })
          .filter(({ from, to }) => from !== to),
        { maxLength: most },
      )
      .map(list => list.map((each, order) => ({ ...each, order }))),
  })

/** Every choice of how many of each payer's obligations, in their order, are in. */
const prefixesOf = (obligations: readonly Obligation[]): Obligation[][] => {
  const payers = [...new Set(obligations.map(({ from }) => from))]
  return payers.reduce<Obligation[][]>(
    (sets, payer) => {
      const queue = obligations.filter(({ from }) => from === payer).sort(byUrgency)
      return sets.flatMap(set => Array.from({ length: queue.length + 1 }, (_, n) => [...set, ...queue.slice(0, n)]))
    },
    [[]],
  )
}

test('a ring in which nobody has money settles as a whole', () => {
  const ring = [owes(0, 1, 2, 100n), owes(1, 2, 3, 100n), owes(2, 3, 1, 100n)]
  const { settled, left, nets } = settleNet(with_(0n, 0n, 0n), [], ring)
  expect(settled).toEqual(ring)
  expect(left).toEqual([])
  expect([...nets.values()]).toEqual([0n, 0n, 0n])
})

test('what breaks the gridlock is left out, the least urgent of the payer first', () => {
  const urgent = owes(0, 1, 2, 60n, 9)
  const usual = owes(1, 1, 2, 60n, 3)
  const { settled, left, nets } = settleNet(with_(20n, 0n), [], [usual, urgent, owes(2, 2, 1, 50n)])
  expect(settled).toEqual([urgent, owes(2, 2, 1, 50n)])
  expect(left).toEqual([usual])
  expect(nets.get(1)).toBe(-10n)
})

test('a smaller one passes a greater one of higher priority only because that one does not fit', () => {
  const great = owes(0, 1, 2, 100n, 9)
  const small = owes(1, 1, 2, 10n, 0)
  expect(settleNet(with_(10n, 0n), [], [great, small]).settled).toEqual([small])
  expect(settleNet(with_(100n, 0n), [], [great, small]).settled).toEqual([great])
})

test('a limit towards one counterparty holds though the payer has money enough', () => {
  const obligations = [owes(0, 1, 2, 50n), owes(1, 1, 3, 50n)]
  const { settled } = settleNet(with_(1_000n, 0n, 0n), [{ from: 1, to: 2, limit: 40n }], obligations)
  expect(settled).toEqual([obligations[1]])
})

test('of two limits towards one counterparty the smaller counts, and whoever has none stated owes nothing', () => {
  const twice = [
    { from: 1, to: 2, limit: 9n },
    { from: 1, to: 2, limit: 5n },
    { from: 1, to: 2, limit: 9n },
  ]
  expect(settleNet(with_(10n, 0n), twice, [owes(0, 1, 2, 6n)]).settled).toEqual([])
  expect(settleNet([{ account: 2, limit: 5n }], [], [owes(0, 1, 2, 1n)]).settled).toEqual([])
})

test.each([
  ['a negative limit', with_(-1n), []],
  ['an amount of nothing', with_(1n), [owes(0, 1, 2, 0n)]],
  ['a negative amount', with_(1n), [owes(0, 1, 2, -1n)]],
  ['an obligation to oneself', with_(1n), [owes(0, 1, 1, 1n)]],
])('%s is never looked at', (_, participants, obligations) => {
  expect(() => settleNet(participants, [], obligations)).toThrow(RangeError)
})

test('positions are conserved, nobody is beyond a limit, and nothing left out could settle as well', () => {
  fc.assert(
    fc.property(cases(24), ({ participants, bilateral, obligations }) => {
      const { settled, left, nets } = settleNet(participants, bilateral, obligations)
      expect([...nets.values()].reduce((sum, net) => sum + net, 0n)).toBe(0n)
      for (const [account, net] of nets) expect(net).toBe(netOf(account, settled))
      expect(isFeasible(participants, bilateral, settled)).toBe(true)
      expect([...settled, ...left].sort(byUrgency)).toEqual(obligations.toSorted(byUrgency))
      for (const one of left) expect(isFeasible(participants, bilateral, [...settled, one])).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('every set in which nobody passes an earlier obligation of the same payer is part of the result (brute force)', () => {
  fc.assert(
    fc.property(cases(9), ({ participants, bilateral, obligations }) => {
      const settled = new Set(settleNet(participants, bilateral, obligations).settled)
      for (const set of prefixesOf(obligations)) {
        if (isFeasible(participants, bilateral, set)) expect(set.every(each => settled.has(each))).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})

test('the result does not depend on the order in which it is handed over', () => {
  const shuffled = cases(16).chain(given =>
    fc.record({
      given: fc.constant(given),
      obligations: fc.shuffledSubarray(given.obligations, { minLength: given.obligations.length }),
      participants: fc.shuffledSubarray(given.participants, { minLength: banks }),
    }),
  )
  fc.assert(
    fc.property(shuffled, ({ given, obligations, participants }) => {
      expect(settleNet(participants, given.bilateral, obligations)).toEqual(
        settleNet(given.participants, given.bilateral, given.obligations),
      )
    }),
  )
})
