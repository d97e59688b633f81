import { isRecord, sameJson } from '../formats/json.ts'
import { type Context, container, type Definition, expandPrefixed } from './active-context.ts'
import { invalid, protectedTerm, tooMuch } from './errors.ts'
import { isBlankNode, isIri, isKeyword, looksLikeKeyword, resolveIri } from './iri.ts'

/** One context definition on its way into an active context. */
export type Defining = {
  /** The active context that is being made; nobody else has it yet. */
  context: Context
  local: Record<string, unknown>
  /** false while a term is being defined, true once it is. */
  defined: Map<string, boolean>
  protected: boolean
  overrideProtected: boolean
  base: string | null
  /** How many more terms may be defined for this document, and how many are under way for the sake of one. */
  budget: { terms: number; depth: number }
  /** Processes a scoped context to see whether it is one. */
  checkScoped: (context: Context, local: unknown) => void
}

const members = new Set([
  '@id',
  '@reverse',
  '@container',
  '@context',
  '@direction',
  '@index',
  '@language',
  '@nest',
  '@prefix',
  '@protected',
  '@type',
])

/** IRI expansion while the context is still being read: what a value depends on is defined first (section 5.2). */
export const expandWhileDefining = (into: Defining, value: string, documentRelative = false): string | null => {
  if (isKeyword(value)) return value
  if (looksLikeKeyword(value)) return null
  const { local, defined, context } = into
  if (Object.hasOwn(local, value) && defined.get(value) !== true) define(into, value)
  const definition = context.terms.get(value)
  if (definition !== undefined) return definition.iri
  const colon = value.indexOf(':', 1)
  if (colon !== -1) {
    const prefix = value.slice(0, colon)
    if (prefix !== '_' && !value.startsWith('//', colon + 1) && Object.hasOwn(local, prefix)) define(into, prefix)
    const absolute = expandPrefixed(context.terms, value)
    if (absolute !== undefined) return absolute
  }
  if (context.vocab !== null) return context.vocab + value
  return documentRelative && context.base !== null ? resolveIri(context.base, value) : value
}

/** Characters of what a short term stands for: it is read again wherever the term stands. */
const longestIri = 1_024
/** Definitions that one another depend on, before the stack is in danger. */
const deepest = 64

/** @throws Refusal rejected/document_poisonous for what a context makes too long. */
export const assertShort = (text: string | null | undefined): void => {
  if (text !== null && text !== undefined && text.length > longestIri)
    throw tooMuch('characters in the identifiers of its contexts')
}

const isMapping = (iri: string): boolean => isIri(iri) || isBlankNode(iri)

const setType = (into: Defining, value: Record<string, unknown>, definition: Definition): void => {
  const { '@type': type } = value
  if (typeof type !== 'string') throw invalid('invalid type mapping', 'The type of a term has to be a string.')
  const expanded = expandWhileDefining(into, type)
  if (expanded === null || !(/^@(?:id|vocab|json|none)$/.test(expanded) || isIri(expanded)))
    throw invalid('invalid type mapping', 'The type of a term has to be an IRI, @id, @vocab, @json or @none.')
  definition.type = expanded
}

/** @returns false where the definition is to be passed over. */
const setReverse = (into: Defining, value: Record<string, unknown>, definition: Definition): boolean => {
  const { '@reverse': reverse } = value
  if (Object.hasOwn(value, '@id') || Object.hasOwn(value, '@nest'))
    throw invalid('invalid reverse property', 'A reverse property has neither @id nor @nest.')
  if (typeof reverse !== 'string') throw invalid('invalid IRI mapping', 'A @reverse has to be a string.')
  if (looksLikeKeyword(reverse)) return false
  const expanded = expandWhileDefining(into, reverse)
  if (expanded === null || !isMapping(expanded)) throw invalid('invalid IRI mapping', 'A @reverse has to be an IRI.')
  const held = value['@container']
  if (held !== undefined && held !== null && held !== '@set' && held !== '@index')
    throw invalid('invalid reverse property', 'A reverse property has no container but @set and @index.')
  definition.iri = expanded
  definition.reverse = true
  return true
}

