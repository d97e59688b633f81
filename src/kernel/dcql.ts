import type { Resolved } from './gate.ts'
import type { FormatId } from './identity.ts'
import type { ClaimPath, Constraint, CredentialQuery, CredentialTree } from './requirement.ts'

/** Of a credential type, what a query of DCQL needs to know. */
export type QueriedType = {
  id: string
  version: number
  vct: string
  formats: readonly FormatId[]
  schema: Record<string, unknown>
  /** JSON-LD, of types that are to be had as `ldp_vc`. */
  context?: Record<string, unknown>
}

type Value = string | number | boolean
/** `null` selects every element of a list (OpenID4VP 1.0, section 7). */
type ClaimsPathPointer = readonly (string | null)[]
type ClaimsQuery = { path: ClaimsPathPointer; values?: readonly Value[] }
type CredentialEntry = {
  id: string
  format: string
  meta: Record<string, unknown>
  claims?: ClaimsQuery[]
  multiple?: boolean
}

/** A query of the Digital Credentials Query Language (OpenID4VP 1.0, section 6). */
export type Dcql = {
  credentials: CredentialEntry[]
  credential_sets?: { options: string[][]; required?: boolean }[]
}

/** Alternatives that a requirement may come to; more are refused at the start. */
export const optionsMost = 16

type Schema = Record<string, unknown> | undefined

/** The schema of a claim: through `properties`, step by step. */
export const claimSchema = (schema: Record<string, unknown>, path: ClaimPath): Schema => {
  let at: Schema = schema
  for (const step of path) {
    const properties = at?.['properties'] as Record<string, Record<string, unknown>> | undefined
    at = properties !== undefined && Object.hasOwn(properties, step) ? properties[step] : undefined
    if (at === undefined) return undefined
  }
  return at
}

/** Values that meet a constraint, where they can be counted: DCQL knows exact values only. */
const valuesOf = (constraint: Constraint, schema: Schema): readonly Value[] | undefined => {
  if ('equals' in constraint) return [constraint.equals]
  if ('oneOf' in constraint) return constraint.oneOf
  const listed = schema?.['enum']
  if (!('atLeast' in constraint) || !Array.isArray(listed)) return undefined
  return listed.filter(value => typeof value === 'number' && value >= constraint.atLeast)
}

const claimsOf = (query: CredentialQuery, type: QueriedType, prefix: readonly string[]): ClaimsQuery[] => {
  const byPath = new Map<string, ClaimsQuery>()
  const set = (
    path: ClaimsPathPointer,
    combined: (known: readonly Value[] | undefined) => readonly Value[] | undefined,
  ) => {
    const name = JSON.stringify(path)
    const values = combined(byPath.get(name)?.values)
    byPath.set(name, { path: [...prefix, ...path], ...(values === undefined ? {} : { values }) })
  }
  const add = (path: ClaimPath, values?: readonly Value[]): void =>
    set(path, known =>
      known === undefined || values === undefined ? (values ?? known) : known.filter(each => values.includes(each)),
    )
  for (const constraint of query.where ?? []) {
    // A list may have to hold several values: each of its elements is one of them.
    if ('includes' in constraint)
      set([...constraint.path, null], (known = []) => [...new Set([...known, constraint.includes])])
    else add(constraint.path, valuesOf(constraint, claimSchema(type.schema, constraint.path)))
  }
  for (const path of query.reads ?? []) add(path)
  return [...byPath.values()]
}

/** The formats of DCQL for ours, the preferred one first. */
const formatNames = {
  'dc+sd-jwt': 'dc+sd-jwt',
  'vc+jwt': 'vc+jwt',
  jwt_vc: 'jwt_vc_json',
  ldp_vc: 'ldp_vc',
} as const satisfies Record<FormatId, string>

const credentialIri = 'https://www.w3.org/2018/credentials#VerifiableCredential'

/** The type as its context expands it (OpenID4VP 1.0, appendix B.1.1). */
const typeIri = ({ id, context }: QueriedType): string => {
  const term = context?.[id]
  const iri = typeof term === 'object' && term !== null ? (term as Record<string, unknown>)['@id'] : term
  if (typeof iri === 'string') return iri
  throw new Error(`the context of ${id} does not define it`)
}

