import { normalizePresentation } from 'did-jwt-vc'
import fc from 'fast-check'
import { showPresentation } from '../../src/identity/formats/presentation.ts'
import { toJwsJson } from '../../src/identity/formats/sd-jwt-json.ts'
import { discloseOnly } from '../../src/identity/formats/sd-jwt-present.ts'
import { type HolderKey, presentCredential, verifyPresentation } from '../../src/identity/present.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import type { FormatId, PresentationVerdict } from '../../src/kernel/identity.ts'
import {
  audience,
  day,
  encode,
  holderParty,
  jws,
  openWorld,
  type Party,
  partsOf,
  put,
  resigned,
  type World,
} from './world.ts'

const formatIds: FormatId[] = ['vc+jwt', 'jwt_vc', 'dc+sd-jwt']
type Claims = Record<string, unknown>

const challenge = 'c29tZSBub25jZQ'
const expected = { challenge, audience: [audience] }
const to = { audience, challenge, claims: ['familyName', 'licenceNumber'] }

const present = (world: World, compact: string, format: FormatId, key: HolderKey = world.holder, at = to) =>
  presentCredential({ compact, format }, at, key, world.signer, world.clock.now())

const shown = async (world: World, format: FormatId) => present(world, (await world.issue({ format })).compact, format)

const refused = (verdict: PresentationVerdict): string => {
  expect(verdict.verified).toBe(false)
  return verdict.refusal?.code ?? ''
}

/** The last JWS of a presentation, which is the holder's, changed and signed anew. */
const holderSays = (presentation: string, party: Party, change: (payload: Claims, header: Claims) => void): string => {
  const parts = presentation.split('~')
  const last = parts.pop() ?? ''
  return [...parts, resigned(last, party, change)].join('~')
}

/** The last JWS of a presentation with other text in it, and the old signature. */
const holderSaid = (presentation: string, change: (payload: Claims, header: Claims) => void): string => {
  const parts = presentation.split('~')
  const last = parts.pop() ?? ''
  const { header, payload } = partsOf(last)
  change(payload, header)
  return [...parts, `${encode(header)}.${encode(payload)}.${last.split('.')[2]}`].join('~')
}

type Row = [
  title: string,
  code: string,
  make: (world: World, format: FormatId, good: string) => string | Promise<string>,
]
const seconds = (world: World) => world.clock.now() / 1_000

/** What a holder with another key does with a credential that is not theirs. */
const stolen = async (world: World, format: FormatId, key: Party) => {
  world.parties.set(key.keyId, key)
  return present(world, (await world.issue({ format })).compact, format, key)
}

const rows: Row[] = [
  ['alg none', 'algorithm_refused', (_w, _f, good) => holderSaid(good, (_p, header) => put(header, 'alg', 'none'))],
  [
    'the algorithm swapped',
    'algorithm_mismatch',
    (_w, _f, good) => holderSaid(good, (_p, header) => put(header, 'alg', 'EdDSA')),
  ],
  [
    'a challenge of another verifier',
    'challenge_mismatch',
    (w, _f, good) => holderSays(good, w.holder, p => put(p, 'nonce', 'other')),
  ],
  [
    'another audience',
    'audience_mismatch',
    (w, _f, good) => holderSays(good, w.holder, p => put(p, 'aud', 'https://other.example')),
  ],
  [
    'a date ten minutes old',
    'presentation_expired',
    (w, _f, good) =>
      holderSays(good, w.holder, payload => {
        put(payload, 'iat', seconds(w) - 601)
        delete payload['exp']
      }),
  ],
  [
    'a date to come',
    'presentation_expired',
    (w, _f, good) => holderSays(good, w.holder, p => put(p, 'iat', seconds(w) + 61)),
  ],
  [
    'a date that is a word',
    'credential_malformed',
    (w, _f, good) => holderSays(good, w.holder, p => put(p, 'iat', 'now')),
  ],
  ['another holder', 'holder_mismatch', (w, format) => stolen(w, format, holderParty())],
  [
    'a forged credential inside',
    'signature_invalid',
    async (world, format) => {
      const { compact } = await world.issue({ format })
      return present(
        world,
        resigned(compact, world.other, (_p, header) => put(header, 'alg', 'ES256')),
        format,
      )
    },
  ],
  [
    'a credential inside that its holder edited',
    'signature_invalid',
    async (world, format) => {
      const [jwt = '', ...rest] = (await world.issue({ format })).compact.split('~')
      const [header, , signature] = jwt.split('.')
      const { payload } = partsOf(jwt)
      put(payload, 'extra', 1)
      return present(world, [`${header}.${encode(payload)}.${signature}`, ...rest].join('~'), format)
    },
  ],
  [
    'a credential of an issuer who is not accredited',
    'issuer_unaccredited',
    async (world, format) => present(world, (await world.issue({ format }, world.stranger)).compact, format),
  ],
  [
    'an expired credential',
    'credential_expired',
    async (world, format) => {
      const { compact } = await world.issue({ format })
      const ended = resigned(compact, world.transport, payload => put(payload, 'exp', seconds(world) - 1))
      return present(world, ended, format)
    },
  ],
  ...(['revoked', 'suspended'] as const).map(
    (value): Row => [
      `a credential that is ${value}`,
      `credential_${value}`,
      async (world, format) => {
        const { compact, draft } = await world.issue({ format })
        world.status.set(draft.status, value)
        return present(world, compact, format)
      },
    ],
  ),
]

