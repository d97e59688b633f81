import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { CompactEncrypt, compactDecrypt, importJWK } from 'jose'
import {
  chooseContentEncryption,
  chooseEncryptionKey,
  decryptJwe,
  decryptText,
  encryptionThumbprint,
  encryptJwe,
  encryptText,
  jweHeaderOf,
  newEncryptionKey,
} from '../../../src/identity/openid/jwe.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'

type Json = Record<string, unknown>

const published = JSON.parse(readFileSync(join(import.meta.dirname, 'published/encrypted-response.json'), 'utf8')) as {
  jwe: string
  key: JsonWebKey
  header: Json
  payload: Json
}

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work()
    return 'good'
  } catch (error) {
    if (isRefusal(error)) return error.code
    throw error
  }
}

const own = await newEncryptionKey()
const open = (compact: string, more: Json = {}) => decryptJwe(compact, { key: own.privateJwk, ...more })
/** As another library encrypts. */
const theirs = async (payload: Uint8Array, header: Json, jwk: Json = own.publicJwk): Promise<string> =>
  new CompactEncrypt(payload).setProtectedHeader(header as never).encrypt(await importJWK(jwk, 'ECDH-ES'))
const text = (value: unknown) => Buffer.from(JSON.stringify(value))
const good = { alg: 'ECDH-ES', enc: 'A256GCM' }
const rewritten = (compact: string, change: Json): string => {
  const [head = '', ...rest] = compact.split('.')
  const header = { ...(JSON.parse(Buffer.from(head, 'base64url').toString()) as Json), ...change }
  return [text(header).toString('base64url'), ...rest].join('.')
}

