import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Moves between the ledger and the chain, and how far the gate's events have been read. */
export class CbdcRail1763800001060 implements MigrationInterface {
  readonly name = 'CbdcRail1763800001060'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE TABLE cbdc_rail (id INTEGER NOT NULL PRIMARY KEY, block INTEGER NOT NULL, CHECK (id = 1)) STRICT',
      'INSERT INTO cbdc_rail VALUES (1, -1)',
      // `entry` took the money out (to the chain) or put it in (from the chain); `refund` gave it back.
      `CREATE TABLE cbdc_moves (
        currency INTEGER NOT NULL, operation TEXT NOT NULL, direction TEXT NOT NULL, account INTEGER NOT NULL,
        wallet TEXT NOT NULL, amount INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT, outbox TEXT,
        entry INTEGER, refund INTEGER, since INTEGER NOT NULL, changed INTEGER NOT NULL,
        PRIMARY KEY (currency, operation)
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX cbdc_moves_account ON cbdc_moves (account, since)',
      `CREATE INDEX cbdc_moves_open ON cbdc_moves (state, since) WHERE state IN ('sent', 'suspended', 'stranded', 'ending')`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
