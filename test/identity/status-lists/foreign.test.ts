import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { openJws, sealJws, signatureHolds, toDateTime } from '../../../src/identity/formats/jose.ts'
import {
  bitstringOf,
  compressBitstring,
  readBitstringEntry,
  standingOf,
} from '../../../src/identity/status-lists/bitstring.ts'
import { ByteCache, maxAgeMs } from '../../../src/identity/status-lists/cache.ts'
import { pack, unpack } from '../../../src/identity/status-lists/compression.ts'
import {
  type ForeignListNeeds,
  openForeignLists,
  type SecuredList,
} from '../../../src/identity/status-lists/foreign.ts'
import { openPublishedLists } from '../../../src/identity/status-lists/published.ts'
import {
  type ListDraft,
  type OpenedListToken,
  packStatuses,
  readTokenReference,
  sealListCwt,
  sealListJwt,
} from '../../../src/identity/status-lists/token.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { codeOf, type Json } from '../sd-jwt/parts.ts'
import { addressOf, agencyParty, chain, openWorld, type Party, registry, signBytes } from '../world.ts'

const issuer = agencyParty(`0x${'77'.repeat(20)}`)
const stranger = agencyParty(`0x${'88'.repeat(20)}`)
const signer = (party: Party) => async (_algorithm: string, input: Uint8Array) => signBytes(party, input)
const of = { issuer: issuer.did }

type Answer = (response: ServerResponse, path: string) => unknown

/** A host of lists on this machine: what it answers by path, and what it was asked. */
class Host {
  readonly answers = new Map<string, Answer>()
  asked: { path: string; accept: string | undefined }[] = []
  #server: Server | undefined
  origin = ''

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      const path = request.url ?? ''
      this.asked.push({ path, accept: request.headers.accept })
      const answer = this.answers.get(path)
      if (answer === undefined) response.writeHead(404).end()
      else answer(response, path)
    })
    await new Promise<void>(resolve => this.#server?.listen(0, '127.0.0.1', resolve))
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise(resolve => this.#server?.close(resolve))
  }

  serve(path: string, contentType: string, body: string | Uint8Array, headers: Record<string, string> = {}): string {
    this.answers.set(path, response => response.writeHead(200, { 'content-type': contentType, ...headers }).end(body))
    return `${this.origin}${path}`
  }
}

let host: Host
let clock: { time: number; now(): number }

beforeEach(async () => {
  host = new Host()
  await host.start()
  clock = { time: 1_700_000_000_000, now: () => clock.time }
})
afterEach(() => host.stop())

const parties = [issuer, stranger]

/** The key that a token names by its kid. */
const verifyListToken = async ({ signature }: OpenedListToken) => {
  const party = parties.find(each => each.kid === signature.kid)
  if (party === undefined) throw new Refusal('rejected', 'key_unknown', 'There is no such key.')
  if (await signature.holds(party)) return { issuer: party.did }
  throw new Refusal('rejected', 'signature_invalid', 'The signature does not fit.')
}

const verifyListCredential = async ({ body, contentType }: SecuredList) => {
  if (contentType !== 'application/vc+jwt') throw new Refusal('malformed', 'credential_malformed', 'No vc+jwt.')
  const { signed, payload } = openJws(body.toString())
  const party = parties.find(each => each.kid === signed.header.kid)
  if (party === undefined || !(await signatureHolds(signed, party))) {
    throw new Refusal('rejected', 'signature_invalid', 'The signature does not fit.')
  }
  return { issuer: party.did, document: payload }
}

const open = (change: Partial<ForeignListNeeds> = {}) =>
  openForeignLists({
    clock,
    ...{ verifyListToken, verifyListCredential },
    fetchBounds: { allowedHttpOrigins: [host.origin], timeoutMs: 300 },
    ...change,
  })

