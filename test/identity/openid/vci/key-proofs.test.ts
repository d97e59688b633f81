import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { openAttesters, type WalletProviders } from '../../../../src/identity/openid/attesters.ts'
import { judgeProofs, type ProofsExpected, proofAlgorithms } from '../../../../src/identity/openid/vci/key-proofs.ts'
import { invalidNonce } from '../../../../src/identity/openid/vci/refusals.ts'
import { type Authority, makeAccessCertificate } from '../../../../src/identity/x509/make.ts'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import { holderParty, jws, type Party, TestDids } from '../../world.ts'
import { makeAuthority } from '../../x509/authority.ts'

type Members = Record<string, unknown>

const issuer = 'https://issuer.example/agency'
const now = Date.parse('2026-06-15T10:00:00Z')
const seconds = now / 1_000
const nonces = ['nonce-1', 'nonce-2']

let root: Authority
let elsewhere: Authority
/** The key of a wallet's provider, and its certificate under the trusted root. */
const provider = holderParty()
let certificate: string
const listed = holderParty()

const base64 = (der: Uint8Array): string => Buffer.from(der).toString('base64')

const certify = async (authority: Authority, party: Party, times: { notAfter?: number } = {}): Promise<string> =>
  base64(
    await makeAccessCertificate({
      ...{ notBefore: now - 86_400_000, notAfter: now + 86_400_000, ...times, authority },
      ...{ publicKey: party.publicKey, commonName: 'Wallet provider', hosts: ['wallet.example'] },
    }),
  )

beforeAll(async () => {
  root = await makeAuthority()
  elsewhere = await makeAuthority({ commonName: 'Somebody else' })
  certificate = await certify(root, provider)
})

const expected = (more: Partial<ProofsExpected> = {}): ProofsExpected => ({
  ...{ audience: issuer, client: { id: undefined }, algorithms: proofAlgorithms, attestation: undefined, most: 5 },
  nonce: nonce => {
    if (!nonces.includes(nonce)) throw invalidNonce()
  },
  ...more,
})

type Trust = { haip?: boolean; providers?: WalletProviders | undefined; at?: number }

const judge = (proofs: unknown, more: Partial<ProofsExpected> = {}, trust: Trust = {}) => {
  const providers =
    'providers' in trust
      ? trust.providers
      : { anchors: [root.certificate], keys: [{ ...listed.jwk, kid: 'provider-1' }] }
  return judgeProofs(
    proofs,
    {
      ...{ dids: new TestDids(), clock: { now: () => trust.at ?? now } },
      attesters: providers && openAttesters(providers, { haip: trust.haip ?? false }),
    },
    expected(more),
  )
}

/** The code of the refusal and its sentence. */
const refused = async (judging: Promise<unknown>): Promise<string> => {
  try {
    await judging
    return 'nothing was refused'
  } catch (error) {
    if (!isRefusal(error)) throw error
    return `${error.code}: ${error.message}`
  }
}

type Parts = { claims?: Members; header?: Members; signer?: Party }

const proof = (holder: Party, { claims = {}, header = {}, signer = holder }: Parts = {}): string =>
  jws(
    { alg: holder.algorithm, typ: 'openid4vci-proof+jwt', jwk: holder.jwk, ...header },
    { aud: issuer, iat: seconds, nonce: 'nonce-1', ...claims },
    signer,
  )

const attestation = (keys: readonly Party[], { claims = {}, header = {}, signer = provider }: Parts = {}): string =>
  jws(
    { alg: 'ES256', typ: 'key-attestation+jwt', x5c: [certificate], ...header },
    {
      ...{ iat: seconds, exp: seconds + 3_600, nonce: 'nonce-1', attested_keys: keys.map(({ jwk }) => jwk) },
      ...{ key_storage: ['iso_18045_moderate'], user_authentication: ['iso_18045_high'], ...claims },
    },
    signer,
  )

const didJwk = (jwk: unknown): string => `did:jwk:${Buffer.from(JSON.stringify(jwk)).toString('base64url')}`

