import { generateKeyPairSync } from 'node:crypto'
import { openSignerChains } from '../../src/identity/authorities.ts'
import { decode, encode, Tag } from '../../src/identity/cbor.ts'
import { openCredential } from '../../src/identity/formats/detect.ts'
import { drivingLicenceNamespaces } from '../../src/identity/mdoc/driving-licence.ts'
import { issueMdoc, type MdocDraft } from '../../src/identity/mdoc/issue.ts'
import { presentCredential, verifyPresentation } from '../../src/identity/present.ts'
import { challengeOf, prove, recheck } from '../../src/identity/prove.ts'
import { openPublishedLists } from '../../src/identity/status-lists/published.ts'
import { openListCwt, openListJwt } from '../../src/identity/status-lists/token.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import { readCertificate } from '../../src/identity/x509/certificate.ts'
import { certificateSigner, makeDocumentSignerCertificate } from '../../src/identity/x509/make.ts'
import type { Handover, IssueRequest } from '../../src/kernel/identity.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import {
  addressOf,
  audience,
  baseUrl,
  certify,
  chain,
  day,
  holderParty,
  openWorld,
  type Party,
  registry,
  signBytes,
  type World,
} from './world.ts'

const namespace = 'org.iso.18013.5.1'
const docType = 'org.iso.18013.5.1.mDL'
const challenge = 'c29tZSBub25jZQ'
const clientId = 'x509_hash:AAAA'
const redirect: Handover = { by: 'redirect', clientId, responseUri: `${audience}/response` }
const names = ['family_name', 'birth_date', 'driving_privileges'].map(name => `${namespace}/${name}`)

const issued = async (world: World, request: Partial<IssueRequest> = {}) =>
  (await world.issue({ format: 'mso_mdoc', ...request })).compact

const presented = async (
  world: World,
  compact: string,
  change: { holder?: Party; claims?: string[]; handover?: Handover | undefined; challenge?: string } = {},
): Promise<string> => {
  const { holder = world.holder, claims = names, ...rest } = change
  world.parties.set(holder.keyId, holder)
  const to = { audience, challenge, claims, handover: redirect, ...rest }
  return presentCredential({ compact, format: 'mso_mdoc' }, to, holder, world.signer, world.clock.now())
}

const expected = { challenge, audience: [audience, clientId], handovers: [redirect] }
const judged = (world: World, presentation: unknown, change = {}) =>
  verifyPresentation(presentation, world.verify, { ...expected, ...change })
const refusalIn = async (world: World, presentation: unknown, change = {}) =>
  (await judged(world, presentation, change)).refusal?.code
const codeOf = async (world: World, compact: unknown) => (await verifyCredential(compact, world.verify)).refusal?.code

const bytesOf = (compact: string) => new Uint8Array(Buffer.from(compact, 'base64url'))
const inText = (value: unknown) => Buffer.from(encode(value)).toString('base64url')
type Item = Map<string, unknown>

/** The same mdoc with something in it changed, and signed no more. */
const damaged = (compact: string, change: (issuerSigned: Item) => void): string => {
  const item = decode(bytesOf(compact)) as Item
  change(item)
  return inText(item)
}

/** An mdoc by hand: what no agency of this house would issue. */
const handmade = async (
  world: World,
  change: Partial<MdocDraft> & { signer?: Party; certificate?: Parameters<typeof certify>[2] } = {},
): Promise<string> => {
  const { signer = world.transport, certificate, ...draft } = change
  const { x5c } = await certify(signer, 'documentSigner', certificate)
  const now = world.clock.now()
  const issuer = addressOf(world.transport)
  const onChain = { type: 'EvmStatusEntry', chain, registry, issuer, list: '0', index: '7' }
  const bytes = await issueMdoc(
    {
      docType,
      namespaces: drivingLicenceNamespaces(world.subjectOf('DrivingLicence'), { at: now }),
      deviceKey: world.holder.jwk,
      validity: { signed: now, validFrom: now, validUntil: now + 30 * day },
      status: { uri: `${baseUrl}/status/token/0`, index: 7, onChain },
      algorithm: 'ES256',
      chain: x5c.map(each => Buffer.from(each, 'base64')),
      kid: world.transport.kid,
      ...draft,
    },
    async (_algorithm, input) => signBytes(signer, input),
  )
  return Buffer.from(bytes).toString('base64url')
}

