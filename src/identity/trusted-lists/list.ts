import { fromDateTime } from '../formats/jose.ts'
import { listMalformed } from './refusals.ts'

/** What a service was from a time on. Times are milliseconds. */
export type ServicePeriod = {
  /** Negative infinity where the list names no time: as long as it is listed. */
  from: number
  /** URI; undefined where the scheme knows no statuses and to be listed is to be trusted. */
  status: string | undefined
  type: string
  /** DER. */
  certificates: readonly Uint8Array[]
}

export type TrustedService = {
  /** Who provides it. */
  provider: string
  /** What it is now and what it was before, the latest first. */
  periods: readonly ServicePeriod[]
}

/** A list of trusted entities (ETSI TS 119 602) or of trust services (ETSI TS 119 612), as far as trust rests on it. */
export type TrustedList = {
  form: 'TS 119 602' | 'TS 119 612'
  sequenceNumber: number
  type: string | undefined
  operator: string
  territory: string | undefined
  issuedAt: number
  /** After this time the list says nothing any more. */
  nextUpdate: number
  services: readonly TrustedService[]
}

/**
 * Statuses under which a service may be relied on: TS 119 612, clause 5.5.4 and annex D.5; TS 119 602, annex H for bodies that
 * are notified rather than granted.
 */
const granted: ReadonlySet<string | undefined> = new Set([
  undefined,
  'http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted',
  'http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/notified',
])

/** The service as it was at a time. */
const periodAt = ({ periods }: TrustedService, at: number): ServicePeriod | undefined =>
  periods.find(({ from }) => from <= at)

/** A certificate that a list vouches for. */
export type ListedCertificate = { certificate: Uint8Array; provider: string }

/** Certificates of services of a type whose status is granted at a time. */
export const grantedAt = (list: TrustedList, serviceType: string, at: number): ListedCertificate[] =>
  list.services.flatMap(service => {
    const period = periodAt(service, at)
    if (period === undefined || period.type !== serviceType || !granted.has(period.status)) return []
    return period.certificates.map(certificate => ({ certificate, provider: service.provider }))
  })

/** @throws Refusal malformed/trusted_list_malformed */
export const timeIn = (value: unknown, name: string): number => {
  try {
    const time = fromDateTime(value, name)
    if (time !== undefined) return time
  } catch (cause) {
    throw listMalformed(`${name} is not a date and time.`, cause)
  }
  throw listMalformed(`${name} is missing.`)
}

/** Standard base64, lines allowed. @throws Refusal malformed/trusted_list_malformed */
export const certificateIn = (value: unknown): Uint8Array => {
  const text = typeof value === 'string' ? value.replace(/\s+/g, '') : ''
  const bytes = Buffer.from(text, 'base64')
  if (text === '' || bytes.toString('base64') !== text) throw listMalformed('A certificate of the list is not base64.')
  return Uint8Array.from(bytes)
}

/** Periods in order; the first counts, so that no two may begin at one time. */
export const inOrder = (periods: readonly ServicePeriod[]): ServicePeriod[] => {
  const sorted = [...periods].sort((a, b) => b.from - a.from)
  if (new Set(sorted.map(({ from }) => from)).size < sorted.length) {
    throw listMalformed('A service has two statuses from one time on.')
  }
  return sorted
}

/** Bounds of every list. */
export const servicesMost = 20_000
export const certificatesMost = 64
