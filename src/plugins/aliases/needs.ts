import type { House } from '../../kernel/perform.ts'
import type { AliasKind, Limits } from './policy.ts'

/** What the composition root hands to this plugin. */
export type AliasesNeeds = {
  house: House
  /** RFC 7638 thumbprint of the directory's own OPRF key, as its did:ethr names it on chain. */
  keyId: string
  /**
   * Evaluates the function of a kind (domain `alias:<kind>`) on blinded elements (compressed points).
   * @throws Refusal malformed/blinded_element_invalid, unavailable/pseudonyms_unavailable
   */
  evaluate(kind: AliasKind, elements: readonly Uint8Array[]): Promise<{ elements: Uint8Array[]; proof: Uint8Array }>
  /** The tag of an alias that the directory itself has been shown: base64url of 32 bytes. */
  tagOf(kind: AliasKind, alias: string): Promise<string>
  /** A pseudorandom function of the directory's own (32 bytes), tied to its OPRF key: what it gives never changes. */
  keyed(purpose: 'asker' | 'decoy', text: string): Uint8Array
  /** Whether the institution is accredited for one of the types now. @throws Refusal unavailable/status_unavailable */
  accredited(did: string, types: readonly string[]): boolean
  /** Whether this is the did:ethr, in lower case, of another institution that is accredited now, so that it may be a ledger. */
  isLedger(did: string): boolean
  /** A fresh id (UUID), ordered by time. */
  newId(): string
  /** @default policy.limits */
  limits?: Limits | undefined
  /** @default policy.initials */
  initials?: string | undefined
}
