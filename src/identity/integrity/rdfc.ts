import { hash } from 'node:crypto'
import { canonize } from '../linked-data/canonize.ts'
import type { Quad } from '../linked-data/quads.ts'
import { toQuads } from '../linked-data/rdf.ts'
import { assertDocumentAsRead, assertProofAsRead } from './as-read.ts'
import type { Digest } from './signature.ts'
import type { DataIntegrityProof, Unsecured } from './suite.ts'

/** The proof without its value, under the context of the document (3.2.5 Proof Configuration of vc-di-eddsa, vc-di-ecdsa). */
export const proofConfig = (document: Unsecured, proof: DataIntegrityProof): DataIntegrityProof => {
  const { proofValue: _, ...options } = proof
  return { ...options, '@context': document['@context'] }
}

/**
 * The statements of a proof's configuration.
 * @throws Refusal malformed/proof_malformed where they are not what the proof is read as, and what the document is refused with
 */
export const configQuads = (document: Unsecured, proof: DataIntegrityProof): Quad[] => {
  const quads = toQuads(proofConfig(document, proof))
  assertProofAsRead(proof, quads)
  return quads
}

/**
 * The statements of a document.
 * @throws Refusal malformed/credential_malformed where they are not what the document is read as, and what it is refused with
 */
export const documentQuads = (document: Unsecured): Quad[] => {
  const quads = toQuads(document)
  assertDocumentAsRead(document, quads)
  return quads
}

const digestOfGraph = (quads: readonly Quad[], digest: Digest): Buffer =>
  hash(digest, canonize(quads, { hash: digest }).lines.join(''), 'buffer')

/**
 * What a suite that canonizes by RDFC-1.0 signs (3.2.3 Transformation and 3.2.4 Hashing of vc-di-eddsa and vc-di-ecdsa):
 * the digest of the proof's configuration, then that of the document.
 * The vectors of vc-di-ecdsa (A.4) canonize for P-384 with SHA-384 as well.
 * @throws Refusal rejected/context_unknown, rejected/term_unknown, rejected/term_redefined, rejected/document_poisonous,
 * malformed/credential_malformed, malformed/proof_malformed
 */
export const rdfcHashData = (document: Unsecured, proof: DataIntegrityProof, digest: Digest): Buffer =>
  Buffer.concat([digestOfGraph(configQuads(document, proof), digest), digestOfGraph(documentQuads(document), digest)])
