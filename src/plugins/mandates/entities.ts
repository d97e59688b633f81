import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { keepMs } from './policy.ts'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** Companies whose signatories are registered here, and every mandate given for them. `closes`: when it ends, or has ended. */
export const entities: EntitySchema[] = [
  {
    name: 'mandate_companies',
    columns: {
      number: key(text),
      legal_name: text,
      did: optional(text),
      jurisdiction: text,
      created: integer,
      changed: integer,
    },
  },
  {
    name: 'mandates',
    columns: {
      id: key(text),
      company: text,
      credential: text,
      holder: text,
      family_name: optional(text),
      given_name: optional(text),
      office: text,
      operations: text,
      limits: text,
      jointly: integer,
      may_delegate: integer,
      starts_on: text,
      ends_on: text,
      level: integer,
      ancestors: text,
      legal_basis: optional(text),
      application: optional(text),
      status_list: integer,
      status_index: integer,
      format: text,
      compact: text,
      collected: optional(integer),
      state: text,
      ended_at: optional(integer),
      ended_by: optional(text),
      reason: optional(text),
      closes: integer,
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'mandates',
    keepMs,
    why: 'What was done under a mandate can be contested for ten years after it ended.',
    key: 'id',
    age: { column: 'closes', kind: 'ms' },
  },
  {
    table: 'mandate_companies',
    keep: 'forever',
    why: 'Facts of a public register about companies, not about persons.',
  },
] as const
