import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MigrationInterface, QueryRunner } from 'typeorm'
import { Store1760000000100 } from '../../migrations/agency/0100-store.ts'
import { ddl } from '../../src/store/ddl.ts'
import { storeEntities } from '../../src/store/entities.ts'
import { openStore } from '../../src/store/store.ts'
import { stopPostgres, withPostgres } from '../postgres.ts'

export type Opened = Awaited<ReturnType<typeof openStore>>

/** Tables to try the store with. */
export class Trial1760000000900 implements MigrationInterface {
  readonly name = 'Trial1760000000900'

  async up(runner: QueryRunner): Promise<void> {
    await ddl(runner, [
      'CREATE TABLE items (id TEXT PRIMARY KEY NOT NULL, amount INTEGER NOT NULL, note TEXT, data BLOB) STRICT',
      'CREATE TABLE parts (id TEXT PRIMARY KEY NOT NULL, item TEXT NOT NULL REFERENCES items (id)) STRICT',
      'CREATE VIEW item_count AS SELECT count(*) AS n FROM items',
    ])
  }

  async down(): Promise<void> {}
}

export const migrations = [Store1760000000100, Trial1760000000900]

export type Place = { file?: string; databaseUrl?: string; schema?: string }

const openAt = (place: Place): Promise<Opened> =>
  openStore({ ...place, migrations, entities: storeEntities, actTimeoutMs: 2000 })

export type Backend = {
  /** A new, empty database, closed and removed after the test. */
  fresh(): Promise<Opened>
  place(): Promise<Place>
  /** Another process's view of the same database. */
  again(place: Place): Promise<Opened>
}

/** Runs a suite over both real databases. */
export const onBothDatabases = (suite: (backend: Backend) => void): void => {
  for (const name of ['SQLite', 'PostgreSQL']) {
    describe(`on ${name}`, () => {
      const opened: Opened[] = []
      const directories: string[] = []
      const place = async (): Promise<Place> => {
        if (name === 'PostgreSQL') {
          return { databaseUrl: await withPostgres(), schema: `t-${randomBytes(6).toString('hex')}` }
        }
        const directory = mkdtempSync(join(tmpdir(), 'chancery-store-'))
        directories.push(directory)
        return { file: join(directory, 'agency.sqlite') }
      }
      const again = async (where: Place): Promise<Opened> => {
        const store = await openAt(where)
        opened.push(store)
        return store
      }
      if (name === 'PostgreSQL') {
        beforeAll(async () => void (await withPostgres()))
        afterAll(stopPostgres)
      }
      afterEach(async () => {
        for (const store of opened.splice(0)) await store.close()
        for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
      })
      suite({ place, again, fresh: async () => again(await place()) })
    })
  }
}

export const isPostgres = (store: Opened): boolean => store.dialect === 'postgres'

export const itemIds = async (store: Opened): Promise<string[]> =>
  (await store.read<{ id: string }>('SELECT id FROM items ORDER BY id')).map(row => row.id)
