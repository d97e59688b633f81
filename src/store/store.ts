import type { DataSource, EntitySchema } from 'typeorm'
import type { Row, Store, Value } from '../kernel/ports.ts'
import type { Ranks } from './batch.ts'
import { openLanes } from './lanes.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'
import { bindable, type Driver } from './values.ts'

export { isUniqueViolation } from './values.ts'

export type StoreOptions = {
  /** SQLite: path of the file. One process per file. */
  file?: string | undefined
  /** PostgreSQL: its URL, and the schema of the agency in it. Any number of processes. */
  databaseUrl?: string | undefined
  /** @default 'chancery' */
  schema?: string | undefined
  // biome-ignore lint/complexity/noBannedTypes: TypeORM's own type for migration classes
  migrations: Function[]
  entities: EntitySchema[]
  /** An act that takes longer is refused. @default 30_000 */
  actTimeoutMs?: number | undefined
  /** Takes what `afterCommit` work throws. The default lets it end the process. */
  report?: ((error: unknown) => void) | undefined
}

/** Forward only, and never onto a database that a newer release has migrated already. */
const migrate = async (source: DataSource): Promise<void> => {
  await source.runMigrations({ transaction: 'each' })
  const known = new Set(source.migrations.map(migration => migration.name ?? migration.constructor.name))
  const rows: { name: string }[] = await source.query('SELECT name FROM migrations')
  const strange = rows.map(row => row.name).filter(name => !known.has(name))
  if (strange.length > 0) {
    throw new Error(`the database has migrations that this release does not know: ${strange.join(', ')}`)
  }
}

const viewsOf = async (driver: Driver): Promise<string[]> => {
  const sql =
    driver.dialect === 'sqlite'
      ? `SELECT name FROM sqlite_master WHERE type = 'view'`
      : `SELECT table_name AS name FROM information_schema.views WHERE table_schema = current_schema()`
  return (await driver.read(sql, [])).map(row => String(row['name']).toLowerCase())
}

/** Each table one above the highest of those it refers to. */
const ranksOf = async (driver: Driver): Promise<Ranks> => {
  const sql =
    driver.dialect === 'sqlite'
      ? `SELECT m.name AS child, f."table" AS parent FROM sqlite_master m, pragma_foreign_key_list(m.name) f
         WHERE m.type = 'table'`
      : `SELECT c.relname AS child, p.relname AS parent FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
         JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE k.contype = 'f' AND n.nspname = current_schema()`
  const parents = new Map<string, string[]>()
  for (const row of await driver.read(sql, [])) {
    const child = String(row['child'])
    parents.set(child, [...(parents.get(child) ?? []), String(row['parent'])])
  }
  const ranks: Ranks = new Map()
  const rank = (table: string, path: string[]): number => {
    const known = ranks.get(table)
    if (known !== undefined) return known
    const above = (parents.get(table) ?? []).filter(parent => parent !== table && !path.includes(parent))
    const found = 1 + Math.max(-1, ...above.map(parent => rank(parent, [...path, table])))
    ranks.set(table, found)
    return found
  }
  for (const table of parents.keys()) rank(table, [])
  return ranks
}

const rethrowLater = (error: unknown): void => {
  queueMicrotask(() => {
    throw error
  })
}

const open = (options: StoreOptions): Promise<{ driver: Driver; dataSource: DataSource }> => {
  const { file, databaseUrl, migrations, entities } = options
  if (databaseUrl !== undefined && file === undefined) {
    return openPostgres(databaseUrl, options.schema ?? 'chancery', { migrations, entities }, migrate)
  }
  if (file === undefined || databaseUrl !== undefined)
    throw new TypeError('a store needs either a file or a databaseUrl')
  return openSqlite(file, { migrations, entities }, migrate)
}

/**
 * Opens the database of one agency and brings it up to date.
 *
 * Both databases give rows alike: integers (and whole sums of them) as numbers, a RangeError beyond 2^53 (select
 * `cast(x as text)`, bind decimal strings); booleans as 0 and 1; bytes as Buffer. `query` in an act sees the act's own
 * rows and those of acts before it. After a failed query the act can only be refused.
 * @throws when the database cannot be reached or is newer than this release.
 */
export const openStore = async (options: StoreOptions): Promise<Store & { dataSource: DataSource }> => {
  const { driver, dataSource } = await open(options)
  const [ranks, views] = await Promise.all([ranksOf(driver), viewsOf(driver)])
  const context = { driver, ranks, views, actTimeoutMs: options.actTimeoutMs ?? 30_000 }
  const lanes = openLanes(context, options.report ?? rethrowLater)
  let closing: Promise<void> | undefined
  return {
    dataSource,
    dialect: driver.dialect,
    transaction: lanes.transaction,
    read: async <T extends Row>(sql: string, params: Value[] = []) =>
      (await driver.read(sql, params.map(bindable))) as T[],
    close: () => {
      closing ??= lanes.drain().then(() => driver.close())
      return closing
    },
  }
}
