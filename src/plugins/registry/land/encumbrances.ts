import { encumbranceUnconsented, encumbranceUnknown, rankNotAdjacent, titleBlocked } from './errors.ts'

/**
 * What lies on a title besides ownership, by the classes of ISO 19152: LA_Right, LA_Restriction and LA_Responsibility.
 */
export const interestKinds = {
  usufruct: 'right',
  lease: 'right',
  easement: 'restriction',
  mortgage: 'restriction',
  caveat: 'restriction',
  'court-order': 'restriction',
  responsibility: 'responsibility',
} as const

export type InterestKind = keyof typeof interestKinds

/** Kinds that an officer enters and ends without more ado. */
export const plainKinds = ['usufruct', 'lease', 'easement', 'responsibility'] as const satisfies InterestKind[]
/** Kinds that block every disposal of the title until they are lifted. */
export const orderKinds = ['caveat', 'court-order'] as const satisfies InterestKind[]

export type Interest = {
  id: string
  /** The id under which it was first registered: a split carries it over to every part under a new id. */
  origin: string
  kind: InterestKind
  /** Mortgages only: 1 is satisfied first. */
  rank: number | null
  /** Whom it is for: the lender of a mortgage. */
  party: string | null
  legalBasis: string
  /** What the deed or the order says. */
  terms: Readonly<Record<string, unknown>>
  registeredAt: number
}

const isOneOf = (kinds: readonly InterestKind[], { kind }: Interest): boolean => kinds.includes(kind)

export const isOrder = (interest: Interest): boolean => isOneOf(orderKinds, interest)
export const isPlain = (interest: Interest): boolean => isOneOf(plainKinds, interest)

/** @throws Refusal encumbrance_unknown */
export const interestOf = (interests: readonly Interest[], id: string): Interest => {
  const found = interests.find(interest => interest.id === id)
  if (found === undefined) throw encumbranceUnknown()
  return found
}

/** Mortgages by rank. */
export const mortgagesOf = (interests: readonly Interest[]): Interest[] =>
  interests.filter(({ kind }) => kind === 'mortgage').sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0))

/** Whoever is registered later stands behind. */
export const nextRank = (interests: readonly Interest[]): number => mortgagesOf(interests).length + 1

/** What is left when one has gone; mortgages behind it move up. */
export const without = (interests: readonly Interest[], id: string): Interest[] => {
  const gone = interestOf(interests, id)
  return interests
    .filter(interest => interest !== gone)
    .map(interest =>
      gone.rank !== null && interest.rank !== null && interest.rank > gone.rank
        ? { ...interest, rank: interest.rank - 1 }
        : interest,
    )
}

/**
 * A mortgage steps behind the next one. Only neighbours in rank change places, so nobody between them, who was not
 * asked, can come to stand behind more than before.
 * @throws Refusal encumbrance_unknown, rank_not_adjacent
 */
export const postpone = (interests: readonly Interest[], mortgage: string, behind: string): Interest[] => {
  const first = interestOf(interests, mortgage)
  const second = interestOf(interests, behind)
  if (first.rank === null || second.rank !== first.rank + 1) throw rankNotAdjacent()
  return interests.map(interest => {
    if (interest === first) return { ...interest, rank: second.rank }
    return interest === second ? { ...interest, rank: first.rank } : interest
  })
}

/** @throws Refusal title_blocked with the ids of the orders */
export const assertUnblocked = (interests: readonly Interest[]): void => {
  const orders = interests.filter(isOrder).map(({ id }) => id)
  if (orders.length > 0) throw titleBlocked(orders)
}

/**
 * Every interest stays on the title when it changes hands, mortgages included: it binds whoever owns the land. So the
 * buyer must have been shown each, and say so.
 * @throws Refusal encumbrance_unconsented with the ids of those that were not
 */
export const assertConsented = (interests: readonly Interest[], consents: readonly string[]): void => {
  const missing = interests.map(({ id }) => id).filter(id => !consents.includes(id))
  if (missing.length > 0) throw encumbranceUnconsented(missing)
  if (consents.length > interests.length) throw encumbranceUnknown()
}

const fingerprint = ({ origin, kind, rank }: Interest): string => JSON.stringify([origin, kind, rank])

/** Do the same interests lie on both titles, mortgages in the same ranks? */
export const sameInterests = (a: readonly Interest[], b: readonly Interest[]): boolean =>
  JSON.stringify(a.map(fingerprint).sort()) === JSON.stringify(b.map(fingerprint).sort())

/** The same interests on another title, each under an id of its own. */
export const carriedOver = (interests: readonly Interest[], newId: () => string): Interest[] =>
  interests.map(interest => ({ ...interest, id: newId() }))

/** What everybody may see: kinds, ranks and orders; neither parties nor amounts. */
export const publicInterest = ({ id, kind, rank, registeredAt }: Interest) => ({
  id,
  kind,
  class: interestKinds[kind],
  ...(rank !== null && { rank }),
  registeredOn: new Date(registeredAt).toISOString().slice(0, 10),
})
