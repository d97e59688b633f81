import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Finds the offers that nobody took up in time, whose claims are erased then and not only when the time to collect them is over. */
export class Openid4vciUntaken1763900001290 implements MigrationInterface {
  readonly name = 'Openid4vciUntaken1763900001290'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE INDEX oid4vci_issuances_untaken ON oid4vci_issuances (expires) WHERE sealed IS NOT NULL',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
