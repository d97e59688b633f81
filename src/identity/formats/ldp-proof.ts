import { Refusal } from '../../kernel/refusal.ts'
import { ecdsaJcs2019, ecdsaRdfc2019 } from '../integrity/ecdsa.ts'
import { eddsaJcs2022, eddsaRdfc2022 } from '../integrity/eddsa.ts'
import { malformedProof, type ReadProof, readProof } from '../integrity/proof.ts'
import { readSignature } from '../integrity/signature.ts'
import type { Cryptosuite, ProofAlgorithm } from '../integrity/suite.ts'
import type { Signature } from './format.ts'

/** Suites whose proof is one signature over the whole document. */
const suites = new Map([ecdsaRdfc2019, ecdsaJcs2019, eddsaRdfc2022, eddsaJcs2022].map(suite => [suite.name, suite]))

const suiteOf = ({ proof, suite: name }: ReadProof): Cryptosuite => {
  const suite = proof['type'] === 'DataIntegrityProof' ? suites.get(name) : undefined
  if (suite !== undefined) return suite
  const known = [...suites.keys()].join(', ')
  throw new Refusal('rejected', 'cryptosuite_unknown', `The proof is a DataIntegrityProof with one of ${known}.`)
}

/** The algorithm by the length of the signature: one suite serves two curves. */
const algorithmOf = (suite: Cryptosuite, proofValue: unknown): ProofAlgorithm => {
  const algorithm = suite.algorithms.find(each => readSignature(proofValue, each) !== undefined)
  if (algorithm === undefined)
    throw malformedProof('The proofValue is not a signature of its suite in base58-btc (z…).')
  return algorithm
}

/** The proof of a document, and the same as the signature that the other formats have. Nothing of it is believed yet. */
export type OpenedProof = { read: ReadProof; signature: Signature }

/** Names that say nothing in RDF, or the same as a term, would be covered by no proof over it. */
const isPlain = ([name, value]: [string, unknown]): boolean =>
  name === '@context' || (!/[@:]/.test(name) && value !== null)

const onlyProof = (proof: unknown): ReadProof => {
  if (Array.isArray(proof)) throw malformedProof('The document carries exactly one proof here, not a list of them.')
  const read = readProof(proof)
  if (!Object.entries(read.proof).every(isPlain))
    throw malformedProof('A member of the proof is null, a keyword or an IRI.')
  return read
}

/**
 * Reads the proof of a document that has to carry exactly one (Data Integrity 1.0, sections 2.1 and 4.4).
 * @throws Refusal malformed/proof_malformed, rejected/proof_purpose, rejected/proof_chain_broken, rejected/cryptosuite_unknown
 */
export const openProof = (
  document: Record<string, unknown>,
  proofPurpose: 'assertionMethod' | 'authentication',
): OpenedProof => {
  const { proof, ...unsecured } = document
  const read = onlyProof(proof)
  if (read.proofPurpose !== proofPurpose) {
    throw new Refusal('rejected', 'proof_purpose', `The proof of the document is not for ${proofPurpose}.`)
  }
  if (read.previousProof.length > 0) {
    throw new Refusal('rejected', 'proof_chain_broken', 'The proof follows another, which the document does not carry.')
  }
  const suite = suiteOf(read)
  const signature: Signature = {
    kid: read.verificationMethod,
    algorithm: algorithmOf(suite, read.proof['proofValue']),
    // What these suites verify with is the key object; its octets are for suites that node:crypto does not know.
    holds: ({ publicKey, algorithm }) =>
      suite.verify(unsecured, read.proof, { publicKey, algorithm, raw: new Uint8Array() }),
  }
  return { read, signature }
}