/** @returns false where the definition is to be passed over. */
const setId = (
  into: Defining,
  term: string,
  value: Record<string, unknown>,
  simple: boolean,
  definition: Definition,
): boolean => {
  const { '@id': id } = value
  if (id === null) return true
  if (typeof id !== 'string') throw invalid('invalid IRI mapping', 'The @id of a term has to be a string.')
  if (!isKeyword(id) && looksLikeKeyword(id)) return false
  const expanded = expandWhileDefining(into, id)
  if (expanded === null || !(isKeyword(expanded) || isMapping(expanded)))
    throw invalid('invalid IRI mapping', `The @id of the term “${term}” is not an IRI.`)
  if (expanded === '@context') throw invalid('invalid keyword alias', 'No term stands for @context.')
  definition.iri = expanded
  const colon = term.indexOf(':', 1)
  if ((colon !== -1 && colon < term.length - 1) || term.includes('/')) {
    into.defined.set(term, true)
    if (expandWhileDefining(into, term) !== expanded)
      throw invalid('invalid IRI mapping', `The term “${term}” is an IRI and is defined as another.`)
  } else if (colon === -1 && simple && (/[:/?#[\]@]$/.test(expanded) || isBlankNode(expanded))) {
    definition.prefix = true
  }
  return true
}

const setImplicitId = (into: Defining, term: string, definition: Definition): void => {
  const { context, local } = into
  const colon = term.indexOf(':', 1)
  if (colon !== -1) {
    const prefix = term.slice(0, colon)
    const compact = prefix !== '_' && !term.startsWith('//', colon + 1)
    if (compact && Object.hasOwn(local, prefix)) define(into, prefix)
    const found = compact ? context.terms.get(prefix) : undefined
    definition.iri = found === undefined || found.iri === null ? term : found.iri + term.slice(colon + 1)
    if (!isMapping(definition.iri)) throw invalid('invalid IRI mapping', `The term “${term}” is not an IRI.`)
  } else if (term.includes('/')) {
    const expanded = expandWhileDefining({ ...into, local: {} }, term)
    if (expanded === null || !isIri(expanded))
      throw invalid('invalid IRI mapping', `The term “${term}” is a relative reference.`)
    definition.iri = expanded
  } else if (term === '@type') definition.iri = '@type'
  else if (context.vocab !== null) definition.iri = context.vocab + term
  else throw invalid('invalid IRI mapping', `The term “${term}” has no IRI.`)
}

const bits: Record<string, number | undefined> = Object.assign(Object.create(null), {
  '@list': container.list,
  '@set': container.set,
  '@index': container.index,
  '@language': container.language,
  '@id': container.id,
  '@type': container.type,
  '@graph': container.graph,
})

const oneBit = (mask: number): boolean => (mask & (mask - 1)) === 0

const isContainer = (mask: number): boolean => {
  const { set, list, graph, id, index } = container
  if (oneBit(mask)) return true
  const rest = mask & ~set
  if ((mask & list) !== 0) return false
  return oneBit(rest) || rest === (graph | id) || rest === (graph | index)
}

const setContainer = (value: Record<string, unknown>, definition: Definition): void => {
  const { '@container': held } = value
  if (held === null && definition.reverse) return
  const names = Array.isArray(held) ? held : [held]
  let mask = 0
  for (const name of names) {
    const bit = typeof name === 'string' ? bits[name] : undefined
    if (bit === undefined) throw invalid('invalid container mapping', 'A term has a container that is not one.')
    mask |= bit
  }
  if (mask === 0 || !isContainer(mask))
    throw invalid('invalid container mapping', 'A term has containers that do not go together.')
  definition.container = mask
  if ((mask & container.type) === 0) return
  definition.type ??= '@id'
  if (definition.type !== '@id' && definition.type !== '@vocab')
    throw invalid('invalid type mapping', 'A term with a @type container has the type @id or @vocab.')
}

const setIndex = (into: Defining, value: Record<string, unknown>, definition: Definition): void => {
  const { '@index': index } = value
  if ((definition.container & container.index) === 0 || typeof index !== 'string')
    throw invalid('invalid term definition', 'Only a term with an @index container has an @index.')
  const expanded = expandWhileDefining(into, index)
  if (expanded === null || !isIri(expanded))
    throw invalid('invalid term definition', 'The @index of a term has to be an IRI.')
  definition.index = index
}

const setStrings = (value: Record<string, unknown>, definition: Definition): void => {
  const { '@language': language, '@direction': direction, '@nest': nest } = value
  const typed = Object.hasOwn(value, '@type')
  if (language !== undefined && !typed) {
    if (language !== null && typeof language !== 'string')
      throw invalid('invalid language mapping', 'The @language of a term is a string or null.')
    definition.language = language === null ? null : language.toLowerCase()
  }
  if (direction !== undefined && !typed) {
    if (direction !== null && direction !== 'ltr' && direction !== 'rtl')
      throw invalid('invalid base direction', 'The @direction of a term is ltr, rtl or null.')
    definition.direction = direction
  }
  if (nest !== undefined) {
    if (typeof nest !== 'string' || (isKeyword(nest) && nest !== '@nest'))
      throw invalid('invalid @nest value', 'The @nest of a term is @nest or a term.')
    definition.nest = nest
  }
}

const setPrefix = (term: string, value: Record<string, unknown>, definition: Definition): void => {
  const { '@prefix': prefix } = value
  if (/[:/]/.test(term)) throw invalid('invalid term definition', 'A term with a colon or a slash is no prefix.')
  if (typeof prefix !== 'boolean') throw invalid('invalid @prefix value', 'A @prefix is true or false.')
  definition.prefix = prefix
  if (prefix && definition.iri !== null && isKeyword(definition.iri))
    throw invalid('invalid term definition', 'A keyword is no prefix.')
}

const sameDefinition = (a: Definition, b: Definition): boolean =>
  a.iri === b.iri &&
  a.prefix === b.prefix &&
  a.reverse === b.reverse &&
  a.type === b.type &&
  a.language === b.language &&
  a.direction === b.direction &&
  a.container === b.container &&
  a.index === b.index &&
  a.nest === b.nest &&
  (a.scoped === undefined) === (b.scoped === undefined) &&
  sameJson(a.scoped?.local, b.scoped?.local)

const assertTermName = (term: string, value: unknown): void => {
  if (term === '') throw invalid('invalid term definition', 'A term has an empty name.')
  if (!isKeyword(term)) return
  const names = isRecord(value) ? Object.keys(value) : []
  const onlyContainer =
    names.length > 0 &&
    names.every(name => name === '@protected' || name === '@container') &&
    (!names.includes('@container') || (value as Record<string, unknown>)['@container'] === '@set')
  if (term !== '@type' || !onlyContainer) throw invalid('keyword redefinition', `A context redefines ${term}.`)
}

const emptyDefinition = (isProtected: boolean): Definition => ({
  iri: null,
  prefix: false,
  protected: isProtected,
  reverse: false,
  type: undefined,
  language: undefined,
  direction: undefined,
  container: 0,
  index: undefined,
  nest: undefined,
  scoped: undefined,
})

/** All of a definition that does not depend on earlier ones of the same term; undefined: pass it over. */
const read = (
  into: Defining,
  term: string,
  value: Record<string, unknown>,
  simple: boolean,
): Definition | undefined => {
  const definition = emptyDefinition(into.protected)
  if (Object.hasOwn(value, '@protected')) {
    if (typeof value['@protected'] !== 'boolean')
      throw invalid('invalid @protected value', 'A @protected is true or false.')
    definition.protected = value['@protected']
  }
  if (Object.hasOwn(value, '@type')) setType(into, value, definition)
  if (Object.hasOwn(value, '@reverse')) {
    if (!setReverse(into, value, definition)) return undefined
  } else if (Object.hasOwn(value, '@id') && value['@id'] !== term) {
    if (!setId(into, term, value, simple, definition)) return undefined
  } else setImplicitId(into, term, definition)
  if (Object.hasOwn(value, '@container')) setContainer(value, definition)
  if (Object.hasOwn(value, '@index')) setIndex(into, value, definition)
  if (Object.hasOwn(value, '@context')) {
    into.checkScoped(into.context, value['@context'])
    definition.scoped = { local: value['@context'], base: into.base }
  }
  setStrings(value, definition)
  if (Object.hasOwn(value, '@prefix')) setPrefix(term, value, definition)
  const stranger = Object.keys(value).find(name => !members.has(name))
  if (stranger !== undefined)
    throw invalid('invalid term definition', `The definition of “${term}” has a member “${stranger}”.`)
  return definition
}

/**
 * Create Term Definition (JSON-LD 1.1 API, section 4.2), with two differences to the safe side: a reverse property
 * cannot take the place of a protected term, and a term of which the form is reserved is not defined.
 * @throws Refusal malformed/credential_malformed, rejected/term_redefined, rejected/document_poisonous
 */
export const define = (into: Defining, term: string): void => {
  const state = into.defined.get(term)
  if (state === true) return
  if (state === false) throw invalid('cyclic IRI mapping', `The term “${term}” is defined by itself.`)
  if (--into.budget.terms < 0) throw tooMuch('terms in its contexts')
  const value = into.local[term]
  assertTermName(term, value)
  into.defined.set(term, false)
  if (!isKeyword(term) && looksLikeKeyword(term)) return
  const { terms } = into.context
  const previous = terms.get(term)
  terms.delete(term)
  const simple = typeof value === 'string'
  const entry = value === null ? { '@id': null } : simple ? { '@id': value } : value
  if (!isRecord(entry)) throw invalid('invalid term definition', `The definition of “${term}” is not an object.`)
  if (++into.budget.depth > deepest) throw tooMuch('terms that depend on one another')
  const definition = read(into, term, entry, simple)
  into.budget.depth--
  if (definition === undefined) return
  for (const text of [definition.iri, definition.type, definition.language, definition.index]) assertShort(text)
  const kept = previous?.protected === true && !into.overrideProtected
  if (kept && !sameDefinition(definition, previous)) throw protectedTerm(term)
  terms.set(term, kept ? previous : definition)
  into.defined.set(term, true)
}
