import { createECDH, createHash, createPrivateKey, sign as signBytes } from 'node:crypto'
import secp256k1 from 'secp256k1'
import { type OwnerKey, schemes } from '../../src/kernel/ledger-entry.ts'

/** Keys of the bench's customers: some thousands of real ones, which its million accounts share in turn. */

export const keyCount = 2_000

export type Signer = {
  key: OwnerKey
  /** @returns the 64 bytes in hex: EIP-2098 for secp256k1, r‖s with a low s for P-256. */
  sign(digest: Uint8Array): string
}

const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const seedOf = (index: number): Buffer => createHash('sha256').update(`bench key ${index}`).digest()

const pointOf = (compressed: Uint8Array): Pick<OwnerKey, 'prefix' | 'x'> => ({
  prefix: compressed[0] ?? 0,
  x: Buffer.from(compressed.subarray(1)).toString('hex'),
})

const secp256k1Signer = (seed: Buffer): Signer => ({
  key: { scheme: schemes.secp256k1, ...pointOf(secp256k1.publicKeyCreate(seed, true)) },
  sign(digest) {
    const { signature, recid } = secp256k1.ecdsaSign(digest, seed)
    const compact = Buffer.from(signature)
    if (recid === 1) compact[32] = (compact[32] ?? 0) | 0x80
    return compact.toString('hex')
  },
})

const p256Signer = (seed: Buffer): Signer => {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(seed)
  const open = ecdh.getPublicKey()
  const part = (from: number) => open.subarray(from, from + 32).toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', x: part(1), y: part(33), d: seed.toString('base64url') }
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return {
    key: { scheme: schemes['P-256'], prefix: 2 + ((open[64] ?? 0) & 1), x: open.toString('hex', 1, 33) },
    sign(digest) {
      const raw = signBytes('sha256', digest, { key, dsaEncoding: 'ieee-p1363' })
      const s = BigInt(`0x${raw.toString('hex', 32)}`)
      const low = s > p256Order / 2n ? p256Order - s : s
      return raw.toString('hex', 0, 32) + low.toString(16).padStart(64, '0')
    },
  }
}

/** Even ones are secp256k1, odd ones P-256; the same for the same index. */
export const signerAt = (index: number): Signer =>
  index % 2 === 0 ? secp256k1Signer(seedOf(index)) : p256Signer(seedOf(index))
