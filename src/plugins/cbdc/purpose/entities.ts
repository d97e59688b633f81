import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** Purpose-bound money. */
export const purposeEntities: EntitySchema[] = [
  {
    name: 'cbdc_programmes',
    columns: {
      id: key(text),
      currency: integer,
      title: text,
      legal_basis: text,
      sponsor: integer,
      payees: text,
      per_beneficiary: optional(integer),
      opened_at: integer,
      ends_at: integer,
      closed_at: optional(integer),
      record: text,
      granted: integer,
      spent: integer,
      refunded: integer,
      returned: integer,
      taken: integer,
    },
  },
  {
    name: 'cbdc_purpose_accounts',
    columns: { account: key(integer), programme: text, lead: integer, refunded: integer, ended: integer },
  },
  {
    name: 'cbdc_qualifications',
    columns: {
      account: key(integer),
      issuer: key(text),
      list: key(integer),
      place: key(integer),
      credential_type: text,
      classes: text,
      until: integer,
      since: integer,
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

/** How long rows are kept, in the words of the store's retention rules. */
export const purposeRetention = [
  { table: 'cbdc_programmes', keep: 'forever', why: 'On what terms money was granted, and why it was returned.' },
  { table: 'cbdc_purpose_accounts', keep: 'forever', why: 'What an account of the ledger was bound to.' },
  {
    table: 'cbdc_qualifications',
    keep: 'forever',
    why: 'Why a merchant could be paid; those that have run out go when the merchant qualifies again.',
  },
] as const
