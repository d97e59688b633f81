import { Refusal } from '../../kernel/refusal.ts'
import { isRecord } from '../formats/json.ts'
import type { DataIntegrityProof } from './suite.ts'

/** A proof whose members are what Data Integrity 1.0 section 2.1 says they are. Times are milliseconds. */
export type ReadProof = {
  proof: DataIntegrityProof
  id: string | undefined
  /** `cryptosuite` of a DataIntegrityProof, the type of any other. */
  suite: string
  verificationMethod: string
  proofPurpose: string
  created: number | undefined
  expires: number | undefined
  /** Empty when there is none. */
  domain: readonly string[]
  challenge: string | undefined
  nonce: string | undefined
  previousProof: readonly string[]
}

export const malformedProof = (detail: string): Refusal => new Refusal('malformed', 'proof_malformed', detail)

export const proofsMost = 32
const textMost = 2_048
const dateTimeStamp =
  /^(?<year>-?\d{4,6})-(?<month>\d\d)-(?<day>\d\d)T(?:(?<end>24:00:00(?:\.0{1,12})?)|(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?<part>\.\d{1,12})?)(?:Z|(?<sign>[+-])(?<zoneHour>\d\d):(?<zoneMinute>\d\d))$/
const scheme = /^[a-z][a-z0-9+.-]*:\S+$/i

const daysIn = (year: number, month: number): number => new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()

/**
 * dateTimeStamp of XML Schema 1.1 part 2 (section 3.4.28) to milliseconds; undefined for anything else, a date without a
 * time zone included.
 */
export const readDateTimeStamp = (text: string): number | undefined => {
  const parts = dateTimeStamp.exec(text)?.groups
  if (parts === undefined) return undefined
  const number = (name: string): number => Number(parts[name] ?? 0)
  const year = number('year')
  const month = number('month')
  const day = number('day')
  const zone = number('zoneHour') * 60 + number('zoneMinute')
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
  const isTime = number('hour') < 24 && number('minute') < 60 && number('second') < 60
  if (!isDay || !isTime || number('zoneMinute') > 59 || zone > 14 * 60) return undefined
  const seconds = parts['end'] === undefined ? (number('hour') * 60 + number('minute')) * 60 + number('second') : 86_400
  const offset = zone * 60_000 * (parts['sign'] === '-' ? -1 : 1)
  const time =
    new Date(0).setUTCFullYear(year, month - 1, day) + seconds * 1_000 + Math.floor(number('part') * 1_000) - offset
  return Number.isNaN(time) ? undefined : time
}

const readText = (proof: DataIntegrityProof, name: string): string | undefined => {
  const value = proof[name]
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '' && value.length <= textMost) return value
  throw malformedProof(`The ${name} of a proof is a string of up to ${textMost} characters.`)
}

const readUrl = (proof: DataIntegrityProof, name: string): string | undefined => {
  const value = readText(proof, name)
  if (value === undefined || scheme.test(value)) return value
  throw malformedProof(`The ${name} of a proof is a URL.`)
}

const readTime = (proof: DataIntegrityProof, name: string): number | undefined => {
  const text = readText(proof, name)
  if (text === undefined) return undefined
  const time = readDateTimeStamp(text)
  if (time === undefined) throw malformedProof(`The ${name} of a proof is a date-time with a time zone.`)
  return time
}

/** A string, or a set of strings. */
const readTexts = (proof: DataIntegrityProof, name: string): readonly string[] => {
  const value = proof[name]
  if (!Array.isArray(value)) {
    const text = readText(proof, name)
    return text === undefined ? [] : [text]
  }
  const isText = (each: unknown): each is string => typeof each === 'string' && each !== '' && each.length <= textMost
  if (value.length > 0 && value.length <= proofsMost && value.every(isText)) return value
  throw malformedProof(`The ${name} of a proof is a string or a list of up to ${proofsMost} strings.`)
}

const suiteOf = (proof: DataIntegrityProof): string => {
  const type = readText(proof, 'type')
  const cryptosuite = readText(proof, 'cryptosuite')
  if (type === undefined) throw malformedProof('A proof has a type.')
  if (type !== 'DataIntegrityProof') return type
  if (cryptosuite === undefined) throw malformedProof('A DataIntegrityProof names its cryptosuite.')
  return cryptosuite
}

/**
 * Reads the members of a proof, or of the options of one that is to be made (Data Integrity 1.0, section 2.1).
 * @throws Refusal malformed/proof_malformed
 */
export const readProof = (value: unknown): ReadProof => {
  if (!isRecord(value)) throw malformedProof('A proof is a JSON object.')
  const suite = suiteOf(value)
  const verificationMethod = readUrl(value, 'verificationMethod')
  const proofPurpose = readText(value, 'proofPurpose')
  if (verificationMethod === undefined || proofPurpose === undefined) {
    throw malformedProof('A proof names its verificationMethod and its proofPurpose.')
  }
  return {
    proof: value,
    id: readUrl(value, 'id'),
    suite,
    verificationMethod,
    proofPurpose,
    created: readTime(value, 'created'),
    expires: readTime(value, 'expires'),
    domain: readTexts(value, 'domain'),
    challenge: readText(value, 'challenge'),
    nonce: readText(value, 'nonce'),
    previousProof: readTexts(value, 'previousProof'),
  }
}

/** The proofs of a document, in their order. @throws Refusal malformed/proof_malformed */
export const readProofs = (value: unknown): ReadProof[] => {
  const list = Array.isArray(value) ? value : [value]
  if (value === undefined || list.length === 0) throw malformedProof('The document carries no proof.')
  if (list.length > proofsMost) throw malformedProof(`A document carries up to ${proofsMost} proofs.`)
  return list.map(readProof)
}
