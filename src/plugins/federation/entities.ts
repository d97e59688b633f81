import { EntitySchema } from 'typeorm'

const text = { type: 'text' } as const
const integer = { type: 'bigint' } as const

/** Entities below this one, as they registered and as was decided. */
export const subordinateEntity = new EntitySchema({
  name: 'federation_subordinates',
  columns: {
    id: { ...text, primary: true },
    entity: text,
    did: text,
    jwks: text,
    entity_types: text,
    state: text,
    terms: text,
    registered: integer,
    decided: { ...integer, nullable: true },
  },
})

/** Trust marks that were given to others. */
export const trustMarkEntity = new EntitySchema({
  name: 'federation_trust_marks',
  columns: {
    id: { ...text, primary: true },
    entity: text,
    type: text,
    jwt: text,
    issued: integer,
    expires: integer,
    ended: { ...integer, nullable: true },
  },
})

/** Trust marks that this agency was given. */
export const heldMarkEntity = new EntitySchema({
  name: 'federation_held_marks',
  columns: { type: { ...text, primary: true }, jwt: text, expires: integer },
})

export const entities = [subordinateEntity, trustMarkEntity, heldMarkEntity]

const year = 365 * 24 * 60 * 60_000

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'federation_subordinates',
    keep: 'forever',
    why: 'Whom the federation has let in, and when, can be asked as long as chains of it are contested; institutions, not people.',
  },
  {
    table: 'federation_trust_marks',
    keepMs: year,
    why: 'A trust mark that has ended can still be asked about for a year.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'federation_held_marks',
    keepMs: 0,
    why: 'What has expired says nothing any more.',
    key: 'type',
    age: { column: 'expires', kind: 'ms' },
  },
] as const
