import { randomBytes } from 'node:crypto'
import { link, mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { textOf } from '../environment.ts'
import { backupKeys, type RestoreOptions, readManifest, resealKeys, restoreKeys } from '../identity/backup.ts'
import { openSeal, readMasterKey } from '../identity/seal.ts'
import { openVeramoStore, type VeramoStore } from '../identity/veramo-store.ts'
import type { Store } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import {
  assertStarted,
  assertStopped,
  type Desk,
  masterKeyOf,
  notStarted,
  recordCommand,
  withKeyStore,
  withStore,
} from './desk.ts'

const lockOf = (desk: Desk): { passphrase: string } => {
  const passphrase = textOf(desk.env, 'BACKUP_PASSPHRASE')
  if (passphrase !== undefined) return { passphrase }
  throw new Refusal('malformed', 'backup_passphrase_missing', 'Set BACKUP_PASSPHRASE in the environment.')
}

/** A whole file or none, readable by its owner only; an older one is never written over. */
const writeOnce = async (file: string, bytes: Uint8Array): Promise<void> => {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(draft, file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Refusal('conflict', 'backup_file_exists', `${basename(file)} exists already and is not written over.`)
    }
    throw new Refusal('unavailable', 'backup_file_unwritable', `${basename(file)} cannot be written.`, { cause })
  } finally {
    await rm(draft, { force: true })
  }
}

const readArchive = (file: string): Promise<Buffer> =>
  readFile(file).catch(cause => {
    throw new Refusal('not_found', 'backup_file_missing', `${basename(file)} cannot be read.`, { cause })
  })

export const backup = async (desk: Desk, [file = '']: string[]): Promise<void> => {
  const { name } = desk.config
  const lock = lockOf(desk)
  assertStarted(desk, 'veramo.sqlite')
  const masterKey = masterKeyOf(desk)
  const { clock } = desk
  const archive = await withKeyStore(desk, store => backupKeys({ agency: name, store, masterKey, lock, clock }))
  const { keys, identifiers } = readManifest(archive)
  if (keys.length === 0) throw notStarted(name)
  await writeOnce(file, archive)
  desk.out(`${keys.length} keys and ${identifiers.length} identifiers of ${name} are in ${basename(file)}`)
}

/**
 * The order in which indices of a status list are given out comes from the master key, and how far from the database.
 * Where either may have changed, a list that was begun is not gone on with: it would give out an index twice.
 */
const closeStatusLists = async (store: Store): Promise<number> => {
  const sql = 'UPDATE status_lists SET next = length WHERE next < length RETURNING list'
  return (await store.transaction(tx => tx.query(sql))).length
}

/** Restores into a folder that is thrown away: what a backup does not give is known before anything is changed. */
const rehearse = async (restoring: Omit<RestoreOptions, 'store'>): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'chancery-restore-'))
  const store = await openVeramoStore({ agency: restoring.agency, directory })
  try {
    await restoreKeys({ ...restoring, store })
  } finally {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  }
}

const assertEmpty = async (keyStore: VeramoStore): Promise<void> => {
  if ((await keyStore.dataSource.getRepository('PrivateKey').count()) === 0) return
  throw new Refusal('conflict', 'key_store_not_empty', 'A backup is restored into an empty key store only.')
}

export const restore = async (desk: Desk, [file = '']: string[]): Promise<void> => {
  const { name } = desk.config
  const lock = lockOf(desk)
  const archive = await readArchive(file)
  readManifest(archive)
  // Here alone a demo may get a master key: its data folder can be as new as its key store.
  const restoring = { agency: name, archive, lock, masterKey: readMasterKey(desk.environment.masterKey) }
  await rehearse(restoring)
  await withKeyStore(desk, keyStore =>
    withStore(desk, async store => {
      await assertStopped(desk, store)
      await assertEmpty(keyStore)
      // Before the keys: after a kill in between, the command is run again, and then finds the store still empty.
      await closeStatusLists(store)
      const { keys, createdAt } = await restoreKeys({ ...restoring, store: keyStore })
      await recordCommand(desk, store, 'restore', { keys: keys.map(key => key.keyId), createdAt })
      desk.out(`${keys.length} keys of ${name} are restored from the backup of ${createdAt}`)
      desk.note('Status lists that were begun are closed; the next start opens new ones.')
    }),
  )
}

const newMasterKey = (desk: Desk) => {
  const value = textOf(desk.env, 'NEW_MASTER_KEY')
  const file = textOf(desk.env, 'NEW_MASTER_KEY_FILE')
  if (value === undefined && file === undefined) {
    const detail = 'Set NEW_MASTER_KEY or NEW_MASTER_KEY_FILE in the environment: 32 bytes, as hex or base64.'
    throw new Refusal('malformed', 'new_master_key_missing', detail)
  }
  return readMasterKey({ value, file, production: desk.environment.production })
}

export const rekey = async (desk: Desk): Promise<void> => {
  const { name } = desk.config
  assertStarted(desk, 'veramo.sqlite')
  const to = newMasterKey(desk)
  const from = masterKeyOf(desk)
  if (openSeal(from).keyId === openSeal(to).keyId) {
    throw new Refusal('conflict', 'master_key_same', 'The new master key is the one in use.')
  }
  await withStore(desk, async store => {
    await assertStopped(desk, store)
    const moved = await withKeyStore(desk, async keyStore => {
      // What the old key does not open is refused before anything is changed.
      await backupKeys({ agency: name, store: keyStore, masterKey: from, lock: { masterKey: from }, clock: desk.clock })
      // Before the keys: after a kill in between, lists are closed in vain, and never used under two orders.
      await closeStatusLists(store)
      return resealKeys(keyStore, { from, to })
    })
    await recordCommand(desk, store, 'rekey', { from: openSeal(from).keyId, to: openSeal(to).keyId })
    desk.out(`${moved} keys of ${name} are under master key ${openSeal(to).keyId}`)
    desk.note(
      'Start the agency with the new master key. Status lists that were begun are closed; the start opens new ones.',
    )
  })
}
