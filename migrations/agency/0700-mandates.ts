import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Who may sign for a company. Operations, limits and ancestors are JSON, as the credential says them. */
export class Mandates1763700000700 implements MigrationInterface {
  name = 'Mandates1763700000700'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE mandate_companies (
        number TEXT NOT NULL PRIMARY KEY, legal_name TEXT NOT NULL, did TEXT UNIQUE, jurisdiction TEXT NOT NULL,
        created INTEGER NOT NULL, changed INTEGER NOT NULL
      ) STRICT`,
      `CREATE TABLE mandates (
        id TEXT NOT NULL PRIMARY KEY, company TEXT NOT NULL, credential TEXT NOT NULL UNIQUE, holder TEXT NOT NULL,
        family_name TEXT, given_name TEXT, office TEXT NOT NULL, operations TEXT NOT NULL, limits TEXT NOT NULL,
        jointly INTEGER NOT NULL, may_delegate INTEGER NOT NULL, starts_on TEXT NOT NULL, ends_on TEXT NOT NULL,
        level INTEGER NOT NULL, ancestors TEXT NOT NULL, legal_basis TEXT, application TEXT,
        status_list INTEGER NOT NULL, status_index INTEGER NOT NULL, format TEXT NOT NULL, compact TEXT NOT NULL,
        collected INTEGER, state TEXT NOT NULL, ended_at INTEGER, ended_by TEXT, reason TEXT, closes INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX mandates_company ON mandates (company, id)',
      'CREATE INDEX mandates_closes ON mandates (closes)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
