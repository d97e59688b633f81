import { randomUUID } from 'node:crypto'
import { leafHash } from '../kernel/merkle.ts'
import type { Clock, Store } from '../kernel/ports.ts'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import { acquireLease, checkLease, type Lease, releaseLease } from './leases.ts'
import {
  deletePending,
  type Head,
  latestCheckpoint,
  moveHead,
  readBundle,
  readerOf,
  readHead,
  readTiles,
  type StoredCheckpoint,
  writeTiles,
} from './log-tables.ts'
import {
  appendLeaves,
  consistencyFrom,
  consistencyTiles,
  edgeTiles,
  hashBytes,
  inclusionFrom,
  inclusionTiles,
  rootFrom,
  tileWidth,
} from './tlog.ts'
import { checkpointText, isNoteName, signNote } from './tlog-note.ts'
import { bundled, firstEntries, parsePath, widthIn } from './tlog-paths.ts'

export type SequencerOptions = {
  store: Store
  clock: Clock
  /** Name of the log and of its key: a schema-less URL such as `agency.example/log`. */
  origin: string
  /** Ed25519, raw 32 bytes. */
  publicKey: Uint8Array
  /** Ed25519, raw 64 bytes over the text of the checkpoint. */
  sign: (data: Uint8Array) => Promise<Uint8Array>
  /** @default 10_000 */
  leaseMs?: number
  /** Pause between two looks at an empty queue. @default 200 */
  pauseMs?: number
  /** Entries in one transaction. @default 4096 */
  batchEntries?: number
  /** Takes what a run in the background throws; the next run tries again. */
  report?: (error: unknown) => void
}

export type Run = { leading: boolean; appended: number }
export type Proof = { size: number; root: Buffer; note: string; proof: Buffer[] }

export type Sequencer = {
  start(): void
  /** Lets the current run end and hands the lease back. */
  stop(): Promise<void>
  /** One batch: append what is pending and publish the head, if the lease can be had. */
  runOnce(): Promise<Run>
  /** The latest published checkpoint, as a signed note; undefined while the log is empty. */
  checkpoint(): Promise<string | undefined>
  /** By a path of tlog-tiles; undefined for what no published checkpoint covers. */
  tile(path: string): Promise<Buffer | undefined>
  /** Where the journal record with this id stands, once it has a place. */
  position(journalId: string): Promise<number | undefined>
  /** @throws Refusal not_found/not_logged for a position that no published checkpoint covers. */
  inclusionProof(position: number): Promise<Proof>
  /** @throws Refusal not_found/not_logged for sizes that are not covered. */
  consistencyProof(oldSize: number, size: number): Promise<Buffer[]>
}

type Pending = { id: string; commitment: Buffer }

const leaseName = 'sequencer'

/** The bundles as they are after the entries: the last one of before, longer, and new ones. */
const appendEntries = (size: number, last: Buffer, entries: Buffer[]): Map<number, Buffer> => {
  const bundles = new Map<number, Buffer>()
  let at = 0
  while (at < entries.length) {
    const bundle = Math.floor((size + at) / tileWidth)
    const filled = (size + at) % tileWidth
    const taken = entries.slice(at, at + tileWidth - filled)
    bundles.set(bundle, Buffer.concat([filled === 0 ? Buffer.alloc(0) : last, ...taken.map(bundled)]))
    at += taken.length
  }
  return bundles
}

/** Gives pending records their places: entries, tiles, positions and head in one transaction, and nothing signed. */
const append = (store: Store, lease: Lease, batchEntries: number): Promise<number> =>
  store.transaction(async tx => {
    await checkLease(store, tx, lease)
    const pending = await tx.query<Pending>('SELECT id, commitment FROM journal_pending ORDER BY id LIMIT ?', [
      batchEntries,
    ])
    if (pending.length === 0) return 0
    const before = await readHead(tx.query)
    const edge = await readTiles(tx.query, edgeTiles(before.size))
    const last = await readBundle(tx.query, Math.floor(before.size / tileWidth))
    const entries = pending.map(row => row.commitment)
    const tiles = appendLeaves(before.size, edge, entries.map(leafHash))
    const size = before.size + entries.length
    // The longer tiles come last, so that they win over the edge of before.
    const root = rootFrom(size, readerOf([...edge, ...tiles]))
    const after: Head = { size, root, epoch: lease.epoch }
    if (!(await moveHead(tx, before, after))) {
      throw new Refusal('conflict', 'lease_lost', 'Another process has moved the head of the log.')
    }
    await writeTiles(tx, tiles, appendEntries(before.size, last, entries))
    tx.insert(
      'journal_positions',
      pending.map((row, at) => ({ id: row.id, position: before.size + at })),
    )
    await deletePending(
      tx,
      store.dialect,
      pending.map(row => row.id),
    )
    return entries.length
  })

