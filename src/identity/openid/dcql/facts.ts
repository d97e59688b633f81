import type { Verdict } from '../../../kernel/identity.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { isRecord } from '../../formats/json.ts'
import { expandedTypes } from '../../linked-data/expanded-types.ts'
import { isReadAsSigned, typesByContexts } from '../../linked-data/signed-terms.ts'
import type { CredentialFacts } from './match.ts'

type Document = Record<string, unknown>

/** Format identifiers of OpenID4VP for those of the house (appendix B). `vc+jwt` has none there, and keeps its own. */
const names: Readonly<Record<string, string>> = { jwt_vc: 'jwt_vc_json', 'vc+sd-jwt': 'vc+sd-jwt' }

export const formatNameOf = (format: string): string => names[format] ?? format

/** A credential in the words of its format, already believed. */
export type Described = {
  /** As the house names it. */
  format: string
  /** The processed payload of an SD-JWT, a W3C credential with its proof, or the namespaces of an mdoc. */
  document: Document
  doctype?: string | undefined
  holderBound: boolean
  authorities?: CredentialFacts['authorities'] | undefined
}

/** SD-JWT VC types by their metadata: what a type extends, itself left out (draft-ietf-oauth-sd-jwt-vc, section 6.4). */
export type Extended = (vct: string) => readonly string[]

const texts = (value: unknown): string[] => [value].flat().filter(each => typeof each === 'string')

const vctsOf = ({ vct, aka_vcts: others }: Document, extended: Extended): string[] => {
  const own = [...texts(vct), ...texts(others ?? [])]
  return [...new Set([...own, ...own.flatMap(extended)])]
}

/** Of a credential whose types cannot be told nothing is known, and no query for a type is answered. */
const signedTypes = (document: Document): readonly string[] => {
  try {
    return expandedTypes(document)
  } catch (error) {
    if (!isRefusal(error)) throw error
    return []
  }
}

/** VC Data Model 1.1, section 6.3.1: what the claims of the JWT stand for is a part of the credential. */
const unwrapped = (payload: Document): Document => {
  const { vc, iss, sub, jti } = payload
  if (!isRecord(vc)) return payload
  const { issuer, credentialSubject: subject } = vc
  return {
    ...vc,
    ...(iss === undefined ? {} : { issuer: isRecord(issuer) ? { ...issuer, id: iss } : iss }),
    ...(jti === undefined ? {} : { id: jti }),
    ...(sub === undefined || !isRecord(subject) ? {} : { credentialSubject: { ...subject, id: sub } }),
  }
}

/** Whether the text itself is signed: by a suite that canonicalises JSON, and so with its names. */
const isTextSigned = ({ proof }: Document): boolean =>
  [proof].flat().some(each => isRecord(each) && /-jcs-/.test(String(each['cryptosuite'])))

const baseOf = ({ format, document, holderBound, authorities }: Described): CredentialFacts => ({
  format: formatNameOf(format),
  document: format === 'jwt_vc' ? unwrapped(document) : document,
  holderBound,
  ...(authorities === undefined ? {} : { authorities }),
})

/** A document in its own words: the root of the credential (appendix B.1.2), without what secures it. */
const w3cFacts = (described: Described): CredentialFacts => {
  const facts = baseOf(described)
  const { document } = facts
  const types = described.format === 'ldp_vc' ? signedTypes(document) : typesByContexts(document)
  return { ...facts, types }
}

const none: Extended = () => []

/** A credential that a wallet holds: it looks at its own, and every name is good enough. */
export const heldFacts = (described: Described, extended: Extended = none): CredentialFacts => {
  const { format, document, doctype } = described
  if (format === 'dc+sd-jwt') return { ...baseOf(described), vcts: vctsOf(document, extended) }
  if (format === 'mso_mdoc') return { ...baseOf(described), ...(doctype === undefined ? {} : { doctype }) }
  return w3cFacts(described)
}

/**
 * A credential that was presented and found good. Claims of one that is signed as RDF count by what their issuer signed,
 * whatever context the holder wrote them in.
 */
export const presentedFacts = (described: Described, extended: Extended = none): CredentialFacts => {
  const facts = heldFacts(described, extended)
  const { format, document } = described
  // By the one name that it was judged as: what else its issuer calls it, it need not be accredited for.
  if (format === 'dc+sd-jwt')
    return { ...facts, vcts: texts(document['vct']).flatMap(vct => [vct, ...extended(vct)]), shifted: true }
  if (format !== 'ldp_vc' || isTextSigned(document)) return facts
  return { ...facts, isSigned: path => isReadAsSigned(document, path) }
}

/** Of a verdict that is good. @param holderBound whether its holder proved the key that it is bound to. */
export const factsOfVerdict = (verdict: Verdict, holderBound: boolean): CredentialFacts => {
  const { format, document, doctype, authorities } = verdict
  if (format === undefined || document === undefined) throw new Error('a good credential has a format and a document')
  return presentedFacts({ format, document, doctype, holderBound, authorities })
}
