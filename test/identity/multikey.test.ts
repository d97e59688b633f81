import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { base58ToBytes, bytesToBase58 } from '@veramo/utils'
import fc from 'fast-check'
import { didJwkOf, didKeyOf, localDocument, parseLocalDid, parseLocalMethod } from '../../src/identity/did-local.ts'
import { keyInDocument } from '../../src/identity/did-web.ts'
import { derOf, rawOf } from '../../src/identity/ecdsa-form.ts'
import { publicKeyFromJwk } from '../../src/identity/key-material.ts'
import { fromBase58btc, toBase58btc } from '../../src/identity/multibase.ts'
import { fromMultikey, keyOfMethod, signingKey, toMultikey } from '../../src/identity/multikey.ts'

type Vector = { did: string; jwk?: { kty: string; crv: string }; base58?: string }
const published = JSON.parse(readFileSync(new URL('vectors/did-key.json', import.meta.url), 'utf8')) as Vector[]
/** How the identifiers of a kind begin (the did:key method, section 5). */
const kindOf = (did: string): string | undefined =>
  Object.entries({
    ...{ z6Mk: 'Ed25519', zQ3s: 'secp256k1', zDn: 'P-256', z82: 'P-384', z2J9: 'P-521' },
    zUC7: 'BLS12-381-G2',
  }).find(([start]) => did.slice(8).startsWith(start))?.[1]
const known = published.filter(({ did }) => kindOf(did) !== undefined)
const malformed = expect.objectContaining({ kind: 'malformed', code: 'key_malformed' })

describe('the published did:key vectors', () => {
  it.each(known)('$did is read and written', ({ did, jwk, base58 }) => {
    const local = parseLocalMethod(did)
    expect(local?.key.kind).toBe(kindOf(did))
    expect(local === undefined ? '' : `did:key:${toMultikey(local.key)}`).toBe(did)
    if (jwk !== undefined) {
      expect(didKeyOf(publicKeyFromJwk(jwk))).toBe(did)
      expect(parseLocalDid(did)?.key.jwk).toEqual(jwk)
    }
    if (base58 !== undefined) expect(bytesToBase58(local?.key.raw ?? new Uint8Array())).toBe(base58)
  })

  it.each(published.filter(each => !known.includes(each)))('$did is of a kind that signs nothing here', ({ did }) => {
    expect(parseLocalMethod(did)).toBeUndefined()
    expect(parseLocalDid(did)).toBeUndefined()
  })

  it('of BLS12-381 signs nothing but BBS proofs', () => {
    const bbs = known.find(({ did }) => kindOf(did) === 'BLS12-381-G2')?.did ?? ''
    expect(parseLocalDid(bbs)).toBeUndefined()
    expect(parseLocalMethod(bbs)?.key).toMatchObject({ algorithm: 'BBS' })
  })

  it('have documents whose method is a Multikey, and those of did:jwk a JsonWebKey2020', () => {
    for (const { did } of known) {
      const local = parseLocalMethod(did)
      if (local === undefined) throw new Error(did)
      const id = `${did}#${did.slice(8)}`
      const document = localDocument(local)
      expect(document).toMatchObject({
        id: did,
        verificationMethod: [{ id, type: 'Multikey', controller: did, publicKeyMultibase: did.slice(8) }],
        assertionMethod: [id],
        authentication: [id],
      })
      expect(keyOfMethod({ ...document.verificationMethod?.[0] }).raw).toEqual(local.key.raw)
    }
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const jwk = publicKey.export({ format: 'jwk' })
    const did = didJwkOf({ jwk })
    const local = parseLocalMethod(did)
    if (local === undefined) throw new Error(did)
    expect(localDocument(local).verificationMethod).toMatchObject([
      { id: `${did}#0`, type: 'JsonWebKey2020', publicKeyJwk: jwk },
    ])
  })
})

describe('a Multikey is refused', () => {
  const p384 = known.find(({ did }) => kindOf(did) === 'P-384')?.did.slice(8) ?? ''
  const off = Buffer.concat([Buffer.from('8124', 'hex'), Buffer.of(2), Buffer.alloc(48, 0xff)])
  const infinity = Buffer.concat([Buffer.from('eb01', 'hex'), Buffer.of(0xc0), Buffer.alloc(95)])
  const uncompressed = Buffer.concat([Buffer.from('eb01', 'hex'), Buffer.alloc(96, 1)])

  it.each([
    ['without a prefix of multibase', p384.slice(1)],
    ['in another base', `f${Buffer.from(fromBase58btc(p384, 60) ?? '').toString('hex')}`],
    ['of no octets', 'z'],
    ['cut off', p384.slice(0, -2)],
    ['with a secret key', toBase58btc(Buffer.concat([Buffer.from('8726', 'hex'), Buffer.alloc(48, 1)]))],
    ['off its curve', toBase58btc(off)],
    ['at infinity', toBase58btc(infinity)],
    ['that is not compressed', toBase58btc(uncompressed)],
    ['that is long without end', `z${'2'.repeat(1_000_000)}`],
    ['with letters that base58 has not', `${p384.slice(0, -1)}0`],
  ])('%s', (_, text) => {
    expect(() => fromMultikey(text)).toThrow(malformed)
  })

  it('of the wrong length for its kind', () => {
    expect(() => signingKey('P-384', Buffer.alloc(33, 2))).toThrow(malformed)
    expect(() => signingKey('BLS12-381-G2', Buffer.alloc(95, 0x80))).toThrow(malformed)
    expect(() => signingKey('Ed25519', Buffer.alloc(33))).toThrow(malformed)
  })
})

