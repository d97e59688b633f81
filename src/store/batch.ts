import type { Row, Tx, Value } from '../kernel/ports.ts'
import { bindable, type Connection, checkedName, type Driver, sameColumns } from './values.ts'

/** What the store's own parts may ask of a transaction beyond the port. */
export type BatchTx = Tx & {
  /** Rows inserted in this transaction, by this act and those before it in the batch, that no statement carries yet. */
  unflushed(table: string): Row[]
  /** A query that does not see those rows, and so does not force them out. For reads only. */
  peek<T extends Row = Row>(sql: string, params?: Value[]): Promise<T[]>
}

export const asBatchTx = (tx: Tx): BatchTx => {
  if (!('unflushed' in tx && 'peek' in tx)) throw new TypeError('this transaction is not one of openStore')
  return tx as BatchTx
}

export type Act = (tx: Tx) => Promise<unknown>
export type Outcome = { done: true; value: unknown; after: (() => void)[] } | { done: false; error: unknown }

/** The COMMIT neither succeeded nor surely failed: running the acts again could do them twice. */
export class OutcomeUnknown extends Error {}
/** No transaction could be begun, so there is no act to blame. */
export class NotBegun extends Error {}

/** Parents before children, so that rows of many acts can go table by table. */
export type Ranks = Map<string, number>

type Batch = {
  driver: Driver
  connection: Connection
  ranks: Ranks
  actTimeoutMs: number
  /** Views hide which tables they read: a query on one sees everything. */
  views: string[]
  rows: Map<string, Row[]>
  /** The only act of its transaction: what takes it back is the end of that, and no copy of each page it changes. */
  alone: boolean
  /** Set once the transaction as a whole cannot be kept, whatever the acts in it make of that. */
  broken: { error: unknown } | undefined
}

const flush = async (batch: Batch, tables: Map<string, Row[]>): Promise<void> => {
  const rank = (table: string): number => batch.ranks.get(table) ?? 0
  const ordered = [...tables].sort(([a], [b]) => rank(a) - rank(b))
  tables.clear()
  for (const [table, rows] of ordered) {
    for (const group of sameColumns(rows)) await batch.connection.insert(table, group.columns, group.rows)
  }
}

/** Flushes what earlier acts of the batch left. They are done: if this fails, the batch has failed, not the asking act. */
const flushEarlier = async (batch: Batch): Promise<void> => {
  try {
    await flush(batch, batch.rows)
  } catch (error) {
    batch.broken ??= { error }
    throw error
  }
}

const add = (tables: Map<string, Row[]>, table: string, rows: Row[]): void => {
  const known = tables.get(table)
  if (known === undefined) tables.set(table, [...rows])
  else for (const row of rows) known.push(row)
}

const checkedRow = (row: Row): Row => {
  const copy: Row = {}
  for (const column in row) copy[checkedName(column)] = bindable(row[column] as Value)
  return copy
}

const isRead = (sql: string): boolean => /^\s*SELECT\b/i.test(sql)

const mentions = (sql: string, names: Iterable<string>): boolean => {
  const text = sql.toLowerCase()
  for (const name of names) if (text.includes(name)) return true
  return false
}

type OpenAct = {
  tx: BatchTx
  /** Waits for queries nobody awaited, and refuses all further use of the transaction. */
  end(): Promise<void>
  own: Map<string, Row[]>
  after: (() => void)[]
  savepoint: boolean
  /** Something of it is in the database. */
  written: boolean
  failure: { error: unknown } | undefined
}

/** Brings rows that a query must see into the database; a savepoint keeps this act's writes apart from the others'. */
const surface = async (batch: Batch, act: OpenAct, writes: boolean): Promise<void> => {
  await flushEarlier(batch)
  if (writes || act.own.size > 0) {
    act.written = true
    if (!act.savepoint && !batch.alone) {
      await batch.connection.query('SAVEPOINT act', [])
      act.savepoint = true
    }
  }
  await flush(batch, act.own)
}

