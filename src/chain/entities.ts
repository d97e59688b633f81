import { EntitySchema } from 'typeorm'

type Columns = Record<string, { type: 'text' | 'integer' | 'bigint'; primary?: true; nullable?: true }>

const table = (name: string, columns: Columns): EntitySchema => new EntitySchema({ name, tableName: name, columns })

const text = { type: 'text' } as const
const integer = { type: 'bigint' } as const
const maybe = { nullable: true } as const
const key = { primary: true } as const

/** Transactions for the chain, one row each; in the store of the agency. Hex without a prefix where it is bytes. */
export const outboxEntity = table('outbox', {
  id: { ...text, ...key },
  position: { ...integer, ...key },
  account: text,
  contract: text,
  calldata: text,
  state: text,
  settled: integer,
  nonce: { ...integer, ...maybe },
  raw: { ...text, ...maybe },
  hash: { ...text, ...maybe },
  earlier: text,
  block_number: { ...integer, ...maybe },
  block_hash: { ...text, ...maybe },
  block_time: { ...integer, ...maybe },
  attempts: integer,
  error: { ...text, ...maybe },
  queued_at: integer,
  sent_at: { ...integer, ...maybe },
})

/** One row: which chain and contracts this history is of, and how far it goes. */
export const chainCursorEntity = table('chain_cursor', {
  id: { ...integer, ...key },
  source: text,
  block: integer,
})

/** Blocks that were followed: all near the head, and every one with an event. Time in seconds. */
export const chainBlocksEntity = table('chain_blocks', {
  number: { ...integer, ...key },
  hash: text,
  time: integer,
})

/** Every word of a status list that changed, with its new bits (64 hex digits). */
export const chainWordsEntity = table('chain_words', {
  block: { ...integer, ...key },
  log: { ...integer, ...key },
  issuer: text,
  list: integer,
  word: integer,
  bits: text,
})

/** Every other event, as topics and data. */
export const chainEventsEntity = table('chain_events', {
  block: { ...integer, ...key },
  log: { ...integer, ...key },
  kind: text,
  topics: text,
  data: text,
})

/** The newest version of each anchored status list that was had. */
export const anchoredCopiesEntity = new EntitySchema({
  name: 'anchored_copies',
  tableName: 'anchored_copies',
  columns: {
    issuer: { ...text, ...key },
    list: { ...integer, ...key },
    version: integer,
    bits: { type: 'blob' },
  },
})

export const outboxEntities = [outboxEntity]
export const chainEntities = [
  chainCursorEntity,
  chainBlocksEntity,
  chainWordsEntity,
  chainEventsEntity,
  anchoredCopiesEntity,
]
