import { describe, expect, it } from '@jest/globals'
import { type AgencyRequest, openAgencies, type Spent, signAgencyRequest } from '../../src/identity/agency-token.ts'
import { digestOf } from '../../src/kernel/canonical.ts'
import type { Caller } from '../../src/kernel/gate.ts'
import type { Tx } from '../../src/kernel/ports.ts'
import { isRefusal, Refusal } from '../../src/kernel/refusal.ts'
import { assertBodySigned } from '../../src/kernel/signed-body.ts'
import { addressOf, agencyParty, chain, holderParty, jws, openWorld, type Party, partsOf, resigned } from './world.ts'

const url = 'https://root.example/pseudonyms/evaluations'
const request: AgencyRequest = { audience: 'https://root.example', method: 'POST', url, body: { b: 1, a: [2] } }
const tx = {} as Tx

const refusalOf = async (work: () => unknown): Promise<string> => {
  try {
    await work()
  } catch (error) {
    if (isRefusal(error)) return `${error.kind} ${error.code}`
    throw error
  }
  return 'admitted'
}

const openScene = () => {
  const world = openWorld()
  const spent: Spent[] = []
  const needs = {
    ...{ dids: world.dids, trust: world.trust, chain, clock: world.clock },
    types: world.types.all.map(({ id }) => id),
    audience: ['https://root.example', 'did:ethr:0x7a69:0xroot'],
    spend: async (_: Tx, proof: Spent) => void spent.push(proof),
  }
  const agencies = openAgencies(needs)
  const sign = (changes: Partial<AgencyRequest> = {}, key: Party = world.transport) =>
    signAgencyRequest({ ...request, ...changes }, { key, signer: world.signer, clock: world.clock })
  const admit = (token: string, at = { method: 'POST', url }) => agencies.admit({ token, ...at })
  /** The good token with other claims or another header, signed anew by its agency. */
  const changed = async (
    change: (payload: Record<string, unknown>, header: Record<string, unknown>) => void,
    by: Party = world.transport,
  ) => resigned(await sign(), by, change)
  return { ...world, agencies, needs, sign, admit, changed, spent }
}

