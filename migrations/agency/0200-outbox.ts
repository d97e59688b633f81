import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/**
 * Transactions for the chain. One nonce of an account belongs to one row for ever: that is why nothing is done twice.
 * Only rows that are not settled are looked through, however many there were.
 */
export class Outbox1763600000200 implements MigrationInterface {
  readonly name = 'Outbox1763600000200'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE outbox (
        id TEXT NOT NULL,
        position INTEGER NOT NULL,
        account TEXT NOT NULL,
        contract TEXT NOT NULL,
        calldata TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'mined', 'final', 'failed')),
        settled INTEGER NOT NULL,
        nonce INTEGER,
        raw TEXT,
        hash TEXT,
        earlier TEXT NOT NULL,
        block_number INTEGER,
        block_hash TEXT,
        block_time INTEGER,
        attempts INTEGER NOT NULL,
        error TEXT,
        queued_at INTEGER NOT NULL,
        sent_at INTEGER,
        PRIMARY KEY (id, position)
      ) STRICT`,
      'CREATE UNIQUE INDEX outbox_nonce ON outbox (account, nonce) WHERE nonce IS NOT NULL',
      'CREATE INDEX outbox_waiting ON outbox (account, id, position) WHERE settled = 0',
    ])
  }

  /** Migrations go forward only. */
  async down(): Promise<void> {
    throw new Error('migrations go forward only')
  }
}
