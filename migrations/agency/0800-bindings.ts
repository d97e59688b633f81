import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Wallets that a KYC issuer bound to the pseudonyms of its customers. */
export class Bindings1763700000800 implements MigrationInterface {
  name = 'Bindings1763700000800'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE wallet_bindings (
        id TEXT NOT NULL PRIMARY KEY, credential TEXT NOT NULL, holder TEXT NOT NULL, wallet TEXT NOT NULL,
        domain TEXT NOT NULL, pseudonym TEXT NOT NULL, level INTEGER NOT NULL, list INTEGER NOT NULL,
        place INTEGER NOT NULL, expires INTEGER NOT NULL, deadline INTEGER NOT NULL, relay TEXT,
        signed_at INTEGER NOT NULL, ended_at INTEGER, ended_why TEXT, ending TEXT
      ) STRICT`,
      'CREATE UNIQUE INDEX wallet_bindings_place ON wallet_bindings (list, place)',
      'CREATE INDEX wallet_bindings_credential ON wallet_bindings (credential)',
      'CREATE INDEX wallet_bindings_holder ON wallet_bindings (holder, id)',
      'CREATE INDEX wallet_bindings_expires ON wallet_bindings (expires)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