describe('a request that an institution signed', () => {
  it('admits the institution by its DID, and says which body it signed', async () => {
    const { sign, admit, transport } = openScene()
    const token = await sign()
    const caller = await admit(token)
    expect(caller).toMatchObject({ kind: 'agency', id: transport.did })
    expect(partsOf(token).header).toEqual({ alg: 'ES256', kid: transport.kid, typ: 'agency+jwt' })
    expect(await refusalOf(() => assertBodySigned(caller, { a: [2], b: 1 }))).toBe('admitted')
  })

  it('counts for the DID of the verifier as for its URL', async () => {
    const { sign, admit } = openScene()
    expect((await admit(await sign({ audience: 'did:ethr:0x7a69:0xroot' }))).kind).toBe('agency')
  })

  it.each([
    ['another body', { a: [2], b: 2 }],
    ['no body', undefined],
    ['a body with more in it', { a: [2], b: 1, c: 1 }],
  ])('does not vouch for %s', async (_, body) => {
    const { sign, admit } = openScene()
    const caller = await admit(await sign())
    const wanted = 'unauthenticated agency_body_mismatch'
    expect(await refusalOf(() => assertBodySigned(caller, body ?? null))).toBe(wanted)
  })

  it('does not vouch for any body when it was signed without one', async () => {
    const { sign, admit } = openScene()
    const caller = await admit(await sign({ body: undefined }))
    expect(await refusalOf(() => assertBodySigned(caller, {}))).toBe('unauthenticated agency_body_mismatch')
  })

  it('binds no caller of another kind to a digest', () => {
    const key: Caller = { kind: 'apiKey', id: 'k', scopes: [] }
    expect(() => assertBodySigned(key, { any: 'body' })).not.toThrow()
  })

  it('counts once in a process, and hands each use to the act under one name', async () => {
    const { sign, admit, agencies, needs, spent, transport } = openScene()
    const token = await sign()
    const caller = await admit(token)
    expect(await refusalOf(() => admit(token))).toBe('unauthenticated agency_token_replayed')
    // Another process has not seen it: there the act's own transaction decides.
    const elsewhere = await openAgencies(needs).admit({ token, method: 'POST', url })
    for (const each of [caller, caller, elsewhere]) if (each.kind === 'agency') await each.spend?.(tx)
    expect(agencies).toBeDefined()
    const { jti, exp } = partsOf(token).payload
    expect(new Set(spent.map(({ key }) => key))).toEqual(new Set([`agency:${transport.did}:${jti}`]))
    expect(spent.map(({ expires }) => expires)).toEqual(Array(3).fill(Number(exp) * 1_000))
    expect(spent[0]?.owner).toBe(spent[1]?.owner)
    expect(spent[0]?.owner).not.toBe(spent[2]?.owner)
  })

  it.each<[string, (scene: ReturnType<typeof openScene>) => Promise<string>]>([
    ['that is no JWS', async () => 'abc'],
    ['that is too long', async () => `${'a'.repeat(5_000)}.b.c`],
    ['of another type', async ({ changed }) => changed((_, header) => void Object.assign(header, { typ: 'vc+jwt' }))],
    ['without a type', async ({ changed }) => changed((_, header) => void delete header['typ'])],
    ['of algorithm none', async ({ changed }) => changed((_, header) => void Object.assign(header, { alg: 'none' }))],
    [
      'of another algorithm',
      async ({ changed }) => changed((_, header) => void Object.assign(header, { alg: 'EdDSA' })),
    ],
    [
      'with a key of another agency',
      async ({ changed, taxes }) => changed((_, h) => void Object.assign(h, { kid: taxes.kid }), taxes),
    ],
    [
      'with a key that nobody knows',
      async ({ changed }) => changed((_, header) => void Object.assign(header, { kid: 'did:x#1' })),
    ],
    ['without a kid', async ({ changed }) => changed((_, header) => void delete header['kid'])],
    ['whose signature is another’s', async ({ changed, taxes }) => changed(() => undefined, taxes)],
    ['for another audience', async ({ sign }) => sign({ audience: 'https://other.example' })],
    ['without an audience', async ({ changed }) => changed(payload => void delete payload['aud'])],
    [
      'for several audiences',
      async ({ changed }) => changed(p => void Object.assign(p, { aud: ['https://root.example'] })),
    ],
    ['for another method', async ({ sign }) => sign({ method: 'GET' })],
    ['for another address', async ({ sign }) => sign({ url: `${url}/x` })],
    [
      'for an address with a query in it',
      async ({ changed }) => changed(p => void Object.assign(p, { htu: `${url}?x=1` })),
    ],
    ['without iat', async ({ changed }) => changed(payload => void delete payload['iat'])],
    ['without exp', async ({ changed }) => changed(payload => void delete payload['exp'])],
    ['with times in text', async ({ changed }) => changed(p => void Object.assign(p, { exp: String(p['exp']) }))],
    [
      'good for longer than a minute',
      async ({ changed }) => changed(p => void Object.assign(p, { exp: Number(p['iat']) + 61 })),
    ],
    [
      'from the future',
      async ({ changed }) =>
        changed(p => void Object.assign(p, { iat: Number(p['iat']) + 120, exp: Number(p['iat']) + 130 })),
    ],
    ['without jti', async ({ changed }) => changed(payload => void delete payload['jti'])],
    ['with a short jti', async ({ changed }) => changed(payload => void Object.assign(payload, { jti: 'a' }))],
    ['with a malformed body digest', async ({ changed }) => changed(p => void Object.assign(p, { bodySha256: 'abc' }))],
    [
      'of a holder’s own key',
      async ({ clock, dids }) => {
        const party = holderParty()
        dids.add(party)
        const iat = Math.floor(clock.now() / 1_000)
        const claims = { iss: party.did, aud: 'https://root.example', htm: 'POST', htu: url, iat, exp: iat + 60 }
        return jws({ alg: 'ES256', kid: party.kid, typ: 'agency+jwt' }, { ...claims, jti: 'a'.repeat(20) }, party)
      },
    ],
  ])('is refused %s', async (_, tokenOf) => {
    const scene = openScene()
    expect(await refusalOf(async () => scene.admit(await tokenOf(scene)))).toBe('unauthenticated agency_token_invalid')
  })

  it('expires', async () => {
    const { sign, admit, clock } = openScene()
    const token = await sign()
    clock.time += 60_000
    expect(await refusalOf(() => admit(token))).toBe('unauthenticated agency_token_invalid')
  })

  it('needs a key for authentication, not one that only asserts', async () => {
    const { sign, admit, dids, transport } = openScene()
    dids.add(transport, { purposes: ['assertionMethod'] })
    expect(await refusalOf(async () => admit(await sign()))).toBe('unauthenticated agency_token_invalid')
  })

  it('is refused of an institution that is accredited for nothing, or no longer', async () => {
    const { sign, admit, stranger, taxes, trust, period, clock } = openScene()
    const unaccredited = 'forbidden agency_unaccredited'
    expect(await refusalOf(async () => admit(await sign({}, stranger)))).toBe(unaccredited)
    trust.accredit(taxes, 'TaxRegistration', { ...period, endedAt: clock.now() })
    expect(await refusalOf(async () => admit(await sign({}, taxes)))).toBe(unaccredited)
    trust.accredit(taxes, 'TaxRegistration', { ...period, voidSince: clock.now() })
    expect(await refusalOf(async () => admit(await sign({}, taxes)))).toBe(unaccredited)
  })

  it('is refused of a distrusted key', async () => {
    const { sign, admit, trust, transport, clock } = openScene()
    trust.distrusted.set(`${addressOf(transport)}:${transport.thumbprint}`, clock.now())
    expect(await refusalOf(async () => admit(await sign()))).toBe('forbidden agency_key_distrusted')
  })

  it('is neither good nor bad while the chain cannot be followed', async () => {
    const { sign, admit, dids, needs, clock } = openScene()
    dids.unavailable = true
    expect(await refusalOf(async () => admit(await sign()))).toBe('unavailable did_unavailable')
    dids.unavailable = false
    const trust = {
      ...needs.trust,
      distrustedSince: () => undefined,
      accreditation: () => {
        throw new Refusal('unavailable', 'status_unavailable', 'The replica is too old.')
      },
      schemaAdmitted: () => true,
    }
    const agencies = openAgencies({ ...needs, trust, clock })
    const asked = async () => agencies.admit({ token: await sign(), method: 'POST', url })
    expect(await refusalOf(asked)).toBe('unavailable status_unavailable')
  })

  it('may come from any kind of key that the DID document has', async () => {
    const { admit, sign, enrol, trust, period, dids } = openScene()
    for (const [n, kind] of (['Ed25519', 'secp256k1'] as const).entries()) {
      const party = agencyParty(`0x${`4${n}`.repeat(20)}`, 'delegate-1', kind)
      enrol(party)
      dids.add(party)
      trust.accredit(party, 'DrivingLicence', period)
      expect(await admit(await sign({}, party))).toMatchObject({ kind: 'agency', id: party.did })
    }
  })

  it('is signed for the address without its query', async () => {
    const { sign, admit } = openScene()
    expect((await admit(await sign({ url: `${url}?page=2` }))).kind).toBe('agency')
  })

  it('names its body by the digest of the canonical form', async () => {
    const { sign } = openScene()
    const expected = digestOf({ a: [2], b: 1 }).toString('base64url')
    expect(partsOf(await sign()).payload['bodySha256']).toBe(expected)
    expect(partsOf(await sign({ body: undefined })).payload['bodySha256']).toBeUndefined()
  })
})
