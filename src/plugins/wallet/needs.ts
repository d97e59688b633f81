import type { JsonWebKey } from 'node:crypto'
import type { Identity } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { SignatureAlgorithm, Signer } from '../../kernel/ports.ts'
import type { Keccak } from '../../kernel/typed-domain.ts'
import type { PassphraseCost } from './policy.ts'

/** The holder's key as a presentation names it. */
export type HolderKey = { did: string; kid: string; keyId: string; algorithm: SignatureAlgorithm }

/** What the composition root hands to this plugin. */
export type WalletNeeds = {
  house: House
  /** Judges a credential before it is kept, and a mandate before it is used. */
  identity: Pick<Identity, 'verify'>
  /**
   * Makes a presentation of one credential: an SD-JWT with key binding, a vp+jwt around the whole, or a JSON text with a proof. What is handed
   * over is cut down to `claims` already, which are paths (`principal.familyName`).
   */
  present(
    held: { compact: string; format: string },
    to: { audience: string; challenge: string; claims: readonly string[] },
    key: HolderKey,
    signer: Signer,
    now: number,
  ): Promise<string>
  /** Proves possession of a key to an issuer (OpenID4VCI, proof type `jwt`). */
  proveKey(key: HolderKey, to: { audience: string; nonce: string }, signer: Signer, now: number): Promise<string>
  /** The did:key of a public P-256 JWK. */
  didOf(publicJwk: JsonWebKey): string
  /** Hashes what is signed for a ledger (EIP-712). */
  keccak: Keccak
  /** A fresh id (UUID), ordered by time. */
  newId(): string
  /** @default policy.passphraseCost; never below policy.passphraseCostLeast. */
  passphraseCost?: PassphraseCost | undefined
}
