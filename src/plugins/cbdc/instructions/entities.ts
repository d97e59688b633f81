import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** Standing instructions. Times in seconds. */
export const instructionEntities: EntitySchema[] = [
  {
    name: 'cbdc_instructions',
    columns: {
      number: key(integer),
      payer: integer,
      payee: integer,
      currency: integer,
      amount: integer,
      first_due: integer,
      unit: integer,
      every: integer,
      times: integer,
      next_index: integer,
      entry: integer,
      state: text,
      ended_by: optional(integer),
      turn: integer,
      next_due: optional(integer),
      paid: integer,
      missed: integer,
      missed_index: optional(integer),
      missed_reason: optional(text),
      waiting_reason: optional(text),
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

export const instructionRetention = [
  { table: 'cbdc_instructions', keep: 'forever', why: 'The ledger itself: what instalments rest on.' },
] as const
