import { openMethods } from '../../../src/identity/foreign/keys.ts'
import type { Trust } from '../../../src/identity/foreign/trust.ts'
import { presentMdocs } from '../../../src/identity/mdoc/device-response.ts'
import { issueMdoc } from '../../../src/identity/mdoc/issue.ts'
import { redirectTranscript } from '../../../src/identity/mdoc/session-transcript.ts'
import { fullDate } from '../../../src/identity/mdoc/values.ts'
import { prove } from '../../../src/identity/prove.ts'
import { verifyCredential } from '../../../src/identity/verify.ts'
import { certificateSigner, makeDocumentSignerCertificate } from '../../../src/identity/x509/make.ts'
import { bind, type Key, newKey, signJwt, wrap } from '../../holder.ts'
import {
  type Entity,
  jwksOf,
  newKey as newFederationKey,
  openNation,
  signJwt as signFederation,
} from '../federation/world.ts'
import { secured } from '../ldp.ts'
import { audience, day, holderParty, openWorld, type Party, signBytes, type World } from '../world.ts'
import { sealListCredential } from './bitstring.ts'
import { licence, type Office, openOffice, openUtopia, rules, trustOf, type Utopia } from './utopia.ts'

const challenge = 'nonce-1'
const to = { challenge, audience }
let world: World
let utopia: Utopia
let holder: Key

beforeEach(async () => {
  world = openWorld()
  utopia = await openUtopia(world)
  holder = newKey()
})
afterEach(() => utopia.close())