/** Signs the head as it is read back after its commit, never one that might still be rolled back. */
const publish = async (options: SequencerOptions, lease: Lease): Promise<void> => {
  const { store, origin, publicKey } = options
  const head = await readHead(store.read)
  const latest = await latestCheckpoint(store.read)
  if (head.size <= (latest?.size ?? 0)) return
  const text = checkpointText({ origin, size: head.size, root: head.root })
  const note = await signNote(text, { name: origin, publicKey }, options.sign)
  await store.transaction(async tx => {
    await checkLease(store, tx, lease)
    await tx.query(
      'INSERT INTO log_checkpoints (size, root, note, at) VALUES (?, ?, ?, ?) ON CONFLICT (size) DO NOTHING',
      [head.size, head.root, note, options.clock.now()],
    )
  })
}

const notLogged = (detail: string): Refusal => new Refusal('not_found', 'not_logged', detail)

/** What outsiders may see of the log: that which a stored checkpoint covers. */
const openPublished = (
  store: Store,
): Pick<Sequencer, 'checkpoint' | 'tile' | 'position' | 'inclusionProof' | 'consistencyProof'> => {
  const published = async (): Promise<StoredCheckpoint> => {
    const latest = await latestCheckpoint(store.read)
    if (latest === undefined) throw notLogged('The log has no checkpoint yet.')
    return latest
  }
  return {
    checkpoint: async () => (await latestCheckpoint(store.read))?.note,
    tile: async path => {
      const request = parsePath(path)
      const latest = await latestCheckpoint(store.read)
      if (request === undefined || latest === undefined) return undefined
      if (request.width > widthIn(request, latest.size)) return undefined
      if (request.kind === 'entries') return firstEntries(await readBundle(store.read, request.tile), request.width)
      const [tile] = await readTiles(store.read, [request])
      return tile?.hashes.subarray(0, request.width * hashBytes)
    },
    position: async journalId => {
      const sql = 'SELECT position FROM journal_positions WHERE id = ?'
      const [row] = await store.read<{ position: number }>(sql, [journalId])
      return row?.position
    },
    inclusionProof: async position => {
      const { size, root, note } = await published()
      if (!Number.isSafeInteger(position) || position < 0 || position >= size) {
        throw notLogged(`The published log of ${size} entries has no position ${position}.`)
      }
      const reader = readerOf(await readTiles(store.read, inclusionTiles(position, size)))
      return { size, root, note, proof: inclusionFrom(position, size, reader) }
    },
    consistencyProof: async (oldSize, size) => {
      const latest = await published()
      const sizes = Number.isSafeInteger(oldSize) && Number.isSafeInteger(size)
      if (!sizes || oldSize < 0 || oldSize > size || size > latest.size) {
        throw notLogged(`The published log of ${latest.size} entries has no proof from ${oldSize} to ${size}.`)
      }
      const reader = readerOf(await readTiles(store.read, consistencyTiles(oldSize, size)))
      return consistencyFrom(oldSize, size, reader)
    },
  }
}

/**
 * The only writer of the log. Any number of processes may run one; the lease says whose turn it is, and its epoch stands
 * in each of its writes. The work for a record does not grow with the log, but for its logarithm.
 */
export const openSequencer = (options: SequencerOptions): Sequencer => {
  const { store, clock, origin, batchEntries = 4096, leaseMs = 10_000, pauseMs = 200 } = options
  if (!isNoteName(origin)) throw new TypeError(`${origin} cannot be the name of a log`)
  // New for each instance: a process that comes back must not pass for the one it was.
  const holder = randomUUID()
  let lease: Lease | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let running = false

  const hold = async (): Promise<Lease | undefined> => {
    if (lease !== undefined && lease.expires - clock.now() > leaseMs / 2) return lease
    lease = await acquireLease(store, clock, { name: leaseName, holder, ttlMs: leaseMs })
    return lease
  }

  const run = async (): Promise<Run> => {
    const held = await hold()
    if (held === undefined) return { leading: false, appended: 0 }
    try {
      const appended = await append(store, held, batchEntries)
      await publish(options, held)
      return { leading: true, appended }
    } catch (error) {
      if (!isRefusal(error) || error.code !== 'lease_lost') throw error
      lease = undefined
      return { leading: false, appended: 0 }
    }
  }

  const runOnce = (): Promise<Run> => {
    const next = turn.then(run)
    turn = next.catch(() => {})
    return next
  }

  const cycle = async (): Promise<void> => {
    let wait = pauseMs
    try {
      if ((await runOnce()).appended === batchEntries) wait = 0
    } catch (error) {
      options.report?.(error)
    }
    if (running) timer = setTimeout(() => void cycle(), wait)
  }

  return {
    ...openPublished(store),
    runOnce,
    start: () => {
      if (running) return
      running = true
      void cycle()
    },
    stop: async () => {
      running = false
      clearTimeout(timer)
      await turn
      if (lease !== undefined) await releaseLease(store, lease)
      lease = undefined
    },
  }
}
