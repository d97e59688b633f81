import { amountInvalid, capBelowIssued, capExceeded, unitsFrozen, unitsInsufficient } from './errors.ts'

/**
 * What becomes of the units of a class and of what is held of it. Pure; amounts are bigint, in the smallest unit. What is
 * issued is never more than the cap and always what all holdings add up to; what is frozen of a holding is never more than
 * the holding.
 */

export type Supply = { cap: bigint; issued: bigint }
export type Holding = { amount: bigint; frozen: bigint }

export const nothing: Holding = { amount: 0n, frozen: 0n }
/** A column of 64 bits holds no more. */
export const amountMost = 2n ** 63n - 1n

/** @throws Refusal amount_invalid */
export const parseAmount = (text: string): bigint => {
  if (!/^[1-9][0-9]{0,18}$/.test(text)) throw amountInvalid()
  const amount = BigInt(text)
  if (amount > amountMost) throw amountInvalid()
  return amount
}

export const freeOf = ({ amount, frozen }: Holding): bigint => amount - frozen

/** @throws Refusal cap_exceeded */
export const issue = (supply: Supply, amount: bigint): Supply => {
  if (supply.issued + amount > supply.cap) throw capExceeded(supply.cap - supply.issued)
  return { ...supply, issued: supply.issued + amount }
}

/** What is retired was taken from a holding before, so there is as much. */
export const retire = (supply: Supply, amount: bigint): Supply => ({ ...supply, issued: supply.issued - amount })

/** @throws Refusal cap_below_issued */
export const recap = (supply: Supply, cap: bigint): Supply => {
  if (cap < supply.issued) throw capBelowIssued(supply.issued)
  return { ...supply, cap }
}

export const receive = (holding: Holding, amount: bigint): Holding => ({ ...holding, amount: holding.amount + amount })

const assertFree = (holding: Holding, amount: bigint): void => {
  if (amount > holding.amount) throw unitsInsufficient(holding.amount)
  if (amount > freeOf(holding)) throw unitsFrozen(freeOf(holding), holding.frozen)
}

/** Units that are free leave the holding. @throws Refusal units_insufficient, units_frozen */
export const give = (holding: Holding, amount: bigint): Holding => {
  assertFree(holding, amount)
  return { ...holding, amount: holding.amount - amount }
}

/** @throws Refusal units_insufficient, units_frozen: what one order holds no other does. */
export const freeze = (holding: Holding, amount: bigint): Holding => {
  assertFree(holding, amount)
  return { ...holding, frozen: holding.frozen + amount }
}

export const unfreeze = (holding: Holding, amount: bigint): Holding => ({
  ...holding,
  frozen: holding.frozen - amount,
})

/**
 * Units leave the holding by force: what the freeze holds first, then what is free. The contract does the same.
 * @param held by the freeze that the order executes or overrides; zero if there is none.
 * @returns the holding after it, and how much of the freeze was used up.
 * @throws Refusal units_insufficient, units_frozen
 */
export const force = (holding: Holding, amount: bigint, held: bigint): { holding: Holding; released: bigint } => {
  const released = amount < held ? amount : held
  return { holding: give(unfreeze(holding, released), amount), released }
}
