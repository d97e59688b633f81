import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

const described = (tables: { name: string; columns: Record<string, EntitySchemaColumnOptions> }[]): EntitySchema[] =>
  tables.map(table => new EntitySchema({ ...table, tableName: table.name }))

/** The tables of the store itself, as migration 0100 makes them. */
export const storeEntities = described([
  { name: 'leases', columns: { name: key(text), holder: text, epoch: integer, expires: integer } },
  { name: 'idempotency', columns: { key: key(text), input: bytes, answer: text, at: integer } },
  { name: 'journal', columns: { id: key(text), commitment: bytes } },
  { name: 'journal_details', columns: { id: key(text), salt: bytes, record: text } },
  { name: 'journal_pending', columns: { id: key(text), commitment: bytes } },
  { name: 'journal_positions', columns: { id: key(text), position: integer } },
  { name: 'log_head', columns: { id: key(integer), size: integer, root: bytes, epoch: integer } },
  { name: 'log_tiles', columns: { level: key(integer), tile: key(integer), hashes: bytes } },
  { name: 'log_entries', columns: { bundle: key(integer), entries: bytes } },
  { name: 'log_checkpoints', columns: { size: key(integer), root: bytes, note: text, at: integer } },
])

/** The keys of the agency's callers (migration 0500), which http reads. */
export const accessEntities = described([
  {
    name: 'api_keys',
    columns: {
      id: key(text),
      secret_sha256: bytes,
      scopes: text,
      created: integer,
      revoked: { ...integer, nullable: true },
      expires: { ...integer, nullable: true },
    },
  },
])
