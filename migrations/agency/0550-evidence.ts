import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** What became of asking the chain to open a status list, so that it is asked again when that failed. */
export class Evidence1763700000550 implements MigrationInterface {
  readonly name = 'Evidence1763700000550'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // Outbox id; of lists from before this column it is not known, and those are open.
      'ALTER TABLE status_lists ADD COLUMN opening TEXT',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
