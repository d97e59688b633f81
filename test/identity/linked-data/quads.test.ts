import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseNQuads, type Quad, type Term, toNQuad } from '../../../src/identity/linked-data/quads.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'

const named = fc
  .constantFrom('urn:a', 'https://a.example/?b=c#d', 'urn:é')
  .map((value): Term => ({ termType: 'NamedNode', value }))
const blank = fc.constantFrom('_:b0', '_:c14n12', '_:a.b').map((value): Term => ({ termType: 'BlankNode', value }))
const text = fc.string({ unit: 'binary' }).filter(value => value.isWellFormed())
const literal = fc.oneof(
  text.map((value): Term => ({ termType: 'Literal', value, datatype: 'http://www.w3.org/2001/XMLSchema#string' })),
  text.map((value): Term => ({ termType: 'Literal', value, datatype: 'urn:datatype' })),
  text.map(
    (value): Term => ({
      termType: 'Literal',
      value,
      datatype: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#langString',
      language: 'de-ch',
    }),
  ),
)
const quad: fc.Arbitrary<Quad> = fc.record({
  subject: fc.oneof(named, blank),
  predicate: named,
  object: fc.oneof(named, blank, literal),
  graph: fc.oneof(named, blank, fc.constant<Term>({ termType: 'DefaultGraph', value: '' })),
})

describe('N-Quads', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(quad), quads => {
        expect(parseNQuads(quads.map(toNQuad).join(''))).toEqual(quads)
      }),
    )
  })

  it('escape what canonical N-Quads escapes, and nothing else (RDF Dataset Canonicalization, section 5)', () => {
    const value = '\b\t\n\f\r"\\\u0000\u000b\u007f\ufffe é😀\u0080'
    const line = toNQuad({
      subject: { termType: 'NamedNode', value: 'urn:s' },
      predicate: { termType: 'NamedNode', value: 'urn:p' },
      object: { termType: 'Literal', value },
      graph: { termType: 'DefaultGraph', value: '' },
    })
    expect(line).toBe('<urn:s> <urn:p> "\\b\\t\\n\\f\\r\\"\\\\\\u0000\\u000B\\u007F\\uFFFE é😀\u0080" .\n')
  })

  it('may have comments, empty lines and tight statements', () => {
    expect(parseNQuads('# first\n\n<urn:s><urn:p>"a"@EN<urn:g>.# last\r\n_:s <urn:p> _:o .')).toHaveLength(2)
  })

  it.each([
    ['no end', '<urn:s> <urn:p> <urn:o>'],
    ['a blank predicate', '<urn:s> _:p <urn:o> .'],
    ['a literal for a subject', '"s" <urn:p> <urn:o> .'],
    ['a literal for a graph', '<urn:s> <urn:p> <urn:o> "g" .'],
    ['a space in an IRI', '<urn:s s> <urn:p> <urn:o> .'],
    ['an unknown escape', '<urn:s> <urn:p> "\\x" .'],
    ['half a surrogate pair', '<urn:s> <urn:p> "\\uD800" .'],
    ['a code point too high', '<urn:s> <urn:p> "\\U00110000" .'],
    ['a datatype that is no IRI', '<urn:s> <urn:p> "a"^^b .'],
    ['too many terms', '<urn:s> <urn:p> <urn:o> <urn:g> <urn:h> .'],
    ['nothing but a dot', '.'],
  ])('are refused with %s', (_, line) => {
    expect(() => parseNQuads(line)).toThrow(Refusal)
  })
})
