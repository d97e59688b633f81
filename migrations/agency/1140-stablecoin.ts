import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Tokens that an agency issues on the chain, or whose reserve it attests. */
export class Stablecoin1763800001140 implements MigrationInterface {
  readonly name = 'Stablecoin1763800001140'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE TABLE stablecoin_heads (currency INTEGER NOT NULL PRIMARY KEY, acts INTEGER NOT NULL) STRICT',
      `CREATE TABLE stablecoin_licences (
        id TEXT NOT NULL PRIMARY KEY, currency INTEGER NOT NULL, compact TEXT NOT NULL, issuer TEXT NOT NULL,
        number TEXT NOT NULL, presented_at INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX stablecoin_licences_newest ON stablecoin_licences (currency, id)',
      `CREATE TABLE stablecoin_acts (
        id TEXT NOT NULL PRIMARY KEY, currency INTEGER NOT NULL, kind TEXT NOT NULL, wallet TEXT, other TEXT,
        amount INTEGER NOT NULL, burning INTEGER, authority TEXT NOT NULL, reference TEXT NOT NULL, legal_basis TEXT, digest TEXT,
        as_of INTEGER, valid_until INTEGER, under TEXT, state TEXT NOT NULL, reason TEXT, outbox TEXT NOT NULL,
        since INTEGER NOT NULL, changed INTEGER NOT NULL, CHECK (amount >= 0)
      ) STRICT`,
      // What failed on the chain did not happen: its reference serves again.
      `CREATE UNIQUE INDEX stablecoin_acts_once ON stablecoin_acts (currency, kind, authority, reference)
        WHERE state <> 'failed'`,
      `CREATE INDEX stablecoin_acts_sent ON stablecoin_acts (id) WHERE state = 'sent'`,
      `CREATE TABLE stablecoin_redemptions (
        id TEXT NOT NULL PRIMARY KEY, currency INTEGER NOT NULL, pseudonym TEXT NOT NULL, wallet TEXT NOT NULL,
        amount INTEGER NOT NULL, nonce TEXT NOT NULL, pay_to TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
        outbox TEXT, payment TEXT, since INTEGER NOT NULL, changed INTEGER NOT NULL, CHECK (amount > 0)
      ) STRICT`,
      `CREATE UNIQUE INDEX stablecoin_redemptions_once ON stablecoin_redemptions (currency, wallet, nonce)
        WHERE state <> 'failed'`,
      `CREATE UNIQUE INDEX stablecoin_redemptions_paid ON stablecoin_redemptions (currency, payment)`,
      `CREATE INDEX stablecoin_redemptions_open ON stablecoin_redemptions (currency, id)
        WHERE state IN ('requested', 'received', 'burnt')`,
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
