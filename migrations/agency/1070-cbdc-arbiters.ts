import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Institutions that decide on reservations, each by an account of a key of its own. */
export class CbdcArbiters1763800001070 implements MigrationInterface {
  readonly name = 'CbdcArbiters1763800001070'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE cbdc_arbiters (
        did TEXT NOT NULL, currency INTEGER NOT NULL, account INTEGER NOT NULL UNIQUE, PRIMARY KEY (did, currency)
      ) STRICT, WITHOUT ROWID`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
