import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** OpenID Federation: entities below this one, and trust marks, given and borne. */
export class Federation1763900001260 implements MigrationInterface {
  readonly name = 'Federation1763900001260'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE federation_subordinates (
        id TEXT NOT NULL PRIMARY KEY, entity TEXT NOT NULL UNIQUE, did TEXT NOT NULL, jwks TEXT NOT NULL,
        entity_types TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'refused', 'ended')),
        terms TEXT NOT NULL, registered INTEGER NOT NULL, decided INTEGER
      ) STRICT`,
      `CREATE TABLE federation_trust_marks (
        id TEXT NOT NULL PRIMARY KEY, entity TEXT NOT NULL, type TEXT NOT NULL, jwt TEXT NOT NULL,
        issued INTEGER NOT NULL, expires INTEGER NOT NULL, ended INTEGER
      ) STRICT`,
      'CREATE INDEX federation_trust_marks_named ON federation_trust_marks (entity, type, id)',
      'CREATE INDEX federation_trust_marks_expired ON federation_trust_marks (expires)',
      'CREATE TABLE federation_held_marks (type TEXT NOT NULL PRIMARY KEY, jwt TEXT NOT NULL, expires INTEGER NOT NULL) STRICT',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
