import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../kernel/refusal.ts'

/** A master key and where it came from. The bytes never leave this process. */
export type MasterKey = { bytes: Buffer; generated: boolean }

export type MasterKeySource = {
  /** The key itself: 32 bytes as hex or base64, e.g. from the environment. Goes before `file`. */
  value?: string | undefined
  /** A file that holds the same text. */
  file?: string | undefined
  /** Where a demo may generate one, if nothing else is given. */
  demoDirectory?: string | undefined
  /** In production a generated key is refused, whichever way it came. */
  production: boolean
}

/** Secrets at rest: each under its own data key, that key under the master key. */
export type Seal = {
  /** Names the master key without telling anything about it. */
  readonly keyId: string
  /** @param context what the secret belongs to; a sealed secret opens only under the same context. */
  seal(secret: Uint8Array, context: string): string
  /** @throws Refusal unavailable/master_key_wrong under another master key, unavailable/seal_broken otherwise. */
  open(sealed: string, context: string): Buffer
  /** The same secret under the master key of `to`; only the data key is encrypted anew. */
  rewrap(sealed: string, to: Seal): string
  /** For `rewrap`: encrypts a data key. */
  wrap(dataKey: Uint8Array): string
}

const demoMark = 'generated-for-the-demo:'
const version = 'cs1'

const encrypt = (key: Uint8Array, clear: Uint8Array, context: string): string => {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context))
  return Buffer.concat([iv, cipher.update(clear), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

const decrypt = (key: Uint8Array, text: string, context: string): Buffer => {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length < 28) throw broken()
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
  } catch {
    throw broken()
  }
}

const broken = (): Refusal =>
  new Refusal(
    'unavailable',
    'seal_broken',
    'A sealed secret was changed or moved; restore the key store from a backup.',
  )

const openedBy = (keyId: string): Refusal =>
  new Refusal('unavailable', 'master_key_wrong', `The secret is sealed under master key ${keyId}; give that one.`, {
    facts: { keyId },
  })

/** Seals and opens under one master key. */
export const openSeal = (masterKey: MasterKey): Seal => {
  const master = masterKey.bytes
  const keyId = createHmac('sha256', master).update('chancery master key id').digest('hex').slice(0, 16)
  const wrapContext = `${version}.${keyId}`
  const wrap = (dataKey: Uint8Array) => `${wrapContext}.${encrypt(master, dataKey, wrapContext)}`
  const unwrap = (sealed: string): { dataKey: Buffer; body: string } => {
    const [mark, sealedBy, wrapped, body, rest] = sealed.split('.')
    if (mark !== version || !sealedBy || !wrapped || !body || rest !== undefined) throw broken()
    if (sealedBy !== keyId) throw openedBy(sealedBy)
    return { dataKey: decrypt(master, wrapped, wrapContext), body }
  }
  return {
    keyId,
    wrap,
    seal(secret, context) {
      const dataKey = randomBytes(32)
      const sealed = `${wrap(dataKey)}.${encrypt(dataKey, secret, context)}`
      dataKey.fill(0)
      return sealed
    },
    open(sealed, context) {
      const { dataKey, body } = unwrap(sealed)
      const secret = decrypt(dataKey, body, context)
      dataKey.fill(0)
      return secret
    },
    rewrap(sealed, to) {
      const { dataKey, body } = unwrap(sealed)
      const moved = `${to.wrap(dataKey)}.${body}`
      dataKey.fill(0)
      return moved
    },
  }
}

/** Parses a master key as text: 64 hex digits or base64 (either alphabet) of exactly 32 bytes. */
export const parseMasterKey = (text: string): MasterKey => {
  const trimmed = text.trim()
  const generated = trimmed.startsWith(demoMark)
  const body = generated ? trimmed.slice(demoMark.length) : trimmed
  const isHex = /^[0-9a-fA-F]{64}$/.test(body)
  if (!isHex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(body)) {
    throw new Refusal('malformed', 'master_key_malformed', 'A master key is 32 bytes, written as hex or base64.')
  }
  return { bytes: Buffer.from(body, isHex ? 'hex' : 'base64'), generated }
}

const readKeyFile = (file: string): MasterKey => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new Refusal('unavailable', 'master_key_missing', `The master key file ${file} cannot be read.`)
  }
  return parseMasterKey(text)
}

/** The master key of a demo: made on first use, kept in `directory` with mode 0600 and marked as generated. */
export const demoMasterKey = (directory: string): MasterKey => {
  const file = join(directory, 'master.key')
  if (!existsSync(file)) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    // A whole file appears at once, and only one: a process killed in between leaves none.
    const draft = join(directory, `master.key.${randomBytes(6).toString('hex')}`)
    writeFileSync(draft, `${demoMark}${randomBytes(32).toString('base64url')}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    })
    try {
      linkSync(draft, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(draft)
    }
  }
  return readKeyFile(file)
}

/**
 * The master key from where the operator put it.
 * @throws Refusal unavailable/master_key_missing, malformed/master_key_malformed, rejected/master_key_generated.
 */
export const readMasterKey = (source: MasterKeySource): MasterKey => {
  const { value, file, demoDirectory, production } = source
  const given = value !== undefined ? parseMasterKey(value) : file !== undefined ? readKeyFile(file) : undefined
  if (given === undefined && (production || demoDirectory === undefined)) {
    throw new Refusal('unavailable', 'master_key_missing', 'Give a master key of 32 bytes by file or environment.')
  }
  const key = given ?? demoMasterKey(demoDirectory as string)
  if (production && key.generated) {
    throw new Refusal(
      'rejected',
      'master_key_generated',
      'A master key generated for the demo is no key for production.',
    )
  }
  return key
}
