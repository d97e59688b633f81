import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AgencyOnChain } from '../src/agency.ts'
import { ConfigError, parseAgency } from '../src/config/agency.ts'
import { createLog } from '../src/http/log.ts'
import { loadCredentialTypes } from '../src/identity/types.ts'
import { verifyCredential } from '../src/identity/verify.ts'
import { pemOfCertificate } from '../src/identity/x509/certificate.ts'
import { openTrusts } from '../src/trusts.ts'
import { newKey } from './holder.ts'
import { licence, type Office, openOffice, openUtopia, type Utopia, vct } from './identity/foreign/utopia.ts'
import { serviceType } from './identity/trusted-lists/operator.ts'
import { openWorld, schemas, type World } from './identity/world.ts'

const world0 = 'did:ethr:0x7a69:0x1111111111111111111111111111111111111111'
const folder = mkdtempSync(join(tmpdir(), 'chancery-trusts-'))
const file = join(folder, 'office.yml')
const types = loadCredentialTypes(schemas)
let world: World
let utopia: Utopia
let office: Office

beforeAll(async () => {
  world = openWorld()
  office = await openOffice(world.clock.now())
  utopia = await openUtopia(world)
  writeFileSync(join(folder, 'utopia.pem'), pemOfCertificate(office.root))
  writeFileSync(join(folder, 'operator.pem'), pemOfCertificate(utopia.operator.certificate))
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys: [{ ...office.key.jwk, kid: 'anchor' }] }))
})
afterAll(async () => {
  await utopia.close()
  rmSync(folder, { recursive: true })
})

const base = { type: 'DrivingLicence', format: 'dc+sd-jwt', vct, claims: { familyName: 'family_name' } }
const certificates = { certificates: 'utopia.pem' }
const parse = (trust: unknown) =>
  parseAgency(
    JSON.stringify({
      name: 'office',
      title: 'Office',
      plugins: ['credentials'],
      allowedHttpOrigins: [utopia.origin],
      trusts: [trust].flat(),
    }),
    file,
  )
const agencyOf = (trust: unknown) =>
  ({
    config: parse(trust),
    settings: { clock: world.clock, dataDir: folder },
    dids: { resolve: async () => ({ didDocument: null, didResolutionMetadata: {}, didDocumentMetadata: {} }) },
    chain: { client: { chainId: 31_337 }, follower: { trust: world.trust } },
  }) as unknown as AgencyOnChain
const open = (trust: unknown) => openTrusts(agencyOf(trust), types)

