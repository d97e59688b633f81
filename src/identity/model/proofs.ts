import { Refusal } from '../../kernel/refusal.ts'
import { isRecord } from '../formats/json.ts'
import type { Members } from './members.ts'
import { isUrl, timeOf } from './values.ts'

export const proofsMost = 32

const malformed = (detail: string): Refusal => new Refusal('malformed', 'proof_malformed', detail)

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isTexts = (value: unknown): boolean =>
  isText(value) || (Array.isArray(value) && value.length > 0 && value.length <= proofsMost && value.every(isText))

/** Members of a proof (Data Integrity 1.0, section 2.1), by what they have to be where they are there. */
const rules: { name: string; fits(value: unknown): boolean; rule: string }[] = [
  { name: 'id', fits: isUrl, rule: 'a URL' },
  { name: 'cryptosuite', fits: isText, rule: 'a string' },
  { name: 'proofPurpose', fits: isText, rule: 'a string' },
  { name: 'verificationMethod', fits: isUrl, rule: 'a URL' },
  { name: 'created', fits: value => timeOf(value) !== undefined, rule: 'a dateTimeStamp' },
  { name: 'expires', fits: value => timeOf(value) !== undefined, rule: 'a dateTimeStamp' },
  { name: 'domain', fits: isTexts, rule: 'one or more strings' },
  { name: 'challenge', fits: value => typeof value === 'string', rule: 'a string' },
  { name: 'nonce', fits: value => typeof value === 'string', rule: 'a string' },
  { name: 'proofValue', fits: isText, rule: 'a string' },
  { name: 'previousProof', fits: isTexts, rule: 'one or more strings' },
]

const assertProof = (proof: unknown): Members => {
  if (!isRecord(proof)) throw malformed('A proof must be an object (Data Integrity 1.0, section 2.1).')
  if (!isText(proof['type'])) throw malformed('The type of a proof must be a string (Data Integrity 1.0, section 2.1).')
  for (const { name, fits, rule } of rules) {
    const value = proof[name]
    if (value === undefined) continue
    if (!fits(value)) throw malformed(`The ${name} of a proof must be ${rule} (Data Integrity 1.0, section 2.1).`)
  }
  if (proof['type'] === 'DataIntegrityProof' && proof['cryptosuite'] === undefined) {
    throw malformed('A DataIntegrityProof must have a cryptosuite (Data Integrity 1.0, section 3.1).')
  }
  return proof
}

/**
 * The proofs embedded in a document, by their form alone; absent is none.
 * @throws Refusal malformed/proof_malformed
 */
export const assertProofs = (value: unknown): readonly Members[] => {
  if (value === undefined) return []
  const proofs = Array.isArray(value) ? (value as unknown[]) : [value]
  if (proofs.length === 0 || proofs.length > proofsMost) throw malformed(`A document has one to ${proofsMost} proofs.`)
  return proofs.map(assertProof)
}
