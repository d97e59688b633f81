import type { Trust } from '../../../src/identity/foreign/trust.ts'
import { verifyPresentation } from '../../../src/identity/present.ts'
import { prove, recheck } from '../../../src/identity/prove.ts'
import { verifyCredential } from '../../../src/identity/verify.ts'
import type { Proof } from '../../../src/kernel/identity.ts'
import { bind, type Key, newKey } from '../../holder.ts'
import { serviceType } from '../trusted-lists/operator.ts'
import { audience, day, openWorld, type World } from '../world.ts'
import {
  claims,
  licence,
  listSigner,
  type Office,
  openOffice,
  openUtopia,
  trustOf,
  type Utopia,
  vct,
} from './utopia.ts'

const challenge = 'nonce-1'
const to = { challenge, audience }
let world: World
let utopia: Utopia
let office: Office
let other: Office
let holder: Key

beforeAll(async () => {
  const now = Math.floor(Date.now() / 1_000) * 1_000
  office = await openOffice(now)
  other = await openOffice(now)
})
beforeEach(async () => {
  world = openWorld()
  utopia = await openUtopia(world)
  holder = newKey()
  await utopia.status(office)
})
afterEach(() => utopia.close())

const byCertificates = (change: Partial<Trust> = {}) =>
  utopia.trusts([trustOf(world, { sources: [{ by: 'certificates', anchors: [office.root] }], ...change })])
const byList = (more: Trust['sources'] = []) =>
  utopia.trusts([trustOf(world, { sources: [{ by: 'trusted_list', url: utopia.listUrl, serviceType }, ...more] })])

type Needs = ReturnType<typeof byCertificates>
const proven = (presentation: string, needs: Needs) => prove([presentation], { challenge, audience: [audience] }, needs)
const issued = (change: Record<string, unknown> = {}, by: Parameters<typeof licence>[0] = office, shown = claims) =>
  licence(by, holder, { ...utopia.statusAt(3), ...change }, shown as Record<string, unknown>)
const reasons = ({ lapsed }: Proof) => lapsed.map(({ type, refusal: { kind, code } }) => [type, kind, code])

