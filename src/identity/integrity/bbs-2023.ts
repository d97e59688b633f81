import { randomBytes } from 'node:crypto'
import { bbsLength, bbsProofGen, bbsProofVerify } from '../bbs.ts'
import {
  assertOptions,
  canonicalizeAndGroup,
  hashOptions,
  hashStatements,
  labelledStatements,
  splitAt,
  verifierLabels,
} from './sd-groups.ts'
import { hmacKeyLength, shuffledLabels } from './sd-labels.ts'
import { assertPointers, assertSelection, selectByPointers } from './sd-pointers.ts'
import {
  compressedLabelMap,
  indexesOf,
  labelMapOf,
  octetsOf,
  type ProofKinds,
  proofMalformed,
  readProofValue,
  textsOf,
  writeProofValue,
} from './sd-proof-value.ts'
import type { Cryptosuite, DataIntegrityProof, DeriveOptions, ProofKey, ProofSigner, Unsecured } from './suite.ts'

/**
 * bbs-2023 (vc-di-bbs, sections 3.3 and 3.4): the issuer makes one signature over all statements that may be left out,
 * the holder proves to have it and shows some of them. Derived proofs cannot be linked by what the suite puts into them.
 * Only the feature option `baseline`: `anonymous_holder_binding`, `pseudonym` and `holder_binding_pseudonym` rest on
 * drafts without a stable form, and proofs with them are refused by name.
 */

const kinds: ProofKinds = {
  ...{ suite: 'bbs-2023', base: 0x02, derived: 0x03 },
  unsupported: [0x04, 0x05, 0x06, 0x07, 0x08, 0x09],
}
const headerLength = 64
const presentationHeaderMost = 0x1_0000

/** A signer of lists of messages, and the key they verify under: 96 octets, the compressed point of G2. */
export type BbsSigner = ProofSigner & { publicKey?: Uint8Array }

type Base = {
  signature: Uint8Array
  /** Hash of the proof options and hash of the mandatory statements. */
  header: Uint8Array
  publicKey: Uint8Array
  hmacKey: Uint8Array
  mandatoryPointers: string[]
}

type Derived = {
  proof: Uint8Array
  /** Canonical label → label that was signed. */
  labelMap: Map<string, string>
  mandatoryIndexes: number[]
  /** Positions of the chosen statements among all that are not mandatory. */
  selectiveIndexes: number[]
  presentationHeader: Uint8Array
}

/** `parseBaseProofValue`, section 3.3.2. */
const readBase = (proof: DataIntegrityProof): Base => {
  const [signature, header, publicKey, hmacKey, pointers] = readProofValue(proof, kinds, 'base')
  return {
    signature: octetsOf(signature, 'signature', bbsLength.signature),
    header: octetsOf(header, 'header', headerLength),
    publicKey: octetsOf(publicKey, 'public key', bbsLength.publicKey),
    hmacKey: octetsOf(hmacKey, 'HMAC key', hmacKeyLength),
    mandatoryPointers: textsOf(pointers, 'mandatory pointers'),
  }
}

const labelOf = (label: unknown): string => {
  if (Number.isSafeInteger(label) && (label as number) >= 0) return `b${label}`
  throw proofMalformed('The label map of the proof value has a label that is no number.')
}

/** `parseDerivedProofValue`, section 3.3.7. */
const readDerived = (proof: DataIntegrityProof): Derived => {
  const [bbsProof, labelMap, mandatory, selective, presentationHeader] = readProofValue(proof, kinds, 'derived')
  return {
    proof: octetsOf(bbsProof, 'BBS proof'),
    labelMap: labelMapOf(labelMap, labelOf),
    mandatoryIndexes: indexesOf(mandatory, 'mandatory indexes'),
    selectiveIndexes: indexesOf(selective, 'selective indexes'),
    presentationHeader: octetsOf(presentationHeader, 'presentation header'),
  }
}

const messagesOf = (statements: readonly string[]): Uint8Array[] =>
  statements.map(statement => Uint8Array.from(Buffer.from(statement)))

const headerOf = (document: Unsecured, proof: DataIntegrityProof, mandatory: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.concat([hashOptions(document, proof), hashStatements(mandatory)]))

