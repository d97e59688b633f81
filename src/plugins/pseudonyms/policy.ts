import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  agency: { by: 'agency' },
} as const satisfies Record<string, Requirement>

/**
 * Evaluations of one institution in one window, over all domains. Whoever is admitted could try numbers one by one: at this
 * rate a space of 10^9 numbers takes twelve years, and a bank that opens an account a second is not hindered.
 */
export const evaluationsMost = 10_000
export const evaluationsWindowMs = 3_600_000

export type DomainRule = { prefix: string; types: readonly string[] }

/**
 * Domains that are not open to every accredited institution: who asks must be accredited for one of these types. The first rule
 * whose prefix fits counts. An issuer of driving licences has no business with pseudonyms of payments.
 */
export const domainRules: readonly DomainRule[] = [{ prefix: 'cbdc:', types: ['KycAttestation', 'NationalIdentity'] }]

/** The types of which an institution needs one for this domain; undefined where any accreditation does. */
export const typesFor = (domain: string, rules: readonly DomainRule[] = domainRules): readonly string[] | undefined =>
  rules.find(({ prefix }) => domain.startsWith(prefix))?.types
