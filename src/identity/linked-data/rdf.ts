import { isRecord, malformed } from '../formats/json.ts'
import { invalid, tooMuch } from './errors.ts'
import { expand } from './expand.ts'
import { type Expanded, isGraphOnly, type ListObject, type NodeObject } from './expanded.ts'
import { isBlankNode } from './iri.ts'
import { toLiteral } from './literals.ts'
import { rootContext } from './process.ts'
import { defaultGraph, type Quad, type Term } from './quads.ts'

const rdf = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
const iri = (value: string): Term => ({ termType: 'NamedNode', value })
const rdfType = iri(`${rdf}type`)
const rdfFirst = iri(`${rdf}first`)
const rdfRest = iri(`${rdf}rest`)
const rdfNil = iri(`${rdf}nil`)

/** Levels of a document. */
const depthMost = 64
/** Members and items of a document. */
const valuesMost = 65_536
/** Terms that contexts of one document define beyond what is known already; the VC contexts together have some 700. */
const termsMost = 16_384
/** Characters of all statements together: contexts make long identifiers of short terms. */
const charactersMost = 4 * 2 ** 20

/** Refuses what is not JSON, what two readers could read differently, and what is too much. */
const assertBounded = (document: unknown): void => {
  let values = 0
  const walk = (value: unknown, depth: number): void => {
    if (typeof value === 'string') {
      if (!value.isWellFormed()) throw malformed('The document holds half a surrogate pair.')
      return
    }
    if (typeof value === 'boolean' || value === null) return
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) throw malformed('A number of the document is too large.')
      return
    }
    if (typeof value !== 'object') throw malformed(`The document holds a ${typeof value}, which JSON has not.`)
    if (depth > depthMost) throw tooMuch('levels')
    if (Array.isArray(value)) {
      values += value.length
      if (values > valuesMost) throw tooMuch('members')
      for (const item of value) walk(item, depth + 1)
      return
    }
    const names = Object.keys(value)
    values += names.length
    if (values > valuesMost) throw tooMuch('members')
    for (const name of names) {
      if (name === '__proto__') throw malformed('The document has a member named __proto__.')
      if (!name.isWellFormed()) throw malformed('The document holds half a surrogate pair.')
      walk((value as Record<string, unknown>)[name], depth + 1)
    }
  }
  walk(document, 0)
}

type Writing = {
  quads: Quad[]
  seen: Set<string>
  /** New labels of blank nodes by those of the document. */
  labels: Map<string, string>
  nodes: number
  characters: number
  /** `@index` by node: one node has one. */
  indexes: Map<string, string>
}

const keyOf = ({ termType, value, datatype, language }: Term): string =>
  termType === 'Literal' ? `"${value}"${datatype}@${language ?? ''}` : value

const write = (into: Writing, subject: Term, predicate: Term, object: Term, graph: Term): void => {
  // Spaces part the identifiers, which hold none; only the object can hold some, and stands last.
  const key = `${subject.value} ${predicate.value} ${graph.value} ${keyOf(object)}`
  if (into.seen.has(key)) return
  into.seen.add(key)
  into.characters += key.length
  if (into.characters > charactersMost) throw tooMuch('statements')
  into.quads.push({ subject, predicate, object, graph })
}

const freshBlank = (into: Writing): Term => ({ termType: 'BlankNode', value: `_:b${into.nodes++}` })

/** Generate Blank Node Identifier (JSON-LD 1.1 API, section 7.4). */
const blank = (into: Writing, label: string): Term => {
  const known = into.labels.get(label)
  if (known !== undefined) return { termType: 'BlankNode', value: known }
  const term = freshBlank(into)
  into.labels.set(label, term.value)
  return term
}

const resource = (into: Writing, id: string): Term => (isBlankNode(id) ? blank(into, id) : iri(id))

/** List to RDF Conversion (section 8.3.2). */
const writeList = (into: Writing, { items }: ListObject, graph: Term): Term => {
  let rest = rdfNil
  const cells = items.map(item => ({ item, cell: freshBlank(into) }))
  for (const { item, cell } of cells.reverse()) {
    write(into, cell, rdfFirst, writeItem(into, item, graph), graph)
    write(into, cell, rdfRest, rest, graph)
    rest = cell
  }
  return rest
}

