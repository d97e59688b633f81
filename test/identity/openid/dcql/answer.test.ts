import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DcqlQuery } from 'dcql'
import fc from 'fast-check'
import { heldFacts } from '../../../../src/identity/openid/dcql/facts.ts'
import { judgeResponse } from '../../../../src/identity/openid/dcql/judge.ts'
import { type CredentialFacts, matchCredential } from '../../../../src/identity/openid/dcql/match.ts'
import { parseDcql } from '../../../../src/identity/openid/dcql/parse.ts'
import { type HeldFacts, selectCredentials } from '../../../../src/identity/openid/dcql/select.ts'
import { judgeSets } from '../../../../src/identity/openid/dcql/sets.ts'
import type { DcqlCredential } from '../../../../src/kernel/dcql-query.ts'

const example = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'examples', `${name}.json`), 'utf8'))

const identityVct = 'https://credentials.example.com/identity_credential'
const sdJwt = (id: string, vct: string, claims: Record<string, unknown> = {}): HeldFacts => ({
  ...heldFacts({ format: 'dc+sd-jwt', document: { vct, ...claims }, holderBound: true }),
  id,
})
const mdoc = (id: string, doctype: string, elements: Record<string, unknown>): HeldFacts => ({
  ...heldFacts({ format: 'mso_mdoc', doctype, document: { 'org.iso.18013.5.1': elements }, holderBound: true }),
  id,
})

const john = { given_name: 'John', family_name: 'Doe', address: { street_address: 'x' }, postal_code: '90210' }
const query = (more: Partial<DcqlCredential> = {}): DcqlCredential => ({
  ...{ id: 'a', format: 'dc+sd-jwt', meta: {} },
  ...more,
})
const reason = (asked: DcqlCredential, facts: CredentialFacts) => matchCredential(asked, facts).unfit ?? 'fit'

