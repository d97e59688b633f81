import type { CurrencyPolicy } from './limits.ts'

export type InterestTerms = NonNullable<CurrencyPolicy['interest']>

const dayMs = 86_400_000

const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/** Days of the year that one day counts against (ISDA 2006, 4.16 (b), (d), (e)). @param day from 1970-01-01 */
const yearOf = (dayCount: InterestTerms['dayCount'], day: number): bigint => {
  if (dayCount === 'ACT/360') return 360n
  if (dayCount === 'ACT/365F') return 365n
  return isLeapYear(new Date(day * dayMs).getUTCFullYear()) ? 366n : 365n
}

/** The nearest integer to numerator / denominator; of two equally near the even one. @param denominator above zero */
export const halfEven = (numerator: bigint, denominator: bigint): bigint => {
  const size = numerator < 0n ? -numerator : numerator
  const floor = size / denominator
  const twice = 2n * (size % denominator)
  const up = twice > denominator || (twice === denominator && floor % 2n === 1n)
  const rounded = up ? floor + 1n : floor
  return numerator < 0n ? -rounded : rounded
}

/**
 * Interest of one day in minor units, on what stood at the end of that day above the exempt amount: exact in rationals,
 * then
 * rounded half to even once. Negative where the rate is. Each day stands for itself: what rounding took is not carried
 * over.
 */
export const interestOf = (terms: InterestTerms, balanceMinor: bigint, day: number): bigint => {
  const above = balanceMinor - terms.exemptMinor
  if (above <= 0n) return 0n
  return halfEven(above * BigInt(terms.basisPoints), 10_000n * yearOf(terms.dayCount, day))
}
