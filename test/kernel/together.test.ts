import fc from 'fast-check'
import { together } from '../../src/kernel/together.ts'

type Item = { key: string; value: number }

describe('work that many ask for at a time', () => {
  it('is done in turns, each item once, in order, and no two of one key in a turn', async () => {
    const items = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.nat() }), { maxLength: 200 })
    await fc.assert(
      fc.asyncProperty(items, async all => {
        const turns: (readonly Item[])[] = []
        const double = together<Item, number>(
          ({ key }) => key,
          async turn => {
            turns.push(turn)
            await new Promise(done => setImmediate(done))
            return turn.map(({ value }) => value * 2)
          },
        )
        const answers = await Promise.all(all.map(double))
        expect(answers).toEqual(all.map(({ value }) => value * 2))
        for (const turn of turns) expect(new Set(turn.map(({ key }) => key)).size).toBe(turn.length)
        for (const key of ['a', 'b', 'c', 'd']) {
          const of = (list: readonly Item[]) => list.filter(item => item.key === key)
          expect(turns.flatMap(of)).toEqual(of(all))
        }
      }),
    )
  })

  it('is at most 64 items a turn', async () => {
    const sizes: number[] = []
    const count = together<number, number>(String, async turn => {
      sizes.push(turn.length)
      return turn
    })
    await Promise.all(Array.from({ length: 150 }, (_, at) => count(at)))
    expect(sizes).toEqual([64, 64, 22])
  })

  it('is refused when too many are waiting, and taken again when they are fewer', async () => {
    const run = together<number, number>(String, async turn => turn)
    const all = await Promise.allSettled(Array.from({ length: 20_001 }, (_, at) => run(at)))
    expect(all.map(({ status }) => status).filter(status => status === 'rejected')).toHaveLength(1)
    expect(all.at(-1)).toMatchObject({ reason: { kind: 'unavailable', code: 'store_busy' } })
    expect(await run(1)).toBe(1)
  })

  it('fails for those of its turn, and goes on with the next', async () => {
    const run = together<number, number>(String, async turn => {
      if (turn.includes(1)) throw new Error('one is defective')
      return turn
    })
    const first = await Promise.allSettled([run(1), run(2)])
    expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await run(3)).toBe(3)
  })
})
