import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** Requests to pay, and refunds. */
export const requestEntities: EntitySchema[] = [
  {
    name: 'cbdc_requests',
    columns: {
      id: key(text),
      currency: integer,
      payee: integer,
      payee_lead: integer,
      payer: optional(integer),
      payer_lead: optional(integer),
      amount: integer,
      reference: optional(text),
      expires: integer,
      since: integer,
      state: text,
      ended_at: optional(integer),
    },
  },
  {
    name: 'cbdc_request_legs',
    columns: {
      request: key(text),
      ordinal: key(integer),
      account: integer,
      amount: integer,
      numerator: optional(integer),
      denominator: optional(integer),
      entry: optional(integer),
    },
  },
  { name: 'cbdc_refunds', columns: { refund: key(integer), entry: integer, amount: integer } },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

const day = 86_400_000
/** Longer than any request is open, and than what both sides look up of a year. */
const keepMs = 400 * day
const past = 'Payer and payee look up what was asked and answered; the money itself stands in the ledger.'

/** How long rows are kept, in the words of the store's retention rules. An id is a UUIDv7 of when the request was made. */
export const requestRetention = [
  { table: 'cbdc_requests', keepMs, why: past, key: 'id', age: { column: 'id', kind: 'timeId' } },
  { table: 'cbdc_request_legs', keepMs, why: past, key: 'request', age: { column: 'request', kind: 'timeId' } },
  { table: 'cbdc_refunds', keep: 'forever', why: 'No payment is given back twice.' },
] as const