const statuses = [
  { index: 3, status: 1 },
  { index: 4, status: 2 },
]
const list = packStatuses({ bits: 2, entries: 100, statuses })
const draftOf = (path: string, change: Partial<ListDraft> = {}): ListDraft => ({
  ...{ uri: `${host.origin}${path}`, issuer: issuer.did, issuedAt: clock.time, expiresAt: clock.time + 600_000 },
  ...{ ttlMs: 60_000, list },
  ...change,
})

const jwtType = 'application/statuslist+jwt'
const serveToken = async (path = '/t', change: Partial<ListDraft> = {}, by = issuer, headers = {}) => {
  const token = await sealListJwt(draftOf(path, change), { algorithm: 'ES256', kid: by.kid }, signer(by))
  return host.serve(path, jwtType, token, headers)
}

const credentialOf = async (path: string, change: Json = {}, subject: Json = {}): Promise<Json> => ({
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  id: `${host.origin}${path}`,
  type: ['VerifiableCredential', 'BitstringStatusListCredential'],
  issuer: issuer.did,
  validFrom: toDateTime(clock.time),
  validUntil: toDateTime(clock.time + 600_000),
  credentialSubject: {
    ...{ type: 'BitstringStatusList', statusPurpose: ['revocation', 'suspension'], ttl: 60_000 },
    encodedList: await compressBitstring(
      bitstringOf({ entries: 131_072, size: 1, statuses: [{ index: 7, status: 1 }] }),
    ),
    ...subject,
  },
  ...change,
})
const serveBitstring = async (path = '/b', change: Json = {}, subject: Json = {}, by = issuer, headers = {}) => {
  const payload = await credentialOf(path, change, subject)
  const secured = await sealJws({ alg: 'ES256', kid: by.kid, typ: 'vc+jwt' }, payload, signer(by))
  return host.serve(path, 'application/vc+jwt', secured, headers)
}
const entryOf = (listUrl: string, index = '7', statusPurpose = 'revocation') =>
  readBitstringEntry({
    ...{ type: 'BitstringStatusListEntry', statusPurpose, statusListIndex: index },
    statusListCredential: listUrl,
  })

