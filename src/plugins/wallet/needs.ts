import type { JsonWebKey } from 'node:crypto'
import type { Handover, Identity, Verdict } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { SignatureAlgorithm, Signer } from '../../kernel/ports.ts'
import type { PresentationAnswers } from '../../kernel/presentation-answers.ts'
import type { Keccak } from '../../kernel/typed-domain.ts'
import type { Collecting } from './collecting.ts'
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
   * over is cut down to `claims` already, which are paths (`principal.familyName`). An mdoc is handed over whole, and cut down to the data
   * elements (`namespace/element`); `handover` says how OpenID4VP asked for it.
   */
  present(
    held: { compact: string; format: string },
    to: { audience: string; challenge: string; claims: readonly string[]; handover?: Handover | undefined },
    key: HolderKey,
    signer: Signer,
    now: number,
  ): Promise<string>
  /** Proves possession of a key to an issuer (OpenID4VCI, proof type `jwt`). */
  proveKey(key: HolderKey, to: { audience: string; nonce: string }, signer: Signer, now: number): Promise<string>
  /** The did:key of a public P-256 JWK. */
  didOf(publicJwk: JsonWebKey): string
  /** Its did:jwk, for issuers that know no other. */
  didJwkOf(publicJwk: JsonWebKey): string
  /** The key that a DID carries itself; `undefined` for every other DID, and for a key that is none of a wallet. */
  jwkOf(did: string): JsonWebKey | undefined
  /** Collects credentials by OpenID4VCI 1.0. */
  collecting: Collecting
  /**
   * Judges a credential of an issuer that nobody here has accredited. Where it is left out, the wallet keeps accredited
   * credentials only.
   */
  judgeForeign?: ((credential: unknown) => Promise<Verdict>) | undefined
  /** Answers verifiers by OpenID4VP 1.0. */
  presentations: PresentationAnswers
  /** Hashes what is signed for a ledger (EIP-712). */
  keccak: Keccak
  /** A fresh id (UUID), ordered by time. */
  newId(): string
  /** @default policy.passphraseCost; never below policy.passphraseCostLeast. */
  passphraseCost?: PassphraseCost | undefined
}
