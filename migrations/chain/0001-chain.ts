import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** What the chain said: a copy that can be thrown away and read again. */
export class Chain1763600000001 implements MigrationInterface {
  readonly name = 'Chain1763600000001'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      `CREATE TABLE chain_cursor (
        id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        source TEXT NOT NULL,
        block INTEGER NOT NULL
      ) STRICT`,
      `CREATE TABLE chain_blocks (
        number INTEGER NOT NULL PRIMARY KEY,
        hash TEXT NOT NULL,
        time INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX chain_blocks_time ON chain_blocks (time, number)',
      `CREATE TABLE chain_words (
        block INTEGER NOT NULL,
        log INTEGER NOT NULL,
        issuer TEXT NOT NULL,
        list INTEGER NOT NULL,
        word INTEGER NOT NULL,
        bits TEXT NOT NULL,
        PRIMARY KEY (block, log)
      ) STRICT`,
      'CREATE INDEX chain_words_place ON chain_words (issuer, list, word, block, log)',
      `CREATE TABLE chain_events (
        block INTEGER NOT NULL,
        log INTEGER NOT NULL,
        kind TEXT NOT NULL,
        topics TEXT NOT NULL,
        data TEXT NOT NULL,
        PRIMARY KEY (block, log)
      ) STRICT`,
    ])
  }

  /** Migrations go forward only. */
  async down(): Promise<void> {
    throw new Error('migrations go forward only')
  }
}