const openAct = (batch: Batch): OpenAct => {
  let ended = false
  let last: Promise<unknown> = Promise.resolve()
  const checkOpen = (): void => {
    if (ended) throw new Error('the transaction is over: an act must await everything it does')
  }
  /** One statement after the other; after a failed one there is no going on, as PostgreSQL has it. */
  const inTurn = (work: () => Promise<Row[]>): Promise<Row[]> => {
    const turn = last.then(async () => {
      if (act.failure !== undefined) throw act.failure.error
      try {
        return await work()
      } catch (error) {
        act.failure ??= { error }
        throw error
      }
    })
    last = turn.catch(() => {})
    return turn
  }
  const ask = (sql: string, params: Value[]) => batch.connection.query(sql, params.map(bindable))
  const tx: BatchTx = {
    insert: (table, rows) => {
      checkOpen()
      add(act.own, checkedName(table), rows.map(checkedRow))
    },
    query: async <T extends Row>(sql: string, params: Value[] = []) => {
      checkOpen()
      const rows = await inTurn(async () => {
        const names = [...batch.rows.keys(), ...act.own.keys()]
        const reads = isRead(sql)
        if (!reads) await surface(batch, act, true)
        else if (names.length > 0 && (mentions(sql, names) || mentions(sql, batch.views))) {
          await surface(batch, act, false)
        }
        return ask(sql, params)
      })
      return rows as T[]
    },
    peek: async <T extends Row>(sql: string, params: Value[] = []) => {
      checkOpen()
      return (await inTurn(() => ask(sql, params))) as T[]
    },
    unflushed: table => [...(batch.rows.get(table) ?? []), ...(act.own.get(table) ?? [])],
    afterCommit: work => {
      checkOpen()
      act.after.push(work)
    },
  }
  const end = async (): Promise<void> => {
    ended = true
    await last
  }
  const act: OpenAct = { tx, end, own: new Map(), after: [], savepoint: false, written: false, failure: undefined }
  return act
}

/** An act that never ends would hold every other act of its lane. */
const inTime = async (work: Promise<unknown>, timeoutMs: number): Promise<unknown> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the act took longer than ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const undo = async (batch: Batch, act: OpenAct, error: unknown): Promise<void> => {
  if (act.failure !== undefined && (!act.savepoint || batch.driver.isContention(act.failure.error))) {
    batch.broken ??= act.failure
  }
  if (act.written && !act.savepoint) batch.broken ??= { error }
  if (batch.broken !== undefined || !act.savepoint) return
  try {
    await batch.connection.query('ROLLBACK TO SAVEPOINT act', [])
    await batch.connection.query('RELEASE SAVEPOINT act', [])
  } catch (error) {
    batch.broken ??= { error }
  }
}

const runAct = async (batch: Batch, run: Act): Promise<Outcome> => {
  const act = openAct(batch)
  let outcome: Outcome
  try {
    outcome = { done: true, value: await inTime(run(act.tx), batch.actTimeoutMs), after: act.after }
  } catch (error) {
    outcome = { done: false, error }
  }
  await act.end()
  if (outcome.done && act.failure !== undefined) outcome = { done: false, error: act.failure.error }
  if (!outcome.done) {
    await undo(batch, act, outcome.error)
    return outcome
  }
  for (const [table, rows] of act.own) add(batch.rows, table, rows)
  if (act.savepoint) await batch.connection.query('RELEASE SAVEPOINT act', [])
  return outcome
}

const begin = async (driver: Driver): Promise<Connection> => {
  try {
    const connection = await driver.connect()
    try {
      await connection.query(driver.begin, [])
      return connection
    } catch (error) {
      await connection.release(error)
      throw error
    }
  } catch (cause) {
    throw new NotBegun('no transaction could be begun', { cause })
  }
}

const rollback = async (connection: Connection): Promise<void> => {
  try {
    await connection.query('ROLLBACK', [])
    await connection.release()
  } catch (error) {
    // SQLite has rolled back by itself after some errors; a broken connection of PostgreSQL is not used again.
    await connection.release(error)
  }
}

/**
 * Runs acts one after the other in one transaction and commits.
 * @throws whatever failed the transaction as a whole: nothing of it is kept, unless it is OutcomeUnknown.
 */
export const runBatch = async (
  context: Pick<Batch, 'driver' | 'ranks' | 'views' | 'actTimeoutMs'>,
  acts: Act[],
): Promise<Outcome[]> => {
  const { driver } = context
  const connection = await begin(driver)
  const batch: Batch = { ...context, connection, rows: new Map(), alone: acts.length === 1, broken: undefined }
  const outcomes: Outcome[] = []
  let committing = false
  try {
    for (const act of acts) {
      outcomes.push(await runAct(batch, act))
      if (batch.broken !== undefined) throw batch.broken.error
    }
    await flush(batch, batch.rows)
    committing = true
    await connection.query('COMMIT', [])
  } catch (error) {
    await rollback(connection)
    if (committing && !driver.isSurelyRolledBack(error)) {
      throw new OutcomeUnknown('the commit was not confirmed', { cause: error })
    }
    const [only] = outcomes
    // Alone, the act has the last word on its own failure: it may have made a Refusal of it.
    if (acts.length === 1 && only !== undefined && !only.done && !driver.isContention(error)) return [only]
    throw error
  }
  await connection.release()
  return outcomes
}