describe('mso_mdoc: a driving licence as its agency issues it', () => {
  it('verifies with every check, and its data elements are the claims of the type', async () => {
    const world = openWorld()
    const compact = await issued(world)
    const verdict = await verifyCredential(compact, world.verify)
    expect(verdict).toMatchObject({
      ...{ verified: true, format: 'mso_mdoc', type: 'DrivingLicence', doctype: docType },
      ...{ issuer: world.transport.did, holder: world.holder.did },
      claims: world.subjectOf('DrivingLicence'),
      document: { [namespace]: { family_name: 'Okafor', age_over_18: true }, [`${namespace}.XN`]: {} },
    })
    expect(verdict.checks.filter(({ outcome }) => outcome === 'passed')).toHaveLength(7)
  })

  it('keeps claims that the mDL namespace has no element for in that of the country', async () => {
    const world = openWorld()
    const pseudonym = { domain: 'money', value: 'A'.repeat(43) }
    const subject = { ...world.subjectOf('DrivingLicence'), pseudonym }
    const verdict = await verifyCredential(await issued(world, { subject }), world.verify)
    expect(verdict.claims).toEqual(subject)
  })

  it('ends no later than the certificate of its signer', async () => {
    const world = openWorld()
    const { expires } = (await world.issueNeeds(world.transport).certificates?.documentSigner()) ?? { expires: 0 }
    const { draft } = await world.issue({ format: 'mso_mdoc', validFrom: expires - 10 * day })
    expect(draft.validUntil).toBe(expires)
    const late = world.issue({ format: 'mso_mdoc', validFrom: expires - 10 * day, validUntil: expires + 1_000 })
    await expect(late).rejects.toMatchObject({ code: 'validity_too_long' })
  })

  it('is not to be had of a type without a document type, nor for a key that mdocs do not know', async () => {
    const world = openWorld()
    const kyc = world.issue({ format: 'mso_mdoc', type: 'KycAttestation' })
    await expect(kyc).rejects.toMatchObject({ code: 'format_unsupported' })
    const curve = holderParty('secp256k1')
    const subject = world.subjectOf('DrivingLicence', curve)
    const { compact } = await world.issue({ format: 'mso_mdoc', subject })
    await expect(presented(world, compact, { holder: curve })).rejects.toMatchObject({ code: 'algorithm_refused' })
  })

  it('is revoked and suspended on chain like every other credential', async () => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format: 'mso_mdoc' })
    world.status.set(draft.status, 'suspended')
    expect(await codeOf(world, compact)).toBe('credential_suspended')
    world.status.set(draft.status, 'revoked')
    expect(await codeOf(world, compact)).toBe('credential_revoked')
    world.status.stale = true
    expect(await codeOf(world, compact)).toBe('status_unavailable')
  })

  it.each<[string, string, (world: World) => Promise<string>]>([
    [
      'by a key that the DID in its certificate has not',
      'signature_invalid',
      world => {
        const thief: Party = { ...world.stranger, did: world.transport.did, kid: world.transport.kid }
        return handmade(world, { signer: thief })
      },
    ],
    [
      'under a certificate of another key than the DID’s',
      'signature_invalid',
      world => handmade(world, { certificate: { publicKey: world.stranger.publicKey } }),
    ],
    [
      'under a certificate without a DID',
      'certificate_untrusted',
      world => handmade(world, { certificate: { uris: ['https://a.example'] } }),
    ],
    [
      'under a certificate with the DIDs of two agencies',
      'certificate_untrusted',
      world => handmade(world, { certificate: { uris: [world.transport.did, world.taxes.did] } }),
    ],
    [
      'under a certificate whose key is named by another DID',
      'key_of_another',
      world =>
        handmade(world, {
          certificate: { uris: [world.transport.did] },
          kid: world.taxes.kid,
          signer: { ...world.transport },
        }),
    ],
    [
      'by an agency that is not accredited for it',
      'issuer_unaccredited',
      world => {
        const { did, kid } = world.taxes
        return handmade(world, { signer: world.taxes, certificate: { uris: [did, kid] } })
      },
    ],
    [
      'before its signer had a certificate',
      'certificate_expired',
      world => handmade(world, { certificate: { notBefore: world.clock.now() + day } }),
    ],
    [
      'after its signer’s certificate had ended',
      'certificate_expired',
      world => handmade(world, { certificate: { notAfter: world.clock.now() - day } }),
    ],
    [
      'of another country than its signer’s',
      'certificate_untrusted',
      world => handmade(world, { certificate: { country: 'XM' } }),
    ],
    [
      'of a document type that nobody knows',
      'schema_unknown',
      world => handmade(world, { docType: 'org.iso.18013.5.1.boat' }),
    ],
    ['without a status', 'status_missing', world => handmade(world, { status: undefined as never })],
    [
      'with a status that is not on our chain',
      'status_type_unknown',
      world => handmade(world, { status: { uri: `${baseUrl}/status/token/0`, index: 7 } }),
    ],
    [
      'with the status of another issuer',
      'status_of_another',
      world => {
        const issuer = addressOf(world.taxes)
        const onChain = { type: 'EvmStatusEntry', chain, registry, issuer, list: '0', index: '7' }
        return handmade(world, { status: { uri: `${baseUrl}/status/token/0`, index: 7, onChain } })
      },
    ],
    [
      'whose two statuses are two places',
      'credential_malformed',
      world => {
        const issuer = addressOf(world.transport)
        const onChain = { type: 'EvmStatusEntry', chain, registry, issuer, list: '2', index: '7' }
        return handmade(world, { status: { uri: `${baseUrl}/status/token/0`, index: 7, onChain } })
      },
    ],
    [
      'that has ended',
      'credential_expired',
      world => {
        const signed = world.clock.now() - 60 * day
        return handmade(world, { validity: { signed, validFrom: signed, validUntil: signed + day } })
      },
    ],
    [
      'of a licence without its categories',
      'schema_violated',
      world =>
        handmade(world, {
          namespaces: { [namespace]: { family_name: 'Okafor', driving_privileges: [{}], issuing_country: 'XN' } },
        }),
    ],
  ])('is refused when it was issued %s (%s)', async (_title, code, make) => {
    const world = openWorld()
    expect(await codeOf(world, await make(world))).toBe(code)
  })

  it('is refused under a certificate that is for something else (certificate_untrusted)', async () => {
    const world = openWorld()
    const { x5c } = await certify(world.transport, 'issuer', { uris: [world.transport.did, world.transport.kid] })
    const compact = await handmade(world, { chain: x5c.map(each => Buffer.from(each, 'base64')) })
    expect(await codeOf(world, compact)).toBe('certificate_untrusted')
  })

  it.each<[string, string, (item: Item) => void]>([
    [
      'an element exchanged',
      'digest_mismatch',
      item => {
        const [first, second] = elementsIn(item)
        if (first !== undefined && second !== undefined)
          item.set('nameSpaces', new Map([[namespace, [tampered(first), second]]]))
      },
    ],
    [
      'an element twice',
      'credential_malformed',
      item => {
        const [first] = elementsIn(item)
        item.set('nameSpaces', new Map([[namespace, [first, first]]]))
      },
    ],
    [
      'an element that its issuer never signed',
      'digest_mismatch',
      item => {
        const octets = encode({
          digestID: 99,
          random: new Uint8Array(32),
          elementIdentifier: 'family_name',
          elementValue: 'Nobody',
        })
        item.set('nameSpaces', new Map([[namespace, [new Tag(24, octets)]]]))
      },
    ],
    [
      'an element in another namespace',
      'digest_mismatch',
      item => {
        item.set('nameSpaces', new Map([['org.iso.18013.5.2', elementsIn(item).slice(0, 1)]]))
      },
    ],
    [
      'another payload',
      'signature_invalid',
      item => {
        const auth = item.get('issuerAuth') as unknown[]
        const payload = Buffer.from(auth[2] as Uint8Array)
        // A later year in `validUntil`, behind the heads of its tag and its text.
        payload.write('9', payload.indexOf('validUntil') + 'validUntil'.length + 2 + 3)
        auth[2] = new Uint8Array(payload)
      },
    ],
    [
      'another signature',
      'signature_invalid',
      item => {
        const auth = item.get('issuerAuth') as unknown[]
        const signature = Uint8Array.from(auth[3] as Uint8Array)
        signature[10] = (signature[10] ?? 0) ^ 1
        auth[3] = signature
      },
    ],
    ['no certificate', 'credential_malformed', item => (item.get('issuerAuth') as unknown[]).splice(1, 1, new Map())],
  ])('is refused with %s (%s)', async (_title, code, change) => {
    const world = openWorld()
    expect(await codeOf(world, damaged(await issued(world), change))).toBe(code)
  })

  it.each([
    ['padding', 'credential_malformed', (compact: string) => `${compact}=`],
    [
      'an octet behind it',
      'credential_malformed',
      (compact: string) => Buffer.concat([bytesOf(compact), Buffer.of(0)]).toString('base64url'),
    ],
    ['its second half', 'credential_malformed', (compact: string) => compact.slice(Math.ceil(compact.length / 8) * 4)],
  ])('is refused as base64url with %s (%s)', async (_title, code, change) => {
    const world = openWorld()
    expect(await codeOf(world, change(await issued(world)))).toBe(code)
  })
})

