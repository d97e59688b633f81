import type { Requirement } from '../../../kernel/requirement.ts'
import { officer, requires } from '../policy.ts'

/** Paying offline. Vouchers are handed in by a payee, by the purse's owner, or by the institution that serves one of them. */
export const offlineRequires = {
  owner: requires.pay,
  present: {
    by: 'cases',
    param: 'presenter',
    cases: { customer: requires.pay, institution: { by: 'agency' } },
  },
  misuse: officer('cbdc:orders'),
} as const satisfies Record<string, Requirement>

/** Records of misuse that are kept of one certificate; what more there is adds nothing to them. */
export const misuseMost = 64

/** Vouchers of one request with which evidence is given; whoever needs more of it hands in fewer at once. */
export const evidenceMost = 32
