import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { canonical } from '../../kernel/canonical.ts'
import { recordDamaged } from './errors.ts'

const sealVersion = 1
const nonceBytes = 12
const tagBytes = 16
export const keyBytes = 32

export const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()

const subkey = (key: Uint8Array, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', `chancery wallet v1 ${purpose}`, keyBytes))

/**
 * AES-256-GCM: version ‖ nonce ‖ ciphertext ‖ tag.
 * @param context what the ciphertext stands for; it opens under the same context only.
 */
export const sealBytes = (key: Uint8Array, plain: Uint8Array, context: string): Buffer => {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(sealVersion), nonce, sealed, cipher.getAuthTag()])
}

/** The plain bytes, or `undefined` under another key or context, or when a bit was changed. */
export const openBytes = (key: Uint8Array, sealed: Uint8Array, context: string): Buffer | undefined => {
  const bytes = Buffer.from(sealed)
  if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== sealVersion) return undefined
  const nonce = bytes.subarray(1, 1 + nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes)), decipher.final()])
  } catch {
    return undefined
  }
}

/** What a wrapped store key is bound to: one citizen, or one session of one citizen. */
export const wrapContext = (citizen: string, session = ''): string => `store key|${citizen}|${session}`

/** The key under which a session wraps the store key: from the secret in the token, which is stored nowhere. */
export const sessionKey = (secret: string): Buffer => subkey(Buffer.from(secret), 'session')

/** One citizen's records: sealed and opened with keys derived from the store key. */
export type Vault = {
  citizen: string
  seal(table: string, id: string, value: unknown): Buffer
  /** @throws Refusal unavailable/record_damaged when a row was changed, or moved from another place. */
  open<T>(table: string, id: string, sealed: Uint8Array): T
  /** Finds a value again without storing it: the same for the same citizen and value, meaningless to others. */
  tag(kind: string, value: string): Buffer
  /** What the journal may keep of an input: a keyed digest, so that nobody can guess the input from it. */
  evidence(input: unknown): { keyed: string }
}

export const openVault = (storeKey: Uint8Array, citizen: string): Vault => {
  const records = subkey(storeKey, 'records')
  const tags = subkey(storeKey, 'tags')
  const context = (table: string, id: string): string => `${table}|${citizen}|${id}`
  const keyed = (text: string): Buffer => createHmac('sha256', tags).update(text).digest()
  return {
    citizen,
    seal: (table, id, value) => sealBytes(records, Buffer.from(JSON.stringify(value)), context(table, id)),
    open: <T>(table: string, id: string, sealed: Uint8Array) => {
      const plain = openBytes(records, sealed, context(table, id))
      if (plain === undefined) throw recordDamaged()
      return JSON.parse(plain.toString('utf8')) as T
    },
    tag: (kind, value) => keyed(`${kind}|${value}`),
    evidence: input => ({ keyed: keyed(`evidence|${canonical(input)}`).toString('hex') }),
  }
}