describe('a message encrypted by ECDH-ES on P-256 (RFC 7518 section 4.6)', () => {
  it('is that of OpenID4VP 1.0 section 8.3, which opens with the key that stands there', async () => {
    const { jwe, key, header, payload } = published
    expect(jweHeaderOf(jwe)).toEqual(header)
    expect(await decryptJwe(jwe, { key, kid: 'ac' })).toEqual({ header, payload })
    expect(await codeOf(() => decryptJwe(jwe, { key, kid: 'jc' }))).toBe('decryption_failed')
    expect(await codeOf(() => open(jwe))).toBe('decryption_failed')
  })

  it.each(['A128GCM', 'A256GCM'] as const)(
    'opens with exactly its key, in %s, also by the hand of others',
    async enc => {
      const [apu, apv] = ['wallet', 'verifier'].map(name => Buffer.from(name).toString('base64url')) as [string, string]
      const compact = await encryptJwe({ a: 'b' }, { jwk: own.publicJwk, enc, apu, apv, typ: 'JWT' })
      const { header, payload } = await open(compact, { kid: own.publicJwk.kid })
      expect([header, payload]).toEqual([
        { alg: 'ECDH-ES', enc, kid: own.publicJwk.kid, typ: 'JWT', apu, apv, epk: expect.any(Object) },
        { a: 'b' },
      ])
      const key = await importJWK(own.privateJwk as Json, 'ECDH-ES')
      expect(JSON.parse(Buffer.from((await compactDecrypt(compact, key)).plaintext).toString())).toEqual({ a: 'b' })
      const other = await newEncryptionKey()
      expect(await codeOf(() => decryptJwe(compact, { key: other.privateJwk }))).toBe('decryption_failed')
      expect((await open(await theirs(text({ a: 'b' }), { ...good, enc }))).payload).toEqual({ a: 'b' })
    },
  )

  it('brings every JSON object back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          fc.string({ unit: 'grapheme' }).filter(name => name !== '__proto__'),
          fc.string({ unit: 'grapheme' }),
        ),
        async payload => {
          const compact = await encryptJwe(payload, { jwk: own.publicJwk, enc: 'A128GCM' })
          expect((await open(compact)).payload).toEqual(payload)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('carries a token that is signed already, and says what it is', async () => {
    const compact = await encryptText('a.b.c', { jwk: own.publicJwk, enc: 'A256GCM', cty: 'oauth-authz-req+jwt' })
    expect(await decryptText(compact, { key: own.privateJwk })).toMatchObject({
      text: 'a.b.c',
      header: { cty: 'oauth-authz-req+jwt' },
    })
    expect(await codeOf(() => open(compact))).toBe('jwe_malformed')
  })

  it.each<[string, () => Promise<string>, string]>([
    ['another content encryption', () => theirs(text({}), { ...good, enc: 'A256CBC-HS512' }), 'encryption_refused'],
    ['a content encryption between the two', () => theirs(text({}), { ...good, enc: 'A192GCM' }), 'encryption_refused'],
    ['a wrapped key', () => theirs(text({}), { ...good, alg: 'ECDH-ES+A256KW' }), 'encryption_refused'],
    ['a key that is given', async () => rewritten(await theirs(text({}), good), { alg: 'dir' }), 'encryption_refused'],
    [
      'a password',
      async () => rewritten(await theirs(text({}), good), { alg: 'PBES2-HS256+A128KW', p2c: 1e9, p2s: 'AA' }),
      'encryption_refused',
    ],
    [
      'critical extensions',
      async () => rewritten(await theirs(text({}), good), { crit: ['x'], x: 1 }),
      'encryption_refused',
    ],
    [
      'a header that was changed',
      async () => rewritten(await theirs(text({}), good), { typ: 'x' }),
      'decryption_failed',
    ],
    [
      'another point',
      async () => rewritten(await theirs(text({}), good), { epk: (await newEncryptionKey()).publicJwk }),
      'decryption_failed',
    ],
    [
      'a point that is not on the curve',
      async () =>
        rewritten(await theirs(text({}), good), {
          epk: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) },
        }),
      'decryption_failed',
    ],
    [
      'a point of another curve',
      async () => {
        const { publicKey } = generateKeyPairSync('x25519')
        return rewritten(await theirs(text({}), good), { epk: publicKey.export({ format: 'jwk' }) })
      },
      'decryption_failed',
    ],
    ['no point', async () => rewritten(await theirs(text({}), good), { epk: undefined }), 'decryption_failed'],
    [
      'parties that are no base64url',
      async () => rewritten(await theirs(text({}), good), { apu: 'a b' }),
      'jwe_malformed',
    ],
    ['a party that is no text', async () => rewritten(await theirs(text({}), good), { apv: 1 }), 'jwe_malformed'],
    ['another kid', async () => theirs(text({}), { ...good, kid: 'x' }), 'decryption_failed'],
    ['a kid that is no text', async () => rewritten(await theirs(text({}), good), { kid: 1 }), 'decryption_failed'],
    ['a list inside', () => theirs(text([]), good), 'jwe_malformed'],
    ['a text inside', () => theirs(text('x'), good), 'jwe_malformed'],
    ['nothing that is JSON', () => theirs(Buffer.from('{'), good), 'jwe_malformed'],
    ['one name twice', () => theirs(Buffer.from('{"a":1,"a":2}'), good), 'jwe_malformed'],
    ['bytes that are no UTF-8', () => theirs(Buffer.from([0x7b, 0xff, 0x7d]), good), 'jwe_malformed'],
    ['four parts', async () => (await theirs(text({}), good)).split('.').slice(0, 4).join('.'), 'jwe_malformed'],
    ['six parts', async () => `${await theirs(text({}), good)}.x`, 'jwe_malformed'],
    [
      'a header that is no object',
      async () => `W10.${(await theirs(text({}), good)).split('.').slice(1).join('.')}`,
      'jwe_malformed',
    ],
    [
      'a header that is no base64url',
      async () => `#.${(await theirs(text({}), good)).split('.').slice(1).join('.')}`,
      'jwe_malformed',
    ],
    [
      'a header without end',
      async () => rewritten(await theirs(text({}), good), { more: 'x'.repeat(5_000) }),
      'jwe_malformed',
    ],
    ['a mebibyte and more', async () => `${'A'.repeat(1_100_000)}....`, 'jwe_malformed'],
    ['a tag that was cut', async () => (await theirs(text({}), good)).slice(0, -4), 'decryption_failed'],
    ['a tag that is missing', async () => (await theirs(text({}), good)).replace(/[^.]*$/, ''), 'decryption_failed'],
  ])('is refused with %s', async (_what, make, code) => {
    const compact = await make()
    expect(await codeOf(() => open(compact, { kid: own.publicJwk.kid }))).toBe(code)
  })

  it('is refused compressed, unless it may be, and then never grows past a mebibyte', async () => {
    const zipped = await theirs(text({ a: 'b'.repeat(1_000) }), { ...good, zip: 'DEF' })
    expect(await codeOf(() => open(zipped))).toBe('encryption_refused')
    expect((await open(zipped, { zip: true })).payload).toEqual({ a: 'b'.repeat(1_000) })
    const large = text({ a: ' '.repeat(20_000_000) })
    expect(deflateRawSync(large).length).toBeLessThan(30_000)
    const bomb = await theirs(large, { ...good, zip: 'DEF' })
    expect(await codeOf(() => open(bomb, { zip: true }))).toBe('decryption_failed')
    const other = rewritten(await theirs(text({}), good), { zip: 'LZ' })
    expect(await codeOf(() => open(other, { zip: true }))).toBe('encryption_refused')
  })
})

