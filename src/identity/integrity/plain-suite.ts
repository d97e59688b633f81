import { Refusal } from '../../kernel/refusal.ts'
import { toBase58btc } from '../multibase.ts'
import { jcsHashData, underContextOf, withContextOf } from './jcs.ts'
import { malformedProof } from './proof.ts'
import { rdfcHashData } from './rdfc.ts'
import { digestOf, readSignature, signatureHolds } from './signature.ts'
import type { Cryptosuite, ProofAlgorithm, ProofKey } from './suite.ts'

type Plain = { name: string; type?: string; algorithms: readonly ProofAlgorithm[] }

const assertFits = (suite: Plain, key: { algorithm: ProofAlgorithm }): void => {
  if (suite.algorithms.includes(key.algorithm)) return
  throw new Refusal('rejected', 'algorithm_mismatch', `${suite.name} is not made with a key for ${key.algorithm}.`)
}

const signatureOf = (suite: Plain, proofValue: unknown, key: ProofKey): Buffer => {
  assertFits(suite, key)
  const signature = readSignature(proofValue, key.algorithm)
  if (signature !== undefined) return signature
  throw malformedProof('The proofValue is not a signature of this suite in base58-btc (z…).')
}

/** A suite whose proofValue is one signature over the canonical RDF dataset (section 3.2 of vc-di-eddsa, vc-di-ecdsa). */
export const rdfcSuite = (suite: Plain): Cryptosuite => ({
  type: 'DataIntegrityProof',
  ...suite,
  async create(document, proof, signer) {
    assertFits(suite, signer)
    const signature = await signer.sign(rdfcHashData(document, proof, digestOf(signer.algorithm)))
    return { ...proof, proofValue: toBase58btc(signature) }
  },
  async verify(document, proof, key) {
    const signature = signatureOf(suite, proof['proofValue'], key)
    return signatureHolds(rdfcHashData(document, proof, digestOf(key.algorithm)), signature, key)
  },
})

/** A suite whose proofValue is one signature over the canonical JSON text (section 3.3 of vc-di-eddsa, vc-di-ecdsa). */
export const jcsSuite = (suite: Plain): Cryptosuite => ({
  type: 'DataIntegrityProof',
  ...suite,
  async create(document, proof, signer) {
    assertFits(suite, signer)
    const options = withContextOf(document, proof)
    const signature = await signer.sign(jcsHashData(document, options, digestOf(signer.algorithm)))
    return { ...options, proofValue: toBase58btc(signature) }
  },
  async verify(document, proof, key) {
    const signature = signatureOf(suite, proof['proofValue'], key)
    const proven = underContextOf(document, proof)
    if (proven === undefined) return false
    return signatureHolds(jcsHashData(proven, proof, digestOf(key.algorithm)), signature, key)
  },
})
