import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { concatKdf } from '../concat-kdf.ts'
import { type Agree, agreementJwk, curves, ephemeralKey, type PublicAgreementKey } from './agreement-keys.ts'

/**
 * Encrypted messages of DIDComm v2.1 (Security): JWE in the general JSON form, keys wrapped by ECDH-1PU+A256KW
 * (draft-madden-jose-ecdh-1pu-04) where the sender is proven and by ECDH-ES+A256KW (RFC 7518, section 4.6) where not,
 * content by A256CBC-HS512, or A256GCM where nobody is proven; over X25519, P-384 or P-256.
 */

export type Jwe = {
  protected: string
  iv: string
  ciphertext: string
  tag: string
  recipients: { encrypted_key: string; header: { kid: string } }[]
}

/** Of A256KW. */
const wrappingBytes = 32
const half = 32

const wrapIv = Buffer.alloc(8, 0xa6)
/** AES Key Wrap (RFC 3394). */
const wrap = (kek: Uint8Array, key: Uint8Array): Buffer => {
  const cipher = createCipheriv('id-aes256-wrap', kek, wrapIv)
  return Buffer.concat([cipher.update(key), cipher.final()])
}
const unwrap = (kek: Uint8Array, wrapped: Uint8Array): Buffer => {
  const decipher = createDecipheriv('id-aes256-wrap', kek, wrapIv)
  return Buffer.concat([decipher.update(wrapped), decipher.final()])
}

/** A256CBC-HS512 (RFC 7518, section 5.2.5). */
const macOf = (key: Uint8Array, aad: Buffer, iv: Uint8Array, ciphertext: Uint8Array): Buffer => {
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(aad.length) * 8n)
  const mac = createHmac('sha512', key.subarray(0, half))
  return mac
    .update(Buffer.concat([aad, iv, ciphertext, length]))
    .digest()
    .subarray(0, half)
}

const encrypted = (key: Uint8Array, plaintext: Uint8Array, aad: Buffer) => {
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', key.subarray(half), iv)
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return { iv, ciphertext, tag: macOf(key, aad, iv, ciphertext) }
}

const decrypted = (key: Uint8Array, { iv, ciphertext, tag }: Sealed, aad: Buffer): Buffer => {
  if (key.length !== 2 * half || iv.length !== 16 || tag.length !== half) throw new Error('lengths do not fit')
  if (!timingSafeEqual(macOf(key, aad, iv, ciphertext), tag)) throw new Error('the tag does not hold')
  const decipher = createDecipheriv('aes-256-cbc', key.subarray(half), iv)
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}

const decryptedGcm = (key: Uint8Array, { iv, ciphertext, tag }: Sealed, aad: Buffer): Buffer => {
  if (key.length !== half || iv.length !== 12 || tag.length !== 16) throw new Error('lengths do not fit')
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 }).setAAD(aad).setAuthTag(tag)
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}

type Sealed = { iv: Buffer; ciphertext: Buffer; tag: Buffer }

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const bytesOf = (encoded: string): Buffer => Buffer.from(encoded, 'base64url')

/** `apv`: the key ids of the recipients, sorted and joined by dots, hashed. */
export const recipientsInfo = (kids: readonly string[]): Buffer =>
  createHash('sha256')
    .update([...kids].sort().join('.'))
    .digest()

export type Sender = { kid: string; agree: Agree }

/** Encrypts to keys of one DID on one curve. @param sender none: nobody is told who sends (anoncrypt). */
export const sealJwe = async (
  plaintext: Uint8Array,
  to: readonly PublicAgreementKey[],
  sender: Sender | undefined,
): Promise<Jwe> => {
  const { publicKey: epk, agree } = ephemeralKey(to[0]?.curve ?? curves[0])
  const apv = recipientsInfo(to.map(({ kid }) => kid))
  const algorithm = sender === undefined ? 'ECDH-ES+A256KW' : 'ECDH-1PU+A256KW'
  const apu = Buffer.from(sender?.kid ?? '')
  const header = {
    ...{ typ: 'application/didcomm-encrypted+json', alg: algorithm, enc: 'A256CBC-HS512', epk: agreementJwk(epk) },
    ...{ apv: text(apv), ...(sender === undefined ? {} : { skid: sender.kid, apu: text(apu) }) },
  }
  const protectedHeader = text(Buffer.from(JSON.stringify(header)))
  const key = randomBytes(2 * half)
  const { iv, ciphertext, tag } = encrypted(key, plaintext, Buffer.from(protectedHeader, 'latin1'))
  const recipients = await Promise.all(
    to.map(async ({ kid, publicKey: theirs }) => {
      const secrets = [await agree(theirs), ...(sender === undefined ? [] : [await sender.agree(theirs)])]
      const kek = concatKdf(Buffer.concat(secrets), wrappingBytes, { algorithm, apu, apv, tag: sender && tag })
      return { encrypted_key: text(wrap(kek, key)), header: { kid } }
    }),
  )
  return { protected: protectedHeader, iv: text(iv), ciphertext: text(ciphertext), tag: text(tag), recipients }
}

/** What of the protected header the key is made of. */
export type WrapHeader = { encryption: string; epk: KeyObject; apu: string; apv: string }

/**
 * Opens what ECDH-1PU+A256KW wrapped, or ECDH-ES+A256KW where there is no sender.
 * @throws Error whatever does not hold
 */
export const openJwe = async (
  jwe: Jwe,
  { encryption, epk, apu, apv }: WrapHeader,
  recipient: { encryptedKey: string; agree: Agree },
  sender: KeyObject | undefined,
): Promise<Buffer> => {
  const sealed = { iv: bytesOf(jwe.iv), ciphertext: bytesOf(jwe.ciphertext), tag: bytesOf(jwe.tag) }
  const secrets = [await recipient.agree(epk), ...(sender === undefined ? [] : [await recipient.agree(sender)])]
  const algorithm = sender === undefined ? 'ECDH-ES+A256KW' : 'ECDH-1PU+A256KW'
  const party = { algorithm, apu: bytesOf(apu), apv: bytesOf(apv), tag: sender && sealed.tag }
  const kek = concatKdf(Buffer.concat(secrets), wrappingBytes, party)
  const key = unwrap(kek, bytesOf(recipient.encryptedKey))
  const aad = Buffer.from(jwe.protected, 'latin1')
  return encryption === 'A256GCM' ? decryptedGcm(key, sealed, aad) : decrypted(key, sealed, aad)
}
