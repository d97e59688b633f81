/**
 * Locks of money on the chain, as the ledger sees them: one leg of a payment whose other leg is a reservation under the same hash.
 * Addresses are lower case with 0x, hashes and ids hex without it, times seconds.
 */

/** What a lock's id is a hash of. Zero addresses and hashes: none. */
export type ChainLockTerms = {
  payer: string
  payee: string
  arbiter: string
  money: string
  amountMinor: bigint
  expiry: number
  hashLock: string
  delivery: string
  deliveryId: bigint
  /** When the other leg expires; 0: there is none, or the contract was not told. */
  otherExpiry: number
  second: boolean
  salt: string
}

export type ChainLockState = 'none' | 'locked' | 'claimed' | 'refunded'

export type ChainLock = {
  lockId: string
  /** At the newest block that cannot be undone any more: only this counts. */
  state: ChainLockState
  /** At the head of the chain. */
  newest: ChainLockState
  /** The block that `state` is of. */
  block: number
  blockTime: number
  /** Of a lock that was claimed: what opens the other leg too. */
  preimage?: string
}

/** How far apart two legs expire, as the contract has it. */
export type LockNetwork = { chainId: number; contract: string; finalitySeconds: number; marginSeconds: number }

export type ChainLocks = {
  /** @throws Refusal chain_unavailable */
  network(): Promise<LockNetwork>
  /** Money of the ledger's currencies by number. @throws Refusal chain_unavailable */
  money(): Promise<ReadonlyMap<number, string>>
  /** @throws Refusal chain_unavailable */
  look(terms: ChainLockTerms): Promise<ChainLock>
}
