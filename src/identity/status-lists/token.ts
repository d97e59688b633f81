import { decode, encode } from '../cbor.ts'
import type { CoseAlgorithm } from '../cose/algorithms.ts'
import { type CoseSign, openSign1, sealSign1 } from '../cose/sign1.ts'
import type { Sign, Signature } from '../formats/format.ts'
import { fromNumericDate, jwsSignature, openJws, sealJws } from '../formats/jose.ts'
import { isRecord } from '../formats/json.ts'
import { pack } from './compression.ts'
import { indexOutOfRange, listRefused, readingList, statusMalformed, statusTypeUnknown } from './refusals.ts'
import { isListUrl, urlLengthMost } from './url.ts'

/** Token Status List (draft-ietf-oauth-status-list): packing, and its tokens as JWT and CWT. */

/** Bits a status (section 4.1). */
export type StatusBits = 1 | 2 | 4 | 8

const isBits = (value: unknown): value is StatusBits => value === 1 || value === 2 || value === 4 || value === 8

/** An unpacked list: statuses packed into bytes from the least significant bit. */
export type StatusList = { bits: StatusBits; bytes: Uint8Array }

/**
 * The status of an index (section 8.3, step 6).
 * @throws Refusal rejected/status_index_out_of_range
 */
export const statusAt = ({ bits, bytes }: StatusList, index: number): number => {
  const byte = bytes[Math.floor((index * bits) / 8)]
  if (!Number.isSafeInteger(index) || index < 0 || byte === undefined) throw indexOutOfRange()
  return (byte >> ((index * bits) % 8)) & (2 ** bits - 1)
}

/** A list of at least `entries` statuses, all 0 but those named. @throws RangeError for what does not fit. */
export const packStatuses = (options: {
  bits: StatusBits
  entries: number
  statuses: Iterable<{ index: number; status: number }>
}): StatusList => {
  const { bits, entries, statuses } = options
  const bytes = new Uint8Array(Math.ceil((entries * bits) / 8))
  for (const { index, status } of statuses) {
    const isFit = Number.isInteger(index) && index >= 0 && index < entries && status >= 0 && status < 2 ** bits
    if (!isFit) throw new RangeError(`no status ${status} at index ${index}`)
    const at = Math.floor((index * bits) / 8)
    const shift = (index * bits) % 8
    bytes[at] = ((bytes[at] ?? 0) & ~((2 ** bits - 1) << shift)) | (status << shift)
  }
  return { bits, bytes }
}

/** What a status says (section 7.1). Only `valid` is good. */
export type StatusMeaning = 'valid' | 'invalid' | 'suspended' | 'application_specific' | 'unassigned'

export const meaningOf = (status: number): StatusMeaning => {
  if (status === 0) return 'valid'
  if (status === 1) return 'invalid'
  if (status === 2) return 'suspended'
  return status === 3 || (status >= 12 && status <= 15) ? 'application_specific' : 'unassigned'
}

/** Where the status of a credential stands: `status_list` of its `status` claim (sections 6.2 and 6.3). */
export type TokenReference = { uri: string; index: number }

/**
 * @param value `status_list`, as an object of JSON or as a map of CBOR.
 * @throws Refusal malformed/status_malformed
 */
export const readTokenReference = (value: unknown): TokenReference => {
  const entries = value instanceof Map ? Object.fromEntries(value) : value
  if (!isRecord(entries)) throw statusMalformed('status_list is not an object.')
  const { idx, uri } = entries
  if (typeof idx !== 'number' || !Number.isSafeInteger(idx) || idx < 0) {
    throw statusMalformed('idx of status_list is not a whole number.')
  }
  if (!isListUrl(uri)) throw statusMalformed(`uri of status_list is not a URI of at most ${urlLengthMost} characters.`)
  return { uri, index: idx }
}

/** A nation of this software writes where a status stands on its own chain beside the list of it that everybody reads. */
const beside = 'evm_status'

/**
 * The `status` claim of a JWT, or claim 65535 of a CWT (sections 6.2 and 6.3). Of several mechanisms in it all have to be understood: what
 * could have been revoked by another one is not taken for good.
 * @throws Refusal rejected/status_type_unknown, malformed/status_malformed
 */
export const readStatusClaim = (claim: unknown): TokenReference => {
  const mechanisms = claim instanceof Map ? Object.fromEntries(claim) : claim
  const isKnown = (name: string): boolean => name === 'status_list' || name === beside
  if (!isRecord(mechanisms) || mechanisms['status_list'] === undefined || !Object.keys(mechanisms).every(isKnown)) {
    throw statusTypeUnknown()
  }
  return readTokenReference(mechanisms['status_list'])
}

