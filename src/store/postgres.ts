import type { PoolClient, QueryConfig } from 'pg'
import { DataSource, type DataSourceOptions, EntitySchema, type QueryRunner } from 'typeorm'
import type { Row, Value } from '../kernel/ports.ts'
import {
  byteColumns,
  type Connection,
  checkedName,
  codeOf,
  type Driver,
  exactInteger,
  hexOf,
  numberPlaceholders,
} from './values.ts'

const lanes = 4
const readers = 8

const integer = (text: string): number => exactInteger(Number(text), text)
/** `sum()` and `avg()` of integers are `numeric` here; SQLite answers with an integer and a real. */
const numeric = (text: string): number => (/^-?\d+$/.test(text) ? integer(text) : Number(text))
const parsers: Record<number, (text: string) => Value> = {
  16: text => (text === 't' ? 1 : 0),
  17: text => Buffer.from(text.slice(2), 'hex'),
  20: integer,
  21: Number,
  23: Number,
  700: Number,
  701: Number,
  1700: numeric,
}
const asText = (text: string): string => text
const types = { getTypeParser: (oid: number) => parsers[oid] ?? asText } as unknown as NonNullable<QueryConfig['types']>

/** One JSON parameter for all rows: column types come from the table, and there is no parameter limit. */
const insertStatement = (table: string, columns: string[]): string => {
  const names = columns.map(column => `"${checkedName(column)}"`).join()
  const source = checkedName(table)
  return `INSERT INTO "${source}" (${names}) SELECT ${names} FROM json_populate_recordset(NULL::"${source}", $1::json)`
}

const run = async (runner: QueryRunner, sql: string, params: Value[]): Promise<Row[]> => {
  const client: PoolClient = await runner.connect()
  const result = await client.query<Row>({ text: numberPlaceholders(sql), values: params, types })
  return result.rows
}

const connectionOf = (runner: QueryRunner): Connection => ({
  query: (sql, params) => run(runner, sql, params),
  insert: async (table, columns, rows) => {
    const bytes = byteColumns(columns, rows)
    const plain = (value: Value | undefined) => (value instanceof Uint8Array ? `\\x${hexOf(value)}` : value)
    const shown = bytes.size === 0 ? rows : rows.map(row => Object.fromEntries(columns.map(c => [c, plain(row[c])])))
    await run(runner, insertStatement(table, columns), [JSON.stringify(shown)])
  },
  release: async error => {
    if (error !== undefined) {
      // Ended, so that the pool does not hand out a connection that may still be inside a transaction.
      const client: PoolClient & { end(): Promise<void> } = await runner.connect()
      await client.end().catch(() => {})
    }
    await runner.release()
  },
})

/** A server's verdict has an SQLSTATE; a broken connection or a server going down leaves the outcome open. */
const isVerdict = (error: unknown): boolean => {
  const state = codeOf(error)
  return /^[0-9A-Z]{5}$/.test(state) && !/^(08|57|58|XX)/.test(state)
}

const settings = (schema: string, extra: string[]): string =>
  [`search_path="${schema}"`, 'synchronous_commit=on', 'idle_in_transaction_session_timeout=60000', ...extra]
    .map(setting => `-c ${setting}`)
    .join(' ')

/** Entities are written in SQLite's words, as migrations are; TypeORM has no word for bytes that both databases know. */
const inOurWords = (entities: DataSourceOptions['entities']): EntitySchema[] =>
  Object.values((entities ?? []) as EntitySchema[]).map(({ options }) => {
    const columns = Object.entries(options.columns).map(([name, column]) => [
      name,
      column?.type === 'blob' ? { ...column, type: 'bytea' } : column,
    ])
    return new EntitySchema({ ...options, columns: Object.fromEntries(columns) })
  })

/** Several processes may start at once: the migrations of a schema run in one of them, the others wait. */
const alone = async (source: DataSource, schema: string, work: () => Promise<void>): Promise<void> => {
  const runner = source.createQueryRunner()
  const lock = `SELECT pg_advisory_lock(hashtext('migrations'), hashtext($1))`
  try {
    await runner.query(lock, [schema])
    await runner.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
    await work()
  } finally {
    await runner.query(lock.replace('lock', 'unlock'), [schema])
    await runner.release()
  }
}

/**
 * Opens one schema of a database, and makes it first if it is not there. Readers have a pool of their own, read-only.
 * Transactions are READ COMMITTED, several at once: an act that decides on what it reads locks that first, by an UPDATE
 * of the row, which serves in both databases.
 */
export const openPostgres = async (
  url: string,
  schema: string,
  options: Pick<DataSourceOptions, 'entities' | 'migrations'>,
  migrate: (source: DataSource) => Promise<void>,
): Promise<{ driver: Driver; dataSource: DataSource }> => {
  if (!/^[a-z_][a-z0-9_-]{0,62}$/.test(schema)) throw new TypeError(`${schema} is not the name of a schema`)
  const source = (poolSize: number, extra: string[]) =>
    new DataSource({
      type: 'postgres',
      url,
      schema,
      poolSize,
      installExtensions: false,
      migrationsTableName: 'migrations',
      extra: { options: settings(schema, extra) },
      ...options,
      entities: inOurWords(options.entities),
    })
  const dataSource = source(lanes + 2, [])
  const reading = source(readers, ['default_transaction_read_only=on'])
  try {
    await dataSource.initialize()
    await alone(dataSource, schema, () => migrate(dataSource))
    await reading.initialize()
  } catch (error) {
    for (const opened of [dataSource, reading]) if (opened.isInitialized) await opened.destroy()
    throw error
  }
  const driver: Driver = {
    dialect: 'postgres',
    lanes,
    begin: 'BEGIN',
    connect: async () => connectionOf(dataSource.createQueryRunner()),
    read: async (sql, params) => {
      const runner = reading.createQueryRunner()
      try {
        return await run(runner, sql, params)
      } finally {
        await runner.release()
      }
    },
    isContention: error => ['40001', '40P01', '55P03'].includes(codeOf(error)),
    isSurelyRolledBack: isVerdict,
    close: async () => {
      await reading.destroy()
      await dataSource.destroy()
    },
  }
  return { driver, dataSource }
}