describe('W3C credentials of trusted DIDs', () => {
  const v2 = 'https://www.w3.org/ns/credentials/v2'
  const examples = 'https://www.w3.org/ns/credentials/examples/v2'
  const licenceType = 'https://www.w3.org/ns/credentials/examples#UtopiaLicence'
  const contexts = [v2, examples]
  let issuer: Party

  const w3c = (change: Partial<Trust> = {}, format: 'vc+jwt' | 'ldp_vc' = 'ldp_vc') =>
    utopia.trusts(
      [
        trustOf(world, {
          credential: { format, types: [licenceType], contexts },
          sources: [{ by: 'issuers', issuers: [issuer.did] }],
          claims: { familyName: { path: ['familyName'] }, givenName: { path: ['givenName'] } },
          ...change,
        }),
      ],
      {
        keyOf: openMethods({
          resolve: async () => ({ didDocument: null, didResolutionMetadata: {}, didDocumentMetadata: {} }),
        }),
      },
    )

  const document = (change: Record<string, unknown> = {}) => ({
    '@context': contexts,
    type: ['VerifiableCredential', 'UtopiaLicence'],
    issuer: issuer.did,
    validFrom: new Date(Date.now() - 60_000).toISOString(),
    validUntil: new Date(Date.now() + day).toISOString(),
    credentialSubject: { id: holder.did, familyName: 'More', givenName: 'Thomas' },
    credentialStatus: {
      ...{ type: 'BitstringStatusListEntry', statusPurpose: 'revocation', statusListIndex: '5' },
      statusListCredential: `${utopia.origin}/bits`,
    },
    ...change,
  })
  const publish = async (revoked: number[] = [], by = issuer) =>
    utopia.serve('/bits', await sealListCredential(`${utopia.origin}/bits`, by, revoked), 'application/vc')

  beforeEach(async () => {
    issuer = holderParty('Ed25519')
    await publish()
  })

  it('count as one of our type under a Data Integrity proof', async () => {
    const verdict = await verifyCredential(await secured(document(), issuer), w3c())
    expect(verdict).toMatchObject({
      ...{ verified: true, format: 'ldp_vc', type: 'DrivingLicence', issuer: issuer.did, holder: holder.did },
      trust: { source: 'issuers', authority: issuer.did },
      claims: { id: holder.did, familyName: 'More', givenName: 'Thomas' },
      statuses: [{ purpose: 'revocation', value: 0 }],
    })
  })

  it('prove their holder in a presentation, beside our own', async () => {
    const p256 = holderParty('P-256')
    issuer = p256
    await publish()
    const header = { typ: 'vc+jwt', kid: issuer.kid }
    const compact = signJwt(header, document(), { ...newKey(), privateKey: issuer.privateKey })
    const mine = await world.issue({
      format: 'vc+jwt',
      subject: { ...world.types.byId('DrivingLicence').example, id: holder.did },
    })
    const proof = await prove(
      [wrap([compact, mine.compact], to, holder)],
      { challenge, audience: [audience] },
      w3c({}, 'vc+jwt'),
    )
    expect(proof.lapsed).toEqual([])
    expect(proof.credentials.map(({ credential }) => credential.issuer)).toEqual([issuer.did, world.transport.did])
    expect(proof.credentials[0]?.credential.claims).toEqual({ id: holder.did, familyName: 'More', givenName: 'Thomas' })
  })

  it.each<[string, string, () => Promise<unknown>]>([
    [
      'whose holder has added a context, which could rename what the issuer said',
      'context_untrusted',
      async () => {
        const signed = await secured(document({ '@context': contexts }), issuer)
        return { ...signed, '@context': [...contexts, 'https://w3id.org/citizenship/v1'] }
      },
    ],
    [
      'with a context of its own in it',
      'context_untrusted',
      () =>
        secured(document({ '@context': [v2, { '@vocab': 'https://www.w3.org/ns/credentials/examples#' }] }), issuer),
    ],
    [
      'of another type of the same issuer',
      'schema_unknown',
      () => secured(document({ type: ['VerifiableCredential', 'Other'] }), issuer),
    ],
    [
      'of an issuer that is not trusted',
      'schema_unknown',
      () => {
        const stranger = holderParty('Ed25519')
        return secured(document({ issuer: stranger.did }), stranger)
      },
    ],
    ['signed by another than its issuer', 'key_of_another', () => secured(document(), holderParty('Ed25519'))],
    [
      'changed after signing',
      'signature_invalid',
      async () => ({
        ...(await secured(document(), issuer)),
        credentialSubject: { id: holder.did, familyName: 'Else' },
      }),
    ],
    [
      'that has expired',
      'credential_expired',
      () => secured(document({ validUntil: new Date(Date.now() - 60_000).toISOString() }), issuer),
    ],
    [
      'without a status',
      'status_missing',
      () => secured(JSON.parse(JSON.stringify(document({ credentialStatus: undefined }))), issuer),
    ],
    [
      'with a subject too many',
      'credential_malformed',
      () => secured(document({ credentialSubject: [{ familyName: 'a' }, { familyName: 'b' }] }), issuer),
    ],
  ])('are refused %s: %s', async (_what, code, make) => {
    const input = JSON.parse(JSON.stringify(await make()))
    const { refusal } = await verifyCredential(input, w3c())
    // What no trust is for goes to the judge of our own credentials.
    expect(code === 'schema_unknown' ? [code, 'credential_malformed', 'context_unknown'] : [code]).toContain(
      refusal?.code,
    )
  })

  it('are refused once revoked, and where the list is another issuer’s', async () => {
    await publish([5])
    const signed = await secured(document(), issuer)
    expect((await verifyCredential(signed, w3c())).refusal?.code).toBe('credential_revoked')
    await publish([], holderParty('Ed25519'))
    expect((await verifyCredential(signed, w3c())).refusal?.code).toBe('status_list_refused')
  })

  it('are refused once revoked in a Token Status List, and where that list is another issuer’s', async () => {
    issuer = holderParty('P-256')
    const key = { ...newKey(), privateKey: issuer.privateKey }
    const { credentialStatus: _none, ...plain } = document()
    const header = { typ: 'vc+jwt', kid: issuer.kid }
    const compact = signJwt(header, { ...plain, ...utopia.statusAt(3) }, key)
    const judged = async () => verifyCredential(compact, w3c({}, 'vc+jwt'))
    const by = { key, kid: issuer.kid, iss: issuer.did }
    await utopia.status(by)
    expect(await judged()).toMatchObject({ verified: true, format: 'vc+jwt', type: 'DrivingLicence' })
    await utopia.status(by, [3])
    expect((await judged()).refusal?.code).toBe('credential_revoked')
    const stranger = holderParty('P-256')
    await utopia.status({ key: { ...newKey(), privateKey: stranger.privateKey }, kid: stranger.kid, iss: stranger.did })
    expect((await judged()).refusal?.code).toBe('status_list_refused')
    const both = signJwt(header, { ...document(), ...utopia.statusAt(3) }, key)
    await utopia.status(by)
    await publish([5])
    expect((await verifyCredential(both, w3c({}, 'vc+jwt'))).refusal?.code).toBe('credential_revoked')
  })
})

