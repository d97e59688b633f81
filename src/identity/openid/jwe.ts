import { isUtf8 } from 'node:buffer'
import { generateKeyPairSync, hash, type JsonWebKey } from 'node:crypto'
import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'
import { CompactEncrypt } from 'jose'
import { canonical } from '../../kernel/canonical.ts'
import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import { isRecord, readJson, readSegment } from '../formats/json.ts'
import { openByAgreement, rememberPrivateKey } from './key-agreement.ts'

/** Content encryption that is understood here (RFC 7518 section 5.3); what HAIP 1.0 section 5 asks of a verifier. */
export const contentEncryptions = ['A128GCM', 'A256GCM'] as const
export type ContentEncryption = (typeof contentEncryptions)[number]

/** Direct key agreement (RFC 7518 section 4.6), with keys on P-256. */
export const keyAgreement = 'ECDH-ES'

/** A compact JWE, and what it holds once it is opened. */
const compactLengthMost = 1_048_576
const headerLengthMost = 4_096
const contentLengthMost = 1_048_576
/** `apu` and `apv`, in octets: a nonce or a thumbprint fits. */
const partyLengthMost = 512

/** A key that others encrypt to: made for one request or one answer. */
export type EncryptionKey = {
  /** As `client_metadata.jwks` or `credential_response_encryption` publish it: with `kid`, `use` and `alg`. */
  publicJwk: PublicEncryptionJwk
  /** A secret: sealed wherever it is kept. */
  privateJwk: JsonWebKey
}

export type PublicEncryptionJwk = {
  kty: 'EC'
  crv: 'P-256'
  x: string
  y: string
  alg: typeof keyAgreement
  use: 'enc'
  kid: string
}

export type JweHeader = {
  alg: typeof keyAgreement
  enc: ContentEncryption
  kid?: string
  typ?: string
  cty?: string
  epk?: unknown
  apu?: string
  apv?: string
  zip?: 'DEF'
}

const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'jwe_malformed', detail, { cause })
const refused = (detail: string): Refusal => new Refusal('rejected', 'encryption_refused', detail)
/** Nothing tells an altered message from one for another key. */
const undecipherable = (cause?: unknown): Refusal =>
  new Refusal('rejected', 'decryption_failed', 'The message cannot be decrypted with the key it should be for.', {
    cause,
  })

/** RFC 7638, SHA-256: 32 octets, as the handover of an mdoc wants them. */
export const encryptionThumbprint = ({
  crv,
  kty,
  x,
  y,
}: Pick<PublicEncryptionJwk, 'crv' | 'kty' | 'x' | 'y'>): Buffer =>
  hash('sha256', canonical({ crv, kty, x, y }), 'buffer')

/** A fresh key on P-256; its `kid` is its thumbprint. */
export const newEncryptionKey = async (): Promise<EncryptionKey> => {
  // On this thread: to hand it to another takes twice as long as to make it.
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y, d } = privateKey.export({ format: 'jwk' }) as { x: string; y: string; d: string }
  const point = { kty: 'EC', crv: 'P-256', x, y } as const
  const kid = encryptionThumbprint(point).toString('base64url')
  const privateJwk = { ...point, d }
  rememberPrivateKey(privateJwk, privateKey)
  return { publicJwk: { ...point, alg: keyAgreement, use: 'enc', kid }, privateJwk }
}

const coordinate = /^[A-Za-z0-9_-]{43}$/

const isUsable = (jwk: unknown): jwk is Record<string, unknown> & { x: string; y: string } =>
  isRecord(jwk) &&
  jwk['kty'] === 'EC' &&
  jwk['crv'] === 'P-256' &&
  // OpenID4VP 1.0 section 8.3: `alg` has to be there; a key without `use` is for encryption.
  jwk['alg'] === keyAgreement &&
  (jwk['use'] === undefined || jwk['use'] === 'enc') &&
  jwk['d'] === undefined &&
  coordinate.test(String(jwk['x'])) &&
  coordinate.test(String(jwk['y']))

/**
 * The first key of a set that this side can encrypt to (OpenID4VP 1.0 section 8.3, OpenID4VCI 1.0 section 10).
 * @param jwks a JWK Set, not trusted yet.
 * @throws Refusal rejected/encryption_key_missing
 */
export const chooseEncryptionKey = (jwks: unknown): Record<string, unknown> & { kid?: string } => {
  const keys = isRecord(jwks) && Array.isArray(jwks['keys']) ? (jwks['keys'] as unknown[]) : []
  const usable = keys.find(isUsable)
  if (usable === undefined || (usable['kid'] !== undefined && typeof usable['kid'] !== 'string')) {
    const detail = 'The answer has to be encrypted, but no key on P-256 with the alg ECDH-ES is given for it.'
    throw new Refusal('rejected', 'encryption_key_missing', detail)
  }
  return usable
}

/**
 * The strongest content encryption that both sides know; HAIP 1.0 section 5 prefers A256GCM.
 * @param offered what the other side lists; without a list, the default of OpenID4VP 1.0 section 5.1 is A128GCM.
 * @throws Refusal rejected/encryption_refused
 */
export const chooseContentEncryption = (offered: readonly string[] | undefined): ContentEncryption => {
  if (offered === undefined) return 'A128GCM'
  if (offered.includes('A256GCM')) return 'A256GCM'
  if (offered.includes('A128GCM')) return 'A128GCM'
  throw refused('None of the content encryptions that are listed is known here; A128GCM and A256GCM are.')
}