const elementsIn = (item: Item): Tag[] => (item.get('nameSpaces') as Map<string, Tag[]>).get(namespace) ?? []
const tampered = (element: Tag): Tag => {
  const read = decode(element.contents as Uint8Array) as Item
  return new Tag(24, encode(new Map([...read, ['elementValue', 'Another']])))
}

describe('a device response in answer to OpenID4VP 1.0 (appendix B.2)', () => {
  it('shows the chosen elements and nothing else, by the device that holds the mdoc', async () => {
    const world = openWorld()
    const verdict = await judged(world, await presented(world, await issued(world)))
    expect(verdict).toMatchObject({ verified: true, holder: world.holder.did, credentials: [{ format: 'mso_mdoc' }] })
    expect(Object.keys(verdict.claims ?? {}).sort()).toEqual(['birthDate', 'drivingPrivileges', 'familyName', 'id'])
    expect(verdict.document).toEqual({ [namespace]: expect.objectContaining({ birth_date: '1990-04-17' }) })
  })

  it('is made by holders whose keys are P-384 and Ed25519 as well', async () => {
    const world = openWorld()
    for (const kind of ['P-384', 'Ed25519'] as const) {
      const holder = holderParty(kind)
      const compact = await issued(world, { subject: world.subjectOf('DrivingLicence', holder) })
      expect(await judged(world, await presented(world, compact, { holder }))).toMatchObject({
        verified: true,
        holder: holder.did,
      })
    }
  })

  const other = (change: Partial<Extract<Handover, { by: 'redirect' }>>): Handover =>
    ({ ...redirect, ...change }) as Handover
  const page: Handover = { by: 'dc_api', origin: 'https://verifier.example' }
  const encrypted = Buffer.alloc(32, 7).toString('base64url')

  it.each<[string, Handover, Handover]>([
    ['another client id', other({ clientId: 'x509_hash:BBBB' }), redirect],
    ['another response URI', other({ responseUri: 'https://elsewhere.example/response' }), redirect],
    ['a response that was to be encrypted to a key', redirect, other({ jwkThumbprint: encrypted })],
    [
      'a response that was encrypted to another key',
      other({ jwkThumbprint: Buffer.alloc(32, 8).toString('base64url') }),
      other({ jwkThumbprint: encrypted }),
    ],
    ['another origin', { ...page, origin: 'https://phishing.example' } as Handover, page],
    ['the Digital Credentials API instead of a redirect', page, redirect],
  ])('is refused when the device signed for %s (holder_mismatch)', async (_title, signed, asked) => {
    const world = openWorld()
    const presentation = await presented(world, await issued(world), { handover: signed })
    expect(await refusalIn(world, presentation, { handovers: [signed] })).toBeUndefined()
    expect(await refusalIn(world, presentation, { handovers: [asked] })).toBe('holder_mismatch')
    expect(await refusalIn(world, presentation, { handovers: [asked, signed] })).toBeUndefined()
  })

  it('is refused when the device signed for another nonce (holder_mismatch)', async () => {
    const world = openWorld()
    const presentation = await presented(world, await issued(world), { challenge: 'another' })
    expect(await refusalIn(world, presentation)).toBe('holder_mismatch')
  })

  it('is refused by another device than the one the mdoc is for (holder_mismatch)', async () => {
    const world = openWorld()
    const thief = holderParty()
    expect(await refusalIn(world, await presented(world, await issued(world), { holder: thief }))).toBe(
      'holder_mismatch',
    )
  })

  it('is refused as an mdoc that nobody presents (holder_unproven)', async () => {
    const world = openWorld()
    expect(await refusalIn(world, await issued(world))).toBe('holder_unproven')
  })

  it('is refused when nobody says what the device should have signed for (holder_unproven)', async () => {
    const world = openWorld()
    const presentation = await presented(world, await issued(world))
    expect(await refusalIn(world, presentation, { handovers: [] })).toBe('holder_unproven')
  })

  it('is refused with another document type around it (payload_edited)', async () => {
    const world = openWorld()
    const response = decode(bytesOf(await presented(world, await issued(world)))) as Map<string, Item[]>
    response.get('documents')?.[0]?.set('docType', 'org.iso.18013.5.1.boat')
    expect(await refusalIn(world, inText(response))).toBe('payload_edited')
  })

  it('is refused empty, or with a status that is not good (credential_malformed)', async () => {
    const world = openWorld()
    const response = decode(bytesOf(await presented(world, await issued(world)))) as Map<string, unknown>
    expect(await refusalIn(world, inText(new Map([...response, ['documents', []]])))).toBe('credential_malformed')
    expect(await refusalIn(world, inText(new Map([...response, ['status', 10]])))).toBe('credential_malformed')
  })

  it('is refused with a revoked mdoc, and judged as every other without one', async () => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format: 'mso_mdoc' })
    const presentation = await presented(world, compact)
    expect(await refusalIn(world, presentation)).toBeUndefined()
    world.status.set(draft.status, 'revoked')
    expect(await refusalIn(world, presentation)).toBe('credential_revoked')
  })
})

