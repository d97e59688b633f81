import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { DIDDocument, DIDResolutionResult } from 'did-resolver'
import { didKeyOf } from '../../../src/identity/did-local.ts'
import { openDids } from '../../../src/identity/dids.ts'
import { publicKeyFromJwk } from '../../../src/identity/key-material.ts'
import { type DereferencingOptions, openDereferencing } from '../../../src/identity/resolution/dereference.ts'
import { openResolution } from '../../../src/identity/resolution/resolve.ts'
import type { ErrorName } from '../../../src/identity/resolution/result.ts'

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const didKey = didKeyOf(publicKeyFromJwk(publicKey.export({ format: 'jwk' })))
const ethr = `did:ethr:0x1:0x${'ab'.repeat(20)}`
const gone = `did:ethr:0x1:0x${'cd'.repeat(20)}`
const clock = { now: () => Date.parse('2025-01-01T00:00:00Z') }
const dids = openDids({
  ...{ chainId: 1, clock, web: { lookup: async () => [] } },
  replica: {
    events: address =>
      gone.endsWith(address)
        ? [{ kind: 'owner', owner: `0x${'0'.repeat(40)}`, block: 7, timestamp: Date.parse('2024-06-01T00:00:00Z') }]
        : [],
  },
})
const resolve = openResolution(dids)
const typeOf = (name: ErrorName) => `https://www.w3.org/ns/did#${name}`

describe('the DID Resolution Algorithm', () => {
  it.each<[string, Record<string, unknown>, ErrorName]>([
    ['not-a-did', {}, 'INVALID_DID'],
    ['did:example', {}, 'INVALID_DID'],
    ['did:Example:123', {}, 'INVALID_DID'],
    [`${didKey}#key`, {}, 'INVALID_DID'],
    [`${didKey}?versionTime=2024-01-01T00:00:00Z`, {}, 'INVALID_DID'],
    [`did:example:${'1'.repeat(3_000)}`, {}, 'INVALID_DID'],
    ['did:unsupported:123456789abcdefghi', {}, 'METHOD_NOT_SUPPORTED'],
    ['did:key:zzz', {}, 'INVALID_DID'],
    ['did:webvh:x:example.com', {}, 'INVALID_DID'],
    ['did:web:..', {}, 'INVALID_DID'],
    [`did:ethr:0x7:0x${'ab'.repeat(20)}`, {}, 'NOT_FOUND'],
    ['did:web:example.com', {}, 'INTERNAL_ERROR'],
    [didKey, { option1: 'value1' }, 'FEATURE_NOT_SUPPORTED'],
    [didKey, { service: 'files' }, 'FEATURE_NOT_SUPPORTED'],
    [didKey, { versionId: '1' }, 'FEATURE_NOT_SUPPORTED'],
    [didKey, { versionNumber: '1' }, 'FEATURE_NOT_SUPPORTED'],
    ['did:web:example.com', { versionTime: '2024-01-01T00:00:00Z' }, 'FEATURE_NOT_SUPPORTED'],
    ['did:web:example.com', { noCache: 'true' }, 'FEATURE_NOT_SUPPORTED'],
    ['did:webvh:x:example.com', { noCache: true }, 'FEATURE_NOT_SUPPORTED'],
    [didKey, { noCache: 'yes' }, 'INVALID_OPTIONS'],
    [didKey, { expandRelativeUrls: 1 }, 'INVALID_OPTIONS'],
    [ethr, { versionId: 7 }, 'INVALID_OPTIONS'],
    [ethr, { versionTime: 'yesterday' }, 'INVALID_OPTIONS'],
    [ethr, { versionTime: '2024-01-01' }, 'INVALID_OPTIONS'],
    [ethr, { versionTime: '2024-01-01T00:00:00Z', versionId: '7' }, 'INVALID_OPTIONS'],
  ])('tells what is wrong with %s and %p: %p comes third', async (did, options, name) => {
    const { didResolutionMetadata, didDocument, didDocumentMetadata } = await resolve(did, options)
    expect([didDocument, didDocumentMetadata]).toEqual([null, {}])
    const { error } = didResolutionMetadata
    expect(error).toMatchObject({ type: typeOf(name) })
    expect([typeof error?.title, typeof error?.detail]).toEqual(['string', 'string'])
  })

  it('answers the document with its media type, and without a context as application/did+json', async () => {
    const whole = await resolve(didKey, { noCache: 'true' })
    expect(whole.didResolutionMetadata).toEqual({ contentType: 'application/did' })
    expect(whole.didDocument).toMatchObject({ '@context': expect.any(Array), id: didKey })
    const plain = await resolve(didKey, {}, 'application/did+json')
    expect(plain.didDocument).not.toHaveProperty('@context')
    expect(plain.didResolutionMetadata.contentType).toBe('application/did+json')
  })

  it('answers no document of a deactivated DID, but its version', async () => {
    const now = await resolve(gone, {})
    expect([now.didDocument, now.didDocumentMetadata['deactivated']]).toEqual([null, true])
    const then = await resolve(gone, { versionTime: '2024-01-01T00:00:00Z' })
    expect(then.didDocument?.['id']).toBe(gone)
  })

  it('tells that a replica which is behind knows nothing now', async () => {
    const { Refusal } = await import('../../../src/kernel/refusal.ts')
    const stale = openResolution({
      resolve: () => Promise.reject(new Refusal('unavailable', 'chain_stale', 'The chain cannot be followed.')),
    })
    const { error } = (await stale(ethr, {})).didResolutionMetadata
    expect(error).toMatchObject({ type: typeOf('INTERNAL_ERROR'), code: 'chain_stale' })
    const broken = openResolution({ resolve: () => Promise.reject(new TypeError('x')) })
    await expect(broken(ethr, {})).rejects.toThrow('x')
  })
})

