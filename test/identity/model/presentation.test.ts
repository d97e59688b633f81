import fc from 'fast-check'
import { openEnvelope, readDataUrl, sealEnvelope } from '../../../src/identity/model/envelope.ts'
import { assertPresentation } from '../../../src/identity/model/presentation.ts'
import { credential, credential11, hostile, type Members, presentation, refused } from './refused.ts'

const v2 = 'https://www.w3.org/ns/credentials/v2'
const holder = 'did:example:holder'
const proof = { type: 'DataIntegrityProof', cryptosuite: 'eddsa-rdfc-2022' }
const secured = credential({ proof })
const envelope = sealEnvelope('EnvelopedVerifiableCredential', 'vc+jwt', 'a.b.c')
const judge = (changes: Members) => refused(() => assertPresentation(presentation(changes)))

describe('a presentation (VC Data Model 2.0, section 4.13)', () => {
  it('shows what it is', () => {
    const own = credential({ issuer: { id: holder, name: 'Me' } })
    const value = presentation({
      id: 'urn:uuid:1',
      type: 'VerifiablePresentation',
      holder: { id: holder, name: 'Me' },
      verifiableCredential: [secured, envelope, own],
      termsOfUse: { type: 'T' },
      proof,
    })
    const { credentials, ...shape } = assertPresentation(value)
    expect(shape).toEqual({
      model: '2.0',
      id: 'urn:uuid:1',
      types: ['VerifiablePresentation'],
      holder,
      termsOfUse: [{ type: 'T' }],
      proofs: [proof],
      document: value,
    })
    expect(credentials).toMatchObject([
      { kind: 'embedded', selfAsserted: false, credential: { issuer: secured['issuer'] } },
      { kind: 'enveloped', envelope: { mediaType: 'vc+jwt', token: 'a.b.c' } },
      { kind: 'embedded', selfAsserted: true, credential: { issuer: holder } },
    ])
  })

  it('may have no credential, or one outside an array', () => {
    expect(assertPresentation(presentation()).credentials).toEqual([])
    expect(assertPresentation(presentation({ verifiableCredential: envelope })).credentials).toHaveLength(1)
  })

  it.each<[string, Members, string]>([
    ['no context', { '@context': undefined }, '4.3'],
    ['a context alone', { '@context': v2 }, '4.3'],
    ['no type', { type: undefined }, '4.5'],
    ['the type of a credential', { type: ['VerifiableCredential'] }, '4.5'],
    ['two ids', { id: ['urn:uuid:1', 'urn:uuid:2'] }, '4.4'],
    ['a holder that is null', { holder: null }, '4.13'],
    ['two holders', { holder: [holder, 'did:example:b'] }, '4.13'],
    ['a holder without an id', { holder: { name: 'Me' } }, '4.13'],
    ['a holder that is no URL', { holder: 'me' }, '4.13'],
    ['no credentials', { verifiableCredential: [] }, '4.13'],
    ['a credential that is text', { verifiableCredential: ['a.b.c'] }, '4.13'],
    ['a credential that is a URL', { verifiableCredential: 'https://example.org/' }, '4.13'],
    ['a credential that is a number', { verifiableCredential: [1] }, '4.13'],
    ['credentials in credentials', { verifiableCredential: [[envelope]] }, '4.13'],
    ['a presentation for a credential', { verifiableCredential: [presentation({ proof })] }, '4.5'],
    ['a credential without a type', { verifiableCredential: [{ ...secured, type: undefined }] }, '4.5'],
    ['a credential that nothing secures', { verifiableCredential: [credential()] }, '4.13.4'],
    ['a credential of another that nothing secures', { holder, verifiableCredential: [credential()] }, '4.13.4'],
    ['a graph', { '@graph': [] }, '6.1.2'],
    ['terms of use without a type', { termsOfUse: {} }, '4.5'],
  ])('is not one with %s', (_what, changes, clause) => {
    const refusal = judge(changes)
    expect(refusal).toMatchObject({ kind: 'malformed', code: 'credential_malformed' })
    expect(refusal?.message).toContain(`section ${clause})`)
  })

  it('has at most 64 credentials and 32 proofs', () => {
    const many = (each: unknown, length: number) => Array.from({ length }, () => each)
    expect(judge({ verifiableCredential: many(envelope, 65) })?.code).toBe('credential_malformed')
    expect(judge({ proof: many(proof, 33) })?.code).toBe('proof_malformed')
  })

  it('of version 1.1 may hold tokens', () => {
    const old = { '@context': ['https://www.w3.org/2018/credentials/v1'], verifiableCredential: ['a.b.c'] }
    expect(assertPresentation(presentation(old)).credentials).toEqual([{ kind: 'token', token: 'a.b.c' }])
    const embedded = { ...old, verifiableCredential: [credential11({ proof })] }
    expect(assertPresentation(presentation(embedded)).credentials).toMatchObject([{ kind: 'embedded' }])
  })

  it('is taken or refused, whatever JSON comes', () => {
    const names = ['@context', 'id', 'type', 'holder', 'verifiableCredential', 'termsOfUse', 'proof']
    const value = fc.oneof(fc.constantFrom(...hostile, envelope, secured), fc.jsonValue({ maxDepth: 3 }))
    const any = fc.oneof(value, fc.array(value, { maxLength: 3 }))
    const codes = [undefined, 'credential_malformed', 'proof_malformed', 'payload_edited']
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), any, { maxKeys: 3 }), changes => {
        expect(codes).toContain(judge(changes)?.code)
        const changed = { ...envelope, ...changes }
        expect(codes).toContain(refused(() => openEnvelope(changed, 'EnvelopedVerifiableCredential'))?.code)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('an envelope (VC Data Model 2.0, sections 4.13.1 and 4.13.2)', () => {
  const kinds = ['EnvelopedVerifiableCredential', 'EnvelopedVerifiablePresentation'] as const
  const open = (changes: Members, type: (typeof kinds)[number] = kinds[0]) =>
    refused(() => openEnvelope({ ...envelope, ...changes }, type))

  it.each([
    [kinds[0], 'vc+jwt'],
    [kinds[0], 'vc+sd-jwt'],
    [kinds[0], 'dc+sd-jwt'],
    [kinds[0], 'jwt'],
    [kinds[1], 'vp+jwt'],
    [kinds[1], 'vp+sd-jwt'],
    [kinds[1], 'jwt'],
  ])('is an %s of %s', (type, mediaType) => {
    const sealed = sealEnvelope(type, mediaType, 'a.b.c~d~')
    expect(openEnvelope(sealed, type)).toEqual({ mediaType, encoding: 'text', token: 'a.b.c~d~' })
    const listed = { ...sealed, '@context': ['https://www.w3.org/ns/credentials/examples/v2', v2], type: [type] }
    expect(openEnvelope(listed, type)).toMatchObject({ mediaType })
  })

  it.each([
    [kinds[0], 'vc+cose'],
    [kinds[1], 'vp+cose'],
  ])('is an %s of %s in base64 (RFC 2397)', (type, mediaType) => {
    for (const bytes of [Buffer.of(1), Buffer.of(1, 2), Buffer.of(0xff, 0xef, 0xbe)]) {
      const sealed = sealEnvelope(type, mediaType, bytes)
      expect(openEnvelope(sealed, type)).toEqual({ mediaType, encoding: 'binary', bytes })
      const unpadded = { ...sealed, id: sealed.id.replace(/=+$/, '') }
      expect(openEnvelope(unpadded, type)).toMatchObject({ bytes })
      expect(openEnvelope({ ...sealed, id: `${sealed.id}\n` }, type)).toMatchObject({ bytes })
    }
  })

  it('may have its token in base64', () => {
    const url = `data:application/vc+jwt;base64,${Buffer.from('a.b.c').toString('base64')}`
    expect(readDataUrl(url, kinds[0])).toEqual({ mediaType: 'vc+jwt', encoding: 'text', token: 'a.b.c' })
  })

  it.each<[string, Members]>([
    ['no context', { '@context': undefined }],
    ['no contexts', { '@context': [] }],
    ['the context of something else', { '@context': 'https://www.w3.org/ns/credentials/examples/v2' }],
    ['no type', { type: undefined }],
    ['the type of what it holds', { type: 'VerifiableCredential' }],
    ['another type beside its own', { type: [kinds[0], 'VerifiableCredential'] }],
    ['no id', { id: undefined }],
    ['a token for an id', { id: 'a.b.c' }],
    ['a URL for an id', { id: 'https://example.org/a.b.c' }],
    ['two ids', { id: [envelope.id, envelope.id] }],
    ['no media type', { id: 'data:,a.b.c' }],
    ['the media type of a presentation', { id: 'data:application/vp+jwt,a.b.c' }],
    ['the media type of a draft', { id: 'data:application/vc-ld+jwt,a.b.c' }],
    ['another spelling of the media type', { id: 'data:application/VC+JWT,a.b.c' }],
    ['a character set', { id: 'data:application/vc+jwt;charset=utf-8,a.b.c' }],
    ['no token', { id: 'data:application/vc+jwt,' }],
    ['a token with a space', { id: 'data:application/vc+jwt,a.b.c ' }],
    ['an encoded token', { id: 'data:application/vc+jwt,a%2Eb.c' }],
    ['COSE that is not base64', { id: 'data:application/vc+cose,d2845856' }],
    ['COSE in base64url', { id: 'data:application/vc+cose;base64,_-8' }],
    ['COSE in base64 with bits to spare', { id: 'data:application/vc+cose;base64,AB==' }],
    ['COSE in base64 with a line break', { id: 'data:application/vc+cose;base64,AAAA\nAAAA' }],
    ['COSE in base64 with two line breaks behind it', { id: 'data:application/vc+cose;base64,AAAA\n\n' }],
    ['nothing in base64', { id: 'data:application/vc+cose;base64,' }],
    ['data without end', { id: `data:application/vc+jwt,${'a'.repeat(2 * 1_048_576)}` }],
  ])('is not one with %s', (_what, changes) => {
    expect(open(changes)).toMatchObject({ kind: 'malformed', code: 'credential_malformed' })
  })

  it('is not one of the other kind', () => {
    expect(open({}, kinds[1])?.code).toBe('credential_malformed')
    expect(refused(() => openEnvelope(null, kinds[0]))?.code).toBe('credential_malformed')
  })

  it('has no member that nothing secures', () => {
    expect(open({ issuer: 'did:example:another' })?.code).toBe('payload_edited')
  })
})
