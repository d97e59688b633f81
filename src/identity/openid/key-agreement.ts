import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { concatKdf } from '../concat-kdf.ts'

/**
 * What opens a message by ECDH-ES (RFC 7518 section 4.6). By node itself: through the Web Cryptography that a library has to use, each
 * message took three times the time (0.86 ms against 0.25 ms on one core), and every answer of a wallet is one.
 */

const ciphers = {
  A128GCM: { name: 'aes-128-gcm', keyBytes: 16 },
  A256GCM: { name: 'aes-256-gcm', keyBytes: 32 },
} as const

const ivBytes = 12
const tagBytes = 16

const privateKeys = new WeakMap<JsonWebKey, KeyObject>()

/** Whoever made a key has it already: to read it again takes as long as to make it. */
export const rememberPrivateKey = (jwk: JsonWebKey, key: KeyObject): void => void privateKeys.set(jwk, key)

const privateKeyOf = (jwk: JsonWebKey): KeyObject => {
  const known = privateKeys.get(jwk)
  if (known !== undefined) return known
  const { kty, crv, x, y, d } = jwk
  const key = createPrivateKey({ key: { kty, crv, x, y, d } as JsonWebKey, format: 'jwk' })
  privateKeys.set(jwk, key)
  return key
}

/** Strict: what another reader could take for other bytes is not taken. */
const bytesOf = (segment: string): Buffer => {
  const bytes = Buffer.from(segment, 'base64url')
  if (bytes.toString('base64url') !== segment) throw new Error('a part is not base64url')
  return bytes
}

/**
 * The plain bytes of a compact JWE.
 * @param header already judged: `enc` is one of the two, `apu` and `apv` are texts where they are there.
 * @throws Error for whatever does not open; a point that is not on the curve does not either.
 */
export const openByAgreement = (
  compact: string,
  header: { enc: keyof typeof ciphers; epk?: unknown; apu?: string; apv?: string },
  key: JsonWebKey,
): Buffer => {
  const [head = '', wrapped, iv = '', sealed = '', tag = ''] = compact.split('.')
  const { kty, crv, x, y } = (header.epk ?? {}) as JsonWebKey
  if (wrapped !== '' || kty !== 'EC' || crv !== 'P-256')
    throw new Error('a key is agreed on P-256, and none is wrapped')
  const publicKey = createPublicKey({ key: { kty, crv, x, y } as JsonWebKey, format: 'jwk' })
  const secret = diffieHellman({ privateKey: privateKeyOf(key), publicKey })
  const parties = { apu: bytesOf(header.apu ?? ''), apv: bytesOf(header.apv ?? '') }
  const [nonce, mark] = [bytesOf(iv), bytesOf(tag)]
  if (nonce.length !== ivBytes || mark.length !== tagBytes) throw new Error('an IV has 96 bits and a tag 128')
  const { name, keyBytes } = ciphers[header.enc]
  const derived = concatKdf(secret, keyBytes, { algorithm: header.enc, ...parties })
  const cipher = createDecipheriv(name, createSecretKey(derived), nonce, { authTagLength: tagBytes })
  cipher.setAAD(Buffer.from(head, 'latin1')).setAuthTag(mark)
  return Buffer.concat([cipher.update(bytesOf(sealed)), cipher.final()])
}