describe('a Token Status List of somebody else', () => {
  it.each(['JWT', 'CWT'])('says what the status of an index means, as %s', async form => {
    const draft = draftOf('/t', { aggregationUri: 'https://a.example/all' })
    const key = { algorithm: 'ES256', kid: issuer.kid } as const
    const uri =
      form === 'JWT'
        ? host.serve('/t', `${jwtType}; charset=utf-8`, await sealListJwt(draft, key, signer(issuer)))
        : host.serve('/t', 'application/statuslist+cwt', await sealListCwt(draft, key, signer(issuer)))
    const lists = open()
    const meanings = await Promise.all([0, 3, 4].map(index => lists.token({ uri, index }, of)))
    expect(meanings.map(({ meaning }) => meaning)).toEqual(['valid', 'invalid', 'suspended'])
    expect(meanings[0]?.aggregationUri).toBe('https://a.example/all')
    expect(host.asked).toEqual([{ path: '/t', accept: 'application/statuslist+jwt, application/statuslist+cwt;q=0.9' }])
  })

  it.each<[string, () => Promise<string>, string]>([
    ['of another issuer', () => serveToken('/t', {}, stranger), 'status_list_refused'],
    ['for another URL', () => serveToken('/t', { uri: `${host.origin}/other` }), 'status_list_refused'],
    ['that has expired', () => serveToken('/t', { expiresAt: clock.time }), 'status_list_refused'],
    ['from the future', () => serveToken('/t', { issuedAt: clock.time + 120_000 }), 'status_list_refused'],
    ['of another media type', async () => host.serve('/t', 'application/jwt', 'x'), 'status_malformed'],
    ['that is none', async () => host.serve('/t', jwtType, 'x'), 'status_malformed'],
    ['that is a CWT by name only', async () => host.serve('/t', 'application/statuslist+cwt', 'x'), 'status_malformed'],
    [
      'that is a bomb',
      () => serveToken('/t', { list: { bits: 1, bytes: Buffer.alloc(2_000_000) } }),
      'status_list_too_large',
    ],
    ['that is too large', async () => host.serve('/t', jwtType, 'x'.repeat(200_000)), 'status_list_too_large'],
    ['that is not there', async () => `${host.origin}/none`, 'status_unavailable'],
    ['at a private address', async () => 'https://127.0.0.1/t', 'url_forbidden'],
    ['over http', async () => 'http://lists.example/t', 'url_forbidden'],
  ])('is refused %s', async (_title, serve, code) => {
    const uri = await serve()
    const lists = open({ limits: { listBytes: 1_000_000, fetchedBytes: 100_000 } })
    expect(await codeOf(() => lists.token({ uri, index: 0 }, of))).toBe(code)
  })

  it('is refused when its signature does not hold', async () => {
    const uri = await serveToken('/t', {}, { ...stranger, kid: issuer.kid })
    expect(await codeOf(() => open().token({ uri, index: 0 }, of))).toBe('status_list_refused')
  })

  it('is unavailable while the key of its signer is', async () => {
    const uri = await serveToken()
    const lists = open({
      verifyListToken: async () => {
        throw new Refusal('unavailable', 'did_unavailable', 'Later.')
      },
    })
    expect(await codeOf(() => lists.token({ uri, index: 0 }, of))).toBe('status_unavailable')
  })

  it('has nothing beyond its end (RANGE_ERROR)', async () => {
    const uri = await serveToken()
    expect(await codeOf(() => open().token({ uri, index: 100 }, of))).toBe('status_index_out_of_range')
  })

  it('counts where another issuer is allowed for the credential, and for that one only', async () => {
    const uri = await serveToken('/t', {}, stranger)
    const lists = open({ allows: (by, credential) => by.issuer === stranger.did && credential.issuer === issuer.did })
    expect((await lists.token({ uri, index: 3 }, of)).meaning).toBe('invalid')
    expect(await codeOf(() => lists.token({ uri, index: 3 }, { issuer: 'did:example:third' }))).toBe(
      'status_list_refused',
    )
  })

  it('is not taken from a redirect to a private address', async () => {
    host.answers.set('/r', response => response.writeHead(302, { location: 'http://169.254.169.254/meta' }).end())
    expect(await codeOf(() => open().token({ uri: `${host.origin}/r`, index: 0 }, of))).toBe('url_forbidden')
  })

  it('is unavailable when its host is slow, or lets go', async () => {
    host.answers.set('/slow', () => undefined)
    host.answers.set('/cut', response => response.socket?.destroy())
    const lists = open()
    for (const path of ['/slow', '/cut']) {
      expect(await codeOf(() => lists.token({ uri: `${host.origin}${path}`, index: 0 }, of))).toBe('status_unavailable')
    }
  })
})