/** Whom a message is encrypted for, and how. */
export type Recipient = {
  /** As `chooseEncryptionKey` found it; its `kid` goes into the header. */
  jwk: Record<string, unknown>
  enc: ContentEncryption
  /** Information about the sender, base64url; `apv` about the recipient. */
  apu?: string
  apv?: string
  typ?: string
  cty?: string
  zip?: 'DEF'
}

/**
 * Encrypts JSON to somebody's key as a compact JWE: an encrypted JWT that is not signed (RFC 7519 section 7).
 * @throws Refusal rejected/encryption_key_missing when the key is no point of its curve.
 */
export const encryptJwe = (payload: Record<string, unknown>, to: Recipient): Promise<string> =>
  encryptText(JSON.stringify(payload), to)

/** Encrypts a text, such as a JWT that is signed already, and then `cty` says what it is. @throws Refusal as above */
export const encryptText = async (text: string, to: Recipient): Promise<string> => {
  const { jwk, enc, typ, cty, zip, apu, apv } = to
  if (apu !== undefined && apu === apv) throw new TypeError('apu and apv name two parties')
  const { kty, crv, x, y, kid } = jwk
  const header = {
    ...{ alg: keyAgreement, enc },
    ...(typeof kid === 'string' ? { kid } : {}),
    ...(typ === undefined ? {} : { typ }),
    ...(cty === undefined ? {} : { cty }),
    ...(zip === undefined ? {} : { zip }),
  }
  const parties = {
    ...(apu === undefined ? {} : { apu: Buffer.from(apu, 'base64url') }),
    ...(apv === undefined ? {} : { apv: Buffer.from(apv, 'base64url') }),
  }
  try {
    return await new CompactEncrypt(Buffer.from(text))
      .setProtectedHeader(header)
      .setKeyManagementParameters(parties)
      .encrypt({ kty, crv, x, y } as JsonWebKey & { kty: string }, {})
  } catch (cause) {
    throw new Refusal('rejected', 'encryption_key_missing', 'The key to encrypt to is no point on P-256.', { cause })
  }
}

const party = /^[A-Za-z0-9_-]+$/

const isParty = (value: unknown): boolean =>
  value === undefined || (typeof value === 'string' && value.length <= partyLengthMost && party.test(value))

/**
 * The protected header of a compact JWE. Nothing in it is believed before the message is decrypted.
 * @throws Refusal malformed/jwe_malformed
 */
export const jweHeaderOf = (compact: string): Record<string, unknown> => {
  if (compact.length > compactLengthMost) throw malformed('The JWE is longer than a mebibyte.')
  const [first = '', key, ...rest] = compact.split('.', 6)
  if (rest.length !== 3 || key === undefined) throw malformed('This is not a compact JWE of five parts.')
  if (first.length > headerLengthMost) throw malformed('The header of the JWE is too long.')
  let header: unknown
  try {
    header = readSegment(first, 'header of the JWE')
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    throw malformed(cause.message, cause)
  }
  if (!isRecord(header)) throw malformed('The header of the JWE is not an object.')
  return header
}

const assertHeader = (header: Record<string, unknown>, expected: { kid?: string; zip: boolean }): void => {
  if (header['alg'] !== keyAgreement) throw refused('The alg of the JWE has to be ECDH-ES.')
  if (!contentEncryptions.some(each => each === header['enc'])) {
    throw refused('The enc of the JWE has to be A128GCM or A256GCM.')
  }
  if (header['crit'] !== undefined) throw refused('The JWE has critical extensions (crit) that are not understood.')
  if (header['zip'] !== undefined && !(expected.zip && header['zip'] === 'DEF')) {
    throw refused('The content of the JWE is compressed (zip), which is not accepted here.')
  }
  if (!isParty(header['apu']) || !isParty(header['apv'])) {
    throw malformed('apu and apv of a JWE are base64url of bounded length.')
  }
  const { kid } = header
  if (expected.kid !== undefined && kid !== undefined && kid !== expected.kid) throw undecipherable()
}

/** With which key a message has to open. */
export type Opener = {
  key: JsonWebKey
  /** Of that key: another one in the header is refused; none is accepted, as the key decides. */
  kid?: string
  /** Whether the content may be compressed; it is bounded at a mebibyte either way. */
  zip?: boolean
}

const inflate = promisify(inflateRaw)
const unpacked = (bytes: Buffer): Promise<Buffer> => inflate(bytes, { maxOutputLength: contentLengthMost })

/**
 * Decrypts a compact JWE with exactly the key it should be for.
 * @throws Refusal malformed/jwe_malformed, rejected/encryption_refused, rejected/decryption_failed
 */
export const decryptText = async (compact: string, expected: Opener): Promise<{ header: JweHeader; text: string }> => {
  const header = jweHeaderOf(compact)
  const { key, kid, zip = false } = expected
  assertHeader(header, { ...(kid === undefined ? {} : { kid }), zip })
  try {
    const opened = openByAgreement(compact, header as JweHeader, key)
    const plaintext = header['zip'] === undefined ? opened : await unpacked(opened)
    if (!isUtf8(plaintext)) throw malformed('The content of the JWE is not UTF-8.')
    return { header: header as JweHeader, text: Buffer.from(plaintext).toString('utf8') }
  } catch (error) {
    throw isRefusal(error) ? error : undecipherable(error)
  }
}

/** The same for a message that is a JSON object. */
export const decryptJwe = async (
  compact: string,
  expected: Opener,
): Promise<{ header: JweHeader; payload: Record<string, unknown> }> => {
  const { header, text } = await decryptText(compact, expected)
  let payload: unknown
  try {
    payload = readJson(text, 'content of the JWE')
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    throw malformed(cause.message, cause)
  }
  if (!isRecord(payload)) throw malformed('The content of the JWE is not an object.')
  return { header, payload }
}
