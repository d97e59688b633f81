import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** What the central bank's own acts on the ledger keep: issuance, redemptions, ordered keys, and how far its rounds have come. */
export class CbdcOrders1763800001020 implements MigrationInterface {
  readonly name = 'CbdcOrders1763800001020'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE cbdc_treasuries (
        currency INTEGER NOT NULL PRIMARY KEY, account INTEGER NOT NULL UNIQUE
      ) STRICT`,
      // Issued to a reserve account less redeemed from it; below zero where a bank redeemed what others brought into circulation.
      'CREATE TABLE cbdc_issued (account INTEGER NOT NULL PRIMARY KEY, issued INTEGER NOT NULL) STRICT',
      `CREATE TABLE cbdc_redemptions (
        id TEXT NOT NULL PRIMARY KEY, did TEXT NOT NULL, currency INTEGER NOT NULL, account INTEGER NOT NULL,
        amount INTEGER NOT NULL, reference TEXT NOT NULL, state TEXT NOT NULL, requested_at INTEGER NOT NULL,
        ended_at INTEGER, entry INTEGER, reason TEXT, UNIQUE (did, currency, reference), CHECK (amount > 0)
      ) STRICT`,
      `CREATE INDEX cbdc_redemptions_open ON cbdc_redemptions (currency, id) WHERE state = 'requested'`,
      // The key that stood when the order was made: it is the one that may object.
      `CREATE TABLE cbdc_key_orders (
        id TEXT NOT NULL PRIMARY KEY, account INTEGER NOT NULL, scheme INTEGER NOT NULL, prefix INTEGER NOT NULL,
        x BLOB NOT NULL, old_scheme INTEGER NOT NULL, old_prefix INTEGER NOT NULL, old_x BLOB NOT NULL,
        since INTEGER NOT NULL, due_at INTEGER NOT NULL, state TEXT NOT NULL, ended_at INTEGER, entry INTEGER
      ) STRICT`,
      `CREATE UNIQUE INDEX cbdc_key_orders_waiting ON cbdc_key_orders (account) WHERE state = 'waiting'`,
      `CREATE INDEX cbdc_key_orders_due ON cbdc_key_orders (due_at) WHERE state = 'waiting'`,
      // A round goes through the accounts by their numbers: how far it has come on a day (from 1970-01-01).
      `CREATE TABLE cbdc_rounds (
        name TEXT NOT NULL, currency INTEGER NOT NULL, day INTEGER NOT NULL, place INTEGER NOT NULL,
        complete INTEGER NOT NULL, PRIMARY KEY (name, currency)
      ) STRICT, WITHOUT ROWID`,
      // Unused since last_active, and said to be so at the time since.
      `CREATE TABLE cbdc_dormant (
        account INTEGER NOT NULL PRIMARY KEY, currency INTEGER NOT NULL, last_active INTEGER NOT NULL,
        since INTEGER NOT NULL
      ) STRICT`,
      // Neither changes with a payment, so payments do not pay for it.
      `CREATE INDEX cbdc_accounts_merchants ON cbdc_accounts (currency, number) WHERE class = 'merchant'`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