describe('what answers a query for a credential', () => {
  const pid = sdJwt('pid', identityVct, john)

  it('is of its format, and of one of the types that are named', () => {
    expect(reason(query(), pid)).toBe('fit')
    expect(reason(query({ format: 'vc+jwt' }), pid)).toBe('format')
    expect(reason(query({ meta: { vct_values: ['urn:other', identityVct] } }), pid)).toBe('fit')
    expect(reason(query({ meta: { vct_values: ['urn:other'] } }), pid)).toBe('type')
  })

  it('may be of a type that extends the one that is asked for (appendix B.3.5)', () => {
    const extended = (vct: string) => (vct === 'urn:national' ? ['urn:identity', 'urn:base'] : [])
    const facts = heldFacts({ format: 'dc+sd-jwt', document: { vct: 'urn:national' }, holderBound: true }, extended)
    expect(reason(query({ meta: { vct_values: ['urn:base'] } }), facts)).toBe('fit')
    const base = heldFacts({ format: 'dc+sd-jwt', document: { vct: 'urn:base' }, holderBound: true }, extended)
    expect(reason(query({ meta: { vct_values: ['urn:national'] } }), base)).toBe('type')
  })

  it('has all types of one alternative, as IRIs (appendix B.1.1)', () => {
    const contexts = ['https://www.w3.org/2018/credentials/v1', 'https://www.w3.org/2018/credentials/examples/v1']
    const of = (types: string[]) => {
      const vc = { '@context': contexts, type: ['VerifiableCredential', ...types] }
      return heldFacts({ format: 'jwt_vc', document: { vc }, holderBound: true })
    }
    const credential = 'https://www.w3.org/2018/credentials#VerifiableCredential'
    const degree = 'https://example.org/examples#UniversityDegreeCredential'
    const asked = (types: string[][]) => query({ format: 'jwt_vc_json', meta: { type_values: types } })
    expect(reason(asked([[credential, degree]]), of(['UniversityDegreeCredential']))).toBe('fit')
    expect(reason(asked([['urn:x'], [degree]]), of(['Other', 'UniversityDegreeCredential']))).toBe('fit')
    expect(reason(asked([['UniversityDegreeCredential']]), of(['UniversityDegreeCredential']))).toBe('type')
    expect(reason(asked([[credential, degree, 'urn:x']]), of(['UniversityDegreeCredential']))).toBe('type')
    // What no context defines stays as it is.
    expect(reason(asked([['IdentityCredential']]), of(['IdentityCredential']))).toBe('fit')
    const strange = { vc: { '@context': ['https://unknown.example/v1'], type: ['IdentityCredential'] } }
    const unknown = heldFacts({ format: 'jwt_vc', document: strange, holderBound: true })
    expect(reason(asked([['IdentityCredential']]), unknown)).toBe('type')
  })

  it('is proven to be its holder’s, unless that is not asked for', () => {
    const bearer = { ...pid, holderBound: false }
    expect(reason(query(), bearer)).toBe('holderBinding')
    expect(reason(query({ require_cryptographic_holder_binding: true }), bearer)).toBe('holderBinding')
    expect(reason(query({ require_cryptographic_holder_binding: false }), bearer)).toBe('fit')
  })

  it('is under one of the trusted authorities (section 6.1.1)', () => {
    const aki = 's9tIpPmhxdiuNkHMEWNpYim8S8Y'
    const under = { ...pid, authorities: [{ type: 'aki', value: aki }] }
    const asked = (type: string, ...values: string[]) => query({ trusted_authorities: [{ type, values }] })
    expect(reason(asked('aki', 'other', `${aki}=`), under)).toBe('fit')
    expect(reason(asked('aki', 'other'), under)).toBe('authority')
    expect(reason(asked('etsi_tl', aki), under)).toBe('authority')
    expect(reason(asked('aki', aki), pid)).toBe('authority')
  })

  it('has the values that are asked for, type and all (section 6.3)', () => {
    const facts = sdJwt('a', 'v', { age: 18, adult: true, name: 'x', list: ['a', 'b'] })
    const asked = (path: string[], ...values: (string | number | boolean)[]) => query({ claims: [{ path, values }] })
    expect(reason(asked(['age'], 17, 18), facts)).toBe('fit')
    expect(reason(asked(['age'], '18'), facts)).toBe('claims')
    expect(reason(asked(['adult'], 'true'), facts)).toBe('claims')
    expect(reason(asked(['name'], 'X'), facts)).toBe('claims')
    expect(reason(asked(['list'], 'a'), facts)).toBe('claims')
    expect(reason(asked(['gone'], 'a'), facts)).toBe('claims')
  })

  it('is asked for those elements of a list that have one of the values', () => {
    const facts = sdJwt('a', 'v', { list: ['a', 'b', 'a'] })
    const match = matchCredential(query({ claims: [{ path: ['list', null], values: ['a'] }] }), facts)
    const shown = match.unfit === undefined ? match.claims[0]?.selected.map(({ at }) => at) : []
    expect(shown).toEqual([
      ['list', 0],
      ['list', 2],
    ])
  })

  it('compares what an mdoc has in CBOR in the words of JSON (section 6.3)', () => {
    const facts = mdoc('m', 'd', { portrait: Uint8Array.of(1, 2, 3), age: 21 })
    const asked = (element: string, value: string | number) =>
      query({ format: 'mso_mdoc', claims: [{ path: ['org.iso.18013.5.1', element], values: [value] }] })
    expect(reason(asked('portrait', 'AQID'), facts)).toBe('fit')
    expect(reason(asked('portrait', 'AQIE'), facts)).toBe('claims')
    expect(reason(asked('age', 21), facts)).toBe('fit')
  })

  it('is the first claim set that it can meet (section 6.4.1)', () => {
    const [asked] = parseDcql(example('claims_alternatives')).credentials
    const known = { family_name: 'Doe', date_of_birth: '1970-01-01' }
    const setOf = (claims: Record<string, unknown>) => {
      const match = asked && matchCredential(asked, sdJwt('x', identityVct, { ...known, ...claims }))
      return match?.unfit ?? match?.claimSet
    }
    expect(setOf({ locality: 'l', region: 'r', postal_code: 'p' })).toBe(0)
    expect(setOf({ postal_code: 'p', region: 'r' })).toBe(1)
    expect(setOf({ region: 'r' })).toBe('claims')
  })

  it('shows nothing but what always shows where no claims are asked for', () => {
    expect(matchCredential(query(), pid)).toEqual({ claims: [] })
  })
})

