import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** What moves between the ledger and the chain. */
export const railEntities: EntitySchema[] = [
  { name: 'cbdc_rail', columns: { id: key(integer), block: integer } },
  {
    name: 'cbdc_moves',
    columns: {
      currency: key(integer),
      operation: key(text),
      direction: text,
      account: integer,
      wallet: text,
      amount: integer,
      state: text,
      reason: optional(text),
      outbox: optional(text),
      entry: optional(integer),
      refund: optional(integer),
      since: integer,
      changed: integer,
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

export const railRetention = [
  { table: 'cbdc_rail', keep: 'forever', why: 'How far the chain has been read.' },
  { table: 'cbdc_moves', keep: 'forever', why: 'An operation counts once, however often the chain tells of it.' },
] as const
