import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** What the central bank's own acts on the ledger keep. */
export const orderEntities: EntitySchema[] = [
  { name: 'cbdc_treasuries', columns: { currency: key(integer), account: integer } },
  { name: 'cbdc_issued', columns: { account: key(integer), issued: integer } },
  {
    name: 'cbdc_redemptions',
    columns: {
      id: key(text),
      did: text,
      currency: integer,
      account: integer,
      amount: integer,
      reference: text,
      state: text,
      requested_at: integer,
      ended_at: optional(integer),
      entry: optional(integer),
      reason: optional(text),
    },
  },
  {
    name: 'cbdc_key_orders',
    columns: {
      id: key(text),
      account: integer,
      scheme: integer,
      prefix: integer,
      x: bytes,
      old_scheme: integer,
      old_prefix: integer,
      old_x: bytes,
      since: integer,
      due_at: integer,
      state: text,
      ended_at: optional(integer),
      entry: optional(integer),
    },
  },
  {
    name: 'cbdc_rounds',
    columns: { name: key(text), currency: key(integer), day: integer, place: integer, complete: integer },
  },
  {
    name: 'cbdc_dormant',
    columns: { account: key(integer), currency: integer, last_active: integer, since: integer },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

/** How long rows are kept, in the words of the store's retention rules. */
export const orderRetention = [
  { table: 'cbdc_treasuries', keep: 'forever', why: 'Accounts of a currency stay what they are.' },
  { table: 'cbdc_issued', keep: 'forever', why: 'What each bank was issued, less what it redeemed.' },
  { table: 'cbdc_redemptions', keep: 'forever', why: 'Why money was taken out of circulation.' },
  {
    table: 'cbdc_key_orders',
    keep: 'forever',
    why: 'An order is executed once, and who asks later finds why a key changed.',
  },
  { table: 'cbdc_rounds', keep: 'forever', why: 'One row a round and currency.' },
  { table: 'cbdc_dormant', keep: 'forever', why: 'Gone with the first use of the account, or when it escheats.' },
] as const
