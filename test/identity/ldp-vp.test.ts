import { presentCredential, verifyPresentation } from '../../src/identity/present.ts'
import { challengeOf, prove, recheck } from '../../src/identity/prove.ts'
import { enveloped } from '../../src/kernel/envelope.ts'
import type { FormatId } from '../../src/kernel/identity.ts'
import type { Refusal } from '../../src/kernel/refusal.ts'
import { type Document, edited, secured } from './ldp.ts'
import { audience, holderParty, openWorld, type Party, put, type World } from './world.ts'

const contextV2 = 'https://www.w3.org/ns/credentials/v2'
const challenge = 'c29tZSBub25jZQ'
const expected = { challenge, audience: [audience] }
const to = { audience, challenge, claims: [] }

const issued = async (world: World, holder: Party = world.holder, format: FormatId = 'ldp_vc') =>
  (await world.issue({ format, subject: world.subjectOf('DrivingLicence', holder) })).compact

const presentedBy = async (world: World, holder: Party, compact: string): Promise<Document> => {
  world.parties.set(holder.keyId, holder)
  const held = { compact, format: 'ldp_vc' }
  return JSON.parse(await presentCredential(held, to, holder, world.signer, world.clock.now()))
}
const shown = async (world: World, holder: Party = world.holder) =>
  presentedBy(world, holder, await issued(world, holder))

/** A presentation by hand. */
const presented = (world: World, credentials: unknown[], holder: Party = world.holder, change: Document = {}) =>
  secured(
    {
      '@context': [contextV2],
      type: ['VerifiablePresentation'],
      holder: holder.did,
      verifiableCredential: credentials,
      ...change,
    },
    holder,
    { proofPurpose: 'authentication', challenge, domain: audience, created: new Date(world.clock.now()).toISOString() },
  )

const proofOf = (document: Document) => document['proof'] as Document
const judged = (world: World, input: unknown, with_ = expected) => verifyPresentation(input, world.verify, with_)
const proven = (world: World, ...presentations: string[]) =>
  prove(presentations, expected, { ...world.verify, did: world.transport.did })

describe('a presentation with a DataIntegrityProof', () => {
  it.each([
    ['P-256', 'key', 'ecdsa-rdfc-2019'],
    ['P-384', 'key', 'ecdsa-rdfc-2019'],
    ['Ed25519', 'key', 'eddsa-rdfc-2022'],
    ['Ed25519', 'jwk', 'eddsa-rdfc-2022'],
  ] as const)(
    'is made by a %s holder (did:%s) with %s, and verified as text and as an object',
    async (kind, method, cryptosuite) => {
      const world = openWorld()
      const holder = holderParty(kind, method)
      const presentation = await shown(world, holder)
      expect(proofOf(presentation)).toMatchObject({
        ...{ cryptosuite, proofPurpose: 'authentication', challenge, domain: audience, verificationMethod: holder.kid },
      })
      for (const input of [presentation, JSON.stringify(presentation)]) {
        expect(await judged(world, input)).toMatchObject({
          ...{ verified: true, holder: holder.did },
          credentials: [{ verified: true, format: 'ldp_vc', type: 'DrivingLicence' }],
        })
      }
    },
  )

  it('holds credentials of every format: embedded, enveloped, and an SD-JWT with a key binding of its own', async () => {
    const world = openWorld()
    const sdJwt = await issued(world, world.holder, 'dc+sd-jwt')
    const held = { compact: sdJwt, format: 'dc+sd-jwt' }
    const bound = await presentCredential(
      held,
      { ...to, claims: ['familyName'] },
      world.holder,
      world.signer,
      world.clock.now(),
    )
    const presentation = await presented(world, [
      JSON.parse(await issued(world)),
      enveloped('vc+jwt', await issued(world, world.holder, 'vc+jwt')),
      enveloped('jwt', await issued(world, world.holder, 'jwt_vc')),
      enveloped('dc+sd-jwt', bound),
    ])
    const verdict = await judged(world, presentation)
    expect(verdict.credentials.map(({ format, verified }) => [format, verified])).toEqual([
      ['ldp_vc', true],
      ['vc+jwt', true],
      ['jwt_vc', true],
      ['dc+sd-jwt', true],
    ])
    expect(verdict.verified).toBe(true)
  })

  it('may be made with ecdsa-jcs-2019 as well', async () => {
    const world = openWorld()
    const { proof, ...document } = await shown(world)
    const options = { ...(proof as Document), cryptosuite: 'ecdsa-jcs-2019', proofPurpose: 'authentication' }
    expect((await judged(world, await secured(document, world.holder, options))).verified).toBe(true)
  })

  it('an ldp_vc is held by a vp+jwt too', async () => {
    const world = openWorld()
    const compact = await issued(world)
    const held = { compact, format: 'vc+jwt' }
    const presentation = await presentCredential(held, to, world.holder, world.signer, world.clock.now())
    expect(await judged(world, presentation)).toMatchObject({ verified: true, credentials: [{ format: 'ldp_vc' }] })
  })
})

