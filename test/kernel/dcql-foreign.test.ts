import { parseDcql } from '../../src/identity/openid/dcql/parse.ts'
import { dcqlOf, type QueriedType } from '../../src/kernel/dcql.ts'
import type { Resolved } from '../../src/kernel/gate.ts'

const schema = {
  type: 'object',
  properties: {
    givenName: { type: 'string' },
    birthPlace: { type: 'object', properties: { country: { type: 'string' } } },
    level: { type: 'integer', enum: [1, 2, 3] },
  },
}
const type: QueriedType = {
  ...{ id: 'Identity', version: 1, vct: 'urn:ours:1', formats: ['dc+sd-jwt'], schema },
  foreign: [
    {
      ...{ format: 'dc+sd-jwt', meta: { vct_values: ['urn:theirs:1'] } },
      claims: { givenName: ['given_name'], 'birthPlace.country': ['place_of_birth', 'country'] },
    },
    {
      format: 'mso_mdoc',
      meta: { doctype_value: 'org.theirs' },
      claims: { givenName: ['org.theirs.1', 'given_name'] },
    },
  ],
}
const query = { id: 'who', type: 'Identity', reads: [['givenName'], ['birthPlace', 'country'], ['level']] }
const asked = (of: object, types = [type]) => dcqlOf({ by: 'holder', of } as Resolved, types)

describe('a query for a type that others issue as well', () => {
  it('asks for theirs beside ours, by their names, and leaves out what no rule takes from them', () => {
    const dcql = asked(query)
    expect(dcql?.credentials.slice(1)).toEqual([
      {
        ...{ id: 'who_foreign_1', format: 'dc+sd-jwt', meta: { vct_values: ['urn:theirs:1'] } },
        claims: [{ path: ['given_name'] }, { path: ['place_of_birth', 'country'] }],
      },
      {
        ...{ id: 'who_foreign_2', format: 'mso_mdoc', meta: { doctype_value: 'org.theirs' } },
        claims: [{ path: ['org.theirs.1', 'given_name'] }],
      },
    ])
    expect(dcql?.credential_sets).toEqual([{ options: [['who'], ['who_foreign_1'], ['who_foreign_2']] }])
    expect(() => parseDcql(dcql)).not.toThrow()
  })

  it('keeps the values that are asked for', () => {
    const dcql = asked({ ...query, reads: [], where: [{ path: ['givenName'], oneOf: ['Thomas', 'Margaret'] }] })
    expect(dcql?.credentials[1]?.claims).toEqual([{ path: ['given_name'], values: ['Thomas', 'Margaret'] }])
  })

  it('asks for ours alone where the requirement names its issuers, or nobody else’s count', () => {
    expect(asked({ ...query, issuers: ['self'] })?.credentials).toHaveLength(1)
    const { foreign: _others, ...ours } = type
    expect(asked(query, [ours])).toEqual({ credentials: [expect.objectContaining({ id: 'who' })] })
  })

  it('offers every way to combine them, ours first, and no more than a wallet can be told', () => {
    const second = { ...query, id: 'other' }
    const both = asked({ all: [query, second], joined: { by: 'key' } })
    const [{ options = [] } = {}] = both?.credential_sets ?? []
    expect(options).toHaveLength(9)
    expect(options[0]).toEqual(['who', 'other'])
    const many = { any: Array.from({ length: 16 }, (_each, index) => ({ ...query, id: `who${index}` })) }
    const [{ options: most = [] } = {}] = asked(many)?.credential_sets ?? []
    expect(most).toHaveLength(16)
    expect(most.every(([id]) => /^who\d+$/.test(id ?? ''))).toBe(true)
  })
})