describe('mdocs of trusted authorities', () => {
  const namespace = 'org.utopia.licence.1'
  const docType = 'org.utopia.licence'
  let office: Office
  let signer: { chain: Uint8Array[]; key: Key }

  beforeEach(async () => {
    office = await openOffice(world.clock.now())
    const key = newKey()
    const leaf = await makeDocumentSignerCertificate({
      ...{ notBefore: office.now - day, notAfter: office.now + 90 * day, commonName: 'Licences', country: 'UT' },
      authority: { certificate: office.root, signer: certificateSigner(office.ca) },
      publicKey: (await import('node:crypto')).createPublicKey({ key: key.jwk, format: 'jwk' }),
      contact: { type: 'email', value: 'office@utopia.example' },
    })
    signer = { chain: [leaf], key }
    await utopia.status(office)
  })

  const sign = (key: Key) => async (_algorithm: string, input: Uint8Array) =>
    signBytes({ ...world.holder, algorithm: 'ES256', privateKey: key.privateKey } as Party, input)

  const issue = (elements: Record<string, unknown> = {}, by = signer, type = docType) =>
    issueMdoc(
      {
        docType: type,
        namespaces: { [namespace]: { family_name: 'More', birth_date: fullDate('1978-02-07'), ...elements } },
        deviceKey: holder.jwk,
        validity: { signed: office.now - 60_000, validFrom: office.now - 60_000, validUntil: office.now + day },
        status: { uri: utopia.statusUrl, index: 3 },
        algorithm: 'ES256',
        chain: by.chain,
      },
      sign(by.key),
    )

  const trusts = (change: Partial<Trust> = {}) =>
    utopia.trusts([
      trustOf(world, {
        credential: { format: 'mso_mdoc', docType },
        sources: [{ by: 'certificates', anchors: [office.root] }],
        claims: { familyName: { path: [namespace, 'family_name'] }, birthDate: { path: [namespace, 'birth_date'] } },
        ...change,
      }),
    ])

  const handover = { by: 'redirect' as const, clientId: audience, responseUri: `${audience}/response` }
  const present = async (issuerSigned: Uint8Array, key = holder, nonce = challenge) => {
    const transcript = redirectTranscript({ ...handover, nonce })
    const shown = { [namespace]: ['family_name', 'birth_date'] }
    const response = await presentMdocs([{ issuerSigned, shown, algorithm: 'ES256', sign: sign(key) }], transcript)
    return Buffer.from(response).toString('base64url')
  }
  const asked = { challenge, audience: [audience], handovers: [handover] }

  it('count as one of our type, and prove their holder by their device', async () => {
    const compact = Buffer.from(await issue()).toString('base64url')
    expect(await verifyCredential(compact, trusts())).toMatchObject({
      ...{ verified: true, format: 'mso_mdoc', type: 'DrivingLicence', doctype: docType },
      trust: { source: 'certificates' },
      claims: { familyName: 'More', birthDate: '1978-02-07' },
    })
    const proof = await prove([await present(await issue())], asked, trusts())
    expect(proof.lapsed).toEqual([])
    expect(proof.credentials[0]?.credential).toMatchObject({
      ...{ type: 'DrivingLicence', issuer: expect.stringMatching(/^did:x509:0:sha256:/), holderKey: holder.thumbprint },
      claims: { familyName: 'More' },
    })
  })

  it.each<[string, string, () => Promise<string>]>([
    [
      'of another document type',
      'schema_unknown',
      async () => Buffer.from(await issue({}, signer, 'org.other')).toString('base64url'),
    ],
    [
      'of another authority',
      'certificate_untrusted',
      async () => {
        const other = await openOffice(office.now)
        return Buffer.from(await issue({}, { chain: other.chain, key: other.key })).toString('base64url')
      },
    ],
    [
      'signed with another key',
      'signature_invalid',
      async () => Buffer.from(await issue({}, { ...signer, key: newKey() })).toString('base64url'),
    ],
    [
      'whose claims do not fit',
      'schema_violated',
      async () => Buffer.from(await issue({ family_name: 7 })).toString('base64url'),
    ],
  ])('are refused %s: %s', async (_what, code, make) => {
    const { refusal } = await verifyCredential(await make(), trusts())
    expect(code === 'schema_unknown' ? [code, 'certificate_untrusted'] : [code]).toContain(refusal?.code)
  })

  it('are refused of another device, in another exchange, and once revoked', async () => {
    const mdoc = await issue()
    const codeOf = async (presentation: string) =>
      (await prove([presentation], asked, trusts())).lapsed[0]?.refusal.code
    expect(await codeOf(await present(mdoc, newKey()))).toBe('holder_mismatch')
    expect(await codeOf(await present(mdoc, holder, 'other'))).toBe('holder_mismatch')
    await utopia.status(office, [3])
    expect(await codeOf(await present(mdoc))).toBe('credential_revoked')
  })
})

