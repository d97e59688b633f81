import type { Tx, WalletReader } from '../../../kernel/ports.ts'

/** What a payment that is part of a deed is made with. */
export type DeedPayment = {
  /** Id of the deed: of the journal record of the act. */
  deed: string
  register: string
  title: string
  /** As the register knows them, and the keys that they proved. */
  payer: { party: string; holder: string }
  payee: { party: string; holder: string }
  amountMinor: bigint
  currency: string
  /** What the parties named: an account, a hold on funds, an escrow. */
  reference: string
}

/** Delivery versus payment: pays within the act of the deed, so that title and money move together or not at all. */
export type Settlement = { settle(tx: Tx, payment: DeedPayment): Promise<void> }

/** What registers of land need besides the registry's own. */
export type LandNeeds = {
  /**
   * Under it persons without a pseudonym are known by a digest of their number. It must outlive every change of keys.
   */
  personSecret: Uint8Array
  /** Absent: no payment can be part of a deed. */
  settlement?: Settlement | undefined
  /** Absent: the tokens of titles stay at the register. */
  wallets?: Pick<WalletReader, 'standing'> | undefined
}
