import type { Direction } from './active-context.ts'

/** A literal: `@value` with what belongs to it. */
export type ValueObject = {
  kind: 'value'
  value: unknown
  /** IRI or `@json`. */
  type: string | null
  language: string | null
  direction: Direction | null
  index: string | null
}

export type ListObject = { kind: 'list'; items: Expanded[]; index: string | null }

export type NodeObject = {
  kind: 'node'
  /** IRI or blank node identifier. */
  id: string | null
  types: string[]
  /** Values by the IRI of their property. */
  properties: Map<string, Expanded[]>
  reverse: Map<string, NodeObject[]> | null
  graph: Expanded[] | null
  included: NodeObject[] | null
  index: string | null
}

/** Part of a document in expanded form (JSON-LD 1.1, section 9.1). */
export type Expanded = ValueObject | ListObject | NodeObject

export const literalOf = (
  value: unknown,
  type: string | null,
  language: string | null = null,
  direction: Direction | null = null,
): ValueObject => ({ kind: 'value', value, type, language, direction, index: null })

export const nodeOf = (id: string | null): NodeObject => ({
  kind: 'node',
  id,
  types: [],
  properties: new Map(),
  reverse: null,
  graph: null,
  included: null,
  index: null,
})

export const graphOf = (items: Expanded[]): NodeObject => {
  const node = nodeOf(null)
  node.graph = items
  return node
}

/** Whether a node is a graph and nothing else, so that only its name and its index may be beside it. */
export const isGraphOnly = (node: Expanded): node is NodeObject =>
  node.kind === 'node' &&
  node.graph !== null &&
  node.types.length === 0 &&
  node.properties.size === 0 &&
  node.reverse === null &&
  node.included === null

export const addTo = <Item>(map: Map<string, Item[]>, key: string, items: Item[]): void => {
  const held = map.get(key)
  if (held === undefined) map.set(key, items)
  else for (const item of items) held.push(item)
}
