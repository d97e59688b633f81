import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Payment versus payment: offers, and what became of them. */
export class CbdcExchanges1763800001130 implements MigrationInterface {
  readonly name = 'CbdcExchanges1763800001130'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // `id` is that of the offered transfer; `raw`, which its payer signed, goes when the offer is withdrawn.
      `CREATE TABLE cbdc_exchanges (
        id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, raw BLOB, valid_until INTEGER NOT NULL,
        payer INTEGER NOT NULL, payee INTEGER NOT NULL, currency INTEGER NOT NULL, amount INTEGER NOT NULL,
        counter_payer INTEGER NOT NULL, counter_payee INTEGER NOT NULL, counter_currency INTEGER NOT NULL,
        counter_amount INTEGER NOT NULL, offered_at INTEGER NOT NULL, ended_at INTEGER, entry INTEGER,
        counter_entry INTEGER
      ) STRICT`,
      `CREATE INDEX cbdc_exchanges_open ON cbdc_exchanges (payer, valid_until) WHERE state = 'open'`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
