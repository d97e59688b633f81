import type { QueryRunner } from 'typeorm'

/**
 * Runs statements written once, in SQLite's words (`TEXT`, `INTEGER`, `BLOB`, `STRICT`), on either database: on
 * PostgreSQL INTEGER becomes BIGINT, BLOB becomes BYTEA and STRICT, which PostgreSQL always is, falls away.
 */
export const ddl = async (runner: QueryRunner, statements: string[]): Promise<void> => {
  const postgres = runner.connection.options.type === 'postgres'
  for (const statement of statements) {
    await runner.query(
      postgres
        ? statement
            .replace(/\bINTEGER\b/g, 'BIGINT')
            .replace(/\bBLOB\b/g, 'BYTEA')
            .replace(/\)\s*STRICT\b/g, ')')
        : statement,
    )
  }
}
