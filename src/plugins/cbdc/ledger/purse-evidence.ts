import { isText, members, openStatement, type Signatory } from './statement.ts'
import {
  decodeVoucher,
  fieldsOf,
  type IsSignedBy,
  isSameDomain,
  type PurseCertificate,
  readCertificate,
  termsOf,
  type Voucher,
  type VoucherDomain,
  voucherFault,
} from './voucher.ts'

/**
 * That a purse was misused, in a form that convinces a third party: the ledger states the certificate that it gave, and the purse's
 * own signatures do the rest. Two vouchers of one nonce that say different things (`double_spent`), or vouchers that come to more
 * than the cap (`overspent`). A voucher signed twice with the same content proves nothing.
 */

export const evidenceType = 'purse-evidence+jwt'

export type MisuseKind = 'double_spent' | 'overspent'

export type PurseEvidence = {
  iss: string
  /** Seconds. */
  iat: number
  kind: MisuseKind
  certificate: PurseCertificate
  /** The purse's signed records, base64url. */
  records: string[]
}

export type EvidenceFault =
  | 'form'
  | 'type'
  | 'signature'
  | 'ledger'
  | 'statement'
  | 'record'
  | 'voucher'
  | 'purse_signature'
  | 'proves_nothing'

export type EvidenceVerdict =
  | { holds: true; evidence: PurseEvidence; account: number }
  | { holds: false; fault: EvidenceFault }

const evidenceMost = 32_768

const readEvidence = (claims: Record<string, unknown>): PurseEvidence | undefined => {
  const { kind, records } = claims
  const certificate = readCertificate(members(claims['certificate']))
  const isKind = kind === 'double_spent' || kind === 'overspent'
  const areRecords = Array.isArray(records) && records.every(record => isText(record, /^[A-Za-z0-9_-]+$/))
  return isKind && areRecords && certificate !== undefined ? (claims as PurseEvidence) : undefined
}

const nonces = (vouchers: readonly Voucher[]): number => new Set(vouchers.map(({ nonce }) => nonce)).size

const proves = ({ kind, certificate }: PurseEvidence, records: readonly Buffer[], vouchers: readonly Voucher[]) => {
  if (kind === 'overspent') {
    const sum = vouchers.reduce((total, { amount }) => total + amount, 0n)
    return nonces(vouchers) === vouchers.length && sum > BigInt(certificate.capMinor)
  }
  const [one, other] = records.map(fieldsOf)
  const areTwo = one !== undefined && other !== undefined && records.length === 2
  return areTwo && nonces(vouchers) === 1 && !one.equals(other)
}

/** Checks it with the ledger's key, for a ledger and a domain that are known beforehand, and without asking anybody. */
export const verifyEvidence = (
  statement: string,
  { domain, isSignedBy, ...signatory }: Signatory & { domain: VoucherDomain; isSignedBy: IsSignedBy },
): EvidenceVerdict => {
  const opened = openStatement(statement, signatory, { type: evidenceType, most: evidenceMost })
  if ('fault' in opened) return { holds: false, fault: opened.fault }
  const evidence = readEvidence(opened.claims)
  if (evidence === undefined) return { holds: false, fault: 'statement' }
  const { certificate } = evidence
  if (certificate.iss !== signatory.ledger || !isSameDomain(certificate.domain, domain)) {
    return { holds: false, fault: 'ledger' }
  }
  const records = evidence.records.map(record => Buffer.from(record, 'base64url'))
  const vouchers = records.flatMap(record => decodeVoucher(record) ?? [])
  if (vouchers.length !== records.length) return { holds: false, fault: 'record' }
  const terms = termsOf(certificate)
  if (vouchers.some(voucher => voucherFault(terms, voucher) !== undefined)) return { holds: false, fault: 'voucher' }
  if (!vouchers.every(voucher => isSignedBy(voucher, certificate.key))) {
    return { holds: false, fault: 'purse_signature' }
  }
  if (!proves(evidence, records, vouchers)) return { holds: false, fault: 'proves_nothing' }
  return { holds: true, evidence, account: certificate.account }
}
