import { verify as verifySignature } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import type { JoseHeader, PublicKey, Sign, Signature, SignedParts } from './format.ts'
import { isRecord, malformed, readSegment } from './json.ts'

/** Algorithms, and how long their signatures are: r and s side by side (RFC 7518 section 3.4), or those of RFC 8032. */
const signatureLengths = new Map([
  ['ES256', 64],
  ['EdDSA', 64],
  ['ES256K', 64],
  ['ES384', 96],
  ['ES512', 132],
])

const base64url = /^[A-Za-z0-9_-]+$/

/** JSON object of a base64url segment. */
const decodeSegment = (segment: string, what: string): Record<string, unknown> => {
  const value = readSegment(segment, what)
  if (!isRecord(value)) throw malformed(`The ${what} is not a JSON object.`)
  return value
}

// An issuer signs millions of credentials under one header: parsing it once a spelling saves a fifth of an opening.
// Only the parse is remembered, never a judgement.
const headers = new Map<string, JoseHeader>()
const headersKept = 1_000
/** Certificates take much room; a header of this length is read, but not remembered. */
const headerLengthMost = 32_768
const headerLengthKept = 4_096
const certificatesMost = 8
const compactLengthMost = 1_048_576

/** Media types may be written with or without `application/` (RFC 7515 section 4.1.9). */
const mediaType = (typ: unknown): string | undefined =>
  typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined

const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/** The certificate chain of RFC 7515 section 4.1.6: base64, not base64url, of DER. */
const readX5c = (value: unknown): readonly string[] => {
  if (!Array.isArray(value) || value.length === 0 || value.length > certificatesMost) {
    throw malformed(`x5c has to be an array of one to ${certificatesMost} certificates.`)
  }
  if (!value.every(item => typeof item === 'string' && base64.test(item))) {
    throw malformed('A certificate of x5c is not base64.')
  }
  return value as string[]
}

const readHeader = (segment: string): JoseHeader => {
  if (segment.length > headerLengthMost) throw malformed('The header is too long.')
  const known = headers.get(segment)
  if (known !== undefined) return known
  const raw = decodeSegment(segment, 'header')
  const { alg, kid, typ } = raw
  if (typeof alg !== 'string' || !signatureLengths.has(alg)) {
    throw new Refusal(
      'rejected',
      'algorithm_refused',
      'The signature algorithm must be ES256, ES384, ES512, EdDSA or ES256K.',
    )
  }
  // A KB-JWT names no kid: its key is cnf of the credential. Whoever needs a kid refuses an empty one as unknown.
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > 2_048)) throw malformed('The kid is not a string.')
  if (raw['crit'] !== undefined) throw malformed('The header has critical extensions (crit) that are not understood.')
  if (raw['b64'] !== undefined) throw malformed('Unencoded payloads (b64) are not accepted.')
  const header: JoseHeader = { alg, kid: kid ?? '', typ: mediaType(typ) }
  if (raw['x5c'] !== undefined) header.x5c = readX5c(raw['x5c'])
  if (segment.length > headerLengthKept) return header
  if (headers.size >= headersKept) headers.clear()
  // A copy: the segment itself is a window on its whole token, which would stay in memory with it.
  headers.set(Buffer.from(segment, 'latin1').toString('latin1'), header)
  return header
}

/** The declared type of a compact JWS. */
export const typOf = (compact: string): string | undefined => {
  const dot = compact.indexOf('.')
  if (dot < 1) throw malformed('This is not a compact JWS.')
  return readHeader(compact.slice(0, dot)).typ
}

/** The DID URL of a signer's key: a `kid` may be relative to its DID, and a DID that is one key needs none. */
export const keyUrl = (kid: string, did: string): string => {
  if (kid.startsWith('#')) return `${did}${kid}`
  if (kid !== '') return kid
  if (did.startsWith('did:key:')) return `${did}#${did.slice(8)}`
  return did.startsWith('did:jwk:') ? `${did}#0` : ''
}

/** Takes a compact JWS apart without believing it. */
export const openJws = (compact: string): { signed: SignedParts; payload: Record<string, unknown> } => {
  if (compact.length > compactLengthMost) throw malformed('The token is longer than a mebibyte.')
  const first = compact.indexOf('.')
  const second = compact.indexOf('.', first + 1)
  if (first < 1 || second < 0 || compact.indexOf('.', second + 1) >= 0) throw malformed('This is not a compact JWS.')
  const header = readHeader(compact.slice(0, first))
  const payload = decodeSegment(compact.slice(first + 1, second), 'payload')
  const tail = compact.slice(second + 1)
  if (!base64url.test(tail)) throw malformed('The signature is not base64url.')
  const signature = Buffer.from(tail, 'base64url')
  if (signature.length !== signatureLengths.get(header.alg) || signature.toString('base64url') !== tail) {
    throw malformed('The signature has not the length that its algorithm gives.')
  }
  return { signed: { header, input: Buffer.from(compact.slice(0, second), 'latin1'), signature }, payload }
}

