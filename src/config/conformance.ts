import { type Fail, isRecord, isSomeTexts, membersOf } from './parts.ts'

/**
 * What holds for a conformance profile alone: whoever asks is let in as staff, credentials of any type and issuer count, and the
 * process serves https with a certificate of its own.
 */
export type ConformanceConfig = {
  port: number
  /** Issuers of published test vectors, and the DIDs whose keys sign for them. */
  issuers: Record<string, string[]>
  /** Suites of the OpenID Foundation: see conformance-suites.ts. */
  openid?: OpenidSuitesConfig
}

export type OpenidSuitesConfig = {
  /** Where a suite plays wallet, issuer and verifier: its address with its alias, `https://<host>/test/a/<alias>`. */
  suites: string[]
  /** Whether the issuer is held to HAIP 1.0: attested wallets and keys alone, pushed requests, certificates. */
  haip: boolean
}

const isSuite = (url: string): boolean => {
  if (!URL.canParse(url)) return false
  const { protocol, origin, pathname } = new URL(url)
  return protocol === 'https:' && url === origin + pathname && !url.endsWith('/')
}

const parseSuites = (value: unknown, fail: Fail): OpenidSuitesConfig => {
  const { suites, haip = false } = membersOf(value, 'conformance.openid', ['suites', 'haip'], fail)
  if (!isSomeTexts(suites) || !suites.every(isSuite)) {
    return fail('conformance.openid.suites are https URLs without a trailing slash')
  }
  return { suites, haip: typeof haip === 'boolean' ? haip : fail('conformance.openid.haip is true or false') }
}

/** Reads the member `conformance` of an agency file. */
export const parseConformance = (value: unknown, fail: Fail): ConformanceConfig => {
  const { port, issuers = {}, openid } = membersOf(value, 'conformance', ['port', 'issuers', 'openid'], fail)
  const isPort = Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535
  if (!isPort) return fail('conformance.port is a whole number from 1 to 65535')
  const bound = isRecord(issuers) ? Object.entries(issuers) : fail('conformance.issuers must be a mapping')
  for (const [url, dids] of bound) {
    if (!URL.canParse(url)) fail('conformance.issuers are URLs')
    if (isSomeTexts(dids) && dids.every(did => did.startsWith('did:'))) continue
    fail('conformance.issuers are bound to lists of DIDs')
  }
  const profile = { port: Number(port), issuers: issuers as Record<string, string[]> }
  return openid === undefined ? profile : { ...profile, openid: parseSuites(openid, fail) }
}