/** What only presentations of the W3C kind can be. */
const w3cRows: Row[] = [
  ['an edited payload', 'signature_invalid', (_w, _f, good) => holderSaid(good, p => put(p, 'jti', 'urn:x'))],
  ['no challenge', 'challenge_mismatch', (w, _f, good) => holderSays(good, w.holder, p => void delete p['nonce'])],
  ['no audience', 'audience_mismatch', (w, _f, good) => holderSays(good, w.holder, p => void delete p['aud'])],
  ['other audiences', 'audience_mismatch', (w, _f, good) => holderSays(good, w.holder, p => put(p, 'aud', ['a', 'b']))],
  [
    'an end that has come',
    'presentation_expired',
    (w, _f, good) => holderSays(good, w.holder, p => put(p, 'exp', seconds(w))),
  ],
  [
    'a beginning to come',
    'presentation_expired',
    (w, _f, good) => holderSays(good, w.holder, p => put(p, 'nbf', seconds(w) + 61)),
  ],
  [
    'no date at all',
    'presentation_undated',
    (w, _f, good) =>
      holderSays(good, w.holder, payload => {
        for (const name of ['iat', 'exp']) delete payload[name]
      }),
  ],
  [
    'a key that is not its holder’s',
    'key_of_another',
    (_w, _f, good) => {
      const thief = holderParty()
      return holderSays(good, thief, (_p, header) => put(header, 'kid', thief.kid))
    },
  ],
  [
    'a signature by another key under the holder’s kid',
    'signature_invalid',
    (_w, _f, good) => holderSays(good, holderParty(), () => undefined),
  ],
  [
    'a key that is unknown',
    'key_unknown',
    (w, _f, good) => holderSays(good, w.holder, (_p, h) => put(h, 'kid', `${w.holder.did}#0`)),
  ],
  [
    'the typ of a credential',
    'credential_malformed',
    (w, _f, good) => holderSays(good, w.holder, (_p, h) => put(h, 'typ', 'vc+jwt')),
  ],
  [
    'the typ of a key binding',
    'credential_malformed',
    (w, _f, good) => holderSays(good, w.holder, (_p, h) => put(h, 'typ', 'kb+jwt')),
  ],
  [
    'a holder that is not iss',
    'credential_malformed',
    (w, _f, good) => holderSays(good, w.holder, p => put(vpOf(p), 'holder', { id: 1 })),
  ],
  ['no type', 'credential_malformed', (w, _f, good) => holderSays(good, w.holder, p => void delete vpOf(p)['type'])],
  [
    'no credential',
    'credential_malformed',
    (w, _f, good) => holderSays(good, w.holder, p => put(vpOf(p), 'verifiableCredential', [])),
  ],
  [
    'a credential that is none',
    'credential_malformed',
    (w, _f, good) => holderSays(good, w.holder, p => put(vpOf(p), 'verifiableCredential', [7])),
  ],
  [
    'seventeen credentials',
    'credential_malformed',
    (w, _f, good) =>
      holderSays(good, w.holder, payload => {
        const [credential] = vpOf(payload)['verifiableCredential'] as unknown[]
        put(
          vpOf(payload),
          'verifiableCredential',
          Array.from({ length: 17 }, () => credential),
        )
      }),
  ],
  [
    'a forged credential beside a good one',
    'signature_invalid',
    async (world, format, good) => {
      const { compact } = await world.issue({ format })
      const forged = resigned(compact, holderParty(), () => undefined)
      return holderSays(good, world.holder, payload => {
        const credentials = vpOf(payload)['verifiableCredential'] as unknown[]
        put(vpOf(payload), 'verifiableCredential', [...credentials, forged])
      })
    },
  ],
  [
    'a credential of another holder beside one’s own',
    'holder_mismatch',
    async (world, format, good) => {
      const { compact } = await world.issue({ format, subject: world.subjectOf('DrivingLicence', world.other) })
      return holderSays(good, world.holder, payload => {
        const credentials = vpOf(payload)['verifiableCredential'] as unknown[]
        put(vpOf(payload), 'verifiableCredential', [...credentials, compact])
      })
    },
  ],
]