/** Create Base Proof, section 3.4.1. @param hmacKey given by tests with published keys only. */
export const createBbsBaseProof = async (
  document: Unsecured,
  proof: DataIntegrityProof,
  signer: BbsSigner,
  mandatoryPointers: readonly string[] = [],
  hmacKey: Uint8Array = randomBytes(hmacKeyLength),
): Promise<DataIntegrityProof> => {
  assertOptions(document, proof, kinds.suite)
  assertPointers(mandatoryPointers)
  const { publicKey, signMessages } = signer
  if (signMessages === undefined || publicKey?.length !== bbsLength.publicKey) {
    throw new TypeError('bbs-2023 needs a signer of messages with its public key')
  }
  const labels = shuffledLabels(hmacKey)
  const { statements, groups } = canonicalizeAndGroup(document, labels, { mandatory: mandatoryPointers })
  const { mandatory, nonMandatory } = splitAt(statements, groups.mandatory.matching)
  const header = headerOf(document, proof, mandatory)
  const signature = await signMessages.call(signer, header, messagesOf(nonMandatory))
  const components = [signature, header, publicKey, hmacKey, mandatoryPointers]
  return { ...proof, proofValue: writeProofValue(kinds.base, components) }
}

/** Where each position of `some` stands in `all`; both ascending, and what is not there is left out. */
const positionsIn = (all: readonly number[], some: readonly number[]): number[] => {
  const wanted = new Set(some)
  return all.flatMap((position, at) => (wanted.has(position) ? [at] : []))
}

/** Add Derived Proof, section 3.4.6. */
const derive = async (
  document: Unsecured,
  proof: DataIntegrityProof,
  { selectivePointers, presentationHeader = new Uint8Array() }: DeriveOptions,
): Promise<Record<string, unknown>> => {
  assertOptions(document, proof, kinds.suite)
  if (presentationHeader.length > presentationHeaderMost) {
    throw proofMalformed(`A presentation header has ${presentationHeaderMost} octets at most.`)
  }
  const base = readBase(proof)
  const combined = [...base.mandatoryPointers, ...selectivePointers]
  assertSelection(combined)
  const definitions = { mandatory: base.mandatoryPointers, combined }
  const { statements, groups, labels } = canonicalizeAndGroup(document, shuffledLabels(base.hmacKey), definitions)
  const { mandatory, nonMandatory } = splitAt(statements, groups.mandatory.matching)
  if (Buffer.compare(headerOf(document, proof, mandatory), base.header) !== 0) {
    throw proofMalformed('The base proof is not of this document.')
  }
  const isMandatory = new Set(groups.mandatory.matching)
  const optional = statements.flatMap((_, at) => (isMandatory.has(at) ? [] : [at]))
  const selectiveIndexes = positionsIn(optional, groups.combined.matching)
  const { signature, header, publicKey } = base
  const shown = { messages: messagesOf(nonMandatory), disclosed: selectiveIndexes, presentationHeader }
  const components = [
    await bbsProofGen({ signature, header, publicKey, ...shown }),
    compressedLabelMap(verifierLabels(groups.combined, labels), label => Number(label.slice(1))),
    positionsIn(groups.combined.matching, groups.mandatory.matching),
    selectiveIndexes,
    presentationHeader,
  ]
  const selected = selectByPointers(document, combined)
  return { ...selected, proof: { ...proof, proofValue: writeProofValue(kinds.derived, components) } }
}

/** Verify Derived Proof, section 3.4.7. */
const verify = async (document: Unsecured, proof: DataIntegrityProof, key: ProofKey): Promise<boolean> => {
  assertOptions(document, proof, kinds.suite)
  const derived = readDerived(proof)
  if (key.algorithm !== 'BBS') return false
  const statements = labelledStatements(document, derived.labelMap)
  const { mandatory, nonMandatory } = splitAt(statements, derived.mandatoryIndexes)
  if (derived.selectiveIndexes.length !== nonMandatory.length) {
    throw proofMalformed('The derived proof has another number of indexes than the document has chosen statements.')
  }
  return bbsProofVerify({
    publicKey: key.raw,
    header: headerOf(document, proof, mandatory),
    messages: messagesOf(nonMandatory),
    ...{ proof: derived.proof, disclosed: derived.selectiveIndexes },
    presentationHeader: derived.presentationHeader,
  })
}

/**
 * What the holder bound into a derived proof. A verifier that gave a nonce compares it; the proof itself holds with any.
 * @throws Refusal malformed/proof_malformed, rejected/proof_not_derived
 */
export const presentationHeaderOf = (proof: DataIntegrityProof): Uint8Array => readDerived(proof).presentationHeader

export const bbs2023: Cryptosuite = {
  name: 'bbs-2023',
  type: 'DataIntegrityProof',
  algorithms: ['BBS'],
  create: (document, proof, signer, options) => createBbsBaseProof(document, proof, signer, options?.mandatoryPointers),
  verify,
  derive,
}
