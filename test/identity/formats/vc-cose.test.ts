import { createPublicKey, generateKeyPairSync, type JsonWebKey, type KeyObject, sign as signData } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { CoseAlgorithm } from '../../../src/identity/cose/algorithms.ts'
import { type CoseSign, openSign1, type Sign1Draft, sealSign1 } from '../../../src/identity/cose/sign1.ts'
import { openVcCose, openVcCoseUrl, sealVcCose, sealVpCose } from '../../../src/identity/formats/vc-cose.ts'
import { sealEnvelope } from '../../../src/identity/model/envelope.ts'
import { credential, credential11, type Members, presentation, refused } from '../model/refused.ts'

const file = new URL('vectors/vc-jose-cose-test-suite.json', import.meta.url)
const inputs = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>

const suiteKey = (name: string) => {
  const jwk = inputs[`vm-${name}.json`] as JsonWebKey & { alg: string }
  return { algorithm: jwk.alg, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) }
}

const types = { vc: 'EnvelopedVerifiableCredential', vp: 'EnvelopedVerifiablePresentation' } as const

const outcomeOf = async (kind: 'vc' | 'vp', base64: string, key: ReturnType<typeof suiteKey>) => {
  const refusal = refused(() => openVcCoseUrl(`data:application/${kind}+cose;base64,${base64}`, types[kind]))
  if (refusal !== undefined) return refusal.code
  const opened = openVcCoseUrl(`data:application/${kind}+cose;base64,${base64}`, types[kind])
  return (await opened.signature.holds(key)) ? 'success' : 'signature does not hold'
}

describe('the verifications of the test suite of VC-JOSE-COSE, section 3.3', () => {
  it.each([
    [29, 'credential-cose-minimal', 'p256', 'success'],
    [30, 'credential-cose-minimal-not-base64', 'p256', 'credential_malformed'],
    [31, 'presentation-cose-single', 'p384', 'success'],
    [32, 'credential-cose-bad-signature', 'ed25519', 'signature does not hold'],
    [33, 'credential-cose-bad-media-type', 'p384', 'credential_malformed'],
    [34, 'presentation-cose-bad-media-type', 'p384', 'credential_malformed'],
    [35, 'presentation-cose-bad-credential', 'p256', 'credential_malformed'],
  ])('%d: %s with %s', async (_number, name, key, expected) => {
    const kind = name.startsWith('presentation') ? 'vp' : 'vc'
    expect(await outcomeOf(kind, inputs[`${name}.txt`] as string, suiteKey(key))).toBe(expected)
  })
})

type Signer = { algorithm: CoseAlgorithm; publicKey: KeyObject; sign: CoseSign }
const signer = (algorithm: 'ES256' | 'ES384' | 'EdDSA'): Signer => {
  const namedCurve = algorithm === 'ES256' ? 'P-256' : 'P-384'
  const pair = algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve })
  const digest = { ES256: 'sha256', ES384: 'sha384', EdDSA: null }[algorithm]
  const sign: CoseSign = async (_algorithm, input) =>
    signData(digest, input, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
  return { algorithm, publicKey: pair.publicKey, sign }
}
const signers = (['ES256', 'ES384', 'EdDSA'] as const).map(signer)
const [by] = signers as [Signer, ...Signer[]]
const kid = 'did:example:2g55q912ec3476eba2l9812ecbfe#key'
const held = presentation({
  holder: 'did:example:holder',
  verifiableCredential: [sealEnvelope('EnvelopedVerifiableCredential', 'vc+jwt', 'a.b.c')],
})

describe('the issuances of the test suite of VC-JOSE-COSE, section 3.3', () => {
  it('27: a credential is secured as it stands', async () => {
    const document = inputs['credential-minimal.json'] as Members
    const opened = openVcCose(await sealVcCose(document, { kid, algorithm: by.algorithm }, by.sign))
    expect(opened).toMatchObject({ kind: 'vc', document })
    expect(await opened.signature.holds(by)).toBe(true)
  })

  it('28: a presentation is secured as it stands', async () => {
    const document = inputs['presentation-single.json'] as Members
    const opened = openVcCose(await sealVpCose(document, { kid, algorithm: by.algorithm }, by.sign))
    expect(opened).toMatchObject({ kind: 'vp', document })
    expect(await opened.signature.holds(by)).toBe(true)
  })
})

