import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { openDids } from '../../../src/identity/dids.ts'
import { openMethods } from '../../../src/identity/foreign/keys.ts'
import { makeLog, makeWitnesses, newKey, versionIds } from './maker.ts'

type Served = { status?: number; body?: Buffer; location?: string; stall?: boolean }

let server: Server
let place = ''
let origin = ''
let now = Date.parse('2025-01-01T00:00:00Z')
const files = new Map<string, Served>()
const asked: string[] = []
const key = newKey()
const method = (did: string) => ({
  verificationMethod: [{ id: `${did}#key`, type: 'Multikey', controller: did, publicKeyMultibase: key.multikey }],
  authentication: [`${did}#key`],
})
const self = () => `did:webvh:{SCID}:${place}:a`

const open = (fixed: object = {}) =>
  openDids({
    chainId: 1,
    replica: { events: () => [] },
    web: { allowedHttpOrigins: [origin], lookup: async () => [{ address: '127.0.0.1', family: 4 }], ...fixed },
    clock: { now: () => now },
  })
let dids: ReturnType<typeof open>

const publish = async (...entries: Parameters<typeof makeLog>[1][]) => {
  const made = await makeLog(`${place}:a`, ...(entries as [Parameters<typeof makeLog>[1]]))
  files.set('/a/did.jsonl', { body: made.log })
  return made
}

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const { status = 200, body, location, stall } = files.get(request.url ?? '') ?? { status: 404 }
    if (stall === true) return
    response.writeHead(status, location === undefined ? {} : { location }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  origin = `http://localhost:${port}`
  place = `localhost%3A${port}`
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
})
beforeEach(() => {
  files.clear()
  asked.length = 0
  now += 24 * 3_600_000
  dids = open()
})

const errorOf = async (did: string, options = {}) => {
  const { didResolutionMetadata, didDocument } = await dids.resolve(did, options)
  expect(didDocument === null).toBe(didResolutionMetadata.error !== undefined)
  return didResolutionMetadata.error
}

