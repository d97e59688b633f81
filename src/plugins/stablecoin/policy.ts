import type { HolderRequirement, Requirement } from '../../kernel/requirement.ts'

/** An officer of this agency with one competence. */
const officer = (competence: string): HolderRequirement => ({
  by: 'holder',
  of: {
    id: 'officer',
    type: 'PublicOfficer',
    issuers: ['self'],
    where: [{ path: ['competences'], includes: competence }],
    reads: [['officerNumber']],
    obtain: 'Officers get it from the issuer of the token, or from the attestor of its reserve, itself.',
  },
})

const twoOfficers = (competence: string): HolderRequirement => ({
  ...officer(competence),
  fourEyes: { lifeSeconds: 3 * 86_400, distinctBy: { credential: 'officer', path: ['officerNumber'] } },
})

export const requires = {
  read: { by: 'anyone' },
  licence: officer('stablecoin:licence'),
  issue: twoOfficers('stablecoin:issue'),
  attest: twoOfficers('stablecoin:attest'),
  /** A freeze cannot wait for a second officer, and moves nothing; what lifts or takes does. */
  freeze: officer('stablecoin:orders'),
  order: twoOfficers('stablecoin:orders'),
  redeem: {
    by: 'holder',
    of: {
      id: 'kyc',
      type: 'KycAttestation',
      reads: [['pseudonym']],
      obtain: 'Ask a bank for due diligence (KYC); let it assert your pseudonym in the domain of the currency.',
    },
    oneShot: true,
  },
  redemptions: officer('stablecoin:redeem'),
  pay: twoOfficers('stablecoin:redeem'),
} as const satisfies Record<string, Requirement>

/** The domain of a currency's pseudonyms: the ledger that keeps it asks for the same. */
export const coinDomain = (code: string): string => `cbdc:${code.toLowerCase()}`

/** Classes of a business licence whose holder may issue money. */
export const issuingClasses: ReadonlySet<unknown> = new Set(['electronic-money-institution', 'credit-institution'])

/** For so long an authorization has to be valid: it is handed in by a transaction that may have to wait. */
export const authorizationLeastMs = 10 * 60_000
export const listMost = 100
/** What one round looks at. */
export const roundMost = 200