describe('a Bitstring Status List of somebody else', () => {
  it('says which statuses are set, for each of its purposes', async () => {
    const url = await serveBitstring()
    const lists = open()
    const standings = [
      await lists.bitstring(entryOf(url), of),
      await lists.bitstring(entryOf(url, '7', 'suspension'), of),
      await lists.bitstring(entryOf(url, '8'), of),
    ].map(standingOf)
    expect(standings).toEqual(['revoked', 'suspended', 'valid'])
    expect(host.asked.length).toBe(1)
    expect(host.asked[0]?.accept).toContain('application/vc+jwt')
  })

  it('has a message for a status of several bits', async () => {
    const messages = ['pending', 'accepted', 'rejected', 'undefined'].map((message, at) => ({
      status: `0x${at}`,
      message,
    }))
    const bits = bitstringOf({ entries: 131_072, size: 2, statuses: [{ index: 1_000, status: 2 }] })
    const subject = {
      ...{ statusPurpose: 'message', statusSize: 2, statusMessages: messages },
      encodedList: await compressBitstring(bits),
    }
    const url = await serveBitstring('/m', {}, subject)
    const entry = readBitstringEntry({
      ...{ type: 'BitstringStatusListEntry', statusPurpose: 'message', statusListIndex: '1000' },
      ...{ statusListCredential: url, statusSize: 2, statusMessage: messages },
    })
    expect(await open().bitstring(entry, of)).toEqual({
      status: 2,
      purpose: 'message',
      valid: false,
      message: 'rejected',
    })
  })

  const short = async () => compressBitstring(new Uint8Array(1_000))
  it.each<[string, () => Promise<string>, string]>([
    ['of another issuer', () => serveBitstring('/b', {}, {}, stranger), 'status_list_refused'],
    ['for another purpose', () => serveBitstring('/b', {}, { statusPurpose: 'refresh' }), 'status_list_refused'],
    ['with the id of another list', () => serveBitstring('/b', { id: 'https://a.example/b' }), 'status_list_refused'],
    ['that has expired', () => serveBitstring('/b', { validUntil: toDateTime(clock.time) }), 'status_list_refused'],
    [
      'that is not valid yet',
      () => serveBitstring('/b', { validFrom: toDateTime(clock.time + 120_000) }),
      'status_list_refused',
    ],
    [
      'with a signature that does not hold',
      () => serveBitstring('/b', {}, {}, { ...stranger, kid: issuer.kid }),
      'status_list_refused',
    ],
    ['of another media type', async () => host.serve('/b', 'text/html', '<html>'), 'status_list_refused'],
    ['of another type', () => serveBitstring('/b', { type: ['VerifiableCredential'] }), 'status_malformed'],
    ['that is too short', async () => serveBitstring('/b', {}, { encodedList: await short() }), 'status_list_short'],
    [
      'that is a bomb',
      async () => serveBitstring('/b', {}, { encodedList: await compressBitstring(Buffer.alloc(2_000_000)) }),
      'status_list_too_large',
    ],
    ['that is not packed', () => serveBitstring('/b', {}, { encodedList: 'uAAAA' }), 'status_malformed'],
    ['that is not there', async () => `${host.origin}/none`, 'status_unavailable'],
  ])('is refused %s', async (_title, serve, code) => {
    const url = await serve()
    expect(await codeOf(() => open({ limits: { listBytes: 1_000_000 } }).bitstring(entryOf(url), of))).toBe(code)
  })

  it('has nothing beyond its end (RANGE_ERROR)', async () => {
    const url = await serveBitstring()
    expect(await codeOf(() => open().bitstring(entryOf(url, '131072'), of))).toBe('status_index_out_of_range')
  })

  it('without an id is the one at its URL when its subject says so, and refused when nothing does', async () => {
    const url = await serveBitstring('/b', { id: undefined }, { id: `${host.origin}/b#list` })
    expect((await open().bitstring(entryOf(url), of)).status).toBe(1)
    for (const id of [`${host.origin}/c#list`, undefined]) {
      const other = await serveBitstring('/b', { id: undefined }, { id })
      expect(await codeOf(() => open().bitstring(entryOf(other), of))).toBe('status_list_refused')
    }
  })

  it('without any id is taken from where its issuer stands itself, and from nowhere else', async () => {
    const url = await serveBitstring('/b', { id: undefined }, { id: undefined })
    const place = new URL(host.origin).host.replace(':', '%3A')
    const by = async (name: string) => {
      const lists = open({
        verifyListCredential: async ({ body }) => {
          const [, payload = ''] = body.toString().split('.')
          return { issuer: name, document: JSON.parse(Buffer.from(payload, 'base64url').toString()) as Json }
        },
      })
      return codeOf(() => lists.bitstring(entryOf(url), { issuer: name }))
    }
    expect(await by(`did:web:${place}:issuer`)).toBe('none')
    expect(await by(`did:webvh:QmUbTyW8QGNWxWJonYpeMs8vToktBYxzhk6cgJV9JYzfwo:${place}`)).toBe('none')
    for (const name of ['did:web:example.com', 'https://example.com', 'did:key:z6Mk']) {
      expect(await by(name)).toBe('status_list_refused')
    }
  })
})

