import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { openDpop } from '../../src/identity/dpop.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import { dpopProof, type Key, newKey, sha256, signJwt, walletClock } from '../holder.ts'

const clock = { time: 1_760_000_000_000, now: () => clock.time }
const secret = Buffer.alloc(32, 1)
const key = newKey()
const token = 'gs_token'
const call = { method: 'POST', url: 'https://office.example/act' }
const expected = { ...call, tokenSha256: sha256(token), thumbprint: key.thumbprint, nonce: 'needed' as const }
const minute = 60_000

let dpop = openDpop({ clock, secret })
beforeAll(() => {
  walletClock.now = clock.now
})
beforeEach(() => {
  dpop = openDpop({ clock, secret })
})
afterAll(() => {
  walletClock.now = () => Date.now()
})

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'good'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}
const proof = (changes: Record<string, unknown> = {}, by: Key = key) =>
  dpopProof(by, { ...call, token, nonce: dpop.nonce(), ...changes })
const judged = (text: string) => codeOf(dpop.verify(text, expected))

describe('a proof of possession', () => {
  it('names its key and itself, and is good once', async () => {
    const text = proof()
    const shown = await dpop.verify(text, expected)
    expect(shown).toEqual({
      thumbprint: key.thumbprint,
      id: expect.stringMatching(/^.{43}$/),
      expires: clock.time + 2 * minute,
    })
    expect(await judged(text)).toBe('proof_replayed')
    expect(await judged(proof())).toBe('good')
  })

  it('is for the path that was called, not for the one that its dots lead to', async () => {
    const url = 'https://office.example/acts/%2e%2e'
    const other = proof({ url: 'https://office.example/' })
    expect(await codeOf(dpop.verify(other, { ...expected, url }))).toBe('proof_mismatch')
    expect(await codeOf(dpop.verify(proof({ url }), { ...expected, url }))).toBe('good')
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['another method', { method: 'GET' }, 'proof_mismatch'],
    ['another path', { url: 'https://office.example/other' }, 'proof_mismatch'],
    ['another host', { url: 'https://office.example.evil/act' }, 'proof_mismatch'],
    ['no address', { htu: 7 }, 'proof_mismatch'],
    ['another token', { token: 'gs_other' }, 'proof_mismatch'],
    ['no token', { ath: undefined }, 'proof_mismatch'],
    ['an address with a query', { url: 'https://OFFICE.example/act?x=1#y' }, 'good'],
    ['no nonce', { nonce: undefined }, 'use_dpop_nonce'],
    ['a nonce of nobody', { nonce: 'AAAA' }, 'use_dpop_nonce'],
    ['a nonce as long as ours, of longer letters', { nonce: 'é'.repeat(24) }, 'use_dpop_nonce'],
    ['a nonce that is no text', { nonce: 7 }, 'proof_malformed'],
    ['no id', { jti: '' }, 'proof_malformed'],
    ['a long id', { jti: 'x'.repeat(129) }, 'proof_malformed'],
    ['no time', { iat: 'now' }, 'proof_malformed'],
    ['an old time', { iat: clock.time / 1_000 - 121 }, 'proof_expired'],
    ['a time to come', { iat: clock.time / 1_000 + 61 }, 'proof_expired'],
  ])('for %s is %3$s', async (_what, changes, code) => {
    expect(await judged(proof(changes))).toBe(code)
  })

  it('by another key than the token’s is refused, and so is a forged signature', async () => {
    expect(await judged(proof({}, newKey()))).toBe('proof_key_mismatch')
    const [header, payload] = proof().split('.')
    const foreign = proof({}, { ...newKey(), jwk: key.jwk })
    expect(await judged(foreign)).toBe('proof_malformed')
    expect(await judged(`${header}.${payload}.${'A'.repeat(86)}`)).toBe('proof_malformed')
  })

  it.each<[string, () => Record<string, unknown>]>([
    ['another typ', () => ({ typ: 'JWT', jwk: key.jwk })],
    ['no key', () => ({ typ: 'dpop+jwt' })],
    ['a private key', () => ({ typ: 'dpop+jwt', jwk: { ...key.jwk, d: 'AAAA' } })],
    ['another algorithm', () => ({ typ: 'dpop+jwt', jwk: key.jwk, alg: 'EdDSA' })],
    ['no algorithm', () => ({ typ: 'dpop+jwt', jwk: key.jwk, alg: 'none' })],
    ['critical extensions', () => ({ typ: 'dpop+jwt', jwk: key.jwk, crit: ['x'] })],
    ['a key of another curve', () => ({ typ: 'dpop+jwt', alg: 'ES256K', jwk: secpKey() })],
  ])('with %s in its header is not read', async (_what, header) => {
    const payload = {
      jti: 'one',
      htm: call.method,
      htu: call.url,
      iat: clock.time / 1_000,
      nonce: dpop.nonce(),
      ath: sha256(token),
    }
    expect(await judged(signJwt(header(), payload, key))).toBe('proof_malformed')
  })

  it('is refused for whatever text comes instead', async () => {
    const near = proof()
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ maxLength: 300 }),
          fc
            .tuple(fc.nat(near.length - 1), fc.string({ maxLength: 3 }))
            .map(([at, text]) => near.slice(0, at) + text + near.slice(at + 1)),
        ),
        async text => {
          fc.pre(text !== near)
          expect(await judged(text)).toMatch(/^(proof_|use_dpop_nonce)/)
        },
      ),
    )
    expect(await judged('a'.repeat(10_000))).toBe('proof_malformed')
  })

  it('carries a nonce that is good in its minute and the next, in every process', async () => {
    clock.time = Math.ceil(clock.time / minute) * minute
    const nonce = dpop.nonce()
    const second = openDpop({ clock, secret })
    expect(second.nonce()).toBe(nonce)
    clock.time += minute
    const shown = await dpop.verify(proof({ nonce }), expected)
    expect(shown.nonce).toBe(dpop.nonce())
    expect(dpop.nonce()).not.toBe(nonce)
    clock.time += minute
    expect(await judged(proof({ nonce }))).toBe('use_dpop_nonce')
  })

  it('is remembered for as long as its nonce lasts, wherever in a minute it comes', async () => {
    clock.time = Math.ceil(clock.time / minute) * minute
    for (const start of [0, 59_000]) {
      clock.time += start
      const text = proof()
      const codes: string[] = []
      for (let step = 0; step < 5; step++) {
        codes.push(await judged(text))
        clock.time += minute / 2
      }
      expect(codes.filter(code => code === 'good')).toHaveLength(1)
      expect(new Set(codes.slice(1))).toEqual(new Set(['proof_replayed', 'use_dpop_nonce']))
      clock.time = Math.ceil(clock.time / minute) * minute
    }
  })

  it('is not remembered where the call uses something else up', async () => {
    const text = proof()
    const lax = { ...expected, nonce: 'optional' as const }
    expect([await codeOf(dpop.verify(text, lax)), await codeOf(dpop.verify(text, lax))]).toEqual(['good', 'good'])
  })
})

const secpKey = () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  return publicKey.export({ format: 'jwk' })
}
