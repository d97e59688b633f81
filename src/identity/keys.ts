import { createHash, diffieHellman, type JsonWebKey, type KeyObject, sign as signNative } from 'node:crypto'
import { Key, PrivateKey } from '@veramo/data-store'
import { KeyManager } from '@veramo/key-manager'
import { KeyManagementSystem } from '@veramo/kms-local'
import secp256k1 from 'secp256k1'
import type { Clock, SignatureAlgorithm, Signer } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { type BbsSigned, bbsSign } from './bbs.ts'
import { rawOf } from './ecdsa-form.ts'
import { checkedAlias, type KeyMeta, type KeyState, kindOfType, openMaker, type StoredKind } from './key-making.ts'
import { compressed, privateKeyFromRaw, publicKeyFromRaw, secretLength, thumbprintOf } from './key-material.ts'
import { type MasterKey, openSeal, type Seal } from './seal.ts'
import {
  openVeramoStore,
  QueuedKeyStore,
  SealedPrivateKeyStore,
  sealContext,
  type VeramoStore,
  type VeramoStoreOptions,
} from './veramo-store.ts'

export type KeyInfo = {
  /** `<alias>.<version>`; Veramo's `kid`. */
  keyId: string
  alias: string
  version: number
  state: KeyState
  kind: StoredKind
  algorithm: SignatureAlgorithm
  /** Of BLS12-381 as OKP with the compressed point, for its thumbprint: no JOSE algorithm uses it. */
  jwk: JsonWebKey
  thumbprint: string
  /** Raw, lower-case hex without 0x: 32 bytes for Ed25519, for the curves the compressed point: 33 bytes, P-384 49, P-521 67, BLS12-381 G2 96. */
  publicKeyHex: string
  createdAt: number
  retiredAt?: number
}

/** A recoverable secp256k1 signature for a chain account: 0x-prefixed 32-byte words, v 27 or 28, low s. */
export type DigestSignature = { r: string; s: string; v: number }
export type DigestSigner = { signDigest(keyId: string, digest: Uint8Array): Promise<DigestSignature> }

/** Signs lists of messages with a BLS12-381 key. */
export type MessageSigner = { signMessages(keyId: string, signed: BbsSigned): Promise<Uint8Array> }

export type Keys = DigestSigner &
  MessageSigner & {
    /** @throws Refusal conflict/key_taken when the alias has a key already. */
    create(wanted: { kind: StoredKind; alias: string }): Promise<KeyInfo>
    /** The active key of the alias, made now if there is none: what a start calls, again and again. */
    obtain(wanted: { kind: StoredKind; alias: string }): Promise<KeyInfo>
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
    /** What a key for key agreement (`didcomm-…`) and another's on its curve both lead to. @throws Refusal algorithm_mismatch */
    agree(keyId: string, theirs: KeyObject): Promise<Buffer>
    /** Veramo's key manager over the same keys, for the agent. */
    manager: KeyManager
    store: VeramoStore
    close(): Promise<void>
  }

/** `privateKey` where node:crypto signs, `secret` where it does not. */
type Held = { info: KeyInfo; privateKey: KeyObject | undefined; secret: Buffer | undefined }

/** How long another process's rotation may stay unseen. */
const aliasCacheMs = 5_000

const unknownKey = (): Refusal => new Refusal('not_found', 'key_unknown', 'There is no such key in the key store.')

const describedBy = (
  kind: StoredKind,
  raw: Buffer,
): Pick<KeyInfo, 'kind' | 'algorithm' | 'jwk' | 'thumbprint' | 'publicKeyHex'> => {
  if (kind === 'BLS12-381-G2') {
    const jwk = { kty: 'OKP', crv: 'Bls12381G2', x: raw.toString('base64url') }
    return { kind, algorithm: 'BBS', jwk, thumbprint: thumbprintOf(jwk), publicKeyHex: raw.toString('hex') }
  }
  const { algorithm, jwk, thumbprint } = publicKeyFromRaw(kind, raw)
  return { kind, algorithm, jwk, thumbprint, publicKeyHex: compressed(kind, raw).toString('hex') }
}

/** A row of Veramo's as ours; keys that Veramo made for its own users carry their `kid` as alias. */
const infoOf = (row: Key): KeyInfo | undefined => {
  const kind = kindOfType[row.type]
  if (kind === undefined) return undefined
  const meta = (row.meta ?? {}) as KeyMeta
  const raw = Buffer.from(row.publicKeyHex, 'hex')
  return {
    keyId: row.kid,
    alias: meta.alias ?? row.kid,
    version: meta.version ?? 1,
    state: meta.state ?? 'active',
    ...describedBy(kind, raw),
    createdAt: meta.createdAt ?? 0,
    ...(meta.retiredAt === undefined ? {} : { retiredAt: meta.retiredAt }),
  }
}