describe('the member trusts of an agency file', () => {
  it('reads paths with dots and as lists, constants, and lists of members', () => {
    const claims = {
      familyName: 'name.family',
      birthDate: ['org.iso.18013.5.1', 'birth_date'],
      issuingCountry: { value: 'XU' },
      drivingPrivileges: { path: 'rights', each: { vehicleCategoryCode: 'code' } },
    }
    expect(parse({ ...base, claims, source: certificates }).trusts[0]?.claims).toEqual({
      familyName: { path: ['name', 'family'] },
      birthDate: { path: ['org.iso.18013.5.1', 'birth_date'] },
      issuingCountry: { value: 'XU' },
      drivingPrivileges: { path: ['rights'], each: { vehicleCategoryCode: ['code'] } },
    })
  })

  it.each<[string, RegExp, object]>([
    ['has an unknown key', /unknown key "trusts.colour"/, { ...base, source: certificates, colour: 'red' }],
    ['has no source', /a source, or sources/, base],
    ['has a source and sources', /a source, or sources/, { ...base, source: certificates, sources: [certificates] }],
    ['has a source of no kind', /trustedList, federation, certificates, or issuers/, { ...base, source: {} }],
    [
      'names a file that is not there',
      /no certificate file "none.pem"/,
      { ...base, source: { certificates: 'none.pem' } },
    ],
    ['trusts issuers that are no DIDs', /issuers, which are/, { ...base, source: { issuers: ['Utopia'] } }],
    [
      'has a trusted list without a service type',
      /serviceType/,
      { ...base, source: { trustedList: 'https://a.example', operator: 'operator.pem' } },
    ],
    ['has a federation without keys', /JWK Set/, { ...base, source: { federation: 'https://a.example' } }],
    ['has another format', /trusts.format/, { ...base, format: 'vc+sd-jwt', source: certificates }],
    ['lacks its vct', /have a vct/, { ...base, vct: undefined, source: certificates }],
    ['has a vct and a doctype', /have a vct/, { ...base, doctype: 'x', source: certificates }],
    [
      'lacks contexts',
      /contexts/,
      { type: 'DrivingLicence', format: 'ldp_vc', types: ['urn:x'], source: { issuers: ['did:key:z'] } },
    ],
    [
      'rests an mdoc on DIDs',
      /cannot rest on issuers/,
      { type: 'DrivingLicence', format: 'mso_mdoc', doctype: 'x', source: { issuers: ['did:key:z'] } },
    ],
    [
      'rests a W3C credential on certificates',
      /cannot rest on certificates/,
      { type: 'DrivingLicence', format: 'vc+jwt', types: ['urn:x'], contexts: ['urn:y'], source: certificates },
    ],
    ['has a status that is no word', /trusts.status/, { ...base, status: 'maybe', source: certificates }],
    [
      'has a value with a path',
      /stands alone/,
      { ...base, claims: { familyName: { value: 'x', path: 'y' } }, source: certificates },
    ],
  ])('is refused where it %s', (_what, words, trust) => {
    expect(() => parse(trust)).toThrow(ConfigError)
    expect(() => parse(trust)).toThrow(words)
  })

  it.each<[string, RegExp, object]>([
    ['a type that schemas/ lacks', /which schemas\/ lacks/, { ...base, type: 'Passport', source: certificates }],
    [
      'mandates, which rest on our chain',
      /not taken from others/,
      { ...base, type: 'CompanyMandate', source: certificates },
    ],
    ['a claim that the type lacks', /no claim shoeSize/, { ...base, claims: { shoeSize: 'x' }, source: certificates }],
    ['who holds it', /no claim id/, { ...base, claims: { id: 'sub' }, source: certificates }],
    ['no claims at all', /which claims are ours/, { ...base, claims: undefined, source: certificates }],
    ['issuers of our own chain', /by its registry/, { ...base, source: { issuers: [world0] } }],
    [
      'one kind of credential twice',
      /two trusts are for one kind/,
      [
        { ...base, source: certificates },
        { ...base, source: certificates },
      ] as object,
    ],
    [
      'contexts that do not stand in the house',
      /does not stand in the house/,
      {
        type: 'DrivingLicence',
        format: 'ldp_vc',
        types: ['urn:x'],
        contexts: ['https://a.example/c'],
        source: { issuers: ['did:key:z6Mk'] },
        claims: { familyName: 'x' },
      },
    ],
  ])('cannot mean %s', (_what, words, trust) => {
    expect(() => open(trust)).toThrow(ConfigError)
    expect(() => open(trust)).toThrow(words)
  })

  it('changes nothing where it is not there', () => {
    expect(open([]).foreign).toBeUndefined()
  })

  it('names the authorities of mdocs, under which our own may be too', () => {
    const mdoc = { type: 'DrivingLicence', format: 'mso_mdoc', doctype: 'org.iso.18013.5.1.mDL', source: certificates }
    expect(open([mdoc, { ...base, source: certificates }]).mdocAnchors.map(der => Buffer.from(der))).toEqual([
      Buffer.from(office.root),
    ])
    expect(open({ ...base, source: certificates }).mdocAnchors).toEqual([])
    expect(open([]).mdocAnchors).toEqual([])
  })

  it('takes the mapping of the house for an mdoc of a document type that has one', () => {
    const trust = { type: 'DrivingLicence', format: 'mso_mdoc', doctype: 'org.iso.18013.5.1.mDL', source: certificates }
    expect(open(trust).foreign?.views('DrivingLicence')).toMatchObject([
      { format: 'mso_mdoc', claims: { familyName: ['org.iso.18013.5.1', 'family_name'] } },
    ])
  })
})

describe('trusted lists of an agency', () => {
  const list = { trustedList: '', operator: 'operator.pem', serviceType }
  const source = () => ({ ...list, trustedList: utopia.listUrl })
  const verify = (opened: ReturnType<typeof open>) =>
    verifyCredential(licence(office, newKey()), { ...world.verify, foreign: opened.foreign })

  it('are fetched when the agency starts, kept in its folder, and count after a restart without their server', async () => {
    utopia.list([office.root])
    const first = open({ ...base, status: 'optional', source: source() })
    const end = first.keep(createLog({ level: 'silent' }))
    await end()
    expect(await verify(first)).toMatchObject({ verified: true, trust: { source: 'trusted_list' } })
    const kept = join(folder, 'office', 'trusted-lists')
    expect(readdirSync(kept)).toHaveLength(1)
    utopia.serve('/trusted-list', '', 'text/plain')
    expect(await verify(open({ ...base, status: 'optional', source: source() }))).toMatchObject({ verified: true })
    // Whoever changes the file changes what was signed.
    const [name = ''] = readdirSync(kept)
    writeFileSync(
      join(kept, name),
      readFileSync(join(kept, name), 'utf8').replace(/\.[^.]{20}/, '.AAAAAAAAAAAAAAAAAAAA'),
    )
    const tampered = await verify(open({ ...base, status: 'optional', source: source() }))
    expect(tampered.refusal?.kind).toMatch(/unavailable|rejected/)
    expect(tampered.verified).toBe(false)
  })
})
