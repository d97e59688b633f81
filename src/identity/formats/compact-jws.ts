import { constants, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import { isRecord, readSegment } from './json.ts'

/**
 * A compact JWS that anybody may have signed, with all that its header says. Credentials are read by `openJws`, which takes
 * fewer algorithms; statements of a federation and trusted lists are often signed with RSA.
 */
export type CompactJws = {
  header: Readonly<Record<string, unknown>>
  algorithm: string
  /** Empty where the header names none. */
  kid: string
  /** Media type without `application/`. */
  typ: string | undefined
  payload: Readonly<Record<string, unknown>>
  compact: string
  input: Buffer
  signature: Buffer
}

type Algorithm = {
  hash: string | null
  key: (key: KeyObject) => boolean
  padding?: number
  signatureLength?: number
}

const curve = (name: string) => (key: KeyObject) =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === name
/** RFC 7518, sections 3.3 and 3.5: 2048 bits or more. Longer ones than 8192 only keep the verifier busy. */
const isRsa = (key: KeyObject): boolean => {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  return key.asymmetricKeyType === 'rsa' && bits >= 2_048 && bits <= 8_192
}
const isEd25519 = (key: KeyObject): boolean => key.asymmetricKeyType === 'ed25519'
const pss = constants.RSA_PKCS1_PSS_PADDING

const algorithms: Readonly<Record<string, Algorithm>> = {
  ES256: { hash: 'sha256', key: curve('prime256v1'), signatureLength: 64 },
  ES384: { hash: 'sha384', key: curve('secp384r1'), signatureLength: 96 },
  ES512: { hash: 'sha512', key: curve('secp521r1'), signatureLength: 132 },
  EdDSA: { hash: null, key: isEd25519, signatureLength: 64 },
  Ed25519: { hash: null, key: isEd25519, signatureLength: 64 },
  RS256: { hash: 'sha256', key: isRsa },
  RS384: { hash: 'sha384', key: isRsa },
  RS512: { hash: 'sha512', key: isRsa },
  PS256: { hash: 'sha256', key: isRsa, padding: pss },
  PS384: { hash: 'sha384', key: isRsa, padding: pss },
  PS512: { hash: 'sha512', key: isRsa, padding: pss },
}

const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'jws_malformed', detail, { cause })

const recordOf = (segment: string, what: string): Record<string, unknown> => {
  let value: unknown
  try {
    value = readSegment(segment, what)
  } catch (error) {
    throw isRefusal(error) ? malformed(error.message, error) : error
  }
  if (isRecord(value)) return value
  throw malformed(`The ${what} is not a JSON object.`)
}

/** RFC 7515, section 4.1.11: whoever does not understand what is critical refuses it. */
const assertCritical = (header: Record<string, unknown>, understood: readonly string[]): void => {
  const { crit } = header
  if (crit === undefined) return
  const isList = Array.isArray(crit) && crit.length > 0 && crit.every(name => typeof name === 'string')
  if (!isList || new Set(crit).size < crit.length || !crit.every(name => Object.hasOwn(header, name))) {
    throw malformed('crit is not a list of members of the header.')
  }
  const unknown = (crit as string[]).find(name => !understood.includes(name))
  if (unknown === undefined) return
  throw new Refusal(
    'rejected',
    'jws_critical_unknown',
    `The critical member ${unknown.slice(0, 80)} is not understood.`,
  )
}

/**
 * Takes a compact JWS apart without believing it.
 * @param options.bytesMost how long it may be. @default 64 KiB
 * @param options.critical members of the header that the caller understands.
 * @throws Refusal malformed/jws_malformed, rejected/algorithm_refused, rejected/jws_critical_unknown
 */
export const readCompactJws = (
  compact: string,
  { bytesMost = 65_536, critical = [] }: { bytesMost?: number; critical?: readonly string[] } = {},
): CompactJws => {
  if (compact.length > bytesMost) throw malformed(`The JWS is longer than ${bytesMost} characters.`)
  const parts = compact.split('.', 4)
  const [head = '', body = '', tail = ''] = parts
  if (parts.length !== 3) throw malformed('This is not a compact JWS.')
  const header = recordOf(head, 'header')
  const { alg, kid = '', typ } = header
  if (typeof alg !== 'string' || !Object.hasOwn(algorithms, alg)) {
    throw new Refusal('rejected', 'algorithm_refused', 'The JWS is not signed with an asymmetric algorithm of JOSE.')
  }
  if (typeof kid !== 'string' || kid.length > 2_048) throw malformed('kid is not a string of a bearable length.')
  if (typ !== undefined && typeof typ !== 'string') throw malformed('typ is not a string.')
  if (header['b64'] !== undefined) throw malformed('Unencoded payloads (b64) are not read.')
  assertCritical(header, critical)
  const signature = Buffer.from(tail, 'base64url')
  const { signatureLength = signature.length } = algorithms[alg] as Algorithm
  if (tail === '' || signature.toString('base64url') !== tail || signature.length !== signatureLength) {
    throw malformed('The signature is not base64url, or not as long as its algorithm makes it.')
  }
  return {
    ...{ header, algorithm: alg, kid, typ: typ?.toLowerCase().replace(/^application\//, '') },
    ...{ payload: recordOf(body, 'payload'), compact },
    ...{ input: Buffer.from(`${head}.${body}`, 'latin1'), signature },
  }
}

/** Whether the key is fit for the algorithm of the JWS and signed it. */
export const compactJwsHolds = ({ algorithm, input, signature }: CompactJws, key: KeyObject): Promise<boolean> => {
  const { hash, key: fits, padding } = algorithms[algorithm] as Algorithm
  if (key.type !== 'public' || !fits(key)) return Promise.resolve(false)
  const options = { key, dsaEncoding: 'ieee-p1363' as const, ...(padding === undefined ? {} : { padding }) }
  return new Promise((resolve, reject) => {
    verify(hash, input, options, signature, (error, holds) => (error === null ? resolve(holds) : reject(error)))
  })
}

/** Public keys by their `kid`. */
export type KeySet = ReadonlyMap<string, KeyObject>

const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']
const keysMost = 32

const keySetMalformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'jwks_malformed', detail, { cause })

/**
 * A JWK Set (RFC 7517, section 5) in which every key has a `kid` of its own. Keys that are not for signatures, and those of a
 * kind that nobody here verifies with, are left out.
 * @throws Refusal malformed/jwks_malformed, also for a private or symmetric key
 */
export const readKeySet = (value: unknown): KeySet => {
  const keys = isRecord(value) ? value['keys'] : undefined
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > keysMost) {
    throw keySetMalformed(`A JWK Set holds one to ${keysMost} keys.`)
  }
  const named = new Set<string>()
  const set = new Map<string, KeyObject>()
  for (const jwk of keys) {
    const kid = isRecord(jwk) ? jwk['kid'] : undefined
    if (!isRecord(jwk) || typeof kid !== 'string' || kid === '' || named.has(kid)) {
      throw keySetMalformed('Every key of the JWK Set needs a kid of its own.')
    }
    named.add(kid)
    if (privateMembers.some(name => Object.hasOwn(jwk, name))) {
      throw keySetMalformed('A key of the JWK Set is not a public one.')
    }
    if (jwk['use'] !== undefined && jwk['use'] !== 'sig') continue
    if (!['EC', 'OKP', 'RSA'].includes(String(jwk['kty']))) continue
    try {
      set.set(kid, createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }))
    } catch (cause) {
      throw keySetMalformed('A key of the JWK Set is malformed.', cause)
    }
  }
  return set
}
