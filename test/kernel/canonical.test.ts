import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { canonical, digestOf } from '../../src/kernel/canonical.ts'

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, shuffled(member)]),
  )
}

describe('canonical JSON', () => {
  it('is that of the RFC 8785 example', () => {
    const input = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    )
    expect(canonical(input)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it('reads back as the same value, whatever the order of members was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown
        // Not toEqual: a member called __proto__ sends the matcher's own copy of it round in circles.
        expect(isDeepStrictEqual(JSON.parse(canonical(plain)), plain)).toBe(true)
        expect(canonical(shuffled(plain))).toBe(canonical(plain))
      }),
    )
  })

  it('gives different values different digests', () => {
    expect(digestOf({ a: 1 }).equals(digestOf({ a: '1' }))).toBe(false)
  })

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], [1n], [() => 1], [Symbol('x')]])('refuses %p', value => {
    expect(() => canonical({ value })).toThrow(TypeError)
  })
})
