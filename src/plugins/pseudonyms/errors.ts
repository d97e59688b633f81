import { Refusal } from '../../kernel/refusal.ts'

export const rateExceeded = (retryAfterSeconds: number): Refusal =>
  new Refusal('too_many', 'rate_exceeded', 'The institution has asked for as many evaluations as it may for now.', {
    facts: { retryAfterSeconds },
  })
export const domainReserved = (types: readonly string[]): Refusal =>
  new Refusal(
    'forbidden',
    'pseudonym_domain_reserved',
    'Pseudonyms of this domain are for institutions with another accreditation.',
    { facts: { types } },
  )