/** What only an SD-JWT with key binding can be. */
const bindingRows: Row[] = [
  ['no key binding', 'holder_unproven', async w => discloseOnly((await w.issue({ format: 'dc+sd-jwt' })).compact, [])],
  [
    'a key binding of another typ',
    'credential_malformed',
    (w, _f, good) => holderSays(good, w.holder, (_p, h) => put(h, 'typ', 'JWT')),
  ],
  [
    'a key binding without nonce',
    'credential_malformed',
    (w, _f, good) => holderSays(good, w.holder, p => void delete p['nonce']),
  ],
  [
    'a key binding without date',
    'credential_malformed',
    (w, _f, good) => holderSays(good, w.holder, p => void delete p['iat']),
  ],
  [
    'a key binding without sd_hash',
    'presentation_edited',
    (w, _f, good) => holderSays(good, w.holder, p => void delete p['sd_hash']),
  ],
  ['a claim left out after it was bound', 'presentation_edited', (_w, _f, good) => good.replace(/~[^~]+~/, '~')],
  [
    'a claim added after it was bound',
    'presentation_edited',
    async world => {
      const { compact } = await world.issue({ format: 'dc+sd-jwt' })
      const less = await present(world, compact, 'dc+sd-jwt', world.holder, { ...to, claims: [] })
      return less.replace('~', `~${compact.split('~')[1]}~`)
    },
  ],
  [
    'a key binding that the holder did not sign',
    'holder_mismatch',
    (_w, _f, good) => holderSaid(good, p => put(p, 'extra', 1)),
  ],
  [
    'no confirmation key',
    'holder_unproven',
    async world => {
      const { compact } = await world.issue({ format: 'dc+sd-jwt' })
      return present(
        world,
        resigned(compact, world.transport, p => void delete p['cnf']),
        'dc+sd-jwt',
      )
    },
  ],
  ...[
    {},
    { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
    { kty: 'RSA', crv: 'P-256', n: 'AQAB', e: 'AQAB' },
    { kty: 'EC', crv: 'P-384' },
  ].map(
    (jwk): Row => [
      `the confirmation key ${JSON.stringify(jwk)}`,
      'key_malformed',
      async world => {
        const { compact } = await world.issue({ format: 'dc+sd-jwt' })
        return present(
          world,
          resigned(compact, world.transport, p => put(p, 'cnf', { jwk })),
          'dc+sd-jwt',
        )
      },
    ],
  ),
]

const vpOf = (payload: Claims): Claims => (payload['vp'] ?? payload) as Claims

const tables: [FormatId, Row[]][] = [
  ['vc+jwt', [...rows, ...w3cRows]],
  ['jwt_vc', [...rows, ...w3cRows]],
  ['dc+sd-jwt', [...rows, ...bindingRows]],
]

describe.each(tables)('a presentation of a %s credential', (format, cases) => {
  it.each(cases)('is refused with %s (%s)', async (_title, code, make) => {
    const world = openWorld()
    const good = await shown(world, format)
    expect((await verifyPresentation(good, world.verify, expected)).refusal).toBeUndefined()
    const verdict = await verifyPresentation(await make(world, format, good), world.verify, expected)
    expect(refused(verdict)).toBe(code)
  })

  it('is good once for its challenge, and names holder, claims and every check', async () => {
    const world = openWorld()
    const verdict = await verifyPresentation(await shown(world, format), world.verify, expected)
    expect(verdict).toMatchObject({ verified: true, holder: world.holder.did })
    const [credential] = verdict.credentials
    expect(credential).toMatchObject({ verified: true, type: 'DrivingLicence', claims: { familyName: 'Okafor' } })
    const outcomes = [...verdict.checks, ...(credential?.checks ?? [])].map(
      ({ check, outcome }) => `${check} ${outcome}`,
    )
    for (const check of ['signature', 'holderBinding', 'challenge', 'status'])
      expect(outcomes).toContain(`${check} passed`)
  })

  it.each([
    ['another challenge', { challenge: 'b3RoZXI', audience: [audience] }, 'challenge_mismatch'],
    ['another verifier', { challenge, audience: ['https://other.example'] }, 'audience_mismatch'],
    ['no verifier at all', { challenge, audience: [] }, 'audience_mismatch'],
  ])('is refused when it is replayed to %s', async (_title, to, code) => {
    const world = openWorld()
    expect(refused(await verifyPresentation(await shown(world, format), world.verify, to))).toBe(code)
  })

  it('is refused when it is shown eleven minutes later', async () => {
    const world = openWorld()
    const presentation = await shown(world, format)
    world.clock.time += 11 * 60_000
    expect(refused(await verifyPresentation(presentation, world.verify, expected))).toBe('presentation_expired')
  })

  it('is unavailable, and not good, while the status cannot be known', async () => {
    const world = openWorld()
    const presentation = await shown(world, format)
    world.status.stale = true
    const verdict = await verifyPresentation(presentation, world.verify, expected)
    expect(verdict).toMatchObject({ verified: false, refusal: { kind: 'unavailable', code: 'status_unavailable' } })
  })

  it('is judged as of a past time', async () => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format })
    const presentation = await present(world, compact, format)
    const at = world.clock.now() + 1_000
    world.clock.time += day
    world.status.set(draft.status, 'revoked')
    expect((await verifyPresentation(presentation, world.verify, { ...expected, at })).refusal).toBeUndefined()
    const early = { ...expected, at: world.clock.now() + day }
    expect((await verifyPresentation(presentation, world.verify, early)).verified).toBe(false)
  })

  it('is no credential, and a credential is no presentation', async () => {
    const world = openWorld()
    const { compact } = await world.issue({ format })
    const verdict = await verifyPresentation(compact, world.verify, expected)
    expect(refused(verdict)).toBe(format === 'dc+sd-jwt' ? 'holder_unproven' : 'credential_malformed')
    if (format === 'dc+sd-jwt') return
    const presentation = await present(world, compact, format)
    expect((await verifyCredential(presentation, world.verify)).refusal?.code).toBe('credential_malformed')
  })

  it('never throws and never verifies when it was mutated in one place', async () => {
    const world = openWorld()
    const good = await shown(world, format)
    const place = fc.nat({ max: good.length - 1 })
    await fc.assert(
      fc.asyncProperty(place, fc.constantFrom('A', 'z', '.', '~', '=', '\u0141', ''), async (at, letter) => {
        const mutated = good.slice(0, at) + letter + good.slice(at + 1)
        fc.pre(mutated !== good)
        expect((await verifyPresentation(mutated, world.verify, expected)).verified).toBe(false)
      }),
      { numRuns: 400 },
    )
  })
})

