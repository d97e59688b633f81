import { EntitySchema } from 'typeorm'

const text = { type: 'text' } as const
const integer = { type: 'bigint' } as const

/** Issued credentials. Kept for the validity of the credential and the years the agency's records law asks for. */
export const credentialEntity = new EntitySchema({
  name: 'credentials',
  columns: {
    id: { ...text, primary: true },
    type: text,
    type_version: integer,
    format: text,
    status_list: integer,
    status_index: integer,
    issued_at: integer,
    valid_until: integer,
    compact: text,
  },
})

/** One row a decision about a status; a credential without a row is valid. */
export const statusDecisionEntity = new EntitySchema({
  name: 'status_decisions',
  columns: {
    id: { ...text, primary: true },
    credential: text,
    status: text,
    reason: { ...text, nullable: true },
    status_list: integer,
    status_index: integer,
    outbox: text,
    at: integer,
  },
})

/** Pairs of status lists and how far their indices are given out. */
export const statusListEntity = new EntitySchema({
  name: 'status_lists',
  columns: { list: { ...integer, primary: true }, next: integer, length: integer },
})

/** Challenges given to holders, by digest; swept after they expire. */
export const challengeEntity = new EntitySchema({
  name: 'challenges',
  columns: {
    digest: { type: 'blob', primary: true },
    expires: integer,
    used: { ...integer, nullable: true },
  },
})

export const entities = [credentialEntity, statusDecisionEntity, statusListEntity, challengeEntity]
