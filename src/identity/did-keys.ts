import type { JsonWebKey, KeyObject } from 'node:crypto'
import type { SignatureAlgorithm } from '../kernel/ports.ts'

/** A key as a DID document gives it. Times are milliseconds. */
export type VerificationKey = {
  /** Absolute DID URL of the verification method. */
  kid: string
  did: string
  publicKey: KeyObject
  jwk: JsonWebKey
  algorithm: SignatureAlgorithm
  /** RFC 7638, SHA-256, base64url. */
  thumbprint: string
  validFrom?: number
  validUntil?: number
}

export type KeyPurpose = 'assertionMethod' | 'authentication'

export type DidKeys = {
  /**
   * The key of a DID URL, fit for the purpose, as it was at `at` (ms; default now).
   * @throws Refusal rejected/did_unresolvable, rejected/key_unknown, rejected/key_purpose, rejected/key_expired,
   * unavailable/did_unavailable when the replica is stale or a did:web host cannot be had.
   */
  key(kid: string, purpose: KeyPurpose, at?: number): VerificationKey | Promise<VerificationKey>
  /** The DID itself, normalised: did:ethr in lower-case address form; a did:web whose mutual link holds gives its did:ethr. */
  subjectOf(did: string): string | Promise<string>
}
