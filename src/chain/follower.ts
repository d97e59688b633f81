import type { BlockRef, Clock, Store } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import type { ChainClient } from './client.ts'
import { coalesce } from './coalesce.ts'
import type { SourceName } from './events.ts'
import { openHistory } from './history.ts'
import { type Log, silent } from './log.ts'
import { pageReader } from './pages.ts'
import { type ChainReader, createReader, type Freshness } from './readers.ts'
import { createReplica } from './replica.ts'
import { type Progress, Sync } from './sync.ts'

export type FollowerOptions = {
  /** A store of its own, with the tables of `migrations/chain`; one process, one store. */
  store: Store
  client: ChainClient
  clock: Clock
  /** The contracts that count. */
  addresses: Record<SourceName, string>
  /** The first block with anything of ours. @default 0 */
  fromBlock?: number
  /** Blocks on top of a cleared bit before it counts. */
  confirmations: number
  /** How long the last block that was linked to ours may be ago. @default 30000 */
  maxLagMs?: number
  /** How old the time of the newest block may be. @default 60000 */
  maxHeadAgeMs?: number
  /** How long an anchored list is good in the version before the newest. @default 60000 */
  anchoredGraceMs?: number
  /** @default 1000 */
  pollMs?: number
  /** Blocks of one question for events. @default 2000 */
  span?: number
  log?: Log
}

export type Change = {
  head: BlockRef
  /** Set when blocks were taken back: the last one that stayed. */
  rolledBackTo?: number
}

export type Follower = ChainReader & {
  /** @throws Refusal unavailable/status_unavailable when the replica may miss something. */
  assertFresh(): void
  /** Looks at once instead of at the next poll. Resolves when the head of that moment was followed. */
  poke(): Promise<void>
  /** Resolves when the head of the chain was reached for the first time. */
  caughtUp(): Promise<void>
  /** Calls back after every new block or rollback. @returns what ends that. */
  onChange(listener: (change: Change) => void): () => void
  /** Calls back with every identity whose events changed, and without one after a rollback. @returns what ends that. */
  onDidChange(listener: (identity?: string) => void): () => void
  /** Memory of the status bits, in pages that hold any, and how many statuses the lists have room for. */
  size(): { bytes: number; statuses: number }
  close(): Promise<void>
}

const freshnessOf = (options: FollowerOptions, sync: Sync): Freshness => {
  const { client, clock, maxLagMs = 30_000, maxHeadAgeMs = 60_000 } = options
  const stale = (detail: string): Refusal => new Refusal('unavailable', 'status_unavailable', detail)
  const head = (): BlockRef => {
    const { cursor } = sync
    if (cursor === undefined) throw stale('The chain has not been read yet. Try again later.')
    return { chain: client.chain, number: cursor.number, hash: cursor.hash, timestamp: cursor.time * 1_000 }
  }
  return {
    head,
    require: () => {
      const now = clock.now()
      if (now - sync.linkedAt > maxLagMs) throw stale('The chain cannot be followed at present. Try again later.')
      if (now - head().timestamp > maxHeadAgeMs)
        throw stale('The newest block of the chain is too old. Try again later.')
    },
  }
}

const listenerSet = <Args extends unknown[]>() => {
  const listeners = new Set<(...args: Args) => void>()
  return {
    add: (listener: (...args: Args) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    tell: (...args: Args) => {
      for (const listener of [...listeners]) listener(...args)
    },
  }
}

/** What the store holds belongs to these contracts on this chain; a change of them starts it anew. */
const load = async (options: FollowerOptions, addresses: Record<SourceName, string>): Promise<Sync> => {
  const { client, clock, confirmations, fromBlock = 0, span = 2_000, log = silent } = options
  const history = openHistory(options.store)
  const replica = createReplica()
  const cursor = await history.open([client.chain, fromBlock, ...Object.values(addresses)].join(' '))
  await history.replay(events => {
    replica.apply(events)
    replica.settle((cursor?.number ?? 0) - confirmations)
  })
  const pages = pageReader(client, addresses, span)
  return new Sync({ client, clock, history, replica, pages, cursor, fromBlock, confirmations, log })
}

/**
 * Keeps a replica of the chain's status lists, trust, DIDs and wallets in memory, and its history in a store. One in a process.
 * Begins to follow at once; `caughtUp` tells when its answers count.
 */
export const openFollower = async (options: FollowerOptions): Promise<Follower> => {
  const { confirmations, log = silent, pollMs = 1_000 } = options
  const addresses: Record<SourceName, string> = {
    EthereumDIDRegistry: options.addresses.EthereumDIDRegistry.toLowerCase(),
    StatusRegistry: options.addresses.StatusRegistry.toLowerCase(),
    TrustRegistry: options.addresses.TrustRegistry.toLowerCase(),
    WalletRegistry: options.addresses.WalletRegistry.toLowerCase(),
  }
  const sync = await load(options, addresses)
  const { replica, history } = sync
  const freshness = freshnessOf(options, sync)
  const changes = listenerSet<[Change]>()
  const dids = listenerSet<[string?]>()

  const tell = ({ rolledBackTo, identities }: Progress): void => {
    if (rolledBackTo !== undefined) dids.tell()
    for (const identity of identities) dids.tell(identity)
    changes.tell({ head: freshness.head(), ...(rolledBackTo === undefined ? {} : { rolledBackTo }) })
  }

  const caughtUp = Promise.withResolvers<void>()
  let closed = false
  const poke = coalesce(async () => {
    if (closed) return
    const progress = await sync.look()
    if (sync.linkedAt > Number.NEGATIVE_INFINITY) caughtUp.resolve()
    if (progress) tell(progress)
  })
  const poll = (): Promise<void> =>
    poke().catch(error => {
      if (!closed) log.warn({ error: String(error) }, 'the chain could not be followed; it is tried again')
    })
  const timer = setInterval(() => void poll(), pollMs)
  timer.unref()
  void poll()

  return {
    ...createReader({
      replica,
      history,
      freshness,
      clock: options.clock,
      chain: options.client.chain,
      statusRegistry: addresses.StatusRegistry,
      confirmations,
      anchoredGraceMs: options.anchoredGraceMs ?? 60_000,
    }),
    assertFresh: freshness.require,
    poke,
    caughtUp: () => caughtUp.promise,
    onChange: changes.add,
    onDidChange: dids.add,
    size: () => replica.size(),
    close: async () => {
      closed = true
      clearInterval(timer)
      await poll()
    },
  }
}
