import fc from 'fast-check'
import { selectElement, selectPath } from '../../../../src/identity/openid/dcql/path.ts'
import type { DcqlPath } from '../../../../src/kernel/dcql-query.ts'

/** OpenID4VP 1.0, section 7.3. */
const credential = {
  name: 'Arthur Dent',
  address: { street_address: '42 Market Street', locality: 'Milliways', postal_code: '12345' },
  degrees: [
    { type: 'Bachelor of Science', university: 'University of Betelgeuse' },
    { type: 'Master of Science', university: 'University of Betelgeuse' },
  ],
  nationalities: ['British', 'Betelgeusian'],
}
const valuesAt = (path: DcqlPath, root: Record<string, unknown> = credential) =>
  selectPath(root, path).map(({ value }) => value)

describe('a claims path pointer (OpenID4VP 1.0, section 7)', () => {
  it.each<[DcqlPath, unknown[]]>([
    [['name'], ['Arthur Dent']],
    [['address'], [credential.address]],
    [['address', 'street_address'], ['42 Market Street']],
    [
      ['degrees', null, 'type'],
      ['Bachelor of Science', 'Master of Science'],
    ],
    [['nationalities', 1], ['Betelgeusian']],
  ])('selects what the example of section 7.3 says: %j', (path, expected) => {
    expect(valuesAt(path)).toEqual(expected)
  })

  it('says where each element stands', () => {
    expect(selectPath(credential, ['degrees', null, 'type']).map(({ at }) => at)).toEqual([
      ['degrees', 0, 'type'],
      ['degrees', 1, 'type'],
    ])
  })

  it('leaves out elements that lack what is asked for, and aborts at those of another kind', () => {
    const mixed = { list: [{ a: 1 }, { b: 2 }], odd: [{ a: 1 }, 'text'], deep: [[1], [2, 3]] }
    expect(valuesAt(['list', null, 'a'], mixed)).toEqual([1])
    expect(valuesAt(['odd', null, 'a'], mixed)).toEqual([])
    expect(valuesAt(['deep', null, 1], mixed)).toEqual([3])
    expect(valuesAt(['deep', null, null], mixed)).toEqual([1, 2, 3])
  })

  it.each<[string, DcqlPath]>([
    ['a name in a list', ['nationalities', 'length']],
    ['a position in an object', ['address', 0]],
    ['every element of an object', ['address', null]],
    ['something in a text', ['name', 0]],
    ['a position past the end', ['nationalities', 2]],
    ['what is not there', ['surname']],
    ['what every object of JavaScript has', ['constructor']],
    ['the prototype', ['__proto__']],
  ])('selects nothing for %s', (_, path) => {
    expect(selectPath(credential, path)).toEqual([])
  })

  it('selects a claim whose value is null', () => {
    expect(valuesAt(['a'], { a: null })).toEqual([null])
  })

  it('finds of a presented SD-JWT what was at a position at any before it', () => {
    expect(selectPath({ list: ['b'] }, ['list', 1], true).map(({ value }) => value)).toEqual(['b'])
    expect(selectPath({ list: ['a', 'b', 'c'] }, ['list', 1], true).map(({ value }) => value)).toEqual(['a', 'b'])
    expect(selectPath({ list: ['b'] }, ['list', 1])).toEqual([])
  })

  it('selects of an mdoc the element of a namespace (section 7.2)', () => {
    const namespaces = { 'org.iso.18013.5.1': { given_name: 'Ada' } }
    expect(selectElement(namespaces, ['org.iso.18013.5.1', 'given_name'])[0]?.value).toBe('Ada')
    for (const path of [['org.iso.18013.5.1'], ['other', 'given_name'], ['org.iso.18013.5.1', 'toString']]) {
      expect(selectElement(namespaces, path)).toEqual([])
    }
    expect(selectElement(namespaces, ['org.iso.18013.5.1', null])).toEqual([])
  })

  it('finds every place that it names itself', () => {
    const step = fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.nat(2), fc.constant(null))
    const json = fc.object({
      key: fc.constantFrom('a', 'b', 'c'),
      maxDepth: 4,
      values: [fc.integer(), fc.constant(null)],
    })
    fc.assert(
      fc.property(json, fc.array(step, { minLength: 1, maxLength: 4 }), (root, path) => {
        for (const { at, value } of selectPath(root, path)) {
          expect(at).toHaveLength(path.length)
          expect(selectPath(root, at)).toEqual([{ at, value }])
        }
      }),
    )
  })
})
