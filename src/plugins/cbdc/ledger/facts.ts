import type { Account } from './state.ts'

/** What an account is for, which is policy's business and not the ledger's. */
export const accountClasses = [
  /** Of a person, within the limits of their tier. */
  'person',
  /** Of a business: no limit on what it holds; swept to its bank. */
  'merchant',
  /** Funds on a device, for paying offline. */
  'purse',
  /** Money that serves one purpose. */
  'purpose',
  /** A bank's account at the central bank. */
  'reserve',
  'issuance',
  'fees',
  'rail',
  'suspense',
  'interest',
  /** Of a currency: funds of a netting window go there by reservations, and from there to whoever is owed. */
  'clearing',
  /** Of an institution that decides on reservations; it holds no money. */
  'arbiter',
  /** Of the state: what is seized or escheats goes there. */
  'treasury',
] as const
export type AccountClass = (typeof accountClasses)[number]

/** Accounts that nobody pays by a transfer: what is on them got there by entries of their own. */
export const closedToPayments: ReadonlySet<AccountClass> = new Set([
  ...(['issuance', 'fees', 'rail', 'suspense', 'interest', 'arbiter', 'clearing'] as const),
])

/** A KYC attestation by its place in its issuer's status lists, and until when it is valid (ms). */
export type KycPlace = { issuer: string; list: number; index: number; until: number }

/** What policy knows of an account. No name, no device of a known person, no invoice. Times in milliseconds. */
export type Facts = {
  class: AccountClass
  /** KYC level, 0 to 3. */
  level: number
  /** The account that carries the counters of its person: itself, unless the person has several. */
  lead: number
  /** Of a lead: the day (from 1970-01-01, UTC) that `spent` is of, and what all accounts of the person hold together. */
  day: number
  spent: bigint
  held: bigint
  /** The regulator's rules keep at most 256 bytes an account here. */
  rules: Uint8Array | null
  jurisdiction: string | null
  /** The participant that serves the account: number of its reserve account; 0: the central bank itself. */
  servicer: number
  kyc: KycPlace | null
  openedAt: number
  lastActive: number
  /** Its last entry, and how many it has. */
  lastEntry: number
  entries: number
  screenedAt: number | null
  screeningList: string | null
  screeningResult: string | null
  device: string | null
}

export type LedgerAccount = Account & Facts

export const dayOf = (at: number): number => Math.floor(at / 86_400_000)