/** Secures a payload as a compact JWS. */
export const sealJws = async (
  header: { alg: SignedAlgorithm; kid?: string; typ: string } & Record<string, unknown>,
  payload: Record<string, unknown>,
  sign: Sign,
): Promise<string> => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode(header)}.${encode(payload)}`
  const signature = await sign(header.alg, Buffer.from(input, 'latin1'))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}
type SignedAlgorithm = PublicKey['algorithm']

/** INTEGER of ASN.1 DER: no leading zeros but the one that keeps it positive. @returns where it ends. */
const writeInteger = (der: Buffer, at: number, raw: Buffer, from: number): number => {
  let start = from
  while (start < from + 31 && raw[start] === 0) start++
  const isHigh = (raw[start] ?? 0) > 0x7f
  const length = from + 32 - start
  der[at] = 0x02
  der[at + 1] = isHigh ? length + 1 : length
  if (isHigh) der[at + 2] = 0
  const body = at + (isHigh ? 3 : 2)
  raw.copy(der, body, start, from + 32)
  return body + length
}

/** r‖s as ECDSA-Sig-Value (RFC 3279): node's own `ieee-p1363` takes 25 µs of the main thread for it, this takes none. */
const derOf = (raw: Buffer): Buffer => {
  const der = Buffer.allocUnsafe(72)
  const end = writeInteger(der, writeInteger(der, 2, raw, 0), raw, 32)
  der[0] = 0x30
  der[1] = end - 2
  return der.subarray(0, end)
}

/** RFC 7518, section 3.4: hash functions of curves above P-256. */
const strongerDigests: Partial<Record<SignedAlgorithm, string>> = { ES384: 'sha384', ES512: 'sha512' }

/**
 * Checks a signature on the thread pool, so that one process uses every core. A key of another algorithm than the header
 * names holds nothing.
 */
export const signatureHolds = ({ header, input, signature }: SignedParts, key: PublicKey): Promise<boolean> => {
  const { algorithm, publicKey } = key
  if (header.alg !== algorithm) return Promise.resolve(false)
  const stronger = strongerDigests[algorithm]
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, holds: boolean) => (error === null ? resolve(holds) : reject(error))
    if (algorithm === 'EdDSA') verifySignature(null, input, publicKey, signature, done)
    else if (stronger !== undefined) {
      verifySignature(stronger, input, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature, done)
    } else verifySignature('sha256', input, publicKey, derOf(signature), done)
  })
}

/** The signature of a JWS as any format has one. */
export const jwsSignature = (signed: SignedParts): Signature => ({
  kid: signed.header.kid,
  algorithm: signed.header.alg,
  ...(signed.header.x5c === undefined ? {} : { x5c: signed.header.x5c }),
  holds: key => signatureHolds(signed, key),
})

/** NumericDate (RFC 7519) to milliseconds. */
export const fromNumericDate = (value: unknown, name: string): number | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value) || Math.abs(value) > 1e11) {
    throw malformed(`${name} is not a NumericDate.`)
  }
  return Math.floor(value * 1_000)
}

const dateTime = /^-?\d{4,}-\d\d-(\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** Date.parse takes 30 February for 2 March. @param text a date-time that it could read. */
const isDayOfMonth = (text: string, day: number): boolean =>
  day <= 28 || new Date(`${text.slice(0, text.indexOf('T'))}T00:00:00Z`).getUTCDate() === day

/** XSD dateTimeStamp (VC Data Model 2.0 section 4.9) to milliseconds. */
export const fromDateTime = (value: unknown, name: string): number | undefined => {
  if (value === undefined) return undefined
  const day = typeof value === 'string' ? dateTime.exec(value)?.[1] : undefined
  const time = day === undefined ? Number.NaN : Date.parse(value as string)
  if (Number.isNaN(time) || !isDayOfMonth(value as string, Number(day))) {
    throw malformed(`${name} is not a date-time with a time zone.`)
  }
  return time
}

export const toDateTime = (time: number): string => new Date(time).toISOString().replace(/\.000Z$/, 'Z')

export const textOrUndefined = (value: unknown, name: string): string | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw malformed(`${name} is not a string.`)
  return value
}
