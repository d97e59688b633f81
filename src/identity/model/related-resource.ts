import { hash } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { fromBase58btc } from '../multibase.ts'
import { assertId, assertObjects, broken, type Members } from './members.ts'
import { isMediaType } from './values.ts'

export type DigestAlgorithm = 'sha256' | 'sha384' | 'sha512'
export type Digest = { algorithm: DigestAlgorithm; bytes: Buffer }

/** What else a credential vouches for: a document elsewhere, by its digests (VC Data Model 2.0, section 5.3). */
export type RelatedResource = { id: string; mediaType: string | undefined; digests: readonly Digest[] }

const clause = '2.0, section 5.3'
const resourcesMost = 64
const digestsMost = 16
const digestLengthMost = 1_024

const multihashLengthMost = 66

const lengths: Record<DigestAlgorithm, number> = { sha256: 32, sha384: 48, sha512: 64 }

/** Multicodec codes, as varints, in front of a multihash. */
const multihashes: { prefix: Buffer; algorithm: DigestAlgorithm }[] = [
  { prefix: Buffer.from('1220', 'hex'), algorithm: 'sha256' },
  { prefix: Buffer.from('2030', 'hex'), algorithm: 'sha384' },
  { prefix: Buffer.from('1340', 'hex'), algorithm: 'sha512' },
]

// base64-value as Subresource Integrity takes it over from CSP 2: either alphabet.
const hashExpression = /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]{43,86}={0,2})(?:\?[\x21-\x7e]*)?$/

const fromSri = (text: string): Digest | undefined => {
  const [, algorithm, value] = hashExpression.exec(text) ?? []
  if (algorithm === undefined || value === undefined) return undefined
  const digest = { algorithm: algorithm as DigestAlgorithm, bytes: Buffer.from(value, 'base64') }
  return digest.bytes.length === lengths[digest.algorithm] ? digest : undefined
}

/** The octets behind a multibase prefix: base64url, base58btc, base64 or hexadecimal. */
const multibaseBytes = (text: string): Buffer | undefined => {
  const digits = text.slice(1)
  switch (text[0]) {
    case 'u':
      return /^[A-Za-z0-9_-]+$/.test(digits) ? Buffer.from(digits, 'base64url') : undefined
    case 'm':
      return /^[A-Za-z0-9+/]+$/.test(digits) ? Buffer.from(digits, 'base64') : undefined
    case 'f':
      return /^(?:[0-9a-f]{2})+$/.test(digits) ? Buffer.from(digits, 'hex') : undefined
    case 'z':
      return fromBase58btc(text, multihashLengthMost)
    default:
      return undefined
  }
}

/**
 * A multibase multihash (Data Integrity 1.0, section 2.6). Bare digests, which early issuers and the W3C test suite
 * write, are told by their length.
 */
const fromMultibase = (text: string): Digest | undefined => {
  const bytes = multibaseBytes(text)
  if (bytes === undefined) return undefined
  for (const { prefix, algorithm } of multihashes) {
    const body = bytes.subarray(prefix.length)
    if (body.length === lengths[algorithm] && bytes.subarray(0, prefix.length).equals(prefix)) {
      return { algorithm, bytes: body }
    }
  }
  const bare = (Object.keys(lengths) as DigestAlgorithm[]).find(each => lengths[each] === bytes.length)
  return bare === undefined ? undefined : { algorithm: bare, bytes }
}

const texts = (value: unknown, member: string): string[] => {
  const values = value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value]
  const fit = values.every(each => typeof each === 'string' && each.length <= digestLengthMost)
  if (!fit || values.length > digestsMost || (Array.isArray(value) && values.length === 0)) {
    throw broken(member, `must be one to ${digestsMost} digests`, clause)
  }
  return values as string[]
}

const read = (text: string, from: (text: string) => Digest | undefined, member: string): Digest => {
  const digest = from(text)
  if (digest === undefined) throw broken(member, 'must be a digest of SHA-256, SHA-384 or SHA-512', clause)
  return digest
}

/**
 * The digests that an object carries (`digestSRI`, `digestMultibase`); any object with an id may.
 * @throws Refusal malformed/credential_malformed for a digest that cannot be read
 */
export const digestsOf = (object: Members, member: string): readonly Digest[] => {
  const sri = texts(object['digestSRI'], `digestSRI of ${member}`)
    // Several hash expressions stand in one string, with white space between them.
    .flatMap(text => text.trim().split(/[\t\n\f\r ]+/))
  const multibase = texts(object['digestMultibase'], `digestMultibase of ${member}`)
  if (sri.length > digestsMost) throw broken(`digestSRI of ${member}`, `must be one to ${digestsMost} digests`, clause)
  return [
    ...sri.map(text => read(text, fromSri, `digestSRI of ${member}`)),
    ...multibase.map(text => read(text, fromMultibase, `digestMultibase of ${member}`)),
  ]
}

/** @throws Refusal malformed/credential_malformed */
export const assertRelatedResources = (value: unknown): readonly RelatedResource[] => {
  const objects = assertObjects(value, 'relatedResource', clause)
  if (objects.length > resourcesMost) throw broken('relatedResource', `must be at most ${resourcesMost} here`, clause)
  const ids = new Set<string>()
  return objects.map(object => {
    const id = assertId(object, 'relatedResource')
    if (id === undefined) throw broken('relatedResource', 'must have an id', clause)
    if (ids.has(id)) throw broken('The id of relatedResource', 'must be unique', clause)
    ids.add(id)
    const { mediaType } = object
    if (mediaType !== undefined && !isMediaType(mediaType)) {
      throw broken('mediaType of relatedResource', 'must be a media type', clause)
    }
    const digests = digestsOf(object, 'relatedResource')
    if (digests.length === 0) throw broken('relatedResource', 'must have a digestSRI or a digestMultibase', clause)
    return { id, mediaType, digests }
  })
}

const strength: readonly DigestAlgorithm[] = ['sha512', 'sha384', 'sha256']

/** Digests of one version of a resource, in hexadecimal. */
export type Digests = Record<DigestAlgorithm, string>

/**
 * Compares a resource with the digests of the versions that it may be in: one of those by the strongest algorithm that
 * the credential names has to fit, as Subresource Integrity, section 3.3.4, has it.
 * @throws Refusal rejected/digest_mismatch
 */
export const assertSomeDigest = (resource: RelatedResource, versions: readonly Digests[]): void => {
  const algorithm = strength.find(each => resource.digests.some(digest => digest.algorithm === each))
  if (algorithm === undefined) return
  const named = resource.digests.filter(digest => digest.algorithm === algorithm)
  if (named.some(({ bytes }) => versions.some(version => version[algorithm] === bytes.toString('hex')))) return
  const detail = 'A related resource is another than the credential vouches for: its digest differs.'
  throw new Refusal('rejected', 'digest_mismatch', detail, { facts: { resource: resource.id.slice(0, 2_048) } })
}

/**
 * Compares a resource with the digests that the credential names for it.
 * @throws Refusal rejected/digest_mismatch
 */
export const assertDigests = (resource: RelatedResource, contents: Uint8Array): void =>
  assertSomeDigest(resource, [
    { sha256: hash('sha256', contents), sha384: hash('sha384', contents), sha512: hash('sha512', contents) },
  ])