describe('a list that was read', () => {
  it('is kept until its time to live ends, survives its host until then, and is unavailable after', async () => {
    const [uri, url] = [await serveToken(), await serveBitstring()]
    const lists = open()
    const both = async () => [
      await codeOf(() => lists.token({ uri, index: 3 }, of)),
      await codeOf(() => lists.bitstring(entryOf(url), of)),
    ]
    expect(await both()).toEqual(['none', 'none'])
    await host.stop()
    clock.time += 59_999
    expect(await both()).toEqual(['none', 'none'])
    clock.time += 1
    expect(await both()).toEqual(['status_unavailable', 'status_unavailable'])
    expect(host.asked.length).toBe(2)
    expect(lists.kept()).toEqual({ lists: 0, bytes: 0 })
  })

  it('is read anew when its time to live has ended', async () => {
    const uri = await serveToken()
    const lists = open()
    expect((await lists.token({ uri, index: 0 }, of)).meaning).toBe('valid')
    clock.time += 60_000
    await serveToken('/t', { list: packStatuses({ bits: 2, entries: 100, statuses: [{ index: 0, status: 1 }] }) })
    expect((await lists.token({ uri, index: 0 }, of)).meaning).toBe('invalid')
  })

  /** How often a list is asked for when it is read at once, and again after a while. */
  const askedAfter = async (serve: () => Promise<string>, kind: 'token' | 'bitstring', ms: number, limits = {}) => {
    const url = await serve()
    const lists = open({ limits })
    const read = () => (kind === 'token' ? lists.token({ uri: url, index: 0 }, of) : lists.bitstring(entryOf(url), of))
    await read()
    clock.time += ms
    await read().catch(() => undefined)
    return host.asked.length
  }
  const longTtl = 7_200_000
  const late = () => toDateTime(clock.time + 86_400_000)
  const forDay = () => ({ expiresAt: clock.time + 86_400_000 })

  it.each<[string, () => Promise<string>, 'token' | 'bitstring', number]>([
    ['its exp, before its ttl', () => serveToken('/t', { expiresAt: clock.time + 10_000 }), 'token', 10_000],
    [
      'its validUntil, before its ttl',
      () => serveBitstring('/b', { validUntil: toDateTime(clock.time + 10_000) }),
      'bitstring',
      10_000,
    ],
    [
      'max-age, before the ttl of a bitstring',
      () => serveBitstring('/b', {}, {}, issuer, { 'cache-control': 'max-age=10' }),
      'bitstring',
      10_000,
    ],
    [
      'what is left of max-age',
      () => serveBitstring('/b', {}, {}, issuer, { 'cache-control': 'public, max-age=30', age: '20' }),
      'bitstring',
      10_000,
    ],
    [
      'a minute, where a bitstring says nothing',
      () => serveBitstring('/b', { validUntil: late() }, { ttl: undefined }),
      'bitstring',
      60_000,
    ],
    ['an hour, whatever a token says', () => serveToken('/t', { ...forDay(), ttlMs: longTtl }), 'token', 3_600_000],
    [
      'an hour, whatever a bitstring says',
      () => serveBitstring('/b', { validUntil: late() }, { ttl: longTtl }),
      'bitstring',
      3_600_000,
    ],
  ])('is kept for no longer than %s', async (_title, serve, kind, ms) => {
    expect(await askedAfter(serve, kind, ms - 1)).toBe(1)
    host.asked = []
    expect(await askedAfter(serve, kind, ms)).toBe(2)
  })

  it('is not kept at all where the host forbids it for a bitstring', async () => {
    const serve = () => serveBitstring('/b', {}, {}, issuer, { 'cache-control': 'no-store' })
    expect(await askedAfter(serve, 'bitstring', 0)).toBe(2)
  })

  it('is kept by ttl and exp of the token, which come before HTTP (Token Status List section 8.2)', async () => {
    const serve = () => serveToken('/t', {}, issuer, { 'cache-control': 'no-store' })
    expect(await askedAfter(serve, 'token', 59_999)).toBe(1)
  })

  it('is fetched once, however many ask at the same time', async () => {
    const uri = await serveToken()
    const lists = open()
    const results = await Promise.all(Array.from({ length: 50 }, () => lists.token({ uri, index: 4 }, of)))
    expect(new Set(results.map(({ meaning }) => meaning))).toEqual(new Set(['suspended']))
    expect(host.asked.length).toBe(1)
  })

  it('that failed is not asked for again within a second, and then is', async () => {
    const lists = open()
    const uri = `${host.origin}/t`
    const ask = () => codeOf(() => lists.token({ uri, index: 0 }, of))
    expect([await ask(), await ask()]).toEqual(['status_unavailable', 'status_unavailable'])
    expect(host.asked.length).toBe(1)
    await serveToken()
    clock.time += 1_000
    expect(await ask()).toBe('none')
  })

  it('is turned away while too many others are being fetched', async () => {
    host.answers.set('/slow', () => undefined)
    const lists = open({ limits: { fetches: 1 } })
    const slow = codeOf(() => lists.token({ uri: `${host.origin}/slow`, index: 0 }, of))
    const uri = await serveToken()
    expect(await codeOf(() => lists.token({ uri, index: 0 }, of))).toBe('status_unavailable')
    expect(await slow).toBe('status_unavailable')
    expect(await codeOf(() => lists.token({ uri, index: 0 }, of))).toBe('none')
  })

  it('is turned away while too many others are being fetched from its host, and not for those of another', async () => {
    host.answers.set('/slow', () => undefined)
    const lists = open({ limits: { fetchesPerHost: 1 } })
    const slow = codeOf(() => lists.token({ uri: `${host.origin}/slow`, index: 0 }, of))
    const uri = await serveToken()
    expect(await codeOf(() => lists.token({ uri, index: 0 }, of))).toBe('status_unavailable')
    const elsewhere = await codeOf(() => lists.token({ uri: 'https://127.0.0.1/t', index: 0 }, of))
    expect(elsewhere).toBe('url_forbidden')
    expect(await slow).toBe('status_unavailable')
  })

  it('makes room for others within a budget of bytes', async () => {
    const lists = open({ limits: { keptBytes: 40_000 } })
    for (const path of ['/a', '/b', '/c']) await lists.bitstring(entryOf(await serveBitstring(path)), of)
    expect(lists.kept().lists).toBe(2)
    expect(lists.kept().bytes).toBeGreaterThan(2 * (16_384 + 1_024))
    expect(lists.kept().bytes).toBeLessThanOrEqual(40_000)
    await lists.bitstring(entryOf(`${host.origin}/c`), of)
    expect(host.asked.length).toBe(3)
    await lists.bitstring(entryOf(`${host.origin}/a`), of)
    expect(host.asked.length).toBe(4)
  })
})

