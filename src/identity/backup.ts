import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from 'node:crypto'
import { Identifier, Key, PrivateKey, Service } from '@veramo/data-store'
import { canonical } from '../kernel/canonical.ts'
import type { Clock } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { type MasterKey, openSeal, type Seal } from './seal.ts'
import { sealContext, type VeramoStore } from './veramo-store.ts'

/** What an archive is locked with: a passphrase that people keep, or the master key of the agency. */
export type Lock = { passphrase: string } | { masterKey: MasterKey }

type Kdf =
  | { name: 'scrypt'; salt: string; cost: number; blockSize: number; parallelization: number }
  | { name: 'master'; salt: string; keyId: string }

/** The readable part of an archive; the secrets cannot be opened if a letter of it is changed. */
export type BackupManifest = {
  format: 'chancery-backup-1'
  agency: string
  createdAt: string
  keys: { keyId: string; type: string; publicKeyHex: string }[]
  identifiers: string[]
  kdf: Kdf
}

type Content = { keys: object[]; privateKeys: PrivateKey[]; identifiers: object[]; services: object[] }
type Archive = { manifest: BackupManifest; iv: string; sealed: string }

/** 128 MB and about half a second a guess. */
const scryptCost = { cost: 2 ** 17, blockSize: 8, parallelization: 1 }

const lockKey = (lock: Lock, kdf: Kdf): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const salt = Buffer.from(kdf.salt, 'base64url')
    if ('masterKey' in lock && kdf.name === 'master') {
      return resolve(Buffer.from(hkdfSync('sha256', lock.masterKey.bytes, salt, 'chancery backup', 32)))
    }
    if (!('passphrase' in lock) || kdf.name !== 'scrypt') return reject(wrongLock())
    const { cost, blockSize, parallelization } = scryptCost
    if (kdf.cost !== cost || kdf.blockSize !== blockSize || kdf.parallelization !== parallelization)
      return reject(broken())
    const options = { cost, blockSize, parallelization, maxmem: 256 * 1024 * 1024 }
    scrypt(lock.passphrase.normalize('NFKC'), salt, 32, options, (error, key) => (error ? reject(error) : resolve(key)))
  })

const wrongLock = (): Refusal =>
  new Refusal('rejected', 'backup_locked', 'The passphrase or master key does not open this backup.')
const broken = (): Refusal => new Refusal('malformed', 'backup_malformed', 'The file is not a backup of this system.')

const parseArchive = (bytes: Uint8Array): Archive => {
  try {
    const archive = JSON.parse(Buffer.from(bytes).toString('utf8')) as Archive
    const { manifest, iv, sealed } = archive
    if (manifest.format !== 'chancery-backup-1' || !Array.isArray(manifest.keys)) throw broken()
    if ([iv, sealed, manifest.kdf.salt].some(text => typeof text !== 'string')) throw broken()
    return archive
  } catch {
    throw broken()
  }
}

/** Which keys an archive holds, without opening it. */
export const readManifest = (archive: Uint8Array): BackupManifest => parseArchive(archive).manifest

const contentOf = async (store: VeramoStore, seal: Seal): Promise<Content> => {
  const { manager } = store.dataSource
  const rows = await manager.find(PrivateKey)
  const privateKeys = rows.map(row => ({
    alias: row.alias,
    type: row.type,
    privateKeyHex: seal.open(row.privateKeyHex, sealContext(row)).toString('hex'),
  })) as PrivateKey[]
  const keys = await manager.find(Key, { relations: ['identifier'] })
  const identifiers = await manager.find(Identifier)
  const services = await manager.find(Service, { relations: ['identifier'] })
  return JSON.parse(JSON.stringify({ keys, privateKeys, identifiers, services })) as Content
}

export type BackupOptions = { agency: string; store: VeramoStore; masterKey: MasterKey; lock: Lock; clock: Clock }

/**
 * All keys and identifiers of an agency in one encrypted archive.
 * @throws Refusal malformed/passphrase_weak, unavailable/master_key_wrong
 */
