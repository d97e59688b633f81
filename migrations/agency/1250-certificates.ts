import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Certificates that an agency's own authority has made. Whatever asks for one again finds it. */
export class Certificates1763900001250 implements MigrationInterface {
  readonly name = 'Certificates1763900001250'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE certificates (
        role TEXT NOT NULL, contents TEXT NOT NULL, version INTEGER NOT NULL, der BLOB NOT NULL,
        valid_until INTEGER NOT NULL, PRIMARY KEY (role, contents, version)
      ) STRICT`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
