import type { CredentialQuery, HolderRequirement, Requirement } from '../../kernel/requirement.ts'

/** A customer by their KYC attestation: level and pseudonym, and nothing that names them. */
const kyc = {
  id: 'kyc',
  type: 'KycAttestation',
  reads: [['level'], ['jurisdiction'], ['expiryDate'], ['pseudonym'], ['screened']],
  obtain: 'Ask a bank for due diligence (KYC); let it assert your pseudonym in the domain of the currency.',
} as const satisfies CredentialQuery

const customer: HolderRequirement = { by: 'holder', of: kyc }

/** An officer of the central bank with one competence. */
export const officer = (competence: string): HolderRequirement => ({
  by: 'holder',
  of: {
    id: 'officer',
    type: 'PublicOfficer',
    issuers: ['self'],
    where: [{ path: ['competences'], includes: competence }],
    reads: [['officerNumber']],
    obtain: 'Officers get it from the central bank itself.',
  },
})

/** Two of them. */
export const twoOfficers = (competence: string): HolderRequirement => ({
  ...officer(competence),
  fourEyes: { lifeSeconds: 3 * 86_400, distinctBy: { credential: 'officer', path: ['officerNumber'] } },
})

export const requires = {
  openAccount: customer,
  pay: customer,
  payForCustomers: { by: 'agency' },
  read: { by: 'anyone' },
} as const satisfies Record<string, Requirement>

/** Records in one request. */
export const recordsMost = 1_000
