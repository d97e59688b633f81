import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Lists of an instance for one purpose beyond revocation and suspension, with what their statuses mean, and who stands in them. */
export class InstancePurposes1763900001291 implements MigrationInterface {
  readonly name = 'InstancePurposes1763900001291'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE instance_status_lists (
        issuer TEXT NOT NULL, list INTEGER NOT NULL, kind TEXT NOT NULL, purpose TEXT NOT NULL, size INTEGER NOT NULL,
        messages TEXT, next INTEGER NOT NULL, PRIMARY KEY (issuer, list)
      ) STRICT`,
      'CREATE INDEX instance_status_lists_kinds ON instance_status_lists (issuer, kind, list)',
      `CREATE TABLE instance_entries (
        issuer TEXT NOT NULL, list INTEGER NOT NULL, place INTEGER NOT NULL, id TEXT NOT NULL, purpose TEXT NOT NULL,
        status INTEGER NOT NULL, PRIMARY KEY (issuer, list, place)
      ) STRICT`,
      'CREATE UNIQUE INDEX instance_entries_named ON instance_entries (issuer, id, purpose)',
      'CREATE INDEX instance_entries_set ON instance_entries (issuer, list, place) WHERE status <> 0',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