/** The document of the examples in section "DID URL Dereferencing", and services of more kinds. */
const did = 'did:web:example.com'
const document = {
  '@context': ['https://www.w3.org/ns/did/v1.1'],
  id: did,
  verificationMethod: [{ id: '#keys-1', type: 'Multikey', controller: did, publicKeyMultibase: 'z6MkmM42' }],
  authentication: ['#keys-1'],
  assertionMethod: [{ id: `${did}#keys-2`, type: 'Multikey', controller: did, publicKeyMultibase: 'z6MkmM42' }],
  service: [
    { id: '#messages', type: 'DIDCommMessaging', serviceEndpoint: 'https://example.com/messages/8377464' },
    {
      id: `${did}#linkedvp`,
      type: ['LinkedVerifiablePresentation', 'X'],
      serviceEndpoint: ['https://a.example/vp', {}],
    },
    { id: '#map', type: 'Map', serviceEndpoint: { uri: 'https://example.com/' } },
    { id: '#script', type: 'Script', serviceEndpoint: 'javascript:alert(1)' },
    { id: '#own', type: 'Own', serviceEndpoint: 'https://example.com/page#top' },
  ],
} as unknown as DIDDocument
const metadata = { updated: '2024-01-01T00:00:00Z' }
const asDids = (held: DIDDocument) => ({
  resolve: async (): Promise<DIDResolutionResult> => ({
    ...{ didResolutionMetadata: {}, didDocument: { ...held }, didDocumentMetadata: metadata },
  }),
})
const dereference = openDereferencing(openResolution(asDids(document)))
const at = (rest: string, wanted: Partial<DereferencingOptions> = {}) =>
  dereference(`${did}${rest}`, { options: {}, ...wanted })
const listed = { accept: 'text/uri-list' } as const

