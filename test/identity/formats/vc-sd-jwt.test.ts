import { createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject, sign as signData } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { PublicKey, Sign } from '../../../src/identity/formats/format.ts'
import { sealJws } from '../../../src/identity/formats/jose.ts'
import { concealmentOf, issueSdJwt } from '../../../src/identity/formats/sd-jwt-conceal.ts'
import { bindKey, discloseOnly } from '../../../src/identity/formats/sd-jwt-present.ts'
import {
  holdsDocument,
  openVcSdJwt,
  type SdJwtSealing,
  sealVcSdJwt,
  sealVpSdJwt,
} from '../../../src/identity/formats/vc-sd-jwt.ts'
import { sealEnvelope } from '../../../src/identity/model/envelope.ts'
import { credential, credential11, type Members, presentation, refused } from '../model/refused.ts'

const file = new URL('vectors/vc-jose-cose-test-suite.json', import.meta.url)
const inputs = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>

const suiteKey = (name: string): PublicKey => {
  const jwk = inputs[`vm-${name}.json`] as JsonWebKey & { alg: PublicKey['algorithm'] }
  return { algorithm: jwk.alg, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }
}

const outcomeOf = async (compact: string, key: PublicKey): Promise<string> => {
  const refusal = refused(() => openVcSdJwt(compact))
  if (refusal !== undefined) return refusal.code
  return (await openVcSdJwt(compact).signature.holds(key)) ? 'success' : 'signature does not hold'
}

