import { Refusal } from '../../kernel/refusal.ts'
import { decode, encode } from '../cbor.ts'

/**
 * Proof values of the suites with selective disclosure: multibase base64url of a three-octet header, whose last octet
 * says which suite and which kind of proof, and of a CBOR array without tags (vc-di-ecdsa, sections 3.5.2 to 3.5.8;
 * vc-di-bbs, sections 3.3.1 to 3.3.7).
 */

const headerStart = [0xd9, 0x5d] as const
const multibase = /^u[A-Za-z0-9_-]+$/
const lengthMost = 0x10_0000
const itemsMost = 0x4000

export const proofMalformed = (detail: string): Refusal => new Refusal('malformed', 'proof_malformed', detail)

export type ProofKinds = { suite: string; base: number; derived: number; unsupported?: readonly number[] }

const wrongKind = ({ suite, base, derived, unsupported = [] }: ProofKinds, kind: number): Refusal => {
  if (unsupported.includes(kind)) {
    return new Refusal('rejected', 'proof_feature_unsupported', `Of ${suite}, only proofs without options are read.`)
  }
  if (kind === base) {
    const detail = `This is a base proof, which only its holder sees; derive a proof from it (${suite}) and send that.`
    return new Refusal('rejected', 'proof_not_derived', detail)
  }
  if (kind === derived) {
    const detail = `This proof is derived already; derive from the base proof (${suite}) that the issuer made.`
    return new Refusal('rejected', 'proof_already_derived', detail)
  }
  return proofMalformed(`The proof value does not begin with a header of ${suite}.`)
}

/**
 * The components of a proof value.
 * @throws Refusal malformed/proof_malformed, rejected/proof_not_derived, rejected/proof_already_derived,
 *   rejected/proof_feature_unsupported
 */
export const readProofValue = (
  proof: Record<string, unknown>,
  kinds: ProofKinds,
  wanted: 'base' | 'derived',
): unknown[] => {
  const { proofValue } = proof
  if (typeof proofValue !== 'string' || proofValue.length > lengthMost || !multibase.test(proofValue)) {
    throw proofMalformed('The proof value is not multibase base64url without padding.')
  }
  const bytes = Buffer.from(proofValue.slice(1), 'base64url')
  // Bits beyond the last whole octet would let one proof be spelled in several ways.
  if (bytes.toString('base64url') !== proofValue.slice(1)) {
    throw proofMalformed('The proof value is not multibase base64url without padding.')
  }
  const kind = bytes.length > 3 && bytes[0] === headerStart[0] && bytes[1] === headerStart[1] ? bytes[2] : undefined
  if (kind === undefined) throw proofMalformed(`The proof value does not begin with a header of ${kinds.suite}.`)
  if (kind !== kinds[wanted]) throw wrongKind(kinds, kind)
  const bounds = { size: lengthMost, depth: 2, items: itemsMost, refuse: proofMalformed }
  const components = decode(bytes.subarray(3), bounds)
  if (!Array.isArray(components) || components.length !== 5) {
    throw proofMalformed('The proof value is not an array of five components.')
  }
  return components
}

export const writeProofValue = (kind: number, components: readonly unknown[]): string =>
  `u${Buffer.concat([Buffer.from([...headerStart, kind]), encode(components)]).toString('base64url')}`

/** @param length in octets; any length when absent. */
export const octetsOf = (value: unknown, name: string, length?: number): Uint8Array => {
  if (value instanceof Uint8Array && (length === undefined || value.length === length)) return value
  throw proofMalformed(`The ${name} of the proof value is not a byte string${length ? ` of ${length} octets` : ''}.`)
}

export const listOf = <Item>(value: unknown, name: string, read: (item: unknown) => Item): Item[] => {
  if (!Array.isArray(value)) throw proofMalformed(`The ${name} of the proof value are not an array.`)
  return value.map(read)
}

export const textsOf = (value: unknown, name: string): string[] =>
  listOf(value, name, item => {
    if (typeof item === 'string') return item
    throw proofMalformed(`The ${name} of the proof value are not all text.`)
  })

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** Indexes in ascending order, so that none stands twice. */
export const indexesOf = (value: unknown, name: string): number[] => {
  const indexes = listOf(value, name, item => {
    if (isIndex(item)) return item
    throw proofMalformed(`The ${name} of the proof value are not all indexes.`)
  })
  const ascending = indexes.every((index, at) => at === 0 || index > (indexes[at - 1] ?? 0))
  if (!ascending) throw proofMalformed(`The ${name} of the proof value do not ascend.`)
  return indexes
}

/**
 * `decompressLabelMap`: canonical label → label that was signed.
 * @throws Refusal malformed/proof_malformed also where two blank nodes would get one label, and so become one
 */
export const labelMapOf = (value: unknown, read: (label: unknown) => string): Map<string, string> => {
  if (!(value instanceof Map)) throw proofMalformed('The label map of the proof value is not a map.')
  const labels = new Map<string, string>()
  for (const [key, label] of value) {
    if (!isIndex(key)) throw proofMalformed('The label map of the proof value has a key that is no index.')
    labels.set(`c14n${key}`, read(label))
  }
  if (new Set(labels.values()).size !== labels.size) {
    throw proofMalformed('The label map of the proof value gives two blank nodes one label.')
  }
  return labels
}

/** `compressLabelMap`: the reverse of `labelMapOf`. */
export const compressedLabelMap = <Label>(
  labels: ReadonlyMap<string, string>,
  write: (label: string) => Label,
): Map<number, Label> => new Map([...labels].map(([canonical, label]) => [Number(canonical.slice(4)), write(label)]))
