import { hash } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { type Quad, type Term, toNTerm } from './quads.ts'

/** A dataset in canonical form (RDF Dataset Canonicalization 1.0). */
export type Canonical = {
  /** Canonical N-Quads, sorted by code point, without duplicates; each ends with a line feed. */
  lines: string[]
  /** The issued identifiers map: from `_:` labels of the input to `_:c14n…`. */
  labels: Map<string, string>
}

export type CanonizeOptions = {
  /** The hash algorithm of section 3. @default 'sha256' */
  hash?: 'sha256' | 'sha384'
}

/** A quad in parts, with what of it is a blank node. */
type Statement = { subject: string; predicate: string; object: string; graph: string; blank: BlankParts }
type BlankParts = { subject: boolean; object: boolean; graph: boolean }

/** Gives new labels in the order in which they are asked for (section 4.5, Issue Identifier). */
type Issuer = { prefix: string; issued: Map<string, string> }

type State = {
  digest(text: string): string
  /** Blank node to quads map. */
  mentions: Map<string, Statement[]>
  firstDegree: Map<string, string>
  canonical: Issuer
  /** What Hash N-Degree Quads may still do. */
  stepsLeft: number
}

/**
 * Steps of Hash N-Degree Quads that make a poison graph (section 7.1), each about 0.2 µs. The hardest graphs of the test
 * suite that are to be canonized take a quarter of it.
 */
const stepsMost = 100_000
/** Blank nodes that one call may follow one another into, before the stack is in danger. */
const depthMost = 500

const poisonous = (): Refusal =>
  new Refusal('rejected', 'document_poisonous', 'The blank nodes cannot be told apart within reason; name them.')

const issue = (issuer: Issuer, node: string): string => {
  const known = issuer.issued.get(node)
  if (known !== undefined) return known
  const label = `${issuer.prefix}${issuer.issued.size}`
  issuer.issued.set(node, label)
  return label
}

const copyOf = ({ prefix, issued }: Issuer): Issuer => ({ prefix, issued: new Map(issued) })

const surrogate = /[\ud800-\udfff]/

/** In code point order, which UTF-16 strings have unless there are surrogates among them. UTF-8 always has it. */
const sortByCodePoint = (texts: string[]): string[] => {
  if (!texts.some(text => surrogate.test(text))) return texts.sort()
  const keyed = texts.map(text => ({ text, bytes: Buffer.from(text) }))
  return keyed.sort((a, b) => Buffer.compare(a.bytes, b.bytes)).map(({ text }) => text)
}

const line = (subject: string, predicate: string, object: string, graph: string): string =>
  graph === '' ? `${subject} ${predicate} ${object} .\n` : `${subject} ${predicate} ${object} ${graph} .\n`

const isBlank = (term: Term): boolean => term.termType === 'BlankNode'

const statementOf = (quad: Quad): Statement => ({
  subject: toNTerm(quad.subject),
  predicate: toNTerm(quad.predicate),
  object: toNTerm(quad.object),
  graph: toNTerm(quad.graph),
  blank: { subject: isBlank(quad.subject), object: isBlank(quad.object), graph: isBlank(quad.graph) },
})

const mention = (mentions: Map<string, Statement[]>, node: string, statement: Statement): void => {
  const known = mentions.get(node)
  if (known === undefined) mentions.set(node, [statement])
  // A quad that mentions a node twice is in its mention set once.
  else if (known.at(-1) !== statement) known.push(statement)
}

/** Section 4.6, Hash First Degree Quads. */
const hashFirstDegree = (state: State, node: string): string => {
  const label = (text: string, blank: boolean) => (blank ? (text === node ? '_:a' : '_:z') : text)
  const lines = (state.mentions.get(node) ?? []).map(({ subject, predicate, object, graph, blank }) =>
    line(label(subject, blank.subject), predicate, label(object, blank.object), label(graph, blank.graph)),
  )
  return state.digest((lines.length === 1 ? lines : sortByCodePoint(lines)).join(''))
}

/** Section 4.7, Hash Related Blank Node. */
const hashRelated = (
  state: State,
  related: { node: string; predicate: string; position: 's' | 'o' | 'g' },
  issuer: Issuer,
): string => {
  const { node, predicate, position } = related
  const label = state.canonical.issued.get(node) ?? issuer.issued.get(node) ?? state.firstDegree.get(node)
  return state.digest(`${position}${position === 'g' ? '' : predicate}${label}`)
}

/** Steps 1 to 3 of section 4.8.3: the nodes that stand in a quad with this one, by the hash of how they do. */
const relatedNodes = (state: State, node: string, issuer: Issuer): { hash: string; nodes: string[] }[] => {
  const byHash = new Map<string, string[]>()
  const add = (related: string, predicate: string, position: 's' | 'o' | 'g'): void => {
    if (related === node) return
    const key = hashRelated(state, { node: related, predicate, position }, issuer)
    const nodes = byHash.get(key)
    if (nodes === undefined) byHash.set(key, [related])
    else nodes.push(related)
  }
  const mentions = state.mentions.get(node) ?? []
  spend(state, mentions.length)
  for (const { subject, predicate, object, graph, blank } of mentions) {
    if (blank.subject) add(subject, predicate, 's')
    if (blank.object) add(object, predicate, 'o')
    if (blank.graph) add(graph, predicate, 'g')
  }
  return [...byHash.keys()].sort().map(key => ({ hash: key, nodes: byHash.get(key) as string[] }))
}

