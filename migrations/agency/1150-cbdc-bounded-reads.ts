import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** What is counted or listed reads what it finds, and not all that there ever was of its kind. */
export class CbdcBoundedReads1763800001150 implements MigrationInterface {
  readonly name = 'CbdcBoundedReads1763800001150'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // They are counted while the ledger is held, and there are few, however many were revoked.
      'CREATE INDEX cbdc_instructions_standing ON cbdc_instructions (payer) WHERE next_due IS NOT NULL',
      // A listing of one state reads none of the others, and one of open requests none that have expired.
      `CREATE INDEX cbdc_requests_asked ON cbdc_requests (payer_lead, expires) WHERE state = 'open'`,
      `CREATE INDEX cbdc_requests_payee_ended ON cbdc_requests (payee_lead, state, id) WHERE state <> 'open'`,
      `CREATE INDEX cbdc_requests_payer_ended ON cbdc_requests (payer_lead, state, id) WHERE state <> 'open'`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