describe('resolving a did:webvh', () => {
  it('gives the document of its last version, and what did:webvh 1.0 tells about it', async () => {
    const { did, log } = await publish(
      { key, state: method(self()), parameters: { portable: true, watchers: ['https://w.example'], ttl: 60 } },
      { key, state: { alsoKnownAs: ['https://example.com'] } },
    )
    const { didDocument, didDocumentMetadata, didResolutionMetadata } = await dids.resolve(did)
    expect(didResolutionMetadata.error).toBeUndefined()
    expect(didDocument).toMatchObject({ id: did, alsoKnownAs: ['https://example.com'] })
    expect(didDocumentMetadata).toEqual({
      ...{ versionId: versionIds(log)[1], versionTime: '2024-01-02T00:00:00Z', scid: did.split(':')[2] },
      ...{ created: '2024-01-01T00:00:00Z', updated: '2024-01-02T00:00:00Z' },
      ...{ portable: true, deactivated: false, ttl: '60', watchers: ['https://w.example'] },
    })
  })

  it('gives a version by its id, its number and its time, and no other (Reading did:webvh DID URLs)', async () => {
    const { did, log } = await publish({ key }, { key }, { key })
    const [first = '', second = ''] = versionIds(log)
    const versionOf = async (options: object) => (await dids.resolve(did, options)).didDocumentMetadata.versionId
    expect(await versionOf({ versionId: first })).toBe(first)
    expect(await versionOf({ versionNumber: '2' })).toBe(second)
    expect(await versionOf({ versionTime: '2024-01-02T23:59:59Z' })).toBe(second)
    expect((await dids.resolve(`${did}?versionId=${second}`)).didDocumentMetadata.versionId).toBe(second)
    for (const options of [
      { versionId: '1-x' },
      { versionNumber: '4' },
      { versionTime: '2023-12-31T00:00:00Z' },
      { versionTime: '2099-01-01T00:00:00Z' },
    ]) {
      expect(await errorOf(did, options)).toBe('notFound')
    }
    expect(await errorOf(did, { versionNumber: '0' })).toBe('invalidOptions')
    expect(await errorOf(did, { versionTime: '2024-01-02' })).toBe('invalidOptions')
    expect(await errorOf(did, { versionId: first, versionTime: '2024-01-02T00:00:00Z' })).toBe('invalidOptions')
  })

  it('gives earlier versions where a later entry breaks, and the DID itself not (step 11)', async () => {
    const after = (entry: object) => ({ ...entry, versionTime: '2024-01-02T00:00:01Z' })
    const { did } = await publish({ key, state: method(self()) }, { key, after })
    expect(await errorOf(did)).toBe('invalidDid')
    const { problemDetails } = (await dids.resolve(did)).didResolutionMetadata
    expect(problemDetails).toMatchObject({ code: 'did_log_proof', detail: expect.stringContaining('proof') })
    expect((await dids.resolve(did, { versionNumber: '1' })).didDocument?.id).toBe(did)
    await expect(dids.key(`${did}#key`, 'authentication')).rejects.toMatchObject({ code: 'did_unresolvable' })
  })

  it('gives no document of a deactivated DID, but its versions (Deactivate (Revoke))', async () => {
    const { did } = await publish({ key, state: method(self()) }, { key, parameters: { deactivated: true } })
    const gone = await dids.resolve(did)
    expect([gone.didDocument, gone.didDocumentMetadata.deactivated]).toEqual([null, true])
    const past = await dids.resolve(did, { versionNumber: '1' })
    expect([past.didDocument?.id, past.didDocumentMetadata.deactivated]).toEqual([did, true])
    await expect(dids.key(`${did}#key`, 'authentication')).rejects.toMatchObject({ code: 'did_unresolvable' })
    const then = await dids.key(`${did}#key`, 'authentication', Date.parse('2024-01-01T12:00:00Z'))
    expect(then).toMatchObject({ did, algorithm: 'EdDSA' })
  })

  it('asks for the witnesses where there are some, and fails without them', async () => {
    const witness = newKey()
    const parameters = { witness: { threshold: 1, witnesses: [{ id: witness.did }] } }
    const { did, log } = await publish({ key, parameters })
    expect(await errorOf(did)).toBe('invalidDid')
    expect(asked).toEqual(['/a/did.jsonl', '/a/did-witness.json'])
    now += 10_000
    const [versionId = ''] = versionIds(log)
    files.set('/a/did-witness.json', { body: await makeWitnesses([{ versionId, keys: [witness] }]) })
    const { didDocumentMetadata } = await dids.resolve(did)
    expect(didDocumentMetadata['witness']).toEqual({ threshold: '1', witnesses: [{ id: witness.did }] })
  })

  it('names where a moved DID is now', async () => {
    const moved = `did:webvh:{SCID}:${place}:b`
    const { did } = await publish(
      { key, parameters: { portable: true } },
      { key, state: { id: moved, alsoKnownAs: [self()] } },
    )
    const { didDocument, didDocumentMetadata } = await dids.resolve(did)
    expect(didDocument?.id).toBe(did.replace(/:a$/, ':b'))
    expect(didDocumentMetadata.canonicalId).toBe(didDocument?.id)
  })
})

