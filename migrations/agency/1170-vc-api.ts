import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** What issuer instances have given a place in their own status lists. */
export class VcApi1763900001170 implements MigrationInterface {
  readonly name = 'VcApi1763900001170'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE TABLE instance_heads (issuer TEXT NOT NULL PRIMARY KEY, next INTEGER NOT NULL) STRICT',
      `CREATE TABLE instance_credentials (
        issuer TEXT NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, revocation INTEGER NOT NULL,
        suspension INTEGER NOT NULL, issued_at INTEGER NOT NULL, PRIMARY KEY (issuer, position)
      ) STRICT`,
      'CREATE INDEX instance_credentials_named ON instance_credentials (issuer, id)',
      'CREATE INDEX instance_credentials_revoked ON instance_credentials (issuer, position) WHERE revocation = 1',
      'CREATE INDEX instance_credentials_suspended ON instance_credentials (issuer, position) WHERE suspension = 1',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
