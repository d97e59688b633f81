import { hash } from 'node:crypto'

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const sized = (bytes: Uint8Array): Buffer => Buffer.concat([uint32(bytes.length), bytes])

/** What a key is derived for (RFC 7518, section 4.6.2). @param tag of ECDH-1PU only (draft-madden-jose-ecdh-1pu-04, section 2.3) */
export type Derived = { algorithm: string; apu: Uint8Array; apv: Uint8Array; tag?: Uint8Array | undefined }

/** Concat KDF (NIST SP 800-56A, 5.8.1) with SHA-256, of which one round gives keys up to 256 bits. */
export const concatKdf = (secret: Uint8Array, keyBytes: number, { algorithm, apu, apv, tag }: Derived): Buffer => {
  const info = [sized(Buffer.from(algorithm)), sized(apu), sized(apv), uint32(keyBytes * 8)]
  const parts = [uint32(1), secret, ...info, ...(tag === undefined ? [] : [sized(tag)])]
  return hash('sha256', Buffer.concat(parts), 'buffer').subarray(0, keyBytes)
}
