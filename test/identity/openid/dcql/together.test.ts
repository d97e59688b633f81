import fc from 'fast-check'
import type { CredentialFacts } from '../../../../src/identity/openid/dcql/match.ts'
import { parseDcql } from '../../../../src/identity/openid/dcql/parse.ts'
import { judgeTogether } from '../../../../src/identity/openid/dcql/together.ts'

/** A credential of these types. */
const of = (...types: string[]): CredentialFacts => ({ format: 'ldp_vc', document: {}, types, holderBound: true })

const asking = (asked: Record<string, { types: string[]; multiple?: boolean }>, credential_sets?: unknown) =>
  parseDcql({
    credentials: Object.entries(asked).map(([id, { types, multiple }]) => ({
      ...{ id, format: 'ldp_vc', meta: { type_values: [types] } },
      ...(multiple === undefined ? {} : { multiple }),
    })),
    ...(credential_sets === undefined ? {} : { credential_sets }),
  })

describe('credentials that are presented together (OpenID4VP 1.0, section 6)', () => {
  const two = asking({ a: { types: ['x'] }, b: { types: ['y'] } })

  it.each<[string, CredentialFacts[], string]>([
    ['one for each query', [of('x'), of('y')], 'met'],
    ['one that answers both', [of('x', 'y')], 'met'],
    ['one that answers neither beside them', [of('x'), of('y'), of('z')], 'met'],
    ['nothing', [], 'missing'],
    ['one of two', [of('x')], 'missing'],
    ['none that answers', [of('z'), of('z')], 'missing'],
    ['two for one query', [of('x'), of('x'), of('y')], 'several'],
    ['three where two are asked for', [of('x', 'y'), of('x', 'y'), of('x', 'y')], 'several'],
    ['one that gives way to another', [of('x', 'y'), of('x')], 'met'],
  ])('%s', (_what, presented, outcome) => {
    expect(judgeTogether(two, presented)).toBe(outcome)
  })

  it('several are taken where the query takes several', () => {
    const query = asking({ a: { types: ['x'], multiple: true }, b: { types: ['y'] } })
    expect(judgeTogether(query, [of('x'), of('x', 'y'), of('x', 'y')])).toBe('met')
    expect(judgeTogether(query, [of('x'), of('y'), of('y')])).toBe('several')
  })

  it('of sets that are required one option is there', () => {
    const query = asking({ a: { types: ['x'] }, b: { types: ['y'] } }, [{ options: [['a'], ['b']] }])
    expect(judgeTogether(query, [of('y')])).toBe('met')
    expect(judgeTogether(query, [of('z')])).toBe('missing')
  })

  const types = fc.uniqueArray(fc.constantFrom('p', 'q', 'r', 's'), { maxLength: 4 })

  it('has place for a credential whatever the order, as a search through all seatings finds it', () => {
    const queries = ['p', 'q', 'r', 's']
    const query = asking(Object.fromEntries(queries.map(name => [name, { types: [name] }])), [
      { options: [['p']], required: false },
    ])
    const seated = ([first, ...rest]: readonly (readonly string[])[], free: readonly string[]): boolean =>
      first === undefined ||
      (first.length === 0
        ? seated(rest, free)
        : first.some(
            name =>
              free.includes(name) &&
              seated(
                rest,
                free.filter(each => each !== name),
              ),
          ))
    fc.assert(
      fc.property(fc.array(types, { maxLength: 5 }), presented => {
        const outcome = judgeTogether(
          query,
          presented.map(each => of(...each)),
        )
        expect(outcome).toBe(seated(presented, queries) ? 'met' : 'several')
      }),
    )
  })
})
