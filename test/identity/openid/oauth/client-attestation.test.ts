import { createHash, createPublicKey, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { openAttesters } from '../../../../src/identity/openid/attesters.ts'
import {
  type ClientAttestationNeeds,
  openClientAttestations,
} from '../../../../src/identity/openid/oauth/client-attestation.ts'
import { type Authority, makeAccessCertificate } from '../../../../src/identity/x509/make.ts'
import { Refusal } from '../../../../src/kernel/refusal.ts'
import { type Key, newKey, signJwt } from '../../../holder.ts'
import { makeAuthority } from '../../x509/authority.ts'

type Members = Record<string, unknown>

const audience = 'https://agency.example/agency'
const now = Date.parse('2026-06-15T10:00:00Z')
const seconds = now / 1_000
const [provider, instance, other] = [newKey(), newKey(), newKey()]

let root: Authority
let x5c: string[]
beforeAll(async () => {
  root = await makeAuthority()
  const certificate = await makeAccessCertificate({
    ...{ notBefore: now - 86_400_000, notAfter: now + 86_400_000, authority: root },
    ...{ publicKey: createPublicKey(provider.privateKey), commonName: 'Provider', hosts: ['provider.example'] },
  })
  x5c = [Buffer.from(certificate).toString('base64')]
})

const open = (more: Partial<ClientAttestationNeeds> & { haip?: boolean; at?: number } = {}) => {
  const { haip = false, at = now, ...rest } = more
  const keys = [{ ...provider.jwk, kid: 'provider-1' }]
  return openClientAttestations({
    ...{ audience, secret: Buffer.alloc(32, 7), challengeNeeded: false, clock: { now: () => at } },
    attesters: openAttesters({ anchors: [root.certificate], keys }, { haip }),
    ...rest,
  })
}

const attestation = (claims: Members = {}, header: Members = {}, by: Key = provider): string =>
  signJwt(
    { typ: 'oauth-client-attestation+jwt', kid: 'provider-1', ...header },
    {
      ...{ iss: 'https://provider.example', sub: 'https://wallet.example', exp: seconds + 3_600 },
      ...{ cnf: { jwk: instance.jwk }, ...claims },
    },
    by,
  )
const pop = (claims: Members = {}, header: Members = {}, by: Key = instance): string =>
  signJwt(
    { typ: 'oauth-client-attestation-pop+jwt', ...header },
    { iss: 'https://wallet.example', aud: audience, jti: randomUUID(), iat: seconds, ...claims },
    by,
  )

describe('wallet attestations (attestation-based client authentication, draft 07, sections 5 and 10)', () => {
  it('name the wallet, its instance by its key, and the proof that counts once', async () => {
    const proof = pop({ jti: 'j-1' })
    const judged = await open().judge({ attestation: attestation({ wallet_name: 'Wallet X' }), pop: proof })
    expect(judged).toEqual({
      ...{ clientId: 'https://wallet.example', instance: instance.thumbprint, name: 'Wallet X' },
      proof: {
        id: createHash('sha256').update(`client attestation ${instance.thumbprint}.j-1`).digest('base64url'),
        expires: expect.any(Number),
      },
    })
    expect(judged.proof.expires).toBeGreaterThan(now)
  })

  it('may be used again and again, with a proof of its own each time (section 12.2)', async () => {
    const statement = attestation()
    const ids = await Promise.all(
      [1, 2].map(async () => (await open().judge({ attestation: statement, pop: pop() })).proof.id),
    )
    expect(new Set(ids).size).toBe(2)
  })

  it('count under a certificate of a trusted authority (HAIP 1.0, section 4.4.1)', async () => {
    const statement = attestation({}, { kid: undefined, x5c })
    await expect(open({ haip: true }).judge({ attestation: statement, pop: pop() })).resolves.toBeDefined()
    await expect(open({ haip: true }).judge({ attestation: attestation(), pop: pop() })).rejects.toMatchObject({
      code: 'attestation_refused',
    })
  })

  it('may be meant for several servers', async () => {
    const aud = ['https://other.example', audience]
    await expect(open().judge({ attestation: attestation(), pop: pop({ aud }) })).resolves.toBeDefined()
  })

  it('like the one that OpenID4VCI 1.0 prints are good, but for the proof, whose key nobody else has', async () => {
    const { walletAttestation } = JSON.parse(readFileSync(new URL('published.json', import.meta.url), 'utf8')) as {
      walletAttestation: string
    }
    const [head = ''] = walletAttestation.split('.')
    const { x5c: chain } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { x5c: string[] }
    const anchors = chain.map(certificate => Buffer.from(certificate, 'base64'))
    const at = 1_755_100_000_000
    const judge = (keyOfProof: Key, anchored: Uint8Array[]) =>
      open({ at, attesters: openAttesters({ anchors: anchored, keys: [] }, { haip: false }) }).judge({
        attestation: walletAttestation,
        pop: pop({ iss: 'https://wallet.example.com', iat: at / 1_000 }, {}, keyOfProof),
      })
    await expect(judge(instance, anchors)).rejects.toMatchObject({
      message: 'The proof is not signed by the key of the attestation (cnf).',
    })
    await expect(judge(instance, [root.certificate])).rejects.toMatchObject({
      message: expect.stringContaining('authority that is trusted'),
    })
  })

  const bad: [string, () => { attestation?: string; pop?: string }][] = [
    ['of another typ', () => ({ attestation: attestation({}, { typ: 'JWT' }) })],
    [
      'whose typ is that of its proof',
      () => ({ attestation: attestation({}, { typ: 'oauth-client-attestation-pop+jwt' }) }),
    ],
    ['without a signature', () => ({ attestation: attestation({}, { alg: 'none' }) })],
    ['with a MAC', () => ({ attestation: attestation({}, { alg: 'HS256' }) })],
    ['of an algorithm that is not listed', () => ({ attestation: attestation({}, { alg: 'ES256K' }) })],
    ['without an issuer', () => ({ attestation: attestation({ iss: undefined }) })],
    ['without a subject', () => ({ attestation: attestation({ sub: undefined }) })],
    ['whose subject is no client_id', () => ({ attestation: attestation({ sub: 'é' }), pop: pop({ iss: 'é' }) })],
    ['without an end', () => ({ attestation: attestation({ exp: undefined }) })],
    ['that has expired', () => ({ attestation: attestation({ exp: seconds - 3_600 }) })],
    ['that begins later', () => ({ attestation: attestation({ nbf: seconds + 3_600 }) })],
    ['from the future', () => ({ attestation: attestation({ iat: seconds + 3_600 }) })],
    ['without a key', () => ({ attestation: attestation({ cnf: undefined }) })],
    ['with a key by its thumbprint', () => ({ attestation: attestation({ cnf: { jkt: instance.thumbprint } }) })],
    ['with a private key', () => ({ attestation: attestation({ cnf: { jwk: { ...instance.jwk, d: 'AAAA' } } }) })],
    [
      'with a point off the curve',
      () => ({ attestation: attestation({ cnf: { jwk: { ...instance.jwk, y: instance.jwk['x'] } } }) }),
    ],
    ['by a provider that nobody trusts', () => ({ attestation: attestation({}, {}, other) })],
    ['by a key id that nobody knows', () => ({ attestation: attestation({}, { kid: 'provider-2' }) })],
    ['without a key id', () => ({ attestation: attestation({}, { kid: undefined }) })],
    ['by the wallet itself', () => ({ attestation: attestation({}, {}, instance) })],
    ['with a certificate of another key', () => ({ attestation: attestation({}, { kid: undefined, x5c }, other) })],
    ['with a status that nobody can look up', () => ({ attestation: attestation({ status: { status_list: {} } }) })],
    ['that is no JWT', () => ({ attestation: 'x.y' })],
    ['that is too long', () => ({ attestation: attestation({ filler: 'x'.repeat(20_000) }) })],
    ['twice in one header', () => ({ attestation: `${attestation()}, ${attestation()}` })],
  ]
  it.each(bad)('%s are refused', async (_, parts) => {
    const given = { attestation: attestation(), pop: pop(), ...parts() }
    await expect(open().judge(given)).rejects.toMatchObject({
      ...{ kind: 'unauthenticated', code: 'attestation_refused', facts: { error: 'invalid_client' } },
    })
  })

  const badProofs: [string, () => string][] = [
    ['of another typ', () => pop({}, { typ: 'dpop+jwt' })],
    ['by another key', () => pop({}, {}, other)],
    ['by the provider', () => pop({}, {}, provider)],
    ['of another wallet', () => pop({ iss: 'https://other.example' })],
    ['without a wallet', () => pop({ iss: undefined })],
    ['for another server', () => pop({ aud: 'https://other.example' })],
    ['for an endpoint of the server', () => pop({ aud: `${audience}/openid4vci/token` })],
    ['for nobody', () => pop({ aud: undefined })],
    ['without an id', () => pop({ jti: undefined })],
    ['with an endless id', () => pop({ jti: 'x'.repeat(300) })],
    ['without a date', () => pop({ iat: undefined })],
    ['with a date that is none', () => pop({ iat: 'now' })],
    ['that is too old', () => pop({ iat: seconds - 301 })],
    ['from the future', () => pop({ iat: seconds + 3_600 })],
    ['that begins later', () => pop({ nbf: seconds + 3_600 })],
    ['that has expired', () => pop({ exp: seconds - 3_600 })],
    ['that was changed', () => pop().replace(/.$/, last => (last === 'A' ? 'Q' : 'A'))],
  ]
  it.each(badProofs)('are refused with a proof %s', async (_, proof) => {
    await expect(open().judge({ attestation: attestation(), pop: proof() })).rejects.toMatchObject({
      code: 'attestation_refused',
    })
  })

  it('keep their own name for what cannot be known now', async () => {
    const judgeStatus = async () => {
      throw new Refusal('unavailable', 'status_unavailable', 'Not now.')
    }
    const given = { attestation: attestation({ status: { status_list: {} } }), pop: pop() }
    await expect(open({ judgeStatus }).judge(given)).rejects.toMatchObject({ code: 'status_unavailable' })
    await expect(open({ judgeStatus: async () => undefined }).judge(given)).resolves.toBeDefined()
  })

  describe('and challenges (section 8)', () => {
    it('that this server gave are answered, in any process with its secret', async () => {
      const challenge = open().challenge()
      const strict = open({ challengeNeeded: true })
      await expect(strict.judge({ attestation: attestation(), pop: pop({ challenge }) })).resolves.toBeDefined()
    })

    it.each<[string, (challenge: string) => Members]>([
      ['is missing where one is needed', () => ({})],
      ['is of somebody else', () => ({ challenge: 'c'.repeat(51) })],
      ['is no text', () => ({ challenge: 7 })],
      ['was changed', challenge => ({ challenge: `${challenge.startsWith('A') ? 'B' : 'A'}${challenge.slice(1)}` })],
      ['is spelled otherwise', challenge => ({ challenge: `${challenge}=` })],
      ['is empty', () => ({ challenge: '' })],
    ])('get a fresh one when theirs %s', async (_, claims) => {
      const strict = open({ challengeNeeded: true })
      const proof = pop(claims(strict.challenge()))
      const refused = strict.judge({ attestation: attestation(), pop: proof })
      await expect(refused).rejects.toMatchObject({ code: 'use_attestation_challenge' })
      const { challenge } = (await refused.catch(({ facts }: Refusal) => facts)) as { challenge: string }
      await expect(strict.judge({ attestation: attestation(), pop: pop({ challenge }) })).resolves.toBeDefined()
    })

    it('last five minutes, and one of another secret is none', async () => {
      const late = open({ at: now + 300_000, challengeNeeded: true })
      const fresh = { iat: seconds + 300 }
      const judge = (challenge: string) => late.judge({ attestation: attestation(), pop: pop({ ...fresh, challenge }) })
      await expect(judge(open().challenge())).rejects.toMatchObject({ code: 'use_attestation_challenge' })
      const foreign = open({ at: now + 300_000, secret: Buffer.alloc(32, 8) }).challenge()
      await expect(judge(foreign)).rejects.toMatchObject({ code: 'use_attestation_challenge' })
      await expect(judge(late.challenge())).resolves.toBeDefined()
    })
  })

  it('are good or refused, and never anything else, whatever is sent', async () => {
    const text = fc.oneof(
      fc.string(),
      fc.constant(attestation()),
      fc.constant(pop()),
      fc
        .tuple(fc.json(), fc.json())
        .map(parts => `${parts.map(part => Buffer.from(part).toString('base64url')).join('.')}.AAAA`),
    )
    await fc.assert(
      fc.asyncProperty(text, text, async (one, another) => {
        await open()
          .judge({ attestation: one, pop: another })
          .catch(error => expect(error).toBeInstanceOf(Refusal))
      }),
      { numRuns: 60 },
    )
  })
})
