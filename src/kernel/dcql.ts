import type { Dcql, DcqlClaim, DcqlCredential, DcqlMeta, DcqlPath, DcqlValue } from './dcql-query.ts'
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
  /** JSON-LD, of types that are to be had as a W3C credential. */
  context?: Record<string, unknown>
  /** Of types that are to be had as an mdoc: its data elements by the claims that they stand for. */
  mdoc?: { docType: string; namespace: string; elements: Readonly<Record<string, string>> } | undefined
  /** Credentials of others that the agency takes as one of the type. */
  foreign?: readonly ForeignView[] | undefined
}

/** How a wallet is asked for a credential of others: `claims` are the paths of theirs by the names of ours, nested ones with a dot. */
export type ForeignView = { format: string; meta: DcqlMeta; claims: Readonly<Record<string, readonly string[]>> }

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
const valuesOf = (constraint: Constraint, schema: Schema): readonly DcqlValue[] | undefined => {
  if ('equals' in constraint) return [constraint.equals]
  if ('oneOf' in constraint) return constraint.oneOf
  const listed = schema?.['enum']
  if (!('atLeast' in constraint) || !Array.isArray(listed)) return undefined
  return listed.filter(value => typeof value === 'number' && value >= constraint.atLeast)
}

const claimsOf = (query: CredentialQuery, type: QueriedType, prefix: readonly string[]): DcqlClaim[] => {
  const byPath = new Map<string, DcqlClaim>()
  const set = (
    path: DcqlPath,
    combined: (known: readonly DcqlValue[] | undefined) => readonly DcqlValue[] | undefined,
  ) => {
    const name = JSON.stringify(path)
    const values = combined(byPath.get(name)?.values)
    byPath.set(name, { path: [...prefix, ...path], ...(values === undefined ? {} : { values }) })
  }
  const add = (path: ClaimPath, values?: readonly DcqlValue[]): void =>
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
  mso_mdoc: 'mso_mdoc',
} as const satisfies Record<FormatId, string>

const credentialIri = 'https://www.w3.org/2018/credentials#VerifiableCredential'

/** The type as its context expands it (OpenID4VP 1.0, appendix B.1.1). */
export const typeIri = ({ id, context }: QueriedType): string => {
  const term = context?.[id]
  const iri = typeof term === 'object' && term !== null ? (term as Record<string, unknown>)['@id'] : term
  if (typeof iri === 'string') return iri
  throw new Error(`the context of ${id} does not define it`)
}

/**
 * Which credentials of the types count, in the words of the format (OpenID4VP 1.0, appendices B.1.1 and B.3.5). Types are
 * IRIs in every W3C format, whether or not its verifiers read JSON-LD.
 */
const metaOf = (format: FormatId, versions: readonly QueriedType[]): DcqlMeta => {
  if (format === 'dc+sd-jwt') return { vct_values: versions.map(({ vct }) => vct) }
  const docType = versions.find(({ mdoc }) => mdoc !== undefined)?.mdoc?.docType
  if (format === 'mso_mdoc' && docType !== undefined) return { doctype_value: docType }
  return { type_values: [...new Set(versions.map(typeIri))].map(iri => [credentialIri, iri]) }
}

/** The preferred one where nobody wants another, or the type is not to be had in that. */
const formatOf = ({ formats }: QueriedType, wanted: FormatId | undefined): FormatId => {
  if (wanted !== undefined && formats.includes(wanted)) return wanted
  return formats.includes('dc+sd-jwt') ? 'dc+sd-jwt' : (formats[0] ?? 'vc+jwt')
}

/** Claims as elements of an mdoc; those that no element stands for are judged, and cannot be asked for. */
const elementsOf = (claims: readonly DcqlClaim[], { mdoc }: QueriedType): DcqlClaim[] => {
  if (mdoc === undefined) return []
  return claims.flatMap(({ path, ...claim }) => {
    const [name] = path
    const isNamed = path.length === 1 && typeof name === 'string' && Object.hasOwn(mdoc.elements, name)
    const element = isNamed ? mdoc.elements[name] : undefined
    return element === undefined ? [] : [{ ...claim, path: [mdoc.namespace, element] }]
  })
}

type Asked = { query: CredentialQuery; joinPath: ClaimPath | undefined }

const entryOf = (
  { query, joinPath }: Asked,
  types: readonly QueriedType[],
  wanted: FormatId | undefined,
): DcqlCredential => {
  const versions = types.filter(({ id }) => id === query.type).sort((a, b) => b.version - a.version)
  const [newest] = versions
  if (newest === undefined) throw new Error(`no credential type ${query.type} is known here`)
  const format = formatOf(newest, wanted)
  const isFlat = format === 'dc+sd-jwt' || format === 'mso_mdoc'
  const reads = [...(query.reads ?? []), ...(joinPath === undefined ? [] : [joinPath])]
  const asked = claimsOf({ ...query, reads }, newest, isFlat ? [] : ['credentialSubject'])
  const claims = format === 'mso_mdoc' ? elementsOf(asked, newest) : asked
  return {
    id: query.id,
    format: formatNames[format],
    meta: metaOf(format, versions),
    ...(claims.length === 0 ? {} : { claims }),
    ...(query.mandate === true ? { multiple: true } : {}),
  }
}

