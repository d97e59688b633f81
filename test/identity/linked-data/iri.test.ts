import { describe, expect, it } from '@jest/globals'
import { isIri, isLanguageTag, resolveIri } from '../../../src/identity/linked-data/iri.ts'

describe('a reference is resolved (RFC 3986, section 5.4)', () => {
  it.each([
    ['g:h', 'g:h'],
    ['g', 'http://a/b/c/g'],
    ['./g', 'http://a/b/c/g'],
    ['g/', 'http://a/b/c/g/'],
    ['/g', 'http://a/g'],
    ['//g', 'http://g'],
    ['?y', 'http://a/b/c/d;p?y'],
    ['g?y', 'http://a/b/c/g?y'],
    ['#s', 'http://a/b/c/d;p?q#s'],
    ['g#s', 'http://a/b/c/g#s'],
    ['g?y#s', 'http://a/b/c/g?y#s'],
    [';x', 'http://a/b/c/;x'],
    ['g;x', 'http://a/b/c/g;x'],
    ['g;x?y#s', 'http://a/b/c/g;x?y#s'],
    ['', 'http://a/b/c/d;p?q'],
    ['.', 'http://a/b/c/'],
    ['./', 'http://a/b/c/'],
    ['..', 'http://a/b/'],
    ['../', 'http://a/b/'],
    ['../g', 'http://a/b/g'],
    ['../..', 'http://a/'],
    ['../../', 'http://a/'],
    ['../../g', 'http://a/g'],
    ['../../../g', 'http://a/g'],
    ['../../../../g', 'http://a/g'],
    ['/./g', 'http://a/g'],
    ['/../g', 'http://a/g'],
    ['g.', 'http://a/b/c/g.'],
    ['.g', 'http://a/b/c/.g'],
    ['g..', 'http://a/b/c/g..'],
    ['..g', 'http://a/b/c/..g'],
    ['./../g', 'http://a/b/g'],
    ['./g/.', 'http://a/b/c/g/'],
    ['g/./h', 'http://a/b/c/g/h'],
    ['g/../h', 'http://a/b/c/h'],
    ['g;x=1/./y', 'http://a/b/c/g;x=1/y'],
    ['g;x=1/../y', 'http://a/b/c/y'],
    ['g?y/./x', 'http://a/b/c/g?y/./x'],
    ['g?y/../x', 'http://a/b/c/g?y/../x'],
    ['g#s/./x', 'http://a/b/c/g#s/./x'],
    ['g#s/../x', 'http://a/b/c/g#s/../x'],
    ['http:g', 'http:g'],
  ])('%s', (reference, target) => {
    expect(resolveIri('http://a/b/c/d;p?q', reference)).toBe(target)
  })

  it('against a base without a path', () => {
    expect(resolveIri('http://a', 'b')).toBe('http://a/b')
  })
})

describe('an IRI', () => {
  it.each(['urn:a', 'did:web:a.example#k', 'https://a.example/é?x=[1]', 'data:application/vc+jwt,ey.J', 'tag:'])(
    '%s',
    text => {
      expect(isIri(text)).toBe(true)
    },
  )
  it.each([
    'a',
    '',
    ':a',
    '1a:b',
    'a b:c',
    'urn:a b',
    'urn:<',
    'urn:"',
    'urn:{',
    'urn:\\',
    'urn:^',
    'urn:`',
    'urn:|',
    'urn:\n',
    'urn:a#b#c',
    'urn:a\n',
  ])('is not %j', text => {
    expect(isIri(text)).toBe(false)
  })
})

describe('a language tag (BCP 47, section 2.2.9)', () => {
  it.each(['en', 'de-CH', 'zh-Hant-TW', 'x-private', 'en-1994'])('%s', tag => {
    expect(isLanguageTag(tag)).toBe(true)
  })
  it.each(['', 'a b', 'en_US', 'en-', '1en', 'en-toolonglong', 'en\n'])('is not %j', tag => {
    expect(isLanguageTag(tag)).toBe(false)
  })
})
