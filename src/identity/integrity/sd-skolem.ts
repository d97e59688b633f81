import { randomUUID } from 'node:crypto'
import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import { isRecord } from '../formats/json.ts'
import { canonize } from '../linked-data/canonize.ts'
import type { Quad, Term } from '../linked-data/quads.ts'
import { toQuads } from '../linked-data/rdf.ts'
import { canonicalLabels } from './sd-labels.ts'

/**
 * Skolemization: every blank node of a compact document gets an id (a URN that nobody else uses), so that the statements
 * of a part of the document can be told to be statements of the whole (vc-di-ecdsa, sections 3.4.7 to 3.4.9). The
 * specification expands the document, adds ids and compacts it again. Here ids are added to the compact document itself,
 * and what makes the two the same is checked: the statements, with the ids read as blank nodes, stay what they were.
 */

export type Skolemized = {
  /** The document with an id at every node. */
  document: Record<string, unknown>
  /** Its statements, the ids read as blank nodes. */
  quads: Quad[]
  /** Blank node of `quads` → canonical label, without `_:`. */
  labels: Map<string, string>
  /** Reads the ids of a part of `document` as the same blank nodes. */
  quadsOf(part: Record<string, unknown>): Quad[]
}

type Naming = { node: Record<string, unknown>; member: string; id: string; was: unknown }

/** Statements that can be signed one by one; whoever issues more has to split the credential. */
const statementsMost = 1024
const nodesMost = 1024

/** How often statements are compared to find the objects that are no nodes (values, maps, literals): less for large ones. */
const attemptsFor = (nodes: number, characters: number): number =>
  Math.max(4, Math.min(128, Math.floor(8192 / nodes), Math.floor(0x80_0000 / characters)))

const unsupported = (why: string): Refusal =>
  new Refusal('rejected', 'selection_unsupported', `Parts of this document cannot be chosen: ${why}.`)

const withoutIds = (quads: readonly Quad[], prefix: string): Quad[] => {
  const read = (term: Term): Term =>
    term.termType === 'NamedNode' && term.value.startsWith(prefix)
      ? { termType: 'BlankNode', value: `_:${term.value.slice(prefix.length)}` }
      : term
  return quads.map(({ subject, predicate, object, graph }) => ({
    ...{ subject: read(subject), predicate, object: read(object), graph: read(graph) },
  }))
}

const isBlank = (term: Term): boolean => term.termType === 'BlankNode'

const idOf = (node: Record<string, unknown>): { member: string; value: unknown } | undefined => {
  const member = ['@id', 'id'].find(name => Object.hasOwn(node, name))
  return member === undefined ? undefined : { member, value: node[member] }
}

/** A copy in which no object stands twice, and the objects of it that may have to be named. */
const copied = (document: Record<string, unknown>, prefix: string) => {
  const unnamed: Naming[] = []
  const blank: Naming[] = []
  const note = (node: Record<string, unknown>, source: Record<string, unknown>): void => {
    const there = idOf(source)
    if (there === undefined && !Object.hasOwn(source, '@value')) {
      unnamed.push({ node, member: '@id', id: `${prefix}n${unnamed.length}`, was: undefined })
    } else if (typeof there?.value === 'string' && there.value.startsWith('_:')) {
      blank.push({ node, member: there.member, id: `${prefix}b${there.value.slice(2)}`, was: there.value })
    }
    if (unnamed.length + blank.length > nodesMost) throw unsupported(`it has more than ${nodesMost} objects`)
  }
  const copy = (value: unknown, top: boolean): unknown => {
    if (Array.isArray(value)) return value.map(item => copy(item, false))
    if (!isRecord(value)) return value
    if (!top && Object.hasOwn(value, '@context')) throw unsupported('it has an @context below its top level')
    const node: Record<string, unknown> = {}
    note(node, value)
    for (const [name, member] of Object.entries(value)) {
      node[name] = name === '@context' || name === '@value' ? structuredClone(member) : copy(member, false)
    }
    return node
  }
  return { document: copy(document, true) as Record<string, unknown>, unnamed, blank }
}

const name = (namings: readonly Naming[]): void => {
  for (const { node, member, id } of namings) node[member] = id
}

const unname = (namings: readonly Naming[]): void => {
  for (const { node, member, was } of namings) {
    if (was === undefined) delete node[member]
    else node[member] = was
  }
}

/** Names whatever `settles`: all at once, or the halves of what does not. */
const nameNodes = (namings: readonly Naming[], attemptsMost: number, settles: () => boolean): void => {
  let attempts = 0
  const settle = (some: readonly Naming[]): void => {
    if (some.length === 0) return
    if (++attempts > attemptsMost) throw unsupported('too many of its objects are no nodes')
    name(some)
    if (settles()) return
    unname(some)
    if (some.length === 1) return
    const half = some.length >> 1
    settle(some.slice(0, half))
    settle(some.slice(half))
  }
  settle(namings)
}

type Reading = { named: Quad[]; quads: Quad[]; labels: Map<string, string> }

/** The statements of a document with ids, unless they differ from what they were without. */
const readingOf = (document: Record<string, unknown>, prefix: string, statements: string): Reading | undefined => {
  try {
    const named = toQuads(document)
    const quads = withoutIds(named, prefix)
    const { lines, labels } = canonize(quads)
    return lines.join('') === statements ? { named, quads, labels } : undefined
  } catch (error) {
    // An id at what is no node (a value, a map of languages) is against the rules of JSON-LD.
    if (isRefusal(error)) return undefined
    throw error
  }
}

/**
 * @throws Refusal rejected/selection_unsupported for a document with blank nodes that no id can be given to: ordered
 *   lists, named graphs, `@context` below the top level; too_large/statements_many
 */
export const skolemized = (source: Record<string, unknown>): Skolemized => {
  const { lines } = canonize(toQuads(source))
  if (lines.length > statementsMost) {
    const detail = `A document whose parts can be chosen has ${statementsMost} statements at most.`
    throw new Refusal('too_large', 'statements_many', detail)
  }
  const statements = lines.join('')
  const prefix = `urn:bnid:${randomUUID()}:`
  const { document, unnamed, blank } = copied(source, prefix)
  name(blank)
  let reading = unnamed.length === 0 ? readingOf(document, prefix, statements) : undefined
  nameNodes(unnamed, attemptsFor(unnamed.length, statements.length), () => {
    const next = readingOf(document, prefix, statements)
    reading = next ?? reading
    return next !== undefined
  })
  const whole = reading?.named.every(quad => ![quad.subject, quad.object, quad.graph].some(isBlank))
  if (reading === undefined || !whole) {
    throw unsupported('it has an ordered list, a named graph or another node that no id can be given to')
  }
  const quadsOf = (part: Record<string, unknown>): Quad[] => withoutIds(toQuads(part), prefix)
  return { document, quads: reading.quads, labels: canonicalLabels(reading.labels), quadsOf }
}