describe('what a list says beside its bits', () => {
  it('counts against the budget, so that long words do not fill the memory', async () => {
    const lists = open({ limits: { keptBytes: 200_000 } })
    const purposes = ['revocation', 'x'.repeat(50_000)]
    for (const path of ['/a', '/b', '/c']) {
      await lists.bitstring(entryOf(await serveBitstring(path, {}, { statusPurpose: purposes })), of)
    }
    expect(lists.kept().lists).toBe(1)
    const uri = await serveToken('/t', { aggregationUri: `https://a.example/${'x'.repeat(100_000)}` })
    expect((await lists.token({ uri, index: 4 }, of)).meaning).toBe('suspended')
    expect(lists.kept()).toEqual({ lists: 1, bytes: expect.any(Number) })
  })

  it('is not kept with more memory around its bits than they have', async () => {
    const bits = await unpack('zlib', await pack('zlib', Uint8Array.of(1, 2, 3)), 100)
    expect([...bits]).toEqual([1, 2, 3])
    expect(bits.buffer.byteLength).toBe(3)
  })

  it('is asked for at a URL of a bearable length only', async () => {
    const uri = `https://lists.example/${'x'.repeat(2_048)}`
    expect(await codeOf(async () => readTokenReference({ idx: 0, uri }))).toBe('status_malformed')
    expect(await codeOf(async () => entryOf(uri))).toBe('status_malformed')
    expect(await codeOf(async () => entryOf(uri.slice(0, 2_048)))).toBe('none')
    expect(await codeOf(async () => readTokenReference({ idx: 0, uri: uri.slice(0, 2_048) }))).toBe('none')
  })
})

