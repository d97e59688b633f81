import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Whoever reserved asks which number their entry got. Entries come in order, so the index grows at its end. */
export class CbdcReservationEntries1763800001085 implements MigrationInterface {
  readonly name = 'CbdcReservationEntries1763800001085'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, ['CREATE INDEX cbdc_reservations_entry ON cbdc_reservations (entry)'])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
