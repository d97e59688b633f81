import { partyNamedTwice, shareInvalid, shareNotHeld, sharesNotWhole } from './errors.ts'

/** LA_Right.share of ISO 19152: a fraction in lowest terms, above zero and at most one. Never a float. */
export type Share = { numerator: bigint; denominator: bigint }

/** As it stands in JSON. */
export type ShareText = { numerator: string; denominator: string }

/** What one party owns of a title. */
export type Holding = { party: string; share: Share }

/** So that both terms fit the databases' 64-bit integers. */
export const denominatorMost = 10n ** 18n

export const whole: Share = { numerator: 1n, denominator: 1n }

const gcd = (a: bigint, b: bigint): bigint => {
  let [left, right] = [a, b]
  while (right !== 0n) [left, right] = [right, left % right]
  return left < 0n ? -left : left
}

const reduced = (numerator: bigint, denominator: bigint): Share => {
  const divisor = gcd(numerator, denominator)
  return { numerator: numerator / divisor, denominator: denominator / divisor }
}

/** @throws Refusal share_invalid */
export const shareOf = (numerator: bigint, denominator: bigint): Share => {
  if (numerator <= 0n || denominator <= 0n || numerator > denominator) throw shareInvalid()
  const share = reduced(numerator, denominator)
  if (share.denominator > denominatorMost) throw shareInvalid()
  return share
}

const term = /^[1-9][0-9]{0,18}$/

/** @throws Refusal share_invalid */
export const parseShare = (text: ShareText): Share => {
  if (!term.test(text.numerator) || !term.test(text.denominator)) throw shareInvalid()
  return shareOf(BigInt(text.numerator), BigInt(text.denominator))
}

export const shareText = (share: Share): ShareText => ({
  numerator: String(share.numerator),
  denominator: String(share.denominator),
})

/** Below zero if `a` is the smaller, zero if they are equal. */
export const compareShares = (a: Share, b: Share): number => {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** May be above one or zero: only sums of a title's shares are bounded. */
export const sumOf = (shares: readonly Share[]): Share =>
  shares.reduce<Share>(
    (sum, share) =>
      reduced(
        sum.numerator * share.denominator + share.numerator * sum.denominator,
        sum.denominator * share.denominator,
      ),
    { numerator: 0n, denominator: 1n },
  )

export const isWhole = (shares: readonly Share[]): boolean => compareShares(sumOf(shares), whole) === 0

/**
 * Holdings of a title as the register keeps them: each party once, all shares together exactly one, in the order of
 * parties.
 * @throws Refusal party_named_twice, shares_not_whole
 */
export const holdingsOf = (holdings: readonly Holding[]): Holding[] => {
  if (new Set(holdings.map(({ party }) => party)).size !== holdings.length) throw partyNamedTwice()
  const sum = sumOf(holdings.map(({ share }) => share))
  if (compareShares(sum, whole) !== 0) throw sharesNotWhole(`${sum.numerator}/${sum.denominator}`)
  return [...holdings].sort((a, b) => (a.party < b.party ? -1 : a.party > b.party ? 1 : 0))
}

export const heldBy = (holdings: readonly Holding[], party: string): Share | undefined =>
  holdings.find(holding => holding.party === party)?.share

/** Takes a share from a holding. @throws Refusal share_not_held */
const without = (holdings: readonly Holding[], party: string, share: Share): Holding[] => {
  const held = heldBy(holdings, party)
  if (held === undefined || compareShares(held, share) < 0) throw shareNotHeld()
  const left = reduced(
    held.numerator * share.denominator - share.numerator * held.denominator,
    held.denominator * share.denominator,
  )
  const others = holdings.filter(holding => holding.party !== party)
  return left.numerator === 0n ? others : [...others, { party, share: shareOf(left.numerator, left.denominator) }]
}

const withShare = (holdings: readonly Holding[], party: string, share: Share): Holding[] => {
  const held = heldBy(holdings, party)
  const others = holdings.filter(holding => holding.party !== party)
  const sum = held === undefined ? share : sumOf([held, share])
  return [...others, { party, share: shareOf(sum.numerator, sum.denominator) }]
}

/**
 * The holdings after `from` has conveyed a share of the title to `to`.
 * @throws Refusal share_not_held, share_invalid when the fractions have become too fine to be kept
 */
export const convey = (holdings: readonly Holding[], deed: { from: string; to: string; share: Share }): Holding[] =>
  holdingsOf(withShare(without(holdings, deed.from, deed.share), deed.to, deed.share))

/**
 * The holdings after the heirs have stepped into the place of the deceased: `heirs` divide what the deceased held, so
 * their shares are of the estate and add up to one.
 * @throws Refusal share_not_held, shares_not_whole, party_named_twice, share_invalid
 */
export const inherit = (holdings: readonly Holding[], estate: { of: string; heirs: readonly Holding[] }): Holding[] => {
  const held = heldBy(holdings, estate.of)
  if (held === undefined) throw shareNotHeld()
  const heirs = holdingsOf(estate.heirs)
  const left = without(holdings, estate.of, held)
  return holdingsOf(
    heirs.reduce(
      (sum, { party, share }) =>
        withShare(sum, party, shareOf(held.numerator * share.numerator, held.denominator * share.denominator)),
      left,
    ),
  )
}

/** Do the same parties own the same shares? */
export const sameHoldings = (a: readonly Holding[], b: readonly Holding[]): boolean =>
  a.length === b.length &&
  a.every(({ party, share }) => {
    const other = heldBy(b, party)
    return other !== undefined && compareShares(share, other) === 0
  })
