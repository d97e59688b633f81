import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Issued credentials, the status lists they draw from, and challenges given to holders. */
export class Credentials1763600000300 implements MigrationInterface {
  name = 'Credentials1763600000300'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE status_lists (
        list INTEGER NOT NULL PRIMARY KEY, next INTEGER NOT NULL, length INTEGER NOT NULL
      ) STRICT`,
      // Keyed by a time-ordered id, without secondary indexes: ten million rows must not slow an insert.
      `CREATE TABLE credentials (
        id TEXT NOT NULL PRIMARY KEY, type TEXT NOT NULL, type_version INTEGER NOT NULL, format TEXT NOT NULL,
        status_list INTEGER NOT NULL, status_index INTEGER NOT NULL, issued_at INTEGER NOT NULL,
        valid_until INTEGER NOT NULL, compact TEXT NOT NULL
      ) STRICT`,
      // One row a decision about a status, newest last; a credential without a row is valid.
      `CREATE TABLE status_decisions (
        id TEXT NOT NULL PRIMARY KEY, credential TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
        status_list INTEGER NOT NULL, status_index INTEGER NOT NULL, outbox TEXT NOT NULL, at INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX status_decisions_credential ON status_decisions (credential)',
      'CREATE INDEX status_decisions_outbox ON status_decisions (outbox)',
      `CREATE TABLE challenges (
        digest BLOB NOT NULL PRIMARY KEY, expires INTEGER NOT NULL, used INTEGER
      ) STRICT`,
      'CREATE INDEX challenges_expires ON challenges (expires)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
