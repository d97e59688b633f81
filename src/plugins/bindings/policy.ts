import type { HolderCaller, ProvenCredential } from '../../kernel/gate.ts'
import type { CredentialQuery, Requirement } from '../../kernel/requirement.ts'

const kyc = {
  type: 'KycAttestation',
  issuers: ['self'],
  reads: [['level'], ['jurisdiction'], ['expiryDate']],
  obtain: 'Ask this institution for due diligence (KYC).',
} as const satisfies Omit<CredentialQuery, 'id'>

const identity = {
  type: 'NationalIdentity',
  reads: [['personalAdministrativeNumber']],
  obtain: 'The civil authority issues it.',
} as const satisfies Omit<CredentialQuery, 'id'>

/** Both attestations of one person: held by one key, or by two under a pseudonym that both issuers assert. */
const person = {
  any: [
    {
      all: [
        { id: 'kyc', ...kyc },
        { id: 'identity', ...identity },
      ],
      joined: { by: 'key' },
    },
    {
      all: [
        { id: 'kycPairwise', ...kyc },
        { id: 'identityPairwise', ...identity },
      ],
      joined: {
        by: 'claim',
        claims: { kycPairwise: ['pseudonym', 'value'], identityPairwise: ['pseudonym', 'value'] },
      },
    },
  ],
} as const

export const requires = {
  bind: { by: 'holder', of: person },
  own: { by: 'holder', of: { id: 'kyc', type: 'KycAttestation', issuers: ['self'], obtain: kyc.obtain } },
  revoke: { by: 'staff', scope: 'bindings:revoke' },
} as const satisfies Record<string, Requirement>

/** The two attestations, whichever way they were joined. */
export const personOf = ({ matched }: HolderCaller): { kyc: ProvenCredential; identity: ProvenCredential } => {
  const [attestation, document] = [
    matched['kyc'] ?? matched['kycPairwise'],
    matched['identity'] ?? matched['identityPairwise'],
  ]
  if (attestation === undefined || document === undefined) throw new Error('the caller does not meet the requirement')
  return { kyc: attestation, identity: document }
}

/** How old the wallet's own signature may be, and how far its clock may be ahead. */
export const walletSignatureAgeMs = 10 * 60_000
export const walletClockSkewMs = 60_000
/** Within which the citizen hands the binding in. */
export const handInMs = 24 * 3_600_000
/** Bindings under one attestation, ended ones included: each takes a place in a list for good. */
export const bindingsMost = 50
/** What is kept after a binding has run out: five years (FATF recommendation 11). */
export const keepMs = 5 * 365 * 24 * 3_600_000
