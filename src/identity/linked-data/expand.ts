import { isRecord } from '../formats/json.ts'
import { type Context, container, type Definition, expandId, expandType, expandVocab } from './active-context.ts'
import { type Draft, finish, newDraft } from './draft.ts'
import { invalid, termUnknown } from './errors.ts'
import { addTo, type Expanded, graphOf, literalOf, type NodeObject, nodeOf } from './expanded.ts'
import { isBlankNode, isIri, isKeyword, isLanguageTag } from './iri.ts'
import { expandIndexMap, expandLanguageMap } from './maps.ts'
import { type Budget, withDocumentContext, withScopedContext } from './process.ts'

/** What stays the same all through a document. */
export type Expansion = {
  base: string | null
  budget: Budget
  /** Whether names that JSON-LD reads and no statement has (`@index`) may stand in the document. */
  indexes: boolean
}

/** What a name says beside the statements would be read by some, and covered by no proof. */
export const unsaid = (name: string): Error =>
  invalid('unsigned name', `“${name.slice(0, 40)}” indexes values, which no proof would cover; leave the index out.`)

export const asArray = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

const listed = (expanded: Expanded | Expanded[]): Expanded[] => (Array.isArray(expanded) ? expanded : [expanded])

/** An identifier that a statement can be made about, or a refusal: a relative one would be dropped. */
export const expandedId = (context: Context, value: string): string => {
  const id = expandId(context, value)
  if (id !== null && (isIri(id) || isBlankNode(id))) return id
  // The value stays out of the refusal: it may be somebody's name.
  throw invalid('relative @id reference', 'An id, or a value that has to be one, is not an absolute IRI.')
}

/** Value Expansion (JSON-LD 1.1 API, section 5.3). */
export const expandValue = (
  context: Context,
  definition: Definition | undefined,
  value: string | number | boolean,
): Expanded => {
  const type = definition?.type
  if (typeof value === 'string') {
    if (type === '@id') return nodeOf(expandedId(context, value))
    if (type === '@vocab') {
      const id = expandType(context, value)
      if (id === null || !(isIri(id) || isBlankNode(id)))
        throw invalid('relative @vocab reference', 'A value that has to be a term or an IRI is neither.')
      return nodeOf(id)
    }
  }
  if (type !== undefined && type !== '@id' && type !== '@vocab' && type !== '@none') return literalOf(value, type)
  if (typeof value !== 'string') return literalOf(value, null)
  const language = definition?.language === undefined ? context.language : definition.language
  const direction = definition?.direction === undefined ? context.direction : definition.direction
  if (language !== null && !isLanguageTag(language))
    throw invalid('invalid @language value', `The language “${language.slice(0, 40)}” of a context is not a tag.`)
  return literalOf(value, null, language, direction)
}

/** Whether an object is a value or nothing but a reference, so that a context that does not propagate still holds. */
const keepsContext = (context: Context, element: Record<string, unknown>): boolean => {
  const keys = Object.keys(element)
  if (keys.length === 1 && expandVocab(context, keys[0] ?? '') === '@id') return true
  return keys.some(key => expandVocab(context, key) === '@value')
}

/** Contexts scoped to the types of an object (section 5.1.2, step 11). */
const withTypes = (
  state: Expansion,
  start: Context,
  element: Record<string, unknown>,
  typeKeys: readonly string[],
): Context => {
  let context = start
  for (const key of typeKeys) {
    const terms = asArray(element[key]).filter(term => typeof term === 'string')
    for (const term of terms.length > 1 ? terms.sort() : terms) {
      const definition = start.terms.get(term)
      if (definition?.scoped !== undefined) context = withScopedContext(context, definition, 'type', state.budget)
    }
  }
  return context
}

const typeKeysOf = (context: Context, element: Record<string, unknown>): string[] => {
  const found: string[] = []
  for (const key of Object.keys(element))
    if (key === '@type' || context.terms.get(key)?.iri === '@type') found.push(key)
  return found.length > 1 ? found.sort() : found
}

type Reading = {
  state: Expansion
  /** For types, which a context that they bring does not reach. */
  typeScoped: Context
  /** The expanded type if the object is a value: `@json` lets it be anything. */
  inputType: string | null
  draft: Draft
}

const readType = ({ draft, typeScoped }: Reading, value: unknown): void => {
  const array = Array.isArray(value)
  for (const term of asArray(value)) {
    if (typeof term !== 'string') throw invalid('invalid type value', 'A type has to be a string.')
    const type = expandType(typeScoped, term)
    if (type === null) throw termUnknown(term, 'type')
    draft.node.types.push(type)
    draft.typeTerms.push(term)
  }
  draft.typeIsArray ||= array || draft.node.types.length > 1
}

