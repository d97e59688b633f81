import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parse } from 'yaml'
import { type CertificatesConfig, parseCertificates } from './certificates.ts'
import { type ConformanceConfig, parseConformance } from './conformance.ts'
import { type FederationConfig, isOwnPath, parseFederation } from './federation.ts'
import { type Openid4vciConfig, parseOpenid4vci } from './openid4vci.ts'
import { type Openid4vpConfig, parseOpenid4vp } from './openid4vp.ts'
import { isRecord } from './parts.ts'
import { parseTrusts, type TrustConfig } from './trusts.ts'
import { parseVerifiers, type VerifiersConfig } from './verifiers.ts'
import { parseWallet, type WalletConfig } from './wallet.ts'

/** OIDC tokens of an agency's staff. Keys by URL or inline; never secrets. */
export type OidcConfig = {
  issuer: string
  audience: string
  jwksUrl?: string
  jwks?: { keys: Record<string, unknown>[] }
  /** Claim that carries scopes, as a space-separated string or an array. */
  scopeClaim: string
}

/** One institution. Data only: no code paths, no secrets (only names of environment variables). */
export type AgencyConfig = {
  name: string
  title: string
  plugins: string[]
  /** True for the one agency that is the root of trust. */
  root: boolean
  /** Credential types the root accredits it for. */
  issues: string[]
  /** VCALM answers 200 with `verified: false` instead of 422. */
  vcalm: boolean
  oidc?: OidcConfig
  /** Origins whose did:web and status lists may be had over http; for demonstrations. */
  allowedHttpOrigins: string[]
  status: StatusConfig
  /**
   * Where this agency reaches the root authority for pseudonyms, if not under the address that the root's DID names: a URL
   * without a trailing slash. Which key counts comes from the chain all the same.
   */
  pseudonymAuthority?: string
  /** The ledger on which deeds are paid for: its public URL, and the number of the currency. */
  ledger?: LedgerConfig
  /** Registers that this agency keeps, by name: `registers/<name>.yml` beside its own file. */
  registers: string[]
  /** Their definitions as they were read; the registry plugin judges them. */
  definitions: RegisterSource[]
  /** Currencies that this agency issues. */
  currencies: CurrencyConfig[]
  /** Numbers of currencies of others whose home is the chain, and which the ledger of this agency keeps as well. */
  carries: number[]
  /** Numbers of currencies of others whose reserve this agency attests. */
  attests: number[]
  /** Issuer instances of the VC API. */
  issuers: IssuerConfig[]
  /** Credentials of issuers beyond the registry on chain that count here, and by whose word. */
  trusts: TrustConfig[]
  /** Its place in federations; of the plugin federation. */
  federation?: FederationConfig
  /** Makes of the agency a partner for the conformance suites of others; never in production. */
  conformance?: ConformanceConfig
  /** X.509: its country, without which it issues no mdocs, and chains from the authority of its state. */
  certificates?: CertificatesConfig
  openid4vp?: Openid4vpConfig
  /** Of a wallet service: whom it believes about who asks its citizens. */
  verifiers?: VerifiersConfig
  openid4vci?: Openid4vciConfig
  wallet?: WalletConfig
  didcomm?: DidcommConfig
}

/** Of the plugin didcomm. */
export type DidcommConfig = {
  /** Keeps messages for anybody who asks, until they pick them up. */
  mediator: boolean
}

/** One key and one way to secure credentials with it, under a path of its own. */
export type IssuerConfig = {
  name: string
  /** A cryptosuite of Data Integrity, or a media type of VC-JOSE-COSE without `application/`. */
  suite: string
  key: IssuerKeyKind
  /** Puts an entry of a status list into what it issues. */
  status: boolean
}

export const issuerKeyKinds = ['Ed25519', 'P-256', 'P-384', 'P-521', 'BLS12-381-G2'] as const
export type IssuerKeyKind = (typeof issuerKeyKinds)[number]

export type LedgerConfig = { url: string; currency: number }

export type RegisterSource = { file: string; data: unknown }

/** A currency as it is made on the chain, once: nothing of it changes afterwards. */
export type CurrencyConfig = {
  /** 1 to 65535, the same on both rails. */
  number: number
  /** ISO 4217, or three to seven capitals of the issuer's own. */
  code: string
  name: string
  /** Minor units of the ledger, and decimals of the token. */
  decimals: number
  /** Where it comes into being: CBDC on the ledger, a stablecoin on the chain. */
  home: 'ledger' | 'chain'
  /** Of home chain: what its issuer may mint and burn a day there, in minor units. */
  limits?: { minting: bigint; burning: bigint }
}

