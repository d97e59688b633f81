import { Refusal } from '../../kernel/refusal.ts'
import { isRecord } from '../formats/json.ts'
import { underContextOf } from './jcs.ts'
import { malformedProof, proofsMost, type ReadProof, readProof, readProofs } from './proof.ts'
import type { CreateOptions, Cryptosuite, DataIntegrityProof, ProofKey, ProofSigner, Unsecured } from './suite.ts'
import { suiteNamed } from './suites.ts'

/** What a proof is to say. Dates are dateTimeStamps of XML Schema. */
export type ProofRequest = {
  suite: Cryptosuite
  signer: ProofSigner
  proofPurpose: string
  /** URL; what later proofs of a chain name. */
  id?: string
  created?: string
  expires?: string
  domain?: string | readonly string[]
  challenge?: string
  nonce?: string
  /** Ids of proofs of the document that this one covers as well. */
  previousProof?: string | readonly string[]
  create?: CreateOptions
}

/** What a verifier asks of every proof. */
export type Expected = {
  /** Milliseconds: proofs that have expired by then are refused. */
  now: number
  proofPurpose?: string
  /** The proof's domains are these and no others. */
  domain?: string | readonly string[]
  challenge?: string
}

/** The key of a verification method and who controls it. */
export type KeyOf = (verificationMethod: string, proofPurpose: string) => Promise<ProofKey & { controller: string }>

/** A proof that holds. Times are milliseconds. */
export type HeldProof = Omit<ReadProof, 'proof'> & { controller: string }

export type VerifiedDocument = {
  /**
   * What the proofs secure, without them. Where a proof was made before contexts were added to the document, its context
   * is the one that every proof covers.
   */
  document: Unsecured
  /** In the order of the document. */
  proofs: HeldProof[]
}

const depthMost = 64

const brokenChain = (detail: string): Refusal => new Refusal('rejected', 'proof_chain_broken', detail)
const malformedDocument = (detail: string): Refusal => new Refusal('malformed', 'credential_malformed', detail)

/** Refuses what two readers could understand, or canonize, differently (RFC 8785, section 3.1 with RFC 7493). */
const assertReadable = (value: unknown, depth = 0): void => {
  if (typeof value === 'string' && !value.isWellFormed()) throw malformedDocument('A text holds half a surrogate pair.')
  if (typeof value === 'number' && !Number.isFinite(value)) throw malformedDocument('A number is too large.')
  if (typeof value !== 'object' || value === null) return
  if (depth > depthMost) throw malformedDocument('The document is nested too deep.')
  if (Array.isArray(value)) {
    for (const item of value) assertReadable(item, depth + 1)
    return
  }
  for (const [name, member] of Object.entries(value)) {
    if (name === '__proto__' || !name.isWellFormed()) throw malformedDocument('A member has a name that cannot be.')
    assertReadable(member, depth + 1)
  }
}

const unsecured = ({ proof: _, ...document }: Record<string, unknown>): Unsecured => document

const withPrevious = (document: Unsecured, previous: readonly DataIntegrityProof[]): Unsecured =>
  previous.length === 0 ? document : { ...document, proof: previous }

/** The proofs that `previousProof` names, in the order of the document (Data Integrity 1.0, section 4.5, steps 3.2 and 3.3). */
const matching = (previousProof: readonly string[], all: readonly ReadProof[]): DataIntegrityProof[] => {
  const missing = previousProof.find(id => !all.some(each => each.id === id))
  if (missing !== undefined) throw brokenChain('A previousProof names a proof that the document does not carry.')
  return all.filter(({ id }) => id !== undefined && previousProof.includes(id)).map(({ proof }) => proof)
}

const assertIdsDiffer = (proofs: readonly ReadProof[]): void => {
  const ids = proofs.flatMap(({ id }) => id ?? [])
  if (new Set(ids).size < ids.length) throw brokenChain('Two proofs of the document have one id.')
}

/** Refuses a chain that comes back to where it began. The proofs' links are known to lead to proofs. */
const assertAcyclic = (proofs: readonly ReadProof[]): void => {
  let left = proofs
  while (left.length > 0) {
    const ids = new Set(left.flatMap(({ id }) => id ?? []))
    const blocked = left.filter(({ previousProof }) => previousProof.some(id => ids.has(id)))
    if (blocked.length === left.length) throw brokenChain('The proofs of the document follow one another in a circle.')
    left = blocked
  }
}

const present = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

/**
 * Adds a proof to a document, or to the proofs it has (Data Integrity 1.0, sections 4.2 Add Proof and 4.3 Add Proof
 * Set/Chain).
 * @throws Refusal malformed/proof_malformed, malformed/credential_malformed, rejected/proof_chain_broken,
 * rejected/algorithm_mismatch, and what the suite refuses
 */