/** Which credentials of the types count, in the words of the format (OpenID4VP 1.0, appendices B.1.1 and B.3.5). */
const metaOf = (format: FormatId, versions: readonly QueriedType[], type: string): Record<string, unknown> => {
  if (format === 'dc+sd-jwt') return { vct_values: versions.map(({ vct }) => vct) }
  if (format !== 'ldp_vc') return { type_values: [['VerifiableCredential', type]] }
  return { type_values: [...new Set(versions.map(typeIri))].map(iri => [credentialIri, iri]) }
}

const entryOf = (
  query: CredentialQuery,
  types: readonly QueriedType[],
  joinPath: ClaimPath | undefined,
): CredentialEntry => {
  const versions = types.filter(({ id }) => id === query.type).sort((a, b) => b.version - a.version)
  const [newest] = versions
  if (newest === undefined) throw new Error(`no credential type ${query.type} is known here`)
  const isSdJwt = newest.formats.includes('dc+sd-jwt')
  const format = isSdJwt ? 'dc+sd-jwt' : (newest.formats[0] ?? 'vc+jwt')
  const reads = [...(query.reads ?? []), ...(joinPath === undefined ? [] : [joinPath])]
  const claims = claimsOf({ ...query, reads }, newest, isSdJwt ? [] : ['credentialSubject'])
  return {
    id: query.id,
    format: formatNames[format],
    meta: metaOf(format, versions, query.type),
    ...(claims.length === 0 ? {} : { claims }),
    ...(query.mandate === true ? { multiple: true } : {}),
  }
}

/** Every way to meet a tree, as sets of query ids. Stops counting past the most that is allowed. */
export const optionsOf = (tree: CredentialTree): string[][] => {
  if ('any' in tree) return tree.any.flatMap(optionsOf)
  if (!('all' in tree)) return [[tree.id]]
  return tree.all.reduce<string[][]>(
    (options, member) => {
      const more = optionsOf(member)
      return options.length > optionsMost ? options : options.flatMap(option => more.map(each => [...option, ...each]))
    },
    [[]],
  )
}

type Joined = { query: CredentialQuery; joinPath: ClaimPath | undefined }

const joinedQueries = (tree: CredentialTree, joinPaths: Readonly<Record<string, ClaimPath>>): Joined[] => {
  if ('any' in tree) return tree.any.flatMap(each => joinedQueries(each, joinPaths))
  if (!('all' in tree)) return [{ query: tree, joinPath: joinPaths[tree.id] }]
  const paths = tree.joined.by === 'claim' ? { ...joinPaths, ...tree.joined.claims } : joinPaths
  return tree.all.flatMap(each => joinedQueries(each, paths))
}

/**
 * A hint for wallets that asks for at least what the requirement asks for: "at least" becomes an enumeration where the
 * schema enumerates, else the path alone; alternatives become `credential_sets`. Issuers, joins and the age of a status
 * stand in the requirement itself, which alone is judged.
 */
export const dcqlOf = (requirement: Resolved, types: readonly QueriedType[]): Dcql | undefined => {
  if (requirement.by !== 'holder') return undefined
  const queries = joinedQueries(requirement.of, {})
  const options = optionsOf(requirement.of)
  const credentials = queries.map(({ query, joinPath }) => entryOf(query, types, joinPath))
  return options.length === 1 ? { credentials } : { credentials, credential_sets: [{ options }] }
}

/** Of a joint act, the query of each party: their wallets answer alone, each for its own part. */
export const dcqlByParty = (
  requirement: Resolved,
  types: readonly QueriedType[],
): Record<string, { dcql: Dcql }> | undefined => {
  if (requirement.by !== 'parties') return undefined
  const parts = Object.entries(requirement.parties).flatMap(([party, part]) => {
    const dcql = dcqlOf(part, types)
    return dcql === undefined ? [] : [[party, { dcql }] as const]
  })
  return Object.fromEntries(parts)
}