/**
 * How the status lists of this agency stand on chain: bit by bit as decided, or as digests of whole lists, published in
 * rounds. Lists that are open already keep their mode.
 */
export type StatusConfig = {
  mode: 'bitmap' | 'anchored'
  /** Anchored only: changes are published this often. */
  roundSeconds: number
}

const statusDefaults: StatusConfig = { mode: 'bitmap', roundSeconds: 300 }
const roundSecondsMost = 86_400

const defaults = {
  root: false,
  issues: [],
  vcalm: false,
  allowedHttpOrigins: [],
  status: statusDefaults,
  registers: [],
  definitions: [],
  currencies: [],
  carries: [],
  attests: [],
  issuers: [],
  trusts: [],
}
/** What an agency file may have. */
export const agencyMembers = [
  'name',
  'title',
  'plugins',
  'root',
  'issues',
  'vcalm',
  'oidc',
  'allowedHttpOrigins',
  'status',
  'pseudonymAuthority',
  'registers',
  'currencies',
  'carries',
  'attests',
  'ledger',
  'issuers',
  'trusts',
  'federation',
  'conformance',
  'certificates',
  'openid4vp',
  'verifiers',
  'openid4vci',
  'wallet',
  'didcomm',
]
const oidcKnown = ['issuer', 'audience', 'jwksUrl', 'jwks', 'scopeClaim']

export class ConfigError extends Error {}