export const backupKeys = async (options: BackupOptions): Promise<Uint8Array> => {
  const { agency, store, masterKey, lock, clock } = options
  if ('passphrase' in lock && lock.passphrase.length < 12) {
    throw new Refusal('malformed', 'passphrase_weak', 'A backup passphrase has at least 12 characters.')
  }
  const content = await store.inTurn(() => contentOf(store, openSeal(masterKey)))
  const salt = randomBytes(16).toString('base64url')
  const kdf: Kdf =
    'passphrase' in lock
      ? { name: 'scrypt', salt, ...scryptCost }
      : { name: 'master', salt, keyId: openSeal(lock.masterKey).keyId }
  const manifest: BackupManifest = {
    format: 'chancery-backup-1',
    agency,
    createdAt: new Date(clock.now()).toISOString(),
    keys: (content.keys as Key[]).map(key => ({ keyId: key.kid, type: key.type, publicKeyHex: key.publicKeyHex })),
    identifiers: (content.identifiers as Identifier[]).map(identifier => identifier.did),
    kdf,
  }
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', await lockKey(lock, kdf), iv).setAAD(Buffer.from(canonical(manifest)))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(content)), cipher.final(), cipher.getAuthTag()])
  const archive: Archive = { manifest, iv: iv.toString('base64url'), sealed: sealed.toString('base64url') }
  return Buffer.from(JSON.stringify(archive))
}

const openArchive = async ({ manifest, iv, sealed }: Archive, lock: Lock): Promise<Content> => {
  const bytes = Buffer.from(sealed, 'base64url')
  const key = await lockKey(lock, manifest.kdf)
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'), { authTagLength: 16 })
    decipher.setAAD(Buffer.from(canonical(manifest))).setAuthTag(bytes.subarray(-16))
    return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8'))
  } catch {
    throw wrongLock()
  }
}

const restoreContent = async (
  manager: VeramoStore['dataSource']['manager'],
  content: Content,
  seal: Seal,
): Promise<void> => {
  const existing = await manager.count(PrivateKey)
  if (existing > 0) {
    throw new Refusal('conflict', 'key_store_not_empty', 'A backup is restored into an empty key store only.')
  }
  const sealed = content.privateKeys.map(({ alias, type, privateKeyHex }) => ({
    alias,
    type,
    privateKeyHex: seal.seal(Buffer.from(privateKeyHex, 'hex'), sealContext({ alias, type })),
  }))
  await manager.insert(PrivateKey, sealed)
  // Veramo's own columns for its history are not read with the rest.
  const dates = { saveDate: new Date(), updateDate: new Date() }
  await manager.insert(
    Identifier,
    content.identifiers.map(identifier => ({ ...identifier, ...dates })),
  )
  await manager.insert(Key, content.keys)
  await manager.insert(Service, content.services)
}

export type RestoreOptions = {
  agency: string
  archive: Uint8Array
  lock: Lock
  store: VeramoStore
  masterKey: MasterKey
}

/**
 * Puts an archive into an empty key store, sealed under the store's master key: all of it or nothing.
 * @throws Refusal rejected/backup_locked, malformed/backup_malformed, conflict/key_store_not_empty, conflict/backup_foreign
 */
export const restoreKeys = async (options: RestoreOptions): Promise<BackupManifest> => {
  const { agency, archive, lock, store, masterKey } = options
  const parsed = parseArchive(archive)
  if (parsed.manifest.agency !== agency) {
    throw new Refusal('conflict', 'backup_foreign', 'The backup is of another agency; its keys would sign as that one.')
  }
  const content = await openArchive(parsed, lock)
  const seal = openSeal(masterKey)
  await store.inTurn(() => store.dataSource.transaction(manager => restoreContent(manager, content, seal)))
  return parsed.manifest
}

/**
 * Moves every private key under a new master key, all of them or none. Afterwards the old master key opens nothing; a
 * process that runs meanwhile is to be started again.
 * @returns how many keys were moved.
 */
export const resealKeys = (store: VeramoStore, masterKeys: { from: MasterKey; to: MasterKey }): Promise<number> => {
  const from = openSeal(masterKeys.from)
  const to = openSeal(masterKeys.to)
  return store.inTurn(() =>
    store.dataSource.transaction(async manager => {
      const rows = await manager.find(PrivateKey)
      for (const row of rows) {
        const moved = from.rewrap(row.privateKeyHex, to)
        to.open(moved, sealContext(row)).fill(0)
        await manager.update(PrivateKey, { alias: row.alias }, { privateKeyHex: moved })
      }
      return rows.length
    }),
  )
}
