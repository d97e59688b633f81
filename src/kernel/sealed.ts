import { createCipheriv, createDecipheriv, createSecretKey, KeyObject } from 'node:crypto'
import { randomBytes } from './entropy.ts'

const version = 1
const nonceBytes = 12
const tagBytes = 16

export type SealingKey = Uint8Array | KeyObject

/** Bytes as a key of their own first: handed over as they are, a message takes twice the time. */
const keyOf = (key: SealingKey): KeyObject => (key instanceof KeyObject ? key : createSecretKey(key))

/** JSON at rest under AES-256-GCM: version ‖ nonce ‖ ciphertext ‖ tag; opens under the same context only. */
export const sealJson = (key: SealingKey, value: unknown, context: string): Buffer => {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keyOf(key), nonce).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()])
  return Buffer.concat([Buffer.of(version), nonce, sealed, cipher.getAuthTag()])
}

/** The value, or `undefined` under another key or context, or when a bit was changed. */
export const openJson = <T>(key: SealingKey, sealed: Uint8Array, context: string): T | undefined => {
  const bytes = Buffer.from(sealed)
  if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== version) return undefined
  const nonce = bytes.subarray(1, 1 + nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', keyOf(key), nonce, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-tagBytes))
  try {
    const plain = Buffer.concat([decipher.update(bytes.subarray(1 + nonceBytes, -tagBytes)), decipher.final()])
    return JSON.parse(plain.toString('utf8')) as T
  } catch {
    return undefined
  }
}
