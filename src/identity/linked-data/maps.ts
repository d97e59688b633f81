import { type Context, container, type Definition, expandVocab } from './active-context.ts'
import { invalid, termUnknown } from './errors.ts'
import { asArray, type Expansion, expand, expandedId, expandValue, unsaid } from './expand.ts'
import { type Expanded, graphOf, isGraphOnly, literalOf, type NodeObject } from './expanded.ts'
import { isBlankNode, isIri, isLanguageTag } from './iri.ts'
import { withScopedContext } from './process.ts'

/** Another word for `@none` could be any word. */
const assertSaid = ({ indexes }: Expansion, isNone: boolean, key: string): void => {
  if (isNone && key !== '@none' && !indexes) throw unsaid(key)
}

/** A map of strings by language (JSON-LD 1.1 API, section 5.1.2, step 13.7). */
export const expandLanguageMap = (
  state: Expansion,
  context: Context,
  definition: Definition,
  map: Record<string, unknown>,
): Expanded[] => {
  const direction = definition.direction === undefined ? context.direction : definition.direction
  const values: Expanded[] = []
  for (const key of Object.keys(map)) {
    const none = expandVocab(context, key) === '@none'
    assertSaid(state, none, key)
    if (!none && !isLanguageTag(key))
      throw invalid('invalid @language value', `“${key.slice(0, 40)}” in a language map is not a language tag.`)
    const language = none ? null : key.toLowerCase()
    for (const item of asArray(map[key])) {
      if (typeof item !== 'string')
        throw invalid('invalid language map value', 'A language map holds strings and nothing else.')
      values.push(literalOf(item, null, language, direction))
    }
  }
  return values
}

/** The context for what stands under a key of a map (step 13.8.3.1). */
const contextUnder = (state: Expansion, context: Context, { container: held }: Definition, key: string): Context => {
  if ((held & (container.id | container.type)) === 0) return context
  const start = context.previous ?? context
  const definition = (held & container.type) === 0 ? undefined : start.terms.get(key)
  return definition === undefined ? start : withScopedContext(start, definition, 'map', state.budget)
}

const nodeOnly = (item: Expanded, error: string): NodeObject => {
  if (item.kind === 'node') return item
  throw invalid(error, 'A map by id, by type or by a property holds nodes and nothing else.')
}

const addIndexProperty = (context: Context, item: Expanded, index: string, key: string): void => {
  const node = nodeOnly(item, 'invalid value object')
  const property = expandVocab(context, index)
  if (property === null || !isIri(property)) throw termUnknown(index)
  const value = expandValue(context, context.terms.get(index), key)
  node.properties.set(property, [value, ...(node.properties.get(property) ?? [])])
}

/** A map of values by index, identifier or type (JSON-LD 1.1 API, section 5.1.2, step 13.8). */
export const expandIndexMap = (
  state: Expansion,
  context: Context,
  property: string,
  definition: Definition,
  map: Record<string, unknown>,
): Expanded[] => {
  const { container: held, index = '@index' } = definition
  const values: Expanded[] = []
  for (const key of Object.keys(map)) {
    const under = contextUnder(state, context, definition, key)
    const expandedKey = expandVocab(context, key)
    const named = expandedKey !== '@none'
    assertSaid(state, !named, key)
    const expanded = expand(state, under, property, under.terms.get(property), asArray(map[key]), true)
    for (const found of Array.isArray(expanded) ? expanded : [expanded]) {
      const item = (held & container.graph) !== 0 && !isGraphOnly(found) ? graphOf([found]) : found
      if (!named) {
        // "@none" says that there is nothing to be said.
      } else if ((held & container.index) !== 0) {
        if (index !== '@index') addIndexProperty(context, item, index, key)
        else if (state.indexes) item.index ??= key
        else throw unsaid(key)
      } else if ((held & container.id) !== 0) {
        const node = nodeOnly(item, 'value in a map of nodes')
        const id = expandedId(context, key)
        // The node's own id is what is stated.
        if (node.id !== null && node.id !== id && !state.indexes) throw unsaid(key)
        node.id ??= id
      } else {
        if (expandedKey === null || !(isIri(expandedKey) || isBlankNode(expandedKey))) throw termUnknown(key, 'type')
        nodeOnly(item, 'value in a map of nodes').types.unshift(expandedKey)
      }
      values.push(item)
    }
  }
  return values
}
