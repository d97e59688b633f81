import type { Row, Store, Tx } from '../kernel/ports.ts'
import type { Header, LogEntry } from './client.ts'
import { type ChainEvent, decodeEvent, type SourceName, type WordEvent } from './events.ts'

export type StoredBlock = { number: number; hash: string /** Seconds. */; time: number }
export type WordValue = { block: number; bits: Uint8Array }
export type WordPlace = { issuer: string; list: number; word: number }

/** One block's worth of what is new: the header, and its events as they came and as they were understood. */
export type Page = {
  headers: Pick<Header, 'number' | 'hash' | 'timestamp'>[]
  events: { log: LogEntry; source: SourceName; event: ChainEvent }[]
}

/** The chain's events in a store of their own. All of it can be read again from the chain. */
export type History = {
  /** The newest block followed; forgets everything if it was of another chain or of other contracts. */
  open(source: string): Promise<StoredBlock | undefined>
  /** Adds what follows `above`; whatever a failed attempt left there is replaced. */
  add(page: Page, above: number): Promise<void>
  /** Forgets all blocks above. @returns the words that changed in them. */
  rollBack(ancestor: number): Promise<WordPlace[]>
  block(number: number): Promise<StoredBlock | undefined>
  /** The newest blocks at or below, newest first. */
  blocksDown(from: number, limit: number): Promise<StoredBlock[]>
  /** The last block that was there at this time (seconds). */
  blockAt(time: number): Promise<StoredBlock | undefined>
  /** The values of a word: the last at or before `settled`, and all later ones up to `block`; oldest first. */
  word(place: WordPlace, settled: number, block: number): Promise<WordValue[]>
  /** Everything, in order, in pages. */
  replay(take: (events: ChainEvent[]) => void): Promise<void>
}

const pageRows = 20_000

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const wordRow = (event: WordEvent): Row => ({
  block: event.block,
  log: event.log,
  issuer: event.issuer,
  list: event.list,
  word: event.word,
  bits: hexOf(event.bits),
})

const eventRow = (log: LogEntry, source: SourceName): Row => ({
  block: log.blockNumber,
  log: log.logIndex,
  kind: source,
  topics: log.topics.join(' '),
  data: log.data,
})

type WordRow = { block: number; log: number; issuer: string; list: number; word: number; bits: string; time: number }
type EventRow = { block: number; log: number; kind: string; topics: string; data: string; time: number }

const eventOf = (row: EventRow): ChainEvent[] => {
  const log = { address: '', topics: row.topics.split(' '), data: row.data, blockHash: '' }
  const event = decodeEvent(row.kind as SourceName, { ...log, blockNumber: row.block, logIndex: row.log }, row.time)
  return event ? [event] : []
}

/** Pages through a table by its key; the block's time comes along. */
const replayTable = async <Found extends Row & { block: number; log: number }>(
  store: Store,
  table: 'chain_words' | 'chain_events',
  take: (rows: Found[]) => void,
): Promise<void> => {
  let last = { block: -1, log: -1 }
  for (;;) {
    const rows = await store.read<Found>(
      `SELECT e.*, b.time FROM ${table} e JOIN chain_blocks b ON b.number = e.block
       WHERE e.block > ? OR (e.block = ? AND e.log > ?) ORDER BY e.block, e.log LIMIT ?`,
      [last.block, last.block, last.log, pageRows],
    )
    if (rows.length === 0) return
    take(rows)
    last = rows.at(-1) ?? last
  }
}

const forgetAbove = async (tx: Tx, ancestor: number): Promise<void> => {
  await tx.query('DELETE FROM chain_words WHERE block > ?', [ancestor])
  await tx.query('DELETE FROM chain_events WHERE block > ?', [ancestor])
  await tx.query('DELETE FROM chain_blocks WHERE number > ?', [ancestor])
  await tx.query('UPDATE chain_cursor SET block = ?', [ancestor])
}

const wordValues = async (
  store: Store,
  { issuer, list, word }: WordPlace,
  settled: number,
  upTo: number,
): Promise<WordValue[]> => {
  const place = 'issuer = ? AND list = ? AND word = ?'
  const base = await store.read<{ block: number; bits: string }>(
    `SELECT block, bits FROM chain_words WHERE ${place} AND block <= ? ORDER BY block DESC, log DESC LIMIT 1`,
    [issuer, list, word, Math.min(settled, upTo)],
  )
  const later = await store.read<{ block: number; bits: string }>(
    `SELECT block, bits FROM chain_words WHERE ${place} AND block > ? AND block <= ? ORDER BY block, log`,
    [issuer, list, word, settled, upTo],
  )
  return [...base, ...later].map(row => ({ block: row.block, bits: Buffer.from(row.bits, 'hex') }))
}

export const openHistory = (store: Store): History => {
  const block = async (number: number): Promise<StoredBlock | undefined> => {
    const [found] = await store.read<StoredBlock>('SELECT number, hash, time FROM chain_blocks WHERE number = ?', [
      number,
    ])
    return found
  }
  return {
    open: async source => {
      const [cursor] = await store.read<{ source: string; block: number }>('SELECT source, block FROM chain_cursor')
      if (cursor?.source === source) return block(cursor.block)
      await store.transaction(async tx => {
        await forgetAbove(tx, -1)
        await tx.query('DELETE FROM chain_cursor')
        await tx.query('INSERT INTO chain_cursor (id, source, block) VALUES (1, ?, -1)', [source])
      })
      return undefined
    },
    add: ({ headers, events }, above) =>
      store.transaction(async tx => {
        const last = headers.at(-1)
        if (last === undefined) return
        await forgetAbove(tx, above)
        tx.insert(
          'chain_blocks',
          headers.map(({ number, hash, timestamp }) => ({ number, hash, time: timestamp })),
        )
        const words = events.flatMap(({ event }) => (event.kind === 'StatusChanged' ? [wordRow(event)] : []))
        const others = events.filter(({ event }) => event.kind !== 'StatusChanged')
        if (words.length > 0) tx.insert('chain_words', words)
        if (others.length > 0)
          tx.insert(
            'chain_events',
            others.map(({ log, source }) => eventRow(log, source)),
          )
        await tx.query('UPDATE chain_cursor SET block = ?', [last.number])
      }),
    rollBack: async ancestor => {
      const words = await store.read<WordPlace>('SELECT DISTINCT issuer, list, word FROM chain_words WHERE block > ?', [
        ancestor,
      ])
      await store.transaction(tx => forgetAbove(tx, ancestor))
      return words
    },
    block,
    blocksDown: (from, limit) =>
      store.read<StoredBlock>(
        'SELECT number, hash, time FROM chain_blocks WHERE number <= ? ORDER BY number DESC LIMIT ?',
        [from, limit],
      ),
    blockAt: async time => {
      const [found] = await store.read<StoredBlock>(
        'SELECT number, hash, time FROM chain_blocks WHERE time <= ? ORDER BY time DESC, number DESC LIMIT 1',
        [time],
      )
      return found
    },
    word: (place, settled, block) => wordValues(store, place, settled, block),
    replay: async take => {
      await replayTable<EventRow>(store, 'chain_events', rows => take(rows.flatMap(eventOf)))
      await replayTable<WordRow>(store, 'chain_words', rows =>
        take(rows.map(row => ({ ...row, kind: 'StatusChanged', bits: Buffer.from(row.bits, 'hex') }))),
      )
    },
  }
}
