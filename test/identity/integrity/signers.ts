import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { KeyOf } from '../../../src/identity/integrity/proofs.ts'
import type { ProofSigner } from '../../../src/identity/integrity/suite.ts'
import { privateKeyFromRaw, publicKeyFromJwk, rawPublicKey } from '../../../src/identity/key-material.ts'
import { fromBase58btc } from '../../../src/identity/multibase.ts'
import { fromMultikey, toMultikey } from '../../../src/identity/multikey.ts'

export type Document = Record<string, unknown>
export type KeyPair = { publicKeyMultibase: string; secretKeyMultibase?: string; privateKeyMultibase?: string }
export type SuiteVector = {
  name: string
  section: string
  key: KeyPair
  canonicalDocument: string
  documentHash: string
  proofConfig: Document
  canonicalProof: string
  proofHash: string
  hashData: string
  signature: string
  signed: Document & { proof: Document }
}

export const readVectors = <Vectors>(name: string): Vectors =>
  JSON.parse(readFileSync(new URL(`vectors/${name}.json`, import.meta.url), 'utf8')) as Vectors

const curves = { Ed25519: 'Ed25519', 'P-256': 'P-256', 'P-384': 'P-384' } as const
export type Curve = keyof typeof curves

const generated = (curve: Curve | 'P-521'): KeyObject =>
  curve === 'Ed25519'
    ? generateKeyPairSync('ed25519').privateKey
    : generateKeyPairSync('ec', { namedCurve: curve }).privateKey

const signerWith = (privateKey: KeyObject): ProofSigner & { multikey: string; did: string; privateKey: KeyObject } => {
  const key = publicKeyFromJwk(createPublicKey(privateKey).export({ format: 'jwk' }))
  const multikey = toMultikey({ kind: key.kind, raw: rawPublicKey(key) })
  const did = `did:key:${multikey}`
  const digests = { EdDSA: null, ES256: 'sha256', ES256K: 'sha256', ES384: 'sha384', ES512: 'sha512', BBS: null }
  const digest = digests[key.algorithm]
  return {
    multikey,
    did,
    privateKey,
    verificationMethod: `${did}#${multikey}`,
    algorithm: key.algorithm,
    sign: async data => sign(digest, data, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  }
}

/** A signer with a new key, under its did:key. */
export const newSigner = (curve: Curve | 'P-521') => signerWith(generated(curve))

/** The signer of a published key pair. */
export const signerOf = (pair: KeyPair) => {
  const secret = fromBase58btc(pair.secretKeyMultibase ?? pair.privateKeyMultibase ?? '', 50)
  const { kind } = fromMultikey(pair.publicKeyMultibase)
  if (kind === 'BLS12-381-G2' || secret === undefined) throw new Error('no key that node:crypto signs with')
  return signerWith(privateKeyFromRaw(kind, secret.subarray(2)))
}

/** Reads the key out of a did:key, which is controlled by itself. */
export const keyOf: KeyOf = async verificationMethod => {
  const [controller = '', multikey = ''] = verificationMethod.split('#')
  return { ...fromMultikey(multikey), controller }
}