const fail = (file: string, what: string): never => {
  throw new ConfigError(`${basename(file)}: ${what}`)
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string')

const parseOidc = (value: unknown, file: string): OidcConfig => {
  if (!isRecord(value)) return fail(file, 'oidc must be a mapping')
  for (const key of Object.keys(value)) if (!oidcKnown.includes(key)) fail(file, `unknown key "oidc.${key}"`)
  for (const key of ['issuer', 'audience']) if (typeof value[key] !== 'string') fail(file, `oidc.${key} must be a text`)
  if ((value['jwksUrl'] === undefined) === (value['jwks'] === undefined)) fail(file, 'oidc needs jwksUrl or jwks')
  return { scopeClaim: 'scope', ...value } as OidcConfig
}

const parseStatus = (value: unknown, file: string): StatusConfig => {
  if (!isRecord(value)) return fail(file, 'status must be a mapping')
  for (const key of Object.keys(value))
    if (!Object.hasOwn(statusDefaults, key)) fail(file, `unknown key "status.${key}"`)
  const { mode, roundSeconds } = { ...statusDefaults, ...value }
  if (mode !== 'bitmap' && mode !== 'anchored') return fail(file, 'status.mode is bitmap or anchored')
  if (!Number.isInteger(roundSeconds) || roundSeconds < 1 || roundSeconds > roundSecondsMost) {
    return fail(file, `status.roundSeconds is a whole number from 1 to ${roundSecondsMost}`)
  }
  if (mode === 'bitmap' && 'roundSeconds' in value) return fail(file, 'status.roundSeconds is for mode anchored')
  return { mode, roundSeconds }
}

const isWhole = (given: unknown, least: number, most: number): given is number =>
  Number.isInteger(given) && Number(given) >= least && Number(given) <= most

/** 2^63 − 1: what an account of the ledger can hold. */
const amountMost = 0x7fffffffffffffffn

/** YAML would round what is not a text. */
const parseLimits = (value: unknown, file: string): { minting: bigint; burning: bigint } => {
  const { minting, burning, ...rest } = isRecord(value) ? value : fail(file, 'currencies.limits must be a mapping')
  for (const key of Object.keys(rest)) fail(file, `unknown key "currencies.limits.${key}"`)
  const amount = (given: unknown): bigint => {
    const minor = typeof given === 'string' && /^[1-9][0-9]{0,18}$/.test(given) ? BigInt(given) : 0n
    if (minor < 1n || minor > amountMost) fail(file, 'currencies.limits are texts of minor units a day, 1 to 2^63 − 1')
    return minor
  }
  return { minting: amount(minting), burning: amount(burning) }
}

const parseCurrency = (value: unknown, file: string): CurrencyConfig => {
  const { number, code, name, decimals, home, limits, ...rest } = isRecord(value)
    ? value
    : fail(file, 'a currency is a mapping')
  for (const key of Object.keys(rest)) fail(file, `unknown key "currencies.${key}"`)
  if (!isWhole(number, 1, 65_535)) return fail(file, 'currencies.number is a whole number from 1 to 65535')
  if (typeof code !== 'string' || !/^[A-Z]{3,7}$/.test(code)) {
    return fail(file, 'currencies.code is three to seven capital letters')
  }
  if (typeof name !== 'string' || name === '') return fail(file, 'currencies.name must be a text')
  if (!isWhole(decimals, 0, 6)) return fail(file, 'currencies.decimals is a whole number from 0 to 6')
  if (home !== 'ledger' && home !== 'chain') return fail(file, 'currencies.home is ledger or chain')
  if ((home === 'chain') !== (limits !== undefined)) return fail(file, 'currencies.limits is of home chain')
  return { number, code, name, decimals, home, ...(limits === undefined ? {} : { limits: parseLimits(limits, file) }) }
}

/** Numbers of currencies. */
const parseNumbers = (value: unknown, key: string, file: string): number[] => {
  const numbers = Array.isArray(value) ? value : []
  const sound = numbers.length > 0 && numbers.every(each => isWhole(each, 1, 65_535))
  if (!sound || new Set(numbers).size < numbers.length) return fail(file, `${key} must be a list of currency numbers`)
  return numbers
}

const parseCurrencies = (value: unknown, file: string): CurrencyConfig[] => {
  if (!Array.isArray(value)) return fail(file, 'currencies must be a list')
  const currencies = value.map(each => parseCurrency(each, file))
  const numbers = new Set(currencies.map(({ number }) => number))
  if (numbers.size < currencies.length) fail(file, 'two currencies have one number')
  return currencies
}

const isAuthorityUrl = (value: unknown, allowedHttpOrigins: readonly string[]): boolean => {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const { protocol, origin, pathname, search, hash, username } = new URL(value)
  const isBare = value === origin + (pathname === '/' ? '' : pathname) && search + hash + username === ''
  return isBare && !value.endsWith('/') && (protocol === 'https:' || allowedHttpOrigins.includes(origin))
}

const parseLedger = (value: unknown, file: string, allowedHttpOrigins: readonly string[]): LedgerConfig => {
  const { url, currency, ...rest } = isRecord(value) ? value : fail(file, 'ledger must be a mapping')
  for (const key of Object.keys(rest)) fail(file, `unknown key "ledger.${key}"`)
  if (!isOwnPath(url) && !isAuthorityUrl(url, allowedHttpOrigins)) {
    fail(file, 'ledger.url must be an https URL without a trailing slash, or the path of an agency of this origin')
  }
  if (!Number.isInteger(currency) || Number(currency) < 1 || Number(currency) > 65_535) {
    fail(file, 'ledger.currency is a whole number from 1 to 65535')
  }
  return { url: url as string, currency: currency as number }
}

const isSuite = /^[a-z0-9][a-z0-9+_-]{1,40}$/

const parseIssuer = (value: unknown, file: string): IssuerConfig => {
  const {
    name,
    suite,
    key,
    status = false,
    ...rest
  } = isRecord(value) ? value : fail(file, 'issuers must be a list of mappings')
  for (const other of Object.keys(rest)) fail(file, `unknown key "issuers.${other}"`)
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{1,40}$/.test(name)) fail(file, 'issuers.name must be kebab-case')
  if (typeof suite !== 'string' || !isSuite.test(suite)) fail(file, 'issuers.suite must name a way to secure')
  const kind = issuerKeyKinds.find(each => each === key)
  if (kind === undefined) return fail(file, `issuers.key is one of ${issuerKeyKinds.join(', ')}`)
  if (typeof status !== 'boolean') return fail(file, 'issuers.status is true or false')
  // What is signed to be derived from would be a list that nobody can verify.
  if (status && /^(ecdsa-sd|bbs)-/.test(suite as string)) fail(file, 'issuers.status is not for selective suites')
  return { name: name as string, suite: suite as string, key: kind, status }
}

const parseIssuers = (value: unknown, file: string): IssuerConfig[] => {
  if (!Array.isArray(value)) return fail(file, 'issuers must be a list')
  const issuers = value.map(each => parseIssuer(each, file))
  if (new Set(issuers.map(({ name }) => name)).size < issuers.length) fail(file, 'two issuers have one name')
  return issuers
}

const parseDidcomm = (value: unknown, file: string): DidcommConfig => {
  const { mediator = false, ...rest } = isRecord(value) ? value : fail(file, 'didcomm must be a mapping')
  for (const key of Object.keys(rest)) fail(file, `unknown key "didcomm.${key}"`)
  return { mediator: typeof mediator === 'boolean' ? mediator : fail(file, 'didcomm.mediator is true or false') }
}

const parseYaml = (text: string, file: string): unknown => {
  try {
    return parse(text, { maxAliasCount: 10 })
  } catch (cause) {
    throw new ConfigError(`${basename(file)}: not YAML: ${(cause as Error).message}`, { cause })
  }
}