describe('an mdoc as proof for a requirement', () => {
  const proven = (world: World, presentation: string, change = {}) =>
    prove([presentation], { ...expected, ...change }, { ...world.verify, did: world.transport.did })

  it('proves its holder and type, has one digest however much is shown, and stands until it is revoked', async () => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format: 'mso_mdoc' })
    const proof = await proven(world, await presented(world, compact))
    expect(proof).toMatchObject({
      credentials: [
        {
          credential: {
            type: 'DrivingLicence',
            holder: world.holder.did,
            holderKey: world.holder.thumbprint,
            own: true,
          },
          standing: { kid: world.transport.kid, type: 'DrivingLicence', status: draft.status },
        },
      ],
      lapsed: [],
    })
    const less = await proven(world, await presented(world, compact, { claims: [`${namespace}/age_over_18`] }))
    expect(less.credentials[0]?.credential.claims).toEqual({ id: world.holder.did, ageOver18: true })
    expect(less.credentials[0]?.credential.digest).toBe(proof.credentials[0]?.credential.digest)
    const needs = { ...world.verify, did: world.transport.did }
    expect((await recheck(proof, needs)).lapsed).toEqual([])
    world.status.set(draft.status, 'revoked')
    expect(await recheck(proof, needs)).toMatchObject({
      credentials: [],
      lapsed: [{ refusal: { code: 'credential_revoked' } }],
    })
  })

  it('comes with its exchange where nobody asked by OpenID4VP, and names the challenge', async () => {
    const world = openWorld()
    const text = await presented(world, await issued(world), { handover: undefined })
    expect(challengeOf([text])).toBe(challenge)
    const own = { audience: [audience], handovers: undefined }
    expect((await proven(world, text, own)).credentials).toHaveLength(1)
    expect((await judged(world, JSON.parse(text), own)).verified).toBe(true)
  })

  it.each<[string, string, { handover?: object; more?: boolean }]>([
    ['for another challenge', 'challenge_mismatch', { handover: { nonce: 'another' } }],
    ['for another verifier', 'audience_mismatch', { handover: { clientId: 'https://other.example' } }],
    ['to an address of others', 'audience_mismatch', { handover: { responseUri: 'https://other.example/a' } }],
    ['to one that begins like ours', 'audience_mismatch', { handover: { responseUri: `${audience}.example/a` } }],
    ['to another one of ours', 'holder_mismatch', { handover: { responseUri: `${audience}/other` } }],
    ['by a page of others', 'audience_mismatch', { handover: { by: 'dc_api', origin: 'https://other.example' } }],
    ['by carrier pigeon', 'credential_malformed', { handover: { by: 'pigeon' } }],
    ['to no address', 'credential_malformed', { handover: { responseUri: undefined } }],
    ['with something more', 'credential_malformed', { more: true }],
  ])('is refused when it was presented %s (%s)', async (_title, code, change) => {
    const world = openWorld()
    const shown = JSON.parse(await presented(world, await issued(world), { handover: undefined }))
    const changed = JSON.stringify({ ...shown, ...change, handover: { ...shown.handover, ...change.handover } })
    expect(await refusalIn(world, changed, { audience: [audience], handovers: undefined })).toBe(code)
  })

  it('says nothing of a challenge as a bare device response (challenge_mismatch)', async () => {
    const world = openWorld()
    const presentation = await presented(world, await issued(world))
    expect(() => challengeOf([presentation])).toThrow(expect.objectContaining({ code: 'challenge_mismatch' }))
  })
})

