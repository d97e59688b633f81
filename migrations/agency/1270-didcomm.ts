import type { MigrationInterface, QueryRunner } from 'typeorm'
import { ddl } from '../../src/store/ddl.ts'

/** DIDComm: messages that came, exchanges that were prepared, what a mediator keeps, and what is on its way. */
export class Didcomm1763900001270 implements MigrationInterface {
  readonly name = 'Didcomm1763900001270'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE TABLE didcomm_received (digest TEXT NOT NULL PRIMARY KEY, expires INTEGER NOT NULL) STRICT',
      'CREATE INDEX didcomm_received_expired ON didcomm_received (expires)',
      `CREATE TABLE didcomm_exchanges (
        id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('issue', 'present')),
        locator TEXT NOT NULL UNIQUE, peer TEXT, thread TEXT,
        state TEXT NOT NULL CHECK (state IN ('prepared', 'open', 'done', 'abandoned', 'withdrawn')),
        sealed BLOB, credential TEXT, result BLOB, created INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT`,
      'CREATE UNIQUE INDEX didcomm_exchanges_thread ON didcomm_exchanges (peer, thread)',
      'CREATE INDEX didcomm_exchanges_expired ON didcomm_exchanges (expires)',
      'CREATE INDEX didcomm_exchanges_sealed ON didcomm_exchanges (expires) WHERE sealed IS NOT NULL',
      'CREATE INDEX didcomm_exchanges_shown ON didcomm_exchanges (expires) WHERE result IS NOT NULL',
      `CREATE TABLE didcomm_mediations (
        requester TEXT NOT NULL PRIMARY KEY, used INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX didcomm_mediations_used ON didcomm_mediations (used)',
      `CREATE TABLE didcomm_recipients (
        did TEXT NOT NULL PRIMARY KEY, requester TEXT NOT NULL, added INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX didcomm_recipients_of ON didcomm_recipients (requester, did)',
      `CREATE TABLE didcomm_queue (
        id TEXT NOT NULL PRIMARY KEY, requester TEXT NOT NULL, recipient TEXT NOT NULL, message TEXT NOT NULL,
        bytes INTEGER NOT NULL, arrived INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX didcomm_queue_of ON didcomm_queue (requester, arrived, id)',
      'CREATE INDEX didcomm_queue_expired ON didcomm_queue (expires)',
      `CREATE TABLE didcomm_outgoing (
        id TEXT NOT NULL PRIMARY KEY, peer TEXT NOT NULL, dialect TEXT NOT NULL, sealed BLOB NOT NULL,
        attempts INTEGER NOT NULL, due INTEGER NOT NULL, expires INTEGER NOT NULL
      ) STRICT`,
      'CREATE INDEX didcomm_outgoing_due ON didcomm_outgoing (due)',
      'CREATE INDEX didcomm_outgoing_expired ON didcomm_outgoing (expires)',
    ])
  }

  async down(): Promise<void> {
    throw new Error('Migrations go forward only.')
  }
}
