import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** Registers of land: parcels, parties, shares in ownership, and what else lies on a title. */
export class Land1763700000950 implements MigrationInterface {
  readonly name = 'Land1763700000950'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      // One row a register: whoever enters parcels locks it, so that two cannot be laid on one place at once.
      'CREATE TABLE land_heads (register TEXT NOT NULL PRIMARY KEY, parcels INTEGER NOT NULL) STRICT, WITHOUT ROWID',
      // `area` is the legal one in square centimetres; the box is in units of 1e-7 degree; `geometry` is GeoJSON.
      `CREATE TABLE land_parcels (
        id TEXT NOT NULL PRIMARY KEY, register TEXT NOT NULL, title TEXT NOT NULL, number TEXT NOT NULL,
        geometry TEXT NOT NULL, area INTEGER NOT NULL, level INTEGER NOT NULL, cell_x INTEGER NOT NULL,
        cell_y INTEGER NOT NULL, west INTEGER NOT NULL, south INTEGER NOT NULL, east INTEGER NOT NULL,
        north INTEGER NOT NULL, registered_at INTEGER NOT NULL, retired_at INTEGER
      ) STRICT`,
      `CREATE INDEX land_parcels_cell ON land_parcels (register, level, cell_x, cell_y, id)
        WHERE retired_at IS NULL`,
      'CREATE UNIQUE INDEX land_parcels_number ON land_parcels (register, number)',
      'CREATE INDEX land_parcels_title ON land_parcels (title)',
      `CREATE TABLE land_parties (
        id TEXT NOT NULL PRIMARY KEY, register TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
        registered_at INTEGER NOT NULL
      ) STRICT`,
      // Persons by pseudonym or keyed digest, companies by registration number.
      `CREATE TABLE land_aliases (
        register TEXT NOT NULL, alias TEXT NOT NULL, party TEXT NOT NULL, PRIMARY KEY (register, alias)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE land_holdings (
        title TEXT NOT NULL, party TEXT NOT NULL, numerator INTEGER NOT NULL, denominator INTEGER NOT NULL,
        holder TEXT, since INTEGER NOT NULL, PRIMARY KEY (title, party),
        CHECK (numerator > 0 AND numerator <= denominator)
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX land_holdings_party ON land_holdings (party)',
      `CREATE TABLE land_interests (
        id TEXT NOT NULL PRIMARY KEY, title TEXT NOT NULL, origin TEXT NOT NULL, kind TEXT NOT NULL, rank INTEGER,
        party TEXT, legal_basis TEXT NOT NULL, terms TEXT NOT NULL, registered_at INTEGER NOT NULL, ended_at INTEGER
      ) STRICT`,
      // What an owner who is not in the deed consented to beforehand, for one version of the title.
      `CREATE TABLE land_consents (
        title TEXT NOT NULL, version INTEGER NOT NULL, deed TEXT NOT NULL, party TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (title, version, deed, party)
      ) STRICT, WITHOUT ROWID`,
      'CREATE INDEX land_interests_title ON land_interests (title) WHERE ended_at IS NULL',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