describe('the DID URL Dereferencing Algorithm', () => {
  it('gives the document of a DID alone', async () => {
    const { dereferencingMetadata, contentStream, content, contentMetadata } = await at('')
    expect(contentStream).toEqual(document)
    expect([dereferencingMetadata, contentMetadata]).toEqual([{ contentType: 'application/did' }, metadata])
    expect(content).toBe(contentStream)
  })

  it('gives a verification method under its fragment, with the context of the document', async () => {
    const method = { '@context': document['@context'], ...document.verificationMethod?.[0] }
    expect((await at('#keys-1')).contentStream).toEqual(method)
    expect((await at('#keys-2')).contentStream).toMatchObject({ id: `${did}#keys-2` })
    expect((await at('#messages')).contentStream).toMatchObject({ type: 'DIDCommMessaging' })
  })

  it('gives a method for the relationship that it stands in only (verificationRelationship)', async () => {
    const as = (name: string, fragment = '#keys-1') => at(fragment, { options: { verificationRelationship: name } })
    expect((await as('authentication')).contentStream).toMatchObject({ id: '#keys-1' })
    expect((await as('assertionMethod', '#keys-2')).contentStream).toMatchObject({ id: `${did}#keys-2` })
    const errorOf = async (result: ReturnType<typeof at>) => (await result).dereferencingMetadata.error?.type
    const relationship = 'https://w3id.org/security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD'
    expect(await errorOf(as('assertionMethod'))).toBe(relationship)
    expect(await errorOf(as('keyAgreement'))).toBe(relationship)
    const method = 'https://w3id.org/security#INVALID_VERIFICATION_METHOD'
    expect(await errorOf(as('authentication', '#messages'))).toBe(method)
    expect(await errorOf(as('authentication', ''))).toBe(method)
    expect(await errorOf(as('service'))).toBe(typeOf('INVALID_OPTIONS'))
  })

  it('gives the document with the selected services alone', async () => {
    const servicesAt = async (rest: string) => {
      const { contentStream } = await at(rest, { accept: 'application/did' })
      return (contentStream as DIDDocument).service?.map(({ id }) => id)
    }
    expect(await servicesAt('?service=messages')).toEqual(['#messages'])
    expect(await servicesAt('?service=%23messages')).toEqual(['#messages'])
    expect(await servicesAt(`?service=${encodeURIComponent(`${did}#linkedvp`)}`)).toEqual([`${did}#linkedvp`])
    expect(await servicesAt('?serviceType=LinkedVerifiablePresentation')).toEqual([`${did}#linkedvp`])
    expect(await servicesAt('?service=messages&serviceType=Map')).toEqual([])
    expect(await servicesAt('?service=messages&relativeRef=%2Fx')).toEqual(['#messages'])
  })

  it('gives the URL of a service, its relative reference resolved by RFC 3986 and its fragment kept', async () => {
    const urlAt = async (rest: string, wanted: Partial<DereferencingOptions> = listed) => {
      const { contentStream, dereferencingMetadata } = await at(rest, wanted)
      expect(dereferencingMetadata).toEqual({ contentType: 'text/uri-list' })
      return contentStream
    }
    expect(await urlAt('?service=messages')).toBe('https://example.com/messages/8377464')
    expect(await urlAt('?service=messages&relativeRef=%2Fsome%2Fpath%3Fquery#frag')).toBe(
      'https://example.com/some/path?query#frag',
    )
    expect(await urlAt('?service=messages&relativeRef=other')).toBe('https://example.com/messages/other')
    expect(await urlAt('?service=messages&relativeRef=other', {})).toBe('https://example.com/messages/other')
    expect(await urlAt('?service=linkedvp')).toBe('https://a.example/vp')
    expect((await at('?service=own#x', listed)).dereferencingMetadata.error?.type).toBe(typeOf('INVALID_DID_URL'))
  })

  it.each<[string, Partial<DereferencingOptions>, ErrorName]>([
    ['?service=a&service=b', {}, 'INVALID_DID_URL'],
    ['?versionId=1&versionId=2', {}, 'INVALID_DID_URL'],
    ['#a b', {}, 'INVALID_DID_URL'],
    ['?versionId=1', { options: { versionId: '2' } }, 'INVALID_OPTIONS'],
    ['#nothing', {}, 'NOT_FOUND'],
    ['?transformKey=JsonWebKey', {}, 'NOT_FOUND'],
    ['?service=messages&other=1', {}, 'NOT_FOUND'],
    ['/custom/path', {}, 'NOT_FOUND'],
    ['/whois', listed, 'NOT_FOUND'],
    ['?service=none', listed, 'NOT_FOUND'],
    ['?service=map', listed, 'NOT_FOUND'],
    ['?service=script', listed, 'NOT_FOUND'],
    ['', listed, 'REPRESENTATION_NOT_SUPPORTED'],
    ['#keys-1', listed, 'REPRESENTATION_NOT_SUPPORTED'],
  ])('refuses %s with %p: %p comes third', async (rest, wanted, name) => {
    const { dereferencingMetadata, contentStream, contentMetadata } = await at(rest, wanted)
    expect(dereferencingMetadata.error?.type).toBe(typeOf(name))
    expect([contentStream, contentMetadata]).toEqual([null, {}])
  })

  it('hands on why the DID does not resolve', async () => {
    const found = await openDereferencing(resolve)('did:example:1#x', { options: {} })
    expect(found.dereferencingMetadata.error?.type).toBe(typeOf('METHOD_NOT_SUPPORTED'))
    const ended = await openDereferencing(resolve)(`${gone}#controller`, { options: {} })
    expect([ended.contentStream, ended.contentMetadata['deactivated']]).toEqual([null, true])
  })

  it('makes relative DID URLs absolute where that is asked for (expandRelativeUrls)', async () => {
    const { contentStream } = await at('', { options: { expandRelativeUrls: 'true' } })
    const expanded = contentStream as DIDDocument
    expect(expanded.verificationMethod?.[0]?.id).toBe(`${did}#keys-1`)
    expect(expanded.authentication).toEqual([`${did}#keys-1`])
    expect(expanded.service?.[0]?.id).toBe(`${did}#messages`)
  })
})

describe('paths of a did:webvh', () => {
  const webvh = 'did:webvh:QmUbTyW8QGNWxWJonYpeMs8vToktBYxzhk6cgJV9JYzfwo:example.com'
  const urlAt = async (
    rest: string,
    service: unknown[] = [],
    wanted: Partial<DereferencingOptions> = listed,
    name = webvh,
  ) => {
    const held = { id: name, service } as unknown as DIDDocument
    const found = await openDereferencing(openResolution(asDids(held)))(`${name}${rest}`, { options: {}, ...wanted })
    return found.contentStream ?? found.dereferencingMetadata.error?.type
  }

  it('lead to its place in the web by the implicit services (DID URL Path Resolution, WHOIS Resolution)', async () => {
    expect(await urlAt('/governance/issuers.json')).toBe('https://example.com/governance/issuers.json')
    expect(await urlAt('/whois')).toBe('https://example.com/whois.vp')
    expect(await urlAt('/a.pdf', [], listed, `${webvh}:dids:issuer`)).toBe('https://example.com/dids/issuer/a.pdf')
    expect(await urlAt('/a.pdf#page', [], {})).toBe('https://example.com/a.pdf#page')
  })

  it('lead where the services of the document say, before the implicit ones', async () => {
    const files = { id: '#files', type: 'relativeRef', serviceEndpoint: 'https://files.example/x/' }
    const whois = {
      id: `${webvh}#whois`,
      type: 'LinkedVerifiablePresentation',
      serviceEndpoint: 'https://w.example/vp',
    }
    expect(await urlAt('/a.pdf', [files])).toBe('https://files.example/x/a.pdf')
    expect(await urlAt('/whois', [files, whois])).toBe('https://w.example/vp')
    expect(await urlAt('/whois', [{ ...whois, serviceEndpoint: 'ftp://w.example/vp' }])).toBe(typeOf('INVALID_DID'))
  })

  it('do not lead out of it, and have no document', async () => {
    for (const path of ['/../x', '/a/%2e%2e/%2E%2E/x', '/./x']) {
      expect(await urlAt(path)).toBe(typeOf('INVALID_DID_URL'))
    }
    const asked = await urlAt('/a.json', [], { accept: 'application/did' })
    expect(asked).toBe(typeOf('REPRESENTATION_NOT_SUPPORTED'))
    expect(await urlAt('/a.json?x=y')).toBe(typeOf('NOT_FOUND'))
  })
})