describe('an SD-JWT VC with the certificates of its issuer (HAIP 1.0, section 6.1.1)', () => {
  it('carries them on request, leaf first and without the anchor, and ends before they do', async () => {
    const world = openWorld()
    const { compact, draft } = await world.issue({
      format: 'dc+sd-jwt',
      x5c: true,
      subject: world.subjectOf('DrivingLicence'),
    })
    const opened = openCredential(compact, world.types)
    const certified = await world.issueNeeds(world.transport).certificates?.issuer()
    expect(opened.signature.x5c).toEqual(certified?.x5c)
    expect(draft.validUntil).toBeLessThanOrEqual(certified?.expires ?? 0)
    expect(await codeOf(world, compact)).toBeUndefined()
  })

  it('carries none without being asked, and other formats have no place for them (format_unsupported)', async () => {
    const world = openWorld()
    expect(
      openCredential((await world.issue({ format: 'dc+sd-jwt' })).compact, world.types).signature.x5c,
    ).toBeUndefined()
    await expect(world.issue({ format: 'vc+jwt', x5c: true })).rejects.toMatchObject({ code: 'format_unsupported' })
  })

  it('is not signed when the key changed after its certificates were asked for (certificate_missing)', async () => {
    const world = openWorld()
    const needs = world.issueNeeds(world.transport)
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const stale = await certify({ ...world.transport, keyId: 'signing.1', publicKey }, 'issuer')
    const { issueCredential } = await import('../../src/identity/issue.ts')
    const request = { type: 'DrivingLicence', x5c: true, subject: world.subjectOf('DrivingLicence') }
    const certificates = { issuer: async () => stale, documentSigner: async () => stale }
    await expect(issueCredential(request, { ...needs, certificates })).rejects.toMatchObject({
      code: 'certificate_missing',
    })
    await expect(issueCredential(request, { ...needs, certificates: undefined })).rejects.toMatchObject({
      code: 'format_unsupported',
    })
  })
})

