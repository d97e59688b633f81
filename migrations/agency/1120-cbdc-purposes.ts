import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/**
 * Purpose-bound money: programmes, the accounts that are bound to them, and what lets a merchant be paid from these.
 */
export class CbdcPurposes1763800001120 implements MigrationInterface {
  readonly name = 'CbdcPurposes1763800001120'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // record: of the journal, of its opening; the entries that return money name it as their order.
      `CREATE TABLE cbdc_programmes (
        id TEXT NOT NULL PRIMARY KEY, currency INTEGER NOT NULL, title TEXT NOT NULL, legal_basis TEXT NOT NULL,
        sponsor INTEGER NOT NULL, payees TEXT NOT NULL, per_beneficiary INTEGER, opened_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL, closed_at INTEGER, record TEXT NOT NULL, granted INTEGER NOT NULL,
        spent INTEGER NOT NULL, refunded INTEGER NOT NULL, returned INTEGER NOT NULL, taken INTEGER NOT NULL
      ) STRICT`,
      // One a person and programme: limits on what is granted count by it.
      `CREATE TABLE cbdc_purpose_accounts (
        account INTEGER NOT NULL PRIMARY KEY, programme TEXT NOT NULL, lead INTEGER NOT NULL,
        refunded INTEGER NOT NULL, ended INTEGER NOT NULL, UNIQUE (programme, lead)
      ) STRICT`,
      'CREATE INDEX cbdc_purpose_accounts_open ON cbdc_purpose_accounts (programme, account) WHERE ended = 0',
      // By the place of the credential's status, which is asked at every payment.
      `CREATE TABLE cbdc_qualifications (
        account INTEGER NOT NULL, issuer TEXT NOT NULL, list INTEGER NOT NULL, place INTEGER NOT NULL,
        credential_type TEXT NOT NULL, classes TEXT NOT NULL, until INTEGER NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (account, issuer, list, place)
      ) STRICT, WITHOUT ROWID`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
