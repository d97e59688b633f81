import type { Issuance } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { StatusValue } from '../../kernel/ports.ts'

/** What the composition root hands to this plugin. */
export type MandatesNeeds = {
  house: House
  issuance: Issuance
  /**
   * What the chain and this agency's own decisions say of a credential that it issued.
   * @throws Refusal unavailable/status_unavailable
   */
  statusOf(place: { list: number; index: number }): StatusValue
  /**
   * Holds a holder's proof of possession of a key (OpenID4VCI, proof type `jwt`) against what was asked for.
   * @throws Refusal key_proof_refused, credential_malformed
   */
  proveKey(proof: string, expected: { audience: readonly string[]; nonce: string }): Promise<{ did: string }>
  /** This agency's DID, the issuer of its mandates. */
  did: string
  /** A fresh id, ordered by time. */
  newId(): string
  publicUrl: string
}
