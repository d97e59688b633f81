import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Keys of citizens' accounts on ledgers. `sealed` is ciphertext; tags are keyed digests. */
export class WalletLedgerKeys1763800001010 implements MigrationInterface {
  name = 'WalletLedgerKeys1763800001010'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE wallet_ledger_keys (
        id TEXT NOT NULL PRIMARY KEY, citizen TEXT NOT NULL, key_tag BLOB NOT NULL, sealed BLOB NOT NULL
      ) STRICT`,
      'CREATE UNIQUE INDEX wallet_ledger_keys_key ON wallet_ledger_keys (citizen, key_tag)',
      'CREATE INDEX wallet_ledger_keys_citizen ON wallet_ledger_keys (citizen, id)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
