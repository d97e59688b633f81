import fc from 'fast-check'
import { isLanguageTag, isMediaType, isUrl, timeOf } from '../../../src/identity/model/values.ts'

describe('an absolute URL (VC Data Model 2.0, section 4.4)', () => {
  it.each([
    'did:example:123',
    'did:web:example.org%3A3000:a#key-1',
    'did:example:123?versionId=1#a',
    'urn:uuid:0c07c1ce-57cb-41af-bef2-1b932b986873',
    'https://id.example/things#123',
    'HTTPS://id.example',
    'http://[::1]:8080/',
    'https://例え.example/ü',
    'data:application/vc+jwt,a.b.c',
    'tag:example.org,2020:a',
    'mailto:a@example.org',
  ])('is %s', text => {
    expect(isUrl(text)).toBe(true)
  })

  it.each(
    [
      [
        '',
        'example',
        'example.org',
        '/path',
        '#fragment',
        '//example.org/',
        '_:b0',
        ':a',
        'a:',
        '1a:b',
        'did:',
        'did:a',
      ],
      [
        'did:Example:1',
        'did:example:',
        'did:example:a b',
        'https ://a',
        'https://a b/',
        'https://',
        'http://[::1',
        ' a:b',
      ],
      [
        'a:b ',
        'a:b\n',
        'a:<b>',
        'a:"b"',
        'a:{b}',
        'a:b\\c',
        'a:b|c',
        'a:b^c',
        'a:`b`',
        null,
        1,
        {},
        ['a:b'],
        undefined,
      ],
    ].flat(),
  )('is not %j', value => {
    expect(isUrl(value)).toBe(false)
  })
})

describe('a dateTimeStamp (XML Schema 1.1 part 2, section 3.4.28)', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T00:00:00.0019Z', 1],
    ['1970-01-01T00:00:00.5-00:00', 500],
    ['1970-01-01T01:00:00+01:00', 0],
    ['1969-12-31T10:00:00-14:00', 0],
    ['1970-01-01T24:00:00Z', 86_400_000],
    ['1970-12-31T24:00:00.00Z', 365 * 86_400_000],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['12024-02-29T00:00:00Z', Date.UTC(12_024, 1, 29)],
    ['0050-01-01T00:00:00Z', Date.parse('0050-01-01T00:00:00Z')],
    ['-0001-01-01T00:00:00Z', Date.parse('-000001-01-01T00:00:00Z')],
  ])('%s is %d', (text, time) => {
    expect(timeOf(text)).toBe(time)
  })

  it.each(
    [
      [
        '1970-01-01T00:00:00',
        '1970-01-01 00:00:00Z',
        '1970-01-01T00:00Z',
        '1970-01-01T00:00:00z',
        '1970-01-01t00:00:00Z',
      ],
      [
        '1970-1-1T00:00:00Z',
        '970-01-01T00:00:00Z',
        '01970-01-01T00:00:00Z',
        '+1970-01-01T00:00:00Z',
        '1970-13-01T00:00:00Z',
      ],
      [
        '1970-04-31T00:00:00Z',
        '2023-02-29T00:00:00Z',
        '1970-01-00T00:00:00Z',
        '1970-01-01T24:00:01Z',
        '1970-01-01T25:00:00Z',
      ],
      ['1970-01-01T00:60:00Z', '1970-01-01T00:00:60Z', '1970-01-01T00:00:00.Z', '1970-01-01T00:00:00+14:01'],
      ['1970-01-01T00:00:00+1:00', '1970-01-01T00:00:00+0100', '1970-01-01T00:00:00Z ', '999999-01-01T00:00:00Z', ''],
      [`1970-01-01T00:00:00.${'0'.repeat(64)}Z`, 0, null, ['1970-01-01T00:00:00Z'], new Date(0)],
    ].flat(),
  )('is not %j', value => {
    expect(timeOf(value)).toBeUndefined()
  })

  it('without a zone is UTC where that is asked for, and a date never is', () => {
    expect([timeOf('1970-01-01T00:00:00', false), timeOf('1970-01-01', false)]).toEqual([0, undefined])
  })

  it('says what a Date says', () => {
    const most = Date.UTC(9_999, 11, 31)
    fc.assert(fc.property(fc.integer({ min: 0, max: most }), time => timeOf(new Date(time).toISOString()) === time))
  })
})

describe('a language tag (RFC 5646, section 2.1)', () => {
  it.each(
    'de de-CH zh-Hans-CN zh-yue-HK sl-rozaj-biske de-CH-1901 es-419 en-a-myext-b-another x-whatever de-CH-x-phonebk i-klingon EN-gb-OED'.split(
      ' ',
    ),
  )('is %s', tag => {
    expect(isLanguageTag(tag)).toBe(true)
  })

  it.each(['', 'e', 'en_GB', 'en-', '-en', 'de-419-DE', 'a-DE', 'en--GB', 'en-a', 'toolonglanguage', 'ä', 1, null])(
    'is not %j',
    tag => {
      expect(isLanguageTag(tag)).toBe(false)
    },
  )
})

describe('a media type (RFC 6838, section 4.2)', () => {
  it.each(['application/ld+json', 'text/plain; charset=utf-8', 'application/json;profile="https://a.example"'])(
    'is %s',
    text => {
      expect(isMediaType(text)).toBe(true)
    },
  )

  it.each(['', 'json', 'application/', '/json', 'a b/c', 'application/json;', 'application/json; x', 1, null])(
    'is not %j',
    text => {
      expect(isMediaType(text)).toBe(false)
    },
  )
})
