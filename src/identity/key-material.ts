import { createHash, createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { canonical } from '../kernel/canonical.ts'
import type { SignatureAlgorithm } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'

export const keyKinds = ['P-256', 'Ed25519', 'secp256k1', 'P-384', 'P-521'] as const
export type KeyKind = (typeof keyKinds)[number]

export const algorithmOf = {
  'P-256': 'ES256',
  Ed25519: 'EdDSA',
  secp256k1: 'ES256K',
  'P-384': 'ES384',
  'P-521': 'ES512',
} as const satisfies Record<KeyKind, SignatureAlgorithm>

/** A public key in the forms its users need. */
export type PublicKey = {
  kind: KeyKind
  publicKey: KeyObject
  jwk: JsonWebKey
  algorithm: SignatureAlgorithm
  /** RFC 7638, SHA-256, base64url. */
  thumbprint: string
}

/** DER in front of the raw key: SubjectPublicKeyInfo (compressed points), then SEC 1 or PKCS #8. */
const der = {
  'P-256': {
    public: Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
    before: Buffer.from('30310201010420', 'hex'),
    after: Buffer.from('a00a06082a8648ce3d030107', 'hex'),
    type: 'sec1',
  },
  secp256k1: {
    public: Buffer.from('3036301006072a8648ce3d020106052b8104000a032200', 'hex'),
    before: Buffer.from('302e0201010420', 'hex'),
    after: Buffer.from('a00706052b8104000a', 'hex'),
    type: 'sec1',
  },
  Ed25519: {
    public: Buffer.from('302a300506032b6570032100', 'hex'),
    before: Buffer.from('302e020100300506032b657004220420', 'hex'),
    after: Buffer.alloc(0),
    type: 'pkcs8',
  },
  'P-384': {
    public: Buffer.from('3046301006072a8648ce3d020106052b81040022033200', 'hex'),
    before: Buffer.from('303e0201010430', 'hex'),
    after: Buffer.from('a00706052b81040022', 'hex'),
    type: 'sec1',
  },
  'P-521': {
    public: Buffer.from('3058301006072a8648ce3d020106052b81040023034400', 'hex'),
    before: Buffer.from('30500201010442', 'hex'),
    after: Buffer.from('a00706052b81040023', 'hex'),
    type: 'sec1',
  },
} as const

/** Octets of a private key: the seed for Ed25519, the scalar for the curves, of which a coordinate has as many. */
export const secretLength: Record<KeyKind, number> = {
  ...{ 'P-256': 32, Ed25519: 32, secp256k1: 32 },
  ...{ 'P-384': 48, 'P-521': 66 },
}

/** RFC 7638: SHA-256 over the required members only. */
export const thumbprintOf = (jwk: JsonWebKey): string => {
  const { crv, kty, x, y } = jwk
  return createHash('sha256')
    .update(canonical(kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }))
    .digest('base64url')
}

const described = (kind: KeyKind, publicKey: KeyObject): PublicKey => {
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  const jwk = (kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }) as JsonWebKey
  return { kind, publicKey, jwk, algorithm: algorithmOf[kind], thumbprint: thumbprintOf(jwk) }
}

const malformed = (cause?: unknown): Refusal =>
  new Refusal('malformed', 'key_malformed', 'The key is not a valid P-256, P-384, P-521, Ed25519 or secp256k1 key.', {
    cause,
  })

/** Brings a point of a curve to its x coordinate and the sign of y (33 bytes, P-384: 49, P-521: 67); Ed25519 keys are 32 already. */
export const compressed = (kind: KeyKind, raw: Uint8Array): Buffer => {
  const bytes = Buffer.from(raw)
  const length = secretLength[kind]
  if (kind === 'Ed25519') {
    if (bytes.length === 32) return bytes
    throw malformed()
  }
  if (bytes.length === 1 + length && (bytes[0] === 2 || bytes[0] === 3)) return bytes
  if (bytes.length === 1 + 2 * length && bytes[0] === 4) {
    return Buffer.concat([Buffer.of(2 + ((bytes.at(-1) as number) & 1)), bytes.subarray(1, 1 + length)])
  }
  throw malformed()
}

/**
 * A public key from its raw bytes: 32 for Ed25519, a compressed or uncompressed point for the curves.
 * @throws Refusal malformed/key_malformed also for a point that is not on its curve.
 */
export const publicKeyFromRaw = (kind: KeyKind, raw: Uint8Array): PublicKey => {
  const key = Buffer.concat([der[kind].public, compressed(kind, raw)])
  try {
    return described(kind, createPublicKey({ key, format: 'der', type: 'spki' }))
  } catch (error) {
    throw malformed(error)
  }
}

/** @throws Refusal malformed/key_malformed, also for a JWK that carries private members. */
export const publicKeyFromJwk = (jwk: JsonWebKey): PublicKey => {
  const kind = keyKinds.find(each => each === jwk.crv)
  if (kind === undefined || jwk.kty !== (kind === 'Ed25519' ? 'OKP' : 'EC') || 'd' in jwk || 'k' in jwk)
    throw malformed()
  const { kty, crv, x, y } = jwk
  try {
    const key = (kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }) as JsonWebKey
    return described(kind, createPublicKey({ key, format: 'jwk' }))
  } catch (error) {
    throw malformed(error)
  }
}

/** The raw public key: 32 bytes for Ed25519, the compressed point (33 bytes, P-384: 49, P-521: 67) for the curves. */
export const rawPublicKey = (key: Pick<PublicKey, 'kind' | 'jwk'>): Buffer => {
  const x = Buffer.from(key.jwk.x as string, 'base64url')
  if (key.kind === 'Ed25519') return x
  const y = Buffer.from(key.jwk.y as string, 'base64url')
  return Buffer.concat([Buffer.of(2 + ((y.at(-1) as number) & 1)), x])
}

/** The private key as node:crypto wants it, from its raw bytes (the seed, for Ed25519). */
export const privateKeyFromRaw = (kind: KeyKind, secret: Uint8Array): KeyObject => {
  const { before, after, type } = der[kind]
  const key = Buffer.concat([before, secret, after])
  try {
    return createPrivateKey({ key, format: 'der', type })
  } finally {
    key.fill(0)
  }
}
