import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Credentials that are prepared for somebody's wallet, and what was collected of them. */
export class Openid4vci1763900001230 implements MigrationInterface {
  readonly name = 'Openid4vci1763900001230'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE oid4vci_issuances (
        id TEXT NOT NULL PRIMARY KEY, locator TEXT NOT NULL, configurations TEXT NOT NULL, collected TEXT NOT NULL,
        times INTEGER NOT NULL, person TEXT, state TEXT NOT NULL, release TEXT, sealed BLOB, created INTEGER NOT NULL,
        expires INTEGER NOT NULL, collect_by INTEGER NOT NULL
      ) STRICT`,
      'CREATE UNIQUE INDEX oid4vci_issuances_locator ON oid4vci_issuances (locator)',
      'CREATE INDEX oid4vci_issuances_person ON oid4vci_issuances (person) WHERE person IS NOT NULL',
      'CREATE INDEX oid4vci_issuances_sealed ON oid4vci_issuances (collect_by) WHERE sealed IS NOT NULL',
      'CREATE INDEX oid4vci_issuances_ended ON oid4vci_issuances (collect_by)',
      `CREATE TABLE oid4vci_deliveries (
        id TEXT NOT NULL PRIMARY KEY, issuance TEXT NOT NULL, configuration TEXT NOT NULL, state TEXT NOT NULL,
        holders TEXT, credentials TEXT, transaction_sha256 TEXT, notification_sha256 TEXT NOT NULL, event TEXT,
        at INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX oid4vci_deliveries_issuance ON oid4vci_deliveries (issuance)',
      'CREATE INDEX oid4vci_deliveries_at ON oid4vci_deliveries (at)',
      `CREATE UNIQUE INDEX oid4vci_deliveries_transaction ON oid4vci_deliveries (transaction_sha256)
       WHERE transaction_sha256 IS NOT NULL`,
      'CREATE UNIQUE INDEX oid4vci_deliveries_notification ON oid4vci_deliveries (notification_sha256)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
