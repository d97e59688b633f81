import type { Verdict } from '../../../kernel/identity.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { workflowMalformed, workflowUnsupported } from '../errors.ts'
import type { Document } from '../needs.ts'
import { queriesMost } from '../policy.ts'

type Value = string | number | boolean
type ClaimsQuery = { id?: string; path: (string | number | null)[]; values?: Value[] }
type CredentialQuery = {
  id: string
  format: string
  multiple?: boolean
  meta?: { type_values?: string[][]; vct_values?: string[] }
  claims?: ClaimsQuery[]
  claim_sets?: string[][]
}

/** A query of the Digital Credentials Query Language (OpenID4VP 1.0, section 6), as one of a presentation request. */
export type DcqlQuery = {
  type: 'DigitalCredentialQueryLanguage'
  group?: string
  credentials: CredentialQuery[]
  credential_sets?: { options: string[][]; required?: boolean }[]
}

const formats: Readonly<Record<string, string>> = {
  ldp_vc: 'ldp_vc',
  jwt_vc_json: 'jwt_vc',
  'vc+jwt': 'vc+jwt',
  'dc+sd-jwt': 'dc+sd-jwt',
}
const ofCredential = ['id', 'format', 'multiple', 'meta', 'claims', 'claim_sets']
const ofMeta = ['type_values', 'vct_values']
const ofClaim = ['id', 'path', 'values']
const ofSet = ['options', 'required']

const isRecord = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const membersOf = (value: unknown, names: readonly string[], where: string): Document => {
  if (!isRecord(value)) throw workflowMalformed(`${where} must be an object.`)
  const stranger = Object.keys(value).find(name => !names.includes(name))
  if (stranger !== undefined) throw workflowUnsupported(`${stranger} in ${where}`)
  return value
}

const listOf = (value: unknown, where: string): unknown[] => {
  if (Array.isArray(value) && value.length > 0 && value.length <= 100) return value
  throw workflowMalformed(`${where} must be a list that is not empty.`)
}

const idOf = (value: unknown): string => {
  if (typeof value === 'string' && /^[\w-]{1,64}$/.test(value)) return value
  throw workflowMalformed('An id of DCQL has letters, digits, - and _.')
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const isStep = (value: unknown): boolean =>
  value === null || isText(value) || (Number.isSafeInteger(value) && Number(value) >= 0)

const assertClaim = (value: unknown): string | undefined => {
  const { id, path, values } = membersOf(value, ofClaim, 'claims')
  if (!listOf(path, 'path').every(isStep)) throw workflowMalformed('A path is of names, places and null.')
  const isValue = (each: unknown) => ['string', 'number', 'boolean'].includes(typeof each)
  if (values !== undefined && !listOf(values, 'values').every(isValue)) {
    throw workflowMalformed('values are strings, whole numbers or booleans.')
  }
  return id === undefined ? undefined : idOf(id)
}

const assertReferences = (options: unknown, ids: ReadonlySet<string | undefined>, where: string): void => {
  for (const option of listOf(options, where)) {
    if (listOf(option, where).every(id => ids.has(id as string))) continue
    throw workflowMalformed(`${where} names an id that the query has not.`)
  }
}

const assertCredential = (value: unknown): string => {
  const { id, format, meta = {}, claims, claim_sets } = membersOf(value, ofCredential, 'credentials')
  if (typeof format !== 'string' || !Object.hasOwn(formats, format)) {
    throw workflowUnsupported(`credentials in the format ${String(format)}`)
  }
  const { type_values, vct_values } = membersOf(meta, ofMeta, 'meta')
  if (format === 'dc+sd-jwt') {
    // OpenID4VP 1.0, B.3.5: without it any credential would do.
    if (!listOf(vct_values, 'vct_values').every(isText)) throw workflowMalformed('vct_values are strings.')
  } else {
    for (const types of listOf(type_values, 'type_values')) {
      if (!listOf(types, 'type_values').every(isText)) throw workflowMalformed('type_values are lists of strings.')
    }
  }
  const known = new Set(claims === undefined ? [] : listOf(claims, 'claims').map(assertClaim))
  if (claim_sets !== undefined) assertReferences(claim_sets, known, 'claim_sets')
  return idOf(id)
}

/** @throws Refusal malformed/workflow_malformed, rejected/workflow_unsupported */
export const assertDcql = (value: Document): void => {
  const credentials = listOf(value['credentials'], 'credentials')
  if (credentials.length > queriesMost) throw workflowMalformed(`A query asks for ${queriesMost} credentials at most.`)
  const ids = credentials.map(assertCredential)
  const known = new Set(ids)
  if (known.size < ids.length) throw workflowMalformed('Two credentials of a query have one id.')
  if (value['credential_sets'] === undefined) return
  for (const set of listOf(value['credential_sets'], 'credential_sets')) {
    assertReferences(membersOf(set, ofSet, 'credential_sets')['options'], known, 'credential_sets')
  }
}

/** OpenID4VP 1.0, section 7: what a claims path pointer selects. */
const selected = (value: unknown, path: ClaimsQuery['path']): unknown[] => {
  let at = [value]
  for (const step of path) {
    at = at.flatMap(each => {
      if (step === null) return Array.isArray(each) ? (each as unknown[]) : []
      if (typeof step === 'number') return Array.isArray(each) && step < each.length ? [each[step] as unknown] : []
      return isRecord(each) && Object.hasOwn(each, step) ? [each[step]] : []
    })
  }
  return at
}

const meetsClaim = ({ path, values }: ClaimsQuery, document: Document): boolean => {
  const found = selected(document, path)
  return values === undefined ? found.length > 0 : found.some(each => values.includes(each as Value))
}

/** OpenID4VP 1.0, B.1.1: types are IRIs. A credential whose types cannot be told has none. */
const typesOf = (document: Document, expandTypes: (credential: Document) => readonly string[]): readonly string[] => {
  try {
    return expandTypes(document)
  } catch (error) {
    if (!isRefusal(error)) throw error
    return []
  }
}

const isOfType = (
  { format, meta }: CredentialQuery,
  document: Document,
  expandTypes: (credential: Document) => readonly string[],
): boolean => {
  if (format === 'dc+sd-jwt') return meta?.vct_values?.includes(String(document['vct'])) ?? false
  const types = typesOf(document, expandTypes)
  return meta?.type_values?.some(wanted => wanted.every(type => types.includes(type))) ?? false
}

const meetsCredential = (
  query: CredentialQuery,
  { format, document }: Verdict,
  expandTypes: (credential: Document) => readonly string[],
): boolean => {
  if (format !== formats[query.format] || document === undefined) return false
  if (!isOfType(query, document, expandTypes)) return false
  const { claims = [], claim_sets } = query
  if (claim_sets === undefined) return claims.every(claim => meetsClaim(claim, document))
  return claim_sets.some(set => set.every(id => claims.some(claim => claim.id === id && meetsClaim(claim, document))))
}

/** Whether credentials that were found good are what a query asks for (OpenID4VP 1.0, section 6.4.2). */
export const meetsDcql = (
  { credentials, credential_sets }: DcqlQuery,
  presented: readonly Verdict[],
  expandTypes: (credential: Document) => readonly string[],
): boolean => {
  const met = new Set(
    credentials.filter(query => presented.some(each => meetsCredential(query, each, expandTypes))).map(({ id }) => id),
  )
  if (credential_sets === undefined) return met.size === credentials.length
  return credential_sets.every(
    ({ options, required = true }) => !required || options.some(option => option.every(id => met.has(id))),
  )
}
