import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl, refuseChanges } from '../../src/store/ddl.ts'

/** Registers of licences, titles and other assets: entries, their history, what they are found by, and applications. */
export class Registry1763700000900 implements MigrationInterface {
  readonly name = 'Registry1763700000900'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // How far the numbers of a register (and year) are given out.
      `CREATE TABLE registry_numbers (
        register TEXT NOT NULL, series TEXT NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (register, series)
      ) STRICT, WITHOUT ROWID`,
      // `fields` is what its schema says, `extract` what its kind adds for everybody; both are JSON.
      `CREATE TABLE registry_entries (
        id TEXT NOT NULL PRIMARY KEY, register TEXT NOT NULL, number TEXT NOT NULL, state TEXT NOT NULL,
        version INTEGER NOT NULL, fields TEXT NOT NULL, extract TEXT NOT NULL, holder TEXT, wallet TEXT,
        legal_basis TEXT NOT NULL, valid_from INTEGER NOT NULL, valid_until INTEGER, token TEXT,
        commitment TEXT NOT NULL, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL
      ) STRICT`,
      'CREATE UNIQUE INDEX registry_entries_number ON registry_entries (register, number)',
      'CREATE INDEX registry_entries_register ON registry_entries (register, id)',
      `CREATE INDEX registry_entries_ending ON registry_entries (valid_until)
        WHERE valid_until IS NOT NULL AND state IN ('active', 'suspended')`,
      // Each step is kept as the canonical text that its digest is of.
      `CREATE TABLE registry_history (
        entry TEXT NOT NULL, version INTEGER NOT NULL, record TEXT NOT NULL, at INTEGER NOT NULL,
        digest BLOB NOT NULL, step TEXT NOT NULL, PRIMARY KEY (entry, version)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE registry_search (
        register TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, entry TEXT NOT NULL,
        PRIMARY KEY (register, field, value, entry)
      ) STRICT, WITHOUT ROWID`,
      // What one entry is found by; entries are ordered by time, so it grows at its end.
      'CREATE INDEX registry_search_entry ON registry_search (entry, field, value)',
      // The credentials that an entry was issued as; those without an end are in force.
      `CREATE TABLE registry_credentials (
        id TEXT NOT NULL PRIMARY KEY, entry TEXT NOT NULL, holder TEXT NOT NULL, issued_at INTEGER NOT NULL,
        ended_at INTEGER
      ) STRICT`,
      'CREATE INDEX registry_credentials_entry ON registry_credentials (entry, id)',
      `CREATE TABLE registry_applications (
        id TEXT NOT NULL PRIMARY KEY, register TEXT NOT NULL, purpose TEXT NOT NULL, entry TEXT, state TEXT NOT NULL,
        version INTEGER NOT NULL, applicant TEXT NOT NULL, holder TEXT NOT NULL, wallet TEXT, fields TEXT NOT NULL,
        evidence TEXT NOT NULL, officer TEXT, asked TEXT, reasons TEXT, legal_basis TEXT, credential TEXT,
        submitted_at INTEGER NOT NULL, changed_at INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX registry_applications_state ON registry_applications (register, state, id)',
      'CREATE INDEX registry_applications_entry ON registry_applications (entry) WHERE entry IS NOT NULL',
      `CREATE TABLE registry_attachments (
        application TEXT NOT NULL, name TEXT NOT NULL, media_type TEXT NOT NULL, sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL, PRIMARY KEY (application, name)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE registry_contents (
        application TEXT NOT NULL, sha256 TEXT NOT NULL, content BLOB NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (application, sha256)
      ) STRICT`,
    ])
    await refuseChanges(runner, 'registry_history')
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
