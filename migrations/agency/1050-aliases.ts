import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl, refuseChanges } from '../../src/store/ddl.ts'

/** A directory of aliases by their oblivious tags: no phone number and no national id stands here. */
export class Aliases1763800001050 implements MigrationInterface {
  name = 'Aliases1763800001050'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE aliases (
        alias TEXT NOT NULL PRIMARY KEY, registration TEXT NOT NULL, voucher TEXT NOT NULL, masked_name TEXT NOT NULL,
        ledger TEXT NOT NULL, account INTEGER NOT NULL, registered_at INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT`,
      'CREATE UNIQUE INDEX aliases_registration ON aliases (registration)',
      'CREATE INDEX aliases_expires ON aliases (expires)',
      `CREATE TABLE alias_addresses (
        id TEXT NOT NULL PRIMARY KEY, registration TEXT, asker TEXT NOT NULL, expires INTEGER NOT NULL, used_at INTEGER
      ) STRICT`,
      'CREATE INDEX alias_addresses_expires ON alias_addresses (expires)',
      'CREATE TABLE alias_rates (id TEXT NOT NULL PRIMARY KEY, day INTEGER NOT NULL, acts INTEGER NOT NULL) STRICT',
      'CREATE INDEX alias_rates_day ON alias_rates (day)',
      `CREATE TABLE alias_requests (
        id TEXT NOT NULL PRIMARY KEY, act TEXT NOT NULL, asker TEXT NOT NULL, kind TEXT NOT NULL, acts INTEGER NOT NULL,
        at INTEGER NOT NULL
      ) STRICT`,
    ])
    await refuseChanges(runner, 'alias_requests', ['UPDATE'])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
