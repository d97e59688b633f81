import { hash } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { canonize } from '../linked-data/canonize.ts'
import { type Quad, type Term, toNQuad } from '../linked-data/quads.ts'
import { configQuads, documentQuads } from './rdfc.ts'
import { canonicalLabels, type Relabel } from './sd-labels.ts'
import { selectByPointers } from './sd-pointers.ts'
import { proofMalformed } from './sd-proof-value.ts'
import { skolemized } from './sd-skolem.ts'

const surrogate = /[\ud800-\udfff]/

/** Canonical N-Quads stand in code point order (RDF Dataset Canonicalization 1.0, section 5.2). */
const sorted = (lines: string[]): string[] =>
  lines.some(line => surrogate.test(line))
    ? lines.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    : lines.sort()

/** `relabelBlankNodes`: canonical N-Quads of statements whose blank nodes get the labels given. */
const linesOf = (quads: readonly Quad[], labels: ReadonlyMap<string, string>): string[] => {
  const relabel = (term: Term): Term => {
    if (term.termType !== 'BlankNode') return term
    const label = labels.get(term.value)
    if (label === undefined) throw proofMalformed('The label map of the proof value lacks a blank node.')
    return { termType: 'BlankNode', value: `_:${label}` }
  }
  const lines = quads.map(({ subject, predicate, object, graph }) =>
    toNQuad({ subject: relabel(subject), predicate, object: relabel(object), graph: relabel(graph) }),
  )
  return sorted([...new Set(lines)])
}

export type Group = {
  /** Positions in the statements of the whole document, ascending. */
  matching: number[]
  /** The statements chosen, their blank nodes called as in the whole. */
  quads: Quad[]
}

export type Grouped<Name extends string> = {
  /** All statements as they are signed, in order. */
  statements: string[]
  groups: Record<Name, Group>
  /** Blank node of the groups' quads → label in `statements`. */
  labels: Map<string, string>
}

/** Blank node → label to be signed. */
const signedLabels = (canonical: ReadonlyMap<string, string>, relabel: Relabel): Map<string, string> => {
  const signed = relabel([...canonical.values()])
  return new Map([...canonical].map(([input, label]) => [input, signed.get(label) as string]))
}

/**
 * Canonical statements of a document with their labels replaced, and which of them the pointers of each group choose
 * (vc-di-ecdsa, section 3.4.16 canonicalizeAndGroup).
 * @throws Refusal malformed/pointer_malformed, rejected/pointer_unmatched, rejected/selection_unsupported,
 *   too_large/statements_many and what the document is refused with
 */
export const canonicalizeAndGroup = <Name extends string>(
  document: Record<string, unknown>,
  relabel: Relabel,
  definitions: Record<Name, readonly string[]>,
): Grouped<Name> => {
  const whole = skolemized(document)
  const labels = signedLabels(whole.labels, relabel)
  const statements = linesOf(whole.quads, labels)
  const positions = new Map(statements.map((line, at) => [line, at]))
  const groupOf = (pointers: readonly string[]): Group => {
    const part = selectByPointers(whole.document, pointers)
    if (part === undefined) return { matching: [], quads: [] }
    const quads = whole.quadsOf(part)
    const matching = linesOf(quads, labels).map(line => {
      const at = positions.get(line)
      if (at !== undefined) return at
      const detail = 'What the JSON pointers choose means something else apart from the rest; choose what is around it.'
      throw new Refusal('rejected', 'selection_unsupported', detail)
    })
    return { matching: matching.sort((a, b) => a - b), quads }
  }
  const names = Object.keys(definitions) as Name[]
  const groups = Object.fromEntries(names.map(group => [group, groupOf(definitions[group])])) as Record<Name, Group>
  return { statements, groups, labels }
}

/** What a verifier has to call the blank nodes of a part: canonical label there → label that was signed. */
export const verifierLabels = (part: Group, labels: ReadonlyMap<string, string>): Map<string, string> =>
  new Map(
    [...canonicalLabels(canonize(part.quads).labels)].map(([input, canonical]) => [
      canonical,
      labels.get(input) as string,
    ]),
  )

/**
 * The statements of a derived document with the labels that were signed (vc-di-ecdsa, section 3.4.2
 * labelReplacementCanonicalizeJsonLd).
 * @throws Refusal malformed/proof_malformed for a label map that is not of this document
 */
export const labelledStatements = (
  document: Record<string, unknown>,
  labelMap: ReadonlyMap<string, string>,
): string[] => {
  const quads = documentQuads(document)
  const labels = canonicalLabels(canonize(quads).labels)
  if (labels.size !== labelMap.size) throw proofMalformed('The label map of the proof value is not of this document.')
  const signed = new Map<string, string>()
  for (const [input, canonical] of labels) {
    const label = labelMap.get(canonical)
    if (label !== undefined) signed.set(input, label)
  }
  return linesOf(quads, signed)
}

export type Split = { mandatory: string[]; nonMandatory: string[] }

/** @param positions ascending. @throws Refusal malformed/proof_malformed for a position behind the last statement */
export const splitAt = (statements: readonly string[], positions: readonly number[]): Split => {
  if ((positions.at(-1) ?? -1) >= statements.length) {
    throw proofMalformed('The mandatory indexes of the proof value lead behind the last statement.')
  }
  const chosen = new Set(positions)
  return {
    mandatory: statements.filter((_, at) => chosen.has(at)),
    nonMandatory: statements.filter((_, at) => !chosen.has(at)),
  }
}

/**
 * Whether proof options are those of a suite with selective disclosure (vc-di-ecdsa, section 3.6.4; vc-di-bbs, section
 * 3.4.4). Such a proof stands alone: in a chain, the proof before it would be a part that nobody can choose.
 * @throws Refusal malformed/proof_malformed, rejected/proof_chain_broken
 */
export const assertOptions = (
  document: Record<string, unknown>,
  proof: Record<string, unknown>,
  cryptosuite: string,
): void => {
  const { type, cryptosuite: named, previousProof } = proof
  if (type !== 'DataIntegrityProof' || named !== cryptosuite) {
    throw proofMalformed(`The proof is not a DataIntegrityProof of the cryptosuite ${cryptosuite}.`)
  }
  if (previousProof !== undefined || Object.hasOwn(document, 'proof')) {
    throw new Refusal('rejected', 'proof_chain_broken', `A proof of ${cryptosuite} has no previous proof.`)
  }
}

/** `hashMandatoryNQuads` (vc-di-ecdsa, section 3.4.17): SHA-256 of the statements one after the other. */
export const hashStatements = (statements: readonly string[]): Buffer => hash('sha256', statements.join(''), 'buffer')

/**
 * Hash of the canonical proof options (vc-di-ecdsa, sections 3.6.3 and 3.6.4): the proof without its value, under the
 * document's `@context`.
 */
export const hashOptions = (document: Record<string, unknown>, proof: Record<string, unknown>): Buffer =>
  hashStatements(canonize(configQuads(document, proof)).lines)
