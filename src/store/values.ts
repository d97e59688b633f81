import type { Row, Value } from '../kernel/ports.ts'

/** What one database does differently from the other, behind one face. Rows come back with the same types from both. */
export type Connection = {
  query(sql: string, params: Value[]): Promise<Row[]>
  insert(table: string, columns: string[], rows: Row[]): Promise<void>
  /** Gives the connection back; with an error it is not used again. */
  release(error?: unknown): Promise<void>
}

export type Driver = {
  dialect: 'sqlite' | 'postgres'
  /** How many transactions may be open at once. */
  lanes: number
  begin: string
  connect(): Promise<Connection>
  read(sql: string, params: Value[]): Promise<Row[]>
  /** Lost to another transaction and nothing else: worth the same work once more. */
  isContention(error: unknown): boolean
  /** After COMMIT failed so, the transaction is surely rolled back. Anything else may have been committed. */
  isSurelyRolledBack(error: unknown): boolean
  close(): Promise<void>
}

/**
 * A value as both drivers can take it.
 * @throws TypeError for what a driver would silently turn into NULL or into another number: bigint, undefined, integers
 * beyond 2^53 (bind decimal strings), and text with a NUL, which PostgreSQL cannot hold.
 */
export const bindable = (value: Value): Value => {
  if (value === null) return null
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new TypeError('text with a NUL character cannot be stored')
    return value
  }
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return value
    if (!Number.isFinite(value) || Number.isInteger(value)) {
      throw new TypeError(`${value} cannot be bound exactly: bind a decimal string`)
    }
    return value
  }
  if (value instanceof Uint8Array) {
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  throw new TypeError(`a ${typeof value} cannot be bound: use text, number, null or bytes`)
}

/**
 * An integer as it is read: a number, if it is one exactly.
 * @throws RangeError beyond 2^53, in both databases alike: `select cast(x as text)` reads it exactly.
 */
export const exactInteger = (value: number, shown: string): number => {
  if (Number.isSafeInteger(value)) return value
  throw new RangeError(`the integer ${shown} does not fit a number exactly: select cast(... as text)`)
}

/** The names in one `insert`. They are quoted, so reserved words will do, but upper case would need quotes in all SQL. */
export const checkedName = (name: string): string => {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new TypeError(`${name} is not a snake_case table or column name`)
  return name
}

const numbered = new Map<string, string>()

/** Turns `?` into `$1`, `$2`, …, outside of quotes and comments. */
export const numberPlaceholders = (sql: string): string => {
  const known = numbered.get(sql)
  if (known !== undefined) return known
  let count = 0
  const text = sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g, part => {
    if (part !== '?') return part
    count += 1
    return `$${count}`
  })
  // Statements are few and fixed; a caller that builds them endlessly must not fill the memory.
  if (numbered.size >= 1000) numbered.clear()
  numbered.set(sql, text)
  return text
}

/** Rows of one table with the same columns, to go into one statement. */
export const sameColumns = (rows: Row[]): { columns: string[]; rows: Row[] }[] => {
  const groups = new Map<string, { columns: string[]; rows: Row[] }>()
  for (const row of rows) {
    const columns = Object.keys(row)
    const shape = columns.join()
    const group = groups.get(shape)
    if (group === undefined) groups.set(shape, { columns, rows: [row] })
    else group.rows.push(row)
  }
  return [...groups.values()]
}

/** Which columns hold bytes. A column that holds bytes in one row and text in another is a defect of the caller. */
export const byteColumns = (columns: string[], rows: Row[]): Set<string> => {
  const bytes = new Set<string>()
  for (const column of columns) {
    const kinds = new Set(
      rows
        .map(row => row[column])
        .filter(value => value !== null)
        .map(v => v instanceof Uint8Array),
    )
    if (kinds.size > 1) throw new TypeError(`the column ${column} is given both bytes and other values`)
    if (kinds.has(true)) bytes.add(column)
  }
  return bytes
}

export const hexOf = (value: Uint8Array): string =>
  Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')

/** The database's own code of an error, through whatever wraps it. */
export const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  if ('driverError' in error) return codeOf(error.driverError)
  return 'cause' in error ? codeOf(error.cause) : ''
}

/** Did a row of that key exist already? The same answer for SQLite and PostgreSQL. */
export const isUniqueViolation = (error: unknown): boolean => {
  const code = codeOf(error)
  return code === '23505' || (code === 'SQLITE_CONSTRAINT' && /UNIQUE constraint failed/.test(String(error)))
}
