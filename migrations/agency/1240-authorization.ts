import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Grants of prepared issuances, authorization requests, and tokens of OpenID4VCI: digests of secrets, and nothing personal. */
export class Authorization1763900001240 implements MigrationInterface {
  readonly name = 'Authorization1763900001240'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE oid4vci_grants (
        id TEXT NOT NULL PRIMARY KEY, configurations TEXT NOT NULL, code_sha256 TEXT UNIQUE, tx_code TEXT,
        tries INTEGER NOT NULL, issuer_state_sha256 TEXT UNIQUE, state TEXT NOT NULL, refresh_until INTEGER NOT NULL,
        expires INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX oid4vci_grants_expires ON oid4vci_grants (expires)',
      `CREATE TABLE oid4vci_requests (
        id TEXT NOT NULL PRIMARY KEY, uri_sha256 TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, request TEXT NOT NULL,
        session_sha256 TEXT, sealed BLOB, issuance TEXT, failures INTEGER NOT NULL, code_sha256 TEXT UNIQUE,
        code_expires INTEGER, expires INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX oid4vci_requests_expires ON oid4vci_requests (expires)',
      `CREATE TABLE oid4vci_tokens (
        sha256 TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL,
        issuance TEXT NOT NULL, configurations TEXT NOT NULL, identifiers INTEGER NOT NULL, thumbprint TEXT, client TEXT,
        instance TEXT, refresh_until INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX oid4vci_tokens_issuance ON oid4vci_tokens (issuance)',
      'CREATE INDEX oid4vci_tokens_expires ON oid4vci_tokens (expires)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
