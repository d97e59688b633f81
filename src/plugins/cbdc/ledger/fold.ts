import type { Entry, OwnerKey, SignedEntry } from '../../../kernel/ledger-entry.ts'
import { decodeEntry, isSigned } from '../../../kernel/ledger-entry.ts'
import { apply, closeBatch, type Invalidity } from './apply.ts'
import { type Account, balanceOf, type Instruction, type Reservation, type State } from './state.ts'

/** A batch as it is stored: the bytes of its entries in their order. */
export type StoredBatch = { at: number; raws: readonly Uint8Array[] }

/** What a signed entry claims: that this key, which its account had then, signed it. */
export type SignedClaim = { entry: SignedEntry; key: OwnerKey }

/** One entry of a batch as it comes out of the fold; balances are of the accounts touched, after it. */
export type FoldedEntry =
  | { entry: Entry; debit: number; credit: number | null; debitBalance: bigint; creditBalance: bigint | null }
  | { entry: Entry | undefined; why: Invalidity | 'malformed' }

export type Fold = {
  accounts: ReadonlyMap<number, Account>
  /** Those that are pending. */
  reservations: ReadonlyMap<number, Reservation>
  /** Those that stand. */
  instructions: ReadonlyMap<number, Instruction>
  nextAccount(): number
  nextReservation(): number
  nextInstruction(): number
  /**
   * Takes the next batch. Signatures are not checked: whoever wants that does so with the claims.
   * An entry that may not stand changes nothing, and is answered with why.
   */
  batch(batch: StoredBatch): { entries: FoldedEntry[]; claims: SignedClaim[] }
}

/** By whose key an entry claims to be signed. */
const speakerOf = (entry: SignedEntry): number => {
  if ('by' in entry) return entry.by
  return 'from' in entry ? entry.from : entry.account
}

/** What has ended is gone. */
const put = <T>(map: Map<number, T>, change: { number: number; now: T | null } | undefined): void => {
  if (change?.now === null) map.delete(change.number)
  else if (change !== undefined) map.set(change.number, change.now)
}

/**
 * The state as nothing but its entries make it: what every balance is checked against.
 * @param feeAccount of a currency.
 */
export const openFold = (feeAccount: (currency: number) => number): Fold => {
  const accounts = new Map<number, Account>()
  const reservations = new Map<number, Reservation>()
  const instructions = new Map<number, Instruction>()
  const next = { account: 1, reservation: 1, instruction: 1 }
  const state: State = {
    account: number => accounts.get(number),
    reservation: number => reservations.get(number),
    instruction: number => instructions.get(number),
    get nextAccount() {
      return next.account
    },
    get nextReservation() {
      return next.reservation
    },
    get nextInstruction() {
      return next.instruction
    },
  }
  const enter = (raw: Uint8Array, at: number, fees: Map<number, bigint>, claims: SignedClaim[]): FoldedEntry => {
    const entry = decodeEntry(raw)
    if (entry === undefined) return { entry, why: 'malformed' }
    const signer = isSigned(entry) ? accounts.get(speakerOf(entry))?.key : undefined
    const applied = apply(state, { entry, signer }, at)
    if (!applied.valid) return { entry, why: applied.why }
    if (isSigned(entry) && signer !== undefined) claims.push({ entry, key: signer })
    const { change } = applied
    for (const account of change.accounts) accounts.set(account.number, account)
    put(reservations, change.reservation)
    put(instructions, change.instruction)
    next.account = change.nextAccount ?? next.account
    next.reservation = change.nextReservation ?? next.reservation
    next.instruction = change.nextInstruction ?? next.instruction
    if (change.fee > 0n) fees.set(change.currency, (fees.get(change.currency) ?? 0n) + change.fee)
    const [first, second] = change.accounts
    if (first === undefined) throw new Error('an entry touches at least one account')
    return {
      ...{ entry, debit: first.number, credit: second?.number ?? null, debitBalance: balanceOf(first) },
      creditBalance: second === undefined ? null : balanceOf(second),
    }
  }
  return {
    ...{ accounts, reservations, instructions, nextAccount: () => next.account },
    ...{ nextReservation: () => next.reservation, nextInstruction: () => next.instruction },
    batch({ at, raws }) {
      const [fees, claims] = [new Map<number, bigint>(), [] as SignedClaim[]]
      const entries = raws.map(raw => enter(raw, at, fees, claims))
      for (const account of closeBatch(state, fees, feeAccount)) accounts.set(account.number, account)
      return { entries, claims }
    },
  }
}
