import { decodeEntry, type EntryOf, isOwnerKey, type OwnerKey } from '../../../kernel/ledger-entry.ts'
import { isCount, isText, members, openStatement, type Signatory } from './statement.ts'

/**
 * Paying offline, as devices judge it: pure, with no clock but a parameter.
 *
 * A purse certificate is the ledger's signed statement that a purse pays by vouchers up to a cap until a time, and by nothing else.
 * A voucher is a `transfer` of the closed table that the purse's key signed: its nonce is one of the certificate's, it has no
 * fee, and it is valid until exactly the certificate's `validUntil`, by which it is known. It travels with the certificate and
 * with all earlier vouchers of it. A device never signs two vouchers of one nonce, whether or not the first was taken: it keeps
 * each before it shows it, and after a loss of what it kept, or from a copy of it, signs nothing more under that certificate.
 */

export const certificateType = 'purse-certificate+jwt'

/** A domain of EIP-712, as typed data has it. */
export type VoucherDomain = { name: string; version: string; chainId: number; verifyingContract: string }

/** Times in seconds. */
export type PurseCertificate = {
  /** DID of the ledger. */
  iss: string
  /** UUID of the certificate. */
  jti: string
  iat: number
  /** From then on no payee takes a voucher of it. */
  exp: number
  /** Until then the ledger enters them. */
  validUntil: number
  domain: VoucherDomain
  account: number
  currency: number
  key: OwnerKey
  /** Of the first voucher; the others follow without a gap. */
  nonce: number
  vouchersMost: number
  /** What all vouchers of it come to at most, in minor units. */
  capMinor: string
}

export type Voucher = EntryOf<'transfer'>

/** Whether this key signed this record, in the ledger's domain. */
export type IsSignedBy = (voucher: Voucher, key: OwnerKey) => boolean

/** What of a certificate a voucher of it has to keep to. */
export type VoucherTerms = Pick<PurseCertificate, 'account' | 'currency' | 'nonce' | 'vouchersMost' | 'validUntil'> & {
  cap: bigint
}

export const termsOf = ({ capMinor, ...certificate }: PurseCertificate): VoucherTerms => ({
  ...certificate,
  cap: BigInt(capMinor),
})

/** Why a voucher is not one of the certificate, in order of precedence. */
export const voucherFaults = [
  'voucher_account',
  'voucher_currency',
  'voucher_validity',
  'voucher_nonce',
  'voucher_fee',
  'voucher_self',
  'voucher_amount',
] as const
export type VoucherFault = (typeof voucherFaults)[number]