export const addProof = async (
  document: Record<string, unknown>,
  request: ProofRequest,
): Promise<Record<string, unknown>> => {
  assertReadable(document)
  const { suite, signer, create, ...said } = request
  const { id, proofPurpose, created, expires, domain, challenge, nonce, previousProof } = said
  const options = present({
    ...{ id, type: suite.type, cryptosuite: suite.type === 'DataIntegrityProof' ? suite.name : undefined },
    ...{ created, expires, verificationMethod: signer.verificationMethod, proofPurpose },
    ...{ domain, challenge, nonce, previousProof },
  })
  assertReadable(options)
  const read = readProof(options)
  const before = document['proof'] === undefined ? [] : readProofs(document['proof'])
  if (before.length >= proofsMost) throw malformedProof(`A document carries up to ${proofsMost} proofs.`)
  const input = unsecured(document)
  const all = [...before, read]
  assertIdsDiffer(all)
  const covered = withPrevious(input, matching(read.previousProof, before))
  const proof = await suite.create(covered, options, signer, create)
  return { ...input, proof: before.length === 0 ? proof : [...before.map(each => each.proof), proof] }
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean => {
  const other = new Set(b)
  return new Set(a).size === other.size && a.every(each => other.has(each))
}

/** Data Integrity 1.0, section 4.4 Verify Proof, steps 4 to 7. */
const assertExpected = (proof: ReadProof, expected: Expected): void => {
  if (expected.proofPurpose !== undefined && proof.proofPurpose !== expected.proofPurpose) {
    throw new Refusal('rejected', 'proof_purpose', `A proof of the document is not for ${expected.proofPurpose}.`)
  }
  const { domain } = expected
  if (domain !== undefined && !sameSet(proof.domain, typeof domain === 'string' ? [domain] : domain)) {
    throw new Refusal('rejected', 'audience_mismatch', 'A proof of the document is meant for another domain.')
  }
  if (expected.challenge !== undefined && proof.challenge !== expected.challenge) {
    throw new Refusal('rejected', 'challenge_mismatch', 'A proof of the document answers another challenge.')
  }
  if (proof.expires !== undefined && proof.expires <= expected.now) {
    throw new Refusal('rejected', 'proof_expired', 'A proof of the document has expired.')
  }
}

const contextLength = (document: Unsecured): number =>
  Array.isArray(document['@context']) ? document['@context'].length : 1

/**
 * The document under the shortest of the contexts that its proofs were made for. A proof over RDF covers the whole of
 * them: beside one that was made for fewer, no document is covered by both.
 */
const provenBy = (document: Unsecured, proofs: readonly ReadProof[]): Unsecured => {
  const versions = proofs.map(({ suite, proof }) =>
    suite.includes('-jcs-') ? (underContextOf(document, proof) ?? document) : document,
  )
  const least = versions.reduce((a, b) => (contextLength(b) < contextLength(a) ? b : a), document)
  if (contextLength(least) < contextLength(document) && proofs.some(({ suite }) => !suite.includes('-jcs-'))) {
    throw new Refusal('rejected', 'signature_invalid', 'The proofs of the document were made under different contexts.')
  }
  return least
}

/**
 * Verifies the proofs of a document, every one of them (Data Integrity 1.0, sections 4.4 Verify Proof and 4.5 Verify
 * Proof Sets and Chains). Whether those who signed may sign this is for the caller to judge by their controllers.
 * @throws Refusal malformed/proof_malformed, malformed/credential_malformed, rejected/cryptosuite_unknown,
 * rejected/proof_purpose, rejected/audience_mismatch, rejected/challenge_mismatch, rejected/proof_expired,
 * rejected/proof_chain_broken, rejected/algorithm_mismatch, rejected/signature_invalid, and what `keyOf` and the suites
 * refuse
 */
export const verifyProofs = async (document: unknown, expected: Expected, keyOf: KeyOf): Promise<VerifiedDocument> => {
  if (!isRecord(document)) throw malformedDocument('The document is not a JSON object.')
  assertReadable(document)
  const proofs = readProofs(document['proof'])
  assertIdsDiffer(proofs)
  const input = unsecured(document)
  const steps = proofs.map(read => {
    assertExpected(read, expected)
    const suite = suiteNamed(read.suite, read.proof['type'] as string)
    return { read, suite, covered: withPrevious(input, matching(read.previousProof, proofs)) }
  })
  assertAcyclic(proofs)
  const held: HeldProof[] = []
  // One after another: a document whose first proof fails costs no more than that.
  for (const { read, suite, covered } of steps) {
    const { proof, ...said } = read
    const key = await keyOf(read.verificationMethod, read.proofPurpose)
    if (!suite.algorithms.includes(key.algorithm)) {
      throw new Refusal('rejected', 'algorithm_mismatch', `The key of a proof does not fit ${suite.name}.`)
    }
    if (!(await suite.verify(covered, proof, key))) {
      throw new Refusal('rejected', 'signature_invalid', 'A proof does not fit the document.')
    }
    held.push({ ...said, controller: key.controller })
  }
  return { document: provenBy(input, proofs), proofs: held }
}
