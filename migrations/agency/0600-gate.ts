import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Sessions of holders, proofs that were used up, and acts that wait for a second officer. */
export class Gate1763700000600 implements MigrationInterface {
  name = 'Gate1763700000600'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE gate_sessions (
        id TEXT NOT NULL PRIMARY KEY, secret_sha256 BLOB NOT NULL, thumbprint TEXT NOT NULL, sealed BLOB NOT NULL,
        created INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX gate_sessions_expires ON gate_sessions (expires)',
      'CREATE TABLE gate_spent (key TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, expires INTEGER NOT NULL) STRICT',
      'CREATE INDEX gate_spent_expires ON gate_spent (expires)',
      `CREATE TABLE gate_pending_acts (
        id TEXT NOT NULL PRIMARY KEY, operation TEXT NOT NULL, requirement_sha256 BLOB NOT NULL,
        author_tag BLOB NOT NULL, sealed BLOB NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,
        state TEXT NOT NULL, decision TEXT, decided INTEGER, decided_by TEXT, reason TEXT
      ) STRICT`,
      'CREATE INDEX gate_pending_acts_state ON gate_pending_acts (state, id)',
      'CREATE INDEX gate_pending_acts_author ON gate_pending_acts (author_tag, id)',
      'CREATE INDEX gate_pending_acts_expires ON gate_pending_acts (expires)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