describe('an SD-JWT inside a vp+jwt', () => {
  const envelope = async (world: World, compact: string, key: Party) => {
    world.parties.set(key.keyId, key)
    return present(world, compact, 'vc+jwt', key)
  }

  it('is bound by the signature around it', async () => {
    const world = openWorld()
    const { compact } = await world.issue({ format: 'dc+sd-jwt' })
    const presentation = await envelope(world, discloseOnly(compact, ['familyName']), world.holder)
    const verdict = await verifyPresentation(presentation, world.verify, expected)
    expect(verdict.refusal).toBeUndefined()
    expect(verdict.credentials[0]?.claims).not.toHaveProperty('givenName')
  })

  it('is refused when another signs around it', async () => {
    const world = openWorld()
    const { compact } = await world.issue({ format: 'dc+sd-jwt' })
    const presentation = await envelope(world, compact, holderParty())
    expect(refused(await verifyPresentation(presentation, world.verify, expected))).toBe('holder_mismatch')
  })

  it.each([{}, { kty: 'EC', crv: 'P-256' }, { crv: [[]] }])('is refused with the confirmation key %j', async jwk => {
    const world = openWorld()
    const { compact } = await world.issue({ format: 'dc+sd-jwt' })
    const odd = resigned(compact, world.transport, payload => put(payload, 'cnf', { jwk }))
    const verdict = await verifyPresentation(await envelope(world, odd, world.holder), world.verify, expected)
    expect(refused(verdict)).toBe('key_malformed')
  })
})

