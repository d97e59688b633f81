import type { Requirement } from '../../../kernel/requirement.ts'
import { readRequires, requires } from '../policy.ts'

/** Payment versus payment, and locks across the rails. */
export const exchangeRequires = {
  /** Who gives one of the two payments: a customer for themselves, an institution for itself and those whom it serves. */
  party: { by: 'cases', param: 'party', cases: { customer: requires.pay, institution: requires.payForCustomers } },
  terms: { by: 'anyone' },
  inspect: readRequires.view,
} as const satisfies Record<string, Requirement>

/** Offers of one account that may stand at the same time. */
export const exchangesOpenMost = 100
/** An id serves for a day, so no offer stands longer. */
export const exchangeLifeMs = 86_400_000
/** Entries of an account that are gone through at most for the preimage of a reservation that was paid in part. */
export const postsSoughtMost = 200
