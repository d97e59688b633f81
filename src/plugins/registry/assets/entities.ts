import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** What registers of quantities keep besides their entries, the classes. `asset_movements` is never changed. */
export const assetEntities: EntitySchema[] = [
  { name: 'asset_classes', columns: { entry: key(text), register: text, cap: integer, issued: integer } },
  {
    name: 'asset_holdings',
    columns: { entry: key(text), party: key(text), amount: integer, frozen: integer, wallet: optional(text) },
  },
  {
    name: 'asset_freezes',
    columns: {
      id: key(text),
      entry: text,
      party: text,
      amount: integer,
      terms: text,
      legal_basis: text,
      since: integer,
      ended_at: optional(integer),
    },
  },
  {
    name: 'asset_movements',
    columns: {
      id: key(text),
      entry: text,
      giver: optional(text),
      receiver: optional(text),
      record: text,
      digest: bytes,
      movement: text,
    },
  },
  {
    name: 'asset_orders',
    columns: { register: key(text), authority: key(text), reference: key(text), movement: text },
  },
  {
    name: 'asset_certificates',
    columns: { id: key(text), entry: text, party: text, issued_at: integer, ended_at: optional(integer) },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

const register = 'The register itself; who held how much when can be asked for ever.'

/** How long rows are kept, in the words of the store's retention rules. */
export const assetRetention = [
  { table: 'asset_classes', keep: 'forever', why: register },
  { table: 'asset_holdings', keep: 'forever', why: 'Follows the movements.' },
  { table: 'asset_freezes', keep: 'forever', why: register },
  { table: 'asset_movements', keep: 'forever', why: 'How the holdings came to be what they are; never changed.' },
  { table: 'asset_orders', keep: 'forever', why: 'An order is executed once.' },
  { table: 'asset_certificates', keep: 'forever', why: 'Which credential says what a holding was.' },
] as const
