import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { keepMs } from './policy.ts'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })

/**
 * Which wallet was bound for whom: the only place where pseudonym, wallet and person stand together. `relay` is the outbox id
 * where this agency handed the binding in, `ending` where it ended it.
 */
export const bindingEntity = new EntitySchema({
  name: 'wallet_bindings',
  columns: {
    id: { ...text, primary: true },
    credential: text,
    holder: text,
    wallet: text,
    domain: text,
    pseudonym: text,
    level: integer,
    list: integer,
    place: integer,
    expires: integer,
    deadline: integer,
    relay: optional(text),
    signed_at: integer,
    ended_at: optional(integer),
    ended_why: optional(text),
    ending: optional(text),
  },
})

export const entities = [bindingEntity]

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'wallet_bindings',
    keepMs,
    why: 'Who stood behind a wallet can be asked for five years after its binding ran out (FATF recommendation 11).',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
] as const
