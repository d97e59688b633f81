import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { p256 } from '@noble/curves/nist.js'
import { decode, encode } from '../../../src/identity/cbor.ts'
import type { ProofKey, ProofSigner } from '../../../src/identity/integrity/suite.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'

export type Json = Record<string, unknown>

export type SdVector = {
  name: string
  mandatoryPointers: string[]
  selectivePointers: string[]
  /** Statements of the whole document as they are signed. */
  labelled: string[]
  hashes: { proofHash: string; mandatoryHash: string }
  base: Json & { proof: Json }
  groups: Record<'combinedIndexes' | 'mandatoryIndexes' | 'nonMandatoryIndexes' | 'selectiveIndexes', number[]>
  disclosure: { labelMap: { value: [string, string][] }; mandatoryIndexes: number[]; adjSelectiveIndexes?: number[] }
  derived: Json & { proof: Json }
}

export const vectorsOf = <Vectors>(name: string): Vectors =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'vectors', `${name}.json`), 'utf8'))

export const partsOf = (secured: Json): { document: Json; proof: Json } => {
  const { proof, ...document } = secured
  return { document, proof: proof as Json }
}

export const optionsOf = (proof: Json): Json => {
  const { proofValue: _, ...options } = proof
  return options
}

/** A P-256 key whose signatures are those of RFC 6979, as the published vectors were made. */
export const deterministicKey = (secret: Uint8Array) => {
  const compressed = p256.getPublicKey(secret, true)
  const sign = (data: Uint8Array) => p256.sign(data, secret, { lowS: false })
  return { compressed, sign }
}

export const p256KeyOf = (compressed: Uint8Array): KeyObject => {
  const start = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex')
  return createPublicKey({ key: Buffer.concat([start, compressed]), format: 'der', type: 'spki' })
}

export type EcdsaIssuer = { signer: ProofSigner; key: ProofKey }

export const ecdsaIssuer = (secret: Uint8Array, verificationMethod: string): EcdsaIssuer => {
  const { compressed, sign } = deterministicKey(secret)
  return {
    signer: { verificationMethod, algorithm: 'ES256', sign: async data => sign(data) },
    key: { algorithm: 'ES256', publicKey: p256KeyOf(compressed), raw: compressed },
  }
}

const partsOfValue = (proof: Json) => {
  const bytes = Buffer.from((proof['proofValue'] as string).slice(1), 'base64url')
  return { header: bytes.subarray(0, 3), components: decode(bytes.subarray(3)) as unknown[] }
}

export const componentsOf = (proof: Json): unknown[] => partsOfValue(proof).components

export const proofValueOf = (header: Uint8Array, body: Uint8Array): string =>
  `u${Buffer.concat([header, body]).toString('base64url')}`

/** The proof with other components in its value. */
export const edited = (proof: Json, edit: (components: unknown[]) => unknown[]): Json => {
  const { header, components } = partsOfValue(proof)
  return { ...proof, proofValue: proofValueOf(header, encode(edit(components))) }
}

export const withHeader = (proof: Json, ...header: number[]): Json => ({
  ...proof,
  proofValue: proofValueOf(Buffer.from(header), encode(componentsOf(proof))),
})

/** Other indexes, ascending and in range as they were: one of them moves down into a gap. */
export const moved = (list: unknown): number[] => {
  const indexes = list as number[]
  const into = indexes.findLast(index => index > 0 && !indexes.includes(index - 1))
  if (into === undefined) throw new Error('no gap')
  return indexes.map(index => (index === into ? index - 1 : index))
}

/** `holds`, `does not hold`, or what it was refused with. */
export const outcomeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    const result = await work
    if (typeof result === 'boolean') return result ? 'holds' : 'does not hold'
    return 'made'
  } catch (error) {
    if (error instanceof Refusal) return `${error.kind}/${error.code}`
    throw error
  }
}
