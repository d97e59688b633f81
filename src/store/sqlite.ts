import sqlite3, { type Database, type Statement } from 'sqlite3'
import { DataSource, type DataSourceOptions } from 'typeorm'
import type { Row, Value } from '../kernel/ports.ts'
import { byteColumns, type Connection, checkedName, codeOf, type Driver, exactInteger, hexOf } from './values.ts'

const busyTimeoutMs = 10_000
const statementsKept = 200
/**
 * What a statement copies of the pages it changes goes back to the system as soon as it is freed, and is cleared again page by
 * page for the next: a tenth of the time of a large act. glibc keeps twice the largest block ever freed instead (mallopt(3),
 * M_TRIM_THRESHOLD), so one of this size is taken and freed at the start. Other libraries just do that.
 */
const freedBytes = 16 * 1_048_576
const openReadOnly = 1

/** Pages in memory (KiB), as they come to be used: the accounts of a million customers are not fetched again and again. */
const writerCacheKib = 192 * 1_024
const readerCacheKib = 16 * 1_024
/** Pages of the WAL after which the writer itself brings them into the file, if nobody has by then. */
const walPages = 65_536
/** So often they are brought there beside the writer, which then does not wait for it. Pages written meanwhile go once. */
const checkpointEveryMs = 2_000

/**
 * The driver as it was loaded. TypeORM calls `verbose()`, which makes every statement capture a stack trace, for the
 * whole process and at a third of its time: our own DataSources do without, and whoever else calls it does not slow us.
 */
const driver = Object.assign(Object.create(sqlite3), { verbose: () => sqlite3 })
const { prepare } = sqlite3.Database.prototype
const { all, finalize } = sqlite3.Statement.prototype

type Prepared = { run(sql: string, params: Value[]): Promise<Row[]>; finalize(): Promise<void> }

const preparing = (database: Database, sql: string): Promise<Statement> =>
  new Promise((resolve, reject) => {
    const statement: Statement = prepare.call(database, sql, (error: Error | null) =>
      error === null ? resolve(statement) : reject(error),
    )
  })

const ended = (statement: Statement): Promise<void> => new Promise(done => void finalize.call(statement, () => done()))

/** Prepared statements by their text: preparing costs as much as a look-up by key. */
const prepared = (database: Database): Prepared => {
  const statements = new Map<string, Promise<Statement>>()
  const statementOf = (sql: string): Promise<Statement> => {
    const statement = statements.get(sql) ?? preparing(database, sql)
    statements.delete(sql)
    statements.set(sql, statement)
    const [oldest] = statements
    if (statements.size > statementsKept && oldest !== undefined) {
      statements.delete(oldest[0])
      void oldest[1].then(ended, () => {})
    }
    return statement
  }
  const step = (statement: Statement, params: Value[]): Promise<Row[]> =>
    new Promise((resolve, reject) => {
      all.call(statement, params, (error: Error | null, rows: unknown[]) =>
        error === null ? resolve(rows as Row[]) : reject(error),
      )
    })
  return {
    run: async (sql, params) => {
      const statement = statementOf(sql)
      try {
        return await step(await statement, params)
      } catch (error) {
        // A statement that failed is not kept: it would hold its place in the transaction until it is reset.
        if (statements.get(sql) === statement) statements.delete(sql)
        await statement.then(ended, () => {})
        throw error
      }
    },
    finalize: async () => {
      await Promise.all([...statements.values()].map(statement => statement.then(ended, () => {})))
      statements.clear()
    },
  }
}

/** The driver rounds integers beyond 2^53 without a word; a real number is never that large in our tables. */
const exact = (rows: Row[]): Row[] => {
  for (const row of rows) {
    for (const column in row) {
      const value = row[column]
      if (typeof value === 'number' && Number.isInteger(value)) exactInteger(value, `in column ${column}`)
    }
  }
  return rows
}

/**
 * One JSON parameter for all rows: no parameter limit, and a third faster than a long list of placeholders. `jsonb_each` gives
 * each row as it was parsed, where `json_each` would make text of it that every column parses anew.
 */
const insertStatement = (table: string, columns: string[], bytes: Set<string>): string => {
  const names = columns.map(column => `"${checkedName(column)}"`).join()
  const values = columns.map((name, at) => (bytes.has(name) ? `unhex(value ->> ${at})` : `value ->> ${at}`)).join()
  return `INSERT INTO "${checkedName(table)}" (${names}) SELECT ${values} FROM jsonb_each(?)`
}

