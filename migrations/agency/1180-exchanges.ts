import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Workflows of the VC API, and the exchanges that go through them. */
export class Exchanges1763900001180 implements MigrationInterface {
  readonly name = 'Exchanges1763900001180'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE TABLE workflows (id TEXT NOT NULL PRIMARY KEY, configuration TEXT NOT NULL, created INTEGER NOT NULL) STRICT',
      `CREATE TABLE exchanges (
        digest TEXT NOT NULL PRIMARY KEY, workflow TEXT NOT NULL REFERENCES workflows (id), state TEXT NOT NULL,
        step TEXT NOT NULL, sequence INTEGER NOT NULL, challenge TEXT NOT NULL, variables TEXT NOT NULL,
        results TEXT NOT NULL, failures INTEGER NOT NULL, last_error TEXT, created INTEGER NOT NULL,
        expires INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX exchanges_expired ON exchanges (expires)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
