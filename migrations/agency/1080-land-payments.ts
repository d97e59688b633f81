import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Payments that deeds rest on: each reservation pays for one deed, and is collected after it until the ledger has done so. */
export class LandPayments1763800001080 implements MigrationInterface {
  readonly name = 'LandPayments1763800001080'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE land_payments (
        reservation INTEGER NOT NULL PRIMARY KEY, deed TEXT NOT NULL, register TEXT NOT NULL, title TEXT NOT NULL,
        currency TEXT NOT NULL, amount INTEGER NOT NULL, state TEXT NOT NULL,
        attempts INTEGER NOT NULL, error TEXT, since INTEGER NOT NULL, changed INTEGER NOT NULL
      ) STRICT`,
      `CREATE INDEX land_payments_due ON land_payments (since) WHERE state = 'due'`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
