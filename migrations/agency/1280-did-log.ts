import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** The log of the agency's did:webvh: one row an entry, as it is published. Rows are added and never changed. */
export class DidLog1763900001280 implements MigrationInterface {
  readonly name = 'DidLog1763900001280'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [`CREATE TABLE did_log (version INTEGER NOT NULL PRIMARY KEY, entry TEXT NOT NULL) STRICT`])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
