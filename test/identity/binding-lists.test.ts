import { randomBytes } from 'node:crypto'
import { agencyEntities, agencyMigrations } from '../../src/agency.ts'
import { openStatusLists, type StatusListNeeds } from '../../src/identity/status.ts'
import { openStore } from '../../src/store/store.ts'
import { scratch } from './scratch.ts'

const files = scratch()
let folder = 0

/** Lists of one issuer over one database; what the chain was asked to open is open at once. */
const openScene = async (already: readonly number[] = []) => {
  const file = `${files.path(String(folder++))}/agency.sqlite`
  const store = await openStore({ file, migrations: agencyMigrations, entities: agencyEntities })
  const onChain = new Map<number, string>(already.map(list => [list, 'before']))
  const secret = randomBytes(32)
  const lists = (mode: StatusListNeeds['mode']) =>
    openStatusLists({
      ...{ store, mode, secret, chain: 'eip155:31337', registry: '0xr', issuer: '0xi' },
      status: { openedAt: (_issuer: string, list: number) => (onChain.has(list) ? 0 : undefined) } as never,
      async openOnChain(_tx, list) {
        onChain.set(list, mode)
        return `outbox-${list}`
      },
      hasFailed: async () => false,
    })
  return { store, onChain, lists }
}

describe('lists of wallet bindings', () => {
  it('have numbers of their own, whichever kind of list comes first', async () => {
    for (const order of [
      ['binding', 'bitmap'],
      ['bitmap', 'binding'],
    ] as const) {
      const { store, onChain, lists } = await openScene()
      for (const mode of order) await lists(mode).ensure()
      expect([...onChain].sort()).toEqual([
        [0, 'bitmap'],
        [32_768, 'binding'],
      ])
      expect((await lists('binding').allot()).list).toBe(32_768)
      expect((await lists('bitmap').allot()).list).toBe(0)
      await store.close()
    }
  })

  it('are followed by the next number when they are nearly full, and give no place out twice', async () => {
    const { store, onChain, lists } = await openScene()
    const bindings = lists('binding')
    await bindings.ensure()
    const places = new Set<number>()
    for (let n = 0; n < 3_000; n++) places.add((await bindings.allot()).index)
    expect(places.size).toBe(3_000)
    await store.transaction(tx => tx.query('UPDATE status_lists SET next = length - 1024 WHERE list = 32768'))
    await lists('binding').allot()
    await lists('bitmap').ensure()
    expect([...onChain.keys()].sort()).toEqual([0, 32_768, 32_769])
    await store.close()
  })

  it('pass over numbers that are open on chain and unknown here, and end with the last that the contract can hold', async () => {
    const known = await openScene([32_768, 32_769])
    await known.lists('binding').ensure()
    expect(known.onChain.get(32_770)).toBe('binding')
    await known.store.close()
    const all = await openScene(Array.from({ length: 32_768 }, (_, n) => 32_768 + n))
    await expect(all.lists('binding').ensure()).rejects.toThrow('no number left')
    await all.lists('bitmap').ensure()
    expect(all.onChain.get(0)).toBe('bitmap')
    await all.store.close()
  })
})
