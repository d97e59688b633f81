import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** What citizens are collecting from credential issuers. `sealed` is ciphertext; `lease` keeps two calls apart. */
export class WalletCollections1763900001220 implements MigrationInterface {
  readonly name = 'WalletCollections1763900001220'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE wallet_collections (
        id TEXT NOT NULL PRIMARY KEY, citizen TEXT NOT NULL, lease INTEGER NOT NULL, expires INTEGER NOT NULL,
        sealed BLOB NOT NULL
      ) STRICT`,
      'CREATE INDEX wallet_collections_citizen ON wallet_collections (citizen, id)',
      'CREATE INDEX wallet_collections_expires ON wallet_collections (expires)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
