import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { alsoKnownAsAttribute, type DidEvent, ethrDid, keyAttribute } from '../../src/identity/did-ethr.ts'
import { didJwkOf, didKeyOf } from '../../src/identity/did-local.ts'
import { didWebDocument, didWebFor, didWebUrl } from '../../src/identity/did-web.ts'
import { type Dids, openDids } from '../../src/identity/dids.ts'
import { type PublicKey, publicKeyFromJwk, rawPublicKey } from '../../src/identity/key-material.ts'
import { Refusal } from '../../src/kernel/refusal.ts'

const coded = (code: string) => expect.objectContaining({ code })
const made = (curve: 'P-256' | 'secp256k1' | 'Ed25519' | 'P-384' | 'P-521'): JsonWebKey => {
  const pair = curve === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: curve })
  return pair.publicKey.export({ format: 'jwk' })
}
const key = (curve: 'P-256' | 'secp256k1' | 'Ed25519' | 'P-384' | 'P-521'): PublicKey => publicKeyFromJwk(made(curve))
const jwkDid = (value: unknown) => `did:jwk:${Buffer.from(JSON.stringify(value)).toString('base64url')}`

const chainId = 31_337
const address = `0x${'ab'.repeat(20)}`
const did = ethrDid(chainId, address)

const attribute = (timestamp: number, of: { name: string; value: string }): DidEvent => ({
  kind: 'attribute',
  block: timestamp / 1000,
  timestamp,
  validTo: 10_000_000_000n,
  ...of,
})
const keyEvent = (timestamp: number, of: PublicKey): DidEvent =>
  attribute(timestamp, keyAttribute({ kind: of.kind, publicKeyHex: rawPublicKey(of).toString('hex') }))

describe('did:key and did:jwk', () => {
  const dids = openDids({ chainId, replica: { events: () => [] }, clock: Date })

  it('are read for the four curves, and agree with each other and their documents', async () => {
    for (const curve of ['P-256', 'secp256k1', 'Ed25519', 'P-384', 'P-521'] as const) {
      const own = key(curve)
      const name = didKeyOf(own)
      const kid = `${name}#${name.slice(8)}`
      expect(dids.key(kid, 'authentication')).toMatchObject({ kid, did: name, thumbprint: own.thumbprint })
      expect(dids.key(`${didJwkOf(own)}#0`, 'assertionMethod')).toMatchObject({ jwk: own.jwk })
      expect(dids.subjectOf(name)).toBe(name)
      const { didDocument } = await dids.resolve(name)
      const multikey = { id: kid, type: 'Multikey', publicKeyMultibase: name.slice(8) }
      expect(didDocument?.verificationMethod?.[0]).toMatchObject(multikey)
      const ofJwk = await dids.resolve(didJwkOf(own))
      expect(ofJwk.didDocument?.verificationMethod?.[0]).toMatchObject({ publicKeyJwk: own.jwk })
    }
  })

  it('are read as the examples of their specifications give them', () => {
    const ed = 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
    const p256 = 'did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169'
    const k1 = 'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'
    const algorithms = [ed, p256, k1].map(name => {
      const found = dids.key(`${name}#${name.slice(8)}`, 'assertionMethod')
      return found instanceof Promise ? 'late' : found.algorithm
    })
    expect(algorithms).toEqual(['EdDSA', 'ES256', 'ES256K'])
  })

  it.each([
    'did:key:z6Mk',
    'did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2160',
    'did:key:f6Mkabc',
    `did:key:z${'1'.repeat(500_000)}`,
    `did:key:z${'1'.repeat(48)}`,
    jwkDid({ ...made('P-256'), d: 'AAAA' }),
    jwkDid({ ...made('P-256'), use: 'enc' }),
    jwkDid({ ...made('P-256'), y: 'AAAA' }),
    jwkDid({ kty: 'oct', k: 'AAAA' }),
    jwkDid(null),
    jwkDid('a text that is long enough'),
    'did:jwk:',
    'did:jwk:eyJub3QganNvbiBhdCBhbGw',
    'did:ethr:0x1:0xabababababababababababababababababababab',
    'did:ethr:0xabababababababababababababababababababab',
    'did:ethr:0x7a69:0x1234',
    'did:example:123',
    'did:web',
    '',
  ])('refuses %.60s', async name => {
    expect(() => dids.key(`${name}#0`, 'assertionMethod')).toThrow(coded('did_unresolvable'))
    expect((await dids.resolve(name)).didDocument).toBeNull()
  })

  it('refuses a fragment that the DID does not have, and a DID without one', () => {
    const name = didKeyOf(key('P-256'))
    for (const kid of [name, `${name}#`, `${name}#0`, `${didJwkOf(key('P-256'))}#1`]) {
      expect(() => dids.key(kid, 'assertionMethod')).toThrow(coded('key_unknown'))
    }
  })
})

