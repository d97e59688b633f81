import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** What verifiers ask of citizens by OpenID4VP. `sealed` and `answer` are ciphertext; the tag is a keyed digest. */
export class WalletPresentations1763900001210 implements MigrationInterface {
  readonly name = 'WalletPresentations1763900001210'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE wallet_presentation_requests (
        id TEXT NOT NULL PRIMARY KEY, citizen TEXT NOT NULL, invitation_tag BLOB NOT NULL, state TEXT NOT NULL,
        sealed BLOB, answer BLOB, expires INTEGER NOT NULL
      ) STRICT`,
      `CREATE UNIQUE INDEX wallet_presentation_requests_tag ON wallet_presentation_requests (citizen, invitation_tag)`,
      'CREATE INDEX wallet_presentation_requests_expires ON wallet_presentation_requests (expires)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
