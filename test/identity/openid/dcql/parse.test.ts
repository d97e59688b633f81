import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DcqlQuery } from 'dcql'
import fc from 'fast-check'
import { parseDcql } from '../../../../src/identity/openid/dcql/parse.ts'

const folder = join(import.meta.dirname, 'examples')
const example = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'))
const queries = readdirSync(folder).filter(name => name.endsWith('.json') && !name.startsWith('credential_'))

type Members = Record<string, unknown>

const credential = (more: Members = {}): Members => ({ id: 'a', format: 'dc+sd-jwt', meta: {}, ...more })
const asking = (more: Members): Members => ({ credentials: [credential(more)] })
const claims = (...each: Members[]): Members => asking({ claims: each })

describe('a DCQL query', () => {
  it.each(queries)('is read as the specification has it: %s', name => {
    expect(parseDcql(example(name))).toEqual(example(name))
  })

  it('is read without members that nobody knows (section 6)', () => {
    const query = parseDcql({
      credentials: [
        credential({
          meta: { vct_values: ['urn:x'], other: 1 },
          claims: [{ path: ['a'], intent_to_retain: true, purpose: 'x' }],
          later: true,
        }),
      ],
      credential_sets: [{ options: [['a']], purpose: 'show' }],
      transaction: {},
    })
    expect(query).toEqual({
      credentials: [{ id: 'a', format: 'dc+sd-jwt', meta: { vct_values: ['urn:x'] }, claims: [{ path: ['a'] }] }],
      credential_sets: [{ options: [['a']] }],
    })
  })

  it('keeps what is said of mdocs alone (appendix B.2.4)', () => {
    const claim = { path: ['org.iso.18013.5.1', 'portrait'], intent_to_retain: false }
    const query = { id: 'a', format: 'mso_mdoc', meta: { doctype_value: 'org.iso.18013.5.1.mDL' }, claims: [claim] }
    expect(parseDcql({ credentials: [query] }).credentials).toEqual([query])
  })

  it('asks for a claim that is named twice as it was named first (section 6.1)', () => {
    const query = parseDcql({
      credentials: [
        credential({
          claims: [
            { id: 'x', path: ['a'], values: [1] },
            { id: 'y', path: ['a'], values: [2] },
          ],
          claim_sets: [['x'], ['y']],
        }),
      ],
    })
    expect(query.credentials[0]?.claims).toEqual([
      { id: 'x', path: ['a'], values: [1] },
      { id: 'y', path: ['a'], values: [1] },
    ])
  })

  const refused: [string, unknown][] = [
    ['is no object', []],
    ['has no credentials', {}],
    ['has an empty list of credentials', { credentials: [] }],
    ['has a credential that is no object', { credentials: ['a'] }],
    ['has a credential without id', { credentials: [{ format: 'dc+sd-jwt', meta: {} }] }],
    ['has an id of other characters', asking({ id: 'a.b' })],
    ['has an empty id', asking({ id: '' })],
    ['has an id that is no string', asking({ id: 1 })],
    ['has two credentials of one id', { credentials: [credential(), credential()] }],
    ['has a credential without format', { credentials: [{ id: 'a', meta: {} }] }],
    ['has a credential without meta', { credentials: [{ id: 'a', format: 'dc+sd-jwt' }] }],
    ['has a meta that is no object', asking({ meta: [] })],
    ['has empty vct_values', asking({ meta: { vct_values: [] } })],
    ['has vct_values that are no strings', asking({ meta: { vct_values: [1] } })],
    ['has flat type_values', asking({ format: 'ldp_vc', meta: { type_values: ['A'] } })],
    ['has an empty alternative of types', asking({ format: 'jwt_vc_json', meta: { type_values: [[]] } })],
    ['has a doctype_value that is a list', asking({ format: 'mso_mdoc', meta: { doctype_value: ['a'] } })],
    ['has multiple as a word', asking({ multiple: 'true' })],
    ['has holder binding as a word', asking({ require_cryptographic_holder_binding: 'no' })],
    ['has empty trusted_authorities', asking({ trusted_authorities: [] })],
    ['has a trusted authority without values', asking({ trusted_authorities: [{ type: 'aki' }] })],
    ['has a trusted authority without type', asking({ trusted_authorities: [{ values: ['a'] }] })],
    ['has a trusted authority of no values', asking({ trusted_authorities: [{ type: 'aki', values: [] }] })],
    ['has empty claims', claims()],
    ['has a claim without path', claims({ id: 'x' })],
    ['has an empty path', claims({ path: [] })],
    ['has a path below zero', claims({ path: ['a', -1] })],
    ['has a fraction in a path', claims({ path: ['a', 0.5] })],
    ['has an object in a path', claims({ path: ['a', {}] })],
    ['has two claims of one id', claims({ id: 'x', path: ['a'] }, { id: 'x', path: ['b'] })],
    ['has an id of a claim with a space', claims({ id: 'x y', path: ['a'] })],
    ['has empty values', claims({ path: ['a'], values: [] })],
    ['has a fraction among values', claims({ path: ['a'], values: [1.5] })],
    ['has null among values', claims({ path: ['a'], values: [null] })],
    ['has claim_sets without claims', asking({ claim_sets: [['x']] })],
    ['has claim_sets and a claim without id', asking({ claims: [{ path: ['a'] }], claim_sets: [['x']] })],
    ['has empty claim_sets', asking({ claims: [{ id: 'x', path: ['a'] }], claim_sets: [] })],
    ['has an empty claim set', asking({ claims: [{ id: 'x', path: ['a'] }], claim_sets: [[]] })],
    ['has a claim set of unknown claims', asking({ claims: [{ id: 'x', path: ['a'] }], claim_sets: [['y']] })],
    ['has one step into an mdoc', asking({ format: 'mso_mdoc', claims: [{ path: ['a'] }] })],
    ['has three steps into an mdoc', asking({ format: 'mso_mdoc', claims: [{ path: ['a', 'b', 'c'] }] })],
    ['has every element of an mdoc', asking({ format: 'mso_mdoc', claims: [{ path: ['a', null] }] })],
    [
      'has a word for intent_to_retain',
      asking({ format: 'mso_mdoc', claims: [{ path: ['a', 'b'], intent_to_retain: 'no' }] }),
    ],
    ['has empty credential_sets', { credentials: [credential()], credential_sets: [] }],
    ['has a credential set without options', { credentials: [credential()], credential_sets: [{}] }],
    ['has a credential set of no options', { credentials: [credential()], credential_sets: [{ options: [] }] }],
    ['has an empty option', { credentials: [credential()], credential_sets: [{ options: [[]] }] }],
    ['has an option of unknown credentials', { credentials: [credential()], credential_sets: [{ options: [['b']] }] }],
    [
      'has a word for required',
      { credentials: [credential()], credential_sets: [{ options: [['a']], required: 'no' }] },
    ],
    [
      'asks for too many credentials',
      { credentials: Array.from({ length: 33 }, (_, at) => credential({ id: `c${at}` })) },
    ],
    ['asks for too many claims', claims(...Array.from({ length: 257 }, (_, at) => ({ path: [`c${at}`] })))],
    ['has too long a path', claims({ path: Array.from({ length: 33 }, () => 'a') })],
    ['has too long a name', claims({ path: ['a'.repeat(2_049)] })],
  ]
  it.each(refused)('is refused when it %s', (_, query) => {
    expect(() => parseDcql(query)).toThrow(expect.objectContaining({ kind: 'malformed', code: 'dcql_malformed' }))
  })

  it('is read or refused, whatever it is, and what is read is read again as it is', () => {
    const text = fc.constantFrom('a', 'b', '', 'x y', 'dc+sd-jwt', 'mso_mdoc', 'ldp_vc')
    const anything = fc.oneof(fc.anything({ maxDepth: 2 }), text, fc.constant(null))
    const part = (members: Record<string, fc.Arbitrary<unknown>>) => fc.record(members, { requiredKeys: [] })
    const claim = part({
      id: text,
      path: fc.oneof(fc.array(fc.oneof(text, fc.integer(), fc.constant(null))), anything),
      values: fc.oneof(fc.array(fc.oneof(text, fc.integer(), fc.boolean())), anything),
    })
    const asked = part({
      ...{ id: text, format: text, multiple: fc.oneof(fc.boolean(), anything), claims: fc.array(claim) },
      meta: fc.oneof(fc.constant({}), part({ vct_values: fc.array(text), type_values: fc.array(fc.array(text)) })),
      claim_sets: fc.oneof(fc.constant(undefined), fc.array(fc.array(text))),
    })
    const query = part({ credentials: fc.oneof(fc.array(asked), anything), credential_sets: fc.constant(undefined) })
    fc.assert(
      fc.property(query, value => {
        let read: ReturnType<typeof parseDcql> | undefined
        try {
          read = parseDcql(value)
        } catch (error) {
          expect(error).toMatchObject({ code: 'dcql_malformed' })
        }
        if (read !== undefined) expect(parseDcql(read)).toEqual(read)
      }),
    )
  })

  it('is one for a library of others too', () => {
    for (const name of queries) {
      const theirs = DcqlQuery.parse(example(name) as DcqlQuery.Input)
      DcqlQuery.validate(theirs)
      // They fill in what is left out.
      expect(parseDcql(theirs)).toMatchObject(parseDcql(example(name)))
    }
  })
})
