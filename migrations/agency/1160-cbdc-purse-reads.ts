import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** What payments and rounds look for among certificates and vouchers, however many there were before. */
export class CbdcPurseReads1763800001160 implements MigrationInterface {
  readonly name = 'CbdcPurseReads1763800001160'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // At most one of a purse is in force: neither spent nor used up, nor past.
      `CREATE INDEX cbdc_purse_certificates_in_force ON cbdc_purse_certificates (account, valid_until)
        WHERE spent < cap AND used < most`,
      `CREATE INDEX cbdc_purse_certificates_ends ON cbdc_purse_certificates (currency, valid_until)
        WHERE spent < cap AND used < most`,
      'CREATE INDEX cbdc_purse_certificates_newest ON cbdc_purse_certificates (account, nonce, issued_at, valid_until)',
      `CREATE INDEX cbdc_vouchers_waiting ON cbdc_vouchers (certificate, nonce) WHERE state = 'waiting'`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
