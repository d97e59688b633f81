import { createHash, type JsonWebKey, type KeyObject, sign as signNative } from 'node:crypto'
import type { TKeyType } from '@veramo/core-types'
import { Key, PrivateKey } from '@veramo/data-store'
import { KeyManager } from '@veramo/key-manager'
import { KeyManagementSystem } from '@veramo/kms-local'
import secp256k1 from 'secp256k1'
import type { Clock, SignatureAlgorithm, Signer } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { compressed, type KeyKind, privateKeyFromRaw, publicKeyFromRaw } from './key-material.ts'
import { type MasterKey, openSeal, type Seal } from './seal.ts'
import {
  openVeramoStore,
  QueuedKeyStore,
  SealedPrivateKeyStore,
  sealContext,
  type VeramoStore,
  type VeramoStoreOptions,
} from './veramo-store.ts'

/**
 * A key of the agency. `next` waits until its public half is known to the world, `active` signs, `retired` is kept so
 * that what it signed can be accounted for, and signs no more.
 */
export type KeyState = 'next' | 'active' | 'retired'

export type KeyInfo = {
  /** `<alias>.<version>`; Veramo's `kid`. */
  keyId: string
  alias: string
  version: number
  state: KeyState
  kind: KeyKind
  algorithm: SignatureAlgorithm
  jwk: JsonWebKey
  thumbprint: string
  /** Raw, lower-case hex without 0x: 32 bytes for Ed25519, the compressed point (33 bytes) for the curves. */
  publicKeyHex: string
  createdAt: number
  retiredAt?: number
}

/** A recoverable secp256k1 signature for a chain account: 0x-prefixed 32-byte words, v 27 or 28, low s. */
export type DigestSignature = { r: string; s: string; v: number }
export type DigestSigner = { signDigest(keyId: string, digest: Uint8Array): Promise<DigestSignature> }

export type Keys = DigestSigner & {
  /** @throws Refusal conflict/key_taken when the alias has a key already. */
  create(wanted: { kind: KeyKind; alias: string }): Promise<KeyInfo>
  /** The active key of the alias, made now if there is none: what a start calls, again and again. */
  obtain(wanted: { kind: KeyKind; alias: string }): Promise<KeyInfo>
  /** First half of a rotation: the next version of the alias, to be registered before it signs. */
  prepare(alias: string): Promise<KeyInfo>
  /** Second half: the key signs from now on and the one before it is retired. */
  activate(keyId: string): Promise<KeyInfo>
  /** The active key of the alias. */
  byAlias(alias: string): Promise<KeyInfo | undefined>
  /** @throws Refusal not_found/key_unknown */
  info(keyId: string): Promise<KeyInfo>
  list(): Promise<KeyInfo[]>
  publicJwk(keyId: string): Promise<JsonWebKey>
  signer: Signer
  /** Veramo's key manager over the same keys, for the agent. */
  manager: KeyManager
  store: VeramoStore
  close(): Promise<void>
}

type KeyMeta = { alias?: string; version?: number; state?: KeyState; createdAt?: number; retiredAt?: number }
type Held = { info: KeyInfo; privateKey: KeyObject; secret: Buffer | undefined }

const veramoType: Record<KeyKind, TKeyType> = { 'P-256': 'Secp256r1', Ed25519: 'Ed25519', secp256k1: 'Secp256k1' }
const kindOfType: Partial<Record<TKeyType, KeyKind>> = {
  Secp256r1: 'P-256',
  Ed25519: 'Ed25519',
  Secp256k1: 'secp256k1',
}
/** How long another process's rotation may stay unseen. */
const aliasCacheMs = 5_000

const unknownKey = (): Refusal => new Refusal('not_found', 'key_unknown', 'There is no such key in the key store.')

/** A row of Veramo's as ours; keys that Veramo made for its own users carry their `kid` as alias. */
const infoOf = (row: Key): KeyInfo | undefined => {
  const kind = kindOfType[row.type]
  if (kind === undefined) return undefined
  const meta = (row.meta ?? {}) as KeyMeta
  const publicKey = publicKeyFromRaw(kind, Buffer.from(row.publicKeyHex, 'hex'))
  const raw = Buffer.from(row.publicKeyHex, 'hex')
  return {
    keyId: row.kid,
    alias: meta.alias ?? row.kid,
    version: meta.version ?? 1,
    state: meta.state ?? 'active',
    kind,
    algorithm: publicKey.algorithm,
    jwk: publicKey.jwk,
    thumbprint: publicKey.thumbprint,
    publicKeyHex: compressed(kind, raw).toString('hex'),
    createdAt: meta.createdAt ?? 0,
    ...(meta.retiredAt === undefined ? {} : { retiredAt: meta.retiredAt }),
  }
}

