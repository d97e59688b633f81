import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }

/**
 * What an instance that secures any credential has issued: its id, and its place in the lists of the instance. A credential
 * without an entry for one of the two purposes has -1 there.
 */
export const issuedEntity = new EntitySchema({
  name: 'instance_credentials',
  columns: {
    issuer: { ...text, primary: true },
    position: { ...integer, primary: true },
    id: text,
    revocation: integer,
    suspension: integer,
    issued_at: integer,
  },
})

/** Ids under which an instance has issued: each names one credential. */
export const issuedIdEntity = new EntitySchema({
  name: 'instance_credential_ids',
  columns: { issuer: { ...text, primary: true }, id: { ...text, primary: true } },
})

/** How often the statuses of a list have changed; a list without a row has never. */
export const listEntity = new EntitySchema({
  name: 'instance_lists',
  columns: { issuer: { ...text, primary: true }, list: { ...integer, primary: true }, version: integer },
})

/** How many places of its lists an instance has given out. */
export const headEntity = new EntitySchema({
  name: 'instance_heads',
  columns: { issuer: { ...text, primary: true }, next: integer },
})

/** Lists for purposes beyond revocation and suspension. Lists of one `kind` say the same of themselves. */
export const ownListEntity = new EntitySchema({
  name: 'instance_status_lists',
  columns: {
    ...{ issuer: { ...text, primary: true }, list: { ...integer, primary: true } },
    ...{ kind: text, purpose: text, size: integer, messages: { ...text, nullable: true }, next: integer },
  },
})

/** Who stands in those, and with which status. */
export const ownEntryEntity = new EntitySchema({
  name: 'instance_entries',
  columns: {
    ...{
      issuer: { ...text, primary: true },
      list: { ...integer, primary: true },
      place: { ...integer, primary: true },
    },
    ...{ id: text, purpose: text, status: integer },
  },
})

export const workflowEntity = new EntitySchema({
  name: 'workflows',
  columns: { id: { ...text, primary: true }, configuration: text, created: integer },
})

/** What a participant has an URL to. Of the unguessable part of that only the digest is kept. */
export const exchangeEntity = new EntitySchema({
  name: 'exchanges',
  columns: {
    digest: { ...text, primary: true },
    workflow: text,
    state: text,
    step: text,
    sequence: integer,
    challenge: text,
    variables: text,
    results: text,
    failures: integer,
    last_error: { ...text, nullable: true },
    created: integer,
    expires: integer,
  },
})

export const entities = [
  ...[issuedEntity, issuedIdEntity, listEntity, headEntity, ownListEntity, ownEntryEntity],
  ...[workflowEntity, exchangeEntity],
]

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'exchanges',
    keepMs: 7 * 24 * 60 * 60_000,
    why: 'Whoever began an exchange fetches what came of it; what was presented in it is personal and kept no longer.',
    key: 'digest',
    age: { column: 'expires', kind: 'ms' },
  },
  { table: 'workflows', keep: 'forever', why: 'Configuration, without personal data.' },
  { table: 'instance_heads', keep: 'forever', why: 'Without it an index of a status list would be given out twice.' },
  { table: 'instance_credential_ids', keep: 'forever', why: 'An id that was given out names no second credential.' },
  { table: 'instance_lists', keep: 'forever', why: 'Two rows a list; by them a kept list is known to be the last.' },
  { table: 'instance_status_lists', keep: 'forever', why: 'Credentials name them, and commit to what they say.' },
  { table: 'instance_entries', keep: 'forever', why: 'Whoever changes a status names the credential by its id.' },
  { table: 'instance_credentials', keep: 'forever', why: 'Whoever revokes a credential names it by its id.' },
] as const
