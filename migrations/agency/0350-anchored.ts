import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Anchored status lists: their published versions, and decisions that wait for the next of them. */
export class Anchored1763600000350 implements MigrationInterface {
  readonly name = 'Anchored1763600000350'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // 0 bitmap, 1 anchored; fixed for ever when the list is opened.
      'ALTER TABLE status_lists ADD COLUMN mode INTEGER NOT NULL DEFAULT 0',
      // What the caller follows where the transaction is made only later; empty `outbox` until then.
      'ALTER TABLE status_decisions ADD COLUMN change_id TEXT',
      'CREATE INDEX status_decisions_change ON status_decisions (change_id) WHERE change_id IS NOT NULL',
      `CREATE TABLE anchored_lists (
        list INTEGER NOT NULL, version INTEGER NOT NULL, digest BLOB NOT NULL, bits BLOB NOT NULL,
        outbox TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (list, version)
      ) STRICT`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