describe('credentials of entities of a federation', () => {
  type Nation = Awaited<ReturnType<typeof openNation>>
  let nation: Nation
  let anchor: Entity
  let entity: Entity
  let key: Key
  const markType = 'https://marks.example/licences'

  beforeEach(async () => {
    nation = await openNation(world.clock.now())
    key = newKey()
    const jwks = { keys: [{ ...key.jwk, kid: 'licences-1' }] }
    anchor = nation.add('anchor', { trust_mark_issuers: { [markType]: [`${nation.origin}/anchor`] } })
    entity = nation.add('office', { metadata: { openid_credential_issuer: { jwks } } })
    nation.subordinate(anchor, entity)
  })
  afterEach(() => nation.close())

  const trusts = (change: Partial<Extract<Trust['sources'][number], { by: 'federation' }>> = {}) =>
    utopia.trusts(
      [
        trustOf(world, {
          claims: rules,
          status: 'optional',
          sources: [{ by: 'federation', anchors: [anchor.id], entityType: 'openid_credential_issuer', ...change }],
        }),
      ],
      { federation: nation.federation([anchor], world.clock) },
    )
  const issued = (change: Record<string, unknown> = {}, by = { key, kid: 'licences-1' }) =>
    licence(by, holder, { iss: entity.id, ...change })

  it('count by the trust chain of their issuer, under a key of its resolved metadata', async () => {
    expect(await verifyCredential(issued(), trusts())).toMatchObject({
      ...{ verified: true, type: 'DrivingLicence', issuer: entity.id },
      trust: { source: 'federation', authority: anchor.id },
      authorities: [{ type: 'openid_federation', value: anchor.id }],
    })
    const proof = await prove([bind(issued(), to, holder)], { challenge, audience: [audience] }, trusts())
    expect(proof.credentials).toHaveLength(1)
  })

  it('have their status in a list that need not name them, under a key of theirs', async () => {
    const by = { key, kid: 'licences-1', iss: null }
    const listed = utopia.statusAt(3)
    await utopia.status(by)
    expect(await verifyCredential(issued(listed), trusts())).toMatchObject({ verified: true })
    await utopia.status(by, [3])
    expect((await verifyCredential(issued(listed), trusts())).refusal?.code).toBe('credential_revoked')
    await utopia.status({ ...by, key: newKey() })
    expect((await verifyCredential(issued(listed), trusts())).refusal?.code).toBe('status_list_refused')
  })

  it('count with a trust mark where one is asked for', async () => {
    const now = Math.floor(world.clock.now() / 1_000)
    const mark = { iss: anchor.id, sub: entity.id, trust_mark_type: markType, iat: now - 10, exp: now + 600 }
    const trust_mark = signFederation(anchor.key, mark, { typ: 'trust-mark+jwt' })
    expect(await verifyCredential(issued(), trusts({ trustMark: markType }))).toMatchObject({
      refusal: { code: 'issuer_untrusted' },
    })
    entity.configuration['trust_marks'] = [{ trust_mark_type: markType, trust_mark }]
    expect(await verifyCredential(issued(), trusts({ trustMark: markType }))).toMatchObject({ verified: true })
    entity.configuration['trust_marks'] = [
      {
        trust_mark_type: markType,
        trust_mark: signFederation(newFederationKey('key-of-anchor'), mark, { typ: 'trust-mark+jwt' }),
      },
    ]
    expect(await verifyCredential(issued(), trusts({ trustMark: markType }))).toMatchObject({
      refusal: { code: 'statement_signature' },
    })
  })

  it.each<[string, string, () => string]>([
    ['of an issuer outside', 'trust_chain_missing', () => issued({ iss: nation.add('stranger').id })],
    ['of an issuer that is no entity', 'issuer_untrusted', () => issued({ iss: 'Utopia' })],
    ['under a key that its metadata lacks', 'key_unknown', () => issued({}, { key, kid: 'other' })],
    ['signed with another key', 'signature_invalid', () => issued({}, { key: newKey(), kid: 'licences-1' })],
    [
      'of an entity that a superior does not let issue',
      'issuer_untrusted',
      () => {
        Object.assign(anchor.about.get(entity.id) as object, {
          constraints: { allowed_entity_types: ['oauth_client'] },
        })
        return issued()
      },
    ],
    [
      'of an entity whose federation keys are others',
      'statement_key_unknown',
      () => {
        Object.assign(anchor.about.get(entity.id) as object, { jwks: jwksOf(newFederationKey('another')) })
        return issued()
      },
    ],
  ])('are refused %s: %s', async (_what, code, make) => {
    const compact = make()
    expect((await verifyCredential(compact, trusts())).refusal?.code).toBe(code)
  })
})