describe('a foreign credential that the configuration trusts', () => {
  it('counts as one of our type, with its claims by our names, and the verdict says by whose word', async () => {
    const verdict = await verifyCredential(issued(), byCertificates())
    expect(verdict).toMatchObject({
      ...{ verified: true, format: 'dc+sd-jwt', type: 'DrivingLicence', issuer: 'https://utopia.example' },
      trust: { source: 'certificates', authority: expect.stringContaining('Utopia Root') },
      claims: { familyName: 'More', drivingPrivileges: [{ vehicleCategoryCode: 'B', issueDate: '2024-01-01' }] },
      document: { vct, family_name: 'More' },
      authorities: [{ type: 'aki' }],
    })
    expect(verdict.checks.map(({ check, outcome }) => `${check} ${outcome}`)).toEqual([
      'format passed',
      'accreditation passed',
      'signature passed',
      'holderBinding not_applicable',
      'challenge not_applicable',
      'dates passed',
      'schema passed',
      'key not_applicable',
      'status passed',
    ])
  })

  it('proves its holder, and stands when it is looked at again', async () => {
    const needs = byCertificates()
    const proof = await proven(bind(issued(), to, holder, ['family_name', 'driving_privileges']), needs)
    expect(reasons(proof)).toEqual([])
    const [found] = proof.credentials
    expect(found?.credential).toMatchObject({
      ...{ type: 'DrivingLicence', issuer: 'https://utopia.example', own: false, holderKey: holder.thumbprint },
      holder: expect.stringMatching(/^did:key:zDn/),
    })
    expect(Object.keys(found?.credential.claims ?? {})).toEqual(['id', 'familyName', 'drivingPrivileges'])
    // As a session keeps it: plain data.
    const kept = JSON.parse(JSON.stringify(proof)) as Proof
    expect((await recheck(kept, needs)).credentials).toHaveLength(1)
    expect(utopia.asked).toEqual(['/status'])
  })

  it('leaves our own credentials to the registry on chain, whatever type they are of', async () => {
    const mine = await world.issue()
    const needs = utopia.trusts([
      trustOf(world, {
        credential: { format: 'dc+sd-jwt', vct: world.types.byId('DrivingLicence').vct },
        sources: [{ by: 'certificates', anchors: [office.root] }],
      }),
    ])
    const verdict = await verifyCredential(mine.compact, needs)
    expect(verdict).toMatchObject({ verified: true, issuer: world.transport.did })
    expect(verdict.trust).toBeUndefined()
    world.trust.accreditations.clear()
    expect(await verifyCredential(mine.compact, needs)).toMatchObject({ refusal: { code: 'issuer_unaccredited' } })
  })

  it('is refused where nothing is configured', async () => {
    expect(await verifyCredential(issued(), world.verify)).toMatchObject({ refusal: { code: 'schema_unknown' } })
  })

  it('names its issuer by the certificates where it names none itself', async () => {
    const verdict = await verifyCredential(issued({ iss: undefined }), byCertificates())
    expect(verdict.verified).toBe(true)
    expect(verdict.issuer).toMatch(/^did:x509:0:sha256:[A-Za-z0-9_-]{43}::subject:CN:Licence%20Office$/)
  })

  it('may say what the agency takes every such credential to say', async () => {
    const claimsRule = { issuingCountry: { value: 'XU' }, familyName: { path: ['family_name'] } }
    const verdict = await verifyCredential(issued(), byCertificates({ claims: claimsRule }))
    expect(verdict.claims).toEqual({ id: verdict.holder, issuingCountry: 'XU', familyName: 'More' })
  })

  it('may go without a status where the trust says so', async () => {
    const needs = byCertificates({ status: 'optional' })
    expect(await verifyCredential(issued({ status: undefined }), needs)).toMatchObject({ verified: true })
  })
})

