import { createPublicKey, ECDH, type JsonWebKey } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import type { HeaderMap } from './sign1.ts'

/** Parameters of a COSE_Key (RFC 9052, section 7.1; RFC 9053, section 7). */
const label = { kty: 1, kid: 2, crv: -1, x: -2, y: -3, d: -4 } as const

type Curve = { name: string; number: number; kty: 1 | 2; octets: number; openssl: string }

/** RFC 9053, table 18, and RFC 8812, section 3. */
const curves: readonly Curve[] = [
  { name: 'P-256', number: 1, kty: 2, octets: 32, openssl: 'prime256v1' },
  { name: 'P-384', number: 2, kty: 2, octets: 48, openssl: 'secp384r1' },
  { name: 'secp256k1', number: 8, kty: 2, octets: 32, openssl: 'secp256k1' },
  { name: 'Ed25519', number: 6, kty: 1, octets: 32, openssl: '' },
  { name: 'X25519', number: 4, kty: 1, octets: 32, openssl: '' },
]

const malformed = (detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'key_malformed', detail, { cause })

const bytesOf = (value: unknown, octets: number): Buffer => {
  if (!(value instanceof Uint8Array) || value.length !== octets) {
    throw malformed(`A coordinate of this COSE_Key is a byte string of ${octets} octets.`)
  }
  return Buffer.from(value)
}

/** RFC 9053, section 7.1.1: y is the coordinate, or only its sign. */
const secondCoordinate = (value: unknown, x: Buffer, { octets, openssl }: Curve): Buffer => {
  if (typeof value !== 'boolean') return bytesOf(value, octets)
  try {
    const point = ECDH.convertKey(Buffer.concat([Buffer.of(value ? 3 : 2), x]), openssl) as Buffer
    return point.subarray(1 + octets)
  } catch (cause) {
    throw malformed('The point of the COSE_Key is not on its curve.', cause)
  }
}

/**
 * The public key of a COSE_Key as a JWK with the required members only.
 * @throws Refusal malformed/key_malformed, also for a key that carries its private part
 */
export const jwkOfCoseKey = (key: unknown): JsonWebKey => {
  if (!(key instanceof Map)) throw malformed('A COSE_Key is a map.')
  if (key.has(label.d)) throw malformed('The COSE_Key carries a private key; send the public one.')
  const curve = curves.find(each => each.number === key.get(label.crv) && each.kty === key.get(label.kty))
  if (curve === undefined) throw malformed('The COSE_Key must be P-256, P-384, secp256k1, Ed25519 or X25519.')
  const x = bytesOf(key.get(label.x), curve.octets)
  const text = { crv: curve.name, x: x.toString('base64url') }
  if (curve.kty === 1) return { kty: 'OKP', ...text }
  const y = secondCoordinate(key.get(label.y), x, curve)
  const jwk = { kty: 'EC', ...text, y: y.toString('base64url') }
  try {
    createPublicKey({ key: jwk, format: 'jwk' })
  } catch (cause) {
    throw malformed('The point of the COSE_Key is not on its curve.', cause)
  }
  return jwk
}

/**
 * The COSE_Key of a public JWK.
 * @throws Refusal malformed/key_malformed, also for a JWK with private members
 */
export const coseKeyOf = (jwk: JsonWebKey, kid?: Uint8Array): HeaderMap => {
  const curve = curves.find(each => each.name === jwk.crv && jwk.kty === (each.kty === 1 ? 'OKP' : 'EC'))
  if (curve === undefined || jwk.d !== undefined) {
    throw malformed('The JWK must be a public key of P-256, P-384, secp256k1, Ed25519 or X25519.')
  }
  const coordinate = (text: unknown): Buffer =>
    bytesOf(typeof text === 'string' ? Buffer.from(text, 'base64url') : undefined, curve.octets)
  const key: HeaderMap = new Map([[label.kty, curve.kty]])
  if (kid !== undefined) key.set(label.kid, kid)
  key.set(label.crv, curve.number)
  key.set(label.x, coordinate(jwk.x))
  if (curve.kty === 2) key.set(label.y, coordinate(jwk.y))
  return key
}
