import { readFileSync } from 'node:fs'
import { getListFromStatusListJWT, StatusList } from '@sd-jwt/jwt-status-list'
import fc from 'fast-check'
import { decode, encode, Tag } from '../../../src/identity/cbor.ts'
import { openSign1, sealSign1 } from '../../../src/identity/cose/sign1.ts'
import { publicKeyFromJwk } from '../../../src/identity/key-material.ts'
import { pack, unpack } from '../../../src/identity/status-lists/compression.ts'
import {
  aggregationOf,
  judgeListToken,
  meaningOf,
  openListCwt,
  openListJwt,
  packStatuses,
  readAggregation,
  readTokenReference,
  type StatusBits,
  sealListCwt,
  sealListJwt,
  statusAt,
} from '../../../src/identity/status-lists/token.ts'
import { codeOf, type Json } from '../sd-jwt/parts.ts'
import { agencyParty, jws, signBytes } from '../world.ts'

type Encoding = {
  section: string
  entries: number
  bits: StatusBits
  statuses: [number, number][]
  json: { bits: number; lst: string }
  cbor: string
}
const vectors = JSON.parse(readFileSync(new URL('vectors/token-status-list.json', import.meta.url), 'utf8')) as {
  encodings: Encoding[]
  key: Json
  jwt: string
  cwt: string
  referencedCwt: string
}
const bytesMost = 8_388_608

const statusesOf = (pairs: [number, number][]) => pairs.map(([index, status]) => ({ index, status }))

describe('the vectors of Token Status List', () => {
  it.each(vectors.encodings)('$section: its JSON unpacks into the statuses that are listed', async vector => {
    const { json, entries, bits, statuses } = vector
    const bytes = await unpack('zlib', Buffer.from(json.lst, 'base64url'), bytesMost)
    expect(json.bits).toBe(bits)
    expect(bytes.length * 8).toBe(entries * bits)
    expect(statuses.map(([index]) => [index, statusAt({ bits, bytes }, index)])).toEqual(statuses)
    expect(bytes.equals(packStatuses({ bits, entries, statuses: statusesOf(statuses) }).bytes)).toBe(true)
  })

  it.each(vectors.encodings)('$section: its CBOR holds the same list', async ({ json, cbor }) => {
    const list = decode(Buffer.from(cbor, 'hex')) as Map<string, unknown>
    expect(list.get('bits')).toBe(json.bits)
    const [ours, theirs] = [Buffer.from(json.lst, 'base64url'), Buffer.from(list.get('lst') as Uint8Array)]
    expect((await unpack('zlib', ours, bytesMost)).equals(await unpack('zlib', theirs, bytesMost))).toBe(true)
  })

  const key = publicKeyFromJwk(vectors.key as never)
  const uri = 'https://example.com/statuslists/1'
  const expected = { uri, issuedAt: 1_686_920_170_000, expiresAt: 2_291_720_170_000, ttlMs: 43_200_000, bits: 1 }

  it.each([
    ['section 5.1: the JWT', () => openListJwt(vectors.jwt)],
    ['section 5.2: the CWT', () => openListCwt(Buffer.from(vectors.cwt, 'hex'))],
  ])('%s is signed by the key of the examples and holds the 16 statuses', async (_title, open) => {
    const token = open()
    expect(token).toMatchObject(expected)
    expect(token.signature).toMatchObject({ kid: '12', algorithm: 'ES256' })
    expect(await token.signature.holds(key)).toBe(true)
    const bytes = await unpack('zlib', token.packed, bytesMost)
    expect([...bytes]).toEqual([0xb9, 0xa3])
    expect(() => judgeListToken(token, uri, 1_700_000_000_000)).not.toThrow()
  })

  it('section 6.3: the reference in a CWT', () => {
    const claims = decode(openSign1(Buffer.from(vectors.referencedCwt, 'hex')).payload) as Map<
      number,
      Map<string, unknown>
    >
    expect(readTokenReference(claims.get(65_535)?.get('status_list'))).toEqual({ uri, index: 0 })
  })
})