describe('a Status List Token with the certificates of its issuer (HAIP 1.0, section 6.1)', () => {
  const publishedBy = (world: World, certificates?: { issuer: () => ReturnType<typeof certify> }) =>
    openPublishedLists({
      ...{ signer: world.signer, clock: world.clock, baseUrl, issuer: () => world.transport, certificates },
      source: { bits: list => world.status.bits(addressOf(world.transport), list) },
    })

  it('carries them as JWT and as CWT', async () => {
    const world = openWorld()
    const made = await certify(world.transport, 'issuer')
    const lists = publishedBy(world, { issuer: async () => made })
    expect(openListJwt(await lists.token(0)).signature.x5c).toEqual(made.x5c)
    const cwt = openListCwt(await lists.tokenCwt(0))
    expect(cwt.signature.x5c).toEqual(made.x5c)
    expect(await cwt.signature.holds(world.transport)).toBe(true)
  })

  it('is published without them when there are none, or only those of another key', async () => {
    const world = openWorld()
    const missing = async () => {
      throw new Refusal('unavailable', 'certificate_missing', 'They have expired.')
    }
    const ofAnother = async () => certify(world.taxes, 'issuer')
    for (const issuer of [missing, ofAnother]) {
      const { signature } = openListJwt(await publishedBy(world, { issuer }).token(0))
      expect([signature.x5c, await signature.holds(world.transport)]).toEqual([undefined, true])
    }
  })
})