describe('the errors of DID resolution', () => {
  const dids = openDids({ chainId, replica: { events: () => [] }, clock: Date })
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()

  it.each([
    ['no did', 'invalidDid'],
    ['did:ethr:0x7a69:0x12', 'invalidDid'],
    ['did:key:zzz', 'invalidDid'],
    ['did:web:a%2Fb', 'invalidDid'],
    [`${'did:key:z'.padEnd(5_000, '1')}`, 'invalidDid'],
    ['did:ethr:0x1:0xabababababababababababababababababababab', 'notFound'],
    [`did:ethr:sepolia:${address}`, 'notFound'],
    ['did:example:123', 'methodNotSupported'],
    [`${did}?versionTime=yesterday`, 'invalidDidUrl'],
    [`${did}?versionId=0x10`, 'invalidDidUrl'],
    [`${did}?versionTime=${tomorrow}`, 'notFound'],
    ['did:web:localhost%3A1?versionTime=2020-01-01T00:00:00Z', 'featureNotSupported'],
    ['did:web:localhost%3A1', 'notFound'],
  ])('say of %.60s that it is %s', async (name, error) => {
    const result = await dids.resolve(name)
    expect(result.didResolutionMetadata.error).toBe(error)
    expect(result).toMatchObject({ didDocument: null, didDocumentMetadata: {} })
  })

  it('refuse a representation that there is none of, and leave the context out of plain JSON', async () => {
    const wanted = await dids.resolve(did, { accept: 'text/html' })
    expect(wanted.didResolutionMetadata.error).toBe('representationNotSupported')
    const plain = await dids.resolve(did, { accept: 'application/did+json' })
    expect(plain.didDocument).not.toHaveProperty('@context')
    expect(plain.didResolutionMetadata.contentType).toBe('application/did+json')
  })

  it('are not what a stale replica gives: nothing is said at all', async () => {
    const stale = () => {
      throw new Refusal('unavailable', 'did_unavailable', 'The replica is behind.')
    }
    const behind = openDids({ chainId, replica: { events: () => [], assertFresh: stale }, clock: Date })
    await expect(behind.resolve(did)).rejects.toEqual(coded('did_unavailable'))
    expect(() => behind.key(`${did}#delegate-1`, 'assertionMethod')).toThrow(coded('did_unavailable'))
  })
})

