import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl, refuseChanges } from '../../src/store/ddl.ts'

/** Requests to pay with their legs, and which transfers give back what. */
export class CbdcRequests1763800001100 implements MigrationInterface {
  readonly name = 'CbdcRequests1763800001100'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // `payer`: the account that is asked, whether there is one or not; `payer_lead`: whose it is, or who paid.
      `CREATE TABLE cbdc_requests (
        id TEXT NOT NULL PRIMARY KEY, currency INTEGER NOT NULL, payee INTEGER NOT NULL, payee_lead INTEGER NOT NULL,
        payer INTEGER, payer_lead INTEGER, amount INTEGER NOT NULL, reference TEXT, expires INTEGER NOT NULL,
        since INTEGER NOT NULL, state TEXT NOT NULL, ended_at INTEGER, CHECK (amount > 0)
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX cbdc_requests_payee ON cbdc_requests (payee_lead, id)',
      'CREATE INDEX cbdc_requests_payer ON cbdc_requests (payer_lead, id) WHERE payer_lead IS NOT NULL',
      `CREATE INDEX cbdc_requests_open ON cbdc_requests (payee_lead, expires) WHERE state = 'open'`,
      // What each account gets: the shares as they were asked for, and last the payee's rest, which has none.
      `CREATE TABLE cbdc_request_legs (
        request TEXT NOT NULL, ordinal INTEGER NOT NULL, account INTEGER NOT NULL, amount INTEGER NOT NULL,
        numerator INTEGER, denominator INTEGER, entry INTEGER, PRIMARY KEY (request, ordinal), CHECK (amount > 0)
      ) STRICT, WITHOUT ROWID`,
      // `refund` gives back `amount` of what `entry` paid; both are numbers of entries.
      `CREATE TABLE cbdc_refunds (
        refund INTEGER NOT NULL PRIMARY KEY, entry INTEGER NOT NULL, amount INTEGER NOT NULL,
        CHECK (amount > 0 AND refund > entry)
      ) STRICT`,
      'CREATE INDEX cbdc_refunds_entry ON cbdc_refunds (entry)',
    ])
    await refuseChanges(runner, 'cbdc_refunds')
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
