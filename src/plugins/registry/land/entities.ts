import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/**
 * What registers of land keep besides their entries (the basic administrative units of ISO 19152): spatial units,
 * parties, shares in ownership, and other rights, restrictions and responsibilities.
 */
export const landEntities: EntitySchema[] = [
  { name: 'land_heads', columns: { register: key(text), parcels: integer } },
  {
    name: 'land_parcels',
    columns: {
      id: key(text),
      register: text,
      title: text,
      number: text,
      geometry: text,
      area: integer,
      level: integer,
      cell_x: integer,
      cell_y: integer,
      west: integer,
      south: integer,
      east: integer,
      north: integer,
      registered_at: integer,
      retired_at: optional(integer),
    },
  },
  {
    name: 'land_parties',
    columns: { id: key(text), register: text, kind: text, name: text, registered_at: integer },
  },
  { name: 'land_aliases', columns: { register: key(text), alias: key(text), party: text } },
  {
    name: 'land_holdings',
    columns: {
      title: key(text),
      party: key(text),
      numerator: integer,
      denominator: integer,
      holder: optional(text),
      since: integer,
    },
  },
  {
    name: 'land_payments',
    columns: {
      reservation: key(integer),
      deed: text,
      register: text,
      title: text,
      currency: text,
      amount: integer,
      state: text,
      attempts: integer,
      error: optional(text),
      since: integer,
      changed: integer,
    },
  },
  {
    name: 'land_interests',
    columns: {
      id: key(text),
      title: text,
      origin: text,
      kind: text,
      rank: optional(integer),
      party: optional(text),
      legal_basis: text,
      terms: text,
      registered_at: integer,
      ended_at: optional(integer),
    },
  },
  {
    name: 'land_consents',
    columns: { title: key(text), version: key(integer), deed: key(text), party: key(text), at: integer },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

const register = 'The register itself; who owned what when can be asked for ever.'

/** How long rows are kept, in the words of the store's retention rules. */
export const landRetention = [
  { table: 'land_heads', keep: 'forever', why: 'One row a register, which new parcels wait for.' },
  { table: 'land_parcels', keep: 'forever', why: register },
  { table: 'land_parties', keep: 'forever', why: register },
  { table: 'land_aliases', keep: 'forever', why: 'How a party is known again; keyed digests and register numbers.' },
  { table: 'land_holdings', keep: 'forever', why: 'Follows the deeds.' },
  { table: 'land_payments', keep: 'forever', why: 'A reservation pays for one deed.' },
  { table: 'land_interests', keep: 'forever', why: register },
  { table: 'land_consents', keep: 'forever', why: 'What a mortgage rests on.' },
] as const
