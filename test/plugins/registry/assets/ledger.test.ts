import fc from 'fast-check'
import {
  amountMost,
  force,
  freeOf,
  freeze,
  give,
  type Holding,
  issue,
  nothing,
  parseAmount,
  recap,
  receive,
  retire,
  type Supply,
  unfreeze,
} from '../../../../src/plugins/registry/assets/ledger.ts'
import { refusalOf } from '../world.ts'

const refused = (work: () => unknown): Promise<string | undefined> => refusalOf(Promise.resolve().then(work))
const holding = (amount: bigint, frozen = 0n): Holding => ({ amount, frozen })

describe('an amount', () => {
  it('is a decimal text above zero that 64 bits hold', async () => {
    expect(parseAmount('1')).toBe(1n)
    expect(parseAmount(String(amountMost))).toBe(amountMost)
    const wrong = ['', '0', '-1', '01', '1.0', '1e3', ' 1', '１', 'x', String(amountMost + 1n), '9'.repeat(40)]
    for (const text of wrong) expect(await refused(() => parseAmount(text))).toBe('amount_invalid')
  })

  it('is read as it is written', () => {
    fc.assert(fc.property(fc.bigInt(1n, amountMost), amount => parseAmount(String(amount)) === amount))
  })
})

describe('a class', () => {
  it('never has more units than its cap, nor a cap below what is issued', async () => {
    const supply: Supply = { cap: 10n, issued: 7n }
    expect(issue(supply, 3n)).toEqual({ cap: 10n, issued: 10n })
    expect(await refused(() => issue(supply, 4n))).toBe('cap_exceeded')
    expect(recap(supply, 7n)).toEqual({ cap: 7n, issued: 7n })
    expect(await refused(() => recap(supply, 6n))).toBe('cap_below_issued')
  })
})

describe('a holding', () => {
  it('gives what is free, and no more', async () => {
    expect(give(holding(10n, 4n), 6n)).toEqual(holding(4n, 4n))
    expect(await refused(() => give(holding(10n, 4n), 7n))).toBe('units_frozen')
    expect(await refused(() => give(holding(10n, 4n), 11n))).toBe('units_insufficient')
    expect(await refused(() => freeze(holding(10n, 4n), 7n))).toBe('units_frozen')
    expect(await refused(() => freeze(nothing, 1n))).toBe('units_insufficient')
  })

  it('loses by force what the freeze holds first, then what is free, and never what another freeze holds', async () => {
    expect(force(holding(10n, 4n), 3n, 4n)).toEqual({ holding: holding(7n, 1n), released: 3n })
    expect(force(holding(10n, 4n), 9n, 4n)).toEqual({ holding: holding(1n, 0n), released: 4n })
    expect(force(holding(10n, 4n), 6n, 0n)).toEqual({ holding: holding(4n, 4n), released: 0n })
    expect(await refused(() => force(holding(10n, 4n), 7n, 0n))).toBe('units_frozen')
    expect(await refused(() => force(holding(10n, 4n), 9n, 1n))).toBe('units_frozen')
  })
})

type World = { supply: Supply; holdings: Map<string, Holding>; freezes: { of: string; amount: bigint }[] }
type Step = { kind: number; of: string; to: string; amount: bigint; which: number }

/** One step as an act would do it: all of it or, when refused, nothing. */
const step = (world: World, { kind, of, to, amount, which }: Step): World => {
  const at = (name: string): Holding => world.holdings.get(name) ?? nothing
  const set = (...changes: [string, Holding][]) => new Map([...world.holdings, ...changes])
  const freezes = world.freezes
  const found = freezes[which % Math.max(1, freezes.length)]
  if (kind === 0) return { ...world, supply: issue(world.supply, amount), holdings: set([to, receive(at(to), amount)]) }
  if (kind === 1) return { ...world, supply: retire(world.supply, amount), holdings: set([of, give(at(of), amount)]) }
  if (kind === 2) return { ...world, supply: recap(world.supply, amount * 4n) }
  if (kind === 3) {
    return { ...world, holdings: set([of, freeze(at(of), amount)]), freezes: [...freezes, { of, amount }] }
  }
  if (kind === 4 && found !== undefined) {
    const others = freezes.filter(each => each !== found)
    return { ...world, holdings: set([found.of, unfreeze(at(found.of), found.amount)]), freezes: others }
  }
  if (of === to) return world
  if (kind === 5) return { ...world, holdings: set([of, give(at(of), amount)], [to, receive(at(to), amount)]) }
  const held = found?.of === of ? found : undefined
  const { holding: left, released } = force(at(of), amount, held?.amount ?? 0n)
  const rest = freezes.map(each => (each === held ? { ...each, amount: each.amount - released } : each))
  return { ...world, holdings: set([of, left], [to, receive(at(to), amount)]), freezes: rest }
}

const names = fc.constantFrom('a', 'b', 'c')
const steps = fc.array(
  fc.record({ kind: fc.nat(6), of: names, to: names, amount: fc.bigInt(1n, 60n), which: fc.nat(9) }),
  { minLength: 1, maxLength: 60 },
)

it('Whatever is done, holdings add up to what is issued, within the cap, and freezes to what is frozen.', () => {
  let moved = 0
  fc.assert(
    fc.property(steps, all => {
      let world: World = { supply: { cap: 200n, issued: 0n }, holdings: new Map(), freezes: [] }
      for (const each of all) {
        try {
          world = step(world, each)
          moved += 1
        } catch (error) {
          if ((error as { code?: string }).code === undefined) throw error
        }
        const held = [...world.holdings.values()]
        const sum = held.reduce((total, { amount }) => total + amount, 0n)
        if (sum !== world.supply.issued || sum > world.supply.cap) return false
        if (held.some(one => one.frozen < 0n || freeOf(one) < 0n)) return false
        for (const [name, { frozen }] of world.holdings) {
          const orders = world.freezes.filter(({ of }) => of === name)
          if (orders.reduce((total, { amount }) => total + amount, 0n) !== frozen) return false
        }
      }
      return true
    }),
    { numRuns: 500 },
  )
  expect(moved).toBeGreaterThan(1_000)
})
