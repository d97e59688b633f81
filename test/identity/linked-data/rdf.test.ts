import { describe, expect, it } from '@jest/globals'
import { withContexts } from '../../../src/identity/linked-data/contexts.ts'
import { toNQuad } from '../../../src/identity/linked-data/quads.ts'
import { toQuads } from '../../../src/identity/linked-data/rdf.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'

const v2 = 'https://www.w3.org/ns/credentials/v2'
const examples = 'https://www.w3.org/ns/credentials/examples/v2'

const credential = (members: object = {}, contexts: unknown = [v2]) => ({
  '@context': contexts,
  type: 'VerifiableCredential',
  issuer: 'did:example:issuer',
  credentialSubject: { id: 'did:example:subject' },
  ...members,
})

const lines = (document: unknown): string[] => toQuads(document).map(toNQuad).sort()
const code = (document: unknown): string => {
  try {
    toQuads(document)
  } catch (error) {
    if (error instanceof Refusal) return `${error.kind}/${error.code}`
    throw error
  }
  return 'not refused'
}
const withTerms = (context: object, members: object) => ({ '@context': context, ...members })

describe('the dataset of a document', () => {
  it('is that of a credential', () => {
    expect(lines(credential({ validFrom: '2025-01-01T00:00:00Z', name: 'A name' }))).toEqual([
      '_:b0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/2018/credentials#VerifiableCredential> .\n',
      '_:b0 <https://schema.org/name> "A name" .\n',
      '_:b0 <https://www.w3.org/2018/credentials#credentialSubject> <did:example:subject> .\n',
      '_:b0 <https://www.w3.org/2018/credentials#issuer> <did:example:issuer> .\n',
      '_:b0 <https://www.w3.org/2018/credentials#validFrom> "2025-01-01T00:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .\n',
    ])
  })

  it('holds each statement once', () => {
    const document = withTerms({ p: 'urn:p' }, { '@id': 'urn:s', p: ['a', 'a', { '@value': 'a' }] })
    expect(lines(document)).toEqual(['<urn:s> <urn:p> "a" .\n'])
  })

  it('has a presented credential in a graph of its own, with the contexts of the presentation undone', () => {
    const presented = { ...credential(), credentialSubject: { id: 'did:example:s', alumniOf: 'a school' } }
    const document = {
      '@context': v2,
      type: 'VerifiablePresentation',
      verifiableCredential: [{ ...presented, '@context': [v2, examples] }],
    }
    const [inGraph] = lines(document).filter(line => line.includes('alumniOf'))
    expect(inGraph).toMatch(
      /^<did:example:s> <https:\/\/www\.w3\.org\/ns\/credentials\/examples#alumniOf> .* _:b\d+ \.\n$/,
    )
    expect(code({ ...document, verifiableCredential: [{ ...presented, '@context': [v2] }] })).toBe(
      'rejected/term_unknown',
    )
  })

  it.each([
    [1, '"1"^^<http://www.w3.org/2001/XMLSchema#integer>'],
    [-0, '"0"^^<http://www.w3.org/2001/XMLSchema#integer>'],
    [1e20, '"100000000000000000000"^^<http://www.w3.org/2001/XMLSchema#integer>'],
    [1e21, '"1.0E21"^^<http://www.w3.org/2001/XMLSchema#double>'],
    [0.1, '"1.0E-1"^^<http://www.w3.org/2001/XMLSchema#double>'],
    [1e-7, '"1.0E-7"^^<http://www.w3.org/2001/XMLSchema#double>'],
    [-12.5, '"-1.25E1"^^<http://www.w3.org/2001/XMLSchema#double>'],
    [true, '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'],
    [
      { '@value': 2, '@type': 'http://www.w3.org/2001/XMLSchema#double' },
      '"2.0E0"^^<http://www.w3.org/2001/XMLSchema#double>',
    ],
    [
      { '@value': { b: 1, a: [1e2] }, '@type': '@json' },
      '"{\\"a\\":[100],\\"b\\":1}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>',
    ],
    [{ '@value': 'x', '@language': 'DE-ch' }, '"x"@de-ch'],
    [{ '@value': 'x', '@language': 'AR', '@direction': 'rtl' }, '"x"^^<https://www.w3.org/ns/i18n#ar_rtl>'],
    ['tab\t"quoted"\u0000', '"tab\\t\\"quoted\\"\\u0000"'],
  ])('writes %j as %s (JSON-LD 1.1 API, section 8.6)', (value, literal) => {
    expect(lines(withTerms({ p: 'urn:p' }, { '@id': 'urn:s', p: value }))).toEqual([`<urn:s> <urn:p> ${literal} .\n`])
  })

  it('does not depend on documents before', () => {
    const first = withTerms({ p: 'urn:first' }, { p: 'x' })
    const second = withTerms({ p: 'urn:second' }, { p: 'x' })
    const before = lines(first)
    for (let at = 0; at < 1200; at++) toQuads(withTerms({ p: `urn:other:${at}` }, { p: 'x' }))
    expect(lines(second)).toEqual(['_:b0 <urn:second> "x" .\n'])
    expect(lines(first)).toEqual(before)
  })

  it('leaves the document as it was', () => {
    const document = credential({ name: ['a'] }, [v2, { '@language': 'en' }])
    const before = structuredClone(document)
    toQuads(document)
    expect(document).toEqual(before)
  })

  it('knows the contexts of the agency once they are given', () => {
    const url = 'https://agency.example/contexts/permit/v1'
    const document = credential({ type: ['VerifiableCredential', 'Permit'], permitNumber: 'A1' }, [v2, url])
    expect(code(document)).toBe('rejected/context_unknown')
    withContexts({ [url]: { '@context': { Permit: 'urn:permit', permitNumber: 'urn:permit#number' } } })
    expect(lines(document)).toContain('_:b0 <urn:permit#number> "A1" .\n')
    withContexts({ [url]: { '@context': { permitNumber: 'urn:permit#number', Permit: 'urn:permit' } } })
    expect(() => withContexts({ [url]: { '@context': {} } })).toThrow('known already')
  })
})

