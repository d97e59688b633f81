import type { House } from '../../kernel/perform.ts'
import type { ChainOutbox, ChainWrite, StatusValue, Tx, WalletReader } from '../../kernel/ports.ts'

/** What the agency signs. Times are milliseconds; addresses are lower case. */
export type Binding = {
  wallet: string
  /** Name of the domain. */
  domain: string
  /** 32 bytes, base64url. */
  pseudonym: string
  level: number
  /** ISO 3166-1 or 3166-2. */
  jurisdiction: string
  expiry: number
  list: number
  index: number
  replaces?: string
  deadline: number
}

/** A signed binding as the citizen hands it in, from any account. */
export type SignedBinding = {
  /** EIP-712. */
  typedData: Record<string, unknown>
  signature: string
  call: { to: string; data: string }
  /** The same as a write of this agency, which then pays for it. */
  write: ChainWrite
}

export type Place = { list: number; index: number }

/** What the composition root hands to this plugin. */
export type BindingsNeeds = {
  house: House
  outbox: ChainOutbox
  wallets: WalletReader
  /** @throws Refusal of identity/pseudonyms.ts */
  pseudonymOf(nationalId: string, domain: string): Promise<string>
  /** The next place in the agency's binding list. @throws Refusal unavailable/status_list_unavailable */
  allot(): Promise<Place>
  /** Locks the agency's own credential until the act ends, and says how it was decided on; undefined if it issued none such. */
  holdCredential(tx: Tx, credentialId: string): Promise<StatusValue | undefined>
  /** Whether the root lets this agency bind wallets now. @throws Refusal unavailable/status_unavailable */
  mayBind(): Promise<boolean>
  sign(binding: Binding): Promise<SignedBinding>
  /** The account that signed this text (EIP-191), lower case. */
  recoverWallet(text: string, signature: string): string | undefined
  /** Chain writes that kill the bindings at these places. */
  endWrites(places: readonly Place[]): ChainWrite[]
  /** A fresh id (UUID), ordered by time. */
  newId(): string
  publicUrl: string
}
