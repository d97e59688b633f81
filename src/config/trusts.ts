import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Fail, isRecord, isSomeTexts, isText, keySetOf, type Members } from './parts.ts'

/** What an agency file says about credentials of others that count here (its member `trusts`). */
export type TrustConfig = {
  /** Our credential type, by its id in schemas/. */
  type: string
  credential:
    | { format: 'dc+sd-jwt'; vct: string }
    | { format: 'mso_mdoc'; docType: string }
    | { format: 'vc+jwt' | 'jwt_vc' | 'ldp_vc'; types: string[]; contexts: string[] }
  sources: TrustSourceConfig[]
  claims?: Record<string, ClaimRuleConfig>
  status: 'required' | 'optional'
}

export type TrustSourceConfig =
  /** PEM texts. */
  | { by: 'certificates'; certificates: string }
  | { by: 'trustedList'; url: string; operator: string; serviceType: string }
  | {
      by: 'federation'
      anchor: string
      keys: { keys: Record<string, unknown>[] }
      entityType: string
      trustMark?: string
    }
  | { by: 'issuers'; issuers: string[] }

export type ClaimRuleConfig = { path: string[]; each?: Record<string, string[]> } | { value: string | number | boolean }

type Reading = { file: string; fail: Fail }

const isHttps = (value: unknown): value is string =>
  isText(value) && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)

/** A PEM text, or the name of a file beside the agency's own. */
const pemOf = (value: unknown, name: string, { file, fail }: Reading): string => {
  if (!isText(value)) return fail(`${name} names PEM files, or holds PEM texts`)
  if (value.includes('-----BEGIN CERTIFICATE-----')) return value
  try {
    return readFileSync(resolve(dirname(file), value), 'utf8')
  } catch {
    return fail(`there is no certificate file "${value}"`)
  }
}

const assertKnown = (members: Members, name: string, known: readonly string[], { fail }: Reading): void => {
  const stray = Object.keys(members).find(key => !known.includes(key))
  if (stray !== undefined) fail(`unknown key "${name}.${stray}"`)
}

const listOf = (members: Members, reading: Reading): TrustSourceConfig => {
  assertKnown(members, 'trusts.source', ['trustedList', 'operator', 'serviceType'], reading)
  const { trustedList: url, serviceType } = members
  if (!isHttps(url)) return reading.fail('trusts.source.trustedList is the address of a trusted list')
  if (!isText(serviceType)) return reading.fail('trusts.source.serviceType is the URI of a type of services')
  const operators = Array.isArray(members['operator']) ? members['operator'] : [members['operator']]
  const operator = operators.map(each => pemOf(each, 'trusts.source.operator', reading)).join('\n')
  return { by: 'trustedList', url, serviceType, operator }
}

const federationOf = (members: Members, reading: Reading): TrustSourceConfig => {
  assertKnown(members, 'trusts.source', ['federation', 'keys', 'entityType', 'trustMark'], reading)
  const { federation: anchor, entityType = 'openid_credential_issuer', trustMark } = members
  if (!isHttps(anchor)) return reading.fail('trusts.source.federation is the entity identifier of a trust anchor')
  if (!isText(entityType)) return reading.fail('trusts.source.entityType is an entity type identifier')
  if (trustMark !== undefined && !isText(trustMark))
    return reading.fail('trusts.source.trustMark is a type of trust marks')
  const keys = keySetOf(members['keys'], 'trusts.source.keys', reading.file, reading.fail)
  return { by: 'federation', anchor, keys, entityType, ...(trustMark === undefined ? {} : { trustMark }) }
}

const sourceOf = (value: unknown, reading: Reading): TrustSourceConfig => {
  const { fail } = reading
  if (!isRecord(value)) return fail('trusts.source is a mapping')
  if (value['trustedList'] !== undefined) return listOf(value, reading)
  if (value['federation'] !== undefined) return federationOf(value, reading)
  if (value['certificates'] !== undefined) {
    assertKnown(value, 'trusts.source', ['certificates'], reading)
    const files = Array.isArray(value['certificates']) ? value['certificates'] : [value['certificates']]
    const certificates = files.map(each => pemOf(each, 'trusts.source.certificates', reading)).join('\n')
    return { by: 'certificates', certificates }
  }
  assertKnown(value, 'trusts.source', ['issuers'], reading)
  const { issuers } = value
  if (!isSomeTexts(issuers) || !issuers.every(issuer => issuer.startsWith('did:') || isHttps(issuer))) {
    return fail('trusts.source has trustedList, federation, certificates, or issuers, which are DIDs or https URLs')
  }
  return { by: 'issuers', issuers }
}

const pathOf = (value: unknown, fail: Fail): string[] => {
  if (isText(value)) return value.split('.')
  return isSomeTexts(value) ? value : fail('a path of trusts.claims is a text with dots, or a list of names')
}

