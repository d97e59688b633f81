import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl, refuseChanges } from '../../src/store/ddl.ts'

/** Which journal record commits to the root of a batch, so that a receipt can name it. */
export class CbdcReceipts1763800001040 implements MigrationInterface {
  readonly name = 'CbdcReceipts1763800001040'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE TABLE cbdc_batch_records (batch INTEGER NOT NULL PRIMARY KEY, record TEXT NOT NULL) STRICT',
    ])
    await refuseChanges(runner, 'cbdc_batch_records')
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
