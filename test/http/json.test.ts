import fc from 'fast-check'
import { parseJson } from '../../src/http/json.ts'

const parse = (text: string): unknown => parseJson(Buffer.from(text))

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe('the JSON reader', () => {
  test.each([
    ['a duplicate name', '{"a":1,"a":1}', 'json_duplicate_key'],
    ['a duplicate name deep inside', '[{"b":{"a":1,"c":2,"a":[]}}]', 'json_duplicate_key'],
    ['a duplicate name in another spelling', '{"a":1,"\\u0061":2}', 'json_duplicate_key'],
    ['a duplicate index-like name', '{"1":1,"1":2}', 'json_duplicate_key'],
    ['33 levels', nested(33), 'json_too_deep'],
    ['a hundred thousand levels', nested(100_000), 'json_too_deep'],
    ['half a surrogate pair in a value', '{"a":"\\ud800"}', 'json_lone_surrogate'],
    ['half a surrogate pair in a name', '{"\\udc00":1}', 'json_lone_surrogate'],
    ['a swapped surrogate pair', '["\\udc00\\ud800"]', 'json_lone_surrogate'],
    ['a member __proto__', '{"__proto__":{"admin":true}}', 'json_malformed'],
    ['a member __proto__ in another spelling', '{"\\u005f_proto__":1}', 'json_malformed'],
    ['a NUL character in a value', '{"a":"b\\u0000"}', 'json_malformed'],
    ['a NUL character in a name', '{"\\u0000":1}', 'json_malformed'],
    ['a number that becomes infinite', '[1e999]', 'json_malformed'],
    ['trailing data', '{} {}', 'json_malformed'],
    ['nothing', '', 'json_malformed'],
    ['a byte order mark', '\ufeff{}', 'json_malformed'],
    ['an unterminated string', '{"a":"', 'json_malformed'],
    ['NaN', '[NaN]', 'json_malformed'],
  ])('refuses %s', (_name, text, code) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ kind: 'malformed', code }))
  })

  test.each([
    ['a surrogate half in CESU-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['a broken sequence', Buffer.from([0x22, 0xc3, 0x22])],
    ['Latin-1', Buffer.from([0x22, 0xe9, 0x22])],
  ])('refuses bytes that are not UTF-8: %s', (_name, bytes) => {
    expect(() => parseJson(bytes)).toThrow(expect.objectContaining({ code: 'json_malformed' }))
  })

  test.each([
    ['32 levels', nested(32)],
    ['brackets, colons and quotes inside strings', '{"a:{[\\"":"::{{[[\\\\","b":"\\\\\\""}'],
    ['a whole surrogate pair by escapes', '["\\ud83d\\ude00"]'],
    ['names that objects have anyway', '{"constructor":1,"toString":2,"hasOwnProperty":3}'],
    ['the same name in two objects', '[{"a":1},{"a":2}]'],
  ])('reads %s', (_name, text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test('reads what JSON.parse reads, to the same value', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 6, stringUnit: 'binary' }),
        fc.constantFrom(undefined, 1, '\t'),
        (text, space) => {
          const spaced = JSON.stringify(JSON.parse(text), null, space)
          fc.pre(!spaced.includes('"__proto__"') && !spaced.includes('\\u0000'))
          expect(parse(spaced)).toEqual(JSON.parse(spaced))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('refuses whatever JSON.parse refuses', () => {
    const mangled = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 3 })).map(([text, at, noise]) => {
      const cut = at % (text.length + 1)
      return text.slice(0, cut) + noise + text.slice(cut + noise.length)
    })
    fc.assert(
      fc.property(fc.oneof(mangled, fc.string()), text => {
        let wellFormed = true
        try {
          JSON.parse(text)
        } catch {
          wellFormed = false
        }
        fc.pre(!wellFormed)
        expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'json_malformed' }))
      }),
      { numRuns: 1_000 },
    )
  })

  test('finds a duplicate wherever it is put', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 8 }).filter(text => text !== '__proto__')
    const members = fc.uniqueArray(fc.tuple(name, fc.json({ maxDepth: 2 })), {
      selector: ([key]) => key,
      minLength: 1,
      maxLength: 12,
    })
    const written = (list: [string, string][]): string =>
      `{${list.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
    fc.assert(
      fc.property(members, fc.nat(), fc.nat(), fc.nat(20), (list, which, where, depth) => {
        fc.pre(!written(list).includes('"__proto__"'))
        const twice = list[which % list.length] ?? ['', '0']
        const doubled = list.toSpliced(where % (list.length + 1), 0, twice)
        const wrap = (text: string): string => `${'[0,'.repeat(depth)}${text}${']'.repeat(depth)}`
        expect(parse(wrap(written(list)))).toEqual(JSON.parse(wrap(written(list))))
        expect(() => parse(wrap(written(doubled)))).toThrow(expect.objectContaining({ code: 'json_duplicate_key' }))
      }),
      { numRuns: 500 },
    )
  })

  test('takes less than a second for a megabyte of quotes and backslashes', () => {
    const started = performance.now()
    parse(JSON.stringify(['\\"'.repeat(200_000)]))
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
