import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { assetEntities, assetRetention } from './assets/entities.ts'
import { landEntities, landRetention } from './land/entities.ts'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/**
 * What a registry keeps. `registry_history` is never changed; `fields` and `extract` are JSON; digests of attachments
 * are base64url.
 */
const registryEntities: EntitySchema[] = [
  { name: 'registry_numbers', columns: { register: key(text), series: key(text), next: integer } },
  {
    name: 'registry_entries',
    columns: {
      id: key(text),
      register: text,
      number: text,
      state: text,
      version: integer,
      fields: text,
      extract: text,
      holder: optional(text),
      wallet: optional(text),
      legal_basis: text,
      valid_from: integer,
      valid_until: optional(integer),
      token: optional(text),
      commitment: text,
      created_at: integer,
      changed_at: integer,
    },
  },
  {
    name: 'registry_history',
    columns: { entry: key(text), version: key(integer), record: text, at: integer, digest: bytes, step: text },
  },
  {
    name: 'registry_search',
    columns: { register: key(text), field: key(text), value: key(text), entry: key(text) },
  },
  {
    name: 'registry_credentials',
    columns: { id: key(text), entry: text, holder: text, issued_at: integer, ended_at: optional(integer) },
  },
  {
    name: 'registry_applications',
    columns: {
      id: key(text),
      register: text,
      purpose: text,
      entry: optional(text),
      state: text,
      version: integer,
      applicant: text,
      holder: text,
      wallet: optional(text),
      fields: text,
      evidence: text,
      officer: optional(text),
      asked: optional(text),
      reasons: optional(text),
      legal_basis: optional(text),
      credential: optional(text),
      submitted_at: integer,
      changed_at: integer,
    },
  },
  {
    name: 'registry_attachments',
    columns: { application: key(text), name: key(text), media_type: text, sha256: text, bytes: integer },
  },
  {
    name: 'registry_contents',
    columns: { application: key(text), sha256: key(text), content: bytes, at: integer },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

export const entities = [...registryEntities, ...landEntities, ...assetEntities]

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  { table: 'registry_numbers', keep: 'forever', why: 'A number of a register is never given out twice.' },
  { table: 'registry_entries', keep: 'forever', why: 'The register itself.' },
  { table: 'registry_history', keep: 'forever', why: 'How the register came to say what it says; never changed.' },
  { table: 'registry_search', keep: 'forever', why: 'Follows the entries.' },
  { table: 'registry_credentials', keep: 'forever', why: 'Which credential an entry was issued as.' },
  {
    table: 'registry_applications',
    keep: 'forever',
    why: 'A decision can be contested; until the law on the register’s records names a period.',
  },
  { table: 'registry_attachments', keep: 'forever', why: 'Digests of what a decision rests on.' },
  { table: 'registry_contents', keep: 'forever', why: 'What a decision rests on, as long as the application is kept.' },
  ...landRetention,
  ...assetRetention,
] as const