describe('the log of a did:webvh', () => {
  const scid = 'QmUbTyW8QGNWxWJonYpeMs8vToktBYxzhk6cgJV9JYzfwo'
  const named = () => `did:webvh:${scid}:${place}:a`

  it('is kept for as long as its controller allows, and fetched once at a time', async () => {
    const { did } = await publish({ key, parameters: { ttl: 60 } })
    await Promise.all([dids.resolve(did), dids.resolve(did), dids.resolve(did)])
    now += 59_000
    await dids.resolve(did)
    expect(asked).toHaveLength(1)
    now += 2_000
    await dids.resolve(did)
    expect(asked).toHaveLength(2)
  })

  it('is kept for a few seconds with a ttl of nought, and never for longer than an hour', async () => {
    const { did } = await publish({ key, parameters: { ttl: 0 } })
    await dids.resolve(did)
    await dids.resolve(did)
    expect(asked).toHaveLength(1)
    now += 5_001
    await dids.resolve(did)
    expect(asked).toHaveLength(2)
    const day = await publish({ key, parameters: { ttl: 86_400 } })
    await dids.resolve(day.did)
    now += 3_600_001
    await dids.resolve(day.did)
    expect(asked).toHaveLength(4)
  })

  it('that fails is asked for again a few seconds later', async () => {
    expect(await errorOf(named())).toBe('notFound')
    expect(await errorOf(named())).toBe('notFound')
    expect(asked).toHaveLength(1)
    now += 5_001
    expect(await errorOf(named())).toBe('notFound')
    expect(asked).toHaveLength(2)
  })

  it('of another DID is none of this one', async () => {
    await publish({ key })
    expect(await errorOf(named())).toBe('invalidDid')
    expect(dids.subjectOf(named())).toBe(named())
  })

  it('is not looked for where a redirect leads (Resolver Transport Hardening, 1)', async () => {
    const { did, log } = await publish({ key })
    files.set('/elsewhere', { body: log })
    files.set('/a/did.jsonl', { status: 302, location: '/elsewhere' })
    expect(await errorOf(did)).toBe('internalError')
    expect(asked).toEqual(['/a/did.jsonl'])
  })

  it('is bounded in size and time (Resolver Transport Hardening, 5 and 6)', async () => {
    files.set('/a/did.jsonl', { body: Buffer.alloc(1_100_000, 0x20) })
    expect(await errorOf(named())).toBe('invalidDid')
    files.set('/a/did.jsonl', { stall: true })
    dids = open({ timeoutMs: 50 })
    expect(await errorOf(named())).toBe('internalError')
  })

  it('of a host that fails is not known now', async () => {
    files.set('/a/did.jsonl', { status: 500 })
    expect(await errorOf(named())).toBe('internalError')
    await expect(dids.key(`${named()}#key`, 'authentication')).rejects.toMatchObject({ code: 'did_unavailable' })
  })

  it('is fetched from public hosts only, whatever their names say', async () => {
    const lookup = async () => [{ address: '10.0.0.1', family: 4 }]
    dids = open({ lookup, allowedHttpOrigins: [] })
    expect(await errorOf(`did:webvh:${scid}:example.com`)).toBe('invalidDid')
    expect(await errorOf(named())).toBe('invalidDid')
  })

  it('is fetched a few at a time from one host', async () => {
    files.set('/a/did.jsonl', { stall: true })
    dids = open({ timeoutMs: 300 })
    const errors = await Promise.all(
      Array.from({ length: 8 }, (_, n) => dids.resolve(`did:webvh:${scid}:${place}:a${n === 0 ? '' : `:${n}`}`)),
    )
    const busy = errors.filter(({ didResolutionMetadata: { error } }) => error === 'internalError')
    // One stalls and four are refused for want of a place; of the others there is no log.
    expect([busy.length, asked.length]).toEqual([5, 4])
  })
})

describe('a key of a did:webvh', () => {
  it('verifies what issuers and holders of others sign (Controlled Identifiers 1.0, section 3.3)', async () => {
    const { did } = await publish({ key, state: method(self()) })
    const keyOf = openMethods(dids)
    expect(await keyOf(`${did}#key`, 'authentication')).toMatchObject({ controller: did, algorithm: 'EdDSA' })
    await expect(keyOf(`${did}#key`, 'assertionMethod')).rejects.toMatchObject({ code: 'key_purpose' })
    const [scheme, name, , ...place] = did.split(':')
    const other = [scheme, name, 'QmUbTyW8QGNWxWJonYpeMs8vToktBYxzhk6cgJV9JYzfwo', ...place].join(':')
    await expect(keyOf(`${other}#key`, 'authentication')).rejects.toMatchObject({ code: 'did_unresolvable' })
  })

  it('is the one that its document has for the purpose', async () => {
    const { did } = await publish({ key, state: method(self()) })
    const found = await dids.key(`${did}#key`, 'authentication')
    expect(found).toMatchObject({ kid: `${did}#key`, did, algorithm: 'EdDSA' })
    await expect(dids.key(`${did}#key`, 'assertionMethod')).rejects.toMatchObject({ code: 'key_purpose' })
    await expect(dids.key(`${did}#other`, 'authentication')).rejects.toMatchObject({ code: 'key_unknown' })
    await expect(dids.key('did:webvh:x:y#key', 'authentication')).rejects.toMatchObject({ code: 'did_unresolvable' })
  })

  it('counts for the time it was there, not before and not after', async () => {
    const { did } = await publish({ key }, { key, state: method(self()) }, { key, state: { verificationMethod: [] } })
    const at = (text: string) => dids.key(`${did}#key`, 'authentication', Date.parse(text))
    expect((await at('2024-01-02T12:00:00Z')).did).toBe(did)
    await expect(at('2024-01-01T12:00:00Z')).rejects.toMatchObject({ code: 'key_unknown' })
    await expect(dids.key(`${did}#key`, 'authentication')).rejects.toMatchObject({ code: 'key_unknown' })
  })

  it('is not one that somebody else controls', async () => {
    const state = method(self())
    const [first] = state.verificationMethod
    const { did } = await publish({
      key,
      state: { ...state, verificationMethod: [{ ...first, controller: 'did:web:a.b' }] },
    })
    await expect(dids.key(`${did}#key`, 'authentication')).rejects.toMatchObject({ code: 'key_unknown' })
  })
})