describe('the keys of a did:ethr', () => {
  it('are for what they were registered for, and the controller of a chain account is none', () => {
    const events = [keyEvent(1_000_000, key('P-256')), keyEvent(2_000_000, key('Ed25519'))]
    const dids = openDids({ chainId, replica: { events: () => events }, clock: Date })
    expect(dids.key(`${did}#delegate-1`, 'authentication')).toMatchObject({ algorithm: 'ES256' })
    expect(dids.key(`${did}#delegate-2`, 'assertionMethod')).toMatchObject({ algorithm: 'EdDSA' })
    expect(() => dids.key(`${did}#delegate-2`, 'authentication')).toThrow(coded('key_purpose'))
    expect(() => dids.key(`${did}#controller`, 'assertionMethod')).toThrow(coded('key_unknown'))
    expect(() => dids.key(`${did}#delegate-3`, 'assertionMethod')).toThrow(coded('key_unknown'))
  })

  it('lose their number when they are set again', () => {
    const own = key('P-256')
    const events = [keyEvent(1_000_000, own), keyEvent(2_000_000, own)]
    const dids = openDids({ chainId, replica: { events: () => events }, clock: Date })
    expect(() => dids.key(`${did}#delegate-1`, 'assertionMethod')).toThrow(coded('key_expired'))
    expect(dids.key(`${did}#delegate-1`, 'assertionMethod', 1_500_000)).toMatchObject({ validUntil: 1_999_999 })
    expect(dids.key(`${did}#delegate-2`, 'assertionMethod')).toMatchObject({ validFrom: 2_000_000 })
  })

  it('are held until something changes, and forgotten as a whole after a reorganisation', () => {
    let reads = 0
    let events = [keyEvent(1_000_000, key('P-256'))]
    const replica = {
      events: () => {
        reads += 1
        return events
      },
    }
    const dids = openDids({ chainId, replica, clock: Date })
    const kid = `${did}#delegate-1`
    for (let turn = 0; turn < 100; turn += 1) dids.key(kid, 'assertionMethod')
    expect(reads).toBe(1)
    events = []
    dids.changed(`0x${'cd'.repeat(20)}`)
    expect(dids.key(kid, 'assertionMethod')).toMatchObject({ kid })
    dids.changed(address.toUpperCase().replace('0X', '0x'))
    expect(() => dids.key(kid, 'assertionMethod')).toThrow(coded('key_unknown'))
    events = [keyEvent(1_000_000, key('P-256'))]
    dids.changed()
    expect(dids.key(kid, 'assertionMethod')).toMatchObject({ kid })
  })

  it('ignore attributes that are no keys, and points that are on no curve', async () => {
    const bad = keyAttribute({ kind: 'P-256', publicKeyHex: `02${'ff'.repeat(32)}` })
    const short = keyAttribute({ kind: 'Ed25519', publicKeyHex: 'abcd' })
    const noText = { name: `0x${'ff'.repeat(32)}`, value: '0x' }
    const events = [attribute(1_000, bad), attribute(2_000, short), attribute(3_000, noText)]
    const dids = openDids({ chainId, replica: { events: () => events }, clock: Date })
    expect(() => dids.key(`${did}#delegate-1`, 'assertionMethod')).toThrow(coded('key_unknown'))
    const { didDocument } = await dids.resolve(did)
    expect(didDocument?.verificationMethod?.filter(method => 'publicKeyJwk' in method)).toEqual([])
  })
})