const readReverse = (reading: Reading, context: Context, value: unknown): void => {
  if (!isRecord(value)) throw invalid('invalid @reverse value', 'A @reverse has to be an object.')
  const { node } = expandMembers(reading.state, context, '@reverse', undefined, value, false)
  const { node: into } = reading.draft
  for (const [property, items] of node.reverse ?? []) addTo<Expanded>(into.properties, property, items)
  for (const [property, items] of node.properties) addReverse(into, property, items)
}

const addReverse = (into: NodeObject, property: string, items: Expanded[]): void => {
  const nodes: NodeObject[] = []
  for (const item of items) {
    if (item.kind !== 'node') throw invalid('invalid reverse property value', 'Only a node has a reverse property.')
    nodes.push(item)
  }
  into.reverse ??= new Map()
  addTo(into.reverse, property, nodes)
}

const readIncluded = (reading: Reading, context: Context, value: unknown): void => {
  const { node } = reading.draft
  node.included ??= []
  for (const item of listed(expand(reading.state, context, null, undefined, value))) {
    if (item.kind !== 'node') throw invalid('invalid @included value', 'Only nodes are included.')
    node.included.push(item)
  }
}

const readString = (keyword: string, value: unknown): string => {
  if (typeof value === 'string') return value
  const error = keyword === '@language' ? 'invalid language-tagged string' : `invalid ${keyword} value`
  throw invalid(error, `A member that stands for ${keyword} has to be a string.`)
}

/** A member of which the key stands for a keyword (section 5.1.2, step 13.4). */
const readKeyword = (reading: Reading, context: Context, property: string | null, keyword: string, value: unknown) => {
  const { draft, state } = reading
  if (property === '@reverse') throw invalid('invalid reverse property map', 'A @reverse has no keywords in it.')
  if (draft.seen.has(keyword) && keyword !== '@included' && keyword !== '@type')
    throw invalid('colliding keywords', `An object has two members that stand for ${keyword}.`)
  draft.seen.add(keyword)
  const { node } = draft
  switch (keyword) {
    case '@id':
      node.id = expandedId(context, readString(keyword, value))
      return
    case '@type':
      return readType(reading, value)
    case '@graph':
      node.graph = listed(expand(state, context, '@graph', undefined, value))
      return
    case '@included':
      return readIncluded(reading, context, value)
    case '@value':
      if (reading.inputType !== '@json' && typeof value === 'object' && value !== null)
        throw invalid('invalid value object value', 'A @value is a string, a number or a boolean.')
      draft.value = value
      return
    case '@language':
      draft.language = readString(keyword, value).toLowerCase()
      if (!isLanguageTag(draft.language)) throw invalid('invalid @language value', 'A @language is not a language tag.')
      return
    case '@direction':
      if (value !== 'ltr' && value !== 'rtl') throw invalid('invalid base direction', 'A @direction is ltr or rtl.')
      draft.direction = value
      return
    case '@index':
      if (!state.indexes) throw unsaid(keyword)
      node.index = readString(keyword, value)
      return
    case '@list':
      draft.list = expandList(state, context, property, value)
      return
    case '@set':
      draft.set = listed(expand(state, context, property, definitionOf(context, property), value))
      return
    case '@reverse':
      return readReverse(reading, context, value)
    default:
      throw invalid('keyword out of place', `A member stands for ${keyword}, which has no place there.`)
  }
}

/**
 * What an explicit `@list` holds. An array in it is a list of its own where the term says so; elsewhere the
 * algorithm takes it for more items of the same list and widespread processors do not, so it is refused.
 */
const expandList = (state: Expansion, context: Context, property: string | null, value: unknown): Expanded[] => {
  const definition = definitionOf(context, property)
  if (definition !== undefined && (definition.container & container.list) !== 0)
    return listed(expand(state, context, property, definition, value))
  return asArray(value).map(item => {
    const expanded = expand(state, context, property, definition, item)
    if (Array.isArray(expanded)) throw invalid('invalid set or list object', 'A list holds an array or a set.')
    return expanded
  })
}

const definitionOf = (context: Context, property: string | null): Definition | undefined =>
  property === null ? undefined : context.terms.get(property)

/** The values of a member, by what its term says of containers (section 5.1.2, steps 13.5 to 13.12). */
const expandProperty = (
  state: Expansion,
  context: Context,
  key: string,
  definition: Definition | undefined,
  value: unknown,
): Expanded[] => {
  if (definition === undefined) return listed(expand(state, context, key, undefined, value))
  const { container: held } = definition
  let expanded: Expanded | Expanded[]
  if (definition.type === '@json') expanded = literalOf(value, '@json')
  else if ((held & container.language) !== 0 && isRecord(value))
    expanded = expandLanguageMap(state, context, definition, value)
  else if ((held & (container.index | container.type | container.id)) !== 0 && isRecord(value))
    expanded = expandIndexMap(state, context, key, definition, value)
  else expanded = expand(state, context, key, definition, value)
  const items = listed(expanded)
  if ((held & container.list) !== 0 && (Array.isArray(expanded) || expanded.kind !== 'list'))
    return [{ kind: 'list', items, index: null }]
  if ((held & container.graph) !== 0 && (held & (container.id | container.index)) === 0)
    return items.map(item => graphOf([item]))
  return items
}

