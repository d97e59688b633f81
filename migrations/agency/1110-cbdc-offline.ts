import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl, refuseChanges } from '../../src/store/ddl.ts'

/** Purses that pay offline: certificates with what was spent under them, vouchers that came in, and evidence of misuse. */
export class CbdcOffline1763800001110 implements MigrationInterface {
  readonly name = 'CbdcOffline1763800001110'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // Times in seconds. A voucher names its certificate by (account, valid_until).
      `CREATE TABLE cbdc_purse_certificates (
        id TEXT NOT NULL PRIMARY KEY, account INTEGER NOT NULL, currency INTEGER NOT NULL, nonce INTEGER NOT NULL,
        most INTEGER NOT NULL, cap INTEGER NOT NULL, spent INTEGER NOT NULL, used INTEGER NOT NULL,
        issued_at INTEGER NOT NULL, expires INTEGER NOT NULL, valid_until INTEGER NOT NULL,
        scheme INTEGER NOT NULL, prefix INTEGER NOT NULL, x BLOB NOT NULL, freeze_order TEXT,
        UNIQUE (account, valid_until), CHECK (spent >= 0 AND spent <= cap), CHECK (used >= 0 AND used <= most)
      ) STRICT`,
      // Of each nonce the voucher that came in first: waiting, entered, or passed because its payee could not receive.
      `CREATE TABLE cbdc_vouchers (
        certificate TEXT NOT NULL, nonce INTEGER NOT NULL, payee INTEGER NOT NULL, amount INTEGER NOT NULL,
        raw BLOB NOT NULL, state TEXT NOT NULL, reason TEXT, entry_id TEXT, entry INTEGER, since INTEGER NOT NULL,
        PRIMARY KEY (certificate, nonce)
      ) STRICT, WITHOUT ROWID`,
      // The digest is of a record's fields: signed anew it says nothing new.
      `CREATE TABLE cbdc_double_spends (
        id TEXT NOT NULL PRIMARY KEY, certificate TEXT NOT NULL, account INTEGER NOT NULL, lead INTEGER NOT NULL,
        kind TEXT NOT NULL, nonce INTEGER NOT NULL, digest BLOB NOT NULL, record BLOB NOT NULL, against BLOB,
        found_at INTEGER NOT NULL, act TEXT NOT NULL, UNIQUE (certificate, digest)
      ) STRICT`,
    ])
    await refuseChanges(runner, 'cbdc_double_spends')
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
