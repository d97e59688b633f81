import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import secp256k1 from 'secp256k1'
import type { TypedClaim } from '../kernel/ports.ts'
import { type Keccak, typedDigest, wordBytes } from '../kernel/typed-domain.ts'

/** How claims travel to the thread that verifies them, and how one is verified there. */

const keyBytes = 33
const signatureBytes = 64
/** Scheme, key, signature, number of words; the struct follows. */
const headBytes = 1 + keyBytes + signatureBytes + 1
const wordsMost = 255

const secp256k1Scheme = 1
const p256Scheme = 2

/** Whether a claim has the form of one at all; what has not is false without being looked at further. */
export const isWellFormed = ({ struct, scheme, key, signature }: TypedClaim): boolean =>
  (scheme === secp256k1Scheme || scheme === p256Scheme) &&
  (key[0] === 2 || key[0] === 3) &&
  key.length === keyBytes &&
  signature.length === signatureBytes &&
  struct.length > 0 &&
  struct.length % wordBytes === 0 &&
  struct.length <= wordsMost * wordBytes

/** @param claims all of them well formed. */
export const packClaims = (claims: readonly TypedClaim[]): ArrayBuffer => {
  const length = claims.reduce((sum, { struct }) => sum + headBytes + struct.length, 0)
  const bytes = new Uint8Array(length)
  let at = 0
  for (const { struct, scheme, key, signature } of claims) {
    bytes[at] = scheme
    bytes.set(key, at + 1)
    bytes.set(signature, at + 1 + keyBytes)
    bytes[at + headBytes - 1] = struct.length / wordBytes
    bytes.set(struct, at + headBytes)
    at += headBytes + struct.length
  }
  return bytes.buffer
}

/** The claims in the order in which they were packed, as views of the same bytes. */
export const unpackClaims = (packed: ArrayBuffer): TypedClaim[] => {
  const bytes = new Uint8Array(packed)
  const claims: TypedClaim[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + headBytes + (bytes[at + headBytes - 1] ?? 0) * wordBytes
    claims.push({
      scheme: bytes[at] ?? 0,
      key: bytes.subarray(at + 1, at + 1 + keyBytes),
      signature: bytes.subarray(at + 1 + keyBytes, at + 1 + keyBytes + signatureBytes),
      struct: bytes.subarray(at + headBytes, end),
    })
    at = end
  }
  return claims
}

const secp256k1HalfOrder = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex')
const p256HalfOrder = Buffer.from('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8', 'hex')

/**
 * EIP-2098: the top bit of the second word is the parity of y, the rest is s. Recovered and compared, so that the parity
 * counts too: a signature has one form.
 */
const isSecp256k1 = (digest: Uint8Array, key: Uint8Array, signature: Uint8Array): boolean => {
  const compact = Uint8Array.from(signature)
  const top = compact[32] ?? 0
  compact[32] = top & 0x7f
  if (Buffer.compare(compact.subarray(32), secp256k1HalfOrder) > 0) return false
  return Buffer.compare(secp256k1.ecdsaRecover(compact, top >> 7, digest), key) === 0
}

/** An INTEGER of DER at `at`, from 32 bytes. @returns where it ends. */
const writeInteger = (into: Uint8Array, at: number, bytes: Uint8Array): number => {
  let first = 0
  while (first < 31 && bytes[first] === 0) first += 1
  const padding = (bytes[first] ?? 0) >> 7
  const length = 32 - first + padding
  into[at] = 0x02
  into[at + 1] = length
  into[at + 2] = 0
  into.set(bytes.subarray(first), at + 2 + padding)
  return at + 2 + length
}

/** Node verifies DER three times as fast as the form r‖s. */
const derOf = (signature: Uint8Array): Uint8Array => {
  const der = new Uint8Array(72)
  const end = writeInteger(der, writeInteger(der, 2, signature.subarray(0, 32)), signature.subarray(32))
  der[0] = 0x30
  der[1] = end - 2
  return der.subarray(0, end)
}

/** SubjectPublicKeyInfo of a compressed P-256 point, up to the point. */
const p256Prefix = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex')

export type KeyMemory = { of(key: Uint8Array): KeyObject }

/**
 * Keys of those who pay often: opening one costs almost as much as verifying with it. At most twice `most` are kept, and
 * those that were not used for `most` others are forgotten.
 */
export const openKeyMemory = (most: number): KeyMemory => {
  let recent = new Map<string, KeyObject>()
  let older = new Map<string, KeyObject>()
  return {
    of: key => {
      const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
      const known = recent.get(name)
      if (known !== undefined) return known
      const spki = Buffer.concat([p256Prefix, key])
      const opened = older.get(name) ?? createPublicKey({ key: spki, format: 'der', type: 'spki' })
      if (recent.size >= most) {
        older = recent
        recent = new Map()
      }
      recent.set(name, opened)
      return opened
    },
  }
}

const isP256 = (digest: Uint8Array, key: Uint8Array, signature: Uint8Array, keys: KeyMemory): boolean => {
  if (Buffer.compare(signature.subarray(32), p256HalfOrder) > 0) return false
  return verify('sha256', digest, keys.of(key), derOf(signature))
}

export type ClaimVerifier = (claim: TypedClaim) => boolean

/** Never throws: what is no signature of the key is false. */
export const openClaimVerifier = (separator: Uint8Array, keccak: Keccak, keys: KeyMemory): ClaimVerifier => {
  return ({ struct, scheme, key, signature }) => {
    const digest = typedDigest(separator, struct, keccak)
    try {
      if (scheme === secp256k1Scheme) return isSecp256k1(digest, key, signature)
      return scheme === p256Scheme && isP256(digest, key, signature, keys)
    } catch {
      // A point that is not on the curve, a signature that nothing can be recovered from.
      return false
    }
  }
}
