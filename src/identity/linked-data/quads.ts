import { Refusal } from '../../kernel/refusal.ts'

/** A node of an RDF dataset (RDF 1.1 Concepts, section 3). Blank nodes are written with their prefix: `_:b0`. */
export type Term = {
  termType: 'NamedNode' | 'BlankNode' | 'Literal' | 'DefaultGraph'
  value: string
  /** IRI; of literals only. */
  datatype?: string
  /** BCP 47 tag in lower case; of literals of the type rdf:langString only. */
  language?: string
}

export type Quad = { subject: Term; predicate: Term; object: Term; graph: Term }

export const defaultGraph: Term = { termType: 'DefaultGraph', value: '' }

export const xsdString = 'http://www.w3.org/2001/XMLSchema#string'
export const rdfLangString = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#langString'

// Canonical N-Quads: what has a short escape, other controls, and what XML 1.1 calls no character.
// biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what is looked for.
const unsafe = /[\u0000-\u001F\u007F"\\\uFFFE\uFFFF]/
const unsafeAll = new RegExp(unsafe.source, 'g')
const short: Record<string, string> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
}

const escapeOne = (character: string): string =>
  short[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`

const escaped = (text: string): string => (unsafe.test(text) ? text.replace(unsafeAll, escapeOne) : text)

/** A term of an N-Quads statement in canonical form (RDF Dataset Canonicalization, section 5); '' for the default graph. */
export const toNTerm = (term: Term): string => {
  switch (term.termType) {
    case 'NamedNode':
      return `<${term.value}>`
    case 'BlankNode':
      return term.value
    case 'DefaultGraph':
      return ''
    case 'Literal': {
      const text = `"${escaped(term.value)}"`
      if (term.language !== undefined) return `${text}@${term.language}`
      return term.datatype === undefined || term.datatype === xsdString ? text : `${text}^^<${term.datatype}>`
    }
  }
}

/** A statement in canonical N-Quads, with its line feed (RDF Dataset Canonicalization, section 5). */
export const toNQuad = ({ subject, predicate, object, graph }: Quad): string => {
  const triple = `${toNTerm(subject)} ${toNTerm(predicate)} ${toNTerm(object)}`
  return graph.termType === 'DefaultGraph' ? `${triple} .\n` : `${triple} ${toNTerm(graph)} .\n`
}

// RDF 1.1 N-Quads, section 4.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the production of IRIREF excludes controls.
const iriRef = /<((?:[^\u0000-\u0020<>"{}|^`\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*)>/y
const blank = /_:[\p{L}\p{N}_:](?:[\p{L}\p{N}\p{M}_:.\u00B7\u203F\u2040-]*[\p{L}\p{N}\p{M}_:\u00B7-])?/uy
const quoted = /"((?:[^"\\\n\r]|\\[tbnrf"'\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*)"/y
const languageTag = /@([A-Za-z]+(?:-[A-Za-z0-9]+)*)/y
const space = /[ \t]*/y
const end = /\.[ \t]*(?:#[^\n\r]*)?$/y
const escapes = /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g
const long: Record<string, string> = { t: '\t', b: '\b', n: '\n', r: '\r', f: '\f', '"': '"', "'": "'", '\\': '\\' }

const malformedQuads = (line: number): Refusal =>
  new Refusal('malformed', 'credential_malformed', `Line ${line} is not a statement in N-Quads.`)

const unescaped = (text: string, line: number): string => {
  if (!text.includes('\\')) return text
  return text.replace(escapes, (_, four?: string, eight?: string, one?: string) => {
    if (one !== undefined) return long[one] ?? one
    const code = Number.parseInt(four ?? eight ?? '', 16)
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw malformedQuads(line)
    return String.fromCodePoint(code)
  })
}

/** Reads one line of N-Quads from left to right. */
const parseLine = (text: string, line: number): Quad => {
  let at = 0
  const next = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found === null) return undefined
    at = pattern.lastIndex
    return found[1] ?? found[0]
  }
  const named = (): Term | undefined => {
    const value = next(iriRef)
    return value === undefined ? undefined : { termType: 'NamedNode', value: unescaped(value, line) }
  }
  const resource = (): Term | undefined => {
    const iri = named()
    if (iri !== undefined) return iri
    const value = next(blank)
    return value === undefined ? undefined : { termType: 'BlankNode', value }
  }
  const literal = (): Term | undefined => {
    const raw = next(quoted)
    if (raw === undefined) return undefined
    const value = unescaped(raw, line)
    const language = next(languageTag)
    if (language !== undefined)
      return { termType: 'Literal', value, datatype: rdfLangString, language: language.toLowerCase() }
    if (!text.startsWith('^^', at)) return { termType: 'Literal', value, datatype: xsdString }
    at += 2
    const datatype = named()
    return datatype === undefined ? undefined : { termType: 'Literal', value, datatype: datatype.value }
  }
  const wanted = (term: Term | undefined): Term => {
    if (term === undefined) throw malformedQuads(line)
    next(space)
    return term
  }
  next(space)
  const subject = wanted(resource())
  const predicate = wanted(named())
  const object = wanted(resource() ?? literal())
  const graph = resource()
  next(space)
  if (next(end) === undefined) throw malformedQuads(line)
  return { subject, predicate, object, graph: graph ?? defaultGraph }
}

/**
 * The statements of a document in N-Quads (RDF 1.1 N-Quads); empty lines and comments are passed over.
 * @throws Refusal malformed/credential_malformed
 */
export const parseNQuads = (text: string): Quad[] => {
  const quads: Quad[] = []
  for (const [at, line] of text.split(/\r\n|\n|\r/).entries())
    if (!/^[ \t]*(?:#|$)/.test(line)) quads.push(parseLine(line, at + 1))
  return quads
}