describe('a verification method', () => {
  const ed = known.find(({ did }) => kindOf(did) === 'Ed25519')?.did.slice(8) ?? ''
  const p256 = known.find(({ did }) => kindOf(did) === 'P-256')?.did.slice(8) ?? ''
  const jwk = publicKeyFromJwk(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })).jwk

  it('gives its key as Multikey, Ed25519VerificationKey2020, JsonWebKey and JsonWebKey2020', () => {
    expect(keyOfMethod({ type: 'Multikey', publicKeyMultibase: p256 })).toMatchObject({ algorithm: 'ES256' })
    expect(keyOfMethod({ type: 'Ed25519VerificationKey2020', publicKeyMultibase: ed }).kind).toBe('Ed25519')
    for (const type of ['JsonWebKey', 'JsonWebKey2020']) {
      expect(keyOfMethod({ type, publicKeyJwk: jwk })).toMatchObject({ algorithm: 'EdDSA' })
    }
  })

  it.each<[string, Record<string, unknown>]>([
    ['without a key', { type: 'Multikey' }],
    ['with two', { type: 'Multikey', publicKeyMultibase: ed, publicKeyJwk: jwk }],
    ['of no type', { publicKeyMultibase: ed }],
    ['of another type', { type: 'Bls12381G2Key2020', publicKeyMultibase: ed }],
    ['whose type is for other keys', { type: 'Ed25519VerificationKey2020', publicKeyMultibase: p256 }],
    ['whose type is for other forms', { type: 'Multikey', publicKeyJwk: jwk }],
    ['whose key is a number', { type: 'Multikey', publicKeyMultibase: 1 }],
    ['whose JWK is a text', { type: 'JsonWebKey', publicKeyJwk: 'x' }],
    ['whose JWK is null', { type: 'JsonWebKey', publicKeyJwk: null }],
    ['whose JWK is private', { type: 'JsonWebKey', publicKeyJwk: { ...jwk, d: 'AAAA' } }],
    ['that gives its secret away', { type: 'Multikey', publicKeyMultibase: ed, secretKeyMultibase: ed }],
  ])('is refused %s', (_, method) => {
    expect(() => keyOfMethod(method)).toThrow(malformed)
  })
})

describe('a did:web document', () => {
  const id = 'did:web:example.org'
  const methods = known.map(({ did }, at) => ({
    id: `${id}#${at}`,
    type: 'Multikey',
    controller: id,
    publicKeyMultibase: did.slice(8),
  }))

  it('gives the keys that stand in it as Multikeys, but those of BLS12-381', () => {
    for (const [at, { did }] of known.entries()) {
      const key = keyInDocument({ id, verificationMethod: methods }, `${id}#${at}`)
      expect(key === undefined ? 'BLS12-381-G2' : didKeyOf(key)).toBe(
        kindOf(did) === 'BLS12-381-G2' ? 'BLS12-381-G2' : did,
      )
    }
    expect(keyInDocument({ id, verificationMethod: methods }, `${id}#none`)).toBeUndefined()
    const broken = { ...methods[0], publicKeyMultibase: 'z1' } as (typeof methods)[0]
    expect(keyInDocument({ id, verificationMethod: [broken] }, `${id}#0`)).toBeUndefined()
  })
})

describe('the forms of octets', () => {
  it('are, in base58-btc, those of another implementation, and read back', () => {
    const octets = fc
      .uint8Array({ maxLength: 120 })
      .map(bytes => (bytes.length % 3 === 0 ? bytes.fill(0, 0, 4) : bytes))
    fc.assert(
      fc.property(octets, bytes => {
        const text = toBase58btc(bytes)
        expect(text).toBe(`z${bytesToBase58(bytes)}`)
        expect(fromBase58btc(text, bytes.length)).toEqual(Buffer.from(base58ToBytes(text.slice(1))))
        if (bytes.length > 0) expect(fromBase58btc(text, bytes.length - 1)).toBeUndefined()
      }),
    )
  })

  it('of ECDSA signatures come back the same, leading zeros and all', () => {
    const number = (size: number) =>
      fc.tuple(fc.uint8Array({ minLength: size, maxLength: size }), fc.nat({ max: size - 1 })).map(([bytes, zeros]) => {
        bytes.fill(0, 0, zeros)
        return bytes
      })
    const raw = fc.constantFrom(32, 48).chain(size => fc.tuple(number(size), number(size)))
    fc.assert(
      fc.property(raw, ([r, s]) => {
        const octets = Buffer.concat([r, s])
        expect(rawOf(derOf(octets), r.length as 32 | 48)).toEqual(octets)
      }),
    )
  })
})