describe('an aggregation of lists', () => {
  it('leads to the lists', async () => {
    const url = host.serve('/all', 'application/json', JSON.stringify({ status_lists: [`${host.origin}/t`] }))
    expect(await open().aggregation(url)).toEqual([`${host.origin}/t`])
  })

  it.each([
    ['no JSON', '<', 'status_malformed'],
    ['another shape', '{"lists":[]}', 'status_malformed'],
  ])('is refused with %s', async (_title, body, code) => {
    const url = host.serve('/all', 'application/json', body)
    expect(await codeOf(() => open().aggregation(url))).toBe(code)
  })
})

describe('the lists beside one that was read (Token Status List, section 9)', () => {
  const paths = () => host.asked.map(({ path }) => path)
  const settled = async (count: number) => {
    for (let wait = 0; host.asked.length < count && wait < 200; wait++) await new Promise(done => setTimeout(done, 5))
    await new Promise(done => setTimeout(done, 30))
  }
  const serveAll = async (uris: readonly string[], change: Partial<ListDraft> = {}) => {
    const aggregationUri = host.serve('/all', 'application/json', JSON.stringify({ status_lists: uris }))
    return serveToken('/t', { aggregationUri, ...change })
  }

  it('are fetched ahead, once, and serve as the first does', async () => {
    const others = await Promise.all(['/u', '/v'].map(path => serveToken(path)))
    const uri = await serveAll([`${host.origin}/t`, ...others])
    const lists = open({ ahead: true })
    expect((await lists.token({ uri, index: 3 }, of)).meaning).toBe('invalid')
    await settled(4)
    expect(paths()).toEqual(['/t', '/all', '/u', '/v'])
    expect((await lists.token({ uri: others[1] as string, index: 4 }, of)).meaning).toBe('suspended')
    await lists.token({ uri, index: 5 }, of)
    await settled(5)
    expect(paths()).toHaveLength(4)
    clock.time += 60_000
    await lists.token({ uri, index: 5 }, of)
    await settled(8)
    expect(paths().slice(4)).toEqual(['/t', '/all', '/u', '/v'])
  })

  it('are left alone unless that is wanted', async () => {
    const uri = await serveAll([await serveToken('/u')])
    await open().token({ uri, index: 3 }, of)
    await settled(2)
    expect(paths()).toEqual(['/t'])
  })

  it('are none of another host, and no more than a few', async () => {
    const others = await Promise.all(['/u', '/v', '/w'].map(path => serveToken(path)))
    const elsewhere = host.origin.replace('127.0.0.1', 'localhost')
    const uri = await serveAll([`${elsewhere}/x`, 'urn:a', ...others])
    await open({ ahead: true, limits: { aheadLists: 2 } }).token({ uri, index: 3 }, of)
    await settled(4)
    expect(paths()).toEqual(['/t', '/all', '/u', '/v'])
  })

  it.each<[string, (uri: string) => void]>([
    ['no aggregation', () => host.answers.delete('/all')],
    ['an aggregation that is none', () => host.serve('/all', 'application/json', '[]')],
    ['a list that does not verify', () => host.serve('/u', jwtType, 'a.b.c')],
  ])('take nothing from the first with %s', async (_what, spoil) => {
    const uri = await serveAll([await serveToken('/u'), await serveToken('/v')])
    spoil(uri)
    const lists = open({ ahead: true })
    expect((await lists.token({ uri, index: 4 }, of)).meaning).toBe('suspended')
    await settled(2)
    expect(paths()).not.toContain('/v')
    expect((await lists.token({ uri, index: 3 }, of)).meaning).toBe('invalid')
  })

  it('are not fetched into room that others need', async () => {
    const uri = await serveAll([await serveToken('/u')])
    const before = open()
    await before.token({ uri, index: 3 }, of)
    const { bytes } = before.kept()
    for (const [keptBytes, expected] of [
      [2 * bytes - 1, ['/t', '/all']],
      [2 * bytes, ['/t', '/all', '/u']],
    ] as const) {
      host.asked = []
      await open({ ahead: true, limits: { keptBytes } }).token({ uri, index: 3 }, of)
      await settled(3)
      expect(paths()).toEqual(expected)
    }
  })
})

