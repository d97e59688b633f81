import { hash } from 'node:crypto'
import { canonical } from '../../kernel/canonical.ts'
import { sameJson } from '../formats/json.ts'
import type { Digest } from './signature.ts'
import type { DataIntegrityProof, Unsecured } from './suite.ts'

/** What a suite that canonizes by RFC 8785 signs (3.3.3 to 3.3.5 of vc-di-eddsa and vc-di-ecdsa). */
export const jcsHashData = (document: Unsecured, proof: DataIntegrityProof, digest: Digest): Buffer => {
  const { proofValue: _, ...options } = proof
  return Buffer.concat([hash(digest, canonical(options), 'buffer'), hash(digest, canonical(document), 'buffer')])
}

/** The options of a proof with the context of what they secure (3.3.1 Create Proof, step 2). */
export const withContextOf = (document: Unsecured, proof: DataIntegrityProof): DataIntegrityProof =>
  document['@context'] === undefined ? { ...proof } : { ...proof, '@context': document['@context'] }

const contexts = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

/**
 * The document under the context that its proof was made for, to which others may have added since (3.3.2 Verify Proof,
 * step 4); undefined when the document's context does not begin with the proof's.
 */
export const underContextOf = (document: Unsecured, proof: DataIntegrityProof): Unsecured | undefined => {
  const proven = proof['@context']
  if (proven === undefined) return document
  const present = contexts(document['@context'])
  const isPrefix = contexts(proven).every((context, at) => at < present.length && sameJson(context, present[at]))
  return isPrefix ? { ...document, '@context': proven } : undefined
}