describe('packing statuses', () => {
  const list = fc.constantFrom<StatusBits>(1, 2, 4, 8).chain(bits =>
    fc.record({
      bits: fc.constant(bits),
      statuses: fc.array(fc.nat(2 ** bits - 1), { minLength: 1, maxLength: 300 }),
    }),
  )

  it('is undone by reading, for each index and width', () => {
    fc.assert(
      fc.property(list, ({ bits, statuses }) => {
        const packed = packStatuses({
          bits,
          entries: statuses.length,
          statuses: statuses.map((status, index) => ({ status, index })),
        })
        expect(statuses.map((_status, index) => statusAt(packed, index))).toEqual(statuses)
      }),
    )
  })

  it('packs as the other implementation does', () => {
    fc.assert(
      fc.property(list, ({ bits, statuses }) => {
        const whole = [...statuses, ...Array((8 - (statuses.length % 8)) % 8).fill(0)]
        const { bytes } = packStatuses({
          bits,
          entries: whole.length,
          statuses: whole.map((status, index) => ({ status, index })),
        })
        expect(Buffer.from(new StatusList(whole, bits).encodeStatusList()).equals(bytes)).toBe(true)
      }),
    )
  })

  it.each([-1, 16, 1.5, Number.NaN, Number.MAX_SAFE_INTEGER, 2 ** 60, Number.POSITIVE_INFINITY])(
    'has nothing at index %p (RANGE_ERROR)',
    async index => {
      expect(await codeOf(() => statusAt({ bits: 1, bytes: new Uint8Array(2) }, index))).toBe(
        'status_index_out_of_range',
      )
    },
  )

  it.each([
    [{ index: 4, status: 0 }],
    [{ index: -1, status: 0 }],
    [{ index: 0, status: 4 }],
    [{ index: 0, status: -1 }],
  ])('takes no %j into four entries of two bits', status => {
    expect(() => packStatuses({ bits: 2, entries: 4, statuses: [status] })).toThrow(RangeError)
  })

  it('means what section 7.1 says', () => {
    expect([0, 1, 2, 3, 4, 11, 12, 15, 16].map(meaningOf)).toEqual([
      ...['valid', 'invalid', 'suspended', 'application_specific', 'unassigned', 'unassigned'],
      ...['application_specific', 'application_specific', 'unassigned'],
    ])
  })
})

const issuer = agencyParty(`0x${'55'.repeat(20)}`)
const sign = async (_algorithm: string, input: Uint8Array) => signBytes(issuer, input)
const statusList = packStatuses({ bits: 4, entries: 32, statuses: [{ index: 9, status: 12 }] })
const now = 1_700_000_000_000
const draft = {
  ...{
    uri: 'https://a.example/1',
    issuer: issuer.did,
    issuedAt: now,
    expiresAt: now + 60_000,
    ttlMs: 30_000,
    list: statusList,
  },
  aggregationUri: 'https://a.example/all',
}
const key = { algorithm: 'ES256', kid: issuer.kid } as const

describe('a status list token of ours', () => {
  it.each([
    ['JWT', async () => openListJwt(await sealListJwt(draft, key, sign))],
    ['CWT', async () => openListCwt(await sealListCwt(draft, key, sign))],
  ])('comes back from its %s', async (_form, make) => {
    const token = await make()
    const { uri, issuedAt, expiresAt, ttlMs, aggregationUri } = draft
    expect(token).toMatchObject({ uri, issuedAt, expiresAt, ttlMs, aggregationUri, bits: 4, issuer: issuer.did })
    expect(await token.signature.holds(issuer)).toBe(true)
    expect(await token.signature.holds(agencyParty(`0x${'66'.repeat(20)}`))).toBe(false)
    expect(statusAt({ bits: 4, bytes: await unpack('zlib', token.packed, 100) }, 9)).toBe(12)
  })

  it('reads in @sd-jwt/jwt-status-list', async () => {
    const theirs = getListFromStatusListJWT(await sealListJwt(draft, key, sign))
    expect([theirs.getBitsPerStatus(), theirs.getStatus(9), theirs.getStatus(8)]).toEqual([4, 12, 0])
  })

  it('is a tagged COSE_Sign1 without the tag of CWT, and has its type protected (section 5.2)', async () => {
    const item = decode(await sealListCwt(draft, key, sign)) as Tag
    expect(item.tag).toBe(18)
    const [header] = item.contents as [Uint8Array]
    expect((decode(header) as Map<number, unknown>).get(16)).toBe('application/statuslist+cwt')
  })
})