/** Every order of the items; the array that is handed out is reused. */
function* permutations(items: string[], from = 0): Generator<string[]> {
  if (from >= items.length - 1) {
    yield items
    return
  }
  for (let at = from; at < items.length; at++) {
    swap(items, from, at)
    yield* permutations(items, from + 1)
    swap(items, from, at)
  }
}

const swap = (items: string[], a: number, b: number): void => {
  const kept = items[a] as string
  items[a] = items[b] as string
  items[b] = kept
}

const spend = (state: State, steps: number): void => {
  state.stepsLeft -= steps
  if (state.stepsLeft < 0) throw poisonous()
}

type Path = { path: string; issuer: Issuer }

/** Whether a path can no longer become the least one (steps 5.4.4.3 and 5.4.5.5). */
const isGreater = (path: string, chosen: Path | undefined): boolean =>
  chosen !== undefined && path.length >= chosen.path.length && path > chosen.path

/** Step 5.4 of section 4.8.3 for one order of the related nodes; undefined when another order is less. */
const pathOf = (
  state: State,
  order: readonly string[],
  { issuer, chosen, depth }: { issuer: Issuer; chosen: Path | undefined; depth: number },
): Path | undefined => {
  spend(state, order.length + issuer.issued.size)
  let copy = copyOf(issuer)
  let path = ''
  const recursion: string[] = []
  for (const related of order) {
    const canonical = state.canonical.issued.get(related)
    if (canonical === undefined && !copy.issued.has(related)) recursion.push(related)
    path += canonical ?? issue(copy, related)
    if (isGreater(path, chosen)) return undefined
  }
  for (const related of recursion) {
    const result = hashNDegree(state, related, copy, depth + 1)
    path += `${issue(copy, related)}<${result.hash}>`
    copy = result.issuer
    if (isGreater(path, chosen)) return undefined
  }
  return chosen === undefined || path < chosen.path ? { path, issuer: copy } : undefined
}

/** Section 4.8, Hash N-Degree Quads. */
const hashNDegree = (state: State, node: string, given: Issuer, depth: number): { hash: string; issuer: Issuer } => {
  if (depth > depthMost) throw poisonous()
  let issuer = given
  let data = ''
  for (const related of relatedNodes(state, node, issuer)) {
    let chosen: Path | undefined
    for (const order of permutations(related.nodes)) {
      chosen = pathOf(state, order, { issuer, chosen, depth }) ?? chosen
    }
    data += `${related.hash}${chosen?.path ?? ''}`
    issuer = chosen?.issuer ?? issuer
  }
  return { hash: state.digest(data), issuer }
}

/** Steps 3 and 4 of section 4.4.3: labels for nodes that their own quads tell apart. @returns the others, by hash. */
const labelUnique = (state: State): string[][] => {
  const byHash = new Map<string, string[]>()
  for (const node of state.mentions.keys()) {
    const key = hashFirstDegree(state, node)
    state.firstDegree.set(node, key)
    const nodes = byHash.get(key)
    if (nodes === undefined) byHash.set(key, [node])
    else nodes.push(node)
  }
  const shared: string[][] = []
  for (const key of [...byHash.keys()].sort()) {
    const nodes = byHash.get(key) as string[]
    if (nodes.length === 1) issue(state.canonical, nodes[0] as string)
    else shared.push(nodes)
  }
  return shared
}

/** Step 5 of section 4.4.3. */
const labelShared = (state: State, nodes: readonly string[]): void => {
  const results: { hash: string; issuer: Issuer }[] = []
  for (const node of nodes) {
    if (state.canonical.issued.has(node)) continue
    const temporary: Issuer = { prefix: '_:b', issued: new Map() }
    issue(temporary, node)
    results.push(hashNDegree(state, node, temporary, 0))
  }
  results.sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0))
  for (const { issuer } of results) for (const node of issuer.issued.keys()) issue(state.canonical, node)
}

/**
 * The canonical form of a dataset by RDFC-1.0 (section 4.4.3). Blank nodes that their own quads tell apart, as nearly
 * all are, cost one hash each; the others cost a bounded amount of work.
 * @throws Refusal rejected/document_poisonous
 */
export const canonize = (quads: readonly Quad[], options: CanonizeOptions = {}): Canonical => {
  const algorithm = options.hash ?? 'sha256'
  const mentions = new Map<string, Statement[]>()
  const statements = new Map<string, Statement>()
  for (const quad of quads) {
    const statement = statementOf(quad)
    const { subject, predicate, object, graph, blank } = statement
    const text = line(subject, predicate, object, graph)
    if (statements.has(text)) continue
    statements.set(text, statement)
    if (blank.subject) mention(mentions, subject, statement)
    if (blank.object) mention(mentions, object, statement)
    if (blank.graph) mention(mentions, graph, statement)
  }
  if (mentions.size === 0) return { lines: sortByCodePoint([...statements.keys()]), labels: new Map() }
  const state: State = {
    digest: text => hash(algorithm, text, 'hex'),
    mentions,
    firstDegree: new Map(),
    canonical: { prefix: '_:c14n', issued: new Map() },
    stepsLeft: stepsMost,
  }
  for (const nodes of labelUnique(state)) labelShared(state, nodes)
  const labels = state.canonical.issued
  const label = (text: string, blank: boolean) => (blank ? (labels.get(text) as string) : text)
  const lines = [...statements.values()].map(({ subject, predicate, object, graph, blank }) =>
    line(label(subject, blank.subject), predicate, label(object, blank.object), label(graph, blank.graph)),
  )
  return { lines: sortByCodePoint(lines), labels }
}
