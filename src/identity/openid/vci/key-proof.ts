import type { JsonWebKey } from 'node:crypto'
import type { Clock } from '../../../kernel/ports.ts'
import type { DidKeys } from '../../did-keys.ts'
import { didJwkOf, parseLocalDid } from '../../did-local.ts'
import { fromNumericDate, keyUrl, openJws, signatureHolds } from '../../formats/jose.ts'
import { isRecord, readSegment } from '../../formats/json.ts'
import { type PublicKey, publicKeyFromJwk, thumbprintOf } from '../../key-material.ts'
import { clockSkewMs } from '../../standing.ts'
import { certificatesOfX5c, readCertificate } from '../../x509/certificate.ts'
import type { KeyAttestation } from './key-attestation.ts'
import { asInvalidProof, invalidProof } from './refusals.ts'

/** OpenID4VCI 1.0, appendix F.1. */
export const keyProofType = 'openid4vci-proof+jwt'

/** How old a proof of a key may be. */
const proofAgeMs = 5 * 60_000

/** A key that somebody proved to have, or that a provider of wallets attests. */
export type HolderKey = {
  /** What a credential that is bound to it calls its subject. */
  did: string
  /** RFC 7638, SHA-256, base64url. */
  thumbprint: string
  algorithm: string
}

export type KeyProofNeeds = {
  dids: DidKeys
  clock: Clock
  /** Judges the key attestation of a header. Without it there is nobody whose attestations count. */
  attestation?: ((compact: string) => Promise<KeyAttestation>) | undefined
}

export type KeyProofExpected = {
  audience: readonly string[]
  /** Judges the nonce. @throws Refusal */
  nonce(nonce: string): void
  /** Ways in which the header may name the key. */
  by: readonly ('kid' | 'jwk' | 'x5c')[]
  /** Whether a DID has to hold its key itself (did:key, did:jwk), so that nothing is fetched at the word of a stranger. */
  local?: boolean
  algorithms: readonly string[]
  /**
   * Of the client that asks, `iss` must be its id, and must be left out by one without; undefined where nobody compares.
   */
  client?: { id: string | undefined }
}

export type ProvenKey = { key: HolderKey; attestation: KeyAttestation | undefined }

type Named = PublicKey & { did: string }

export const holderKeyOf = (key: PublicKey): HolderKey => ({
  did: didJwkOf(key),
  thumbprint: key.thumbprint,
  algorithm: key.algorithm,
})

const named = (key: PublicKey): Named => ({ ...key, did: didJwkOf(key) })

const keyOfJwk = (jwk: unknown): Named => {
  if (!isRecord(jwk)) throw invalidProof('The jwk of the header is not an object.')
  if (['d', 'k', 'p', 'q'].some(member => member in jwk)) throw invalidProof('The header holds a private key.')
  return named(publicKeyFromJwk(jwk as JsonWebKey))
}

const keyOfCertificate = (x5c: unknown): Named => {
  const [first] = certificatesOfX5c(x5c)
  if (first === undefined) throw invalidProof('x5c has no certificate.')
  return named(publicKeyFromJwk(readCertificate(first).publicKey.export({ format: 'jwk' })))
}

/** In a key attestation a key is called by its kid, or by its place (the example of appendix F.1 has `"kid": "0"`). */
const attestedKey = (kid: string, { keys }: KeyAttestation): Named => {
  const key = keys.find(each => each.kid === kid) ?? (/^\d{1,3}$/.test(kid) ? keys[Number(kid)] : undefined)
  if (key === undefined) throw invalidProof('The kid names no key of the key attestation.')
  return named(key)
}

/** @throws Refusal rejected/invalid_proof unless a DID is one of those that hold their key themselves */
export const assertLocal = (did: string): void => {
  if (!/^did:(key|jwk):/.test(did)) throw invalidProof('A credential is bound to a key, a did:jwk or a did:key.')
}

const keyOfDid = async (kid: string, { dids, clock }: KeyProofNeeds): Promise<Named> => {
  const key = await dids.key(kid.includes('#') ? kid : keyUrl('', kid), 'authentication', clock.now())
  const local = parseLocalDid(key.did)?.key ?? publicKeyFromJwk(key.jwk)
  return { ...local, did: key.did }
}

