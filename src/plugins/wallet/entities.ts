import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { attemptsWindowMs } from './policy.ts'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/**
 * What the wallet service keeps. Whatever is `sealed` or `wrapped` opens only with the citizen's passphrase, session or
 * export passphrase; tags are keyed by the citizen's store key. Rows stay until the citizen deletes them; sessions and
 * attempts go when they have expired.
 */
export const entities: EntitySchema[] = [
  {
    name: 'wallet_citizens',
    columns: {
      id: key(text),
      handle: text,
      salt: bytes,
      memory_kib: integer,
      passes: integer,
      parallelism: integer,
      wrapped_key: bytes,
      created: integer,
    },
  },
  {
    name: 'wallet_sessions',
    columns: {
      id: key(text),
      citizen: text,
      secret_sha256: bytes,
      wrapped_key: bytes,
      created: integer,
      expires: integer,
    },
  },
  { name: 'wallet_attempts', columns: { handle_sha256: key(bytes), attempts: integer, since: integer } },
  { name: 'wallet_keys', columns: { id: key(text), citizen: text, did_tag: bytes, used: integer, sealed: bytes } },
  { name: 'wallet_ledger_keys', columns: { id: key(text), citizen: text, key_tag: bytes, sealed: bytes } },
  {
    name: 'wallet_credentials',
    columns: { id: key(text), citizen: text, holder_key: text, content_tag: bytes, sealed: bytes },
  },
  {
    name: 'wallet_disclosures',
    columns: { id: key(text), citizen: text, credential: text, sealed: bytes, presentation: optional(bytes) },
  },
  {
    name: 'wallet_collections',
    columns: { id: key(text), citizen: text, lease: integer, expires: integer, sealed: bytes },
  },
  {
    name: 'wallet_presentation_requests',
    columns: {
      id: key(text),
      citizen: text,
      invitation_tag: bytes,
      state: text,
      sealed: optional(bytes),
      answer: optional(bytes),
      expires: integer,
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

/** How long rows are kept, in the words of the store's retention rules. Sealed rows are the citizen's own to delete. */
export const retention = [
  {
    table: 'wallet_sessions',
    keepMs: 0,
    why: 'A session that has expired opens nothing.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'wallet_attempts',
    keepMs: attemptsWindowMs,
    why: 'Failed proofs count within one window.',
    key: 'handle_sha256',
    age: { column: 'since', kind: 'ms' },
  },
  {
    table: 'wallet_collections',
    keepMs: 0,
    why: 'What has been collected is in the wallet; an offer that nobody took up in time is worth nothing.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'wallet_presentation_requests',
    keepMs: 0,
    why: 'A request that has expired is answered no more; what was shown stands among the disclosures.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  { table: 'wallet_citizens', keep: 'forever', why: 'The citizen’s account; without it nothing sealed ever opens.' },
  { table: 'wallet_keys', keep: 'forever', why: 'Deleted with the credential, by the citizen.' },
  { table: 'wallet_ledger_keys', keep: 'forever', why: 'Money moves by these keys; none but the citizen has them.' },
  { table: 'wallet_credentials', keep: 'forever', why: 'Deleted by the citizen.' },
  { table: 'wallet_disclosures', keep: 'forever', why: 'The citizen’s own memory of what was shown to whom.' },
] as const