/** Whether a voucher is one that this certificate allows; that it fits under the cap beside the others is another question. */
export const voucherFault = (terms: VoucherTerms, voucher: Voucher): VoucherFault | undefined => {
  const place = voucher.nonce - terms.nonce
  if (voucher.from !== terms.account) return 'voucher_account'
  if (voucher.currency !== terms.currency) return 'voucher_currency'
  if (voucher.validUntil !== terms.validUntil) return 'voucher_validity'
  if (place < 0 || place >= terms.vouchersMost) return 'voucher_nonce'
  if (voucher.fee !== 0) return 'voucher_fee'
  if (voucher.to === voucher.from) return 'voucher_self'
  return voucher.amount > 0n ? undefined : 'voucher_amount'
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const amountForm = /^[1-9][0-9]{0,18}$/

const isDomain = (value: Record<string, unknown>): boolean =>
  typeof value['name'] === 'string' &&
  typeof value['version'] === 'string' &&
  isCount(value['chainId']) &&
  isText(value['verifyingContract'], /^0x[0-9a-fA-F]{40}$/)

/** The certificate that a statement makes, if it makes one. */
export const readCertificate = (claims: Record<string, unknown>): PurseCertificate | undefined => {
  const key = members(claims['key']) as OwnerKey
  const counts = ['iat', 'exp', 'validUntil', 'account', 'currency', 'nonce', 'vouchersMost']
  const { iat, exp, validUntil } = claims as PurseCertificate
  const states =
    counts.every(name => isCount(claims[name])) &&
    isText(claims['jti'], uuid) &&
    isText(claims['capMinor'], amountForm) &&
    isOwnerKey(key) &&
    isText(key.x, /^[0-9a-f]{64}$/) &&
    isDomain(members(claims['domain']))
  return states && iat < exp && exp <= validUntil ? (claims as PurseCertificate) : undefined
}

export const isSameDomain = (a: VoucherDomain, b: VoucherDomain): boolean =>
  a.name === b.name &&
  a.version === b.version &&
  a.chainId === b.chainId &&
  a.verifyingContract.toLowerCase() === b.verifyingContract.toLowerCase()

export const decodeVoucher = (record: Uint8Array): Voucher | undefined => {
  const entry = decodeEntry(record)
  return entry?.kind === 'transfer' ? entry : undefined
}

const signatureBytes = 64

/** What a record says, without its signature: one that was signed anew says the same. */
export const fieldsOf = (record: Uint8Array): Buffer => Buffer.from(record.subarray(0, record.length - signatureBytes))

/** Why a payee's device does not take a voucher, in order of precedence. */
export type JudgementFault =
  | 'certificate_malformed'
  | 'certificate_type'
  | 'certificate_signature'
  | 'certificate_ledger'
  | 'certificate_not_begun'
  | 'certificate_expired'
  | 'chain_length'
  | 'voucher_malformed'
  | VoucherFault
  | 'voucher_signature'
  | 'cap_exceeded'
  | 'double_spent'
  | 'voucher_taken'
  | 'payee_differs'
  | 'amount_differs'

export type Judgement =
  | { accepted: true; certificate: PurseCertificate; voucher: Voucher }
  | { accepted: false; why: JudgementFault }

/** What a payer's device hands over: every voucher of the certificate so far, by their nonces; the last one pays. */
export type Offered = { certificate: string; vouchers: readonly Uint8Array[] }

/** What the payee's device knows. `at` in milliseconds; `known`: what it has taken of this purse before. */
export type Judging = Signatory & {
  domain: VoucherDomain
  isSignedBy: IsSignedBy
  at: number
  payee: number
  amount: bigint
  known?: readonly Uint8Array[]
}

/** How far the ledger's clock may be ahead of the device's. */
const skewMs = 60_000
export const certificateMost = 4_096

const certificateFaults = {
  form: 'certificate_malformed',
  type: 'certificate_type',
  signature: 'certificate_signature',
  ledger: 'certificate_ledger',
} as const

const judgeCertificate = (text: string, judging: Judging): PurseCertificate | JudgementFault => {
  const opened = openStatement(text, judging, { type: certificateType, most: certificateMost })
  if ('fault' in opened) return certificateFaults[opened.fault]
  const certificate = readCertificate(opened.claims)
  if (certificate === undefined) return 'certificate_malformed'
  if (!isSameDomain(certificate.domain, judging.domain)) return 'certificate_ledger'
  if (certificate.iat * 1_000 > judging.at + skewMs) return 'certificate_not_begun'
  return judging.at < certificate.exp * 1_000 ? certificate : 'certificate_expired'
}

/** Each is of the certificate, they follow one another without a gap, and the purse's key signed them. */
const chainFault = (
  certificate: PurseCertificate,
  vouchers: readonly (Voucher | undefined)[],
  isSignedBy: IsSignedBy,
): JudgementFault | undefined => {
  const terms = termsOf(certificate)
  for (const [place, voucher] of vouchers.entries()) {
    if (voucher === undefined) return 'voucher_malformed'
    const fault = voucherFault(terms, voucher)
    if (fault !== undefined) return fault
    if (voucher.nonce !== certificate.nonce + place) return 'voucher_nonce'
    if (!isSignedBy(voucher, certificate.key)) return 'voucher_signature'
  }
  return undefined
}

/** Whether what the device took before says something else under one of these nonces. */
const conflicts = (
  certificate: PurseCertificate,
  chain: readonly Uint8Array[],
  known: readonly Uint8Array[],
): boolean =>
  known.some(record => {
    const { from, validUntil, nonce = 0 } = decodeVoucher(record) ?? {}
    if (from !== certificate.account || validUntil !== certificate.validUntil) return false
    const now = chain[nonce - certificate.nonce]
    // A chain that is shorter than one taken before has been begun anew.
    return now === undefined || !fieldsOf(now).equals(fieldsOf(record))
  })

const isKnown = (record: Uint8Array, known: readonly Uint8Array[]): boolean =>
  known.some(taken => fieldsOf(taken).equals(fieldsOf(record)))

/**
 * Whether a payee may rely on a voucher without asking anybody. What it cannot know is whether the purse has signed other vouchers
 * under the same nonces for somebody else: that is found when both are handed in, and the second payee is not paid.
 */
export const judgeVoucher = ({ certificate: text, vouchers: chain }: Offered, judging: Judging): Judgement => {
  const certificate = judgeCertificate(text, judging)
  if (typeof certificate === 'string') return { accepted: false, why: certificate }
  if (chain.length === 0 || chain.length > certificate.vouchersMost) return { accepted: false, why: 'chain_length' }
  const vouchers = chain.map(decodeVoucher)
  const fault = chainFault(certificate, vouchers, judging.isSignedBy)
  if (fault !== undefined) return { accepted: false, why: fault }
  const sum = vouchers.reduce((total, voucher) => total + (voucher?.amount ?? 0n), 0n)
  if (sum > BigInt(certificate.capMinor)) return { accepted: false, why: 'cap_exceeded' }
  if (conflicts(certificate, chain, judging.known ?? [])) return { accepted: false, why: 'double_spent' }
  const [voucher, last] = [vouchers.at(-1), chain.at(-1)]
  if (voucher === undefined || last === undefined) return { accepted: false, why: 'chain_length' }
  if (isKnown(last, judging.known ?? [])) return { accepted: false, why: 'voucher_taken' }
  if (voucher.to !== judging.payee) return { accepted: false, why: 'payee_differs' }
  if (voucher.amount !== judging.amount) return { accepted: false, why: 'amount_differs' }
  return { accepted: true, certificate, voucher }
}
