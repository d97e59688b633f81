import { Refusal } from '../../../kernel/refusal.ts'

export const geometryInvalid = (what: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'geometry_invalid', `The geometry of the parcel cannot be registered: ${what}.`, {
    facts: { what },
    cause,
  })
export const geometryTooLarge = (positions: number, most: number): Refusal =>
  new Refusal(
    'rejected',
    'geometry_too_large',
    'The parcels of one act, with those whose place they take, have too many positions; do it in several acts.',
    { facts: { positions, most } },
  )
export const geometryTangled = (): Refusal =>
  new Refusal(
    'rejected',
    'geometry_tangled',
    'Too many sides of the parcels run beside one another to be compared; draw them more simply, or in several acts.',
  )
export const parcelOverlaps = (overlaps: readonly string[]): Refusal =>
  new Refusal('conflict', 'parcel_overlaps', 'The parcel lies on others that are registered; have it surveyed again.', {
    facts: { overlaps },
  })
export const parcelNumberTaken = (parcelNumber: string): Refusal =>
  new Refusal('conflict', 'parcel_number_taken', 'A parcel of that number is registered; give it another.', {
    facts: { parcelNumber },
  })
export const areaMismatch = (legalArea: bigint, computedArea: bigint): Refusal =>
  new Refusal('rejected', 'area_mismatch', 'The legal area is not that of the geometry; have one of them corrected.', {
    facts: { legalAreaSquareCentimetres: String(legalArea), computedAreaSquareCentimetres: String(computedArea) },
  })
export const shareInvalid = (): Refusal =>
  new Refusal(
    'rejected',
    'share_invalid',
    'A share is above zero and at most one, and its denominator at most 1000000000000000000.',
  )
export const sharesNotWhole = (sum: string): Refusal =>
  new Refusal('rejected', 'shares_not_whole', 'The shares must add up to exactly one.', { facts: { sum } })
export const shareNotHeld = (): Refusal =>
  new Refusal(
    'rejected',
    'share_not_held',
    'Who conveys a share must be an owner of the title, as the register knows them, and own as much.',
  )
export const partyNamedTwice = (): Refusal =>
  new Refusal('rejected', 'party_named_twice', 'Each party is named once, with all of its share.')
export const partyAmbiguous = (): Refusal =>
  new Refusal('conflict', 'party_ambiguous', 'The identity belongs to two parties of the register; ask an officer.')
export const partyUnidentified = (): Refusal =>
  new Refusal(
    'rejected',
    'party_unidentified',
    'The identity must disclose its pseudonym for this register or its personal administrative number.',
  )
export const titleNotRecordedThen = (): Refusal =>
  new Refusal(
    'not_found',
    'title_not_recorded_then',
    'The history does not say who owned the title at that time; ask for another, or see its history.',
  )
export const splitAreaMismatch = (parentArea: bigint, childrenArea: bigint): Refusal =>
  new Refusal('rejected', 'split_area_mismatch', 'The parts must have exactly the area of the whole, and cover it.', {
    facts: { wholeSquareCentimetres: String(parentArea), partsSquareCentimetres: String(childrenArea) },
  })
export const splitOutsideParent = (parts: readonly number[]): Refusal =>
  new Refusal('rejected', 'split_outside_parent', 'A part reaches beyond the whole; keep to its borders.', {
    facts: { parts },
  })
export const splitOverlaps = (parts: readonly number[]): Refusal =>
  new Refusal('rejected', 'split_overlaps', 'The parts lie on one another; draw their common border once.', {
    facts: { parts },
  })
export const mergeOwnersDiffer = (): Refusal =>
  new Refusal('rejected', 'merge_owners_differ', 'Titles are merged only if the same parties own the same shares.')
export const mergeEncumbrancesDiffer = (): Refusal =>
  new Refusal(
    'rejected',
    'merge_encumbrances_differ',
    'Titles are merged only if the same rights and encumbrances lie on each, or none; discharge or extend them first.',
  )
export const titleBlocked = (orders: readonly string[]): Refusal =>
  new Refusal('rejected', 'title_blocked', 'An order blocks the title; have it lifted first.', { facts: { orders } })
