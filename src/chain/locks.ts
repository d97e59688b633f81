import type { ChainLock, ChainLockState, ChainLocks, ChainLockTerms, LockNetwork } from '../kernel/chain-locks.ts'
import type { Clock } from '../kernel/ports.ts'
import type { Chain } from './chain.ts'
import { askingChain } from './unavailable.ts'
import { openView } from './view.ts'

/** As ISettlement numbers them. */
const states: readonly ChainLockState[] = ['none', 'locked', 'claimed', 'refunded']
/** Blocks in one look for a claim, and looks back from the newest final block at most. */
const stretch = 2_000
const looksMost = 100
/** How long a list of currencies counts, and that a claim was not found. */
const listedMs = 60_000
/** Claims that are remembered. */
const claimsMost = 10_000

type Parts = Pick<Chain, 'client' | 'contracts' | 'persist'>
type Place = { tag: string; number: number; hash: string; time: number }

const quantity = (value: number): string => `0x${value.toString(16)}`

/** In the order of `ISettlement.Lock`. */
const tupleOf = (terms: ChainLockTerms): unknown[] => [
  ...[terms.payer, terms.payee, terms.arbiter, terms.money, terms.amountMinor, terms.expiry, `0x${terms.hashLock}`],
  ...[terms.delivery, terms.deliveryId, terms.otherExpiry, terms.second, `0x${terms.salt}`],
]

/** Locks of the chain's Settlement, read where they cannot be undone any more. */
export const openChainLocks = (parts: Parts, clock: Clock): ChainLocks => {
  const { client, contracts, persist } = parts
  const settlement = contracts.Settlement
  const view = openView(client)
  let network: LockNetwork | undefined
  let listed: { at: number; money: Map<number, string> } | undefined
  const claims = new Map<string, { at: number; preimage: string | undefined }>()
  let dumped = -1

  /** The newest block that counts. Of an embedded node that is the head, once it has been dumped. */
  const finalPlace = async (): Promise<Place | undefined> => {
    if (persist !== undefined) {
      const { number, hash, timestamp } = await client.head()
      return { tag: quantity(number), number, hash, time: timestamp }
    }
    type Block = { number: string; hash: string; timestamp: string }
    const block = await client.rpc<Block | null>('eth_getBlockByNumber', ['finalized', false])
    if (block === null) return undefined
    return { tag: block.number, number: Number(block.number), hash: block.hash, time: Number(block.timestamp) }
  }

  /** An embedded node forgets what it has not dumped when it is killed, also between a question and the dump. */
  const isKept = async ({ number, hash }: Place): Promise<boolean> => {
    if (persist === undefined || number <= dumped) return true
    await persist()
    if ((await client.header(number))?.hash !== hash) return false
    dumped = number
    return true
  }

  const stateOf = async (lockId: string, tag?: string): Promise<ChainLockState> => {
    const [state] = await view(settlement, 'lockStateOf', [lockId], tag)
    return states[Number(state)] ?? 'none'
  }

  const preimageOf = async (lockId: string, through: number): Promise<string | undefined> => {
    const topic = settlement.interface.getEvent('Claimed')?.topicHash
    type Found = { topics: string[]; data: string }
    for (let to = through, looks = 0; to >= 0 && looks < looksMost; to -= stretch, looks += 1) {
      const blocks = { fromBlock: quantity(Math.max(0, to - stretch + 1)), toBlock: quantity(to) }
      const asked = { address: settlement.address, topics: [topic, lockId], ...blocks }
      const [log] = await client.rpc<Found[]>('eth_getLogs', [asked])
      if (log !== undefined) {
        const preimage = String(settlement.interface.parseLog(log)?.args['preimage'] ?? '')
        return preimage.slice(2).toLowerCase()
      }
    }
    return undefined
  }

  /** What stands in a final block is looked for once: anyone may name any lock, and a look may take a hundred questions. */
  const claimOf = async (lockId: string, through: number): Promise<string | undefined> => {
    const [known, now] = [claims.get(lockId), clock.now()]
    if (known !== undefined && (known.preimage !== undefined || now < known.at + listedMs)) return known.preimage
    const preimage = await preimageOf(lockId, through)
    claims.delete(lockId)
    for (const oldest of claims.keys()) {
      if (claims.size < claimsMost) break
      claims.delete(oldest)
    }
    claims.set(lockId, { at: now, preimage })
    return preimage
  }

  const readNetwork = async (): Promise<LockNetwork> => {
    const [[finality], [margin]] = await Promise.all([view(settlement, 'finality'), view(settlement, 'MARGIN')])
    const apart = { finalitySeconds: Number(finality), marginSeconds: Number(margin) }
    return { chainId: client.chainId, contract: settlement.address, ...apart }
  }

  const look = async (terms: ChainLockTerms): Promise<ChainLock> => {
    const lockId = String((await view(settlement, 'lockIdOf', [tupleOf(terms)]))[0])
    const place = await finalPlace()
    const newest = await stateOf(lockId)
    const state = place === undefined ? 'none' : await stateOf(lockId, place.tag)
    if (place !== undefined && state !== 'none' && !(await isKept(place))) return look(terms)
    const hasPreimage = state === 'claimed' && !/^0+$/.test(terms.hashLock)
    const preimage = hasPreimage ? await claimOf(lockId, place?.number ?? 0) : undefined
    return {
      ...{ lockId: lockId.slice(2), state, newest, block: place?.number ?? 0, blockTime: place?.time ?? 0 },
      ...(preimage === undefined ? {} : { preimage }),
    }
  }

  const money = async (): Promise<ReadonlyMap<number, string>> => {
    if (listed !== undefined && clock.now() < listed.at + listedMs) return listed.money
    const [numbers] = await view(contracts.MoneyFactory, 'currencies')
    const found = new Map<number, string>()
    for (const number of (numbers as bigint[]).map(Number)) {
      const known = listed?.money.get(number)
      found.set(number, known ?? String((await view(contracts.MoneyFactory, 'moneyOf', [number]))[0]).toLowerCase())
    }
    listed = { at: clock.now(), money: found }
    return found
  }

  return {
    network: () =>
      askingChain(async () => {
        network ??= await readNetwork()
        return network
      }),
    money: () => askingChain(money),
    look: terms => askingChain(() => look(terms)),
  }
}
