import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** API keys of an agency's staff and machines. The secret is random (32 bytes), so a plain SHA-256 of it is enough. */
export class Access1763600000500 implements MigrationInterface {
  readonly name = 'Access1763600000500'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE api_keys (
        id TEXT PRIMARY KEY NOT NULL,
        secret_sha256 BLOB NOT NULL,
        scopes TEXT NOT NULL,
        created INTEGER NOT NULL,
        expires INTEGER,
        revoked INTEGER
      ) STRICT`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
