import type { JsonWebKey } from 'node:crypto'
import { base58ToBytes, bytesToBase58 } from '@veramo/utils'
import type { DIDDocument } from 'did-resolver'
import { type KeyKind, type PublicKey, publicKeyFromJwk, publicKeyFromRaw, rawPublicKey } from './key-material.ts'

/** A DID that carries its own key: nothing to ask anyone. */
export type LocalDid = { did: string; fragment: string; key: PublicKey }

const multicodec: Record<KeyKind, Buffer> = {
  'P-256': Buffer.from('8024', 'hex'),
  Ed25519: Buffer.from('ed01', 'hex'),
  secp256k1: Buffer.from('e701', 'hex'),
}

/** The did:key of a public key (the curves as compressed points). */
export const didKeyOf = (key: Pick<PublicKey, 'kind' | 'jwk'>): string =>
  `did:key:z${bytesToBase58(Buffer.concat([multicodec[key.kind], rawPublicKey(key)]))}`

/** The did:jwk of a public key: required members only, in the order of RFC 7638. */
export const didJwkOf = ({ jwk }: Pick<PublicKey, 'jwk'>): string => {
  const { crv, kty, x, y } = jwk
  const text = JSON.stringify(kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x })
  return `did:jwk:${Buffer.from(text).toString('base64url')}`
}

const parseDidKey = (did: string): LocalDid | undefined => {
  // The longest is 35 bytes, 48 digits; decoding base58 takes quadratic time, so longer ones are not looked at.
  const [, digits] = /^did:key:z([1-9A-HJ-NP-Za-km-z]{40,60})$/.exec(did) ?? []
  if (digits === undefined) return undefined
  const bytes = Buffer.from(base58ToBytes(digits))
  for (const [kind, code] of Object.entries(multicodec) as [KeyKind, Buffer][]) {
    const length = kind === 'Ed25519' ? 32 : 33
    if (bytes.length !== code.length + length || !bytes.subarray(0, 2).equals(code)) continue
    return { did, fragment: did.slice('did:key:'.length), key: publicKeyFromRaw(kind, bytes.subarray(2)) }
  }
  return undefined
}

const parseDidJwk = (did: string): LocalDid | undefined => {
  const [, text] = /^did:jwk:([A-Za-z0-9_-]{20,1024})$/.exec(did) ?? []
  if (text === undefined) return undefined
  const jwk = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as JsonWebKey | null
  if (typeof jwk !== 'object' || jwk === null || jwk['use'] === 'enc') return undefined
  return { did, fragment: '0', key: publicKeyFromJwk(jwk) }
}

/** A did:key or did:jwk of P-256, Ed25519 or secp256k1; `undefined` for every malformed or foreign one. */
export const parseLocalDid = (did: string): LocalDid | undefined => {
  try {
    return did.startsWith('did:key:') ? parseDidKey(did) : parseDidJwk(did)
  } catch {
    return undefined
  }
}

export const localDocument = ({ did, fragment, key }: LocalDid): DIDDocument => {
  const id = `${did}#${fragment}`
  return {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/suites/jws-2020/v1'],
    id: did,
    verificationMethod: [{ id, type: 'JsonWebKey2020', controller: did, publicKeyJwk: key.jwk as { kty: string } }],
    authentication: [id],
    assertionMethod: [id],
    capabilityInvocation: [id],
    capabilityDelegation: [id],
  }
}
