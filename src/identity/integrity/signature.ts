import { verify } from 'node:crypto'
import { derOf } from '../ecdsa-form.ts'
import { fromBase58btc } from '../multibase.ts'
import type { ProofAlgorithm, ProofKey } from './suite.ts'

/** Hash functions by the strength of the key: SHA-256 for Ed25519 and P-256, SHA-384 for P-384. */
export type Digest = 'sha256' | 'sha384'
export const digestOf = (algorithm: ProofAlgorithm): Digest => (algorithm === 'ES384' ? 'sha384' : 'sha256')

const signatureLength: Partial<Record<ProofAlgorithm, number>> = { EdDSA: 64, ES256: 64, ES384: 96 }

/** The octets of a `proofValue` that is one signature; undefined for what is not multibase base58-btc of its length. */
export const readSignature = (proofValue: unknown, algorithm: ProofAlgorithm): Buffer | undefined => {
  const length = signatureLength[algorithm]
  if (typeof proofValue !== 'string' || length === undefined) return undefined
  const signature = fromBase58btc(proofValue, length)
  return signature?.length === length ? signature : undefined
}

/** Checks a signature on the thread pool, so that one process uses every core. */
export const signatureHolds = (data: Uint8Array, signature: Uint8Array, key: ProofKey): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const { publicKey, algorithm } = key
    if (publicKey === undefined) return resolve(false)
    const done = (error: Error | null, holds: boolean) => (error === null ? resolve(holds) : reject(error))
    if (algorithm === 'EdDSA') verify(null, data, publicKey, signature, done)
    else verify(digestOf(algorithm), data, publicKey, derOf(signature), done)
  })
