import type {
  ClaimPath,
  CredentialQuery,
  CredentialTree,
  HolderRequirement,
  Requirement,
} from '../../../kernel/requirement.ts'
import type { Definition } from '../definition.ts'
import { decisionRequirement, officerRequirement } from '../policy.ts'

/** Pseudonyms are asked for in this domain. */
export const pseudonymDomain = (register: string): string => `register:${register}`

/** Degrees; a search for parcels looks at no more at once. */
export const searchExtentMost = 0.25
export const parcelsAPage = 100
/** Milliseconds after which an owner who asks gets a new credential rather than the one that stands. */
export const credentialAgeMost = 365 * 24 * 60 * 60_000
export const parcelsATitle = 16
export const partsMost = 32
export const ownersMost = 64
export const interestsMost = 64

/**
 * Divisions of NACE and ISIC whose business is the granting of credit: monetary intermediation, and other credit
 * granting.
 */
const creditCodes = /^K?64\.?(1|92)/

/** @param activities of a BusinessLicence */
export const grantsCredit = (activities: unknown): boolean =>
  Array.isArray(activities) &&
  activities.some(activity => creditCodes.test(String((activity as { code?: unknown } | null)?.code ?? '')))

/** The ways in which one party of an act shows who they are; ids begin with the part they play. */
export const roleQueries = {
  pseudonym: (role: string) => `${role}Pseudonym`,
  person: (role: string) => `${role}Person`,
  company: (role: string) => `${role}Company`,
  licence: (role: string) => `${role}Licence`,
  mandate: (role: string) => `${role}Mandate`,
  ownLicence: (role: string) => `${role}OwnLicence`,
} as const

const names: ClaimPath[] = [['familyName'], ['givenName']]

/** A person, by pseudonym if the identity shows it and else by number, or a company by whoever has its mandate. */
const ownerTree = (role: string, register: string): CredentialTree => ({
  any: [
    {
      id: roleQueries.pseudonym(role),
      type: 'NationalIdentity',
      where: [{ path: ['pseudonym', 'domain'], equals: pseudonymDomain(register) }],
      // With the number, of which a keyed digest is kept: else one person could be two parties, and sell to themselves.
      reads: [['pseudonym', 'value'], ['personalAdministrativeNumber'], ...names],
      obtain: 'From the authority that issues identities, with the pseudonym for this register.',
    },
    {
      id: roleQueries.person(role),
      type: 'NationalIdentity',
      reads: [['personalAdministrativeNumber'], ...names],
      obtain: 'From the authority that issues identities.',
    },
    {
      id: roleQueries.company(role),
      type: 'CompanyMandate',
      mandate: true,
      reads: [
        ['company', 'registrationNumber'],
        ['company', 'legalName'],
      ],
      obtain: 'From the business registry, or from a director of the company.',
    },
  ],
})

const licence = (id: string): CredentialQuery => ({
  id,
  type: 'BusinessLicence',
  where: [{ path: ['licenceClass'], equals: 'credit-institution' }],
  reads: [['registrationNumber'], ['legalName'], ['activities']],
  obtain: 'From the authority that licenses lenders.',
})

/** A lender shows its licence: with a mandate of whoever acts for it, or by its own key alone. */
const lenderTree = (role: string): CredentialTree => ({
  any: [
    {
      all: [
        licence(roleQueries.licence(role)),
        {
          id: roleQueries.mandate(role),
          type: 'CompanyMandate',
          mandate: true,
          reads: [['company', 'registrationNumber']],
          obtain: 'From the business registry, or from a director of the lender.',
        },
      ],
      joined: {
        by: 'claim',
        claims: {
          [roleQueries.licence(role)]: ['registrationNumber'],
          [roleQueries.mandate(role)]: ['company', 'registrationNumber'],
        },
      },
    },
    licence(roleQueries.ownLicence(role)),
  ],
})

const notaryQuery: CredentialQuery = {
  id: 'notary',
  type: 'ProfessionalLicence',
  where: [
    { path: ['profession'], equals: 'notary' },
    { path: ['scopeOfPractice'], includes: 'conveyancing' },
  ],
  reads: [['registerNumber']],
  obtain: 'From the body that admits notaries.',
}

const holder = (of: CredentialTree): HolderRequirement => ({ by: 'holder', of })
const priced = (of: CredentialTree): HolderRequirement => ({
  ...holder(of),
  amount: { amount: ['price', 'amountMinor'], currency: ['price', 'currency'] },
})
const secured = (of: CredentialTree): HolderRequirement => ({
  ...holder(of),
  amount: { amount: ['amount', 'amountMinor'], currency: ['amount', 'currency'] },
})

/** What each operation of a register of land requires. */
export const landRequirements = {
  /** A decision of the register, by two officers where it says so. */
  decision: (definition: Definition): Requirement => decisionRequirement(definition),
  /** Seller, buyer and notary sign one deed. */
  transfer: ({ name }: Definition): Requirement => ({
    by: 'parties',
    parties: {
      seller: priced(ownerTree('seller', name)),
      buyer: priced(ownerTree('buyer', name)),
      notary: holder(notaryQuery),
    },
  }),
  /** A mortgage disposes of land as a sale does, so it takes the same form. */
  mortgage: ({ name }: Definition): Requirement => ({
    by: 'parties',
    parties: {
      lender: secured(lenderTree('lender')),
      owner: secured(ownerTree('owner', name)),
      notary: holder(notaryQuery),
    },
  }),
  /** Both lenders, and an owner, whose land is bound in another order. */
  postponement: ({ name }: Definition): Requirement => ({
    by: 'parties',
    parties: {
      lender: holder(lenderTree('lender')),
      advanced: holder(lenderTree('advanced')),
      owner: holder(ownerTree('owner', name)),
    },
  }),
  lender: (_definition: Definition): Requirement => holder(lenderTree('lender')),
  /** A co-owner, within what a mandate allows. */
  consent: ({ name }: Definition): Requirement => secured(ownerTree('owner', name)),
  /** Owners, others with a right in the title, notaries, officers. */
  reader: (definition: Definition): Requirement =>
    holder({
      any: [officerRequirement(definition).of, notaryQuery, ownerTree('reader', definition.name), lenderTree('lender')],
    }),
  owner: ({ name }: Definition): Requirement => holder(ownerTree('owner', name)),
} as const

export type LandRequirement = keyof typeof landRequirements

/** How long after a deed the money for it must still be reserved: collecting it can take that long. */
export const paymentMarginMs = 2 * 3_600_000
/** Payments collected in one round. */
export const collectedARound = 50
