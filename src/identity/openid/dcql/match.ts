import type { DcqlAuthority, DcqlClaim, DcqlCredential, DcqlPath, DcqlValue } from '../../../kernel/dcql-query.ts'
import { type Selected, selectElement, selectPath } from './path.ts'

/** What a query asks of a credential, whoever looks: its holder, or the verifier it was presented to. */
export type CredentialFacts = {
  /** Format identifier as OpenID4VP has it (`jwt_vc_json`, not `jwt_vc`). */
  format: string
  /** What paths lead into: the processed payload of an SD-JWT, a W3C credential from its root, an mdoc by namespace. */
  document: Record<string, unknown>
  /** Of an SD-JWT VC: its type, and those that it extends. */
  vcts?: readonly string[]
  /** Of a W3C credential: its types as IRIs. */
  types?: readonly string[]
  /** Of an mdoc. */
  doctype?: string
  /** Whether the holder can prove, or proved, the key it is bound to. */
  holderBound: boolean
  /** Whose it is by `trusted_authorities`, each value for itself. */
  authorities?: readonly { type: string; value: string }[]
  /** As it was presented: elements of lists may have been kept back. */
  shifted?: boolean
  /** Whether the name of a claim says what its issuer signed. Without it every name does. */
  isSigned?(path: DcqlPath): boolean
}

/** A claim that a query selects: the question, and what answers it. */
export type ClaimAnswer = { claim: DcqlClaim; selected: Selected[] }

export type Match =
  | { unfit: 'format' | 'type' | 'holderBinding' | 'authority' | 'claims' }
  /** `claimSet`: the first one of the query that is met. */
  | { unfit?: never; claims: ClaimAnswer[]; claimSet?: number }

/** A value of an mdoc in the words of JSON (RFC 8949, section 6.1). */
const jsonOf = (value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : value

const isTypeOf = ({ format, meta }: DcqlCredential, { vcts = [], types = [], doctype }: CredentialFacts): boolean => {
  if (format === 'dc+sd-jwt') return meta.vct_values?.some(vct => vcts.includes(vct)) ?? true
  if (format === 'mso_mdoc') return meta.doctype_value === undefined || meta.doctype_value === doctype
  return meta.type_values?.some(wanted => wanted.every(type => types.includes(type))) ?? true
}

/** Key identifiers are compared as bytes (section 6.1.1.1), so that padding does not matter. */
const plainValue = (type: string, value: string): string => (type === 'aki' ? value.replace(/=+$/, '') : value)

const isUnder = (asked: readonly DcqlAuthority[] | undefined, { authorities = [] }: CredentialFacts): boolean =>
  asked === undefined ||
  asked.some(({ type, values }) => {
    const wanted = new Set(values.map(value => plainValue(type, value)))
    return authorities.some(each => each.type === type && wanted.has(plainValue(type, each.value)))
  })

/** What of a credential answers a question for a claim; of several elements those that have one of the values (section 6.3). */
const answerTo = (claim: DcqlClaim, facts: CredentialFacts): ClaimAnswer | undefined => {
  const { path, values } = claim
  if (facts.isSigned?.(path) === false) return undefined
  const found =
    facts.format === 'mso_mdoc'
      ? selectElement(facts.document, path)
      : selectPath(facts.document, path, facts.shifted === true)
  const isWanted = ({ value }: Selected): boolean => values?.includes(jsonOf(value) as DcqlValue) ?? true
  const selected = found.filter(isWanted)
  return selected.length === 0 ? undefined : { claim, selected }
}

const matchClaims = ({ claims = [], claim_sets }: DcqlCredential, facts: CredentialFacts): Match => {
  const known = new Map<DcqlClaim, ClaimAnswer | undefined>()
  const answersTo = (asked: readonly DcqlClaim[]): ClaimAnswer[] | undefined => {
    const answers: ClaimAnswer[] = []
    for (const claim of asked) {
      if (!known.has(claim)) known.set(claim, answerTo(claim, facts))
      const answer = known.get(claim)
      if (answer === undefined) return undefined
      answers.push(answer)
    }
    return answers
  }
  const sets = claim_sets?.map(ids => ids.flatMap(id => claims.find(claim => claim.id === id) ?? [])) ?? [claims]
  for (const [index, set] of sets.entries()) {
    const answers = answersTo(set)
    if (answers !== undefined) return { claims: answers, ...(claim_sets === undefined ? {} : { claimSet: index }) }
  }
  return { unfit: 'claims' }
}

/**
 * Whether a credential answers a query, and with which claims: all of them, or those of the first of its sets that can be
 * met (OpenID4VP 1.0, sections 6.1 and 6.4.1).
 */
export const matchCredential = (query: DcqlCredential, facts: CredentialFacts): Match => {
  if (query.format !== facts.format) return { unfit: 'format' }
  if (!isTypeOf(query, facts)) return { unfit: 'type' }
  if (query.require_cryptographic_holder_binding !== false && !facts.holderBound) return { unfit: 'holderBinding' }
  if (!isUnder(query.trusted_authorities, facts)) return { unfit: 'authority' }
  return matchClaims(query, facts)
}