export const titleChanged = (version: number): Refusal =>
  new Refusal(
    'conflict',
    'title_changed',
    'The title has changed since this was drawn up; read it and draw it again.',
    {
      facts: { version },
    },
  )
export const titleClosed = (): Refusal =>
  new Refusal('conflict', 'title_closed', 'The title is closed; its successors stand in its extract.')
export const orderTaken = (): Refusal =>
  new Refusal('conflict', 'order_taken', 'The title is under that order already.')
export const encumbranceUnknown = (): Refusal =>
  new Refusal('not_found', 'encumbrance_unknown', 'No such encumbrance lies on the title.')
export const encumbranceUnconsented = (missing: readonly string[]): Refusal =>
  new Refusal('rejected', 'encumbrance_unconsented', 'Each encumbrance that stays on the title must be consented to.', {
    facts: { missing },
  })
export const dischargeNotLender = (): Refusal =>
  new Refusal('forbidden', 'discharge_not_lender', 'Only its lender, or a court order, discharges a mortgage.')
export const postponementNotLender = (): Refusal =>
  new Refusal('forbidden', 'postponement_not_lender', 'A mortgage is postponed by the lenders of both mortgages only.')
export const mortgageOwnersMissing = (): Refusal =>
  new Refusal(
    'rejected',
    'mortgage_owner_missing',
    'A mortgage needs every owner: in the deed, or by a consent to this very deed beforehand.',
  )
export const rankNotAdjacent = (): Refusal =>
  new Refusal('rejected', 'rank_not_adjacent', 'A mortgage is postponed to the next in rank only, one step at a time.')
export const settlementUnavailable = (): Refusal =>
  new Refusal('unavailable', 'settlement_unavailable', 'No payment can be part of a deed here; settle it outside.')
export const lenderUnlicensed = (): Refusal =>
  new Refusal(
    'forbidden',
    'lender_unlicensed',
    'The licence does not name granting of credit (NACE or ISIC 64.1 or 64.92) among its activities.',
  )
export const mandateInsufficient = (): Refusal =>
  new Refusal('forbidden', 'mandate_insufficient', 'The mandate that was shown does not cover this act; act within it.')
export const interestNotEnded = (): Refusal =>
  new Refusal('rejected', 'interest_kind', 'Interests of this kind are not ended here; see the operations for them.')
export const walletUnbound = (): Refusal =>
  new Refusal('rejected', 'wallet_unbound', 'Nobody is known to stand behind the wallet; have it bound to the buyer.')
export const walletForOne = (): Refusal =>
  new Refusal('rejected', 'wallet_for_one_owner', 'The token of a title with several owners stays at the register.')
export const titlesRepeated = (): Refusal =>
  new Refusal('malformed', 'titles_repeated', 'Name at least two titles, each once.')
export const titlePartyOnly = (): Refusal =>
  new Refusal('forbidden', 'title_party_only', 'Only those with a right in the title may read all of it.')
export const partyUnknown = (): Refusal =>
  new Refusal('not_found', 'party_unknown', 'The register knows no such party.')
export const boxInvalid = (): Refusal =>
  new Refusal(
    'malformed',
    'box_invalid',
    'bbox is west,south,east,north in degrees, at most a quarter of a degree wide and high.',
  )
export const ownerOnly = (): Refusal =>
  new Refusal('forbidden', 'owner_only', 'Only an owner of the title may do this.')
export const partiesNotDistinct = (): Refusal =>
  new Refusal('rejected', 'parties_not_distinct', 'The parties of a deed must be different persons.')
export const paymentReference = (): Refusal =>
  new Refusal(
    'malformed',
    'payment_reference',
    'The reference of a payment is the number of its reservation on the ledger.',
  )
export const paymentNotReserved = (): Refusal =>
  new Refusal(
    'rejected',
    'payment_not_reserved',
    'The reservation is not for this price alone, with this register as arbiter, until long enough after the deed.',
  )
export const paymentUsed = (): Refusal =>
  new Refusal('conflict', 'payment_used', 'Another deed is paid for with that reservation.')
