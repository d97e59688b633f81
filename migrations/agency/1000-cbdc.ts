import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl, refuseChanges } from '../../src/store/ddl.ts'

/** The ledger of money: its head, accounts, entries in batches, reservations, and what policy keeps about them. */
export class Cbdc1763800001000 implements MigrationInterface {
  readonly name = 'Cbdc1763800001000'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // One row: whoever writes locks it first, so entries have one order without a gap.
      `CREATE TABLE cbdc_head (
        id INTEGER NOT NULL PRIMARY KEY, next_entry INTEGER NOT NULL, next_batch INTEGER NOT NULL,
        last_time INTEGER NOT NULL, next_account INTEGER NOT NULL, next_reservation INTEGER NOT NULL,
        CHECK (id = 1)
      ) STRICT`,
      'INSERT INTO cbdc_head VALUES (1, 1, 1, 0, 1, 1)',
      `CREATE TABLE cbdc_currencies (
        number INTEGER NOT NULL PRIMARY KEY, code TEXT NOT NULL UNIQUE, decimals INTEGER NOT NULL, home TEXT NOT NULL,
        issuance INTEGER NOT NULL, fees INTEGER NOT NULL, rail INTEGER NOT NULL, suspense INTEGER NOT NULL,
        interest INTEGER NOT NULL, opened_at INTEGER NOT NULL
      ) STRICT`,
      // What the ledger commits to, then where its entries are, then what policy knows. Nobody's name stands here.
      `CREATE TABLE cbdc_accounts (
        number INTEGER NOT NULL PRIMARY KEY, currency INTEGER NOT NULL, side INTEGER NOT NULL,
        scheme INTEGER NOT NULL, prefix INTEGER NOT NULL, x BLOB NOT NULL, nonce INTEGER NOT NULL,
        debits_pending INTEGER NOT NULL, debits_posted INTEGER NOT NULL,
        credits_pending INTEGER NOT NULL, credits_posted INTEGER NOT NULL,
        frozen INTEGER NOT NULL, holds INTEGER NOT NULL, linked INTEGER NOT NULL, interest_day INTEGER NOT NULL,
        closed INTEGER NOT NULL,
        last_entry INTEGER NOT NULL, entries INTEGER NOT NULL, last_active INTEGER NOT NULL,
        class TEXT NOT NULL, level INTEGER NOT NULL, lead INTEGER NOT NULL,
        day INTEGER NOT NULL, spent INTEGER NOT NULL, held INTEGER NOT NULL, rules BLOB,
        jurisdiction TEXT, servicer INTEGER NOT NULL, kyc_issuer TEXT, kyc_list INTEGER, kyc_place INTEGER,
        kyc_until INTEGER, opened_at INTEGER NOT NULL, screened_at INTEGER, screening_list TEXT, screening_result TEXT,
        device TEXT,
        CHECK (debits_pending >= 0 AND credits_pending >= 0 AND debits_posted >= 0 AND credits_posted >= 0),
        CHECK (frozen >= 0 AND holds >= 0),
        CHECK (side = 1 OR debits_posted + debits_pending <= credits_posted)
      ) STRICT`,
      `CREATE TABLE cbdc_account_ids (id TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
      // One person, one lead account a currency, whichever institution opened it.
      `CREATE TABLE cbdc_persons (
        currency INTEGER NOT NULL, pseudonym TEXT NOT NULL, lead INTEGER NOT NULL, PRIMARY KEY (currency, pseudonym)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE cbdc_batches (
        number INTEGER NOT NULL PRIMARY KEY, at INTEGER NOT NULL, first_entry INTEGER NOT NULL,
        entries INTEGER NOT NULL, root BLOB NOT NULL
      ) STRICT`,
      // `debit` and `credit` are the accounts touched, with their posted balances after it and their entries before it.
      `CREATE TABLE cbdc_entries (
        number INTEGER NOT NULL PRIMARY KEY, batch INTEGER NOT NULL, at INTEGER NOT NULL, id BLOB, raw BLOB NOT NULL,
        debit INTEGER, credit INTEGER, debit_balance INTEGER, credit_balance INTEGER,
        debit_before INTEGER, credit_before INTEGER
      ) STRICT`,
      'CREATE UNIQUE INDEX cbdc_entries_id ON cbdc_entries (id) WHERE id IS NOT NULL',
      // Every so many entries of an account one is marked, so that its balance at a past time is found without reading all.
      `CREATE TABLE cbdc_marks (
        account INTEGER NOT NULL, ordinal INTEGER NOT NULL, entry INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (account, ordinal)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE cbdc_reservations (
        number INTEGER NOT NULL PRIMARY KEY, payer INTEGER NOT NULL, payee INTEGER NOT NULL, currency INTEGER NOT NULL,
        amount INTEGER NOT NULL, remaining INTEGER NOT NULL, posted INTEGER NOT NULL, expiry INTEGER NOT NULL,
        lock_hash BLOB NOT NULL, arbiter INTEGER NOT NULL, entry INTEGER NOT NULL, state TEXT NOT NULL,
        ended_by INTEGER, CHECK (remaining >= 0 AND posted >= 0 AND posted + remaining <= amount)
      ) STRICT`,
      `CREATE INDEX cbdc_reservations_expiry ON cbdc_reservations (expiry) WHERE state = 'pending'`,
      // Dated policy data: what counts at a time is the newest that is valid by then.
      `CREATE TABLE cbdc_policies (
        currency INTEGER NOT NULL, version INTEGER NOT NULL, valid_from INTEGER NOT NULL, policy TEXT NOT NULL,
        record TEXT NOT NULL, PRIMARY KEY (currency, version)
      ) STRICT, WITHOUT ROWID`,
      // Orders of authorities: each is executed once; a freeze stands until the order that lifts it.
      `CREATE TABLE cbdc_orders (
        id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, authority TEXT NOT NULL, reference TEXT NOT NULL,
        account INTEGER NOT NULL, amount INTEGER NOT NULL, legal_basis TEXT NOT NULL, entry INTEGER NOT NULL,
        since INTEGER NOT NULL, ended_at INTEGER, ended_by TEXT, UNIQUE (kind, authority, reference)
      ) STRICT`,
      'CREATE INDEX cbdc_orders_account ON cbdc_orders (account, since)',
      `CREATE TABLE cbdc_participants (
        did TEXT NOT NULL, currency INTEGER NOT NULL, account INTEGER NOT NULL UNIQUE, name TEXT NOT NULL,
        issuance_limit INTEGER NOT NULL, admitted_at INTEGER NOT NULL, ended_at INTEGER, PRIMARY KEY (did, currency)
      ) STRICT, WITHOUT ROWID`,
    ])
    for (const table of ['cbdc_entries', 'cbdc_batches', 'cbdc_marks', 'cbdc_policies'])
      await refuseChanges(runner, table)
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