describe('key proofs of the type jwt (OpenID4VCI 1.0, appendix F.1)', () => {
  it('takes the key that the specification proves in its example', async () => {
    const published = JSON.parse(readFileSync(new URL('published.json', import.meta.url), 'utf8')) as {
      proof: { jwt: string; audience: string; nonce: string; iat: number }
    }
    const { jwt, audience, nonce, iat } = published.proof
    const asked = { audience, nonce: (given: string) => expect(given).toBe(nonce) }
    const { keys, nonces: answered } = await judge({ jwt: [jwt] }, asked, { at: iat * 1_000 })
    const { jwk } = JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as { jwk: Members }
    const { crv, kty, x, y } = jwk
    expect(keys.map(({ did }) => did)).toEqual([didJwk({ crv, kty, x, y })])
    expect(answered).toEqual([nonce])
  })

  it.each(['P-256', 'P-384', 'Ed25519'] as const)('takes a key on %s by jwk, kid or certificate', async kind => {
    const holder = holderParty(kind, 'jwk')
    expect((await judge({ jwt: [proof(holder)] })).keys).toEqual([
      { did: holder.did, thumbprint: holder.thumbprint, algorithm: holder.algorithm },
    ])
    const byKid = proof(holder, { header: { jwk: undefined, kid: holder.kid } })
    expect((await judge({ jwt: [byKid] })).keys[0]?.did).toBe(holder.did)
    if (kind === 'Ed25519') return
    const x5c = [await certify(elsewhere, holder)]
    const byCertificate = proof(holder, { header: { jwk: undefined, x5c } })
    expect((await judge({ jwt: [byCertificate] })).keys[0]?.did).toBe(holder.did)
  })

  it('binds a credential to each key of a batch, and to one that is proved twice only once', async () => {
    const holders = [holderParty(), holderParty(), holderParty('Ed25519')]
    const proofs = [...holders, holders[0] as Party].map(holder => proof(holder))
    const { keys } = await judge({ jwt: proofs })
    expect(keys.map(({ thumbprint }) => thumbprint)).toEqual(holders.map(({ thumbprint }) => thumbprint))
  })

  const holder = holderParty()
  it.each<[string, Parts]>([
    ['the typ of a key binding', { header: { typ: 'kb+jwt' } }],
    ['no typ', { header: { typ: undefined } }],
    ['the alg none', { header: { alg: 'none' } }],
    ['a symmetric alg', { header: { alg: 'HS256' } }],
    ['another alg than the key has', { header: { alg: 'EdDSA' } }],
    ['no key', { header: { jwk: undefined } }],
    ['two keys', { header: { kid: holder.kid } }],
    ['a private key in the header', { header: { jwk: { ...holder.jwk, d: 'AAAA' } } }],
    ['a symmetric key in the header', { header: { jwk: { ...holder.jwk, k: 'AAAA' } } }],
    ['a jwk that is no object', { header: { jwk: 'key' } }],
    ['a jwk off its curve', { header: { jwk: { ...holder.jwk, y: holder.jwk.x } } }],
    ['a kid that is no DID', { header: { jwk: undefined, kid: 'key-1' } }],
    ['a kid of nobody', { header: { jwk: undefined, kid: 'did:key:zNobody#zNobody' } }],
    ['x5c that is no certificate', { header: { jwk: undefined, x5c: ['AAAA'] } }],
    ['an empty x5c', { header: { jwk: undefined, x5c: [] } }],
    ['critical extensions', { header: { crit: ['exp'], exp: 1 } }],
    ['another audience', { claims: { aud: 'https://issuer.example/other' } }],
    ['a list of audiences', { claims: { aud: [issuer] } }],
    ['no audience', { claims: { aud: undefined } }],
    ['no iat', { claims: { iat: undefined } }],
    ['an iat of ten minutes ago', { claims: { iat: seconds - 600 } }],
    ['an iat in ten minutes', { claims: { iat: seconds + 600 } }],
    ['an iat that is a text', { claims: { iat: String(seconds) } }],
    ['no nonce', { claims: { nonce: undefined } }],
    ['an empty nonce', { claims: { nonce: '' } }],
    ['an iss of a wallet without client id', { claims: { iss: 'wallet' } }],
    ['the signature of another key', { signer: holderParty() }],
    ['a key attestation that is no JWT', { header: { key_attestation: {} } }],
  ])('refuses a proof with %s as invalid_proof', async (_what, parts) => {
    expect(await refused(judge({ jwt: [proof(holder, parts)] }))).toMatch(/^invalid_proof: /)
  })

  it('refuses a nonce that is none of the issuer’s as invalid_nonce, also in one proof of many', async () => {
    const wrong = proof(holder, { claims: { nonce: 'nonce-3' } })
    expect(await refused(judge({ jwt: [wrong] }))).toMatch(/^invalid_nonce: /)
    expect(await refused(judge({ jwt: [proof(holderParty()), wrong] }))).toMatch(/^invalid_nonce: /)
  })

  it('refuses proofs over several nonces, each of them good', async () => {
    const other = proof(holderParty(), { claims: { nonce: 'nonce-2' } })
    expect(await refused(judge({ jwt: [proof(holder), other] }))).toBe(
      'invalid_proof: The proofs of one request answer one c_nonce.',
    )
  })

  it('compares iss with the client id of the token', async () => {
    const named = proof(holder, { claims: { iss: 'wallet-1' } })
    expect((await judge({ jwt: [named] }, { client: { id: 'wallet-1' } })).keys).toHaveLength(1)
    expect(await refused(judge({ jwt: [named] }, { client: { id: 'wallet-2' } }))).toMatch(/^invalid_proof: iss/)
  })

  it.each<[string, unknown]>([
    ['no proofs', undefined],
    ['proofs that are a list', []],
    ['no type of proof', {}],
    ['two types of proof', { jwt: ['a'], attestation: ['b'] }],
    ['di_vp proofs', { di_vp: [{}] }],
    ['an empty list', { jwt: [] }],
    ['a JWT in place of a list', { jwt: 'a.b.c' }],
    ['a number', { jwt: [1] }],
    ['a text that is no JWT', { jwt: ['a.b'] }],
    ['two attestations', { attestation: ['a', 'b'] }],
  ])('refuses %s as invalid_proof', async (_what, proofs) => {
    expect(await refused(judge(proofs))).toMatch(/^invalid_proof: /)
  })

  it('refuses more proofs than a batch holds, and keys that the format has no use for', async () => {
    const many = Array.from({ length: 6 }, () => proof(holderParty()))
    expect(await refused(judge({ jwt: many }))).toBe('invalid_proof: One request has at most 5 proofs.')
    const unfit = judge({ jwt: [proof(holderParty('Ed25519'))] }, { algorithms: ['ES256'] })
    expect(await refused(unfit)).toMatch(
      /^invalid_proof: A credential of this configuration is bound to keys for ES256/,
    )
  })

  it('refuses every proof of which one bit is another', async () => {
    const good = proof(holderParty())
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.constantFrom(...'AZaz09-_.'), async (at, letter) => {
        const bad = good.slice(0, at) + letter + good.slice(at + 1)
        fc.pre(bad !== good)
        expect(await refused(judge({ jwt: [bad] }))).toMatch(/^invalid_(proof|nonce): /)
      }),
      { numRuns: 60 },
    )
  })
})