describe('a presentation as an object', () => {
  const asObject = async (world: World) => {
    const presentation = await shown(world, 'jwt_vc')
    return { presentation, object: normalizePresentation(presentation) as unknown as Claims }
  }

  it('is good as did-jwt-vc and as we show it', async () => {
    const world = openWorld()
    const { presentation, object } = await asObject(world)
    expect((await verifyPresentation(object, world.verify, expected)).refusal).toBeUndefined()
    expect((await verifyPresentation(showPresentation(presentation), world.verify, expected)).refusal).toBeUndefined()
    const v2 = showPresentation(await shown(world, 'vc+jwt'))
    expect((await verifyPresentation(v2, world.verify, expected)).refusal).toBeUndefined()
    const enveloped = {
      type: 'EnvelopedVerifiablePresentation',
      id: `data:application/vp+jwt,${await shown(world, 'vc+jwt')}`,
    }
    expect((await verifyPresentation(enveloped, world.verify, expected)).refusal).toBeUndefined()
  })

  it.each<[string, (object: Claims) => void, string]>([
    ['another holder', object => put(object, 'holder', 'did:example:x'), 'payload_edited'],
    ['another verifier', object => put(object, 'verifier', ['did:example:x']), 'payload_edited'],
    ['an added member', object => put(object, 'evidence', {}), 'payload_edited'],
    [
      'a credential more',
      object => put(object, 'verifiableCredential', [...(object['verifiableCredential'] as []), 'x.y.z']),
      'credential_malformed',
    ],
    ['no credential', object => put(object, 'verifiableCredential', []), 'credential_malformed'],
    [
      'an edited credential inside',
      object => {
        const [credential] = object['verifiableCredential'] as Claims[]
        put((credential as Claims)['credentialSubject'] as Claims, 'familyName', 'Adeyemi')
      },
      'payload_edited',
    ],
    ['an edited presentation in its proof', object => put(object, 'proof', { jwt: 'x.y.z' }), 'credential_malformed'],
  ])('is refused with %s', async (_title, edit, code) => {
    const world = openWorld()
    const { object } = await asObject(world)
    const edited = structuredClone(object)
    edit(edited)
    expect(refused(await verifyPresentation(edited, world.verify, expected))).toBe(code)
  })

  it('is refused when the credential in it was swapped for another good one', async () => {
    const world = openWorld()
    const { object } = await asObject(world)
    const { compact } = await world.issue({ format: 'jwt_vc' })
    const swapped = { ...object, verifiableCredential: [compact] }
    expect(refused(await verifyPresentation(swapped, world.verify, expected))).toBe('credential_malformed')
  })
})

describe('an SD-JWT in the JWS JSON serialisation (RFC 9901, section 8)', () => {
  it('is judged as its compact form, with its disclosures and key binding', async () => {
    const world = openWorld()
    const object = toJwsJson(await shown(world, 'dc+sd-jwt'))
    const verdict = await verifyPresentation(object, world.verify, expected)
    expect(verdict).toMatchObject({ verified: true, credentials: [{ claims: { familyName: expect.any(String) } }] })
  })

  it('is refused with a disclosure taken away, and under a second signature', async () => {
    const world = openWorld()
    const object = toJwsJson(await shown(world, 'dc+sd-jwt')) as Claims & { header: { disclosures: string[] } }
    const fewer = { ...object, header: { ...object.header, disclosures: object.header.disclosures.slice(1) } }
    expect(refused(await verifyPresentation(fewer, world.verify, expected))).toBe('presentation_edited')
    const { payload, ...signature } = object
    const twice = {
      payload,
      signatures: [signature, { protected: object['protected'], signature: object['signature'] }],
    }
    expect(refused(await verifyPresentation(twice, world.verify, expected))).toBe('credential_malformed')
  })
})

