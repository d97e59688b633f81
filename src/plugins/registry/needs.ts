import type { Issuance } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { ChainOutbox, LogProofs, RegisterTokens } from '../../kernel/ports.ts'
import type { LandNeeds } from './land/needs.ts'
import type { Register } from './soundness.ts'

/** What the composition root hands to this plugin. */
export type RegistryNeeds = {
  house: House
  /** The agency's registers, parsed and found sound. */
  registers: readonly Register[]
  issuance: Issuance
  /** A credential that this agency issued, as it was signed. */
  credential(id: string): Promise<{ compact: string; format: string } | undefined>
  /** Holds a proof of possession against what was asked for. @throws Refusal key_proof_refused */
  proveKey(proof: string, expected: { audience: readonly string[]; nonce: string }): Promise<{ did: string }>
  tokens: RegisterTokens
  outbox: ChainOutbox
  proofs: LogProofs
  /** DID of the agency. */
  did: string
  /** What the agency calls itself on its documents. */
  authority: string
  /** A fresh id (UUIDv7), ordered by time. */
  newId(): string
  publicUrl: string
  /** For registers of land. */
  land: LandNeeds
}
