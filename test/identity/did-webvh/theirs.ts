import { createPublicKey, sign, verify } from 'node:crypto'
import { AbstractCrypto, prepareDataForSigning } from 'didwebvh-ts'
import { toBase58btc } from '../../../src/identity/multibase.ts'
import type { TestKey } from './maker.ts'

/** The cryptography that didwebvh-ts wants to be given. */

/** The library's own types cannot be found by its paths. */
export type DIDLog = { versionId: string; state: Record<string, unknown> & { id?: string }; proof?: unknown }[]
type SigningInput = { document: unknown; proof: object }

export const verifier = {
  async verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }
    return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature)
  },
}

export class Theirs extends AbstractCrypto {
  readonly #key: TestKey
  constructor(key: TestKey) {
    super({ verificationMethod: { type: 'Multikey', publicKeyMultibase: key.multikey } })
    this.#key = key
  }
  async sign({ document, proof }: SigningInput) {
    const data = await prepareDataForSigning(document, proof)
    return { proofValue: toBase58btc(sign(null, data, this.#key.privateKey)) }
  }
  verify = verifier.verify
}

export const linesOf = (log: DIDLog): Buffer => Buffer.from(log.map(entry => `${JSON.stringify(entry)}\n`).join(''))
export const parsed = (log: Buffer | string): DIDLog =>
  log
    .toString()
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as DIDLog[number])
