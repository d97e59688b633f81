import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** What settlement between institutions keeps besides the ledger's entries. */
export const interbankEntities: EntitySchema[] = [
  {
    name: 'cbdc_interbank',
    columns: {
      id: key(text),
      currency: integer,
      payer: integer,
      payee: integer,
      amount: integer,
      fee: integer,
      nonce: integer,
      valid_until: integer,
      priority: integer,
      raw: bytes,
      scheme: integer,
      prefix: integer,
      x: bytes,
      state: text,
      reason: optional(text),
      since: integer,
      ended_at: optional(integer),
      entry: optional(integer),
    },
  },
  { name: 'cbdc_clearing', columns: { currency: key(integer), account: integer } },
  {
    name: 'cbdc_netting_windows',
    columns: {
      id: key(text),
      currency: integer,
      clearing: integer,
      state: text,
      opened_at: integer,
      closes_at: integer,
      resolved_at: optional(integer),
      obligations: integer,
    },
  },
  {
    name: 'cbdc_netting_parts',
    columns: {
      netting: key(text),
      account: key(integer),
      did: text,
      reservation: optional(integer),
      cap: integer,
      net: optional(integer),
    },
  },
  {
    name: 'cbdc_netting_limits',
    columns: { netting: key(text), payer: key(integer), payee: key(integer), cap: integer },
  },
  {
    name: 'cbdc_obligations',
    columns: {
      id: key(text),
      netting: text,
      ordinal: integer,
      payer: integer,
      payee: integer,
      amount: integer,
      priority: integer,
      reference: optional(text),
      state: text,
      record: text,
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

const discharged = 'What banks owed each other, and how it was discharged.'

/** How long rows are kept, in the words of the store's retention rules. */
export const interbankRetention = [
  {
    table: 'cbdc_interbank',
    keep: 'forever',
    why: 'When a payment between banks came in, and why it waited or ended.',
  },
  { table: 'cbdc_clearing', keep: 'forever', why: 'Accounts of a currency stay what they are.' },
  { table: 'cbdc_netting_windows', keep: 'forever', why: discharged },
  { table: 'cbdc_netting_parts', keep: 'forever', why: discharged },
  { table: 'cbdc_netting_limits', keep: 'forever', why: discharged },
  { table: 'cbdc_obligations', keep: 'forever', why: discharged },
] as const