describe('a foreign credential is refused', () => {
  const now = () => Math.floor(Date.now() / 1_000)
  it.each<[string, string, string, () => string | Promise<string>]>([
    ['under certificates of somebody else', 'accreditation', 'certificate_untrusted', () => issued({}, other)],
    ['without certificates', 'accreditation', 'issuer_untrusted', () => issued({}, { key: office.key })],
    [
      'with an issuer that its certificate does not name',
      'accreditation',
      'key_of_another',
      () => issued({ iss: 'https://other.example' }),
    ],
    ['with an issuer that is http', 'accreditation', 'key_of_another', () => issued({ iss: 'http://utopia.example' })],
    ['signed with another key', 'signature', 'signature_invalid', () => issued({}, { ...office, key: other.key })],
    ['after it has expired', 'dates', 'credential_expired', () => issued({ exp: now() - 60 })],
    ['before it is valid', 'dates', 'credential_not_yet_valid', () => issued({ nbf: now() + 600 })],
    ['without a date of issue', 'dates', 'issue_time_missing', () => issued({ iat: undefined })],
    ['without a status', 'status', 'status_missing', () => issued({ status: undefined })],
    ['with a status of another kind', 'format', 'status_type_unknown', () => issued({ status: { other: {} } })],
    [
      'with claims that do not fit our schema',
      'schema',
      'schema_violated',
      () => issued({}, office, { ...claims, issuing_country: 'Utopia' }),
    ],
    [
      'with a list that is not there',
      'status',
      'status_unavailable',
      () => issued({ status: { status_list: { idx: 1, uri: `${utopia.origin}/none` } } }),
    ],
    ['with an index out of range', 'status', 'status_index_out_of_range', () => issued(utopia.statusAt(1_000_000))],
  ])('%s: %s %s', async (_what, check, code, make) => {
    const needs = byCertificates()
    const compact = await make()
    const verdict = await verifyCredential(compact, needs)
    expect(verdict.verified).toBe(false)
    expect(verdict.refusal?.code).toBe(code)
    expect(verdict.checks.find(each => each.outcome === 'failed' || each.outcome === 'unavailable')?.check).toBe(check)
  })

  it('once it is revoked, and where its list is another authority’s', async () => {
    await utopia.status(office, [3])
    expect(await verifyCredential(issued(), byCertificates())).toMatchObject({
      refusal: { code: 'credential_revoked' },
    })
    await utopia.status(other)
    const both = utopia.trusts([
      trustOf(world, { sources: [{ by: 'certificates', anchors: [office.root, other.root] }] }),
    ])
    expect(await verifyCredential(issued(), both)).toMatchObject({ refusal: { code: 'status_list_refused' } })
    await utopia.status(await listSigner(office))
    expect(await verifyCredential(issued(), byCertificates())).toMatchObject({ verified: true })
  })

  it('under a certificate that has expired', async () => {
    const late = await openOffice(office.now, { notAfter: office.now - day })
    const needs = byCertificates({ sources: [{ by: 'certificates', anchors: [late.root] }] })
    expect(await verifyCredential(issued({}, late), needs)).toMatchObject({ refusal: { code: 'certificate_expired' } })
  })

  it('as of a time that is past: of yesterday a source of trust says nothing', async () => {
    const verdict = await verifyCredential(issued(), byCertificates(), { at: Date.now() - day })
    expect(verdict).toMatchObject({ refusal: { code: 'time_not_known' } })
  })

  it('and no list is asked for that it names, before anything else is good', async () => {
    await verifyCredential(issued({}, { ...office, key: other.key }), byCertificates())
    expect(utopia.asked).toEqual([])
  })

  it.each([
    ['presented by somebody else', 'holder_mismatch', () => bind(issued(), to, newKey())],
    [
      'presented to somebody else',
      'audience_mismatch',
      () => bind(issued(), { ...to, audience: 'https://x.example' }, holder),
    ],
    [
      'presented for another challenge',
      'challenge_mismatch',
      () => bind(issued(), { ...to, challenge: 'other' }, holder),
    ],
    ['presented without a key binding', 'holder_unproven', () => issued()],
    ['bound to no key', 'holder_unproven', () => bind(issued({ cnf: undefined }), to, holder)],
    ['that makes its holder somebody else', 'holder_mismatch', () => bind(issued({ sub: newKey().did }), to, holder)],
  ])('%s: %s', async (_what, code, make) => {
    const proof = await proven(make(), byCertificates())
    expect(proof.credentials).toEqual([])
    expect(proof.lapsed[0]?.refusal.code).toBe(code)
  })

  it('takes a name of its issuer’s own for nobody’s DID', async () => {
    const proof = await proven(bind(issued({ sub: 'licence holder 7' }), to, holder), byCertificates())
    const [found] = proof.credentials
    expect(found?.credential).toMatchObject({ holder: expect.stringMatching(/^did:key:zDn/) })
    expect(found?.credential.claims['id']).toBe(found?.credential.holder)
  })
})

