import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Standing instructions: what the owner signed, and how far it has been carried out. */
export class CbdcInstructions1763800001090 implements MigrationInterface {
  readonly name = 'CbdcInstructions1763800001090'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'ALTER TABLE cbdc_head ADD COLUMN next_instruction INTEGER NOT NULL DEFAULT 1',
      // What the ledger commits to, then what the round knows: whose turn it is, when it is tried, and what was missed.
      `CREATE TABLE cbdc_instructions (
        number INTEGER NOT NULL PRIMARY KEY, payer INTEGER NOT NULL, payee INTEGER NOT NULL, currency INTEGER NOT NULL,
        amount INTEGER NOT NULL, first_due INTEGER NOT NULL, unit INTEGER NOT NULL, every INTEGER NOT NULL,
        times INTEGER NOT NULL, next_index INTEGER NOT NULL, entry INTEGER NOT NULL, state TEXT NOT NULL,
        ended_by INTEGER,
        turn INTEGER NOT NULL, next_due INTEGER, paid INTEGER NOT NULL, missed INTEGER NOT NULL,
        missed_index INTEGER, missed_reason TEXT, waiting_reason TEXT,
        CHECK (amount > 0 AND turn >= next_index AND (state = 'standing' OR next_due IS NULL))
      ) STRICT`,
      // Whatever is not due costs the round nothing.
      'CREATE INDEX cbdc_instructions_due ON cbdc_instructions (next_due, number) WHERE next_due IS NOT NULL',
      'CREATE INDEX cbdc_instructions_payer ON cbdc_instructions (payer, number)',
      'CREATE INDEX cbdc_instructions_entry ON cbdc_instructions (entry)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
