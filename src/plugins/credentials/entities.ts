import { EntitySchema } from 'typeorm'

const text = { type: 'text' } as const
const integer = { type: 'bigint' } as const

/** Issued credentials. Kept for the validity of the credential and the years the agency's records law asks for. */
export const credentialEntity = new EntitySchema({
  name: 'credentials',
  columns: {
    id: { ...text, primary: true },
    type: text,
    type_version: integer,
    format: text,
    status_list: integer,
    status_index: integer,
    issued_at: integer,
    valid_until: integer,
    compact: text,
  },
})

/** One row a decision about a status; a credential without a row is valid. */
export const statusDecisionEntity = new EntitySchema({
  name: 'status_decisions',
  columns: {
    id: { ...text, primary: true },
    credential: text,
    status: text,
    reason: { ...text, nullable: true },
    status_list: integer,
    status_index: integer,
    outbox: text,
    at: integer,
    change_id: { ...text, nullable: true },
  },
})

/** Status lists and how far their indices are given out. Mode 0: bitmap, 1: anchored (both in pairs), 2: wallet bindings. */
export const statusListEntity = new EntitySchema({
  name: 'status_lists',
  columns: {
    ...{ list: { ...integer, primary: true }, next: integer, length: integer, mode: integer },
    /** Outbox id of the transaction that asks the chain to open the list. */
    opening: { ...text, nullable: true },
  },
})

/** Published versions of anchored lists: the newest and the one before. `outbox` carries the anchor to the chain. */
export const anchoredListEntity = new EntitySchema({
  name: 'anchored_lists',
  columns: {
    list: { ...integer, primary: true },
    version: { ...integer, primary: true },
    digest: { type: 'blob' },
    bits: { type: 'blob' },
    outbox: text,
    at: integer,
  },
})

/** Challenges given to holders, by digest; swept after they expire. */
export const challengeEntity = new EntitySchema({
  name: 'challenges',
  columns: {
    digest: { type: 'blob', primary: true },
    expires: integer,
    used: { ...integer, nullable: true },
  },
})

export const entities = [credentialEntity, statusDecisionEntity, statusListEntity, anchoredListEntity, challengeEntity]

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'challenges',
    keepMs: 24 * 60 * 60_000,
    why: 'A presentation is refused for its age ten minutes after its challenge was made; a day leaves room for clocks.',
    key: 'digest',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'credentials',
    keep: 'forever',
    why: 'Until the law on the agency’s records names a period; then per type.',
  },
  {
    table: 'status_decisions',
    keep: 'forever',
    why: 'Why a credential was revoked can be contested as long as it is kept.',
  },
  { table: 'status_lists', keep: 'forever', why: 'Without it an index of a status list would be given out twice.' },
  { table: 'anchored_lists', keep: 'forever', why: 'Two versions a list; a round deletes what is older.' },
] as const
