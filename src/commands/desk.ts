import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openAgencyStore } from '../agency.ts'
import type { AgencyConfig } from '../config/agency.ts'
import type { Environment, Variables } from '../environment.ts'
import { type MasterKey, readMasterKey } from '../identity/seal.ts'
import { openVeramoStore, type VeramoStore } from '../identity/veramo-store.ts'
import { digestOf } from '../kernel/canonical.ts'
import type { Clock, Store } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { journal } from '../store/journal.ts'

/** What a command works with: one agency, and where it stands. */
export type Desk = {
  config: AgencyConfig
  environment: Environment
  /** For secrets, which are given by the environment only. */
  env: Variables
  clock: Clock
  /** Results, on standard output. */
  out(line: string): void
  /** What is going on, on standard error. */
  note(line: string): void
}

export const notStarted = (agency: string): Refusal =>
  new Refusal('not_found', 'agency_not_started', `${agency} has no data here; start it once, or set DATA_DIR.`)

export const masterKeyOf = (desk: Desk): MasterKey => {
  const { masterKey, dataDir } = desk.environment
  // A command that finds no demo key makes none: a new one would open nothing that is here.
  const hasDemoKey = existsSync(join(dataDir, 'master.key'))
  return readMasterKey({ ...masterKey, demoDirectory: hasDemoKey ? masterKey.demoDirectory : undefined })
}

/** Where an agency that was started keeps its files. With PostgreSQL there is nothing to see from outside. */
export const assertStarted = (desk: Desk, file: 'agency.sqlite' | 'veramo.sqlite'): void => {
  const { dataDir, databaseUrl } = desk.environment
  const { name } = desk.config
  if (databaseUrl === undefined && !existsSync(join(dataDir, name, file))) throw notStarted(name)
}

/** Opens the agency's database for the work and closes it after. */
export const withStore = async <T>(desk: Desk, work: (store: Store) => Promise<T>): Promise<T> => {
  const store = await openAgencyStore(desk.config.name, desk.environment)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** Opens the key store for the work and closes it after; the keys in it stay sealed. */
export const withKeyStore = async <T>(desk: Desk, work: (store: VeramoStore) => Promise<T>): Promise<T> => {
  const { dataDir, databaseUrl } = desk.environment
  const { name } = desk.config
  const store = await openVeramoStore({ agency: name, directory: join(dataDir, name), postgresUrl: databaseUrl })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/**
 * The service holds leases while it runs, and for a few seconds more if it was killed.
 * @throws Refusal conflict/agency_running
 */
export const assertStopped = async (desk: Desk, store: Store): Promise<void> => {
  const now = desk.clock.now()
  const sql = `SELECT cast(max(expires) AS text) AS expires FROM leases WHERE holder <> '' AND expires > ?`
  const [lease] = await store.read<{ expires: string | null }>(sql, [now])
  if (lease?.expires === undefined || lease.expires === null) return
  const seconds = Math.ceil((Number(lease.expires) - now) / 1_000)
  throw new Refusal(
    'conflict',
    'agency_running',
    `${desk.config.name} is running: end it first. If it was killed, wait ${seconds} s.`,
  )
}

/** Leaves evidence of what an operator did, in the agency's journal. */
export const recordCommand = (desk: Desk, store: Store, command: string, input: unknown): Promise<void> =>
  store.transaction(async tx => {
    journal.record(tx, {
      operation: command,
      caller: { kind: 'operator', id: 'shell', credentials: [] },
      input: digestOf(input),
      authority: 'operator',
      rules: [],
      outcome: 'done',
      at: desk.clock.now(),
    })
  })
