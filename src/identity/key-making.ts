import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { TKeyType } from '@veramo/core-types'
import { PrivateKey } from '@veramo/data-store'
import type { KeyManager } from '@veramo/key-manager'
import type { Clock } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { bbsKeyPair, bbsPublicKey } from './bbs.ts'
import { type KeyKind, privateKeyFromRaw, publicKeyFromJwk, rawPublicKey } from './key-material.ts'
import type { QueuedKeyStore, SealedPrivateKeyStore, VeramoStore } from './veramo-store.ts'

/**
 * A key of the agency. `next` waits until its public half is known to the world, `active` signs, `retired` is kept so
 * that what it signed can be accounted for, and signs no more.
 */
export type KeyState = 'next' | 'active' | 'retired'

export type StoredKind = KeyKind | 'BLS12-381-G2'

export type KeyMeta = { alias?: string; version?: number; state?: KeyState; createdAt?: number; retiredAt?: number }

/** Veramo has no name for P-384 and P-521; it stores whatever it is given. */
const veramoType: Record<StoredKind, TKeyType> = {
  'P-256': 'Secp256r1',
  Ed25519: 'Ed25519',
  secp256k1: 'Secp256k1',
  'P-384': 'Secp384r1' as TKeyType,
  'P-521': 'Secp521r1' as TKeyType,
  'BLS12-381-G2': 'Bls12381G2',
}
export const kindOfType: Readonly<Record<string, StoredKind>> = Object.fromEntries(
  Object.entries(veramoType).map(([kind, type]) => [type, kind as StoredKind]),
)

/** @throws Refusal malformed/key_alias_malformed */
export const checkedAlias = (alias: string): string => {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(alias)) return alias
  throw new Refusal('malformed', 'key_alias_malformed', 'A key alias is up to 63 of a-z, 0-9 and hyphen.')
}

/** The kinds that Veramo's key management neither makes nor takes in: their rows are written here. */
const ownKinds = ['P-384', 'P-521', 'BLS12-381-G2'] as const
type OwnKind = (typeof ownKinds)[number]
const isOwn = (kind: StoredKind): kind is OwnKind => ownKinds.some(own => own === kind)

const newSecret = async (kind: OwnKind): Promise<Buffer> => {
  if (kind === 'BLS12-381-G2') return Buffer.from((await bbsKeyPair()).secretKey)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: kind })
  return Buffer.from(privateKey.export({ format: 'jwk' }).d as string, 'base64url')
}

const publicOf = async (kind: OwnKind, secret: Buffer): Promise<Buffer> => {
  if (kind === 'BLS12-381-G2') return Buffer.from(await bbsPublicKey(secret))
  return rawPublicKey(publicKeyFromJwk(createPublicKey(privateKeyFromRaw(kind, secret)).export({ format: 'jwk' })))
}

export type MakerNeeds = {
  store: VeramoStore
  manager: KeyManager
  keyRows: QueuedKeyStore
  privateKeys: SealedPrivateKeyStore
  clock: Clock
}

/** How a key comes to be in the store: its private half sealed, then the row by which it is found. */
export const openMaker = ({ store, manager, keyRows, privateKeys, clock }: MakerNeeds) => {
  const secretOf = async (kind: OwnKind, alias: string, isOrphan: boolean): Promise<Buffer> => {
    if (isOrphan) {
      const found = await privateKeys.getKey({ alias })
      if (found.type === veramoType[kind]) return Buffer.from(found.privateKeyHex, 'hex')
      throw new Refusal('conflict', 'key_taken', 'Another key is stored under this name.')
    }
    const secret = await newSecret(kind)
    await privateKeys.importKey({ alias, type: veramoType[kind], privateKeyHex: secret.toString('hex') })
    return secret
  }
  const make = async (wanted: { kind: StoredKind; alias: string; version: number; state: KeyState }): Promise<void> => {
    const { kind, alias, version, state } = wanted
    const kid = `${alias}.${version}`
    const meta = { alias, version, state, createdAt: clock.now() } satisfies KeyMeta
    const type = veramoType[kind]
    // A start that was killed between the two rows leaves a private key alone: it is taken up, not lost.
    const isOrphan = await store.dataSource.getRepository(PrivateKey).existsBy({ alias: kid })
    if (isOwn(kind)) {
      const secret = await secretOf(kind, kid, isOrphan)
      const publicKeyHex = (await publicOf(kind, secret)).toString('hex')
      secret.fill(0)
      await keyRows.importKey({ kid, kms: 'local', type, publicKeyHex, meta })
    } else if (!isOrphan) await manager.keyManagerCreate({ kms: 'local', type, kid, meta })
    else await manager.keyManagerImport({ ...(await privateKeys.getKey({ alias: kid })), kid, kms: 'local', meta })
  }
  return { make }
}
