import { type Entity, encode, type Nation, newKey, openNation, seconds, signJwt } from './world.ts'

const issuer = 'openid_credential_issuer'

let nation: Nation
beforeEach(async () => {
  nation = await openNation()
})
afterEach(() => nation.close())

/** anchor → middle → leaf */
const chainOfThree = (claims: { anchor?: object; middle?: object; leaf?: object } = {}) => {
  const anchor = nation.add('anchor')
  const middle = nation.add('middle', {}, 'EdDSA')
  const leaf = nation.add('leaf', { metadata: { [issuer]: { credential_issuer: 'x', formats: ['a', 'b'] } } }, 'RS256')
  nation.subordinate(anchor, middle, claims.anchor as never)
  nation.subordinate(middle, leaf, claims.middle as never)
  Object.assign(leaf.configuration, claims.leaf)
  return { anchor, middle, leaf }
}

const resolving = ({ anchor, leaf }: { anchor: Entity; leaf: Entity }, limits = {}) =>
  nation.federation([anchor], undefined, limits).resolve(leaf.id)

const configurationPath = '.well-known/openid-federation'

describe('a trust chain (OpenID Federation 1.0, sections 4 and 10)', () => {
  it('leads from an entity over an intermediate to its anchor, under three algorithms', async () => {
    const world = chainOfThree()
    const chain = await resolving(world)
    expect(chain).toMatchObject({
      subject: world.leaf.id,
      anchor: world.anchor.id,
      expiresAt: (seconds + 3_600) * 1_000,
    })
    expect(chain.statements).toHaveLength(4)
    expect(chain.metadata[issuer]).toEqual({ credential_issuer: 'x', formats: ['a', 'b'] })
    expect(nation.asked).toHaveLength(5)
  })

  it('of an anchor is its own configuration', async () => {
    const { anchor } = chainOfThree()
    expect((await nation.federation([anchor]).resolve(anchor.id)).statements).toHaveLength(1)
  })

  it('is kept until the first of its statements expires, and is resolved again then', async () => {
    const { anchor, leaf } = chainOfThree({ middle: { exp: seconds + 100 } })
    let now = seconds * 1_000
    const federation = nation.federation([anchor], { now: () => now })
    expect((await federation.resolve(leaf.id)).expiresAt).toBe((seconds + 100) * 1_000)
    await federation.resolve(leaf.id)
    expect(nation.asked).toHaveLength(5)
    expect(federation.known(leaf.id)).toBeDefined()
    now += 100_000
    expect(federation.known(leaf.id)).toBeUndefined()
    await expect(federation.resolve(leaf.id)).rejects.toMatchObject({ code: 'statement_expired' })
  })

  it('applies what superiors say: metadata first, then allowed types, then the policies from the top (6.1.4, 6.2.3)', async () => {
    const { anchor, leaf } = chainOfThree({
      anchor: {
        metadata_policy: { [issuer]: { formats: { subset_of: ['a', 'c'] }, region: { value: 'north' } } },
        constraints: { allowed_entity_types: [issuer] },
      },
      middle: {
        metadata: { [issuer]: { credential_issuer: 'y' }, openid_provider: { issuer: 'z' } },
        metadata_policy: { [issuer]: { formats: { add: ['c'] } } },
      },
      leaf: {
        metadata: { federation_entity: {}, [issuer]: { formats: ['a', 'b'] }, oauth_client: { client_name: 'c' } },
      },
    })
    const { metadata } = await resolving({ anchor, leaf })
    expect(metadata).toEqual({
      federation_entity: {},
      [issuer]: { credential_issuer: 'y', formats: ['a', 'c'], region: 'north' },
    })
  })

  it('takes the shorter of two chains', async () => {
    const world = chainOfThree()
    nation.subordinate(world.anchor, world.leaf)
    expect((await resolving(world)).statements).toHaveLength(3)
  })

  it('takes another chain where one is broken', async () => {
    const world = chainOfThree({ middle: { exp: seconds - 1 } })
    const other = nation.add('other')
    nation.subordinate(world.anchor, other)
    nation.subordinate(other, world.leaf)
    expect((await resolving(world)).statements).toHaveLength(4)
  })

  it('is found through loops, which are not followed (10.1)', async () => {
    const world = chainOfThree()
    world.middle.configuration['authority_hints'] = [world.leaf.id, world.anchor.id]
    world.leaf.configuration['authority_hints'] = [world.leaf.id, world.middle.id]
    expect((await resolving(world)).statements).toHaveLength(4)
  })

  it('is not found where entities name one another and no anchor', async () => {
    const world = chainOfThree()
    world.middle.configuration['authority_hints'] = [world.leaf.id]
    await expect(resolving(world)).rejects.toMatchObject({ code: 'trust_chain_missing' })
  })
})

type World = ReturnType<typeof chainOfThree>