type Query = (sql: string, params: Value[]) => Promise<Row[]>

const connectionOf = (query: Query, committed: () => void): Connection => ({
  query: async (sql, params) => {
    const rows = exact(await query(sql, params))
    if (sql === 'COMMIT') committed()
    return rows
  },
  insert: async (table, columns, rows) => {
    const bytes = byteColumns(columns, rows)
    const plain = (value: Value | undefined) => (value instanceof Uint8Array ? hexOf(value) : value)
    const json = JSON.stringify(rows.map(row => columns.map(column => plain(row[column]))))
    await query(insertStatement(table, columns, bytes), [json])
  },
  release: async () => {},
})

/**
 * Brings what was committed from the WAL into the file on a connection of its own, one run at a time. A commit is durable in
 * the WAL already, and a run never makes a writer or a reader wait (PASSIVE), so one that fails costs nothing: the writer
 * does the same once the WAL has grown long.
 */
const openCheckpoints = (source: DataSource): { committed(): void; ended(): Promise<void> } => {
  let begun = performance.now()
  let run: Promise<unknown> | undefined
  return {
    committed() {
      if (run !== undefined || performance.now() - begun < checkpointEveryMs) return
      begun = performance.now()
      const done = (): void => {
        run = undefined
      }
      run = source.query('PRAGMA wal_checkpoint(PASSIVE)').then(done, done)
    },
    ended: async () => void (await run),
  }
}

/** TypeORM keeps one connection per DataSource on SQLite; this is it. */
const databaseOf = async (source: DataSource): Promise<Database> => source.createQueryRunner().connect()

/**
 * Opens the file for one writer and, beside it, for readers, who see committed rows only. A commit answered is on the
 * disk: WAL with synchronous=FULL.
 */
export const openSqlite = async (
  file: string,
  options: Pick<DataSourceOptions, 'entities' | 'migrations'>,
  migrate: (source: DataSource) => Promise<void>,
): Promise<{ driver: Driver; dataSource: DataSource }> => {
  const common = { type: 'sqlite', driver, database: file, busyTimeout: busyTimeoutMs } as const
  const dataSource = new DataSource({ ...common, ...options, enableWAL: true, migrationsTableName: 'migrations' })
  const readers = new DataSource({ ...common, flags: openReadOnly })
  const checkpointing = new DataSource(common)
  const sources = [checkpointing, readers, dataSource]
  try {
    await dataSource.initialize()
    await dataSource.query('PRAGMA synchronous = FULL')
    await migrate(dataSource)
    await dataSource.query(`PRAGMA cache_size = -${writerCacheKib}`)
    await dataSource.query(`PRAGMA wal_autocheckpoint = ${walPages}`)
    // What a savepoint would bring back is copied for every page that a batch writes: not by way of a file.
    await dataSource.query('PRAGMA temp_store = MEMORY')
    await dataSource.query(`SELECT length(CAST(zeroblob(${freedBytes}) AS TEXT))`)
    await readers.initialize()
    await readers.query(`PRAGMA cache_size = -${readerCacheKib}`)
    await checkpointing.initialize()
    await checkpointing.query('PRAGMA synchronous = FULL')
  } catch (error) {
    for (const source of sources) if (source.isInitialized) await source.destroy()
    throw error
  }
  const checkpoints = openCheckpoints(checkpointing)
  const write = prepared(await databaseOf(dataSource))
  const read = prepared(await databaseOf(readers))
  const opened: Driver = {
    dialect: 'sqlite',
    lanes: 1,
    begin: 'BEGIN IMMEDIATE',
    connect: async () => connectionOf(write.run, checkpoints.committed),
    read: async (sql, params) => exact(await read.run(sql, params)),
    isContention: error => codeOf(error) === 'SQLITE_BUSY' || codeOf(error) === 'SQLITE_LOCKED',
    isSurelyRolledBack: error => ['SQLITE_BUSY', 'SQLITE_CONSTRAINT', 'SQLITE_FULL'].includes(codeOf(error)),
    close: async () => {
      await Promise.all([write.finalize(), read.finalize(), checkpoints.ended()])
      // The writer goes last, so that it leaves a file without a WAL.
      for (const source of sources) await source.destroy()
    },
  }
  return { driver: opened, dataSource }
}
