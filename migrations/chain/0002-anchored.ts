import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** The newest version of each anchored status list that was had, so that a restart does not need its host. */
export class AnchoredCopies1763600000002 implements MigrationInterface {
  readonly name = 'AnchoredCopies1763600000002'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE anchored_copies (
        issuer TEXT NOT NULL, list INTEGER NOT NULL, version INTEGER NOT NULL, bits BLOB NOT NULL,
        PRIMARY KEY (issuer, list)
      ) STRICT`,
    ])
  }

  /** Migrations go forward only. */
  async down(): Promise<void> {
    throw new Error('migrations go forward only')
  }
}
