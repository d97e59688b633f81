import type { JsonWebKey } from 'node:crypto'
import type { DIDDocument } from 'did-resolver'
import { bbsLength } from './bbs.ts'
import { type PublicKey, publicKeyFromJwk, publicKeyFromRaw, rawPublicKey } from './key-material.ts'
import { fromMultikey, type SigningKey, toMultikey } from './multikey.ts'

/** A DID that carries its own key: nothing to ask anyone. */
export type LocalDid = { did: string; fragment: string; key: PublicKey }

/** The did:key of a public key (the curves as compressed points). */
export const didKeyOf = (key: Pick<PublicKey, 'kind' | 'jwk'>): string =>
  `did:key:${toMultikey({ kind: key.kind, raw: rawPublicKey(key) })}`

/** The did:jwk of a public key: required members only, in the order of RFC 7638. */
export const didJwkOf = ({ jwk }: Pick<PublicKey, 'jwk'>): string => {
  const { crv, kty, x, y } = jwk
  const text = JSON.stringify(kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x })
  return `did:jwk:${Buffer.from(text).toString('base64url')}`
}

// The longest is 98 bytes, 134 digits; decoding base58 takes quadratic time, so longer ones are not looked at.
const digitsMost = Math.ceil((2 + bbsLength.publicKey) * 1.38)
const didKey = new RegExp(`^did:key:(z[1-9A-HJ-NP-Za-km-z]{40,${digitsMost}})$`)

const parseDidKey = (did: string): LocalDid | undefined => {
  const [, fragment] = didKey.exec(did) ?? []
  if (fragment === undefined) return undefined
  const { kind, raw } = fromMultikey(fragment)
  return kind === 'BLS12-381-G2' ? undefined : { did, fragment, key: publicKeyFromRaw(kind, raw) }
}

const parseDidJwk = (did: string): LocalDid | undefined => {
  const [, text] = /^did:jwk:([A-Za-z0-9_-]{20,1024})$/.exec(did) ?? []
  if (text === undefined) return undefined
  const jwk = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as JsonWebKey | null
  if (typeof jwk !== 'object' || jwk === null || jwk['use'] === 'enc') return undefined
  return { did, fragment: '0', key: publicKeyFromJwk(jwk) }
}

/** A did:key or did:jwk of P-256, P-384, P-521, Ed25519 or secp256k1; `undefined` for every malformed or foreign one. */
export const parseLocalDid = (did: string): LocalDid | undefined => {
  try {
    return did.startsWith('did:key:') ? parseDidKey(did) : parseDidJwk(did)
  } catch {
    return undefined
  }
}

/** A key that a DID carries itself, as a verification method of the proofs that it makes. */
export type LocalMethod = { did: string; fragment: string; key: SigningKey & { jwk?: JsonWebKey } }

/** As `parseLocalDid`, and the did:key of BLS12-381 G2, with which nothing but a BBS proof is made. */
export const parseLocalMethod = (did: string): LocalMethod | undefined => {
  try {
    const [, fragment] = didKey.exec(did) ?? []
    if (fragment !== undefined) return { did, fragment, key: fromMultikey(fragment) }
    const local = parseDidJwk(did)
    return local === undefined ? undefined : { ...local, key: { ...local.key, raw: rawPublicKey(local.key) } }
  } catch {
    return undefined
  }
}

/**
 * The DID document of a DID that carries its own key: a Multikey for did:key (did:key method, Document Creation
 * Algorithm), a JsonWebKey2020 for did:jwk.
 */
export const localDocument = ({ did, fragment, key }: LocalMethod): DIDDocument => {
  const id = `${did}#${fragment}`
  const isMultikey = key.jwk === undefined || did.startsWith('did:key:')
  const method = isMultikey
    ? { id, type: 'Multikey', controller: did, publicKeyMultibase: toMultikey(key) }
    : { id, type: 'JsonWebKey2020', controller: did, publicKeyJwk: key.jwk as { kty: string } }
  const suite = isMultikey ? 'https://w3id.org/security/multikey/v1' : 'https://w3id.org/security/suites/jws-2020/v1'
  return {
    '@context': ['https://www.w3.org/ns/did/v1', suite],
    id: did,
    verificationMethod: [method],
    authentication: [id],
    assertionMethod: [id],
    capabilityInvocation: [id],
    capabilityDelegation: [id],
  }
}