/** What is wrong, how it came so, and the refusal. */
const broken: [string, string, (world: World) => void][] = [
  ['the leaf has expired', 'statement_expired', ({ leaf }) => Object.assign(leaf.configuration, { exp: seconds - 1 })],
  [
    'a superior’s statement is from the future',
    'statement_early',
    ({ middle, leaf }) => Object.assign(middle.about.get(leaf.id) as object, { iat: seconds + 600 }),
  ],
  [
    'the leaf is signed by another key',
    'statement_signature',
    ({ leaf }) =>
      leaf.served.set(configurationPath, {
        body: signJwt({ ...newKey('key-of-leaf', 'RS256') }, leaf.configuration),
      }),
  ],
  [
    'the kid names no key',
    'statement_key_unknown',
    ({ leaf }) => leaf.served.set(configurationPath, { body: leaf.signed(leaf.configuration, { kid: 'other' }) }),
  ],
  [
    'there is no kid',
    'statement_malformed',
    ({ leaf }) => leaf.served.set(configurationPath, { body: leaf.signed(leaf.configuration, { kid: undefined }) }),
  ],
  [
    'the typ is another',
    'statement_type',
    ({ leaf }) => leaf.served.set(configurationPath, { body: leaf.signed(leaf.configuration, { typ: 'JWT' }) }),
  ],
  [
    'the algorithm is none',
    'algorithm_refused',
    ({ leaf }) =>
      leaf.served.set(configurationPath, {
        body: `${encode({ typ: 'entity-statement+jwt', alg: 'none', kid: 'x' })}.${encode(leaf.configuration)}.`,
      }),
  ],
  [
    'a key of RSA is used as a secret of HMAC',
    'algorithm_refused',
    ({ leaf }) => leaf.served.set(configurationPath, { body: leaf.signed(leaf.configuration, { alg: 'HS256' }) }),
  ],
  [
    'a critical header is unknown',
    'jws_critical_unknown',
    ({ leaf }) => leaf.served.set(configurationPath, { body: leaf.signed(leaf.configuration, { crit: ['x'], x: 1 }) }),
  ],
  [
    'a critical claim is unknown',
    'statement_critical_unknown',
    ({ leaf }) => Object.assign(leaf.configuration, { crit: ['liability'], liability: 1 }),
  ],
  [
    'crit names a claim of the specification',
    'statement_malformed',
    ({ leaf }) => Object.assign(leaf.configuration, { crit: ['metadata'] }),
  ],
  [
    'the configuration is of another entity',
    'statement_of_another',
    ({ leaf, middle }) => leaf.served.set(configurationPath, { body: middle.signed(middle.configuration) }),
  ],
  [
    'the superior answers with a statement about another',
    'statement_of_another',
    ({ leaf, middle }) => Object.assign(middle.about.get(leaf.id) as object, { sub: `${leaf.id}2` }),
  ],
  [
    'somebody else makes the superior’s statement',
    'statement_of_another',
    ({ leaf, middle, anchor }) =>
      middle.served.set(`fetch ${leaf.id}`, {
        body: anchor.signed({ ...middle.about.get(leaf.id), iss: anchor.id }),
      }),
  ],
  [
    'the superior’s statement is forged',
    'statement_signature',
    ({ leaf, middle }) =>
      middle.served.set(`fetch ${leaf.id}`, {
        body: signJwt(newKey('key-of-middle', 'EdDSA'), middle.about.get(leaf.id) as never),
      }),
  ],
  [
    'the superior knows other keys of the entity',
    'statement_key_unknown',
    ({ leaf, middle }) =>
      Object.assign(middle.about.get(leaf.id) as object, { jwks: { keys: [newKey('another').jwk] } }),
  ],
  [
    'the anchor signs with a key that is not among those of the configuration',
    'statement_signature',
    ({ anchor, middle }) => {
      const key = newKey('key-of-anchor')
      anchor.served.set(configurationPath, {
        body: signJwt(key, { ...anchor.configuration, jwks: { keys: [key.jwk] } }),
      })
      anchor.served.set(`fetch ${middle.id}`, { body: signJwt(key, anchor.about.get(middle.id) as never) })
    },
  ],
  [
    'the media type is another',
    'statement_malformed',
    ({ leaf }) =>
      leaf.served.set(configurationPath, { body: leaf.signed(leaf.configuration), type: 'application/jwt' }),
  ],
  [
    'the superior has no fetch endpoint',
    'statement_malformed',
    ({ middle }) => Object.assign(middle.configuration, { metadata: { federation_entity: {} } }),
  ],
  [
    'metadata holds null',
    'statement_malformed',
    ({ leaf }) => Object.assign(leaf.configuration, { metadata: { a: { b: null } } }),
  ],
  [
    'authority_hints is empty',
    'statement_malformed',
    ({ leaf }) => Object.assign(leaf.configuration, { authority_hints: [] }),
  ],
  [
    'a configuration carries a policy',
    'statement_malformed',
    ({ leaf }) => Object.assign(leaf.configuration, { metadata_policy: {} }),
  ],
  [
    'a subordinate statement carries hints',
    'statement_malformed',
    ({ leaf, middle }) =>
      Object.assign(middle.about.get(leaf.id) as object, { authority_hints: ['https://a.example'] }),
  ],
  [
    'the header carries a trust chain',
    'statement_malformed',
    ({ leaf }) => leaf.served.set(configurationPath, { body: leaf.signed(leaf.configuration, { trust_chain: [] }) }),
  ],
  [
    'a federation key is private',
    'statement_malformed',
    ({ leaf }) => Object.assign(leaf.configuration, { jwks: { keys: [{ ...leaf.key.jwk, d: 'AQ' }] } }),
  ],
  [
    'two keys have one kid',
    'statement_malformed',
    ({ leaf }) => Object.assign(leaf.configuration, { jwks: { keys: [leaf.key.jwk, leaf.key.jwk] } }),
  ],
  [
    'the policies conflict',
    'metadata_policy_conflict',
    ({ anchor, middle, leaf }) => {
      const policy = (value: string) => ({ metadata_policy: { [issuer]: { a: { value } } } })
      Object.assign(anchor.about.get(middle.id) as object, policy('x'))
      Object.assign(middle.about.get(leaf.id) as object, policy('y'))
    },
  ],
  [
    'a policy is violated',
    'metadata_policy_violated',
    ({ anchor, middle }) =>
      Object.assign(anchor.about.get(middle.id) as object, {
        metadata_policy: { [issuer]: { formats: { superset_of: ['z'] } } },
      }),
  ],
  [
    'a critical operator is unknown',
    'metadata_policy_operator_unknown',
    ({ anchor, middle }) =>
      Object.assign(anchor.about.get(middle.id) as object, {
        metadata_policy: { [issuer]: { formats: { regexp: 'z' } } },
        metadata_policy_crit: ['regexp'],
      }),
  ],
  [
    'there are more intermediates than allowed',
    'federation_constraint_violated',
    ({ anchor, middle }) =>
      Object.assign(anchor.about.get(middle.id) as object, { constraints: { max_path_length: 0 } }),
  ],
  [
    'the name is excluded',
    'federation_constraint_violated',
    ({ anchor, middle }) =>
      Object.assign(anchor.about.get(middle.id) as object, {
        constraints: { naming_constraints: { excluded: ['localhost'] } },
      }),
  ],
  [
    'the name is not permitted',
    'federation_constraint_violated',
    ({ anchor, middle }) =>
      Object.assign(anchor.about.get(middle.id) as object, {
        constraints: { naming_constraints: { permitted: ['.localhost'] } },
      }),
  ],
  [
    'max_path_length is less than nothing',
    'statement_malformed',
    ({ anchor, middle }) =>
      Object.assign(anchor.about.get(middle.id) as object, { constraints: { max_path_length: -1 } }),
  ],
]

