import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonize as reference } from 'rdf-canonize'
import { canonize } from '../../../src/identity/linked-data/canonize.ts'
import { parseNQuads, type Quad, type Term, toNQuad } from '../../../src/identity/linked-data/quads.ts'

type Vector = {
  id: string
  name: string
  input: string
  hash?: 'sha384'
  canonical?: string
  labels?: Record<string, string>
}
const vectors = JSON.parse(readFileSync(new URL('vectors/rdfc-1.0.json', import.meta.url), 'utf8')) as Vector[]
const computable = vectors.filter(vector => vector.canonical !== undefined)

const blank = (name: string | number): Term => ({ termType: 'BlankNode', value: `_:${name}` })
const named = (name: string): Term => ({ termType: 'NamedNode', value: `urn:${name}` })
const unnamed: Term = { termType: 'DefaultGraph', value: '' }
const quad = (subject: Term, object: Term, graph = unnamed): Quad => ({ subject, predicate: named('p'), object, graph })
const text = (quads: Quad[]): string => canonize(quads).lines.join('')

const clique = (size: number): Quad[] =>
  Array.from({ length: size * size }, (_, at) => quad(blank(Math.floor(at / size)), blank(at % size)))
const circle = (size: number): Quad[] =>
  Array.from({ length: size }, (_, at) => quad(blank(at), blank((at + 1) % size)))

describe('RDF Dataset Canonicalization 1.0, section 4.4 (RDFC-1.0)', () => {
  it.each(computable)('$id, $name', ({ input, hash, canonical }) => {
    expect(canonize(parseNQuads(input), hash === undefined ? {} : { hash }).lines.join('')).toBe(canonical)
  })

  it.each(vectors.filter(vector => vector.labels !== undefined))(
    'issues the identifiers of $id to its blank nodes',
    ({ input, hash, labels = {} }) => {
      const expected = Object.entries(labels).map(([from, to]) => [`_:${from}`, `_:${to}`])
      const issued = canonize(parseNQuads(input), hash === undefined ? {} : { hash }).labels
      expect(Object.fromEntries(issued)).toEqual(Object.fromEntries(expected))
    },
  )

  it('has the whole published suite before it', () => {
    expect({ all: vectors.length, computable: computable.length }).toEqual({ all: 65, computable: 64 })
  })
})

describe('dataset poisoning, section 7.1', () => {
  it.each(vectors.filter(vector => vector.canonical === undefined))('refuses $id, $name', ({ input }) => {
    expect(() => canonize(parseNQuads(input))).toThrow(expect.objectContaining({ code: 'document_poisonous' }))
  })

  it.each([
    ['a clique of 6', clique(6)],
    ['a clique of 60', clique(60)],
    ['a circle of 200', circle(200)],
    ['a circle of 20,000', circle(20_000)],
  ])('refuses %s, and soon', (_, quads) => {
    const start = performance.now()
    expect(() => canonize(quads)).toThrow(expect.objectContaining({ kind: 'rejected', code: 'document_poisonous' }))
    expect(performance.now() - start).toBeLessThan(2_000)
  })

  it('takes many blank nodes where their own statements tell them apart or nothing follows from them', () => {
    const leaves = Array.from({ length: 5_000 }, (_, at) => quad(blank(at), named(`object-${at % 7}`)))
    expect(canonize(leaves).labels.size).toBe(5_000)
  })
})

describe('the canonical form', () => {
  const term = fc.oneof(
    fc.integer({ min: 0, max: 4 }).map(blank),
    fc.constantFrom('a', 'b').map(named),
    fc
      .string({ unit: 'grapheme', maxLength: 3 })
      .map((value): Term => ({ termType: 'Literal', value, datatype: 'http://www.w3.org/2001/XMLSchema#string' })),
  )
  const resource = term.filter(each => each.termType !== 'Literal')
  const statement = fc
    .tuple(resource, fc.constantFrom('p', 'q'), term, fc.oneof(fc.constant(unnamed), resource))
    .map(([subject, predicate, object, graph]): Quad => ({ subject, predicate: named(predicate), object, graph }))
  const dataset = fc.array(statement, { maxLength: 9 })

  it('does not depend on the order of statements, nor on how blank nodes are called, nor on repetition', () => {
    const renamed = (each: Term): Term =>
      each.termType === 'BlankNode' ? blank(`z${9 - Number(each.value.slice(2))}`) : each
    fc.assert(
      fc.property(dataset, quads => {
        const other = quads
          .map(each => ({
            ...each,
            subject: renamed(each.subject),
            object: renamed(each.object),
            graph: renamed(each.graph),
          }))
          .reverse()
        expect(text([...other, ...other.slice(0, 2)])).toBe(text(quads))
      }),
      { numRuns: 300 },
    )
  })

  it('is what another implementation makes of the same statements', async () => {
    await fc.assert(
      fc.asyncProperty(dataset, async quads => {
        // The other one sorts by UTF-16, which is not the order of the specification.
        fc.pre(!quads.some(({ object }) => /[\ud800-\udfff]/.test(object.value)))
        const input = quads.map(toNQuad).join('')
        const options = { algorithm: 'RDFC-1.0', inputFormat: 'application/n-quads', maxWorkFactor: 3 }
        expect(text(quads)).toBe(await reference(input, options))
      }),
      { numRuns: 200 },
    )
  })

  it('is in the order of code points, which is not that of UTF-16', () => {
    const literals = ['\u{1F600}', '\uFF5E', 'z'].map((value): Term => ({ termType: 'Literal', value }))
    const lines = canonize(literals.map(object => quad(named('s'), object))).lines
    expect(lines.map(line => line.split('"')[1])).toEqual(['z', '\uFF5E', '\u{1F600}'])
  })
})
