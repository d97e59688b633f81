import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl, refuseChanges } from '../../src/store/ddl.ts'

/** Registers of quantities: classes of units, what is held of them, what orders hold, and every movement. */
export class Assets1763700000960 implements MigrationInterface {
  readonly name = 'Assets1763700000960'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE asset_classes (
        entry TEXT NOT NULL PRIMARY KEY, register TEXT NOT NULL, cap INTEGER NOT NULL, issued INTEGER NOT NULL,
        CHECK (issued >= 0 AND issued <= cap)
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX asset_classes_register ON asset_classes (register, entry)',
      // Without a wallet the units are kept at the registrar.
      `CREATE TABLE asset_holdings (
        entry TEXT NOT NULL, party TEXT NOT NULL, amount INTEGER NOT NULL, frozen INTEGER NOT NULL, wallet TEXT,
        PRIMARY KEY (entry, party), CHECK (frozen >= 0 AND frozen <= amount)
      ) STRICT, WITHOUT ROWID`,
      // `amount` is what the freeze holds still; `terms` names the order.
      `CREATE TABLE asset_freezes (
        id TEXT NOT NULL PRIMARY KEY, entry TEXT NOT NULL, party TEXT NOT NULL, amount INTEGER NOT NULL,
        terms TEXT NOT NULL, legal_basis TEXT NOT NULL, since INTEGER NOT NULL, ended_at INTEGER
      ) STRICT`,
      'CREATE INDEX asset_freezes_holding ON asset_freezes (entry, party) WHERE ended_at IS NULL',
      // Each movement is kept as the canonical text that its digest is of.
      `CREATE TABLE asset_movements (
        id TEXT NOT NULL PRIMARY KEY, entry TEXT NOT NULL, giver TEXT, receiver TEXT, record TEXT NOT NULL,
        digest BLOB NOT NULL, movement TEXT NOT NULL
      ) STRICT`,
      'CREATE INDEX asset_movements_class ON asset_movements (entry, id)',
      `CREATE TABLE asset_orders (
        register TEXT NOT NULL, authority TEXT NOT NULL, reference TEXT NOT NULL, movement TEXT NOT NULL,
        PRIMARY KEY (register, authority, reference)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE asset_certificates (
        id TEXT NOT NULL PRIMARY KEY, entry TEXT NOT NULL, party TEXT NOT NULL, issued_at INTEGER NOT NULL,
        ended_at INTEGER
      ) STRICT`,
      'CREATE INDEX asset_certificates_holding ON asset_certificates (entry, party) WHERE ended_at IS NULL',
    ])
    await refuseChanges(runner, 'asset_movements')
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