/** A claim of ours in the words of a foreign credential; one that no rule takes from it is judged, and cannot be asked for. */
const foreignClaim = ({ path, ...claim }: DcqlClaim, { claims }: ForeignView): DcqlClaim[] => {
  const names = path.filter(step => step !== null)
  const theirs = Object.hasOwn(claims, names.join('.')) ? claims[names.join('.')] : undefined
  return theirs === undefined ? [] : [{ ...claim, path: [...theirs, ...path.slice(names.length)] }]
}

/** The same query for each credential of others that counts as one of the type; a requirement that names its issuers names others. */
const foreignEntries = ({ query, joinPath }: Asked, types: readonly QueriedType[]): DcqlCredential[] => {
  if (query.issuers !== undefined) return []
  const versions = types.filter(({ id }) => id === query.type)
  const [newest] = versions.sort((a, b) => b.version - a.version)
  if (newest === undefined) return []
  const reads = [...(query.reads ?? []), ...(joinPath === undefined ? [] : [joinPath])]
  const asked = claimsOf({ ...query, reads }, newest, [])
  return (newest.foreign ?? []).map((view, at) => {
    const claims = asked.flatMap(claim => foreignClaim(claim, view))
    const entry = { id: `${query.id}_foreign_${at + 1}`, format: view.format, meta: view.meta }
    return claims.length === 0 ? entry : { ...entry, claims }
  })
}

/** Each set of ids, and each in which some of them are replaced by what does instead; no more than a wallet can be told. */
const withAlternatives = (
  options: readonly (readonly string[])[],
  alternatives: ReadonlyMap<string, readonly string[]>,
): string[][] => {
  const ways = options.map(option =>
    option.reduce<string[][]>(
      (sets, id) => {
        const more = [id, ...(alternatives.get(id) ?? [])].flatMap(each => sets.map(set => [...set, each]))
        return more.slice(0, optionsMost)
      },
      [[]],
    ),
  )
  // Our own first: they are never left out for those of others.
  const own = ways.flatMap(([first]) => (first === undefined ? [] : [first]))
  return [...own, ...ways.flatMap(sets => sets.slice(1))].slice(0, Math.max(own.length, optionsMost))
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

const joinedQueries = (tree: CredentialTree, joinPaths: Readonly<Record<string, ClaimPath>>): Asked[] => {
  if ('any' in tree) return tree.any.flatMap(each => joinedQueries(each, joinPaths))
  if (!('all' in tree)) return [{ query: tree, joinPath: joinPaths[tree.id] }]
  const paths = tree.joined.by === 'claim' ? { ...joinPaths, ...tree.joined.claims } : joinPaths
  return tree.all.flatMap(each => joinedQueries(each, paths))
}

/**
 * A hint for wallets that asks for at least what the requirement asks for: "at least" becomes an enumeration where the
 * schema enumerates, else the path alone; alternatives become `credential_sets`. Issuers, joins and the age of a status
 * stand in the requirement itself, which alone is judged.
 * @param format in which they are asked for, where their type is to be had in it.
 */
export const dcqlOf = (
  requirement: Resolved,
  types: readonly QueriedType[],
  format?: FormatId | undefined,
): Dcql | undefined => {
  if (requirement.by !== 'holder') return undefined
  const queries = joinedQueries(requirement.of, {})
  const options = optionsOf(requirement.of)
  const credentials = queries.map(asked => entryOf(asked, types, format))
  const foreign = queries.map(asked => ({ id: asked.query.id, entries: foreignEntries(asked, types) }))
  const ids = new Map(foreign.map(({ id, entries }) => [id, entries.map(entry => entry.id)]))
  const sets = withAlternatives(options, ids)
  const named = new Set(sets.flat())
  const others = foreign.flatMap(({ entries }) => entries).filter(({ id }) => named.has(id))
  const all = [...credentials, ...others]
  return sets.length === 1 ? { credentials: all } : { credentials: all, credential_sets: [{ options: sets }] }
}

/** Of a joint act, the query of each party: their wallets answer alone, each for its own part. */
export const dcqlByParty = (
  requirement: Resolved,
  types: readonly QueriedType[],
  format?: FormatId | undefined,
): Record<string, { dcql: Dcql }> | undefined => {
  if (requirement.by !== 'parties') return undefined
  const parts = Object.entries(requirement.parties).flatMap(([party, part]) => {
    const dcql = dcqlOf(part, types, format)
    return dcql === undefined ? [] : [[party, { dcql }] as const]
  })
  return Object.fromEntries(parts)
}