const assertIndex = (into: Writing, { index }: NodeObject, subject: Term, graph: Term): void => {
  if (index === null) return
  const key = `${subject.value} ${graph.value}`
  const known = into.indexes.get(key)
  if (known !== undefined && known !== index) throw invalid('conflicting indexes', 'A node has two indexes.')
  into.indexes.set(key, index)
}

const saysNothing = ({ types, properties, reverse, graph, included }: NodeObject): boolean =>
  types.length === 0 && properties.size === 0 && reverse === null && graph === null && included === null

/** Nodes of a graph. What the algorithms drop there (section 5.1.2, step 19) is refused. */
const writeGraph = (into: Writing, items: Expanded[], graph: Term): void => {
  for (const item of items) {
    if (item.kind !== 'node') throw invalid('free-floating scalar', 'A value or a list belongs to no property.')
    if (saysNothing(item)) throw invalid('free-floating node', 'An object says nothing, or nothing but its id.')
    writeNode(into, item, graph)
  }
}

/** What a node says, and the term that stands for it (Node Map Generation and Deserialize, sections 7.2 and 8.1). */
const writeNode = (into: Writing, node: NodeObject, graph: Term): Term => {
  const subject = node.id === null ? freshBlank(into) : resource(into, node.id)
  assertIndex(into, node, subject, graph)
  for (const type of node.types) write(into, subject, rdfType, resource(into, type), graph)
  for (const [property, items] of node.properties) {
    const predicate = iri(property)
    for (const item of items) write(into, subject, predicate, writeItem(into, item, graph), graph)
  }
  for (const [property, nodes] of node.reverse ?? [])
    for (const other of nodes) write(into, writeNode(into, other, graph), iri(property), subject, graph)
  if (node.graph !== null) writeGraph(into, node.graph, subject)
  if (node.included !== null) writeGraph(into, node.included, graph)
  return subject
}

const writeItem = (into: Writing, item: Expanded, graph: Term): Term => {
  switch (item.kind) {
    case 'value':
      return toLiteral(item)
    case 'list':
      return writeList(into, item, graph)
    case 'node':
      return writeNode(into, item, graph)
  }
}

/**
 * The RDF dataset of a JSON-LD document (JSON-LD 1.1 API, section 8.1), always in safe mode: what the algorithms would
 * drop is refused, and contexts are those known here; nothing is fetched. Language tags are in lower case (section
 * 4.1.2, step 5.9), base directions stand in datatypes (`rdfDirection` i18n-datatype); `@index` says
 * nothing in RDF, and is refused as what is dropped.
 * @param document parsed JSON; is not changed.
 * @param options.base what relative references are relative to; without one they are refused.
 * @param options.indexes whether names pass that JSON-LD reads and no statement has: `@index`, words for `@none`.
 * @returns quads in no particular order, each once; blank nodes are `_:b0`, `_:b1`, ….
 * @throws Refusal malformed/credential_malformed, rejected/term_unknown, rejected/context_unknown,
 *   rejected/term_redefined, rejected/document_poisonous
 */
export const toQuads = (document: unknown, options: { base?: string; indexes?: boolean } = {}): Quad[] => {
  assertBounded(document)
  if (!isRecord(document) && !Array.isArray(document)) throw malformed('The document is not a JSON object.')
  const base = options.base ?? null
  const state = { base, budget: { terms: termsMost, depth: 0 }, indexes: options.indexes ?? false }
  const expanded = expand(state, rootContext(options.base), null, undefined, document)
  const into: Writing = {
    quads: [],
    seen: new Set(),
    labels: new Map(),
    nodes: 0,
    characters: 0,
    indexes: new Map(),
  }
  if (Array.isArray(expanded)) writeGraph(into, expanded, defaultGraph)
  else if (isGraphOnly(expanded) && expanded.id === null && expanded.index === null)
    writeGraph(into, expanded.graph ?? [], defaultGraph)
  else writeGraph(into, [expanded], defaultGraph)
  return into.quads
}
