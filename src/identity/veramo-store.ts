import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DIDStore, Entities, KeyStore, migrations, PrivateKey } from '@veramo/data-store'
import { AbstractPrivateKeyStore, type ImportablePrivateKey, type ManagedPrivateKey } from '@veramo/key-manager'
import sqlite3 from 'sqlite3'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { Refusal } from '../kernel/refusal.ts'
import type { Seal } from './seal.ts'

/** Where Veramo keeps keys and identifiers: its own SQLite file, or its own schema on PostgreSQL. */
export type VeramoStoreOptions = {
  agency: string
  /** `data/<agency>`; the file in it is `veramo.sqlite`. */
  directory?: string | undefined
  postgresUrl?: string | undefined
}

export type VeramoStore = {
  dataSource: DataSource
  /** TypeORM on SQLite has one connection, so overlapping saves of Veramo's stores fail: writes go one by one. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

const veramo = { entities: Entities, migrations, migrationsRun: false, synchronize: false, logging: false as const }

/** The PostgreSQL schema of an agency's Veramo tables. */
export const veramoSchema = (agency: string): string => `veramo_${agency.replace(/[^a-z0-9]/g, '_')}`

/** TypeORM calls `verbose()`, after which every statement of the whole process captures a stack trace: not for us. */
const driver = Object.assign(Object.create(sqlite3), { verbose: () => sqlite3 })

const openSqlite = async (directory: string): Promise<DataSource> => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const database = join(directory, 'veramo.sqlite')
  const dataSource = await new DataSource({
    ...veramo,
    type: 'sqlite',
    driver,
    database,
    enableWAL: true,
  } as DataSourceOptions).initialize()
  await dataSource.query('PRAGMA busy_timeout = 5000')
  await dataSource.query('PRAGMA synchronous = FULL')
  await dataSource.runMigrations({ transaction: 'each' })
  return dataSource
}

/** Two processes may start at once: schema and tables are made under an advisory lock. */
const openPostgres = async (agency: string, url: string): Promise<DataSource> => {
  const schema = veramoSchema(agency)
  const setup = await new DataSource({ type: 'postgres', url, extra: { max: 1 } }).initialize()
  const runner = setup.createQueryRunner()
  try {
    await runner.query('SELECT pg_advisory_lock(hashtext($1))', [schema])
    await runner.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
    const options = { ...veramo, type: 'postgres', url, schema, extra: { max: 2, options: `-c search_path=${schema}` } }
    const dataSource = await new DataSource(options as DataSourceOptions).initialize()
    await dataSource.runMigrations({ transaction: 'each' })
    return dataSource
  } finally {
    await runner.release()
    await setup.destroy()
  }
}

export const openVeramoStore = async (options: VeramoStoreOptions): Promise<VeramoStore> => {
  const { agency, directory, postgresUrl } = options
  if (postgresUrl === undefined && directory === undefined) {
    throw new Refusal('malformed', 'key_store_missing', 'Name a directory or a PostgreSQL URL for the key store.')
  }
  const dataSource =
    postgresUrl !== undefined ? await openPostgres(agency, postgresUrl) : await openSqlite(directory as string)
  let last: Promise<unknown> = Promise.resolve()
  return {
    dataSource,
    inTurn(work) {
      const mine = last.then(work, work)
      last = mine.catch(() => undefined)
      return mine
    },
    async close() {
      await last
      if (dataSource.isInitialized) await dataSource.destroy()
    },
  }
}

/** What a stored private key is bound to, so that its ciphertext cannot serve under another name. */
export const sealContext = (key: Pick<PrivateKey, 'alias' | 'type'>): string => `veramo-key|${key.alias}|${key.type}`

/** Veramo's private keys under our seal. */
export class SealedPrivateKeyStore extends AbstractPrivateKeyStore {
  readonly #store: VeramoStore
  readonly #seal: Seal

  constructor(store: VeramoStore, seal: Seal) {
    super()
    this.#store = store
    this.#seal = seal
  }

  async getKey({ alias }: { alias: string }): Promise<ManagedPrivateKey> {
    const row = await this.#rows().findOneBy({ alias })
    if (row === null) throw new Refusal('not_found', 'key_unknown', 'There is no such key in the key store.')
    return this.#open(row)
  }

  async importKey({ alias, type, privateKeyHex }: ImportablePrivateKey): Promise<ManagedPrivateKey> {
    if (alias === undefined) throw new TypeError('a private key needs an alias')
    const sealed = this.#seal.seal(Buffer.from(privateKeyHex, 'hex'), sealContext({ alias, type }))
    try {
      await this.#store.inTurn(() => this.#rows().insert({ alias, type, privateKeyHex: sealed }))
    } catch (error) {
      const existing = await this.#rows().findOneBy({ alias })
      if (existing === null) throw error
      const same = existing.type === type && this.#open(existing).privateKeyHex === privateKeyHex
      if (!same) throw new Refusal('conflict', 'key_taken', 'Another key is stored under this name.')
    }
    return { alias, type, privateKeyHex }
  }

  async deleteKey({ alias }: { alias: string }): Promise<boolean> {
    await this.#store.inTurn(() => this.#rows().delete({ alias }))
    return true
  }

  async listKeys(): Promise<ManagedPrivateKey[]> {
    return (await this.#rows().find()).map(row => this.#open(row))
  }

  #rows() {
    return this.#store.dataSource.getRepository(PrivateKey)
  }

  #open(row: PrivateKey): ManagedPrivateKey {
    const secret = this.#seal.open(row.privateKeyHex, sealContext(row))
    const privateKeyHex = secret.toString('hex')
    secret.fill(0)
    return { alias: row.alias, type: row.type, privateKeyHex }
  }
}

export class QueuedKeyStore extends KeyStore {
  readonly #store: VeramoStore

  constructor(store: VeramoStore) {
    super(store.dataSource)
    this.#store = store
  }

  override importKey(key: Parameters<KeyStore['importKey']>[0]) {
    return this.#store.inTurn(() => super.importKey(key))
  }

  override deleteKey(key: { kid: string }) {
    return this.#store.inTurn(() => super.deleteKey(key))
  }
}

export class QueuedDidStore extends DIDStore {
  readonly #store: VeramoStore

  constructor(store: VeramoStore) {
    super(store.dataSource)
    this.#store = store
  }

  override importDID(identifier: Parameters<DIDStore['importDID']>[0]) {
    return this.#store.inTurn(() => super.importDID(identifier))
  }

  override deleteDID(identifier: { did: string }) {
    return this.#store.inTurn(() => super.deleteDID(identifier))
  }
}
