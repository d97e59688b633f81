import { randomBytes } from 'node:crypto'
import {
  assertOptions,
  canonicalizeAndGroup,
  hashOptions,
  hashStatements,
  labelledStatements,
  splitAt,
  verifierLabels,
} from './sd-groups.ts'
import { hmacKeyLength, hmacLabels } from './sd-labels.ts'
import { assertPointers, assertSelection, selectByPointers } from './sd-pointers.ts'
import {
  compressedLabelMap,
  indexesOf,
  labelMapOf,
  listOf,
  octetsOf,
  type ProofKinds,
  proofMalformed,
  readProofValue,
  textsOf,
  writeProofValue,
} from './sd-proof-value.ts'
import { es256Holds, type StatementKey, statementKey, statementKeyLength, statementsHold } from './sd-statement-key.ts'
import type { Cryptosuite, DataIntegrityProof, DeriveOptions, ProofKey, ProofSigner, Unsecured } from './suite.ts'

/**
 * ecdsa-sd-2023 (vc-di-ecdsa, sections 3.5 and 3.6), with P-256: the issuer signs every statement that may be left out,
 * the holder derives a proof over those it shows. Derived proofs of one base proof can be linked, by their signatures.
 */

const kinds: ProofKinds = { suite: 'ecdsa-sd-2023', base: 0x00, derived: 0x01 }
const signatureLength = 64

type Base = {
  baseSignature: Uint8Array
  publicKey: Uint8Array
  hmacKey: Uint8Array
  signatures: Uint8Array[]
  mandatoryPointers: string[]
}

type Derived = {
  baseSignature: Uint8Array
  publicKey: Uint8Array
  signatures: Uint8Array[]
  /** Canonical label → label that was signed. */
  labelMap: Map<string, string>
  mandatoryIndexes: number[]
}

/** What a base proof takes from chance. */
export type EcdsaSdEntropy = { hmacKey: Uint8Array; statementKey: StatementKey }

const freshEntropy = (): EcdsaSdEntropy => ({ hmacKey: randomBytes(hmacKeyLength), statementKey: statementKey() })

const signaturesOf = (value: unknown): Uint8Array[] =>
  listOf(value, 'signatures', item => octetsOf(item, 'signature', signatureLength))

const labelOf = (label: unknown): string =>
  `u${Buffer.from(octetsOf(label, 'label', hmacKeyLength)).toString('base64url')}`

/** `parseBaseProofValue`, section 3.5.3. */
const readBase = (proof: DataIntegrityProof): Base => {
  const [baseSignature, publicKey, hmacKey, signatures, pointers] = readProofValue(proof, kinds, 'base')
  return {
    baseSignature: octetsOf(baseSignature, 'base signature', signatureLength),
    publicKey: octetsOf(publicKey, 'public key', statementKeyLength),
    hmacKey: octetsOf(hmacKey, 'HMAC key', hmacKeyLength),
    signatures: signaturesOf(signatures),
    mandatoryPointers: textsOf(pointers, 'mandatory pointers'),
  }
}

/** `parseDerivedProofValue`, section 3.5.8. */
const readDerived = (proof: DataIntegrityProof): Derived => {
  const [baseSignature, publicKey, signatures, labelMap, indexes] = readProofValue(proof, kinds, 'derived')
  return {
    baseSignature: octetsOf(baseSignature, 'base signature', signatureLength),
    publicKey: octetsOf(publicKey, 'public key', statementKeyLength),
    signatures: signaturesOf(signatures),
    labelMap: labelMapOf(labelMap, labelOf),
    mandatoryIndexes: indexesOf(indexes, 'mandatory indexes'),
  }
}

/** `serializeSignData`, section 3.5.1. */
const toSign = (options: Uint8Array, publicKey: Uint8Array, mandatory: Uint8Array): Uint8Array =>
  Buffer.concat([options, publicKey, mandatory])

