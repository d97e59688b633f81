import type { IssueRequest } from '../../kernel/identity.ts'
import type { ClaimValue } from './definition.ts'
import { type Fields, valuesAt } from './extract.ts'
import type { Register } from './soundness.ts'

/** What an entry is issued as: its fields, and facts of it, as claims of the register's credential type. Pure. */

export type Facts = {
  number: string
  fields: Fields
  holder: string
  legalBasis: string
  /** What the agency calls itself. */
  authority: string
  /** Milliseconds. */
  issuedAt: number
  validUntil: number | null
}

const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

const factOf = (name: Extract<ClaimValue, { entry: unknown }>['entry'], facts: Facts): string | undefined => {
  switch (name) {
    case 'number':
      return facts.number
    case 'issuedOn':
      return dateOf(facts.issuedAt)
    case 'expiresOn':
      return facts.validUntil === null ? undefined : dateOf(facts.validUntil)
    case 'legalBasis':
      return facts.legalBasis
    case 'authority':
      return facts.authority
  }
}

const claimOf = (value: ClaimValue, facts: Facts): unknown => {
  if ('value' in value) return value.value
  return 'entry' in value ? factOf(value.entry, facts) : valuesAt(facts.fields, value.field)[0]
}

/** What `Issuance.issue` is asked for. Fields that the credential type does not know stay in the register. */
export const requestOf = (register: Register, facts: Facts): IssueRequest => {
  const subject: Record<string, unknown> = {}
  for (const claim of register.claims) {
    const mapped = register.credential.claims[claim]
    const value = mapped === undefined ? facts.fields[claim] : claimOf(mapped, facts)
    if (value !== undefined) subject[claim] = value
  }
  return {
    type: register.credential.type,
    subject: { ...subject, id: facts.holder },
    ...(facts.validUntil !== null && { validUntil: facts.validUntil }),
  }
}