describe('a session that rests on a foreign credential ends', () => {
  const standing = async (needs: Needs) => {
    const proof = await proven(bind(issued(), to, holder), needs)
    expect(reasons(proof)).toEqual([])
    return proof
  }
  const lapse = async (proof: Proof, needs: Needs) => reasons(await recheck(proof, needs))

  it('when it is revoked, once the list may not be kept any longer', async () => {
    const needs = byCertificates()
    const proof = await standing(needs)
    await utopia.status(office, [3])
    expect(await lapse(proof, needs)).toEqual([])
    world.clock.time += 60_001
    expect(await lapse(proof, needs)).toEqual([['DrivingLicence', 'forbidden', 'credential_revoked']])
  })

  it('when its status can no longer be known', async () => {
    const needs = byCertificates()
    const proof = await standing(needs)
    utopia.serve('/status', '', 'text/plain')
    world.clock.time += 60_001
    expect((await lapse(proof, needs))[0]?.[2]).toMatch(/^status_/)
  })

  it('when it expires, and when the certificate of its issuer does', async () => {
    const needs = byCertificates()
    const proof = await standing(needs)
    world.clock.time += 2 * day
    expect(await lapse(proof, needs)).toEqual([['DrivingLicence', 'forbidden', 'credential_expired']])
  })

  it('when the agency trusts the issuer no longer, or otherwise', async () => {
    const proof = await standing(byCertificates())
    const untrusted = [['DrivingLicence', 'forbidden', 'issuer_untrusted']]
    expect(await lapse(proof, utopia.trusts([]))).toEqual(untrusted)
    expect(await lapse(proof, byCertificates({ id: 'another configuration' }))).toEqual(untrusted)
    const { foreign: _none, ...nobody } = byCertificates()
    expect(await lapse(proof, nobody as Needs)).toEqual(untrusted)
  })

  it('when the root withdraws our schema', async () => {
    const needs = byCertificates()
    const proof = await standing(needs)
    world.trust.withdrawn.add('DrivingLicence')
    expect(await lapse(proof, needs)).toEqual([['DrivingLicence', 'forbidden', 'schema_not_admitted']])
  })

  it('when its trusted list withdraws the authority, or can no longer be had', async () => {
    utopia.list([office.root])
    const needs = byList()
    const proof = await standing(needs)
    expect(await lapse(proof, needs)).toEqual([])
    utopia.list([office.root], {
      sequence: 2,
      status: 'http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/withdrawn',
    })
    await needs.lists.refresh()
    expect(await lapse(proof, needs)).toEqual([['DrivingLicence', 'forbidden', 'issuer_untrusted']])
    utopia.list([office.root], { sequence: 3, next: world.clock.now() + 1_000 })
    await needs.lists.refresh()
    expect(await lapse(proof, needs)).toEqual([])
    world.clock.time += 2_000
    expect(await lapse(proof, needs)).toEqual([['DrivingLicence', 'unavailable', 'trusted_list_stale']])
  })
})

describe('a trusted list', () => {
  it('vouches for the authorities of its services, and the verdict says which', async () => {
    utopia.list([other.root, office.root])
    expect(await verifyCredential(issued(), byList())).toMatchObject({
      verified: true,
      trust: { source: 'trusted_list', authority: utopia.listUrl, provider: 'Transport Office' },
      authorities: expect.arrayContaining([{ type: 'etsi_tl', value: utopia.listUrl }]),
    })
  })

  it.each<[string, string, () => void]>([
    ['does not name the authority', 'certificate_untrusted', () => utopia.list([other.root])],
    ['names it for another service', 'certificate_untrusted', () => utopia.list([office.root], { type: 'urn:other' })],
    [
      'has withdrawn it',
      'certificate_untrusted',
      () => utopia.list([office.root], { status: 'http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn' }),
    ],
    [
      'granted it after the credential was issued',
      'issuer_untrusted',
      () => utopia.list([office.root], { since: Date.now() - 10_000 }),
    ],
    ['is out of date', 'trusted_list_stale', () => utopia.list([office.root], { next: world.clock.now() })],
    ['cannot be had', 'trusted_list_unavailable', () => undefined],
  ])('that %s vouches for nobody: %s', async (_what, code, publish) => {
    publish()
    expect((await verifyCredential(issued(), byList())).refusal?.code).toBe(code)
  })

  it('is one source among others: any of them will do', async () => {
    utopia.list([other.root])
    const needs = byList([{ by: 'certificates', anchors: [office.root] }])
    expect(await verifyCredential(issued(), needs)).toMatchObject({ verified: true, trust: { source: 'certificates' } })
  })
})

describe('a presentation to the verifier', () => {
  it('is judged with it, as with our own', async () => {
    const verdict = await verifyPresentation(bind(issued(), to, holder), byCertificates(), {
      challenge,
      audience: [audience],
    })
    expect(verdict).toMatchObject({ verified: true, type: 'DrivingLicence', trust: { source: 'certificates' } })
  })
})