describe('a status list token is refused', () => {
  const list = { bits: 1, lst: 'eNrbuRgAAhcBXQ' }
  const good = { sub: draft.uri, iat: now / 1_000, status_list: list }
  const header = { alg: 'ES256', kid: 'k', typ: 'statuslist+jwt' }

  it.each<[string, Json, Json, string]>([
    ['of another typ', { ...header, typ: 'JWT' }, good, 'status_malformed'],
    ['by no algorithm', { ...header, alg: 'none' }, good, 'status_list_refused'],
    ['by a shared secret', { ...header, alg: 'HS256' }, good, 'status_list_refused'],
    ['without sub', header, { ...good, sub: undefined }, 'status_malformed'],
    ['without iat', header, { ...good, iat: undefined }, 'status_malformed'],
    ['with an iat in words', header, { ...good, iat: 'now' }, 'status_malformed'],
    ['with an exp in words', header, { ...good, exp: 'never' }, 'status_malformed'],
    ['with a ttl of zero', header, { ...good, ttl: 0 }, 'status_malformed'],
    ['with a ttl below zero', header, { ...good, ttl: -1 }, 'status_malformed'],
    ['with a ttl in words', header, { ...good, ttl: '60' }, 'status_malformed'],
    ['with an issuer that is a number', header, { ...good, iss: 1 }, 'status_malformed'],
    ['without a list', header, { ...good, status_list: undefined }, 'status_malformed'],
    ['with three bits', header, { ...good, status_list: { ...list, bits: 3 } }, 'status_malformed'],
    ['with sixteen bits', header, { ...good, status_list: { ...list, bits: 16 } }, 'status_malformed'],
    ['with bits as text', header, { ...good, status_list: { ...list, bits: '1' } }, 'status_malformed'],
    ['without lst', header, { ...good, status_list: { bits: 1 } }, 'status_malformed'],
    ['with lst in plain base64', header, { ...good, status_list: { bits: 1, lst: 'eNr+uRg=' } }, 'status_malformed'],
    [
      'with an aggregation that is no text',
      header,
      { ...good, status_list: { ...list, aggregation_uri: 1 } },
      'status_malformed',
    ],
  ])('as JWT %s', async (_title, head, payload, code) => {
    expect(await codeOf(() => openListJwt(jws(head, payload, issuer)))).toBe(code)
  })

  it('as JWT that is none', async () => {
    expect(await codeOf(() => openListJwt('a.b'))).toBe('status_malformed')
  })

  const cwt = (claims: unknown, typ = 'application/statuslist+cwt') =>
    sealSign1({ algorithm: 'ES256', kid: 'k', typ, payload: encode(claims) }, sign)
  const cborList = { bits: 1, lst: Buffer.from(list.lst, 'base64url') }
  const cborClaims = (change: [number, unknown][]) =>
    new Map<number, unknown>([[2, draft.uri], [6, now / 1_000], [65_533, cborList], ...change])

  it.each<[string, () => Promise<Uint8Array>]>([
    ['with the tag of CWT around it', async () => encode(new Tag(61, decode(await cwt(cborClaims([])))))],
    ['without a tag', async () => encode((decode(await cwt(cborClaims([]))) as Tag).contents)],
    ['as COSE_Mac0', async () => encode(new Tag(17, (decode(await cwt(cborClaims([]))) as Tag).contents))],
    ['of another type', () => cwt(cborClaims([]), 'application/cwt')],
    ['whose claims are an array', () => cwt([1, 2])],
    ['without sub', () => cwt(new Map([...cborClaims([])].filter(([claim]) => claim !== 2)))],
    ['without iat', () => cwt(new Map([...cborClaims([])].filter(([claim]) => claim !== 6)))],
    ['with a list that is an array', () => cwt(cborClaims([[65_533, [1]]]))],
    ['with lst as text', () => cwt(cborClaims([[65_533, { bits: 1, lst: list.lst }]]))],
    ['with bits out of range', () => cwt(cborClaims([[65_533, { ...cborList, bits: 5 }]]))],
    ['with a ttl of zero', () => cwt(cborClaims([[65_534, 0]]))],
    ['cut off', async () => (await cwt(cborClaims([]))).subarray(0, 50)],
  ])('as CWT %s', async (_title, make) => {
    const bytes = await make()
    expect(await codeOf(() => openListCwt(bytes))).toBe('status_malformed')
  })

  it.each<[string, Partial<ReturnType<typeof openListJwt>>, string]>([
    ['with the sub of another list', { uri: 'https://a.example/2' }, 'differs from the uri'],
    ['that has expired', { expiresAt: now }, 'has expired'],
    ['from the future', { issuedAt: now + 61_000 }, 'not valid yet'],
    ['that is not valid yet', { notBefore: now + 61_000 }, 'not valid yet'],
  ])('%s', (_title, change, sentence) => {
    const token = { ...openListJwt(jws(header, good, issuer)), ...change }
    expect(() => judgeListToken(token, draft.uri, now)).toThrow(sentence)
    expect(() => judgeListToken({ ...token, ...openListJwt(jws(header, good, issuer)) }, draft.uri, now)).not.toThrow()
  })
})