type Row = [title: string, code: string, make: (world: World, good: Document) => unknown]
const inProof = (name: string, value: unknown) => (_world: World, good: Document) =>
  edited(good, each => put(proofOf(each), name, value))
const again = (change: Document) => (world: World, good: Document) =>
  secured(good, world.holder, {
    ...(proofOf(good) as object),
    proofPurpose: 'authentication',
    cryptosuite: 'ecdsa-rdfc-2019',
    ...change,
  })

const rows: Row[] = [
  ['another challenge, signed', 'challenge_mismatch', again({ challenge: 'other' })],
  ['no challenge', 'challenge_mismatch', again({ challenge: undefined })],
  ['another challenge, put in', 'signature_invalid', inProof('challenge', 'other')],
  ['another domain, signed', 'audience_mismatch', again({ domain: 'https://other.example' })],
  ['no domain', 'audience_mismatch', again({ domain: undefined })],
  ['another domain, put in', 'signature_invalid', inProof('domain', 'https://other.example')],
  ['neither a date nor an end', 'presentation_undated', again({ created: undefined, expires: undefined })],
  ['an end that has come', 'presentation_expired', again({ expires: '2020-01-01T00:00:00Z' })],
  ['a date long ago', 'presentation_expired', again({ created: '2020-01-01T00:00:00Z', expires: undefined })],
  ['the purpose assertionMethod', 'proof_purpose', again({ proofPurpose: 'assertionMethod' })],
  ['two proofs', 'proof_malformed', (_w, good) => ({ ...good, proof: [good['proof'], good['proof']] })],
  ['no proof', 'credential_malformed', (_w, { proof: _, ...good }) => good],
  ['no credentials', 'credential_malformed', (_w, { verifiableCredential: _, ...good }) => good],
  [
    'more credentials than are judged',
    'credential_malformed',
    async w => {
      const compact = JSON.parse(await issued(w))
      return { ...(await presented(w, [compact])), verifiableCredential: Array.from({ length: 17 }, () => compact) }
    },
  ],
  [
    'another credential put in',
    'signature_invalid',
    async (w, good) => ({
      ...good,
      verifiableCredential: [JSON.parse(await issued(w))],
    }),
  ],
  ['a stolen credential', 'holder_mismatch', async w => presentedBy(w, holderParty(), await issued(w))],
  [
    'a stolen presentation under another name',
    'key_of_another',
    (_w, good) => ({ ...good, holder: holderParty().did }),
  ],
  [
    'a holder whose key it is not',
    'key_of_another',
    async w => {
      const compact = JSON.parse(await issued(w))
      return presented(w, [compact], w.holder, { holder: holderParty().did })
    },
  ],
  [
    'a changed claim inside',
    'signature_invalid',
    (_w, good) =>
      edited(good, each => {
        const [credential] = each['verifiableCredential'] as Document[]
        put(credential?.['credentialSubject'] as Document, 'familyName', 'Other')
      }),
  ],
  [
    'a forged credential inside',
    'signature_invalid',
    async w => {
      const credential = JSON.parse(await issued(w))
      credential.credentialSubject.familyName = 'Other'
      return presented(w, [credential])
    },
  ],
  [
    'a credential without proof inside',
    'credential_malformed',
    async w => {
      const { proof: _, ...credential } = JSON.parse(await issued(w))
      return presented(w, [credential])
    },
  ],
  [
    'an SD-JWT inside without a key binding',
    '',
    async w => presented(w, [enveloped('dc+sd-jwt', await issued(w, holderParty(), 'dc+sd-jwt'))]),
  ],
  ['an unknown term', 'term_unknown', (_w, good) => ({ ...good, smuggled: 1 })],
  [
    'a context in the document',
    'credential_malformed',
    (_w, good) => ({ ...good, '@context': [contextV2, { x: 'urn:x' }] }),
  ],
  [
    'a context that nobody has',
    'context_unknown',
    (_w, good) => ({ ...good, '@context': [contextV2, 'https://x.example/'] }),
  ],
  ['the type of a credential', 'credential_malformed', (_w, good) => ({ ...good, type: ['VerifiableCredential'] })],
]

