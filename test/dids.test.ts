import { createPublicKey, verify } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { resolveDIDFromLog } from 'didwebvh-ts'
import { killNode, type Started, startService, temporaryFolder } from './service.ts'

/** An agency as resolvers of others meet it: the HTTP(S) binding of W3C DID Resolution, and its own did:webvh. */

type Body = Record<string, unknown>
type Metadata = Record<string, unknown> & {
  contentType?: string
  error?: { type: string; title: string; code?: string }
}
type Resolved = { didResolutionMetadata: Metadata; didDocument: Body | null; didDocumentMetadata: Metadata }
type Dereferenced = { dereferencingMetadata: Metadata; contentStream: unknown; content: unknown; contentMetadata: Body }

const resolutionType = 'application/did-resolution'
const dereferencingType = 'application/did-url-dereferencing'
const name = 'office'
const folder = temporaryFolder()
let service: Started
let ports: number[] = []
let own = { ethr: '', web: '', webvh: '' }
const didKey = 'did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG'
const fragment = didKey.slice('did:key:'.length)

const freePort = (): Promise<number> =>
  new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })

const endpoint = () => `${service.url}/${name}/1.0/identifiers`
const get = (rest: string, accept = resolutionType): Promise<Response> =>
  fetch(`${endpoint()}/${rest}`, { headers: { accept }, redirect: 'manual' })
const typeOf = (answer: Response) => answer.headers.get('content-type')
const resolved = async (answer: Response) => (await answer.json()) as Resolved
const errorOf = async (answer: Response) => {
  const { didResolutionMetadata, didDocument, didDocumentMetadata } = await resolved(answer)
  expect([didDocument, didDocumentMetadata]).toEqual([null, {}])
  return didResolutionMetadata.error?.type.replace('https://www.w3.org/ns/did#', '')
}

const start = (port: number): Promise<Started> => {
  const file = join(folder.path, `${name}.yml`)
  const origins = ports.map(each => `http://localhost:${each}`).join(', ')
  writeFileSync(file, `name: ${name}\ntitle: Office\nplugins: [credentials]\nallowedHttpOrigins: [${origins}]\n`)
  return startService({ dataDir: join(folder.path, 'data'), agencies: [file], port })
}

const documentNames = async () => {
  const document = (await (await fetch(`${service.url}/${name}/did.json`)).json()) as {
    id: string
    alsoKnownAs: string[]
  }
  const of = (method: string) => document.alsoKnownAs.find(each => each.startsWith(`did:${method}:`)) ?? ''
  return { ethr: of('ethr'), web: document.id, webvh: of('webvh') }
}

beforeAll(async () => {
  ports = [await freePort(), await freePort()]
  service = await start(ports[0] as number)
  own = await documentNames()
}, 90_000)
afterAll(async () => {
  await service?.stop()
  killNode(join(folder.path, 'data'))
  folder.remove()
})