/** Create Base Proof, section 3.6.1. @param entropy given by tests with published keys only. */
export const createEcdsaSdBaseProof = async (
  document: Unsecured,
  proof: DataIntegrityProof,
  signer: ProofSigner,
  mandatoryPointers: readonly string[] = [],
  entropy: EcdsaSdEntropy = freshEntropy(),
): Promise<DataIntegrityProof> => {
  assertOptions(document, proof, kinds.suite)
  assertPointers(mandatoryPointers)
  const { hmacKey, statementKey: key } = entropy
  const { statements, groups } = canonicalizeAndGroup(document, hmacLabels(hmacKey), { mandatory: mandatoryPointers })
  const { mandatory, nonMandatory } = splitAt(statements, groups.mandatory.matching)
  const data = toSign(hashOptions(document, proof), key.publicKey, hashStatements(mandatory))
  const [baseSignature, signatures] = await Promise.all([signer.sign(data), key.sign(nonMandatory)])
  const components = [baseSignature, key.publicKey, hmacKey, signatures, mandatoryPointers]
  return { ...proof, proofValue: writeProofValue(kinds.base, components) }
}

/** Signatures of the statements that are shown beside the mandatory ones: the issuer signed all but those. */
const signaturesShown = (base: Base, count: number, mandatory: readonly number[], combined: readonly number[]) => {
  const isMandatory = new Set(mandatory)
  const isShown = new Set(combined)
  const signedPositions = Array.from({ length: count }, (_, at) => at).filter(at => !isMandatory.has(at))
  if (signedPositions.length !== base.signatures.length) {
    throw proofMalformed('The base proof has another number of signatures than the document has statements to choose.')
  }
  return base.signatures.filter((_, at) => isShown.has(signedPositions[at] ?? -1))
}

/** Add Derived Proof, section 3.6.6. */
const derive = async (
  document: Unsecured,
  proof: DataIntegrityProof,
  { selectivePointers }: DeriveOptions,
): Promise<Record<string, unknown>> => {
  assertOptions(document, proof, kinds.suite)
  const base = readBase(proof)
  const mandatory = base.mandatoryPointers
  const combined = [...mandatory, ...selectivePointers]
  assertSelection(combined)
  const grouped = canonicalizeAndGroup(document, hmacLabels(base.hmacKey), { mandatory, combined })
  const { groups, labels } = grouped
  const positions = groups.mandatory.matching
  const isMandatory = new Set(positions)
  const labelMap = verifierLabels(groups.combined, labels)
  const components = [
    base.baseSignature,
    base.publicKey,
    signaturesShown(base, grouped.statements.length, positions, groups.combined.matching),
    compressedLabelMap(labelMap, label => Buffer.from(label.slice(1), 'base64url')),
    groups.combined.matching.flatMap((position, at) => (isMandatory.has(position) ? [at] : [])),
  ]
  const shown = selectByPointers(document, combined)
  return { ...shown, proof: { ...proof, proofValue: writeProofValue(kinds.derived, components) } }
}

/** Verify Derived Proof, section 3.6.7. */
const verify = async (document: Unsecured, proof: DataIntegrityProof, key: ProofKey): Promise<boolean> => {
  assertOptions(document, proof, kinds.suite)
  const derived = readDerived(proof)
  if (key.algorithm !== 'ES256' || key.publicKey === undefined) return false
  const statements = labelledStatements(document, derived.labelMap)
  const { mandatory, nonMandatory } = splitAt(statements, derived.mandatoryIndexes)
  if (derived.signatures.length !== nonMandatory.length) {
    throw proofMalformed('The derived proof has another number of signatures than the document has chosen statements.')
  }
  const data = toSign(hashOptions(document, proof), derived.publicKey, hashStatements(mandatory))
  // The key of the proof is nobody's before the issuer's signature over it holds.
  if (!(await es256Holds(key.publicKey, data, derived.baseSignature))) return false
  return statementsHold(derived.publicKey, nonMandatory, derived.signatures)
}

export const ecdsaSd2023: Cryptosuite = {
  name: 'ecdsa-sd-2023',
  type: 'DataIntegrityProof',
  algorithms: ['ES256'],
  create: (document, proof, signer, options) =>
    createEcdsaSdBaseProof(document, proof, signer, options?.mandatoryPointers),
  verify,
  derive,
}
