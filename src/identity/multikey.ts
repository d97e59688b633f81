import type { JsonWebKey, KeyObject } from 'node:crypto'
import type { SignatureAlgorithm } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { bbsLength } from './bbs.ts'
import {
  algorithmOf,
  type KeyKind,
  publicKeyFromJwk,
  publicKeyFromRaw,
  rawPublicKey,
  secretLength,
} from './key-material.ts'
import { fromBase58btc, toBase58btc } from './multibase.ts'

/** A public key of any kind that signs here. */
export type SigningKey = {
  kind: KeyKind | 'BLS12-381-G2'
  algorithm: SignatureAlgorithm
  /** Absent for BLS12-381, which node:crypto does not know. */
  publicKey?: KeyObject
  /** Ed25519: 32 octets; a compressed point for the curves: 33 octets, P-384 49, P-521 67, BLS12-381 G2 96. */
  raw: Buffer
}

/** Multicodec prefixes of public keys (Controlled Identifiers 1.0, section 2.2.2 Multikey), as varints. */
const multicodec: Record<SigningKey['kind'], Buffer> = {
  'P-256': Buffer.from('8024', 'hex'),
  Ed25519: Buffer.from('ed01', 'hex'),
  secp256k1: Buffer.from('e701', 'hex'),
  'P-384': Buffer.from('8124', 'hex'),
  'P-521': Buffer.from('8224', 'hex'),
  'BLS12-381-G2': Buffer.from('eb01', 'hex'),
}
const kinds = Object.keys(multicodec) as SigningKey['kind'][]

const malformed = (cause?: unknown): Refusal =>
  new Refusal(
    'malformed',
    'key_malformed',
    'The key is not a Multikey of Ed25519, P-256, P-384, P-521, secp256k1 or BLS12-381 G2.',
    {
      cause,
    },
  )

const rawLength = (kind: SigningKey['kind']): number =>
  kind === 'BLS12-381-G2' ? bbsLength.publicKey : kind === 'Ed25519' ? 32 : 1 + secretLength[kind]

/**
 * A public key from its raw octets.
 * @throws Refusal malformed/key_malformed also for a point off its curve; of BLS12-381 only the form is looked at, the
 * point itself when a signature is verified.
 */
export const signingKey = (kind: SigningKey['kind'], raw: Uint8Array): SigningKey => {
  const bytes = Buffer.from(raw)
  if (bytes.length !== rawLength(kind)) throw malformed()
  if (kind !== 'BLS12-381-G2') {
    return { kind, algorithm: algorithmOf[kind], publicKey: publicKeyFromRaw(kind, bytes).publicKey, raw: bytes }
  }
  // The first three bits of a compressed point: compressed, not the point at infinity, and any sign.
  if (((bytes[0] as number) & 0xc0) !== 0x80) throw malformed()
  return { kind, algorithm: 'BBS', raw: bytes }
}

/** `publicKeyMultibase` of a key (Controlled Identifiers 1.0, section 2.2.2). */
export const toMultikey = ({ kind, raw }: Pick<SigningKey, 'kind'> & { raw: Uint8Array }): string =>
  toBase58btc(Buffer.concat([multicodec[kind], raw]))

/** @throws Refusal malformed/key_malformed */
export const fromMultikey = (text: string): SigningKey => {
  const bytes = fromBase58btc(text, 2 + bbsLength.publicKey)
  const kind = kinds.find(each => bytes?.subarray(0, 2).equals(multicodec[each]))
  if (bytes === undefined || kind === undefined) throw malformed()
  return signingKey(kind, bytes.subarray(2))
}

const fromJwk = (jwk: JsonWebKey): SigningKey => {
  const key = publicKeyFromJwk(jwk)
  return { kind: key.kind, algorithm: key.algorithm, publicKey: key.publicKey, raw: rawPublicKey(key) }
}

/** Types of verification methods that carry a Multikey, and the kinds each may carry. */
const multikeyTypes: Record<string, readonly SigningKey['kind'][]> = {
  Multikey: kinds,
  Ed25519VerificationKey2020: ['Ed25519'],
}
const jwkTypes = new Set(['JsonWebKey', 'JsonWebKey2020'])

/**
 * The key of a verification method: Multikey and JsonWebKey (Controlled Identifiers 1.0, sections 2.2.2 and 2.2.3),
 * Ed25519VerificationKey2020 and JsonWebKey2020. A method that carries a key twice, or the secret one, is refused.
 * @throws Refusal malformed/key_malformed
 */
export const keyOfMethod = (method: Readonly<Record<string, unknown>>): SigningKey => {
  const { type, publicKeyMultibase, publicKeyJwk } = method
  if ('secretKeyMultibase' in method || 'secretKeyJwk' in method) throw malformed()
  if ((publicKeyMultibase === undefined) === (publicKeyJwk === undefined)) throw malformed()
  if (publicKeyJwk !== undefined) {
    const fits = typeof type === 'string' && jwkTypes.has(type) && typeof publicKeyJwk === 'object'
    if (!fits || publicKeyJwk === null) throw malformed()
    return fromJwk(publicKeyJwk as JsonWebKey)
  }
  if (typeof publicKeyMultibase !== 'string' || typeof type !== 'string') throw malformed()
  const key = fromMultikey(publicKeyMultibase)
  if (!multikeyTypes[type]?.includes(key.kind)) throw malformed()
  return key
}