/** RFC 7518, section 3.4: octets of a number, and the hash function, of curves above P-256. */
const stronger: Partial<Record<StoredKind, { size: 48 | 66; digest: string }>> = {
  'P-384': { size: 48, digest: 'sha384' },
  'P-521': { size: 66, digest: 'sha512' },
}

/** Signs on the thread pool with the key object that is held; secp256k1 natively, because OpenSSL's is slow. */
const signWith = ({ info, secret, privateKey }: Held, data: Uint8Array): Promise<Uint8Array> => {
  if (privateKey === undefined) {
    const digest = createHash('sha256').update(data).digest()
    return Promise.resolve(secp256k1.ecdsaSign(digest, secret as Buffer).signature)
  }
  return new Promise((resolve, reject) => {
    const isEdwards = info.kind === 'Ed25519'
    const { size, digest } = stronger[info.kind] ?? { size: 32, digest: 'sha256' }
    signNative(isEdwards ? null : digest, data, privateKey, (error, signature) =>
      error === null ? resolve(isEdwards ? signature : rawOf(signature, size)) : reject(error),
    )
  })
}

const word = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`

/** Finds a key fit to sign, from memory where it can. */
type Holder = (keyId: string) => Held | Promise<Held>

const openSigner = (hold: Holder): Signer & DigestSigner & MessageSigner => {
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
      if (algorithm === 'BBS') {
        throw new Refusal('rejected', 'algorithm_mismatch', 'BBS signs a list of messages, not one text.')
      }
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
    async signMessages(keyId, signed) {
      const { info, secret } = usable(await hold(keyId), 'BBS')
      return bbsSign({ ...signed, secretKey: secret as Buffer, publicKey: Buffer.from(info.publicKeyHex, 'hex') })
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
    const { kind } = found
    // Veramo stores an Ed25519 key as seed and public key.
    const secret = Buffer.from(stored.subarray(0, kind === 'BLS12-381-G2' ? 32 : secretLength[kind]))
    stored.fill(0)
    const isOurs = kind === 'secp256k1' || kind === 'BLS12-381-G2'
    const privateKey = isOurs ? undefined : privateKeyFromRaw(kind, secret)
    if (!isOurs) secret.fill(0)
    const loaded = { info: found, privateKey, secret: isOurs ? secret : undefined }
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
const versionsOf = async (store: VeramoStore, alias: string): Promise<KeyInfo[]> =>
  (await listed(store)).filter(key => key.alias === alias)

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
  const { make } = maker
  const active = new Map<string, { info: KeyInfo; readAt: number }>()

  const byAlias = async (alias: string): Promise<KeyInfo | undefined> => {
    const known = active.get(alias)
    if (known !== undefined && performance.now() - known.readAt < aliasCacheMs) return known.info
    const found = (await versionsOf(store, alias))
      .filter(key => key.state === 'active')
      .sort((a, b) => b.version - a.version)[0]
    if (found === undefined) active.delete(alias)
    else active.set(alias, { info: found, readAt: performance.now() })
    return found
  }
  const create: Keys['create'] = async ({ kind, alias }) => {
    const keyId = `${checkedAlias(alias)}.1`
    if ((await versionsOf(store, alias)).length > 0) {
      throw new Refusal('conflict', 'key_taken', `There is a key ${alias} already; prepare its next version instead.`)
    }
    await make({ kind, alias, version: 1, state: 'active' })
    return info(keyId)
  }
  const prepare = async (alias: string): Promise<KeyInfo> => {
    const known = await versionsOf(store, alias)
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
    const before = (await versionsOf(store, next.alias)).filter(key => key.state === 'active')
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
  const keyRows = new QueuedKeyStore(store)
  const manager = new KeyManager({
    store: keyRows,
    kms: { local: new KeyManagementSystem(privateKeys) },
  })
  const { hold, info, forget } = openHolder(store, seal)
  const { sign, signDigest, signMessages } = openSigner(hold)
  const life = openLife({
    store,
    maker: openMaker({ store, manager, keyRows, privateKeys, clock }),
    info,
    forget,
    clock,
  })
  return {
    ...life,
    info,
    list: () => listed(store),
    publicJwk: async keyId => (await info(keyId)).jwk,
    signer: { sign },
    async agree(keyId, theirs) {
      const { info: own, privateKey } = await hold(keyId)
      if (privateKey !== undefined && own.alias.startsWith('didcomm-')) {
        return diffieHellman({ privateKey, publicKey: theirs })
      }
      throw new Refusal('rejected', 'algorithm_mismatch', 'This key is not for key agreement.')
    },
    signDigest,
    signMessages,
    manager,
    store,
    close: () => store.close(),
  }
}