const readNested = (reading: Reading, context: Context, key: string, value: unknown): void => {
  const definition = context.terms.get(key)
  const inner =
    definition === undefined ? context : withScopedContext(context, definition, 'property', reading.state.budget)
  for (const nested of asArray(value)) {
    if (!isRecord(nested)) throw invalid('invalid @nest value', 'What is nested has to be an object.')
    for (const name of Object.keys(nested))
      if (expandVocab(inner, name) === '@value') throw invalid('invalid @nest value', 'What is nested has a @value.')
    readMembers(reading, inner, key, nested)
  }
}

/** Members of an object, each into the draft (section 5.1.2, steps 13 and 14). */
const readMembers = (
  reading: Reading,
  context: Context,
  property: string | null,
  element: Record<string, unknown>,
): void => {
  const { draft, state } = reading
  const nests: string[] = []
  for (const key of Object.keys(element)) {
    if (key === '@context') continue
    const value = element[key]
    const iri = expandVocab(context, key)
    if (iri === null) throw termUnknown(key)
    if (iri.charCodeAt(0) === 0x40 && isKeyword(iri)) {
      if (iri === '@nest') nests.push(key)
      else readKeyword(reading, context, property, iri, value)
      continue
    }
    if (!isIri(iri)) {
      if (isBlankNode(iri)) throw invalid('blank node predicate', `The property “${key}” is a blank node.`)
      throw termUnknown(key)
    }
    const definition = context.terms.get(key)
    const items = expandProperty(state, context, key, definition, value)
    if (definition?.reverse === true) addReverse(draft.node, iri, items)
    else addTo(draft.node.properties, iri, items)
  }
  for (const key of nests) readNested(reading, context, key, element[key])
}

const expandMembers = (
  state: Expansion,
  active: Context,
  property: string | null,
  definition: Definition | undefined,
  element: Record<string, unknown>,
  fromMap: boolean,
): Draft => {
  let context = active
  if (context.previous !== null && !fromMap && !keepsContext(context, element)) context = context.previous
  if (definition?.scoped !== undefined) context = withScopedContext(context, definition, 'property', state.budget)
  if (Object.hasOwn(element, '@context'))
    context = withDocumentContext(context, element['@context'], state.base, state.budget)
  const typeScoped = context
  const draft = newDraft()
  const reading: Reading = { state, typeScoped, inputType: null, draft }
  const typeKeys = typeKeysOf(context, element)
  if (typeKeys.length > 0) {
    context = withTypes(state, context, element, typeKeys)
    const last = asArray(element[typeKeys[0] ?? '']).at(-1)
    if (typeof last === 'string') reading.inputType = expandType(context, last)
  }
  readMembers(reading, context, property, element)
  return draft
}

const expandArray = (
  state: Expansion,
  context: Context,
  property: string | null,
  definition: Definition | undefined,
  items: unknown[],
  fromMap: boolean,
): Expanded[] => {
  const result: Expanded[] = []
  const list = definition !== undefined && (definition.container & container.list) !== 0
  for (const item of items) {
    const expanded = expand(state, context, property, definition, item, fromMap)
    if (!Array.isArray(expanded)) result.push(expanded)
    else if (list) result.push({ kind: 'list', items: expanded, index: null })
    else for (const inner of expanded) result.push(inner)
  }
  return result
}

/**
 * Expansion (JSON-LD 1.1 API, section 5.1.2) in safe mode: where the algorithm drops a null, a term, a relative
 * identifier or what floats freely, this refuses.
 * @param property the active property; null at the top.
 * @param definition what the context says of the property, before a context of its own is applied.
 * @throws Refusal malformed/credential_malformed, rejected/term_unknown, rejected/context_unknown,
 *   rejected/term_redefined, rejected/document_poisonous
 */
export const expand = (
  state: Expansion,
  context: Context,
  property: string | null,
  definition: Definition | undefined,
  element: unknown,
  fromMap = false,
): Expanded | Expanded[] => {
  if (typeof element === 'string' || typeof element === 'number' || typeof element === 'boolean') {
    if (definition?.scoped === undefined || property === null) return expandValue(context, definition, element)
    const scoped = withScopedContext(context, definition, 'property', state.budget)
    return expandValue(scoped, scoped.terms.get(property), element)
  }
  if (Array.isArray(element)) return expandArray(state, context, property, definition, element, fromMap)
  if (!isRecord(element)) throw invalid('null value', 'A null would not be covered by a proof; leave the member out.')
  return finish(expandMembers(state, context, property, definition, element, fromMap))
}