describe('our own published lists', () => {
  it('are read by our own reader of others’ lists, in every form', async () => {
    const world = openWorld()
    clock.time = world.clock.time
    const published = openPublishedLists({
      ...{ clock, signer: world.signer, issuer: () => world.transport, baseUrl: host.origin },
      source: { bits: at => world.status.bits(addressOf(world.transport), at) },
      aggregationUri: `${host.origin}/status/token`,
    })
    world.status.set({ chain, registry, issuer: addressOf(world.transport), list: 0, index: 9 }, 'suspended')
    host.serve('/status/token/0', jwtType, await published.token(0))
    host.serve('/status/bitstring/1', 'application/vc+jwt', await published.bitstring(1))
    host.serve('/status/token', 'application/json', JSON.stringify(published.aggregation()))
    parties.push(world.transport)
    const by = { issuer: world.transport.did }
    const uri = `${host.origin}/status/token/0`
    const first = await open().token(readTokenReference({ idx: 9, uri }), by)
    expect(first).toMatchObject({ meaning: 'suspended', aggregationUri: `${host.origin}/status/token` })
    const entry = entryOf(`${host.origin}/status/bitstring/1`, '9', 'suspension')
    expect(standingOf(await open().bitstring(entry, by))).toBe('suspended')
    expect(await open().aggregation(`${host.origin}/status/token`)).toEqual([uri, `${host.origin}/status/token/2`])
    host.serve('/status/token/0', 'application/statuslist+cwt', await published.tokenCwt(0))
    expect(await open().token({ uri, index: 9 }, by)).toEqual(first)
    expect(await published.tokenCwt(0)).toBe(await published.tokenCwt(0))
  })
})

describe('what keeps lists', () => {
  it('forgets what was not asked for the longest, and takes nothing beyond its budget', () => {
    const cache = new ByteCache<string>(10)
    cache.set('a', 'A', 4)
    cache.set('b', 'B', 4)
    expect(cache.get('a')).toBe('A')
    cache.set('c', 'C', 4)
    expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.bytes]).toEqual(['A', undefined, 'C', 8])
    cache.set('d', 'D', 11)
    cache.set('a', 'AA', 1)
    expect([cache.get('d'), cache.get('a'), cache.bytes, cache.size]).toEqual([undefined, 'AA', 5, 2])
  })

  it.each<[string | undefined, string | undefined, number | undefined]>([
    [undefined, undefined, undefined],
    ['public', undefined, undefined],
    ['max-age=60', undefined, 60_000],
    ['Public, Max-Age="60"', '10', 50_000],
    ['max-age=60', '100', 0],
    ['max-age=60', 'x', 0],
    ['max-age=x', undefined, 0],
    ['max-age=60, no-cache', undefined, 0],
    ['no-store', undefined, 0],
    ['no-storage', undefined, undefined],
  ])('reads Cache-Control %p with Age %p as %p milliseconds', (header, age, ms) => {
    expect(maxAgeMs(header, age)).toBe(ms)
  })
})
