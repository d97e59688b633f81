import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { openStore } from '../src/store/store.ts'
import { stopPostgres, withPostgres } from './postgres.ts'

/** Suites over both real databases. */

export type Place = { file: string } | { databaseUrl: string; schema: string }
type Migrations = Parameters<typeof openStore>[0]['migrations']

export type Databases = {
  /** A new database that the migrations were applied to, removed after the test. */
  place(): Promise<Place>
  /** Closes it after the test. */
  closing<T extends { close(): unknown }>(opened: T): T
}

const schema = 'chancery'

const migrate = async (place: Place, migrations: Migrations): Promise<void> => {
  const store = await openStore({ ...place, migrations, entities: [] })
  await store.close()
}

/** Each place is a copy of one that was migrated once in this test file: that takes a fifth of the time. */
const sqlitePlaces = (migrations: Migrations) => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-test-'))
  const template = join(directory, 'template.sqlite')
  const copies: string[] = []
  let migrated: Promise<void> | undefined
  return {
    async place(): Promise<Place> {
      migrated ??= migrate({ file: template }, migrations)
      await migrated
      const copy = mkdtempSync(join(directory, 'place-'))
      copies.push(copy)
      const file = join(copy, 'agency.sqlite')
      copyFileSync(template, file)
      return { file }
    },
    async remove() {
      for (const copy of copies.splice(0)) rmSync(copy, { recursive: true, force: true })
    },
    async end() {
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const postgresPlaces = (migrations: Migrations) => {
  let template: Promise<Client> | undefined
  const copies: string[] = []
  let left: string[] = []
  const urlOf = async (database: string): Promise<string> => {
    const url = new URL(await withPostgres())
    url.pathname = `/${database}`
    return url.href
  }
  const prepare = async (): Promise<Client> => {
    const client = new Client({ connectionString: await withPostgres() })
    await client.connect()
    try {
      await client.query('CREATE DATABASE migrated')
      await migrate({ databaseUrl: await urlOf('migrated'), schema }, migrations)
    } catch (error) {
      await client.end()
      throw error
    }
    return client
  }
  return {
    async place(): Promise<Place> {
      template ??= prepare()
      const client = await template
      const database = `t_${randomBytes(6).toString('hex')}`
      await client.query(`CREATE DATABASE ${database} TEMPLATE migrated STRATEGY file_copy`)
      copies.push(database)
      return { databaseUrl: await urlOf(database), schema }
    },
    async remove() {
      // Those of the test before: dropping waits for whoever is still connected.
      const client = await template?.catch(() => undefined)
      for (const copy of left) await client?.query(`DROP DATABASE ${copy} WITH (FORCE)`)
      left = copies.splice(0)
    },
    async end() {
      const client = await template?.catch(() => undefined)
      await client?.end()
      template = undefined
      await stopPostgres()
    },
  }
}

const places = { SQLite: sqlitePlaces, PostgreSQL: postgresPlaces }

export type DatabaseName = keyof typeof places

/** Runs a suite over both, or `only` over one of them; each test over databases of its own. */
export const onEachDatabase = (
  migrations: Migrations,
  suite: (databases: Databases) => void,
  only?: DatabaseName,
): void => {
  for (const [name, open] of Object.entries(places)) {
    if (only !== undefined && only !== name) continue
    describe(`on ${name}`, () => {
      const opened: { close(): unknown }[] = []
      let made: ReturnType<typeof open>
      beforeAll(() => {
        made = open(migrations)
      })
      afterEach(async () => {
        for (const each of opened.splice(0).reverse()) await each.close()
        await made.remove()
      })
      afterAll(() => made.end())
      suite({
        place: () => made.place(),
        closing(each) {
          opened.push(each)
          return each
        },
      })
    })
  }
}
