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
  /** What the parties named: a reservation of the ledger. */
  reference: string
  /** The seller's account on the ledger, as all three signed it. */
  payeeAccount: number
}

/** Delivery versus payment: pays within the act of the deed, so that title and money move together or not at all. */
export type Settlement = {
  /** Beforehand: that the money is there for this deed, long enough. @throws Refusal of the payment */
  prepare?(terms: Pick<DeedPayment, 'amountMinor' | 'currency' | 'reference' | 'payeeAccount'>): Promise<void>
  settle(tx: Tx, payment: DeedPayment): Promise<void>
}

/** Money reserved on a ledger, of which the register is the arbiter. Times in milliseconds. */
export type ReservedFunds = {
  state: 'pending' | 'posted' | 'voided' | 'expired'
  /** The account that it is for. */
  payee: number
  currency: string
  remainingMinor: bigint
  postedMinor: bigint
  expires: number
  /** A preimage is needed besides, which the register does not have. */
  locked: boolean
}

/** The ledger on which deeds are paid for. */
export type LedgerFunds = {
  /** Where its payers find it, and the account by which they name the register as arbiter. @throws Refusal unavailable */
  terms(): Promise<{ ledger: string; currency: number; arbiter: number }>
  /** @throws Refusal unavailable; reservation_not_decided where the register is not its arbiter */
  inspect(reservation: number): Promise<ReservedFunds>
  /** Pays all of it to the payee. @throws Refusal of the ledger */
  collect(reservation: number, funds: ReservedFunds): Promise<void>
}

/** What registers of land need besides the registry's own. */
export type LandNeeds = {
  /**
   * Under it persons without a pseudonym are known by a digest of their number. It must outlive every change of keys.
   */
  personSecret: Uint8Array
  /** Absent: no payment can be part of a deed. */
  settlement?: Settlement | undefined
  /** The ledger behind it. */
  funds?: LedgerFunds | undefined
  /** Absent: the tokens of titles stay at the register. */
  wallets?: Pick<WalletReader, 'standing'> | undefined
}
