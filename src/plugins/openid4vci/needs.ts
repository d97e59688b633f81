import type { FormatId, Issuance, TypeView } from '../../kernel/identity.ts'
import type { AuthorizationNeeds } from './authorization/needs.ts'

/** A credential type that this agency issues. */
export type IssuableType = TypeView & {
  /** `@context` of its W3C credentials, in their order. */
  contexts: readonly string[]
  validity: { defaultDays: number; maxDays: number }
  /** What is wrong with claims that name no holder yet, or undefined. */
  problemOf(claims: Readonly<Record<string, unknown>>): string | undefined
}

/** A key that a credential is to be bound to. */
export type HolderKey = {
  /** What the credential calls its subject: the DID that proved it, or the did:jwk of a bare key. */
  did: string
  /** RFC 7638, SHA-256, base64url. */
  thumbprint: string
}

/** `key_attestations_required` of OpenID4VCI 1.0, section 12.2.4. */
export type AttestationRequirement = { key_storage?: readonly string[]; user_authentication?: readonly string[] }

/** Judges `proofs` of a credential request, and says which kinds there are; `identity/openid/vci/`. */
export type KeyProofs = {
  algorithms: readonly string[]
  /** Whether any provider of wallets is trusted, so that key attestations count. */
  attestations: boolean
  /** @throws Refusal rejected/invalid_proof, rejected/invalid_nonce; unavailable for what cannot be known now */
  judge(
    proofs: unknown,
    expected: {
      audience: string
      /** @throws Refusal rejected/invalid_nonce */
      nonce(nonce: string): void
      client: { id: string | undefined }
      algorithms: readonly string[]
      attestation: AttestationRequirement | undefined
      most: number
    },
  ): Promise<{ keys: HolderKey[]; nonces: string[] }>
}

/** Encrypted messages of OpenID4VCI 1.0, section 10; `identity/openid/jwe.ts`. */
export type MessageEncryption = {
  /** The public key that wallets encrypt requests to, with `kid`, `use` and `alg`. */
  jwk: Readonly<Record<string, unknown>>
  agreement: string
  contentEncryptions: readonly string[]
  /** @throws Refusal malformed/jwe_malformed, rejected/encryption_refused, rejected/decryption_failed */
  decrypt(compact: string): Promise<Record<string, unknown>>
  /** @throws Refusal rejected/encryption_key_missing */
  encrypt(payload: Record<string, unknown>, to: { jwk: unknown; enc: string; zip: boolean }): Promise<string>
}

/** What an agency file says about the issuer. */
export type IssuerPolicy = {
  /** HAIP 1.0: keys are attested. */
  haip: boolean
  /** What key attestations have to vouch for; undefined: they are welcome, and nobody needs one. */
  attestation: AttestationRequirement | undefined
  /** Credentials of one request. */
  batchSize: number
  /** Requests and answers at the credential endpoints are encrypted, or refused. */
  encryptionRequired: boolean
  /** Seconds a wallet waits before it asks again for a deferred credential. */
  deferredIntervalSeconds: number
  /** By which credential people are told apart who come without an offer. */
  identification: { type: string; claims: readonly string[] } | undefined
}

/** What the composition root hands to this plugin. */
export type Openid4vciNeeds = AuthorizationNeeds & {
  policy: IssuerPolicy
  types: readonly IssuableType[]
  issuance: Pick<Issuance, 'issue' | 'store'>
  /** Credentials that were issued before, by id. */
  issued(ids: readonly string[]): Promise<{ id: string; format: FormatId; compact: string }[]>
  /** The algorithm of the key that signs credentials now. */
  signingAlgorithm(): string
  /** Signs metadata with the agency's key (OpenID4VCI 1.0, section 12.2.3; HAIP 1.0, section 4.1). */
  signMetadata(payload: Record<string, unknown>): Promise<string>
  keyProofs: KeyProofs
  encryption: MessageEncryption
  /** Takes away what was used up and has expired; at most once a minute, and nobody waits for it. */
  sweepSpent(): void
}