describe('a trust chain is refused', () => {
  it.each(broken)('where %s: %s', async (_what, code, breakIt) => {
    const world = chainOfThree()
    breakIt(world)
    await expect(resolving(world)).rejects.toMatchObject({ code, kind: expect.stringMatching(/rejected|malformed/) })
  })

  it('where max_path_length just suffices: it is not', async () => {
    expect(
      (await resolving(chainOfThree({ anchor: { constraints: { max_path_length: 1 } } }))).statements,
    ).toHaveLength(4)
  })

  it('where it would need more statements, or intermediates, than are fetched', async () => {
    const world = chainOfThree()
    await expect(resolving(world, { fetches: 3 })).rejects.toMatchObject({ code: 'trust_chain_excessive' })
    await expect(resolving(world, { intermediates: 0 })).rejects.toMatchObject({ code: 'trust_chain_missing' })
    await expect(resolving(world, { statementBytes: 300 })).rejects.toMatchObject({ kind: 'unavailable' })
  })

  it('where an entity names superiors without end', async () => {
    const { anchor, leaf } = chainOfThree()
    leaf.configuration['authority_hints'] = Array.from({ length: 40 }, (_, index) => `${nation.origin}/nobody-${index}`)
    await expect(resolving({ anchor, leaf })).rejects.toMatchObject({ kind: 'unavailable' })
    expect(nation.asked.length).toBeLessThanOrEqual(9)
  })

  it('where the anchor is not one that counts', async () => {
    const { anchor, leaf } = chainOfThree()
    await expect(nation.federation([anchor]).resolve(leaf.id, ['https://a.example'])).rejects.toMatchObject({
      code: 'trust_anchor_unknown',
    })
    const stranger = nation.add('stranger')
    await expect(nation.federation([stranger]).resolve(leaf.id)).rejects.toMatchObject({ code: 'trust_chain_missing' })
  })

  it('where the identifier is http, beyond the demonstration’s own', async () => {
    const { anchor } = chainOfThree()
    await expect(nation.federation([anchor]).resolve('http://a.example')).rejects.toMatchObject({
      code: 'statement_malformed',
    })
  })

  it('for now where nobody answers, and is not asked for again at once', async () => {
    const world = chainOfThree()
    world.leaf.served.set(configurationPath, { body: '', status: 503 })
    const federation = nation.federation([world.anchor])
    const gone = { kind: 'unavailable', code: 'federation_unavailable' }
    await expect(federation.resolve(world.leaf.id)).rejects.toMatchObject(gone)
    await expect(federation.resolve(world.leaf.id)).rejects.toMatchObject(gone)
    expect(nation.asked).toHaveLength(1)
  })
})