/** A Status List Token taken apart. Nothing in it is believed yet. Times are milliseconds. */
export type OpenedListToken = {
  signature: Signature
  /** `iss`, which a token need not have. */
  issuer: string | undefined
  uri: string
  issuedAt: number
  notBefore: number | undefined
  expiresAt: number | undefined
  ttlMs: number | undefined
  bits: StatusBits
  /** The list, still packed as ZLIB. */
  packed: Uint8Array
  aggregationUri: string | undefined
}

/** The claims of either serialisation under the names of JWT. */
type Claims = Record<'iss' | 'sub' | 'iat' | 'nbf' | 'exp' | 'ttl' | 'bits' | 'lst' | 'aggregationUri', unknown>

const readClaims = (claims: Claims): Omit<OpenedListToken, 'signature' | 'packed'> => {
  const { iss, sub, ttl, bits, aggregationUri } = claims
  const issuedAt = fromNumericDate(claims.iat, 'iat')
  if (typeof sub !== 'string' || issuedAt === undefined) throw statusMalformed('a status list token needs sub and iat.')
  if (iss !== undefined && typeof iss !== 'string') throw statusMalformed('iss of the status list is not a string.')
  if (ttl !== undefined && !(typeof ttl === 'number' && ttl > 0)) throw statusMalformed('ttl is not a positive number.')
  if (!isBits(bits)) throw statusMalformed('bits of a status list are 1, 2, 4 or 8.')
  if (aggregationUri !== undefined && typeof aggregationUri !== 'string') {
    throw statusMalformed('aggregation_uri of the status list is not a string.')
  }
  return {
    ...{ issuer: iss, uri: sub, issuedAt, bits, aggregationUri },
    notBefore: fromNumericDate(claims.nbf, 'nbf'),
    expiresAt: fromNumericDate(claims.exp, 'exp'),
    ttlMs: ttl === undefined ? undefined : Math.floor(ttl * 1_000),
  }
}

const base64url = /^[A-Za-z0-9_-]+$/

/**
 * Takes a Status List Token in JWT form apart (section 5.1).
 * @throws Refusal malformed/status_malformed, rejected/status_list_refused
 */
export const openListJwt = (compact: string): OpenedListToken =>
  readingList(() => {
    const { signed, payload } = openJws(compact)
    if (signed.header.typ !== 'statuslist+jwt') throw statusMalformed('the typ of a status list is statuslist+jwt.')
    const { iss, sub, iat, nbf, exp, ttl, status_list: list } = payload
    if (!isRecord(list)) throw statusMalformed('status_list of the token is not an object.')
    const { bits, lst, aggregation_uri: aggregationUri } = list
    if (typeof lst !== 'string' || !base64url.test(lst)) throw statusMalformed('lst is not base64url.')
    const claims = readClaims({ iss, sub, iat, nbf, exp, ttl, bits, lst, aggregationUri })
    return { ...claims, signature: jwsSignature(signed), packed: Buffer.from(lst, 'base64url') }
  })

/** Keys of CWT claims (RFC 8392 section 4; section 5.2 of the draft). */
const claimKey = { iss: 1, sub: 2, exp: 4, nbf: 5, iat: 6, statusList: 65_533, ttl: 65_534 } as const
const taggedSign1 = 0xd2

/**
 * Takes a Status List Token in CWT form apart (section 5.2): a tagged COSE_Sign1. COSE_Mac0 is not accepted: nobody here
 * shares a secret with an issuer.
 * @throws Refusal malformed/status_malformed, rejected/status_list_refused
 */