describe('a key to encrypt to', () => {
  const { publicJwk } = own

  it('is named by its thumbprint (RFC 7638), and every one is new', async () => {
    expect(publicJwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ECDH-ES', use: 'enc' })
    expect(encryptionThumbprint(publicJwk).toString('base64url')).toBe(publicJwk.kid)
    expect(publicJwk).not.toHaveProperty('d')
    expect((await newEncryptionKey()).publicJwk.kid).not.toBe(publicJwk.kid)
  })

  it('has the thumbprint that OpenID4VP 1.0 appendix B.2.6.1 gives for its example', () => {
    const jwk = {
      ...({ kty: 'EC', crv: 'P-256' } as const),
      x: 'DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0',
      y: 'XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc',
    } as const
    expect(encryptionThumbprint(jwk).toString('hex')).toBe(
      '4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047',
    )
  })

  it('is the first of a set that can be used (OpenID4VP 1.0, section 8.3)', () => {
    const { use: _use, ...unsaid } = publicJwk
    const keys = [
      { kty: 'OKP', crv: 'X25519', alg: 'ECDH-ES', x: 'A' },
      { ...publicJwk, use: 'sig' },
      unsaid,
      publicJwk,
    ]
    expect(chooseEncryptionKey({ keys })).toEqual(unsaid)
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no keys', { keys: [] }],
    ['keys that are none', { keys: [null, 1, 'x', []] }],
    ['a key without alg', { keys: [{ ...publicJwk, alg: undefined }] }],
    ['a key for signatures', { keys: [{ ...publicJwk, use: 'sig' }] }],
    ['a key of another curve', { keys: [{ ...publicJwk, crv: 'P-384' }] }],
    ['a private key', { keys: [own.privateJwk] }],
    ['a key whose kid is no text', { keys: [{ ...publicJwk, kid: 1 }] }],
    ['coordinates that are too short', { keys: [{ ...publicJwk, x: 'AA' }] }],
  ])('is missing in %s', async (_what, jwks) => {
    expect(await codeOf(() => chooseEncryptionKey(jwks))).toBe('encryption_key_missing')
  })

  it('that is no point is refused when something is encrypted to it', async () => {
    const jwk = { ...publicJwk, y: 'A'.repeat(43) }
    expect(await codeOf(() => encryptJwe({}, { jwk, enc: 'A128GCM' }))).toBe('encryption_key_missing')
  })

  it('is used with the strongest encryption that both know; A128GCM where nothing is said', async () => {
    expect(chooseContentEncryption(undefined)).toBe('A128GCM')
    expect(chooseContentEncryption(['A128GCM', 'A256GCM'])).toBe('A256GCM')
    expect(chooseContentEncryption(['A128CBC-HS256', 'A128GCM'])).toBe('A128GCM')
    expect(await codeOf(() => chooseContentEncryption(['A128CBC-HS256']))).toBe('encryption_refused')
    expect(await codeOf(() => chooseContentEncryption([]))).toBe('encryption_refused')
  })
})