describe('safe mode refuses what a proof would not cover', () => {
  it.each([
    ['a term that no context defines', credential({ nickname: 'x' }), 'rejected/term_unknown'],
    [
      'an @index',
      withTerms({ p: 'urn:p' }, { p: { '@id': 'urn:o', '@index': 'x' } }),
      'malformed/credential_malformed',
    ],
    [
      'a word for @index',
      withTerms({ role: '@index', p: 'urn:p' }, { p: 'x', role: 'admin' }),
      'malformed/credential_malformed',
    ],
    [
      'an index of values',
      withTerms({ p: { '@id': 'urn:p', '@container': '@index' } }, { p: { admin: 'x' } }),
      'malformed/credential_malformed',
    ],
    [
      'a word for @none in a map',
      withTerms({ admin: '@none', p: { '@id': 'urn:p', '@container': '@language' } }, { p: { admin: 'x' } }),
      'malformed/credential_malformed',
    ],
    [
      'an id of a map beside the id of what it holds',
      withTerms({ p: { '@id': 'urn:p', '@container': '@id' } }, { p: { 'urn:admin': { '@id': 'urn:user', p: {} } } }),
      'malformed/credential_malformed',
    ],
    ['such a term in a nested object', credential({ credentialSubject: { alumniOf: 'x' } }), 'rejected/term_unknown'],
    [
      'a type that no context defines',
      credential({ type: ['VerifiableCredential', 'Unknown'] }),
      'rejected/term_unknown',
    ],
    [
      'a term that a context maps to nothing',
      withTerms({ '@vocab': 'urn:v#', p: null }, { p: 'x' }),
      'rejected/term_unknown',
    ],
    ['a term in the form of a keyword', withTerms({ '@vocab': 'urn:v#' }, { '@later': 'x' }), 'rejected/term_unknown'],
    ['a member named constructor', credential({ constructor: 'x' }), 'rejected/term_unknown'],
    ['a member named hasOwnProperty', credential({ hasOwnProperty: 'x' }), 'rejected/term_unknown'],
    ['a type named toString', credential({ type: ['VerifiableCredential', 'toString'] }), 'rejected/term_unknown'],
    [
      'a member named __proto__',
      JSON.parse('{"@context":{"@vocab":"urn:v#"},"__proto__":{"a":1}}'),
      'malformed/credential_malformed',
    ],
    ['a context that is not known', credential({}, [v2, 'https://a.example/ctx']), 'rejected/context_unknown'],
    ['a context by a relative reference', credential({}, [v2, 'ctx']), 'rejected/context_unknown'],
    [
      'an import that is not known',
      withTerms({ '@import': 'https://a.example/ctx' }, { a: 1 }),
      'rejected/context_unknown',
    ],
    [
      'an unknown context scoped to a type',
      withTerms({ T: { '@id': 'urn:T', '@context': 'https://a.example/ctx' } }, { '@type': 'T' }),
      'rejected/context_unknown',
    ],
    ['a relative id', credential({ id: 'credential/1' }), 'malformed/credential_malformed'],
    ['a relative id of an issuer', credential({ issuer: 'issuer' }), 'malformed/credential_malformed'],
    ['an id with a space', credential({ id: 'urn:a b' }), 'malformed/credential_malformed'],
    ['an id with two fragments', credential({ id: 'urn:a#b#c' }), 'malformed/credential_malformed'],
    ['an id that is no string', credential({ id: 5 }), 'malformed/credential_malformed'],
    ['a null', credential({ name: null }), 'malformed/credential_malformed'],
    ['a null in an array', credential({ name: ['a', null] }), 'malformed/credential_malformed'],
    ['a value of null', credential({ name: { '@value': null } }), 'malformed/credential_malformed'],
    [
      'a language tag that is none',
      credential({ name: { '@value': 'x', '@language': 'a b' } }),
      'malformed/credential_malformed',
    ],
    [
      'a default language that is none',
      credential({ name: 'x' }, [v2, { '@language': 'a b' }]),
      'malformed/credential_malformed',
    ],
    ['a language without a value', credential({ name: { '@language': 'en' } }), 'malformed/credential_malformed'],
    ['a property that is a blank node', withTerms({ p: '_:p' }, { p: 'x' }), 'malformed/credential_malformed'],
    [
      'a presented credential that is only a reference',
      { '@context': v2, type: 'VerifiablePresentation', verifiableCredential: 'urn:c' },
      'malformed/credential_malformed',
    ],
    ['an object with nothing but an id', { '@context': v2, id: 'urn:a' }, 'malformed/credential_malformed'],
    ['an object that says nothing', {}, 'malformed/credential_malformed'],
    ['an array in a list', withTerms({ p: 'urn:p' }, { p: { '@list': [['a']] } }), 'malformed/credential_malformed'],
    ['a string', 'x', 'malformed/credential_malformed'],
    ['half a surrogate pair', credential({ name: '\ud800' }), 'malformed/credential_malformed'],
    ['an infinite number', credential({ name: Number.POSITIVE_INFINITY }), 'malformed/credential_malformed'],
    ['what is not JSON', credential({ name: undefined }), 'malformed/credential_malformed'],
  ])('%s', (_, document, refusal) => {
    expect(code(document)).toBe(refusal)
  })

  it('and names the term', () => {
    expect(() => toQuads(credential({ nickname: 'x' }))).toThrow('“nickname”')
  })
})

