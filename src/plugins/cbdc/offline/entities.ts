import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** Purses that pay offline: their certificates, the vouchers that came in, and what proves misuse. */
export const offlineEntities: EntitySchema[] = [
  {
    name: 'cbdc_purse_certificates',
    columns: {
      id: key(text),
      account: integer,
      currency: integer,
      nonce: integer,
      most: integer,
      cap: integer,
      spent: integer,
      used: integer,
      issued_at: integer,
      expires: integer,
      valid_until: integer,
      scheme: integer,
      prefix: integer,
      x: bytes,
      freeze_order: optional(text),
    },
  },
  {
    name: 'cbdc_vouchers',
    columns: {
      certificate: key(text),
      nonce: key(integer),
      payee: integer,
      amount: integer,
      raw: bytes,
      state: text,
      reason: optional(text),
      entry_id: optional(text),
      entry: optional(integer),
      since: integer,
    },
  },
  {
    name: 'cbdc_double_spends',
    columns: {
      id: key(text),
      certificate: text,
      account: integer,
      lead: integer,
      kind: text,
      nonce: integer,
      digest: bytes,
      record: bytes,
      against: optional(bytes),
      found_at: integer,
      act: text,
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

export const offlineRetention = [
  {
    table: 'cbdc_purse_certificates',
    keep: 'forever',
    why: 'What a purse was allowed; evidence of misuse rests on it.',
  },
  {
    table: 'cbdc_vouchers',
    keep: 'forever',
    why: 'The first voucher of each nonce: what another one is held against.',
  },
  { table: 'cbdc_double_spends', keep: 'forever', why: 'Evidence with which payees claim what they were not paid.' },
] as const