describe('a holder’s key', () => {
  it('of a holder with an Ed25519 did:jwk presents every format', async () => {
    const world = openWorld()
    for (const format of formatIds) {
      const { compact } = await world.issue({ format, subject: world.subjectOf('DrivingLicence', world.other) })
      const presentation = await present(world, compact, format, world.other)
      expect((await verifyPresentation(presentation, world.verify, expected)).refusal).toBeUndefined()
    }
  })

  it('of an agency presents only while it is for authentication', async () => {
    const world = openWorld()
    const { transport } = world
    const subject = world.subjectOf('Accreditation', transport)
    const { compact } = await world.issue({ type: 'Accreditation', format: 'vc+jwt', subject })
    const presentation = await present(world, compact, 'vc+jwt', transport)
    expect((await verifyPresentation(presentation, world.verify, expected)).refusal).toBeUndefined()
    world.dids.add(transport, { purposes: ['assertionMethod'] })
    expect(refused(await verifyPresentation(presentation, world.verify, expected))).toBe('key_purpose')
  })
})

describe('whatever else comes in as a presentation', () => {
  it('never throws and never verifies', async () => {
    const world = openWorld()
    const anything = fc.oneof(
      fc.anything(),
      fc.string(),
      fc.object({ key: fc.constantFrom('proof', 'jwt', 'type', 'id', 'verifiableCredential') }),
    )
    await fc.assert(
      fc.asyncProperty(anything, async input => {
        expect((await verifyPresentation(input, world.verify, expected)).verified).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it('never throws and never verifies although the holder signed it', async () => {
    const world = openWorld()
    const { payload, header } = partsOf(await shown(world, 'vc+jwt'))
    const names = ['type', 'holder', 'verifiableCredential', 'nonce', 'aud', 'iss', 'iat', 'exp', 'nbf']
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 5 }), async (name, value) => {
        const odd = jws(header, { ...payload, [name]: value }, world.holder)
        const { verified } = await verifyPresentation(odd, world.verify, expected)
        if (!['holder', 'iss', 'iat', 'exp', 'nbf'].includes(name)) expect(verified).toBe(false)
      }),
      { numRuns: 400 },
    )
  })
})

describe('a credential of somebody else that brings its own proof, as a guardian presents a minor’s', () => {
  const together = async (world: World, bound: string) => {
    const { compact } = await world.issue({ format: 'vc+jwt' })
    const own = await present(world, compact, 'vc+jwt')
    const enveloped = {
      '@context': 'https://www.w3.org/ns/credentials/v2',
      id: `data:application/dc+sd-jwt,${bound}`,
      type: 'EnvelopedVerifiableCredential',
    }
    const both = holderSays(own, world.holder, payload => {
      const credentials = vpOf(payload)['verifiableCredential'] as unknown[]
      put(vpOf(payload), 'verifiableCredential', [...credentials, enveloped])
    })
    return verifyPresentation(both, world.verify, expected)
  }
  const minors = async (world: World) =>
    (await world.issue({ format: 'dc+sd-jwt', subject: world.subjectOf('DrivingLicence', world.other) })).compact

  it('verifies when its own key answers this challenge', async () => {
    const world = openWorld()
    const bound = await present(world, await minors(world), 'dc+sd-jwt', world.other)
    expect(await together(world, bound)).toMatchObject({ verified: true, credentials: [{ verified: true }, {}] })
  })

  it('is refused without a proof of its own', async () => {
    const world = openWorld()
    expect(refused(await together(world, discloseOnly(await minors(world), [])))).toBe('holder_mismatch')
  })

  it('is refused with a proof for another challenge', async () => {
    const world = openWorld()
    const at = { ...to, challenge: 'YW5vdGhlcg' }
    const bound = await present(world, await minors(world), 'dc+sd-jwt', world.other, at)
    expect(refused(await together(world, bound))).toBe('challenge_mismatch')
  })

  it('is refused with a proof by the presenter’s key', async () => {
    const world = openWorld()
    const bound = await present(world, await minors(world), 'dc+sd-jwt', world.holder)
    expect(refused(await together(world, bound))).toMatch(/^(algorithm|holder)_mismatch$/)
  })
})
