import type { QueryRunner } from 'typeorm'

const isPostgres = (runner: QueryRunner): boolean => runner.connection.options.type === 'postgres'

/** Text is compared byte by byte in both databases, so that keys have one order everywhere. */
const forPostgres = (statement: string): string =>
  statement
    .replace(/\bINTEGER\b/g, 'BIGINT')
    .replace(/\bBLOB\b/g, 'BYTEA')
    .replace(/(?<!\bAS |::)\bTEXT\b/g, 'TEXT COLLATE "C"')
    .replace(/\)\s*STRICT\b(\s*,\s*WITHOUT ROWID\b)?/g, ')')

/**
 * Runs statements written once, in SQLite's words (`TEXT`, `INTEGER`, `BLOB`, `STRICT`), on either database: on
 * PostgreSQL INTEGER becomes BIGINT, BLOB becomes BYTEA, TEXT compares by bytes as it does on SQLite, and STRICT, which
 * PostgreSQL always is, falls away with WITHOUT ROWID.
 */
export const ddl = async (runner: QueryRunner, statements: string[]): Promise<void> => {
  // PostgreSQL takes them together, SQLite one at a time.
  if (isPostgres(runner)) await runner.query(statements.map(forPostgres).join(';\n'))
  else for (const statement of statements) await runner.query(statement)
}

/** What a table of evidence or of money may never see done to its rows. */
export type Change = 'UPDATE' | 'DELETE'

/** Makes the database itself refuse changes to the rows of a table, whoever asks. */
export const refuseChanges = async (
  runner: QueryRunner,
  table: string,
  changes: Change[] = ['UPDATE', 'DELETE'],
): Promise<void> => {
  const refusal = `rows of ${table} are never changed`
  if (!isPostgres(runner)) {
    for (const change of changes) {
      await runner.query(
        `CREATE TRIGGER ${table}_no_${change.toLowerCase()} BEFORE ${change} ON ${table}
         BEGIN SELECT RAISE(ABORT, '${refusal}'); END`,
      )
    }
    return
  }
  await runner.query(
    `CREATE FUNCTION ${table}_refuse() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION '${refusal}' USING ERRCODE = 'restrict_violation'; END $$`,
  )
  const before = changes.includes('DELETE') ? [...changes, 'TRUNCATE'] : changes
  await runner.query(
    `CREATE TRIGGER ${table}_immutable BEFORE ${before.join(' OR ')} ON ${table}
     FOR EACH STATEMENT EXECUTE FUNCTION ${table}_refuse()`,
  )
}
