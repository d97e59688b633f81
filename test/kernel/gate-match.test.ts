import fc from 'fast-check'
import type { ProvenCredential } from '../../src/kernel/gate.ts'
import { isMet, type Judging, match, queriesOf } from '../../src/kernel/judge.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import type { Constraint, CredentialQuery, CredentialTree } from '../../src/kernel/requirement.ts'

let count = 0
const credential = (type: string, claims: Record<string, unknown> = {}, more: Partial<ProvenCredential> = {}) => ({
  ...{ type, issuer: 'did:ethr:0x1:0xaa', holder: 'did:key:h', holderKey: 'k1', claims, digest: `d${count++}` },
  ...more,
})

const judging = (credentials: ProvenCredential[], more: Partial<Judging> = {}): Judging => ({
  offer: { credentials, lapsed: [] },
  now: 1_000_000,
  judgeMandate: () => undefined,
  requirementUrl: 'https://office.example/requirements/act',
  ...more,
})

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'met'
  } catch (error) {
    if (error instanceof Refusal) return `${error.kind} ${error.code}`
    throw error
  }
}

const refusalOf = (work: () => unknown): Refusal => {
  try {
    work()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('nothing was refused')
}

const query = (more: Partial<CredentialQuery> = {}): CredentialQuery => ({ id: 'one', type: 'A', ...more })
const claims = { level: 2, name: 'n', tags: ['x'], inner: { city: 'c' }, zero: 0, no: false }

describe('one credential', () => {
  it.each<[Constraint, boolean]>([
    [{ path: ['level'], equals: 2 }, true],
    [{ path: ['level'], equals: '2' }, false],
    [{ path: ['level'], atLeast: 2 }, true],
    [{ path: ['level'], atLeast: 3 }, false],
    [{ path: ['name'], atLeast: 0 }, false],
    [{ path: ['name'], oneOf: ['m', 'n'] }, true],
    [{ path: ['name'], oneOf: ['m'] }, false],
    [{ path: ['tags'], includes: 'x' }, true],
    [{ path: ['tags'], includes: 'y' }, false],
    [{ path: ['name'], includes: 'n' }, false],
    [{ path: ['inner', 'city'], equals: 'c' }, true],
    [{ path: ['inner', 'town'], present: true }, false],
    [{ path: ['no'], present: true }, true],
    [{ path: ['zero'], atLeast: 0 }, true],
    [{ path: ['constructor'], present: true }, false],
    [{ path: ['level', 'toFixed'], present: true }, false],
  ])('is held against %j', (constraint, isMatch) => {
    const found = codeOf(() => match(query({ where: [constraint] }), judging([credential('A', claims)])))
    expect(found).toBe(isMatch ? 'met' : 'forbidden claims_insufficient')
  })

  it.each<[string, CredentialQuery, ProvenCredential[], Partial<Judging>, string]>([
    ['of another type', query(), [credential('B')], {}, 'forbidden credential_missing'],
    ['of nobody', query(), [], {}, 'forbidden credential_missing'],
    [
      'of another issuer',
      query({ issuers: ['did:ethr:0x1:0xbb'] }),
      [credential('A')],
      {},
      'forbidden issuer_not_accepted',
    ],
    ['of the named issuer', query({ issuers: ['did:ethr:0x1:0xaa'] }), [credential('A')], {}, 'met'],
    ['not of this agency', query({ issuers: ['self'] }), [credential('A')], {}, 'forbidden issuer_not_accepted'],
    ['of this agency', query({ issuers: ['self'] }), [credential('A', {}, { own: true })], {}, 'met'],
    [
      'that keeps back what the act reads',
      query({ reads: [['x']] }),
      [credential('A')],
      {},
      'forbidden claims_insufficient',
    ],
    [
      'whose status is too old',
      query({ statusMaxAgeSeconds: 10 }),
      [credential('A', {}, { block: { chain: 'c', number: 1, hash: '0x', timestamp: 1_000_000 - 10_001 } })],
      {},
      'unavailable status_unavailable',
    ],
    [
      'whose status is young enough',
      query({ statusMaxAgeSeconds: 10 }),
      [credential('A', {}, { block: { chain: 'c', number: 1, hash: '0x', timestamp: 1_000_000 - 10_000 } })],
      {},
      'met',
    ],
    [
      'whose status rests on no block',
      query({ statusMaxAgeSeconds: 10 }),
      [credential('A')],
      {},
      'unavailable status_unavailable',
    ],
    [
      'that was presented and does not stand',
      query(),
      [credential('B')],
      {
        offer: {
          credentials: [],
          lapsed: [{ type: 'A', refusal: { kind: 'forbidden', code: 'credential_revoked', detail: 'Revoked.' } }],
        },
      },
      'forbidden credential_revoked',
    ],
    [
      'that is a mandate for something else',
      query({ mandate: true }),
      [credential('A')],
      {
        judgeMandate: () => {
          throw new Refusal('forbidden', 'mandate_limit', 'Too much.')
        },
      },
      'forbidden mandate_limit',
    ],
  ])('%s', (_what, asked, credentials, more, expected) => {
    expect(codeOf(() => match(asked, judging(credentials, more)))).toBe(expected)
  })

  it('is told what the requirement expects of its claims, and never what they say', () => {
    const where: Constraint[] = [
      { path: ['secretLevel'], oneOf: ['public-a', 'public-b'] },
      { path: ['tags'], includes: 'x' },
      { path: ['kept'], atLeast: 3 },
      { path: ['fine'], equals: true },
    ]
    const asked = query({ where, reads: [['inner', 'town']] })
    const shown = credential('A', { secretLevel: 'other-secret', tags: ['secret-tag'], fine: true })
    const refusal = refusalOf(() => match(asked, judging([shown])))
    expect(refusal.facts).toEqual({
      ...{ credential: 'one', credentialType: 'A', claims: ['secretLevel', 'tags', 'kept', 'inner.town'] },
      expected: where.slice(0, 3),
      requirement: 'https://office.example/requirements/act',
    })
    expect(refusal.message).toBe(
      'What the A shows of secretLevel, tags does not meet what this operation expects; it must show kept, inner.town as well.',
    )
    expect(JSON.stringify([refusal, refusal.message])).not.toMatch(/other-secret|secret-tag/)
  })

  it.each<[string, Record<string, unknown>, string]>([
    [
      'that says something else',
      { tags: ['y'] },
      'What the A shows of tags does not meet what this operation expects.',
    ],
    ['that keeps it back', {}, 'The A must show tags.'],
  ])('%s is told so', (_what, shown, detail) => {
    const asked = query({ where: [{ path: ['tags'], includes: 'x' }] })
    expect(refusalOf(() => match(asked, judging([credential('A', shown)]))).message).toBe(detail)
  })
})

describe('several credentials', () => {
  const both = (joined: Extract<CredentialTree, { all: unknown }>['joined']): CredentialTree => ({
    all: [query(), query({ id: 'two', type: 'B' })],
    joined,
  })
  const byClaim = both({ by: 'claim', claims: { one: ['p'], two: ['q', 'r'] } })

  it.each<[string, CredentialTree, ProvenCredential[], string]>([
    ['by one key', both({ by: 'key' }), [credential('A'), credential('B')], 'met'],
    [
      'by two keys',
      both({ by: 'key' }),
      [credential('A'), credential('B', {}, { holderKey: 'k2' })],
      'forbidden credentials_not_joined',
    ],
    ['without the second', both({ by: 'key' }), [credential('A')], 'forbidden credential_missing'],
    [
      'by one claim',
      byClaim,
      [credential('A', { p: 1 }), credential('B', { q: { r: 1 } }, { holderKey: 'k2' })],
      'met',
    ],
    [
      'by claims that differ',
      byClaim,
      [credential('A', { p: 1 }), credential('B', { q: { r: 2 } })],
      'forbidden credentials_not_joined',
    ],
    [
      'by claims of two types',
      byClaim,
      [credential('A', { p: 1 }), credential('B', { q: { r: '1' } })],
      'forbidden credentials_not_joined',
    ],
    [
      'by claims that are both kept back',
      byClaim,
      [credential('A'), credential('B')],
      'forbidden credentials_not_joined',
    ],
    [
      'by claims that are objects',
      byClaim,
      [credential('A', { p: {} }), credential('B', { q: { r: {} } })],
      'forbidden credentials_not_joined',
    ],
  ])('%s', (_what, tree, credentials, expected) => {
    expect(codeOf(() => match(tree, judging(credentials)))).toBe(expected)
  })

  it('name every alternative where none was presented', () => {
    const tree: CredentialTree = { any: [query(), query({ id: 'two', type: 'B', obtain: 'Ask B.' })] }
    let refusal: unknown
    try {
      match(tree, judging([]))
    } catch (error) {
      refusal = error
    }
    expect(refusal).toMatchObject({
      code: 'credential_missing',
      message: expect.stringContaining('A or B (Ask B.)'),
      facts: {
        missing: [
          { id: 'one', type: 'A' },
          { id: 'two', type: 'B', obtain: 'Ask B.' },
        ],
      },
    })
  })

  const high = query({ id: 'high', where: [1, 2].map(at => ({ path: [`c${at}`], equals: 1 })) })
  const low = query({ id: 'low', where: [{ path: ['c1'], equals: 1 }] })
  const pair = (id: string, type: string): CredentialTree => ({
    all: [query({ id: `${id}1` }), query({ id: `${id}2`, type })],
    joined: { by: 'key' },
  })

  it.each<[string, readonly CredentialTree[], ProvenCredential[], unknown]>([
    ['with fewer claims wrong', [high, low], [credential('A', { c1: 2, c2: 2 })], { credential: 'low' }],
    [
      'with a claim kept back',
      [low, query({ id: 'x', reads: [['y']] })],
      [credential('A', { c1: 2 })],
      { credential: 'x' },
    ],
    [
      'that lacks claims, not a further credential',
      [{ all: [high, query({ id: 'b', type: 'B' })], joined: { by: 'key' } }, high, query({ id: 'c', type: 'C' })],
      [credential('A', { c1: 2, c2: 1 })],
      { credential: 'high', claims: ['c1'] },
    ],
    [
      'that lacks claims once it is whole',
      [{ all: [low, query({ id: 'b', type: 'B' })], joined: { by: 'key' } }, high],
      [credential('A', { c1: 2, c2: 2 })],
      { credential: 'high' },
    ],
    [
      'that something was presented of',
      [query({ id: 'c', type: 'C' }), pair('b', 'B')],
      [credential('A')],
      { missing: [{ id: 'b2', type: 'B' }] },
    ],
    [
      'alone, though another has come further and lapsed',
      [
        { all: [query(), query({ id: 'l', type: 'L' }), query({ id: 'm', type: 'M' })], joined: { by: 'key' } },
        query({ id: 'c', type: 'C' }),
      ],
      [credential('A')],
      { missing: [{ id: 'c', type: 'C' }] },
    ],
  ])('tell of alternatives the nearest: the one %s', (_what, any, credentials, facts) => {
    const lapsed = [
      { type: 'L', refusal: { kind: 'forbidden' as const, code: 'credential_revoked', detail: 'Revoked.' } },
    ]
    const offer = { credentials, lapsed }
    expect(refusalOf(() => match({ any }, judging([], { offer }))).facts).toMatchObject(facts as object)
    expect(refusalOf(() => match({ any: [...any].reverse() }, judging([], { offer }))).facts).toMatchObject(
      facts as object,
    )
  })

  it('of many keys end in time, whether they can be joined or not', () => {
    const tree: CredentialTree = {
      all: ['a', 'b', 'c', 'd', 'e'].map(id => query({ id })),
      joined: { by: 'claim', claims: { a: ['p'], b: ['p'], c: ['p'], d: ['p'], e: ['q'] } },
    }
    const credentials = Array.from({ length: 16 }, (_, at) => credential('A', { p: 1, q: 2 + at }))
    const from = performance.now()
    expect(codeOf(() => match(tree, judging(credentials)))).toBe('forbidden credentials_not_joined')
    expect(performance.now() - from).toBeLessThan(500)
  })
})

describe('whatever was offered', () => {
  const leaf = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), type: fc.constantFrom('A', 'B') })
  const tree: fc.Arbitrary<CredentialTree> = fc.letrec<{ tree: CredentialTree }>(tie => ({
    tree: fc.oneof(
      { maxDepth: 2 },
      leaf,
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map(any => ({ any })),
      fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map(all => ({ all, joined: { by: 'key' as const } })),
    ),
  })).tree
  const offered = fc.array(fc.record({ type: fc.constantFrom('A', 'B'), holderKey: fc.constantFrom('k1', 'k2') }), {
    maxLength: 4,
  })
  const isUnique = (each: CredentialTree): boolean => {
    const ids = queriesOf(each).map(({ id }) => id)
    return new Set(ids).size === ids.length
  }

  /** The same law, written without thought for speed: try every assignment of credentials to queries. */
  const meets = (each: CredentialTree, all: ProvenCredential[]): ProvenCredential[][] => {
    if ('any' in each) return each.any.flatMap(one => meets(one, all))
    if (!('all' in each)) return all.filter(({ type }) => type === each.type).map(one => [one])
    const products = each.all.reduce<ProvenCredential[][]>(
      (sets, one) => sets.flatMap(set => meets(one, all).map(more => [...set, ...more])),
      [[]],
    )
    return products.filter(set => new Set(set.map(({ holderKey }) => holderKey)).size === 1)
  }

  it('is matched exactly when some choice of credentials meets the tree', () => {
    fc.assert(
      fc.property(tree.filter(isUnique), offered, (each, list) => {
        const credentials = list.map(({ type, holderKey }) => credential(type, {}, { holderKey }))
        const possible = meets(each, credentials).length > 0
        const found = codeOf(() => {
          expect(isMet(each, match(each, judging(credentials)))).toBe(true)
        })
        expect(found === 'met').toBe(possible)
      }),
    )
  })
})
