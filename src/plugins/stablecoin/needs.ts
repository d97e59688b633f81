import type { Identity } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { ChainOutbox, ChainWrite, WalletReader } from '../../kernel/ports.ts'

/** A token as it stands on the chain now. Amounts in minor units, times in milliseconds. */
export type CoinStanding = {
  /** Of the token's contract, lower case; so are `issuer` and `attestor`. */
  address: string
  issuer: string
  attestor: string
  supply: bigint
  /** What the gate holds for the ledger that keeps the currency: part of the supply. */
  locked: bigint
  paused: boolean
  /** Undefined: nobody has attested it. */
  reserve: { amount: bigint; attestedAt: number; validUntil: number } | undefined
  /** A day, and what is left of it now. */
  minting: { limit: bigint; left: bigint }
  burning: { limit: bigint; left: bigint }
}

/** EIP-3009: the owner of a wallet lets the issuer take an amount from it, once. Times in seconds, bytes in 0x hex. */
export type CoinAuthorization = {
  from: string
  amount: bigint
  validAfter: number
  validBefore: number
  nonce: string
  signature: string
}

/** The token's contract, for one account. Orders are named by the UUID of the agency's own record of them. */
export type CoinChain = {
  /** @throws Refusal unavailable/chain_unavailable */
  standing(): Promise<CoinStanding>
  /** The error with which the chain would refuse this now; undefined: none. @throws Refusal unavailable/chain_unavailable */
  refusalOf(write: ChainWrite): Promise<string | undefined>
  mint(to: string, amount: bigint): ChainWrite
  /** Of the account's own. */
  burn(amount: bigint): ChainWrite
  receive(authorization: CoinAuthorization): ChainWrite
  /** What an account may mint and burn a day; nothing of both ends it. */
  limit(minter: string, limits: { minting: bigint; burning: bigint }): ChainWrite
  /** Milliseconds; whole seconds count. */
  attest(reserve: { amount: bigint; asOf: number; validUntil: number }): ChainWrite
  /** @param amount undefined: the whole wallet. */
  freeze(wallet: string, amount: bigint | undefined, order: string): ChainWrite
  unfreeze(wallet: string, amount: bigint | undefined, order: string): ChainWrite
  /** @param freeze the order under which what is taken is frozen, if it is. */
  force(transfer: { from: string; to: string; amount: bigint; order: string; freeze: string | undefined }): ChainWrite
}

/** What this agency issues, or attests the reserve of. */
export type Coin = { number: number; role: 'issuer' | 'attestor'; chain: CoinChain }

export type IssuedCoin = Coin & { role: 'issuer'; code: string; decimals: number }

/** What the composition root hands to this plugin. */
export type StablecoinNeeds = {
  house: House
  outbox: ChainOutbox
  /** Who stands behind a wallet. */
  wallets: WalletReader
  /** Judges the issuer's licence. */
  verify: Identity['verify']
  /** Of this agency. */
  did: string
  coins: readonly (IssuedCoin | (Coin & { role: 'attestor' }))[]
  /** A fresh id (UUID), ordered by time. */
  newId(): string
}
