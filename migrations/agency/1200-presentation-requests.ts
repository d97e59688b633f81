import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** What wallets are asked for by OpenID4VP, and what they answered, sealed. */
export class PresentationRequests1763900001200 implements MigrationInterface {
  readonly name = 'PresentationRequests1763900001200'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE presentation_requests (
        id TEXT NOT NULL PRIMARY KEY, asker TEXT NOT NULL, state TEXT NOT NULL, sealed BLOB NOT NULL, answer BLOB,
        error TEXT, failures INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT`,
      `CREATE INDEX presentation_requests_by_expiry ON presentation_requests (expires)`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
