import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './faulty-node.ts'
import { expectSound } from './judge.ts'
import type { World } from './world.ts'

/** Numbers that look random and are the same for the same seed (mulberry32). @returns the next one, below `below` */
export const openDice = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below)
  }
}
type Dice = ReturnType<typeof openDice>

const stranger = `0x${'99'.repeat(20)}`
const nobody = 999_999

/** Somebody moves something: out, back, to a wallet that may not have it, or to an account that there is not. */
const moveSomething = async (world: World, dice: Dice): Promise<void> => {
  const [who, what, amount] = [dice(4), dice(10), 1 + dice(300)]
  if (what < 5) return void world.withdraw(who, amount, world.walletOf(dice(4))).entered.catch(() => undefined)
  if (what === 5) return void world.withdraw(who, amount, stranger).entered.catch(() => undefined)
  const account = what === 6 ? nobody : (world.customers[who]?.number ?? nobody)
  const has = await world.reader.balance(world.walletOf(dice(4))).catch(() => 0)
  if (has > 0) await world.depart(who, Math.min(amount, has), account)
}

const oneOf = <Item>(dice: Dice, items: readonly Item[]): Item => items[dice(items.length)] as Item

type Block = { transactions: string[] }

/**
 * The newest blocks are replaced by empty ones, or the node forgets them: at most two, fewer than make a block final.
 * @returns how many transactions the chain has lost by that
 */
const reorganise = async (world: World, dice: Dice): Promise<number> => {
  const { network, reader } = world
  if (network === undefined) return 0
  world.mine(false)
  for (let looks = 0; looks < 20; looks++) {
    const { pending } = await reader.rpc<{ pending: string }>('txpool_status', [])
    if (Number(pending) > 0) break
    await sleep(20)
  }
  const forgets = dice(3) === 0
  if (forgets) await network.persist()
  await network.mine()
  const { transactions } = await reader.rpc<Block>('eth_getBlockByNumber', ['latest', false])
  if (!forgets) await reader.rpc('anvil_reorg', [1 + dice(2), []])
  else {
    const { pid } = network
    process.kill(pid, 'SIGKILL')
    while (network.pid === pid) await sleep(10)
    await world.nodeBack()
  }
  const receipts = await Promise.all(transactions.map(hash => reader.receipt(hash)))
  world.mine(true)
  return receipts.filter(receipt => receipt === null).length
}

const strike = async (world: World, dice: Dice): Promise<number> => {
  const own = world.network === undefined
  const victim = oneOf(dice, own ? ['service', 'node', 'both', 'none'] : ['service', 'chain', 'chain', 'both', 'none'])
  if (victim === 'service' || victim === 'both') await world.killService()
  if (victim === 'service') await expectSound(world)
  if (own && (victim === 'node' || victim === 'both')) await world.killNode()
  const lost = !own && (victim === 'chain' || victim === 'both') ? await reorganise(world, dice) : 0
  if (!world.processes.alive()) await world.start()
  await world.nodeBack()
  await expectSound(world)
  return lost
}

const acts: readonly Fault['act'][] = ['lose', 'cut', 'twice']

/**
 * So many rounds of moves and blows; the way to the node loses, cuts and repeats answers all the while.
 * @returns how many transactions a network has lost
 */
export const runSchedule = async (world: World, seed: number, rounds: number): Promise<number> => {
  const dice = openDice(seed)
  const noise = openDice(seed + 1)
  await world.start()
  for (let at = 0; at < 4; at++) await world.withdraw(at, 1_000, world.walletOf(at)).entered
  world.node.disturb(() => (noise(25) === 0 ? oneOf(noise, acts) : undefined))
  let lost = 0
  for (let round = 0; round < rounds; round++) {
    for (let moves = 1 + dice(3); moves > 0; moves--) await moveSomething(world, dice)
    await sleep(dice(200))
    lost += await strike(world, dice)
  }
  world.node.disturb()
  return lost
}
