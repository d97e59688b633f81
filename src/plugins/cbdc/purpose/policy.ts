import type { CredentialQuery, HolderRequirement, Requirement } from '../../../kernel/requirement.ts'
import { officer, orderRequires } from '../policy.ts'

/**
 * Credentials by which a merchant qualifies to be paid with purpose-bound money, and the claims that their classes
 * come from.
 */
export const payeeCredentials = ['BusinessLicence', 'ProfessionalLicence'] as const
export type PayeeCredential = (typeof payeeCredentials)[number]

const licences: Record<PayeeCredential, CredentialQuery> = {
  BusinessLicence: {
    ...{ id: 'licence', type: 'BusinessLicence', reads: [['licenceClass'], ['activities'], ['expiryDate']] },
    obtain: 'The licensing authority issues it to the business.',
  },
  ProfessionalLicence: {
    ...{ id: 'licence', type: 'ProfessionalLicence', reads: [['profession'], ['expiryDate']] },
    obtain: 'The professional body issues it to its member.',
  },
}

/** The owner of the account, who holds the licence with the same key: nobody qualifies by another's licence. */
const qualified = (type: PayeeCredential): HolderRequirement => ({
  by: 'holder',
  of: {
    all: [
      {
        ...{ id: 'kyc', type: 'KycAttestation', reads: [['pseudonym']] },
        obtain: 'Ask a bank for due diligence (KYC); let it assert your pseudonym in the domain of the currency.',
      },
      licences[type],
    ],
    joined: { by: 'key' },
  },
})

export const purposeRequires = {
  govern: orderRequires.govern,
  anyone: { by: 'anyone' },
  qualify: {
    by: 'cases',
    param: 'credentialType',
    cases: {
      BusinessLicence: qualified('BusinessLicence'),
      ProfessionalLicence: qualified('ProfessionalLicence'),
    },
  },
  /** Sums without persons: for the sponsor, and for officers. */
  sums: {
    by: 'cases',
    param: 'reader',
    cases: { institution: { by: 'agency' }, officer: officer('cbdc:read') },
  },
  upkeep: orderRequires.upkeep,
} as const satisfies Record<string, Requirement>

/** A programme lasts this long at most, as a purpose on the chain does. */
export const programmeMostMs = 3_650 * 86_400_000
/** Qualifications of one account that stand at once. */
export const qualificationsMost = 16
/** Programmes on one page. */
export const programmesMost = 100
export const programmesUsual = 50
