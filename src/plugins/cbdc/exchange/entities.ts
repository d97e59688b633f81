import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** Payments that are offered against payments. */
export const exchangeEntities: EntitySchema[] = [
  {
    name: 'cbdc_exchanges',
    columns: {
      id: key(text),
      state: text,
      raw: optional(bytes),
      valid_until: integer,
      payer: integer,
      payee: integer,
      currency: integer,
      amount: integer,
      counter_payer: integer,
      counter_payee: integer,
      counter_currency: integer,
      counter_amount: integer,
      offered_at: integer,
      ended_at: optional(integer),
      entry: optional(integer),
      counter_entry: optional(integer),
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

export const exchangeRetention = [
  { table: 'cbdc_exchanges', keep: 'forever', why: 'Which two entries of the ledger were each other’s condition.' },
] as const
