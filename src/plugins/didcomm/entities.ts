import { EntitySchema } from 'typeorm'

const text = { type: 'text' } as const
const integer = { type: 'bigint' } as const
const optionalText = { ...text, nullable: true } as const
const sealed = { type: 'blob', nullable: true } as const

/** Messages that have come, so that none counts twice. */
export const receivedEntity = new EntitySchema({
  name: 'didcomm_received',
  columns: { digest: { ...text, primary: true }, expires: integer },
})

/** What staff prepared for somebody: a credential, or a question. What it says stands in `sealed`, which is erased when it ends. */
export const exchangeEntity = new EntitySchema({
  name: 'didcomm_exchanges',
  columns: {
    id: { ...text, primary: true },
    /** `issue` or `present`. */
    kind: text,
    /** SHA-256 of the id of the invitation. */
    locator: text,
    /** The DID that took it up, or that alone may. */
    peer: optionalText,
    thread: optionalText,
    /** `prepared`, `open`, `done`, `abandoned`, `withdrawn`. */
    state: text,
    sealed,
    /** The credential that was issued; of a presentation, what was shown, sealed. */
    credential: optionalText,
    result: sealed,
    created: integer,
    expires: integer,
  },
})

/** Those who asked the mediator to keep messages, and when they were last heard of. */
export const mediationEntity = new EntitySchema({
  name: 'didcomm_mediations',
  columns: { requester: { ...text, primary: true }, used: integer },
})

export const recipientEntity = new EntitySchema({
  name: 'didcomm_recipients',
  columns: { did: { ...text, primary: true }, requester: text, added: integer },
})

/** Messages that wait to be picked up, as they came: encrypted to others. */
export const queueEntity = new EntitySchema({
  name: 'didcomm_queue',
  columns: {
    id: { ...text, primary: true },
    requester: text,
    recipient: text,
    message: text,
    bytes: integer,
    arrived: integer,
    expires: integer,
  },
})

/** Messages of ours that are on their way. */
export const outgoingEntity = new EntitySchema({
  name: 'didcomm_outgoing',
  columns: {
    id: { ...text, primary: true },
    peer: text,
    dialect: text,
    sealed: { type: 'blob' },
    attempts: integer,
    due: integer,
    expires: integer,
  },
})

export const entities = [
  ...[receivedEntity, exchangeEntity, mediationEntity],
  ...[recipientEntity, queueEntity, outgoingEntity],
]

const day = 24 * 60 * 60_000

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'didcomm_received',
    keepMs: 0,
    why: 'A message is remembered until it could no longer count.',
    key: 'digest',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'didcomm_exchanges',
    keepMs: 30 * day,
    why: 'Whether an offer or a question was taken up is asked for a month; what it says is erased when it ends.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'didcomm_recipients',
    keep: 'forever',
    why: 'Where messages for a DID go, until whoever asked says otherwise; the sweep takes it away with their mediation.',
  },
  {
    table: 'didcomm_mediations',
    keepMs: 400 * day,
    why: 'Whoever has not been seen for a year is forgotten.',
    key: 'requester',
    age: { column: 'used', kind: 'ms' },
  },
  {
    table: 'didcomm_queue',
    keepMs: 0,
    why: 'A message that nobody picked up in time is thrown away.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'didcomm_outgoing',
    keepMs: 0,
    why: 'What could not be delivered in a day is given up.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
] as const
