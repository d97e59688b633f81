import { isRefusal } from '../../kernel/refusal.ts'
import { isRecord } from '../formats/json.ts'
import type { Context } from './active-context.ts'
import { expandVocab } from './active-context.ts'
import { asArray } from './expand.ts'
import { expandedTypes } from './expanded-types.ts'
import { rootContext, withDocumentContext } from './process.ts'
import { toNQuad } from './quads.ts'
import { toQuads } from './rdf.ts'

/**
 * A proof over RDF signs what a credential states. Which names it is stated by, the holder may change: under another
 * context the same statements have other names, and a claim that is looked for by its name would be another than the one
 * its issuer meant.
 */

type Document = Record<string, unknown>
type Path = readonly (string | number | null)[]

const budget = () => ({ terms: 16_384, depth: 0 })

const contextOf = (urls: readonly unknown[]): Context =>
  withDocumentContext(rootContext(undefined), [...urls], null, budget())

/** What keeps its place beside a member, for a context may hang on it. */
const kept = new Set(['id', 'type', '@id', '@type'])

/** A value with nothing in it but what a path leads to. */
const branch = (value: unknown, [step, ...rest]: Path): unknown => {
  if (step === undefined) return value
  if (Array.isArray(value)) return step === null ? value.map(item => branch(item, rest)) : value
  if (!isRecord(value) || typeof step !== 'string') return value
  const members = Object.entries(value).filter(([name]) => name === step || kept.has(name))
  return Object.fromEntries(members.map(([name, member]) => [name, name === step ? branch(member, rest) : member]))
}

const statements = (document: Document, contexts: readonly unknown[]): string =>
  toQuads({ ...document, '@context': [...contexts] })
    .map(toNQuad)
    .sort()
    .join('')

/** Whether a context by itself gives one of the types its meaning. */
const definesOne = (base: unknown, url: string, types: ReadonlySet<string>): boolean => {
  const known = contextOf([base])
  const { terms, vocab } = contextOf([base, url])
  for (const [term, { iri }] of terms) {
    if (iri !== null && types.has(iri) && known.terms.get(term)?.iri !== iri) return true
  }
  return vocab !== null && [...types].some(type => type.startsWith(vocab))
}

/** The contexts that the credential's own types come from: those are among what its issuer signed. */
const contextsOfTypes = (document: Document): string[] | undefined => {
  const [base, ...others] = asArray(document['@context'])
  if (typeof base !== 'string' || !others.every(url => typeof url === 'string')) return undefined
  const types = new Set(expandedTypes(document))
  return [base, ...(others as string[]).filter(url => definesOne(base, url, types))]
}

const readsAsSigned = (document: Document, path: Path): boolean => {
  // Which place of a list a value has is not stated in RDF either.
  if (path.some(step => typeof step === 'number' || (step !== null && /[@:]/.test(step)))) return false
  const contexts = contextsOfTypes(document)
  const { proof: _proof, '@context': all, ...credential } = document
  if (contexts === undefined || JSON.stringify(credential).includes('"@context"')) return false
  const part = branch(credential, path) as Document
  return statements(part, contexts) === statements(part, asArray(all))
}

/**
 * Whether the names of a path mean in a credential what they mean in the contexts of its signed types, and in no context
 * beside, that the holder may have added. Whatever cannot be told is not so.
 * @param document a W3C credential that was verified.
 */
export const isReadAsSigned = (document: Document, path: Path): boolean => {
  try {
    return readsAsSigned(document, path)
  } catch (error) {
    if (!isRefusal(error)) throw error
    return false
  }
}

/**
 * The types of a credential whose text is signed, contexts and all, as IRIs (OpenID4VP 1.0, appendix B.1.1). A type that no
 * context defines stays as it is. Of a credential with a context that is not known here no type can be told.
 */
export const typesByContexts = (document: Document): string[] => {
  try {
    const context = contextOf(asArray(document['@context']))
    return asArray(document['type']).flatMap(type =>
      typeof type === 'string' ? (expandVocab(context, type) ?? []) : [],
    )
  } catch (error) {
    if (!isRefusal(error)) throw error
    return []
  }
}