/** Exactly one of kid, jwk and x5c (appendix F.1). */
const keyOf = async (
  header: Record<string, unknown>,
  needs: KeyProofNeeds,
  expected: KeyProofExpected,
  attestation: KeyAttestation | undefined,
): Promise<Named> => {
  const ways = (['kid', 'jwk', 'x5c'] as const).filter(way => header[way] !== undefined)
  const [way] = ways
  if (way === undefined || ways.length > 1 || !expected.by.includes(way)) {
    throw invalidProof(`The header names the key by ${expected.by.join(' or ')}, and in one way only.`)
  }
  if (way === 'jwk') return keyOfJwk(header['jwk'])
  if (way === 'x5c') return keyOfCertificate(header['x5c'])
  const kid = String(header['kid'])
  if (kid.startsWith('did:')) {
    if (expected.local === true) assertLocal(kid)
    return keyOfDid(kid, needs)
  }
  if (attestation === undefined) throw invalidProof('A proof of a key names the key by its DID URL (kid).')
  return attestedKey(kid, attestation)
}

const assertClaims = (payload: Record<string, unknown>, now: number, expected: KeyProofExpected): void => {
  const { iss, aud, nonce } = payload
  if (typeof aud !== 'string' || !expected.audience.includes(aud)) {
    throw invalidProof('The proof of the key is for another issuer (aud).')
  }
  const issuedAt = fromNumericDate(payload['iat'], 'iat')
  if (issuedAt === undefined || issuedAt > now + clockSkewMs || issuedAt < now - proofAgeMs) {
    throw invalidProof('The proof of the key is too old, or from the future (iat): sign a new one.')
  }
  if (expected.client !== undefined && iss !== undefined && iss !== expected.client.id) {
    throw invalidProof('iss of the proof is the client id of the wallet, and left out by a wallet without one.')
  }
  if (typeof nonce !== 'string' || nonce === '') throw invalidProof('The proof of the key has no nonce.')
  expected.nonce(nonce)
}

const attestationOf = async (
  header: Record<string, unknown>,
  { attestation: judge }: KeyProofNeeds,
  expected: KeyProofExpected,
): Promise<KeyAttestation | undefined> => {
  const { key_attestation: compact } = header
  if (compact === undefined) return undefined
  if (typeof compact !== 'string') throw invalidProof('key_attestation of the header is not a JWT.')
  if (judge === undefined) throw invalidProof('No provider of wallets is trusted here, so no key attestation is.')
  const attestation = await judge(compact)
  if (attestation.nonce === undefined) throw invalidProof('The key attestation has no nonce.')
  expected.nonce(attestation.nonce)
  return attestation
}

const judge = async (compact: string, needs: KeyProofNeeds, expected: KeyProofExpected): Promise<ProvenKey> => {
  const { signed, payload } = openJws(compact)
  const { typ, alg } = signed.header
  if (typ !== keyProofType) throw invalidProof(`The typ of a proof of a key is ${keyProofType}.`)
  if (!expected.algorithms.includes(alg)) throw invalidProof('The proof is signed with an alg that is not supported.')
  const header = readSegment(compact.slice(0, compact.indexOf('.')), 'header') as Record<string, unknown>
  assertClaims(payload, needs.clock.now(), expected)
  const attestation = await attestationOf(header, needs, expected)
  const key = await keyOf(header, needs, expected, attestation)
  if (key.algorithm !== alg || !(await signatureHolds(signed, key))) {
    throw invalidProof('The proof is not signed by the key that it names.')
  }
  if (attestation !== undefined && !attestation.keys.some(({ thumbprint }) => thumbprint === key.thumbprint)) {
    throw invalidProof('The proof is signed by a key that its key attestation does not attest.')
  }
  const { did, algorithm, jwk } = key
  return { key: { did, algorithm, thumbprint: thumbprintOf(jwk) }, attestation }
}

/**
 * Judges a proof of possession of a holder's key (OpenID4VCI 1.0, appendices F.1 and F.4).
 * @throws Refusal rejected/invalid_proof; what `expected.nonce` throws; unavailable when the DID cannot be resolved now
 */
export const judgeKeyProof = async (
  compact: string,
  needs: KeyProofNeeds,
  expected: KeyProofExpected,
): Promise<ProvenKey> => {
  try {
    return await judge(compact, needs, expected)
  } catch (error) {
    throw asInvalidProof(error)
  }
}
