import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/**
 * What an issuer and an attestor did to a token. `stablecoin_heads` is what acts on one token take turns at. `other` is the second
 * wallet of a forced transfer; `amount` and `burning` of limits what a minter may mint and burn a day; `under` the freeze that an act lifts or takes from; amount 0 of a freeze: the whole wallet.
 */
export const entities = [
  { name: 'stablecoin_heads', columns: { currency: key(integer), acts: integer } },
  {
    name: 'stablecoin_licences',
    columns: { id: key(text), currency: integer, compact: text, issuer: text, number: text, presented_at: integer },
  },
  {
    name: 'stablecoin_acts',
    columns: {
      id: key(text),
      currency: integer,
      kind: text,
      wallet: optional(text),
      other: optional(text),
      amount: integer,
      burning: optional(integer),
      authority: text,
      reference: text,
      legal_basis: optional(text),
      digest: optional(text),
      as_of: optional(integer),
      valid_until: optional(integer),
      under: optional(text),
      state: text,
      reason: optional(text),
      outbox: text,
      since: integer,
      changed: integer,
    },
  },
  {
    name: 'stablecoin_redemptions',
    columns: {
      id: key(text),
      currency: integer,
      pseudonym: text,
      wallet: text,
      amount: integer,
      nonce: text,
      pay_to: text,
      state: text,
      reason: optional(text),
      outbox: optional(text),
      payment: optional(text),
      since: integer,
      changed: integer,
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

const supply = 'Why there are as many tokens as there are, and who decided it.'

export const retention = [
  { table: 'stablecoin_heads', keep: 'forever', why: supply },
  { table: 'stablecoin_licences', keep: 'forever', why: supply },
  { table: 'stablecoin_acts', keep: 'forever', why: supply },
  { table: 'stablecoin_redemptions', keep: 'forever', why: supply },
] as const
