import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { pendingKeepMs, spentGraceMs } from './policy.ts'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/**
 * What the gate keeps. `sealed` of a session opens only with its token; `sealed` of a pending act with a key of the
 * agency.
 */
export const entities: EntitySchema[] = [
  {
    name: 'gate_sessions',
    columns: {
      id: key(text),
      secret_sha256: bytes,
      thumbprint: text,
      sealed: bytes,
      created: integer,
      expires: integer,
    },
  },
  { name: 'gate_spent', columns: { key: key(text), owner: text, expires: integer } },
  {
    name: 'gate_pending_acts',
    columns: {
      id: key(text),
      operation: text,
      requirement_sha256: bytes,
      author_tag: bytes,
      sealed: bytes,
      created: integer,
      expires: integer,
      state: text,
      decision: optional(text),
      decided: optional(integer),
      decided_by: optional(text),
      reason: optional(text),
    },
  },
].map(schema => new EntitySchema({ ...schema, tableName: schema.name }))

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'gate_sessions',
    keepMs: 0,
    why: 'A session that has expired opens nothing.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'gate_spent',
    keepMs: spentGraceMs,
    why: 'What has expired is refused for that, used up or not.',
    key: 'key',
    age: { column: 'expires', kind: 'ms' },
  },
  {
    table: 'gate_pending_acts',
    keepMs: pendingKeepMs,
    why: 'Officers look up what was decided; the evidence of the act itself stands in the journal.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
] as const
