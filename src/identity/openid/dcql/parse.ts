import type {
  Dcql,
  DcqlAuthority,
  DcqlClaim,
  DcqlCredential,
  DcqlMeta,
  DcqlPath,
  DcqlSet,
  DcqlValue,
} from '../../../kernel/dcql-query.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { isRecord } from '../../formats/json.ts'

/** Nothing of a query is longer; what answering costs is bounded by them. */
const most = { credentials: 32, claims: 256, steps: 32, values: 256, sets: 64, authorities: 32, text: 2_048 }

const malformed = (detail: string): Refusal => new Refusal('malformed', 'dcql_malformed', detail)

const recordAt = (value: unknown, where: string): Record<string, unknown> => {
  if (!isRecord(value)) throw malformed(`${where} has to be an object.`)
  return value
}

const listAt = (value: unknown, where: string, itemsMost: number): unknown[] => {
  if (!Array.isArray(value) || value.length === 0) throw malformed(`${where} has to be a list that is not empty.`)
  if (value.length > itemsMost) throw malformed(`${where} has more than ${itemsMost} items.`)
  return value
}

const textAt = (value: unknown, where: string): string => {
  if (typeof value !== 'string' || value === '') throw malformed(`${where} has to be a string that is not empty.`)
  if (value.length > most.text) throw malformed(`${where} is longer than ${most.text} characters.`)
  return value
}

const flagAt = (value: unknown, where: string): boolean => {
  if (typeof value !== 'boolean') throw malformed(`${where} has to be true or false.`)
  return value
}

const idAt = (value: unknown, where: string): string => {
  if (typeof value === 'string' && value.length <= most.text && /^[A-Za-z0-9_-]+$/.test(value)) return value
  throw malformed(`${where} has to be of letters, digits, "_" and "-", and not empty.`)
}

/** Members that are left out are not there, rather than undefined. */
const optional = <Name extends string, Value>(
  name: Name,
  value: unknown,
  read: (value: unknown, where: string) => Value,
): { [name in Name]?: Value } =>
  value === undefined ? {} : ({ [name]: read(value, name) } as { [name in Name]?: Value })

const stepAt = (value: unknown): string | number | null => {
  if (value === null) return null
  // A name may be any string of JSON, also the empty one.
  if (typeof value === 'string' && value.length <= most.text) return value
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw malformed('A claims path pointer is of strings, null and whole numbers from 0 on.')
}

/** Section 7; of an mdoc a namespace and an element (section 7.2). */
const pathAt = (value: unknown, format: string): DcqlPath => {
  const path = listAt(value, 'path', most.steps).map(stepAt)
  if (format === 'mso_mdoc' && !(path.length === 2 && path.every(step => typeof step === 'string'))) {
    throw malformed('A path into an mdoc is a namespace and a data element.')
  }
  return path
}

const valueAt = (value: unknown): DcqlValue => {
  if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)) return value as DcqlValue
  throw malformed('values are strings, whole numbers, true or false.')
}

const valuesAt = (value: unknown): DcqlValue[] => listAt(value, 'values', most.values).map(valueAt)

const claimAt = (value: unknown, format: string): DcqlClaim => {
  const { id, path, values, intent_to_retain } = recordAt(value, 'A query of claims')
  return {
    ...optional('id', id, idAt),
    path: pathAt(path, format),
    ...optional('values', values, valuesAt),
    ...(format === 'mso_mdoc' ? optional('intent_to_retain', intent_to_retain, flagAt) : {}),
  }
}

const assertDistinct = (ids: readonly (string | undefined)[], where: string): void => {
  const named = ids.filter(id => id !== undefined)
  if (new Set(named).size < named.length) throw malformed(`Two ${where} have one id.`)
}

/** Section 6.1: a claim that is asked for twice is asked for as the first of them says. */
const withoutRepeats = (claims: readonly DcqlClaim[]): DcqlClaim[] => {
  const first = new Map<string, DcqlClaim>()
  return claims.map(claim => {
    const place = JSON.stringify(claim.path)
    const known = first.get(place)
    if (known === undefined) first.set(place, claim)
    const { id: _, ...asked } = known ?? claim
    return claim.id === undefined ? asked : { id: claim.id, ...asked }
  })
}