describe('protected terms (JSON-LD 1.1, section 4.1.11)', () => {
  it.each([
    ['redefined by the document', credential({}, [v2, { name: 'urn:other' }])],
    ['redefined by an object of the document', credential({ issuer: { id: 'did:a', '@context': { name: 'urn:x' } } })],
    [
      'redefined for a type',
      credential({}, [v2, { T: { '@id': 'urn:T', '@context': { name: 'urn:x' } } }, { name: 'urn:x' }]),
    ],
    ['undone by null', credential({}, [v2, null])],
    ['undone one by one', credential({}, [v2, { name: null }])],
    ['turned around', credential({}, [v2, { name: { '@reverse': 'https://schema.org/name' } }])],
    ['given another type', credential({}, [v2, { name: { '@id': 'https://schema.org/name', '@type': '@id' } }])],
    ['given a scoped context', credential({}, [v2, { name: { '@id': 'https://schema.org/name', '@context': {} } }])],
    ['made an alias of a keyword', credential({}, [v2, { id: 'urn:id' }])],
  ])('are not %s', (_, document) => {
    expect(code(document)).toBe('rejected/term_redefined')
  })

  it('win over what the document says before', () => {
    const document = credential({}, [{ issuer: 'urn:other', name: 'urn:other' }, v2])
    expect(lines(document)).toEqual(lines(credential()))
  })

  it('may be defined the same again', () => {
    expect(code(credential({}, [v2, v2, { name: 'https://schema.org/name' }]))).toBe('not refused')
  })
})