describe('the verifications of the test suite of VC-JOSE-COSE, section 3.2', () => {
  it.each([
    [20, 'credential-sdjwt-selective', 'p384', 'success'],
    [21, 'credential-sdjwt-nested', 'p521', 'success'],
    [22, 'presentation-sdjwt-selective', 'p384', 'success'],
    [23, 'credential-sdjwt-bad-signature', 'p384', 'signature does not hold'],
    [24, 'credential-sdjwt-bad-media-type', 'ed25519', 'credential_malformed'],
    [25, 'presentation-sdjwt-bad-media-type', 'ed25519', 'credential_malformed'],
    [26, 'presentation-sdjwt-bad-credential', 'p521', 'credential_malformed'],
  ])('%d: %s with %s', async (_number, name, key, expected) => {
    const compact = inputs[`${name}.txt`] as string
    const outcome = await outcomeOf(compact, suiteKey(key))
    expect(outcome).toBe(expected)
  })
})

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const by: PublicKey & { publicKey: KeyObject } = { algorithm: 'ES256', publicKey: pair.publicKey }
const sign: Sign = async (_algorithm, input) =>
  signData('sha256', input, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
const kid = 'did:example:2g55q912ec3476eba2l9812ecbfe#key'
const sealing: SdJwtSealing = { kid, algorithm: 'ES256' }
const held = presentation({
  holder: 'did:example:holder',
  verifiableCredential: [sealEnvelope('EnvelopedVerifiableCredential', 'vc+sd-jwt', 'a.b.c~')],
})

describe('the issuances of the test suite of VC-JOSE-COSE, section 3.2', () => {
  it.each([
    [
      17,
      'credential-selective',
      [
        ['credentialSubject', 'firstName'],
        ['credentialSubject', 'lastName'],
      ],
    ],
    [
      18,
      'credential-nested-selective',
      [
        ['credentialSubject', 'address', 'street'],
        ['credentialSubject', 'phoneNumbers', 0],
      ],
    ],
  ])('%d: %s keeps back what it shall', async (_number, name, disclosable) => {
    const document = inputs[`${name}.json`] as Members
    const sealed = await sealVcSdJwt(document, { ...sealing, disclosable }, sign)
    expect(sealed.split('~')).toHaveLength(disclosable.length + 2)
    expect(openVcSdJwt(sealed)).toMatchObject({ kind: 'vc', document })
    expect(openVcSdJwt(discloseOnly(sealed, [])).document).not.toEqual(document)
    expect(await openVcSdJwt(sealed).signature.holds(by)).toBe(true)
  })

  it('19: a presentation is secured as it stands', async () => {
    const document = inputs['presentation-selective.json'] as Members
    const sealed = await sealVpSdJwt(
      document,
      { ...sealing, claims: { aud: 'https://verifier.example', nonce: 'n' } },
      sign,
    )
    expect(openVcSdJwt(sealed)).toMatchObject({
      kind: 'vp',
      document,
      claims: { aud: 'https://verifier.example', nonce: 'n' },
    })
  })
})

describe('a credential secured by SD-JWT (VC-JOSE-COSE, section 3.2)', () => {
  it('comes out as it went in, and says what the signature says', async () => {
    const cnf = { jwk: pair.publicKey.export({ format: 'jwk' }) }
    const more = { issuedAt: 1_700_000_000_999, claims: { cnf, exp: 1_800_000_000 } }
    const disclosable = [['credentialSubject', 'alumniOf', 'name']]
    const sealed = await sealVcSdJwt(credential(), { ...sealing, ...more, disclosable }, sign)
    const bound = await bindKey(sealed, { audience: 'a', nonce: 'n', issuedAt: 0, algorithm: 'ES256' }, sign)
    const opened = openVcSdJwt(bound)
    expect(opened).toMatchObject({
      kind: 'vc',
      document: credential(),
      issuedAt: 1_700_000_000_000,
      expiresAt: 1_800_000_000_000,
      confirmation: cnf.jwk,
      keyBinding: { audience: 'a', nonce: 'n', covers: true },
    })
    expect(opened.document).toEqual(credential())
    expect(await opened.signature.holds(by)).toBe(true)
  })

  it('is told from an SD-JWT VC by its payload', () => {
    expect(holdsDocument(credential())).toBe(true)
    expect(holdsDocument({ vct: 'https://example.org/type' })).toBe(false)
    expect(holdsDocument({ ...credential(), vct: 'https://example.org/type' })).toBe(false)
  })

  it.each([
    '@context',
    'type',
    'issuer',
    'validUntil',
    'credentialStatus',
    'credentialSchema',
    'relatedResource',
    'cnf',
  ])('never lets a holder keep back %s (section 3.2.1)', async name => {
    const work = sealVcSdJwt(credential(), { ...sealing, disclosable: [[name]] }, sign)
    await expect(work).rejects.toMatchObject({ code: 'credential_malformed' })
  })

  it.each<[string, Members, SdJwtSealing]>([
    ['of version 1.1', credential11(), sealing],
    ['without an issuer', credential({ issuer: undefined }), sealing],
    ['with a member that is named like a claim', credential({ iss: 'did:example:another' }), sealing],
    ['with a member that is named like a digest', credential({ _sd: [] }), sealing],
    ['with a path to everything', credential(), { ...sealing, disclosable: [[]] }],
    ['with a path to nothing', credential(), { ...sealing, disclosable: [[null]] }],
  ])('is not made %s', async (_what, document, how) => {
    await expect(sealVcSdJwt(document, how, sign)).rejects.toMatchObject({ code: 'credential_malformed' })
  })

  it('a presentation is not made of embedded credentials', async () => {
    const document = { ...held, verifiableCredential: [credential({ proof: { type: 'T' } })] }
    await expect(sealVpSdJwt(document, sealing, sign)).rejects.toMatchObject({ code: 'credential_malformed' })
  })

  const opened = async (payload: Members, header: Members = { typ: 'vc+sd-jwt' }) => {
    const jws = await sealJws({ alg: 'ES256', kid, typ: 'vc+sd-jwt', ...header }, payload, sign)
    return refused(() => openVcSdJwt(`${jws}~`))?.code
  }

  it.each<[string, Members, Members]>([
    ['no typ', {}, { typ: undefined }],
    ['a typ with application/', {}, { typ: 'application/vc+sd-jwt' }],
    [
      'its issuer as iss, its id as jti, its subject as sub',
      {
        iss: credential()['issuer'],
        jti: credential()['id'],
        sub: (credential()['credentialSubject'] as Members)['id'],
      },
      {},
    ],
    ['a dateTimeStamp for iat', { iat: '2024-01-01T00:00:00Z' }, {}],
  ])('is read with %s', async (_what, claims, header) => {
    expect(await opened({ ...credential(), ...claims }, header)).toBeUndefined()
  })

  it.each<[string, Members, Members]>([
    ['the typ of a presentation', {}, { typ: 'vp+sd-jwt' }],
    ['the typ of an SD-JWT VC', {}, { typ: 'dc+sd-jwt' }],
    ['another issuer as iss', { iss: 'did:example:another' }, {}],
    ['another id as jti', { jti: 'urn:uuid:1' }, {}],
    ['another subject as sub', { sub: 'did:example:another' }, {}],
    ['a vc claim (section 3.1.3)', { vc: {} }, {}],
    ['a vp claim (section 3.1.3)', { vp: {} }, {}],
    ['text for exp', { exp: '2024-01-01T00:00:00Z' }, {}],
    ['text for iat', { iat: 'yesterday' }, {}],
    ['version 1.1', credential11(), {}],
    ['no subject', { credentialSubject: undefined }, {}],
    ['a subject of which nothing is shown', { credentialSubject: { _sd: ['a'] } }, {}],
  ])('is refused with %s', async (_what, claims, header) => {
    expect(await opened({ ...credential(), ...claims }, header)).toBe('credential_malformed')
  })

  it('is refused when a claim of the token is disclosed, or a part of one', async () => {
    for (const path of [['exp'], ['cnf', 'jwk']]) {
      const payload = { ...credential(), exp: 1_800_000_000, cnf: { jwk: { kty: 'EC' } } }
      const header = { alg: 'ES256' as const, kid, typ: 'vc+sd-jwt' }
      const sealed = await issueSdJwt(header, payload, { conceal: concealmentOf([path]) }, sign)
      expect(refused(() => openVcSdJwt(sealed))?.code).toBe('credential_malformed')
    }
  })
})