const claimsAt = (value: unknown, format: string): DcqlClaim[] => {
  const claims = listAt(value, 'claims', most.claims).map(claim => claimAt(claim, format))
  assertDistinct(
    claims.map(({ id }) => id),
    'claims of a credential',
  )
  return withoutRepeats(claims)
}

/** A list of lists of ids, all of which are known. */
const referencesAt = (value: unknown, known: ReadonlySet<string | undefined>, where: string): string[][] =>
  listAt(value, where, most.sets).map(set =>
    listAt(set, where, most.claims).map(each => {
      const id = idAt(each, where)
      if (!known.has(id)) throw malformed(`${where} names an id that the query has not.`)
      return id
    }),
  )

const claimSetsAt = (value: unknown, claims: readonly DcqlClaim[] | undefined): string[][] => {
  if (claims === undefined) throw malformed('claim_sets are there without claims.')
  if (claims.some(({ id }) => id === undefined)) throw malformed('With claim_sets every one of the claims has an id.')
  return referencesAt(value, new Set(claims.map(({ id }) => id)), 'claim_sets')
}

const textsAt = (value: unknown, where: string): string[] =>
  listAt(value, where, most.values).map(each => textAt(each, where))

const typesAt = (value: unknown, where: string): string[][] =>
  listAt(value, where, most.sets).map(each => textsAt(each, where))

/** Members of another format say nothing, as any that nobody knows. */
const metaAt = (value: unknown, format: string): DcqlMeta => {
  const { vct_values, type_values, doctype_value } = recordAt(value, 'meta')
  if (format === 'dc+sd-jwt') return optional('vct_values', vct_values, textsAt)
  if (format === 'mso_mdoc') return optional('doctype_value', doctype_value, textAt)
  return optional('type_values', type_values, typesAt)
}

const authorityAt = (value: unknown): DcqlAuthority => {
  const { type, values } = recordAt(value, 'A trusted authority')
  return { type: textAt(type, 'type'), values: textsAt(values, 'values of a trusted authority') }
}

const authoritiesAt = (value: unknown): DcqlAuthority[] =>
  listAt(value, 'trusted_authorities', most.authorities).map(authorityAt)

const credentialAt = (value: unknown): DcqlCredential => {
  const credential = recordAt(value, 'A query of credentials')
  const format = textAt(credential['format'], 'format')
  const claims = credential['claims'] === undefined ? undefined : claimsAt(credential['claims'], format)
  const { id, multiple, meta, trusted_authorities, claim_sets } = credential
  const binding = credential['require_cryptographic_holder_binding']
  return {
    id: idAt(id, 'The id of a credential'),
    format,
    ...optional('multiple', multiple, flagAt),
    meta: metaAt(meta, format),
    ...optional('trusted_authorities', trusted_authorities, authoritiesAt),
    ...optional('require_cryptographic_holder_binding', binding, flagAt),
    ...(claims === undefined ? {} : { claims }),
    ...optional('claim_sets', claim_sets, sets => claimSetsAt(sets, claims)),
  }
}

const setAt = (value: unknown, known: ReadonlySet<string>): DcqlSet => {
  const { options, required } = recordAt(value, 'A set of credentials')
  return { options: referencesAt(options, known, 'options'), ...optional('required', required, flagAt) }
}

/**
 * Reads a query (OpenID4VP 1.0, section 6). Members that nobody knows are left out, as the section says; formats that are
 * not known here stay, and nothing answers them.
 * @throws Refusal malformed/dcql_malformed
 */
export const parseDcql = (value: unknown): Dcql => {
  const { credentials: asked, credential_sets } = recordAt(value, 'dcql_query')
  const credentials = listAt(asked, 'credentials', most.credentials).map(credentialAt)
  const ids = credentials.map(({ id }) => id)
  assertDistinct(ids, 'credentials')
  const known = new Set(ids)
  const setsAt = (sets: unknown) => listAt(sets, 'credential_sets', most.sets).map(set => setAt(set, known))
  return { credentials, ...optional('credential_sets', credential_sets, setsAt) }
}