describe('a document is bounded', () => {
  const nested = (levels: number): unknown => {
    let document: object = { '@type': 'urn:T' }
    for (let at = 0; at < levels; at++) document = { 'urn:p': document }
    return document
  }

  it('in its levels', () => {
    expect(code(nested(60))).toBe('not refused')
    expect(code(nested(70))).toBe('rejected/document_poisonous')
    expect(code(nested(200_000))).toBe('rejected/document_poisonous')
  })

  it('in its members', () => {
    const members = (count: number) => ({ 'urn:p': Array.from({ length: count }, (_, at) => at) })
    expect(code(members(1000))).toBe('not refused')
    expect(code(members(70_000))).toBe('rejected/document_poisonous')
  })

  it('in what its contexts define', () => {
    const scoped = Object.fromEntries(
      Array.from({ length: 2000 }, (_, at) => [`t${at}`, { '@id': `urn:${at}`, '@context': v2 }]),
    )
    expect(code(withTerms(scoped, { t1: { '@type': 'urn:T' } }))).toBe('rejected/document_poisonous')
    const many = Array.from({ length: 20_000 }, () => ({}))
    expect(code(credential({}, [v2, ...many]))).toBe('rejected/document_poisonous')
  })

  it('in the length of what it says', () => {
    const long = `urn:${'x'.repeat(20_000)}`
    const document = withTerms({}, { 'urn:p': Array.from({ length: 2000 }, () => ({ [long]: 1 })) })
    expect(code(document)).toBe('rejected/document_poisonous')
  })

  it.each([
    ['a term', { p: `urn:${'x'.repeat(2000)}` }],
    ['the type of a term', { p: { '@id': 'urn:p', '@type': `urn:${'x'.repeat(2000)}` } }],
    ['a vocabulary', { p: 'urn:p', '@vocab': `urn:${'x'.repeat(2000)}` }],
    ['a base', { p: 'urn:p', '@base': `urn:${'x'.repeat(2000)}` }],
    ['a language', { p: 'urn:p', '@language': 'x'.repeat(2000) }],
  ])('in the length of what a context makes of a short name (%s)', (_name, context) => {
    expect(code(withTerms(context, { p: 'x' }))).toBe('rejected/document_poisonous')
  })

  it('in how many terms depend on one another', () => {
    const chained = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, at) => [`t${at}`, at + 1 < count ? `t${at + 1}:x` : 'urn:p']),
      )
    expect(code(withTerms(chained(40), { t0: 'x' }))).toBe('not refused')
    expect(code(withTerms(chained(8000), { t0: 'x' }))).toBe('rejected/document_poisonous')
  })

  it('in contexts that name themselves', () => {
    const url = 'https://agency.example/contexts/self/v1'
    withContexts({ [url]: { '@context': [url, { p: 'urn:p' }] } })
    expect(code(withTerms([url], { p: 'x' }))).toBe('rejected/document_poisonous')
  })
})
