import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/**
 * An id names one credential of an instance, and each list of an instance has a version, which a change of a status raises.
 * Where an id was given out more than once before, it stays with all of them.
 */
export class InstanceLists1763900001281 implements MigrationInterface {
  readonly name = 'InstanceLists1763900001281'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE TABLE instance_credential_ids (issuer TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (issuer, id)) STRICT',
      'INSERT INTO instance_credential_ids (issuer, id) SELECT DISTINCT issuer, id FROM instance_credentials',
      `CREATE TABLE instance_lists (
        issuer TEXT NOT NULL, list INTEGER NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (issuer, list)
      ) STRICT`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
