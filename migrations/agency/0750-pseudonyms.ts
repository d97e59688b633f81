import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl, refuseChanges } from '../../src/store/ddl.ts'

/** The root authority's count and record of evaluations: who asked for which domain, and for how many. */
export class Pseudonyms1763700000750 implements MigrationInterface {
  name = 'Pseudonyms1763700000750'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE TABLE pseudonym_rates (id TEXT NOT NULL PRIMARY KEY, since INTEGER NOT NULL, evaluations INTEGER NOT NULL) STRICT',
      'CREATE INDEX pseudonym_rates_since ON pseudonym_rates (since)',
      `CREATE TABLE pseudonym_requests (
        id TEXT NOT NULL PRIMARY KEY, agency TEXT NOT NULL, domain TEXT NOT NULL, evaluations INTEGER NOT NULL,
        at INTEGER NOT NULL
      ) STRICT`,
    ])
    await refuseChanges(runner, 'pseudonym_requests', ['UPDATE'])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
