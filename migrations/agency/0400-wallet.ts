import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Citizens' wallets. Columns named sealed, wrapped or presentation are ciphertext; tags are keyed digests. */
export class Wallet1763600000400 implements MigrationInterface {
  name = 'Wallet1763600000400'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE wallet_citizens (
        id TEXT NOT NULL PRIMARY KEY, handle TEXT NOT NULL UNIQUE, salt BLOB NOT NULL, memory_kib INTEGER NOT NULL,
        passes INTEGER NOT NULL, parallelism INTEGER NOT NULL, wrapped_key BLOB NOT NULL, created INTEGER NOT NULL
      ) STRICT`,
      `CREATE TABLE wallet_sessions (
        id TEXT NOT NULL PRIMARY KEY, citizen TEXT NOT NULL, secret_sha256 BLOB NOT NULL, wrapped_key BLOB NOT NULL,
        created INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX wallet_sessions_citizen ON wallet_sessions (citizen, created)',
      'CREATE INDEX wallet_sessions_expires ON wallet_sessions (expires)',
      `CREATE TABLE wallet_attempts (
        handle_sha256 BLOB NOT NULL PRIMARY KEY, attempts INTEGER NOT NULL, since INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX wallet_attempts_since ON wallet_attempts (since)',
      `CREATE TABLE wallet_keys (
        id TEXT NOT NULL PRIMARY KEY, citizen TEXT NOT NULL, did_tag BLOB NOT NULL, used INTEGER NOT NULL,
        sealed BLOB NOT NULL
      ) STRICT`,
      'CREATE UNIQUE INDEX wallet_keys_did ON wallet_keys (citizen, did_tag)',
      `CREATE TABLE wallet_credentials (
        id TEXT NOT NULL PRIMARY KEY, citizen TEXT NOT NULL, holder_key TEXT NOT NULL, content_tag BLOB NOT NULL,
        sealed BLOB NOT NULL
      ) STRICT`,
      'CREATE UNIQUE INDEX wallet_credentials_content ON wallet_credentials (citizen, content_tag)',
      'CREATE INDEX wallet_credentials_citizen ON wallet_credentials (citizen, id)',
      `CREATE TABLE wallet_disclosures (
        id TEXT NOT NULL PRIMARY KEY, citizen TEXT NOT NULL, credential TEXT NOT NULL, sealed BLOB NOT NULL,
        presentation BLOB
      ) STRICT`,
      'CREATE INDEX wallet_disclosures_citizen ON wallet_disclosures (citizen, id)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
