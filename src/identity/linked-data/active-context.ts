import { isBlankNode, isIri, isKeyword, looksLikeKeyword, resolveIri } from './iri.ts'

export type Direction = 'ltr' | 'rtl'

/** Container mappings as bits, for they combine. */
export const container = { list: 1, set: 2, index: 4, language: 8, id: 16, type: 32, graph: 64 } as const

/** What a term of a context means (JSON-LD 1.1 API, section 4.1). Never changed once it stands in a context. */
export type Definition = {
  /** IRI, blank node identifier or keyword; null for a term that says it means nothing. */
  iri: string | null
  prefix: boolean
  protected: boolean
  reverse: boolean
  /** IRI, `@id`, `@vocab`, `@json` or `@none`. */
  type: string | undefined
  /** null: explicitly none; undefined: that of the context. */
  language: string | null | undefined
  direction: Direction | null | undefined
  /** Bits of `container`. */
  container: number
  index: string | undefined
  nest: string | undefined
  /** The scoped context, and the URL that its relative references are relative to. */
  scoped: { local: unknown; base: string | null } | undefined
}

/** An active context (JSON-LD 1.1 API, section 4.1). Never changed once it has been processed. */
export type Context = {
  terms: Map<string, Definition>
  base: string | null
  originalBase: string | null
  vocab: string | null
  language: string | null
  direction: Direction | null
  /** What stands again where the next node begins, for a context that does not propagate. */
  previous: Context | null
  /** Contexts that were made from this one, by what they were made with. */
  derived: Derived
}

type Derived = {
  document: Map<string, Context>
  property: Map<Definition, Context>
  type: Map<Definition, Context>
  map: Map<Definition, Context>
}

const nothingDerived = (): Derived => ({ document: new Map(), property: new Map(), type: new Map(), map: new Map() })

export const initialContext = (base: string | null): Context => ({
  terms: new Map(),
  base,
  originalBase: base,
  vocab: null,
  language: null,
  direction: null,
  previous: null,
  derived: nothingDerived(),
})

export const cloned = (context: Context): Context => ({
  ...context,
  terms: new Map(context.terms),
  derived: nothingDerived(),
})

/** A value whose prefix or form makes it absolute, or undefined. */
export const expandPrefixed = (terms: Map<string, Definition>, value: string): string | undefined => {
  const colon = value.indexOf(':', 1)
  if (colon === -1) return undefined
  if (isBlankNode(value) || value.startsWith('//', colon + 1)) return value
  const definition = terms.get(value.slice(0, colon))
  if (definition?.prefix === true && definition.iri !== null) return definition.iri + value.slice(colon + 1)
  return isIri(value) ? value : undefined
}

/** What a key, a type or a value of type `@vocab` means: IRI expansion relative to the vocabulary (section 5.2). */
export const expandVocab = (context: Context, value: string): string | null => {
  const definition = context.terms.get(value)
  if (definition !== undefined) return definition.iri
  if (value.charCodeAt(0) === 0x40) {
    if (isKeyword(value)) return value
    if (looksLikeKeyword(value)) return null
  }
  const absolute = expandPrefixed(context.terms, value)
  if (absolute !== undefined) return absolute
  return context.vocab === null ? value : context.vocab + value
}

const againstBase = (context: Context, value: string): string =>
  context.base === null || isIri(value) || isBlankNode(value) ? value : resolveIri(context.base, value)

/** What a type or a value of type `@vocab` means: as `expandVocab`, and relative to the document where nothing else is. */
export const expandType = (context: Context, value: string): string | null => {
  const expanded = expandVocab(context, value)
  return expanded === null || expanded !== value || isKeyword(value) ? expanded : againstBase(context, value)
}

/** What an identifier means: IRI expansion relative to the document (section 5.2). */
export const expandId = (context: Context, value: string): string | null => {
  if (value.charCodeAt(0) === 0x40) {
    if (isKeyword(value)) return value
    if (looksLikeKeyword(value)) return null
  }
  const aliased = context.terms.get(value)?.iri
  if (aliased !== undefined && aliased !== null && isKeyword(aliased)) return aliased
  return expandPrefixed(context.terms, value) ?? againstBase(context, value)
}
