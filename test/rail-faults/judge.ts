import { setTimeout as sleep } from 'node:timers/promises'
import type { GateState, MoveRow } from './reading.ts'
import { funds, until, type World } from './world.ts'

/** What has to hold of money on two rails: at every moment, and when everything has ended. */

const ended = new Set(['arrived', 'credited', 'refunded'])
/** How the gate must stand for what the ledger says, of each direction. */
const gateAllows: Record<string, readonly GateState[]> = {
  'toChain arrived': ['arrived'],
  'toChain suspended': ['suspended', 'arrived', 'returned'],
  'toChain refunded': ['cancelled', 'returned'],
  'toChain stranded': ['cancelled', 'returned'],
  'toLedger credited': ['departed'],
  'toLedger stranded': ['departed'],
  'toLedger ending': ['departed', 'refunded', 'suspended'],
  'toLedger suspended': ['suspended', 'refunded'],
  'toLedger refunded': ['refunded'],
}

/** Nothing that the ledger holds for true is otherwise at the gate. */
const expectAllowed = async ({ reader }: World, moves: readonly MoveRow[]): Promise<void> => {
  for (const { operation, direction, state, amount } of moves) {
    const allowed = gateAllows[`${direction} ${state}`]
    if (allowed === undefined) continue
    const found = await reader.operation(operation)
    const said = { operation, direction, ledger: state, gate: found.state }
    if (!allowed.includes(found.state)) throw new Error(`the rails differ: ${JSON.stringify(said)}`)
    // What was cancelled before it was there has no amount there.
    if (found.state !== 'cancelled') expect({ ...said, amount: found.amount }).toEqual({ ...said, amount })
  }
}

const away = async ({ database, reader, railAccount }: World): Promise<{ supply: number; locked: number }> => {
  const before = (await database.balances()).get(railAccount) ?? 0
  const supply = await reader.supply()
  const after = (await database.balances()).get(railAccount) ?? 0
  return { supply, locked: Math.max(before, after) }
}

/**
 * No unit is spendable on both rails. The ledger is read first: what it says has ended, the chain must have ended before, whatever
 * was killed since.
 */
export const expectSound = async (world: World): Promise<void> => {
  expect(world.processes.breaches).toEqual([])
  const moves = await world.database.moves()
  await expectAllowed(world, moves)
  const balances = await world.database.balances()
  expect([...balances.values()].reduce((sum, balance) => sum + balance, 0)).toBe(0)
  for (let tries = 1; ; tries++) {
    const { supply, locked } = await away(world)
    if (supply <= locked) return
    // What lives may have moved between the readings.
    if (tries === 3 || !world.processes.alive()) throw new Error(`${supply} on the chain, ${locked} locked at home`)
    await sleep(50)
  }
}

/** Declined by the chain, for the wallet had not the money just then. */
export const isDeclined = async ({ reader }: World, hash: string): Promise<boolean> =>
  (await reader.receipt(hash))?.status === '0x0'

const open = async (world: World): Promise<string[]> => {
  const { database, sent, reader } = world
  const moves = await database.moves()
  const departures = await reader.departures()
  const waiting: string[] = []
  for (const each of sent) {
    const id =
      each.direction === 'toChain' ? each.operation : departures.find(({ hash }) => hash === each.hash)?.operation
    const move = moves.find(({ operation }) => operation === id)
    if (move !== undefined && ended.has(move.state)) continue
    if (each.direction === 'toLedger' && (await isDeclined(world, each.hash))) continue
    waiting.push(`${each.direction} ${id}: ${move?.state ?? 'not there'}`)
  }
  const others = moves.filter(({ state }) => !ended.has(state))
  return [...waiting, ...others.map(({ operation, state, reason }) => `${operation}: ${state} (${reason})`)]
}

/** Every move ends; what waits for an officer gets one. */
export const expectEnded = async (world: World, timeoutMs = 40_000): Promise<void> => {
  const asked = new Set<string>()
  const officer = async (): Promise<void> => {
    for (const { operation, direction, state } of await world.database.moves()) {
      const waits = direction === 'toChain' ? 'suspended' : 'stranded'
      if (state !== waits || asked.has(operation)) continue
      asked.add(operation)
      void world.decide(operation, direction === 'toChain' ? 'return' : 'refund')
    }
  }
  await until(
    async () => {
      await officer()
      return (await open(world)).length === 0
    },
    async () => `${(await open(world)).join('\n')}\n${world.processes.said()}`,
    timeoutMs,
  )
}

/** What a plain list of what was sent comes to, by how the gate says each ended. */
const model = async (world: World) => {
  const { sent, reader, customers } = world
  const accounts = new Map(customers.map(({ number }) => [number, funds]))
  const wallets = new Map<string, number>()
  const add = <Key>(to: Map<Key, number>, key: Key, amount: number): void =>
    void to.set(key, (to.get(key) ?? 0) + amount)
  const departures = await reader.departures()
  let moved = 0
  for (const each of sent) {
    if (each.direction === 'toChain') {
      moved += 1
      const { state, party } = await reader.operation(each.operation)
      add(accounts, each.customer, -each.amount)
      if (state === 'arrived') add(wallets, party, each.amount)
      else add(accounts, each.customer, each.amount)
      continue
    }
    if (await isDeclined(world, each.hash)) continue
    const own = departures.filter(({ hash }) => hash === each.hash)
    expect(own).toHaveLength(1)
    moved += 1
    const { state } = await reader.operation(own[0]?.operation ?? '')
    add(wallets, each.wallet, -each.amount)
    if (state === 'refunded') add(wallets, each.wallet, each.amount)
    else add(accounts, each.account, each.amount)
  }
  return { accounts, wallets, moved }
}

/** All has ended: balances on both rails are those of the plain list, and nothing is in transit. */
export const expectModel = async (world: World): Promise<void> => {
  await expectSound(world)
  const { accounts, wallets, moved } = await model(world)
  const balances = await world.database.balances()
  const told = new Map([...accounts.keys()].map(number => [number, balances.get(number)]))
  expect(told).toEqual(accounts)
  for (const [wallet, amount] of wallets) expect([wallet, await world.reader.balance(wallet)]).toEqual([wallet, amount])
  const supply = [...wallets.values()].reduce((sum, amount) => sum + amount, 0)
  expect(await world.reader.supply()).toBe(supply)
  expect(balances.get(world.railAccount)).toBe(supply)
  expect(await world.database.moves()).toHaveLength(moved)
}
