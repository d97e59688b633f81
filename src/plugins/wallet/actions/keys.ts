import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Signer } from '../../../kernel/ports.ts'
import type { HeldFor } from '../credentials.ts'
import { holderKeyGone, holderKeyUnknown, walletFull } from '../errors.ts'
import type { HolderKey } from '../needs.ts'
import { idleKeysMost, requires } from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import type { Vault } from '../vault.ts'
import type { Desk } from './prove.ts'

/** A holder's key as it is sealed; `jwk` is the private key. */
export type KeyRecord = { did: string; heldFor: HeldFor; jwk: JsonWebKey }

export type StoredKey = KeyRecord & { id: string }

type KeyRow = Row & { id: string; sealed: Uint8Array }

const opened = (vault: Vault, row: KeyRow | undefined): StoredKey | undefined =>
  row === undefined ? undefined : { id: row.id, ...vault.open<KeyRecord>('wallet_keys', row.id, row.sealed) }

export const didTag = (vault: Vault, did: string): Buffer => vault.tag('did', did)

export const keyOfDid = async (desk: Desk, vault: Vault, did: string): Promise<StoredKey | undefined> => {
  const sql = 'SELECT id, sealed FROM wallet_keys WHERE citizen = ? AND did_tag = ?'
  const [row] = await desk.house.store.read<KeyRow>(sql, [vault.citizen, didTag(vault, did)])
  return opened(vault, row)
}

export const allKeys = async (desk: Desk, vault: Vault): Promise<StoredKey[]> => {
  const sql = 'SELECT id, sealed FROM wallet_keys WHERE citizen = ? ORDER BY id'
  const rows = await desk.house.store.read<KeyRow>(sql, [vault.citizen])
  return rows.flatMap(row => opened(vault, row) ?? [])
}

export const publicOf = ({ kty, crv, x, y }: JsonWebKey): JsonWebKey => ({ kty, crv, x, y }) as JsonWebKey

export const holderKey = ({ id, did }: StoredKey): HolderKey => ({
  did,
  kid: `${did}#${did.startsWith('did:key:') ? did.slice('did:key:'.length) : '0'}`,
  keyId: id,
  algorithm: 'ES256',
})

/** Signs with keys of an open vault only, for as long as one operation runs. */
export const signerOf = (keys: readonly StoredKey[]): Signer => ({
  sign: async (keyId, algorithm, data) => {
    const found = keys.find(key => key.id === keyId)
    if (found === undefined || algorithm !== 'ES256') throw new TypeError('the holder has no such key')
    const key = createPrivateKey({ key: found.jwk, format: 'jwk' })
    return signBytes('sha256', data, { key, dsaEncoding: 'ieee-p1363' })
  },
})

/** Whether the private and the public part belong together; a key from a file may be anything. */
export const isKeyPair = (jwk: JsonWebKey): boolean => {
  try {
    const probe = Buffer.from('probe')
    const signature = signBytes('sha256', probe, createPrivateKey({ key: jwk, format: 'jwk' }))
    return verifyBytes('sha256', probe, createPublicKey({ key: publicOf(jwk), format: 'jwk' }), signature)
  } catch {
    return false
  }
}

const answerOf = ({ id: keyId, did, heldFor }: StoredKey): Answer => ({ status: 201, body: { keyId, did, heldFor } })

/**
 * Makes a P-256 key for one credential to come; its did:key is what the issuer binds the credential to. A key for a
 * minor may take several credentials, because a guardian mandate names one identifier of the minor.
 */
export const createHolderKey = async (desk: Desk, context: Context): Promise<Answer> => {
  const { heldFor = 'self' } = (context.body ?? {}) as { heldFor?: HeldFor }
  const vault = vaultOf(context.caller)
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const record: KeyRecord = { did: desk.didOf(publicOf(jwk)), heldFor, jwk }
  const id = desk.newId()
  const made = await perform(desk.house, {
    operation: 'createHolderKey',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ heldFor }),
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const count = 'SELECT count(*) AS keys FROM wallet_keys WHERE citizen = ? AND used = 0'
      const [idle] = await tx.query<Row & { keys: number }>(count, [vault.citizen])
      if ((idle?.keys ?? 0) >= idleKeysMost) throw walletFull(idleKeysMost)
      const sealed = vault.seal('wallet_keys', id, record)
      tx.insert('wallet_keys', [{ id, citizen: vault.citizen, did_tag: didTag(vault, record.did), used: 0, sealed }])
      // Answers are remembered in the clear, so nothing but the id is one; the rest is read back through the vault.
      return { id }
    },
  })
  if (made.id === id) return answerOf({ id, ...record })
  const sql = 'SELECT id, sealed FROM wallet_keys WHERE id = ? AND citizen = ?'
  const [row] = await desk.house.store.read<KeyRow>(sql, [made.id, vault.citizen])
  const earlier = opened(vault, row)
  if (earlier === undefined) throw holderKeyGone()
  return answerOf(earlier)
}

/**
 * Proves a key to the agency that is to bind a credential to it, without a credential being shown. What is signed is
 * typed for that and is no presentation.
 * @throws Refusal holder_key_unknown
 */
export const proveHolderKey = async (desk: Desk, context: Context): Promise<Answer> => {
  const to = context.body as { audience: string; nonce: string }
  const id = context.params['key'] ?? ''
  const vault = vaultOf(context.caller)
  const sql = 'SELECT id, sealed FROM wallet_keys WHERE id = ? AND citizen = ?'
  const [row] = await desk.house.store.read<KeyRow>(sql, [id, vault.citizen])
  const key = opened(vault, row)
  if (key === undefined) throw holderKeyUnknown()
  await perform(desk.house, {
    operation: 'proveHolderKey',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ key: id, ...to }),
    act: async () => undefined,
  })
  const jwt = await desk.proveKey(holderKey(key), to, signerOf([key]), desk.house.clock.now())
  return { status: 200, body: { proof_type: 'jwt', jwt } }
}