describe('the authorities that the issuer of an mdoc is under (OpenID4VP 1.0, section 6.1.1)', () => {
  const derOf = (base64 = '') => new Uint8Array(Buffer.from(base64, 'base64'))
  const x5chainLabel = 33

  /** The same mdoc with other certificates beside its signature, which that does not cover. */
  const withChain = (compact: string, chain: readonly Uint8Array[]): string =>
    damaged(compact, issuerSigned => {
      const auth = issuerSigned.get('issuerAuth')
      const [, unprotected] = (auth instanceof Tag ? auth.contents : auth) as [unknown, Map<unknown, unknown>]
      unprotected.set(x5chainLabel, chain.length === 1 ? chain[0] : chain)
    })

  const scene = async () => {
    const world = openWorld()
    const { x5c, authority } = await certify(world.transport, 'documentSigner')
    const leaf = derOf(x5c[0])
    const judged = (anchors: Uint8Array[]) => ({
      ...world.verify,
      signerChains: openSignerChains({ clock: world.clock, anchors: async () => anchors }),
    })
    const compact = withChain(await issued(world), [leaf])
    const authoritiesOf = async (text: string, needs: Partial<ReturnType<typeof judged>> = judged([authority])) => {
      const verdict = await verifyCredential(text, { ...world.verify, ...needs })
      return { verified: verdict.verified, authorities: verdict.authorities }
    }
    const identifier = Buffer.from(readCertificate(leaf).authorityKeyIdentifier ?? '', 'hex').toString('base64url')
    return { world, leaf, authority, compact, judged, authoritiesOf, identifier }
  }

  it('are those of its certificates, where they lead to an authority that is known here', async () => {
    const { compact, authoritiesOf, identifier, judged, world, authority } = await scene()
    expect(await authoritiesOf(compact)).toEqual({
      verified: true,
      authorities: [{ type: 'aki', value: identifier }],
    })
    const { authority: another } = await certify(world.taxes, 'documentSigner')
    for (const needs of [{}, judged([]), judged([another])]) {
      expect(await authoritiesOf(compact, needs)).toEqual({ verified: true, authorities: undefined })
    }
    expect((await authoritiesOf(compact, judged([another, authority]))).authorities).toHaveLength(1)
  })

  it('are none of those whose certificates its bearer put there', async () => {
    const { world, leaf, authority, compact, authoritiesOf, judged } = await scene()
    const theirs = await certify(world.transport, 'documentSigner')
    const named = await makeDocumentSignerCertificate({
      ...{ notBefore: world.clock.now() - day, notAfter: world.clock.now() + day, commonName: 'Signer', country: 'XN' },
      ...{ publicKey: world.transport.publicKey, uris: [world.transport.did, world.transport.kid] },
      contact: { type: 'url' as const, value: baseUrl },
      // In the name of the authority, whose key it has not.
      authority: {
        certificate: authority,
        signer: certificateSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
      },
    })
    const forged = [
      [derOf(theirs.x5c[0])],
      [derOf(theirs.x5c[0]), theirs.authority],
      [leaf, theirs.authority],
      [leaf, derOf(theirs.x5c[0])],
      [named],
    ]
    for (const chain of forged) {
      expect(await authoritiesOf(withChain(compact, chain))).toEqual({ verified: true, authorities: undefined })
    }
    expect(
      (await authoritiesOf(withChain(compact, [leaf, derOf(theirs.x5c[0])]), judged([theirs.authority]))).authorities,
    ).toBe(undefined)
  })

  it('are none once its certificate has expired, nor of one that is not for signing mdocs', async () => {
    const { world, compact, authoritiesOf, judged } = await scene()
    const access = await certify(world.transport, 'issuer')
    expect(await authoritiesOf(withChain(compact, [derOf(access.x5c[0])]), judged([access.authority]))).toEqual({
      verified: false,
      authorities: undefined,
    })
    const short = await certify(world.transport, 'documentSigner', { notAfter: world.clock.now() + day })
    const text = withChain(compact, [derOf(short.x5c[0])])
    expect((await authoritiesOf(text, judged([short.authority]))).authorities).toHaveLength(1)
    world.clock.time += 2 * day
    expect((await authoritiesOf(text, judged([short.authority]))).authorities).toBeUndefined()
  })
})
