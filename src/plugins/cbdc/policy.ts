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

/** Orders, issuance and policy. */
export const orderRequires = {
  /** Currencies and what counts for them. */
  govern: twoOfficers('cbdc:policy'),
  participants: officer('cbdc:participants'),
  issue: twoOfficers('cbdc:issue'),
  /** Requests are read, and refused, by one. */
  redemptions: officer('cbdc:issue'),
  /** A freeze cannot wait for a second officer, and moves nothing; whatever takes or gives does. */
  freeze: officer('cbdc:orders'),
  order: twoOfficers('cbdc:orders'),
  interest: officer('cbdc:policy'),
  participant: { by: 'agency' },
  owner: customer,
  anyone: { by: 'anyone' },
  /** The service's own rounds, as the journal names their authority. */
  upkeep: { by: 'staff', scope: 'cbdc:upkeep' },
} as const satisfies Record<string, Requirement>

/** What one round deals with at most in one act, so that no act keeps the ledger for long. */
export const roundMost = 500
/** Numbers of accounts that a round passes over in one act. */
export const windowMost = 20_000
/** Rows on one page of a listing. */
export const listMost = 100

/** Moves between the rails that do not go on by themselves. */
export const railRequires = {
  decide: officer('cbdc:rail'),
  list: officer('cbdc:rail'),
  read: { by: 'anyone' },
} as const satisfies Record<string, Requirement>

/** Reading. Whoever owns an account, whoever serves it, and officers; and whom a court's order lets read one. */
export const readRequires = {
  view: {
    by: 'cases',
    param: 'reader',
    cases: {
      customer: {
        by: 'holder',
        of: { id: 'kyc', type: 'KycAttestation', reads: [['pseudonym']], obtain: kyc.obtain },
      },
      institution: { by: 'agency' },
      officer: officer('cbdc:read'),
    },
  },
  lawful: {
    by: 'holder',
    of: {
      id: 'order',
      type: 'CourtOrder',
      reads: ['ledger', 'accountNumber', 'from', 'until', 'reference', 'authority', 'legalBasis', 'purpose'].map(
        name => [name],
      ),
      obtain: 'A court that the trust registry accredits issues it.',
    },
    oneShot: true,
  },
} as const satisfies Record<string, Requirement>

/** Entries on one page. */
export const entriesMost = 200
export const entriesUsual = 50
/** Instructions that may stand for one account. */
export const instructionsMost = 200
/** How far the clock of whoever asks may be ahead of this one, ms. */
export const clockSkewMs = 60_000

/** Settlement between institutions. */
export const interbankRequires = {
  participant: { by: 'agency' },
  settlement: officer('cbdc:settlement'),
} as const satisfies Record<string, Requirement>

/** Payments that may wait on one account, and how many settle in one act; the rest goes on in the next. */
export const queuedMost = 500
export const settledMost = 200
/** Obligations of one netting window, and for how long it may be open. */
export const obligationsMost = 2_000
export const windowOpenMost = 86_400_000
/** How long after its closing a netting window's funds stay reserved, so that it can be resolved. */
export const resolutionMs = 3_600_000

/** Institutions that decide on reservations. */
export const arbiterRequires = { arbiter: { by: 'agency' } } as const satisfies Record<string, Requirement>

/** Requests to pay: both sides are customers, of whom nothing but the pseudonym is needed. */
export const requestRequires = {
  party: {
    by: 'holder',
    of: { id: 'kyc', type: 'KycAttestation', reads: [['pseudonym']], obtain: kyc.obtain },
  },
} as const satisfies Record<string, Requirement>

/** For how long a request to pay may be open, ms. */
export const requestLifeMost = 90 * 86_400_000
/** Open requests of one payee, and of those to one account: so many of one payee stand in anybody's inbox. */
export const openRequestsMost = 1_000
export const requestsToOneMost = 20
