/**
 * Splits a payment by exact shares, at the moment of payment: what goes to the tax authority (a VAT of 20 % on the net price is 1/6
 * of what is paid), to a platform, to a partner; the payee gets the rest.
 *
 * One rounding rule: each share is rounded to the minor unit, half up, on its own, and the rest bears the difference. So what is
 * due to one account depends on the amount and on its own share alone, neither on the other shares nor on their order, and
 * anyone who knows the two can check it. EU law leaves the rule to each state (CJEU C-484/06, Ahold); half up to the smallest unit is
 * what national VAT practice asks for most (Germany's VAT application decree, for one). Largest remainders would make the tax on a
 * payment depend on who else has a share in it, and fall when the price rises.
 */

/** `numerator`/`denominator` of the whole; both at least 1. */
export type Share = { account: number; numerator: bigint; denominator: bigint }

export type Split = {
  /** In the order of the shares; 0 where a share rounds to nothing. */
  amounts: readonly bigint[]
  /** What is left for the payee. */
  rest: bigint
}

/** Half up: floor((2·total·numerator + denominator) / (2·denominator)). */
export const roundedShare = (total: bigint, { numerator, denominator }: Omit<Share, 'account'>): bigint =>
  (2n * total * numerator + denominator) / (2n * denominator)

/** Whether shares come to no more than the whole, exactly. */
const withinWhole = (shares: readonly Share[]): boolean => {
  let [numerator, denominator] = [0n, 1n]
  for (const share of shares) {
    numerator = numerator * share.denominator + share.numerator * denominator
    denominator *= share.denominator
  }
  return numerator <= denominator
}

/**
 * @param total minor units, at least 0.
 * @returns amounts that add up to the total; undefined when the shares are more than the whole, or come to more than it once they are
 * rounded (two halves of 1): a payee who keeps nothing has nothing to bear the difference with.
 */
export const split = (total: bigint, shares: readonly Share[]): Split | undefined => {
  if (shares.some(({ numerator, denominator }) => numerator < 1n || denominator < 1n)) {
    throw new RangeError('numerator and denominator of a share are at least 1')
  }
  if (!withinWhole(shares)) return undefined
  const amounts = shares.map(share => roundedShare(total, share))
  const rest = amounts.reduce((left, amount) => left - amount, total)
  return rest < 0n ? undefined : { amounts, rest }
}