/** What the DID Resolution test suite (w3c-ccg/did-resolution-mocha-test-suite) asks, section by section. */
describe('DID Resolution over HTTP', () => {
  const each = ['ethr', 'web', 'webvh', 'key'] as const
  const didOf = (method: (typeof each)[number]) => (method === 'key' ? didKey : own[method])

  it.each(each)('answers a did:%s with a result, encoded in the path or not (HTTP(S) Binding)', async method => {
    const did = didOf(method)
    for (const path of [did, encodeURIComponent(did)]) {
      const answer = await get(path)
      expect([answer.status, typeOf(answer)]).toEqual([200, resolutionType])
      const { didDocument, didResolutionMetadata } = await resolved(answer)
      expect(didDocument?.['id']).toBe(did)
      expect(didResolutionMetadata.error).toBeUndefined()
      expect(typeOf(answer)).toContain(didResolutionMetadata.contentType)
    }
  })

  it('answers the document alone under the media type that is asked for', async () => {
    for (const type of ['application/did', 'application/did+ld+json', 'application/did+json']) {
      const answer = await get(didKey, type)
      expect([answer.status, typeOf(answer)]).toEqual([200, type])
      const document = (await answer.json()) as Body
      expect(document['id']).toBe(didKey)
      expect('@context' in document).toBe(type !== 'application/did+json')
    }
    const weighed = await get(didKey, 'text/html, application/did;q=0.5, */*;q=0.1')
    expect(typeOf(weighed)).toBe('application/did')
    expect(typeOf(await get(didKey, '*/*'))).toBe(resolutionType)
    expect(typeOf(await get(didKey, 'application/json'))).toBe('application/json')
  })

  it.each([
    ['not-a-did', 400, 'INVALID_DID'],
    ['did:example', 400, 'INVALID_DID'],
    ['did:unsupported:123456789abcdefghi', 501, 'METHOD_NOT_SUPPORTED'],
    [`did:ethr:0x1:0x${'ab'.repeat(20)}`, 404, 'NOT_FOUND'],
    [`${didKey}?noCache=maybe`, 400, 'INVALID_OPTIONS'],
    [`${didKey}?option1=value1`, 501, 'FEATURE_NOT_SUPPORTED'],
    ['did:web:127.0.0.1?noCache=true', 501, 'FEATURE_NOT_SUPPORTED'],
    ['did:web:127.0.0.1', 404, 'NOT_FOUND'],
    ['did:web:localhost%3A1', 404, 'NOT_FOUND'],
  ])('answers %s with %d %s', async (path, status, error) => {
    const answer = await get(path)
    expect([answer.status, typeOf(answer)]).toEqual([status, resolutionType])
    expect(await errorOf(answer)).toBe(error)
  })

  it('answers 406 for a representation that there is not', async () => {
    const answer = await get(didKey, 'application/x-unsupported')
    expect([answer.status, await errorOf(answer)]).toEqual([406, 'REPRESENTATION_NOT_SUPPORTED'])
  })

  it('answers an error as a result too where the document alone was asked for', async () => {
    const answer = await get('did:unsupported:1', 'application/did')
    expect([answer.status, typeOf(answer), await errorOf(answer)]).toEqual([
      501,
      resolutionType,
      'METHOD_NOT_SUPPORTED',
    ])
  })

  it('tells by Retry-After that a host cannot be had now', async () => {
    const answer = await get(`did:web:localhost%3A${ports[1]}`)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([500, '5'])
    expect(await errorOf(answer)).toBe('INTERNAL_ERROR')
  })

  it('gives versions by options in the query and in a body (POST)', async () => {
    const { versionId, versionTime } = (await resolved(await get(own.webvh))).didDocumentMetadata
    const answer = await get(`${encodeURIComponent(own.webvh)}?versionNumber=1`)
    expect((await resolved(answer)).didDocumentMetadata['versionTime']).toBe(versionTime)
    expect((await get(`${own.webvh}?versionId=2-x`)).status).toBe(404)
    const post = (body: string, type = 'application/json', path = own.webvh) =>
      fetch(`${endpoint()}/${path}`, {
        method: 'POST',
        headers: { 'content-type': type, accept: resolutionType },
        body,
      })
    for (const type of ['application/json', resolutionType]) {
      const posted = await post(JSON.stringify({ versionId, expandRelativeUrls: true }), type)
      expect((await resolved(posted)).didDocumentMetadata['versionId']).toBe(versionId)
    }
    expect(await errorOf(await post('{"versionTime":"yesterday"}'))).toBe('INVALID_OPTIONS')
    expect(await errorOf(await post('not json', resolutionType))).toBe('INVALID_OPTIONS')
    expect(await errorOf(await post('{"versionId":"1"}', 'application/json', `${own.webvh}?versionId=1`))).toBe(
      'INVALID_OPTIONS',
    )
    expect(await errorOf(await post('{"other":"1"}'))).toBe('FEATURE_NOT_SUPPORTED')
  })

  it('may be called by pages of any origin', async () => {
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(`${endpoint()}/${didKey}`, {
        method: 'OPTIONS',
        headers: { origin: 'https://wallet.example', 'access-control-request-method': method },
      })
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, '*'])
      expect(answer.headers.get('access-control-allow-methods')).toContain(method)
    }
  })
})

