import { randomBytes } from 'node:crypto'
import type { BlockRef, ChainOutbox, ChainWrite, Clock, Row, Store, Tx } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import type { ChainAccount } from './account.ts'
import type { ChainClient } from './client.ts'
import type { Binding } from './contracts.ts'
import { type Log, silent } from './log.ts'
import { Sender } from './sender.ts'

export type OutboxOptions = {
  /** Has the tables of migrations 0100 (leases) and 0200 (outbox). */
  store: Store
  client: ChainClient
  clock: Clock
  /** Sends and pays. One sender at a time over all processes; nobody else may send from it. */
  account: ChainAccount
  /** What `ChainWrite.contract` may name, by name or by address. */
  contracts: Record<string, Binding>
  /** Blocks on top of a transaction's block before it is final. */
  confirmations: number
  /** Asks an embedded chain for a block. */
  mine?: () => Promise<void>
  /** Awaited before anything becomes final: after it, the chain survives a crash. */
  persist?: () => Promise<void>
  /** Called when transactions were mined and awaited before that is told: a follower can look first. */
  onMined?: () => unknown
  /** How often the chain is asked while something waits. @default 1000 */
  pollMs?: number
  /** After how long a waiting transaction is sent again. @default 15000 */
  resendMs?: number
  /** After how long a waiting transaction offers more. @default 60000 */
  bumpMs?: number
  /** @default 15000000 */
  maxGas?: number
  /** @default 500 gwei */
  maxFeePerGas?: bigint
  /** How many of our transactions wait in the pool at most. @default 256 */
  window?: number
  /** @default 15000 */
  leaseMs?: number
  log?: Log
}

export type Outbox = ChainOutbox & {
  readonly account: string
  /** Looks at once instead of at the next poll. Resolves after that look. */
  poke(): Promise<void>
  /** Resolves when nothing of this account waits any more, or after `timeoutMs`. @returns whether that is so. */
  settled(timeoutMs: number): Promise<boolean>
  close(): Promise<void>
}

type State = 'queued' | 'mined' | 'final' | 'failed'
type StateRow = {
  state: State
  block_number: number | null
  block_hash: string | null
  block_time: number | null
  error: string | null
}

let lastMs = 0
let counter = 0

/** Sorts by time of making, exactly so within this process: transactions are sent in that order. */
const outboxId = (nowMs: number): string => {
  counter = nowMs > lastMs ? 0 : counter + 1
  lastMs = Math.max(lastMs, nowMs)
  return `${lastMs.toString(16).padStart(12, '0')}${counter.toString(16).padStart(6, '0')}${randomBytes(7).toString('hex')}`
}

/** The state of all writes together: failed if one failed, else the least advanced. */
const stateOf = (rows: StateRow[]): State =>
  (['failed', 'queued', 'mined'] as const).find(state => rows.some(row => row.state === state)) ?? 'final'

const blockOf = (chain: string, rows: StateRow[]): BlockRef | undefined => {
  const last = rows.reduce((a, b) => ((b.block_number ?? -1) > (a.block_number ?? -1) ? b : a))
  if (last.block_number === null || last.block_hash === null) return undefined
  return { chain, number: last.block_number, hash: last.block_hash, timestamp: (last.block_time ?? 0) * 1_000 }
}

/** By its name, by its address, or as `<name>@<address>`: another contract of the same make, such as the money of one currency. */
const bindingOf = ({ contracts }: OutboxOptions, contract: string): Binding => {
  const [name = '', at] = contract.split('@')
  const known = contracts[name] ?? Object.values(contracts).find(({ address }) => address === contract.toLowerCase())
  if (known === undefined) throw new Error(`The outbox knows no contract ${contract}.`)
  return at === undefined ? known : { ...known, address: at.toLowerCase() }
}

const rowOf = (options: OutboxOptions, account: string, id: string, write: ChainWrite, position: number): Row => {
  const binding = bindingOf(options, write.contract)
  if (write.account.toLowerCase() !== account) throw new Error(`This outbox sends from ${account} only.`)
  return {
    id,
    position,
    account,
    contract: binding.address.toLowerCase(),
    calldata: binding.interface.encodeFunctionData(write.method, write.args).slice(2),
    state: 'queued',
    settled: 0,
    nonce: null,
    raw: null,
    hash: null,
    earlier: '[]',
    block_number: null,
    block_hash: null,
    block_time: null,
    attempts: 0,
    error: null,
    queued_at: options.clock.now(),
    sent_at: null,
  }
}

/**
 * Transactions for the chain, kept with the acts that want them. What was enqueued is sent in that order and takes
 * effect at most once: its nonce is its own from the first time it is signed, and what is signed is stored first.
 */
export const openOutbox = (options: OutboxOptions): Outbox => {
  const { store, client, log = silent } = options
  const account = options.account.address.toLowerCase()
  const sender = new Sender({ ...options, log })

  const rowsOf = (id: string): Promise<StateRow[]> =>
    store.read<StateRow>('SELECT state, block_number, block_hash, block_time, error FROM outbox WHERE id = ?', [id])

  const until = async (timeoutMs: number, done: () => Promise<boolean>): Promise<boolean> => {
    const end = performance.now() + timeoutMs
    for (;;) {
      const changed = sender.nextChange(Math.max(0, Math.min(250, end - performance.now())))
      if (await done()) return true
      if (performance.now() >= end) return false
      await changed
    }
  }

  return {
    account,
    enqueue: async (tx: Tx, writes: ChainWrite[]) => {
      if (writes.length === 0) throw new Error('There is nothing to enqueue.')
      const id = outboxId(options.clock.now())
      tx.insert(
        'outbox',
        writes.map((write, position) => rowOf(options, account, id, write, position)),
      )
      tx.afterCommit(() => void sender.poke())
      return id
    },
    state: async id => {
      const rows = await rowsOf(id)
      if (rows.length === 0) return undefined
      const [block, state] = [blockOf(client.chain, rows), stateOf(rows)]
      const error = rows.find(row => row.state === 'failed')?.error ?? undefined
      return { state, ...(block && { block }), ...(error !== undefined && { error }) }
    },
    wait: async (id, timeoutMs) => {
      let state: State | undefined
      await until(timeoutMs, async () => {
        const rows = await rowsOf(id)
        if (rows.length === 0) throw new Refusal('not_found', 'outbox_unknown', 'There is no such outbox entry.')
        state = stateOf(rows)
        return state !== 'queued'
      })
      return state ?? 'queued'
    },
    poke: sender.poke,
    settled: timeoutMs =>
      until(timeoutMs, async () => {
        const waiting = await store.read('SELECT id FROM outbox WHERE account = ? AND settled = 0 LIMIT 1', [account])
        return waiting.length === 0
      }),
    close: () => sender.close(),
  }
}