describe('a reference to a status list', () => {
  it.each([
    undefined,
    [],
    { uri: 'https://a.example' },
    { idx: 0 },
    { idx: -1, uri: 'https://a.example' },
    { idx: 1.5, uri: 'https://a.example' },
    { idx: '1', uri: 'https://a.example' },
    { idx: 2 ** 60, uri: 'https://a.example' },
    { idx: 0, uri: 'no uri' },
    new Map([['idx', 0]]),
  ])('is refused as %j', async value => {
    expect(await codeOf(() => readTokenReference(value))).toBe('status_malformed')
  })
})

describe('an aggregation of status lists', () => {
  it('is read as it is written', () => {
    const uris = ['https://a.example/1', 'https://a.example/2']
    expect(readAggregation(JSON.parse(JSON.stringify(aggregationOf(uris))))).toEqual(uris)
  })

  it.each([undefined, [], {}, { status_lists: 'x' }, { status_lists: [1] }, { status_lists: ['x'] }])(
    'is refused as %j',
    async value => {
      expect(await codeOf(() => readAggregation(value))).toBe('status_malformed')
    },
  )
})

describe('unpacking', () => {
  it.each(['zlib', 'gzip'] as const)('stops a %s bomb at its bound', async packing => {
    const bomb = await pack(packing, Buffer.alloc(50_000_000))
    expect(bomb.length).toBeLessThan(60_000)
    expect(await codeOf(() => unpack(packing, bomb, 1_000_000))).toBe('status_list_too_large')
  })

  it('refuses what is cut off, or packed in another way', async () => {
    const packed = await pack('zlib', Buffer.from('list'))
    expect(await codeOf(() => unpack('zlib', packed.subarray(0, -3), 100))).toBe('status_malformed')
    expect(await codeOf(() => unpack('gzip', packed, 100))).toBe('status_malformed')
    expect(await codeOf(() => unpack('zlib', Buffer.alloc(0), 100))).toBe('status_malformed')
  })
})
