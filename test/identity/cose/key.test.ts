import { createECDH, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import fc from 'fast-check'
import { decode, encode } from '../../../src/identity/cbor.ts'
import { coseKeyOf, jwkOfCoseKey } from '../../../src/identity/cose/key.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'good'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

const jwkOf = (curve: string): JsonWebKey => {
  const pair =
    curve === 'Ed25519' || curve === 'X25519'
      ? generateKeyPairSync(curve.toLowerCase() as 'ed25519')
      : generateKeyPairSync('ec', { namedCurve: curve })
  return pair.publicKey.export({ format: 'jwk' })
}
const point = createECDH('prime256v1')
point.generateKeys()
const [x, y] = [point.getPublicKey().subarray(1, 33), point.getPublicKey().subarray(33)]
const key = (changes: [number, unknown][] = []) =>
  new Map<number, unknown>([[1, 2], [-1, 1], [-2, x], [-3, y], ...changes])
const without = (label: number) => new Map([...key()].filter(([each]) => each !== label))

describe('a COSE_Key (RFC 9052, section 7; RFC 9053, section 7)', () => {
  it.each(['P-256', 'P-384', 'secp256k1', 'Ed25519', 'X25519'])('and a JWK are one key: %s', curve => {
    const jwk = jwkOf(curve)
    expect(jwkOfCoseKey(decode(encode(coseKeyOf(jwk))))).toEqual(jwk)
    expect(coseKeyOf(jwk, Buffer.from('one')).get(2)).toEqual(Buffer.from('one'))
  })

  it('is that of RFC 9052, appendix C.7.1', () => {
    const text =
      'a5200121582065eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d2258201e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c010202582 46d65726961646f632e6272616e64796275636b406275636b6c616e642e6578616d706c65'.replaceAll(
        ' ',
        '',
      )
    expect(jwkOfCoseKey(decode(Buffer.from(text, 'hex')))).toEqual({
      kty: 'EC',
      crv: 'P-256',
      x: 'Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0',
      y: 'HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw',
    })
  })

  it('may carry the sign of y for y (RFC 9053, section 7.1.1)', () => {
    const isOdd = ((y[31] as number) & 1) === 1
    expect(jwkOfCoseKey(key([[-3, isOdd]]))).toEqual(jwkOfCoseKey(key()))
    expect(jwkOfCoseKey(key([[-3, !isOdd]]))).not.toEqual(jwkOfCoseKey(key()))
  })

  const table: Record<string, unknown> = {
    'no map': { kty: 2 },
    'no type': without(1),
    'no curve': without(-1),
    'no x': without(-2),
    'no y': without(-3),
    'a curve of another type': key([[1, 1]]),
    'a curve that is not known (P-521)': key([[-1, 3]]),
    'a short x': key([[-2, x.subarray(1)]]),
    'x as text': key([[-2, x.toString('hex')]]),
    'a point beside its curve': key([[-3, x]]),
    'the sign of y for an x beside the curve': key([
      [-2, Buffer.alloc(32, 255)],
      [-3, true],
    ]),
    'a private key': key([[-4, x]]),
  }
  it.each(Object.keys(table))('is refused: %s', name => {
    expect(codeOf(() => jwkOfCoseKey(table[name]))).toBe('key_malformed')
  })

  it.each([
    {},
    { kty: 'EC', crv: 'P-521', x: 'AA', y: 'AA' },
    { kty: 'OKP', crv: 'P-256', x: 'AA', y: 'AA' },
    { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' },
    { kty: 'OKP', crv: 'Ed25519' },
    { ...jwkOf('Ed25519'), d: 'AA' },
  ])('is not made of %j', jwk => {
    expect(codeOf(() => coseKeyOf(jwk as JsonWebKey))).toBe('key_malformed')
  })

  it('is never more than refused, whatever a map holds', () => {
    const value = fc.oneof(fc.integer(), fc.boolean(), fc.constant(x), fc.uint8Array({ maxLength: 40 }), fc.string())
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), value), { maxLength: 5 }), changes => {
        expect(['good', 'key_malformed']).toContain(codeOf(() => jwkOfCoseKey(key(changes))))
      }),
    )
  })
})
