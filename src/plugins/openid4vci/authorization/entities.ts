import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/**
 * What the authorization server keeps: of codes, tokens and the pages of citizens only digests. What stands here opens
 * nothing.
 */
export const authorizationEntities: EntitySchema[] = [
  {
    name: 'oid4vci_grants',
    columns: {
      /** Of the prepared issuance; codes and states are made of it and of a key of the agency. */
      id: key(text),
      configurations: text,
      code_sha256: optional(text),
      /** `numeric 6`, or null where no transaction code is asked for. */
      tx_code: optional(text),
      /** Left for the transaction code. */
      tries: integer,
      issuer_state_sha256: optional(text),
      /** `open`, `spent`, `blocked` after too many wrong transaction codes, `ended`. */
      state: text,
      refresh_until: integer,
      expires: integer,
    },
  },
  {
    name: 'oid4vci_requests',
    columns: {
      id: key(text),
      uri_sha256: text,
      /** `pushed`, `open`, `identified`, `coded`, `redeemed`, `burnt`, `ended`. */
      stage: text,
      /** JSON: what was asked for. */
      request: text,
      session_sha256: optional(text),
      sealed: optional(bytes),
      issuance: optional(text),
      failures: integer,
      code_sha256: optional(text),
      code_expires: optional(integer),
      expires: integer,
    },
  },
  {
    name: 'oid4vci_tokens',
    columns: {
      sha256: key(text),
      /** `access` or `refresh`. */
      kind: text,
      /** `live`, `used`, `revoked`. */
      state: text,
      /** Taken up once, so its tokens stand and fall together. */
      issuance: text,
      configurations: text,
      identifiers: integer,
      thumbprint: optional(text),
      client: optional(text),
      instance: optional(text),
      refresh_until: integer,
      expires: integer,
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

const minute = 60_000
const day = 24 * 60 * minute

/** How long rows are kept, in the words of the store's retention rules. */
export const authorizationRetention = [
  {
    table: 'oid4vci_grants',
    keepMs: day,
    why: 'What has expired is refused for that; before, it stands for the tokens that it was taken up with.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'oid4vci_requests',
    keepMs: 15 * minute,
    why: 'A code that is used twice within its life revokes what it gave.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'oid4vci_tokens',
    keepMs: 0,
    why: 'A token that has expired opens nothing.',
    key: 'sha256',
    age: { column: 'expires', kind: 'ms' },
  },
] as const
