import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl, refuseChanges } from '../../src/store/ddl.ts'

/** What every agency has: leases, idempotency, the journal, and the log over it. */
export class Store1760000000100 implements MigrationInterface {
  readonly name = 'Store1760000000100'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE leases (
         name TEXT PRIMARY KEY NOT NULL,
         holder TEXT NOT NULL,
         epoch INTEGER NOT NULL,
         expires INTEGER NOT NULL
       ) STRICT`,
      `CREATE TABLE idempotency (
         key TEXT PRIMARY KEY NOT NULL,
         input BLOB NOT NULL,
         answer TEXT NOT NULL,
         at INTEGER NOT NULL
       ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX idempotency_at ON idempotency (at)',
      `CREATE TABLE journal (
         id TEXT PRIMARY KEY NOT NULL,
         commitment BLOB NOT NULL
       ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE journal_details (
         id TEXT PRIMARY KEY NOT NULL,
         salt BLOB NOT NULL,
         record TEXT NOT NULL
       ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE journal_pending (
         id TEXT PRIMARY KEY NOT NULL,
         commitment BLOB NOT NULL
       ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE journal_positions (
         id TEXT PRIMARY KEY NOT NULL,
         position INTEGER NOT NULL
       ) STRICT, WITHOUT ROWID`,
      'CREATE UNIQUE INDEX journal_positions_position ON journal_positions (position)',
      `CREATE TABLE log_head (
         id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
         size INTEGER NOT NULL,
         root BLOB NOT NULL,
         epoch INTEGER NOT NULL
       ) STRICT`,
      `CREATE TABLE log_tiles (
         level INTEGER NOT NULL,
         tile INTEGER NOT NULL,
         hashes BLOB NOT NULL,
         PRIMARY KEY (level, tile)
       ) STRICT`,
      `CREATE TABLE log_entries (
         bundle INTEGER PRIMARY KEY NOT NULL,
         entries BLOB NOT NULL
       ) STRICT`,
      `CREATE TABLE log_checkpoints (
         size INTEGER PRIMARY KEY NOT NULL,
         root BLOB NOT NULL,
         note TEXT NOT NULL,
         at INTEGER NOT NULL
       ) STRICT`,
    ])
    await refuseChanges(runner, 'journal')
    await refuseChanges(runner, 'journal_positions')
  }

  /** Migrations go forward only. */
  async down(): Promise<void> {
    throw new Error('migrations go forward only')
  }
}