describe('DID URL Dereferencing over HTTP', () => {
  it('answers a verification method with a result, or alone', async () => {
    const answer = await get(encodeURIComponent(`${didKey}#${fragment}`), dereferencingType)
    expect([answer.status, typeOf(answer)]).toEqual([200, dereferencingType])
    const { contentStream, content, dereferencingMetadata, contentMetadata } = (await answer.json()) as Dereferenced
    expect(contentStream).toMatchObject({ id: `${didKey}#${fragment}`, type: 'Multikey' })
    expect([content, contentMetadata]).toEqual([contentStream, {}])
    expect(typeOf(answer)).toContain(dereferencingMetadata.contentType)
    const alone = await get(`${didKey}%23${fragment}`, 'application/did')
    expect([typeOf(alone), ((await alone.json()) as Body)['id']]).toEqual(['application/did', `${didKey}#${fragment}`])
  })

  it('holds a method to its relationship', async () => {
    const url = encodeURIComponent(`${didKey}#${fragment}`)
    const as = async (relationship: string) => {
      const answer = await get(`${url}?verificationRelationship=${relationship}`, dereferencingType)
      const { dereferencingMetadata } = (await answer.json()) as Dereferenced
      return [answer.status, dereferencingMetadata.error?.type]
    }
    expect(await as('authentication')).toEqual([200, undefined])
    const refused = 'https://w3id.org/security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD'
    expect(await as('keyAgreement')).toEqual([500, refused])
  })

  it('sends who asks for it on to the place in the web that a DID URL leads to, and nobody else', async () => {
    for (const type of ['text/uri-list', dereferencingType]) {
      const answer = await get(`${own.webvh}/whois`, type)
      expect([answer.status, await answer.text()]).toEqual([303, ''])
      expect(answer.headers.get('location')).toBe(`${service.url}/${name}/whois.vp`)
    }
    const browser = await get(`${own.webvh}/whois`, 'text/html,*/*;q=0.8')
    expect([browser.status, browser.headers.get('location')]).toEqual([200, null])
    expect(((await browser.json()) as Dereferenced).contentStream).toBe(`${service.url}/${name}/whois.vp`)
    expect((await get(`${own.webvh}/whois`, 'application/did')).status).toBe(406)
    expect((await get(`${own.webvh}/a%2F..%2F..%2Fx`, 'text/uri-list')).status).toBe(400)
  })

  it('takes the parameters of a DID URL from the query of the request too', async () => {
    const raw = await get(`${didKey}?service=files&relativeRef=%2Fresume.pdf`, 'application/did')
    expect([raw.status, ((await raw.json()) as { service: unknown[] }).service]).toEqual([200, []])
    expect((await get(`${didKey}?service=files&relativeRef=%2Fresume.pdf`, 'text/uri-list')).status).toBe(404)
    expect((await get(`${didKey}?service=files&service=agent`, 'text/uri-list')).status).toBe(400)
  })
})

describe('the did:webvh of an agency', () => {
  const verifier = {
    async verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) {
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }
      return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature)
    },
  }
  const logOf = async () => {
    const answer = await fetch(`${service.url}/${name}/did.jsonl`)
    expect([answer.status, typeOf(answer), answer.headers.get('access-control-allow-origin')]).toEqual([
      200,
      'text/jsonl',
      '*',
    ])
    const lines = (await answer.text()).trimEnd().split('\n')
    return lines.map(
      line => JSON.parse(line) as Body & { versionId: string; state: { id: string; alsoKnownAs: string[] } },
    )
  }

  it('is resolved by didwebvh-ts, and names the agency as the chain and the web know it', async () => {
    const log = await logOf()
    expect(log).toHaveLength(1)
    expect(log[0]?.state).toMatchObject({ id: own.webvh, alsoKnownAs: [own.ethr, own.web] })
    const { doc, meta } = await resolveDIDFromLog(log, { verifier, requestedDid: own.webvh })
    expect(doc).toMatchObject(log[0]?.state as object)
    expect(meta).toMatchObject({ portable: true, prerotation: true, deactivated: false })
  })

  it('is the same when many ask at once', async () => {
    const logs = await Promise.all(Array.from({ length: 10 }, logOf))
    expect(new Set(logs.map(log => JSON.stringify(log))).size).toBe(1)
  })

  it('moves with the agency and keeps its history, each entry by the key that the one before announced', async () => {
    const before = await logOf()
    await service.stop()
    service = await start(ports[1] as number)
    const [first, second, ...none] = await logOf()
    expect([first, none]).toEqual([before[0], []])
    const moved = own.webvh.replace(String(ports[0]), String(ports[1]))
    expect(second?.state).toMatchObject({ id: moved, alsoKnownAs: expect.arrayContaining([own.webvh]) })
    const { doc, meta } = await resolveDIDFromLog([first, second], { verifier, requestedDid: moved })
    expect([doc?.id, meta.versionId]).toEqual([moved, second?.versionId])
    expect((await documentNames()).webvh).toBe(moved)
    const answer = await resolved(await get(moved))
    expect([answer.didDocument?.['id'], answer.didDocumentMetadata['versionId']]).toEqual([moved, second?.versionId])
  }, 60_000)
})
