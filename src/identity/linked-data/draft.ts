import type { Direction } from './active-context.ts'
import { invalid, termUnknown } from './errors.ts'
import { type Expanded, type ListObject, type NodeObject, nodeOf, type ValueObject } from './expanded.ts'
import { isBlankNode, isIri } from './iri.ts'

/** An object while its members are read: what it is shows when all of them are. */
export type Draft = {
  /** What will stand if it is a node. */
  node: NodeObject
  /** Keywords that were read, to see the same one twice. */
  seen: Set<string>
  value: unknown
  /** As written, for a refusal to name. */
  typeTerms: string[]
  typeIsArray: boolean
  language: string | null
  direction: Direction | null
  list: Expanded[] | null
  set: Expanded[] | null
}

export const newDraft = (): Draft => ({
  node: nodeOf(null),
  seen: new Set(),
  value: undefined,
  typeTerms: [],
  typeIsArray: false,
  language: null,
  direction: null,
  list: null,
  set: null,
})

const ofValues = new Set(['@value', '@type', '@language', '@direction', '@index'])

const hasOtherThan = ({ node, seen }: Draft, allowed: ReadonlySet<string>): boolean => {
  if (node.properties.size > 0 || node.reverse !== null) return true
  for (const keyword of seen) if (!allowed.has(keyword)) return true
  return false
}

const datatypeOf = ({ node, typeTerms, typeIsArray }: Draft): string | null => {
  const [type] = node.types
  if (type === undefined) return null
  if (typeIsArray) throw invalid('invalid typed value', 'A value has one type, not a list of them.')
  if (type === '@json' || isIri(type)) return type
  if (!type.includes(':')) throw termUnknown(typeTerms[0] ?? type, 'type')
  throw invalid('invalid typed value', `The type “${type.slice(0, 120)}” of a value is not an IRI.`)
}

const finishValue = (draft: Draft): ValueObject => {
  const { value, language, direction, node } = draft
  if (hasOtherThan(draft, ofValues)) throw invalid('invalid value object', 'A value has members that no value has.')
  const type = datatypeOf(draft)
  if (type !== null && (language !== null || direction !== null))
    throw invalid('invalid value object', 'A value has a type and also a language or a direction.')
  if (type !== '@json') {
    if (value === null) throw invalid('null @value value', 'A value of null would not be covered by a proof.')
    if (language !== null && typeof value !== 'string')
      throw invalid('invalid language-tagged value', 'Only a string has a language.')
    if (direction !== null && typeof value !== 'string')
      throw invalid('invalid value object', 'Only a string has a direction.')
  }
  return { kind: 'value', value, type, language, direction, index: node.index }
}

const ofLists = new Set(['@list', '@index'])
const ofSets = new Set(['@set', '@index'])

const assertTypes = ({ node, typeTerms }: Draft): void => {
  for (const [at, type] of node.types.entries())
    if (!isIri(type) && !isBlankNode(type)) throw termUnknown(typeTerms[at] ?? type, 'type')
}

const finishNode = (draft: Draft): NodeObject => {
  if (draft.language !== null || draft.direction !== null)
    throw invalid('object with only @language', 'A language or a direction stands without a @value.')
  assertTypes(draft)
  return draft.node
}

/**
 * What the members of an object make of it (JSON-LD 1.1 API, section 5.1.2, steps 15 to 18). Where the algorithm
 * drops something, this refuses: what is dropped would not be covered by a proof.
 */
export const finish = (draft: Draft): Expanded | Expanded[] => {
  if (draft.seen.has('@value')) return finishValue(draft)
  if (draft.list !== null) {
    if (hasOtherThan(draft, ofLists)) throw invalid('invalid set or list object', 'A list has members of its own.')
    const list: ListObject = { kind: 'list', items: draft.list, index: draft.node.index }
    return list
  }
  if (draft.set !== null) {
    if (hasOtherThan(draft, ofSets)) throw invalid('invalid set or list object', 'A set has members of its own.')
    return draft.set
  }
  return finishNode(draft)
}