describe('did:web', () => {
  let server: Server
  let web: string
  let dids: Dids
  let now = 5_000_000
  const own = key('P-256')
  const events: DidEvent[] = []
  const documents = new Map<string, unknown>()
  const named = (path: string) => `${web}:${path}`
  const publish = async (name: string, change: object = {}) => {
    const { didDocument } = await dids.resolve(did)
    const document = didWebDocument({ did: name, ethr: didDocument as NonNullable<typeof didDocument> })
    documents.set(new URL(didWebUrl(name)).pathname, { ...document, ...change })
    now += 120_000
  }

  beforeAll(async () => {
    server = createServer((request, response) => {
      const document = documents.get(request.url ?? '')
      response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const origin = `http://localhost:${(server.address() as AddressInfo).port}`
    web = didWebFor(`${origin}/`)
    dids = openDids({
      chainId,
      replica: { events: () => events },
      web: { allowedHttpOrigins: [origin], lookup: async () => [{ address: '127.0.0.1', family: 4 }] },
      clock: { now: () => now },
    })
    events.push(keyEvent(1_000_000, own))
    for (const name of ['good', 'other-key', 'other-id']) {
      events.push(attribute(2_000_000, alsoKnownAsAttribute(named(name))))
    }
    dids.changed()
    await publish(named('good'))
  })
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })

  it('is named after its URL, and found under it', () => {
    expect(didWebFor('https://agency.example/')).toBe('did:web:agency.example')
    expect(didWebFor('http://localhost:3000/transport-authority')).toBe('did:web:localhost%3A3000:transport-authority')
    expect(didWebUrl('did:web:Agency.example')).toBe('https://agency.example/.well-known/did.json')
    expect(didWebUrl('did:web:localhost%3A3000:a', ['http://localhost:3000'])).toBe('http://localhost:3000/a/did.json')
  })

  it.each([
    'did:web:',
    'did:web:..',
    'did:web:a:..:b',
    'did:web:a::b',
    'did:web:a%2Fb',
    'did:web:user@a',
    'did:web:a:b?c',
  ])('is refused as %s', name => {
    const refused = coded('did_unresolvable')
    expect(() => didWebUrl(name)).toThrow(refused)
    expect(() => didWebUrl(`${name}:../../x`)).toThrow(refused)
  })

  it('counts as its did:ethr while each names the other', async () => {
    expect(await dids.subjectOf(named('good'))).toBe(did)
    const found = await dids.key(`${named('good')}#delegate-1`, 'assertionMethod')
    expect(found).toMatchObject({ did, thumbprint: own.thumbprint, kid: `${named('good')}#delegate-1` })
  })

  it('does not count when only it names the did:ethr', async () => {
    await publish(named('boaster'))
    expect(await dids.subjectOf(named('boaster'))).toBe(named('boaster'))
    await expect(dids.key(`${named('boaster')}#delegate-1`, 'assertionMethod')).rejects.toEqual(
      coded('did_unresolvable'),
    )
  })

  it('does not count when only the did:ethr names it', async () => {
    await publish(named('good'), { alsoKnownAs: [] })
    expect(await dids.subjectOf(named('good'))).toBe(named('good'))
    await publish(named('good'))
  })

  it('brings no keys that the did:ethr does not have', async () => {
    const id = `${named('other-key')}#delegate-1`
    const stranger = { id, type: 'JsonWebKey2020', controller: named('other-key'), publicKeyJwk: key('P-256').jwk }
    await publish(named('other-key'), { verificationMethod: [stranger] })
    await expect(dids.key(id, 'assertionMethod')).rejects.toEqual(coded('key_unknown'))
    await expect(dids.key(`${named('other-key')}#else`, 'assertionMethod')).rejects.toEqual(coded('key_unknown'))
  })

  it('loses a key with the did:ethr, though its own document still has it', async () => {
    const { name, value } = keyAttribute({ kind: 'P-256', publicKeyHex: rawPublicKey(own).toString('hex') })
    events.push({ kind: 'attribute', block: 3_000, timestamp: 3_000_000, name, value, validTo: 0n })
    dids.changed(address)
    const kid = `${named('good')}#delegate-1`
    await expect(dids.key(kid, 'assertionMethod')).rejects.toEqual(coded('key_expired'))
    expect(await dids.key(kid, 'assertionMethod', 2_500_000)).toMatchObject({ kid })
    events.pop()
    dids.changed(address)
  })

  it('is refused with a document of another DID, none at all, or a malformed one', async () => {
    await publish(named('other-id'), { id: did })
    for (const [path, document] of [
      ['/list/did.json', []],
      ['/keys/did.json', { id: named('keys'), verificationMethod: [null] }],
      ['/names/did.json', { id: named('names'), alsoKnownAs: 'x' }],
    ] as const) {
      documents.set(path, document)
    }
    for (const name of ['other-id', 'list', 'keys', 'names']) {
      await expect(dids.subjectOf(named(name))).rejects.toEqual(coded('did_unresolvable'))
      expect((await dids.resolve(named(name))).didResolutionMetadata.error).toBe('notFound')
    }
    await expect(dids.subjectOf(named('missing'))).rejects.toEqual(coded('did_unavailable'))
    expect((await dids.resolve(named('missing'))).didResolutionMetadata.error).toBe('notFound')
  })

  it('is refused with a document nested so deep that it could not be written out again', async () => {
    const value = JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) as unknown
    documents.set('/deep/did.json', { id: named('deep'), value })
    expect((await dids.resolve(named('deep'))).didResolutionMetadata.error).toBe('notFound')
  })

  it('is fetched from a few hosts at once only, however many are asked for', async () => {
    let lookups = 0
    const lookup = async () => {
      lookups += 1
      await new Promise(done => setTimeout(done, 50))
      return []
    }
    const asked = openDids({ chainId, replica: { events: () => [] }, web: { lookup }, clock: Date })
    const names = Array.from({ length: 100 }, (_, n) => `did:web:host-${n}.example`)
    const answers = await Promise.all(names.map(name => asked.resolve(name)))
    expect(lookups).toBe(32)
    expect(new Set(answers.map(answer => answer.didResolutionMetadata.error))).toEqual(new Set(['internalError']))
    await asked.resolve('did:web:another.example')
    expect(lookups).toBe(33)
  })

  it('is refused on every host but the public and the configured', async () => {
    for (const name of [
      'did:web:127.0.0.1',
      'did:web:169.254.169.254:latest',
      'did:web:2130706433',
      'did:web:internal',
    ]) {
      await expect(dids.subjectOf(name)).rejects.toEqual(coded('did_unresolvable'))
    }
  })
})