/** The definition of a register beside an agency's file. @throws ConfigError */
const readRegister = (name: string, agencyFile: string): RegisterSource => {
  if (!/^[a-z][a-z0-9-]{1,40}$/.test(name)) fail(agencyFile, `"${name}" is not the name of a register`)
  const file = join(dirname(agencyFile), 'registers', `${name}.yml`)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${basename(agencyFile)}: there is no register "${name}" (registers/${name}.yml)`, { cause })
  }
  const data = parseYaml(text, file)
  if (!isRecord(data) || data['name'] !== name) fail(file, `name must be "${name}", as the file is called`)
  return { file: basename(file), data }
}

/** Parses one agency file; unknown keys are refused. @throws ConfigError */
export const parseAgency = (text: string, file: string): AgencyConfig => {
  const raw = parseYaml(text, file)
  if (!isRecord(raw)) return fail(file, 'an agency file is a mapping')
  for (const key of Object.keys(raw)) if (!agencyMembers.includes(key)) fail(file, `unknown key "${key}"`)
  const config = { ...defaults, ...raw } as unknown as AgencyConfig
  if (typeof config.name !== 'string' || !/^[a-z][a-z0-9-]{1,40}$/.test(config.name)) {
    fail(file, 'name must be kebab-case, 2 to 41 characters')
  }
  if (typeof config.title !== 'string' || config.title === '') fail(file, 'title must be a text')
  if (!isTexts(config.plugins) || config.plugins.length === 0) fail(file, 'plugins must be a list of names')
  if (!isTexts(config.issues)) fail(file, 'issues must be a list of credential types')
  if (!isTexts(config.registers)) fail(file, 'registers must be a list of names')
  if (!isTexts(config.allowedHttpOrigins)) fail(file, 'allowedHttpOrigins must be a list of origins')
  for (const key of ['root', 'vcalm'] as const)
    if (typeof config[key] !== 'boolean') fail(file, `${key} is true or false`)
  if (
    raw['pseudonymAuthority'] !== undefined &&
    !isAuthorityUrl(raw['pseudonymAuthority'], config.allowedHttpOrigins)
  ) {
    fail(file, 'pseudonymAuthority must be an https URL without a trailing slash')
  }
  if (raw['status'] !== undefined) config.status = parseStatus(raw['status'], file)
  if (raw['ledger'] !== undefined) config.ledger = parseLedger(raw['ledger'], file, config.allowedHttpOrigins)
  if (raw['currencies'] !== undefined) config.currencies = parseCurrencies(raw['currencies'], file)
  for (const key of ['carries', 'attests'] as const)
    if (raw[key] !== undefined) config[key] = parseNumbers(raw[key], key, file)
  const own = config.currencies.find(({ number }) => [...config.carries, ...config.attests].includes(number))
  if (own !== undefined) fail(file, `the currency ${own.number} is its own: others carry and attest it`)
  if (raw['issuers'] !== undefined) config.issuers = parseIssuers(raw['issuers'], file)
  if (raw['federation'] !== undefined)
    config.federation = parseFederation(raw['federation'], file, what => fail(file, what))
  if (raw['trusts'] !== undefined) config.trusts = parseTrusts(raw['trusts'], file, what => fail(file, what))
  if (raw['conformance'] !== undefined)
    config.conformance = parseConformance(raw['conformance'], what => fail(file, what))
  if (raw['certificates'] !== undefined)
    config.certificates = parseCertificates(raw['certificates'], file, what => fail(file, what))
  if (raw['openid4vci'] !== undefined)
    config.openid4vci = parseOpenid4vci(raw['openid4vci'], file, what => fail(file, what))
  if (raw['verifiers'] !== undefined)
    config.verifiers = parseVerifiers(raw['verifiers'], file, what => fail(file, what))
  if (raw['wallet'] !== undefined) config.wallet = parseWallet(raw['wallet'], file, what => fail(file, what))
  if (raw['openid4vp'] !== undefined)
    config.openid4vp = parseOpenid4vp(raw['openid4vp'], file, what => fail(file, what))
  if (raw['didcomm'] !== undefined) config.didcomm = parseDidcomm(raw['didcomm'], file)
  if (raw['oidc'] !== undefined) config.oidc = parseOidc(raw['oidc'], file)
  return config
}

export const readAgencies = (files: string[]): AgencyConfig[] => {
  const agencies = files.map(file => {
    const agency = parseAgency(readFileSync(file, 'utf8'), file)
    return { ...agency, definitions: agency.registers.map(name => readRegister(name, file)) }
  })
  for (const { name } of agencies) {
    if (agencies.filter(agency => agency.name === name).length > 1) {
      throw new ConfigError(`two agency files have the name "${name}"`)
    }
  }
  return agencies
}