describe('a presentation with a DataIntegrityProof is refused', () => {
  it.each(rows)('with %s (%s)', async (_title, code, make) => {
    const world = openWorld()
    const good = await shown(world)
    const verdict = await judged(world, await make(world, good))
    expect(verdict.verified).toBe(false)
    expect(verdict.refusal?.code).toBe(code === '' ? 'holder_mismatch' : code)
    expect((await judged(world, good)).verified).toBe(true)
  })

  it('with a credential that has been revoked', async () => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format: 'ldp_vc' })
    const presentation = await presentedBy(world, world.holder, compact)
    world.status.set(draft.status, 'revoked')
    expect((await judged(world, presentation)).refusal?.code).toBe('credential_revoked')
  })
})

describe('proving an ldp_vc', () => {
  it('gives its holder and claims, stands until it is revoked, and has one digest in any order of members', async () => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format: 'ldp_vc' })
    const first = await presentedBy(world, world.holder, compact)
    const reordered = JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(compact)).reverse()))
    const second = await presentedBy(world, world.holder, reordered)
    const proof = await proven(world, JSON.stringify(first), JSON.stringify(second))
    const [one, two] = proof.credentials.map(({ credential }) => credential)
    expect(one).toMatchObject({
      ...{ type: 'DrivingLicence', holder: world.holder.did, holderKey: world.holder.thumbprint, own: true },
      ...{ credentialId: draft.id, status: draft.status },
    })
    expect(two?.digest).toBe(one?.digest)
    expect((await recheck(proof, { ...world.verify, did: world.transport.did })).credentials).toHaveLength(2)
    world.status.set(draft.status, 'revoked')
    const after = await recheck(proof, { ...world.verify, did: world.transport.did })
    expect(after.lapsed.map(({ refusal }) => refusal)).toMatchObject([
      { kind: 'forbidden', code: 'credential_revoked' },
      { kind: 'forbidden', code: 'credential_revoked' },
    ])
  })

  it('reads the one challenge that presentations answer, whatever their forms', async () => {
    const world = openWorld()
    const whole = JSON.stringify(await shown(world))
    const compact = await issued(world, world.holder, 'vc+jwt')
    const jwt = await presentCredential(
      { compact, format: 'vc+jwt' },
      to,
      world.holder,
      world.signer,
      world.clock.now(),
    )
    expect(challengeOf([whole, jwt])).toBe(challenge)
    const other = JSON.stringify(edited(JSON.parse(whole), each => put(proofOf(each), 'challenge', 'other')))
    expect(() => challengeOf([whole, other])).toThrow(expect.objectContaining({ code: 'challenge_mismatch' }))
    expect(() => challengeOf(['{}'])).toThrow(expect.objectContaining({ kind: 'malformed' }))
  })

  it('counts credentials before any of them is judged', async () => {
    const world = openWorld()
    const types = world.types.all.filter(({ id }) => id !== 'TaxRegistration').slice(0, 9)
    const issuances = types.map(({ id }) => world.issue({ format: 'ldp_vc', type: id, subject: world.subjectOf(id) }))
    const credentials = (await Promise.all(issuances)).map(({ compact }) => JSON.parse(compact))
    const many = await presented(world, credentials)
    expect((await judged(world, many)).verified).toBe(true)
    const refusal = await proven(world, JSON.stringify(many), JSON.stringify(many)).catch(error => error as Refusal)
    expect(refusal).toMatchObject({ kind: 'malformed', code: 'presentation_excessive' })
  })

  it.each([
    [
      'unauthenticated',
      'signature_invalid',
      (good: Document) => edited(good, each => put(proofOf(each), 'challenge', 'x')),
    ],
    ['malformed', 'proof_malformed', (good: Document) => edited(good, each => delete proofOf(each)['proofValue'])],
  ] as const)('says %s/%s of what proves nothing', async (kind, code, change) => {
    const world = openWorld()
    const { credentials, lapsed } = await proven(world, JSON.stringify(change(await shown(world))))
    expect(credentials).toEqual([])
    expect(lapsed).toMatchObject([{ refusal: { kind, code } }])
  })
})
