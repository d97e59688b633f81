import type { ChainLocks } from '../../kernel/chain-locks.ts'
import type { OwnerKey } from '../../kernel/ledger-entry.ts'
import type { House } from '../../kernel/perform.ts'
import type { ChainOutbox, MoneyRail, TypedSignatures } from '../../kernel/ports.ts'
import type { KycPlace } from './ledger/facts.ts'
import type { MonitoringRules } from './ledger/monitoring.ts'

/** What the composition root hands to this plugin. */
export type CbdcNeeds = {
  house: House
  /** EIP-712 in the ledger's domain: name, version, chain id and verifying contract are fixed at genesis. */
  signatures: TypedSignatures
  domain: { name: string; version: string; chainId: number; verifyingContract: string }
  /** Is the KYC attestation at this place in force: accredited issuer, neither revoked nor suspended? @throws Refusal unavailable */
  kycInForce(place: KycPlace): boolean
  /**
   * The same of a credential of any type, such as a merchant's licence. Absent: nobody is paid with purpose-bound money.
   * @throws Refusal unavailable
   */
  credentialInForce?: ((type: string, place: KycPlace) => boolean) | undefined
  /** The chain address behind an issuer's DID, lower case. */
  issuerAddress(did: string): string
  rules: MonitoringRules
  /** Absent: no money leaves for the chain. */
  rail?: MoneyRail | undefined
  outbox?: ChainOutbox | undefined
  /** Absent: no payment here is the other leg of one on the chain. */
  locks?: ChainLocks | undefined
  /**
   * Signs a statement as a JWS (ES256, of this type, else `ledger-receipt+jwt`) with the key of this agency's DID document.
   * Absent: no receipts, and no purse pays offline.
   */
  signStatement?: ((payload: Record<string, unknown>, type?: string) => Promise<string>) | undefined
  /** A fresh id (UUID), ordered by time. */
  newId(): string
  publicUrl: string
  /** DID of this agency. */
  did: string
  /** The key of this agency's own under which the accounts of its currencies stand. */
  ownKey: OwnerKey
  /**
   * Signs an EIP-712 digest with that key, as owners sign records: 64 bytes in hex, with a low s. Absent: no netting windows.
   */
  signOwn?: ((digest: Uint8Array) => Promise<string>) | undefined
}