/** ECDSA-Sig-Value (RFC 3279) as r‖s of 32 bytes each: node's own `ieee-p1363` makes signing take twice as long. */
const rawOf = (der: Buffer): Buffer => {
  const raw = Buffer.alloc(64)
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0
    // A leading zero keeps a number positive, and small numbers are short.
    const skip = Math.max(0, length - 32)
    der.copy(raw, end - (length - skip), at + 2 + skip, at + 2 + length)
    at += 2 + length
  }
  return raw
}

/** Signs on the thread pool with the key object that is held; secp256k1 natively, because OpenSSL's is slow. */
const signWith = (held: Held, data: Uint8Array): Promise<Uint8Array> => {
  if (held.secret !== undefined) {
    const digest = createHash('sha256').update(data).digest()
    return Promise.resolve(secp256k1.ecdsaSign(digest, held.secret).signature)
  }
  const { privateKey } = held
  return new Promise((resolve, reject) => {
    const isEdwards = held.info.kind === 'Ed25519'
    signNative(isEdwards ? null : 'sha256', data, privateKey, (error, signature) =>
      error === null ? resolve(isEdwards ? signature : rawOf(signature)) : reject(error),
    )
  })
}

const word = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`

/** Finds a key fit to sign, from memory where it can. */
type Holder = (keyId: string) => Held | Promise<Held>

const openSigner = (hold: Holder): Signer & DigestSigner => {
  const usable = (held: Held, algorithm: SignatureAlgorithm): Held => {
    if (held.info.state === 'retired') {
      throw new Refusal('rejected', 'key_retired', 'The key is retired and signs no more; use the active one.')
    }
    if (held.info.algorithm !== algorithm) {
      throw new Refusal('rejected', 'algorithm_mismatch', `A ${held.info.kind} key does not sign ${algorithm}.`)
    }
    return held
  }
  return {
    async sign(keyId, algorithm, data) {
      const held = hold(keyId)
      return signWith(usable(held instanceof Promise ? await held : held, algorithm), data)
    },
    async signDigest(keyId, digest) {
      const { secret } = usable(await hold(keyId), 'ES256K')
      if (digest.length !== 32 || secret === undefined) {
        throw new Refusal('malformed', 'digest_malformed', 'A digest to sign is 32 bytes.')
      }
      const { signature, recid } = secp256k1.ecdsaSign(digest, secret)
      return { r: word(signature.subarray(0, 32)), s: word(signature.subarray(32)), v: 27 + recid }
    },
  }
}

const assertMasterKey = async (store: VeramoStore, seal: Seal): Promise<void> => {
  const [first] = await store.dataSource.getRepository(PrivateKey).find({ take: 1 })
  if (first !== undefined) seal.open(first.privateKeyHex, sealContext(first)).fill(0)
}

const openHolder = (store: VeramoStore, seal: Seal) => {
  const held = new Map<string, Held>()
  const info = async (keyId: string): Promise<KeyInfo> => {
    const row = await store.dataSource.getRepository(Key).findOneBy({ kid: keyId })
    const found = row === null ? undefined : infoOf(row)
    if (found === undefined) throw unknownKey()
    return found
  }
  const load = async (keyId: string): Promise<Held> => {
    const found = await info(keyId)
    const row = await store.dataSource.getRepository(PrivateKey).findOneBy({ alias: keyId })
    if (row === null) throw unknownKey()
    const stored = seal.open(row.privateKeyHex, sealContext(row))
    // Veramo stores an Ed25519 key as seed and public key.
    const secret = Buffer.from(stored.subarray(0, 32))
    stored.fill(0)
    const privateKey = privateKeyFromRaw(found.kind, secret)
    const isChainKey = found.kind === 'secp256k1'
    if (!isChainKey) secret.fill(0)
    const loaded = { info: found, privateKey, secret: isChainKey ? secret : undefined }
    held.set(keyId, loaded)
    return loaded
  }
  const hold: Holder = keyId => held.get(keyId) ?? load(keyId)
  return { hold, info, forget: (keyId: string) => held.delete(keyId) }
}

const listed = async (store: VeramoStore): Promise<KeyInfo[]> => {
  const rows = await store.dataSource.getRepository(Key).find({ order: { kid: 'ASC' } })
  return rows.flatMap(row => infoOf(row) ?? [])
}

/** Makes keys through Veramo's key manager, versions of an alias one after the other. */
const openMaker = (store: VeramoStore, manager: KeyManager, privateKeys: SealedPrivateKeyStore, clock: Clock) => {
  const make = async (wanted: { kind: KeyKind; alias: string; version: number; state: KeyState }): Promise<void> => {
    const { kind, alias, version, state } = wanted
    const kid = `${alias}.${version}`
    const meta = { alias, version, state, createdAt: clock.now() } satisfies KeyMeta
    const type = veramoType[kind]
    // A start that was killed between the two rows leaves a private key alone: it is taken up, not lost.
    const orphan = await store.dataSource.getRepository(PrivateKey).existsBy({ alias: kid })
    if (!orphan) await manager.keyManagerCreate({ kms: 'local', type, kid, meta })
    else await manager.keyManagerImport({ ...(await privateKeys.getKey({ alias: kid })), kid, kms: 'local', meta })
  }
  const versions = async (alias: string) => (await listed(store)).filter(key => key.alias === alias)
  const checked = (alias: string): string => {
    if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(alias)) return alias
    throw new Refusal('malformed', 'key_alias_malformed', 'A key alias is up to 63 of a-z, 0-9 and hyphen.')
  }
  return { make, versions, checked }
}

/** Activates a key and retires the one before it, in one transaction. */
const switchTo = async (store: VeramoStore, next: KeyInfo, retire: KeyInfo[], now: number): Promise<void> => {
  await store.inTurn(() =>
    store.dataSource.transaction(async tx => {
      const rows = tx.getRepository(Key)
      const change = async (keyId: string, meta: KeyMeta) => {
        const row = await rows.findOneByOrFail({ kid: keyId })
        await rows.update({ kid: keyId }, { meta: { ...row.meta, ...meta } as NonNullable<Key['meta']> })
      }
      for (const old of retire) await change(old.keyId, { state: 'retired', retiredAt: now })
      await change(next.keyId, { state: 'active' })
    }),
  )
}

type Life = {
  store: VeramoStore
  maker: ReturnType<typeof openMaker>
  info(keyId: string): Promise<KeyInfo>
  forget(keyId: string): void
  clock: Clock
}

/** How keys come, are found, follow one another and retire. */
const openLife = ({ store, maker, info, forget, clock }: Life) => {
  const { make, versions, checked } = maker
  const active = new Map<string, { info: KeyInfo; readAt: number }>()

  const byAlias = async (alias: string): Promise<KeyInfo | undefined> => {
    const known = active.get(alias)
    if (known !== undefined && performance.now() - known.readAt < aliasCacheMs) return known.info
    const found = (await versions(alias)).filter(key => key.state === 'active').sort((a, b) => b.version - a.version)[0]
    if (found === undefined) active.delete(alias)
    else active.set(alias, { info: found, readAt: performance.now() })
    return found
  }
  const create: Keys['create'] = async ({ kind, alias }) => {
    const keyId = `${checked(alias)}.1`
    if ((await versions(alias)).length > 0) {
      throw new Refusal('conflict', 'key_taken', `There is a key ${alias} already; prepare its next version instead.`)
    }
    await make({ kind, alias, version: 1, state: 'active' })
    return info(keyId)
  }
  const prepare = async (alias: string): Promise<KeyInfo> => {
    const known = await versions(alias)
    const waiting = known.find(key => key.state === 'next')
    if (waiting !== undefined) return waiting
    const latest = known.sort((a, b) => b.version - a.version)[0]
    if (latest === undefined) throw unknownKey()
    await make({ kind: latest.kind, alias, version: latest.version + 1, state: 'next' })
    return info(`${alias}.${latest.version + 1}`)
  }
  const activate = async (keyId: string): Promise<KeyInfo> => {
    const next = await info(keyId)
    if (next.state === 'active') return next
    if (next.state === 'retired') {
      throw new Refusal('conflict', 'key_retired', 'A retired key does not come back; prepare a new version.')
    }
    const before = (await versions(next.alias)).filter(key => key.state === 'active')
    await switchTo(store, next, before, clock.now())
    for (const key of [next, ...before]) forget(key.keyId)
    active.delete(next.alias)
    return info(keyId)
  }
  const obtain: Keys['obtain'] = async wanted => {
    const existing = await byAlias(wanted.alias)
    if (existing === undefined) return create(wanted)
    if (existing.kind === wanted.kind) return existing
    throw new Refusal('conflict', 'key_taken', `The key ${wanted.alias} is a ${existing.kind} key.`)
  }
  return { create, obtain, prepare, activate, byAlias }
}

export type KeysOptions = VeramoStoreOptions & { masterKey: MasterKey; clock: Clock }

/**
 * The agency's keys.
 * @throws Refusal unavailable/master_key_wrong when the store is sealed under another master key.
 */
export const openKeys = async (options: KeysOptions): Promise<Keys> => {
  const { masterKey, clock } = options
  const seal = openSeal(masterKey)
  const store = await openVeramoStore(options)
  await assertMasterKey(store, seal).catch(async error => {
    await store.close()
    throw error
  })
  const privateKeys = new SealedPrivateKeyStore(store, seal)
  const manager = new KeyManager({
    store: new QueuedKeyStore(store),
    kms: { local: new KeyManagementSystem(privateKeys) },
  })
  const { hold, info, forget } = openHolder(store, seal)
  const { sign, signDigest } = openSigner(hold)
  const life = openLife({ store, maker: openMaker(store, manager, privateKeys, clock), info, forget, clock })
  return {
    ...life,
    info,
    list: () => listed(store),
    publicJwk: async keyId => (await info(keyId)).jwk,
    signer: { sign },
    signDigest,
    manager,
    store,
    close: () => store.close(),
  }
}