const ruleOf = (value: unknown, { fail }: Reading): ClaimRuleConfig => {
  if (!isRecord(value)) return { path: pathOf(value, fail) }
  const { path, each, value: fixed, ...rest } = value
  if (Object.keys(rest).length > 0) return fail(`unknown key "trusts.claims.${Object.keys(rest)[0]}"`)
  if (fixed !== undefined) {
    const isScalar = ['string', 'number', 'boolean'].includes(typeof fixed)
    if (!isScalar || path !== undefined || each !== undefined) return fail('a value of trusts.claims stands alone')
    return { value: fixed as string | number | boolean }
  }
  if (each === undefined) return { path: pathOf(path, fail) }
  if (!isRecord(each)) return fail('trusts.claims.each maps names to paths')
  const members = Object.entries(each).map(([name, inner]) => [name, pathOf(inner, fail)] as const)
  return { path: pathOf(path, fail), each: Object.fromEntries(members) }
}

const claimsOf = (value: unknown, reading: Reading): Record<string, ClaimRuleConfig> => {
  if (!isRecord(value)) return reading.fail('trusts.claims maps our claims to theirs')
  return Object.fromEntries(Object.entries(value).map(([name, rule]) => [name, ruleOf(rule, reading)]))
}

const credentialOf = (members: Members, { fail }: Reading): TrustConfig['credential'] => {
  const { format, vct, doctype, types, contexts } = members
  const given = Object.entries({ vct, doctype, types, contexts }).filter(([, each]) => each !== undefined)
  const isOnly = (...names: string[]): boolean =>
    given.length === names.length && given.every(([name]) => names.includes(name))
  if (format === 'dc+sd-jwt') {
    return isOnly('vct') && isText(vct) ? { format, vct } : fail('trusts of the format dc+sd-jwt have a vct')
  }
  if (format === 'mso_mdoc') {
    if (!isOnly('doctype') || !isText(doctype)) return fail('trusts of the format mso_mdoc have a doctype')
    return { format, docType: doctype }
  }
  if (format !== 'vc+jwt' && format !== 'jwt_vc' && format !== 'ldp_vc') {
    return fail('trusts.format is dc+sd-jwt, mso_mdoc, vc+jwt, jwt_vc or ldp_vc')
  }
  if (!isOnly('types', 'contexts') || !isSomeTexts(types) || !isSomeTexts(contexts)) {
    return fail(`trusts of the format ${format} have types, which are IRIs, and contexts, in their order`)
  }
  return { format, types, contexts }
}

const fits = (format: string, by: TrustSourceConfig['by']): boolean => {
  if (format === 'dc+sd-jwt') return true
  return format === 'mso_mdoc' ? by === 'certificates' || by === 'trustedList' : by === 'issuers'
}

const known = ['type', 'format', 'vct', 'doctype', 'types', 'contexts', 'source', 'sources', 'claims', 'status']

const parseTrust = (value: unknown, reading: Reading): TrustConfig => {
  const { fail } = reading
  if (!isRecord(value)) return fail('trusts must be a list of mappings')
  assertKnown(value, 'trusts', known, reading)
  const { type, source, sources, claims, status = 'required' } = value
  if (!isText(type)) return fail('trusts.type is one of our credential types')
  if (status !== 'required' && status !== 'optional') return fail('trusts.status is required or optional')
  if ((source === undefined) === (sources === undefined)) return fail('a trust has a source, or sources')
  const listed = sources === undefined ? [source] : sources
  if (!Array.isArray(listed) || listed.length === 0) return fail('trusts.sources must be a list')
  const credential = credentialOf(value, reading)
  const read = listed.map(each => sourceOf(each, reading))
  const unfit = read.find(({ by }) => !fits(credential.format, by))
  if (unfit !== undefined) return fail(`trusts of the format ${credential.format} cannot rest on ${unfit.by}`)
  // Only SD-JWT VCs have a way to the keys of an issuer that is a URL (JWT VC Issuer Metadata).
  const byUrl = read.some(each => each.by === 'issuers' && each.issuers.some(issuer => !issuer.startsWith('did:')))
  if (byUrl && credential.format !== 'dc+sd-jwt') {
    return fail(`trusts of the format ${credential.format} name issuers by their DIDs`)
  }
  return {
    ...{ type, credential, sources: read, status },
    ...(claims === undefined ? {} : { claims: claimsOf(claims, reading) }),
  }
}

/** Reads the member `trusts` of an agency file. */
export const parseTrusts = (value: unknown, file: string, fail: Fail): TrustConfig[] => {
  if (!Array.isArray(value) || value.length > 256) return fail('trusts must be a list')
  return value.map(each => parseTrust(each, { file, fail }))
}
