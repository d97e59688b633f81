import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { dayMs } from './policy.ts'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })

/**
 * `alias` is `<kind>:<tag>`, the tag an output of the oblivious function. `registration` is new with every change, so that an address
 * given out before leads nowhere. `voucher` is the institution that vouches, empty where the person proved the alias themselves.
 */
export const aliasEntity = new EntitySchema({
  name: 'aliases',
  columns: {
    alias: { ...text, primary: true },
    registration: text,
    voucher: text,
    masked_name: text,
    ledger: text,
    account: integer,
    registered_at: integer,
    expires: integer,
  },
})

/** `registration` is null where nobody had the alias. `asker` is the institution that asked, empty for a citizen. */
export const addressEntity = new EntitySchema({
  name: 'alias_addresses',
  columns: {
    id: { ...text, primary: true },
    registration: optional(text),
    asker: text,
    expires: integer,
    used_at: optional(integer),
  },
})

/** How much each caller has done in a day; `id` is day, act and caller. */
export const rateEntity = new EntitySchema({
  name: 'alias_rates',
  columns: { id: { ...text, primary: true }, day: integer, acts: integer },
})

/** Who asked what of the directory, when and for how many; `id` is that of the journal record. Never about whom. */
export const requestEntity = new EntitySchema({
  name: 'alias_requests',
  columns: { id: { ...text, primary: true }, act: text, asker: text, kind: text, acts: integer, at: integer },
})

export const entities = [aliasEntity, addressEntity, rateEntity, requestEntity]

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'aliases',
    keepMs: 0,
    why: 'A registration that has lapsed is no longer anybody’s.',
    key: 'alias',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'alias_addresses',
    keepMs: dayMs,
    why: 'An address is good for minutes; a day later nobody asks why it was refused.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'alias_rates',
    keepMs: dayMs,
    why: 'A day counts until it is over.',
    key: 'id',
    age: { column: 'day', kind: 'ms' },
  },
  {
    table: 'alias_requests',
    keepMs: 2 * 365 * dayMs,
    why: 'Whoever tries aliases one by one can be found and asked for two years.',
    key: 'id',
    age: { column: 'id', kind: 'timeId' },
  },
] as const