export const openListCwt = (bytes: Uint8Array): OpenedListToken =>
  readingList(() => {
    if (bytes[0] !== taggedSign1) throw statusMalformed('the status list is no tagged COSE_Sign1.')
    const { header, payload, signature } = openSign1(bytes)
    if (String(header.protected.get(16)).replace(/^application\//, '') !== 'statuslist+cwt') {
      throw statusMalformed('the protected type of a status list is application/statuslist+cwt.')
    }
    const claims = decode(payload)
    const list = claims instanceof Map ? claims.get(claimKey.statusList) : undefined
    if (!(claims instanceof Map) || !(list instanceof Map)) throw statusMalformed('the CWT carries no status list.')
    const lst: unknown = list.get('lst')
    if (!(lst instanceof Uint8Array)) throw statusMalformed('lst is not a byte string.')
    const named = (key: number): unknown => claims.get(key)
    const read = readClaims({
      ...{ iss: named(claimKey.iss), sub: named(claimKey.sub), iat: named(claimKey.iat), nbf: named(claimKey.nbf) },
      ...{ exp: named(claimKey.exp), ttl: named(claimKey.ttl), bits: list.get('bits'), lst },
      aggregationUri: list.get('aggregation_uri'),
    })
    const x5c = header.x5chain?.map(certificate => Buffer.from(certificate).toString('base64'))
    return { ...read, signature: { ...signature, ...(x5c === undefined ? {} : { x5c }) }, packed: lst }
  })

/** How far two clocks may stand apart. */
const skewMs = 60_000

/**
 * The claims of a token against where it was found and the time it is (section 8.3, step 4).
 * @throws Refusal rejected/status_list_refused
 */
export const judgeListToken = (token: OpenedListToken, uri: string, now: number): void => {
  if (token.uri !== uri) throw listRefused('sub of the status list differs from the uri of the credential.')
  if (token.issuedAt > now + skewMs || (token.notBefore ?? now) > now + skewMs) {
    throw listRefused('the status list is not valid yet.')
  }
  if (token.expiresAt !== undefined && token.expiresAt <= now) throw listRefused('the status list has expired.')
}

/** What is about to be published. Times are milliseconds; tokens carry whole seconds. */
export type ListDraft = {
  uri: string
  issuer: string
  issuedAt: number
  expiresAt: number
  ttlMs: number
  list: StatusList
  aggregationUri?: string | undefined
}

const seconds = (time: number): number => Math.floor(time / 1_000)

const optional = (aggregationUri: string | undefined) =>
  aggregationUri === undefined ? {} : { aggregation_uri: aggregationUri }

/**
 * A Status List Token in JWT form (section 5.1).
 * @param key.x5c certificates of the key, for readers who know no DIDs (HAIP 1.0, section 6.1).
 */
export const sealListJwt = async (
  draft: ListDraft,
  key: { algorithm: Parameters<Sign>[0]; kid: string; x5c?: readonly string[] | undefined },
  sign: Sign,
): Promise<string> => {
  const { uri, issuer, issuedAt, expiresAt, ttlMs, list, aggregationUri } = draft
  const lst = (await pack('zlib', list.bytes)).toString('base64url')
  return sealJws(
    { alg: key.algorithm, kid: key.kid, typ: 'statuslist+jwt', ...(key.x5c === undefined ? {} : { x5c: key.x5c }) },
    {
      ...{ sub: uri, iss: issuer, iat: seconds(issuedAt), exp: seconds(expiresAt), ttl: seconds(ttlMs) },
      status_list: { bits: list.bits, lst, ...optional(aggregationUri) },
    },
    sign,
  )
}

/** A Status List Token in CWT form (section 5.2). */
export const sealListCwt = async (
  draft: ListDraft,
  key: { algorithm: CoseAlgorithm; kid: string; x5c?: readonly string[] | undefined },
  sign: CoseSign,
): Promise<Uint8Array> => {
  const { uri, issuer, issuedAt, expiresAt, ttlMs, list, aggregationUri } = draft
  const lst = await pack('zlib', list.bytes)
  const payload = encode(
    new Map<number, unknown>([
      [claimKey.iss, issuer],
      [claimKey.sub, uri],
      [claimKey.exp, seconds(expiresAt)],
      [claimKey.iat, seconds(issuedAt)],
      [claimKey.statusList, { bits: list.bits, lst, ...optional(aggregationUri) }],
      [claimKey.ttl, seconds(ttlMs)],
    ]),
  )
  const { algorithm, kid, x5c } = key
  const certified = x5c === undefined ? {} : { x5chain: x5c.map(each => new Uint8Array(Buffer.from(each, 'base64'))) }
  return sealSign1({ algorithm, kid, ...certified, typ: 'application/statuslist+cwt', payload }, sign)
}

const aggregatedMost = 10_000

/** A Status List Aggregation (section 9.3): the URIs of an issuer's lists. */
export const aggregationOf = (uris: readonly string[]): { status_lists: string[] } => ({ status_lists: [...uris] })

/** @throws Refusal malformed/status_malformed */
export const readAggregation = (value: unknown): string[] => {
  const lists = isRecord(value) ? value['status_lists'] : undefined
  if (!Array.isArray(lists) || lists.length > aggregatedMost) {
    throw statusMalformed(`status_lists of an aggregation is not an array of at most ${aggregatedMost}.`)
  }
  if (!lists.every(uri => typeof uri === 'string' && URL.canParse(uri))) {
    throw statusMalformed('status_lists of an aggregation holds something that is no URI.')
  }
  return lists
}