describe('key attestations (OpenID4VCI 1.0, appendices D.1 and F.3; HAIP 1.0, section 4.5.1)', () => {
  const [first, second, third] = [holderParty(), holderParty(), holderParty()]
  const attested = (parts: Parts = {}, keys = [first, second]): unknown => ({ attestation: [attestation(keys, parts)] })

  it('binds credentials to every attested key, without a proof of any', async () => {
    const { keys, nonces: answered } = await judge(attested())
    expect(keys.map(({ thumbprint }) => thumbprint)).toEqual([first.thumbprint, second.thumbprint])
    expect(answered).toEqual(['nonce-1'])
    expect((await judge(attested({ claims: { exp: undefined } }))).keys).toHaveLength(2)
  })

  it('binds them to every key that the attestation of a jwt proof attests, the proven one first', async () => {
    const header = { key_attestation: attestation([first, second]) }
    const { keys } = await judge({ jwt: [proof(second, { header })] }, { attestation: {} })
    expect(keys.map(({ thumbprint }) => thumbprint)).toEqual([second.thumbprint, first.thumbprint])
    const both = await judge({ jwt: [proof(first, { header }), proof(second, { header })] }, { attestation: {} })
    expect(both.keys).toHaveLength(2)
  })

  it('finds the key of a proof by its kid or its place in the attestation', async () => {
    const key_attestation = attestation([], { claims: { attested_keys: [first.jwk, { ...second.jwk, kid: 'b' }] } })
    for (const [kid, party] of [
      ['0', first],
      ['b', second],
    ] as const) {
      const { keys } = await judge({ jwt: [proof(party, { header: { jwk: undefined, kid, key_attestation } })] })
      expect(keys[0]?.thumbprint).toBe(party.thumbprint)
    }
    const nobody = proof(first, { header: { jwk: undefined, kid: '7', key_attestation } })
    expect(await refused(judge({ jwt: [nobody] }))).toBe('invalid_proof: The kid names no key of the key attestation.')
  })

  it('uses up both nonces where proof and attestation answer two', async () => {
    const header = { key_attestation: attestation([first], { claims: { nonce: 'nonce-2' } }) }
    expect((await judge({ jwt: [proof(first, { header })] })).nonces).toEqual(['nonce-1', 'nonce-2'])
  })

  it('trusts a provider by its key in the configuration, but not under HAIP, which wants certificates', async () => {
    const parts = { header: { x5c: undefined, kid: 'provider-1' }, signer: listed }
    expect((await judge(attested(parts))).keys).toHaveLength(2)
    expect(await refused(judge(attested(parts), {}, { haip: true }))).toMatch(/x5c; HAIP/)
  })

  it.each<[string, Parts]>([
    ['the typ of a proof', { header: { typ: 'openid4vci-proof+jwt' } }],
    ['no typ', { header: { typ: undefined } }],
    ['the alg none', { header: { alg: 'none' } }],
    ['no signer', { header: { x5c: undefined } }],
    ['a signer of an unknown name', { header: { x5c: undefined, kid: 'provider-2' }, signer: listed }],
    ['the signature of another', { signer: holderParty() }],
    ['no iat', { claims: { iat: undefined } }],
    ['an iat to come', { claims: { iat: seconds + 600 } }],
    ['an end in the past', { claims: { exp: seconds - 120 } }],
    ['no end, and issued the day before yesterday', { claims: { exp: undefined, iat: seconds - 172_800 } }],
    ['no nonce', { claims: { nonce: undefined } }],
    ['a nonce that is a number', { claims: { nonce: 1 } }],
    ['no keys', { claims: { attested_keys: [] } }],
    ['keys that are no list', { claims: { attested_keys: first.jwk } }],
    ['a key twice', { claims: { attested_keys: [first.jwk, first.jwk] } }],
    ['a private key', { claims: { attested_keys: [{ ...first.jwk, d: 'AAAA' }] } }],
    ['a key off its curve', { claims: { attested_keys: [{ ...first.jwk, y: first.jwk.x }] } }],
    [
      'too many keys for one request',
      { claims: { attested_keys: Array.from({ length: 6 }, () => holderParty().jwk) } },
    ],
    ['a key_storage that is a text', { claims: { key_storage: 'iso_18045_high' } }],
    ['a status that nobody can look up', { claims: { status: { status_list: { idx: 1, uri: 'https://a.example' } } } }],
  ])('refuses one with %s as invalid_proof', async (_what, parts) => {
    expect(await refused(judge(attested(parts)))).toMatch(/^invalid_proof: /)
  })

  it('refuses a nonce that is none of the issuer’s as invalid_nonce', async () => {
    const claims = { nonce: 'nonce-3' }
    expect(await refused(judge(attested({ claims })))).toMatch(/^invalid_nonce: /)
    const header = { key_attestation: attestation([first], { claims }) }
    expect(await refused(judge({ jwt: [proof(first, { header })] }))).toMatch(/^invalid_nonce: /)
  })

  it('refuses one in a jwt proof that has no end, no nonce, or does not attest the key that proves', async () => {
    for (const [keys, claims] of [
      [[first], { exp: undefined }],
      [[first], { nonce: undefined }],
      [[second], {}],
    ] as const) {
      const header = { key_attestation: attestation(keys, { claims }) }
      expect(await refused(judge({ jwt: [proof(first, { header })] }))).toMatch(/^invalid_proof: /)
    }
  })

  it('refuses certificates of others, that have expired, or that are the root itself under HAIP', async () => {
    const of = async (authority: Authority, times = {}) => ({ x5c: [await certify(authority, provider, times)] })
    const strangers = { header: await of(elsewhere) }
    const expired = { header: await of(root, { notAfter: now - 1_000 }) }
    const withRoot = { header: { x5c: [certificate, base64(root.certificate)] } }
    for (const parts of [strangers, expired]) expect(await refused(judge(attested(parts)))).toMatch(/^invalid_proof: /)
    expect((await judge(attested(withRoot))).keys).toHaveLength(2)
    expect(await refused(judge(attested(withRoot), {}, { haip: true }))).toMatch(
      /^invalid_proof: Leave the trust anchor/,
    )
    expect((await judge(attested(), {}, { haip: true })).keys).toHaveLength(2)
  })

  it('wants an attestation of every key where the configuration does, and what it has to vouch for', async () => {
    const plain = { jwt: [proof(third)] }
    expect(await refused(judge(plain, { attestation: {} }))).toMatch(
      /^invalid_proof: A key of this configuration needs/,
    )
    const enough = { key_storage: ['iso_18045_high', 'iso_18045_moderate'] }
    expect((await judge(attested(), { attestation: enough })).keys).toHaveLength(2)
    for (const attestationWanted of [
      { key_storage: ['iso_18045_high'] },
      { user_authentication: ['iso_18045_basic'] },
    ]) {
      expect(await refused(judge(attested(), { attestation: attestationWanted }))).toMatch(/vouches for no/)
    }
    const silent = attested({ claims: { key_storage: undefined } })
    expect(await refused(judge(silent, { attestation: enough }))).toMatch(/vouches for no key_storage/)
  })

  it('believes nobody where no provider is trusted', async () => {
    const nobody = { providers: undefined }
    expect(await refused(judge(attested(), {}, nobody))).toMatch(/^invalid_proof: No provider of wallets/)
    const header = { key_attestation: attestation([first]) }
    expect(await refused(judge({ jwt: [proof(first, { header })] }, {}, nobody))).toMatch(/^invalid_proof: No provider/)
  })
})