describe('what a wallet can answer', () => {
  it('is every credential that matches, each with the claims it would show', () => {
    const held = [sdJwt('one', identityVct, john), sdJwt('two', identityVct, { family_name: 'Doe' })]
    const selection = selectCredentials(parseDcql(example('simple')), held)
    expect(selection.satisfiable).toBe(true)
    expect(selection.queries[0]?.candidates.map(({ credential }) => credential)).toEqual(['one'])
    const shown = selection.queries[0]?.candidates[0]?.claims.map(({ selected }) => selected[0]?.value)
    expect(shown).toEqual(['Doe', 'John', 'x'])
  })

  it('is nothing where one of all credentials is missing (section 6.4.2)', () => {
    const asked = parseDcql(example('multi_credentials'))
    const pid = sdJwt('pid', identityVct, john)
    expect(selectCredentials(asked, [pid])).toMatchObject({ satisfiable: false, wanted: [{ options: [] }] })
    const vehicle: HeldFacts = {
      ...mdoc('mdl', 'org.iso.7367.1.mVRC', { given_name: 'John' }),
      document: { 'org.iso.7367.1': { vehicle_holder: 'x' }, 'org.iso.18013.5.1': { given_name: 'John' } },
    }
    expect(selectCredentials(asked, [pid, vehicle]).satisfiable).toBe(true)
  })

  it('is any of the alternatives that can be met, and what is optional if it is there', () => {
    const asked = parseDcql(example('credentials_alternatives'))
    const reduced = sdJwt('r1', 'https://credentials.example.com/reduced_identity_credential', john)
    const residence = sdJwt('r2', 'https://cred.example/residence_credential', {
      ...{ postal_code: '1', locality: 'l', region: 'r' },
    })
    const rewards = sdJwt('nice', 'https://company.example/company_rewards', { rewards_number: 7 })
    expect(selectCredentials(asked, [reduced])).toMatchObject({ satisfiable: false })
    expect(selectCredentials(asked, [reduced, residence])).toMatchObject({
      satisfiable: true,
      wanted: [{ options: [['pid_reduced_cred_1', 'pid_reduced_cred_2']] }, { required: false, options: [] }],
    })
    const all = selectCredentials(asked, [reduced, residence, rewards, sdJwt('pid', identityVct, john)])
    expect(all.wanted).toEqual([
      { required: true, options: [['pid'], ['pid_reduced_cred_1', 'pid_reduced_cred_2']] },
      { required: false, options: [['nice_to_have']] },
    ])
  })

  it('is what a library of others finds too', () => {
    const claimPaths = [['a'], ['b', 'c'], ['list', null], ['list', 1], ['gone']]
    const claim = fc.record({
      path: fc.constantFrom(...claimPaths),
      values: fc.option(fc.uniqueArray(fc.constantFrom('x', 'y', 1, true), { minLength: 1 }), { nil: undefined }),
    })
    const vct = fc.constantFrom('urn:one', 'urn:two')
    const asked = (id: string) =>
      fc
        .record({
          vcts: fc.option(fc.uniqueArray(vct, { minLength: 1 }), { nil: undefined }),
          claims: fc.uniqueArray(claim, { maxLength: 4, selector: ({ path }) => JSON.stringify(path) }),
          sets: fc.array(fc.uniqueArray(fc.nat(3), { minLength: 1 }), { maxLength: 3 }),
          binding: fc.boolean(),
        })
        .map(({ vcts, claims, sets, binding }) => {
          const named = claims.map(({ path, values }, at) => ({ id: `c${at}`, path, ...(values && { values }) }))
          const known = sets.map(set => set.filter(at => at < named.length)).filter(set => set.length > 0)
          return {
            ...{ id, format: 'dc+sd-jwt' as const, require_cryptographic_holder_binding: binding },
            meta: vcts === undefined ? {} : { vct_values: vcts },
            ...(named.length > 0 && { claims: named }),
            ...(known.length > 0 && { claim_sets: known.map(set => set.map(at => `c${at}`)) }),
          }
        })
    const value = fc.constantFrom('x', 'y', 1, true)
    // Of an empty list they select nothing and are content; section 7.1.1, step 3, is not.
    const held = fc.array(
      fc.record({
        ...{ vct, holderBound: fc.boolean() },
        claims: fc.record(
          { a: value, b: fc.record({ c: value }), list: fc.array(value, { minLength: 1, maxLength: 2 }) },
          { requiredKeys: [] },
        ),
      }),
      { maxLength: 3 },
    )
    const ids = ['q0', 'q1', 'q2']
    const sets = fc.option(
      fc.array(
        fc.record({
          options: fc.array(fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1 }), { minLength: 1, maxLength: 2 }),
          required: fc.boolean(),
        }),
        { minLength: 1, maxLength: 2 },
      ),
      { nil: undefined },
    )
    fc.assert(
      fc.property(fc.tuple(...ids.map(asked)), sets, held, (credentials, credential_sets, wallet) => {
        const wire = { credentials, ...(credential_sets && { credential_sets }) }
        const ours = selectCredentials(
          parseDcql(wire),
          wallet.map(({ vct: type, holderBound, claims }, at) => ({
            ...sdJwt(`${at}`, type, claims),
            ...{ holderBound, document: claims },
          })),
        )
        const theirs = DcqlQuery.query(
          DcqlQuery.parse(wire as unknown as DcqlQuery.Input),
          wallet.map(({ vct: type, holderBound, claims }) => ({
            ...{ credential_format: 'dc+sd-jwt' as const, vct: type, claims },
            cryptographic_holder_binding: holderBound,
          })),
        )
        expect(ours.satisfiable).toBe(theirs.can_be_satisfied)
        for (const { id, candidates } of ours.queries) {
          const found = theirs.credential_matches[id]?.valid_credentials ?? []
          const summary = candidates.map(each => ({ at: Number(each.credential), set: each.claimSet }))
          expect(summary).toEqual(
            found.map(each => ({
              at: each.input_credential_index,
              set: each.claims.valid_claim_sets[0].claim_set_index,
            })),
          )
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('the judgement of a response', () => {
  const asked = parseDcql(example('credentials_alternatives'))
  const pid = sdJwt('', identityVct, john)
  const reduced = sdJwt('', 'https://credentials.example.com/reduced_identity_credential', john)
  const rewards = sdJwt('', 'https://company.example/company_rewards', { rewards_number: 7 })
  const refusal = (code: string, facts: Record<string, unknown> = {}) =>
    expect.objectContaining({ kind: 'rejected', code, facts: expect.objectContaining(facts) })

  it('takes what makes up the sets that are required, with or without the others', () => {
    expect(judgeResponse(asked, { pid: [pid] }).map(({ query: id }) => id)).toEqual(['pid'])
    expect(judgeResponse(asked, { pid: [pid], nice_to_have: [rewards] })).toHaveLength(2)
  })

  it.each<[string, Record<string, CredentialFacts[]>, string, Record<string, unknown>]>([
    ['nothing', {}, 'presentation_missing', {}],
    ['one of two', { pid_reduced_cred_1: [reduced] }, 'presentation_missing', {}],
    ['what is optional alone', { nice_to_have: [rewards] }, 'presentation_missing', {}],
    ['an answer to another question', { pid: [pid], other: [pid] }, 'presentation_unasked', { query: 'other' }],
    [
      'half of another alternative',
      { pid: [pid], pid_reduced_cred_1: [reduced] },
      'presentation_unasked',
      { query: 'pid_reduced_cred_1' },
    ],
    ['an empty list', { pid: [] }, 'presentation_several', { query: 'pid' }],
    ['two where one is asked for', { pid: [pid, pid] }, 'presentation_several', { query: 'pid' }],
    ['one of another type', { pid: [reduced] }, 'presentation_unfit', { query: 'pid', reason: 'type' }],
    [
      'one without the holder’s proof',
      { pid: [{ ...pid, holderBound: false }] },
      'presentation_unfit',
      { reason: 'holderBinding' },
    ],
    [
      'one that keeps a claim back',
      { pid: [sdJwt('', identityVct, { given_name: 'John' })] },
      'presentation_unfit',
      { reason: 'claims' },
    ],
    ['the prototype', { pid: [pid], ['__proto__' as string]: [pid] }, 'presentation_unasked', {}],
  ])('refuses %s', (_, presented, code, facts) => {
    expect(() => judgeResponse(asked, presented)).toThrow(refusal(code, facts))
  })

  it('takes several where several are let in, and refuses them all for one that is unfit', () => {
    const several = { credentials: [query({ multiple: true, meta: { vct_values: [identityVct] } })] }
    expect(judgeResponse(several, { a: [pid, pid] })).toHaveLength(2)
    expect(() => judgeResponse(several, { a: [pid, reduced] })).toThrow(refusal('presentation_unfit'))
  })

  it('asks for every credential where there are no sets', () => {
    const both = { credentials: [query(), query({ id: 'b' })] }
    expect(() => judgeResponse(both, { a: [pid] })).toThrow(refusal('presentation_missing'))
    expect(judgeResponse(both, { a: [pid], b: [pid] })).toHaveLength(2)
  })

  it('finds met exactly what a wallet that follows the selection returns', () => {
    const ids = ['a', 'b', 'c', 'd']
    const option = fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1 })
    const set = fc.record({ options: fc.array(option, { minLength: 1, maxLength: 3 }), required: fc.boolean() })
    const property = fc.property(
      fc.array(set, { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
      (credential_sets, choices) => {
        const wire = { credentials: ids.map(id => query({ id })), credential_sets }
        const answered = credential_sets.flatMap(({ options, required }, at) => {
          const choice = choices[at] ?? 0
          return required || choice > 0 ? (options[choice % options.length] ?? []) : []
        })
        expect(judgeSets(wire, new Set(answered))).toEqual({ met: true })
      },
    )
    fc.assert(property)
  })
})