describe('a credential secured by COSE (VC-JOSE-COSE, section 3.3)', () => {
  it.each(signers)('comes out as it went in, with the headers of section 3.3.1: $algorithm', async each => {
    const sealed = await sealVcCose(
      credential(),
      { kid, algorithm: each.algorithm, issuedAt: 1_700_000_000_999 },
      each.sign,
    )
    const opened = openVcCose(sealed)
    expect(opened).toMatchObject({ kind: 'vc', document: credential(), issuedAt: 1_700_000_000_000 })
    expect(opened.header).toMatchObject({ typ: 'application/vc+cose', contentType: 'application/vc' })
    expect(opened.signature).toMatchObject({ kid, algorithm: each.algorithm })
    expect(await opened.signature.holds(each)).toBe(true)
    expect(await opened.signature.holds(signer(each.algorithm as 'ES256'))).toBe(false)
  })

  it('goes into an envelope and comes out of it', async () => {
    const sealed = await sealVcCose(credential(), { kid, algorithm: by.algorithm }, by.sign)
    const { id } = sealEnvelope('EnvelopedVerifiableCredential', 'vc+cose', sealed)
    expect(openVcCoseUrl(id, 'EnvelopedVerifiableCredential')).toMatchObject({ document: credential() })
    const relabelled = id.replace('vc+cose', 'vp+cose')
    expect(refused(() => openVcCoseUrl(relabelled, 'EnvelopedVerifiablePresentation'))?.code).toBe(
      'credential_malformed',
    )
    const token = 'data:application/vc+jwt,a.b.c'
    expect(refused(() => openVcCoseUrl(token, 'EnvelopedVerifiableCredential'))?.code).toBe('credential_malformed')
  })

  it.each<[string, Members]>([
    ['of version 1.1', credential11()],
    ['without an issuer', credential({ issuer: undefined })],
    ['with half a surrogate pair', credential({ name: '\ud800' })],
  ])('is not made %s', async (_what, document) => {
    const sealing = { kid, algorithm: by.algorithm }
    await expect(sealVcCose(document, sealing, by.sign)).rejects.toMatchObject({ code: 'credential_malformed' })
  })

  it.each<[string, Members]>([
    ['that is embedded', { verifiableCredential: [credential({ proof: { type: 'T' } })] }],
    ['that its holder asserts', { holder: credential()['issuer'], verifiableCredential: [credential()] }],
  ])('a presentation is not made of one %s', async (_what, changes) => {
    const sealing = { kid, algorithm: by.algorithm }
    const work = sealVpCose({ ...held, ...changes }, sealing, by.sign)
    await expect(work).rejects.toMatchObject({ code: 'credential_malformed' })
  })

  const opening = async (draft: Partial<Sign1Draft>, text: string) => {
    const sealed = await sealSign1({ algorithm: by.algorithm, payload: Buffer.from(text), ...draft }, by.sign)
    return refused(() => openVcCose(sealed))?.code
  }
  const claims = (key: number, value: unknown) => ({ claims: new Map([[key, value]]) })

  it.each<[string, Partial<Sign1Draft>]>([
    ['no types', {}],
    ['types without application/', { typ: 'vc+cose', contentType: 'vc' }],
    ['types in capitals', { typ: 'Application/VC+COSE' }],
    ['its issuer as iss', claims(1, credential()['issuer'])],
    [
      'times',
      {
        claims: new Map([
          [4, 2e9],
          [5, 1e9],
          [6, 1e9 + 0.5],
        ]),
      },
    ],
    ['claims and parameters that nobody knows', { ...claims(99, true), protected: new Map([['x', 1]]) }],
  ])('is read with %s', async (_what, draft) => {
    expect(await opening(draft, JSON.stringify(credential()))).toBeUndefined()
  })

  it.each<[string, Partial<Sign1Draft>, string?]>([
    ['the typ of a presentation', { typ: 'application/vp+cose' }],
    ['the typ of a token', { typ: 'application/vc+jwt' }],
    ['a number for a typ', { protected: new Map([[16, 60]]) }],
    ['the content type of a presentation', { contentType: 'application/vp' }],
    ['another issuer as iss (section 4.1.2)', claims(1, 'did:example:another')],
    ['an iss that is octets', claims(1, Buffer.from('did:example:2g55q912ec3476eba2l9812ecbfe'))],
    ['an iat that is text', claims(6, '1700000000')],
    ['an exp beyond all time', claims(4, 1e12)],
    ['an nbf that is no number', claims(5, Number.NaN)],
    ['no JSON', {}, '{'],
    ['JSON with octets after it', {}, `${JSON.stringify(credential())}x`],
    ['a name twice', {}, JSON.stringify(credential()).replace('{', '{"issuer":"did:example:another",')],
    ['a list', {}, JSON.stringify([credential()])],
    ['text', {}, '"text"'],
    ['a credential of version 1.1', {}, JSON.stringify(credential11())],
    ['a credential without a subject', {}, JSON.stringify(credential({ credentialSubject: undefined }))],
    ['a presentation of a bare token', {}, JSON.stringify({ ...held, verifiableCredential: ['a.b.c'] })],
  ])('is refused with %s', async (_what, draft, text = JSON.stringify(credential())) => {
    expect(await opening(draft, text)).toBe('credential_malformed')
  })

  it('is refused when its payload is not UTF-8', async () => {
    const payload = Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')])
    const sealed = await sealSign1({ algorithm: by.algorithm, payload }, by.sign)
    expect(refused(() => openVcCose(sealed))?.code).toBe('credential_malformed')
  })

  it('holds no longer after any change of its octets', async () => {
    const sealed = await sealVcCose(credential(), { kid, algorithm: by.algorithm }, by.sign)
    const { unprotected } = openSign1(sealed).header
    expect(unprotected.size).toBe(0)
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const octets = Buffer.from(sealed)
        octets[at] = (octets[at] as number) ^ change
        const codes = ['credential_malformed', 'algorithm_refused', 'proof_malformed']
        const refusal = refused(() => openVcCose(octets))
        if (refusal !== undefined) return expect(codes).toContain(refusal.code)
        expect(await openVcCose(octets).signature.holds(by)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})
