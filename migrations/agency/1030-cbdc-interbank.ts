import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Settlement between institutions: payments that wait for funds, and netting windows. */
export class CbdcInterbank1763800001030 implements MigrationInterface {
  readonly name = 'CbdcInterbank1763800001030'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // `raw` is what the payer signed, beside the key that it was signed with; an entry only once it settles.
      `CREATE TABLE cbdc_interbank (
        id TEXT NOT NULL PRIMARY KEY, currency INTEGER NOT NULL, payer INTEGER NOT NULL, payee INTEGER NOT NULL,
        amount INTEGER NOT NULL, fee INTEGER NOT NULL, nonce INTEGER NOT NULL, valid_until INTEGER NOT NULL,
        priority INTEGER NOT NULL, raw BLOB NOT NULL, scheme INTEGER NOT NULL, prefix INTEGER NOT NULL,
        x BLOB NOT NULL, state TEXT NOT NULL, reason TEXT, since INTEGER NOT NULL, ended_at INTEGER, entry INTEGER,
        CHECK (amount > 0 AND fee >= 0 AND priority >= 0 AND priority <= 9)
      ) STRICT, WITHOUT ROWID`,
      `CREATE INDEX cbdc_interbank_payer ON cbdc_interbank (payer, nonce) WHERE state = 'queued'`,
      `CREATE INDEX cbdc_interbank_payee ON cbdc_interbank (payee, id) WHERE state = 'queued'`,
      'CREATE TABLE cbdc_clearing (currency INTEGER NOT NULL PRIMARY KEY, account INTEGER NOT NULL) STRICT',
      `CREATE TABLE cbdc_netting_windows (
        id TEXT NOT NULL PRIMARY KEY, currency INTEGER NOT NULL, clearing INTEGER NOT NULL, state TEXT NOT NULL,
        opened_at INTEGER NOT NULL, closes_at INTEGER NOT NULL, resolved_at INTEGER, obligations INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`,
      `CREATE UNIQUE INDEX cbdc_netting_standing ON cbdc_netting_windows (currency) WHERE state = 'open'`,
      // `cap`: what the participant may come to owe, at most what is reserved; `net`: what came of it.
      `CREATE TABLE cbdc_netting_parts (
        netting TEXT NOT NULL, account INTEGER NOT NULL, did TEXT NOT NULL, reservation INTEGER,
        cap INTEGER NOT NULL, net INTEGER, PRIMARY KEY (netting, account), CHECK (cap >= 0)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE cbdc_netting_limits (
        netting TEXT NOT NULL, payer INTEGER NOT NULL, payee INTEGER NOT NULL, cap INTEGER NOT NULL,
        PRIMARY KEY (netting, payer, payee), CHECK (cap >= 0)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE cbdc_obligations (
        id TEXT NOT NULL PRIMARY KEY, netting TEXT NOT NULL, ordinal INTEGER NOT NULL, payer INTEGER NOT NULL,
        payee INTEGER NOT NULL, amount INTEGER NOT NULL, priority INTEGER NOT NULL, reference TEXT,
        state TEXT NOT NULL, record TEXT NOT NULL, UNIQUE (netting, ordinal),
        CHECK (amount > 0 AND payer <> payee AND priority >= 0 AND priority <= 9)
      ) STRICT, WITHOUT ROWID`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
