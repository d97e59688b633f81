import type { CredentialQuery, Requirement } from '../../kernel/requirement.ts'

/** An officer of this registry who keeps the list of those who may sign for companies. */
const officer = {
  id: 'officer',
  type: 'PublicOfficer',
  issuers: ['self'],
  where: [{ path: ['competences'], includes: 'mandates:register' }],
  reads: [['officerNumber']],
  obtain: 'The registry issues it to its officers.',
} as const satisfies CredentialQuery

/** Whoever may act for a company. */
const mandate = {
  id: 'mandate',
  type: 'CompanyMandate',
  issuers: ['self'],
  obtain: 'The registrar gives it to the signatories whom the company names; a director passes it on.',
} as const satisfies CredentialQuery

export const requires = {
  anyone: { by: 'anyone' },
  register: { by: 'holder', of: officer },
  /** The mandate itself must name `issueSubMandate`; directors who sign jointly present theirs together. */
  delegate: { by: 'holder', of: { ...mandate, mandate: true } },
  /**
   * Taking a power away asks for less than using it: each of those who gave it, alone and whatever else the mandate names.
   */
  end: { by: 'holder', of: { any: [officer, mandate] } },
  read: { by: 'holder', of: { any: [officer, mandate] } },
} as const satisfies Record<string, Requirement>

/** Mandates of one company that are in force at once, sub-mandates included. */
export const mandatesMost = 1_000
export const pageMost = 100
export const pageDefault = 50
/** How long an ended mandate can be asked about. */
export const keepMs = 10 * 365 * 86_400_000
