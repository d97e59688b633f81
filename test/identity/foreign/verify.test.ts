import { openMethods } from '../../../src/identity/foreign/keys.ts'
import { openSecuring, type SecuringKey } from '../../../src/identity/foreign/secure.ts'
import { type ForeignNeeds, verifyForeign, verifyForeignPresentation } from '../../../src/identity/foreign/verify.ts'
import { sealJws } from '../../../src/identity/formats/jose.ts'
import { bindKey } from '../../../src/identity/formats/sd-jwt-present.ts'
import { sealVcCose } from '../../../src/identity/formats/vc-cose.ts'
import { sealVcSdJwt } from '../../../src/identity/formats/vc-sd-jwt.ts'
import { addProof } from '../../../src/identity/integrity/proofs.ts'
import { suiteNamed } from '../../../src/identity/integrity/suites.ts'
import { sealEnvelope } from '../../../src/identity/model/envelope.ts'
import { fromMultikey } from '../../../src/identity/multikey.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { type Document, newSigner, readVectors, type SuiteVector } from '../integrity/signers.ts'

const clock = { now: () => Date.parse('2026-06-01T00:00:00Z') }

const bound: Record<string, string[]> = {
  'https://vc.example/issuers/5678': ['did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2'],
}

const needs: ForeignNeeds = {
  clock,
  keyOf: openMethods({
    resolve: async () => ({ didDocument: null, didResolutionMetadata: { error: 'notFound' }, didDocumentMetadata: {} }),
  }),
  didsOf: issuer => bound[issuer] ?? [],
  judgeIssuer: issuer => {
    if (issuer.endsWith('untrusted')) throw new Refusal('rejected', 'issuer_untrusted', 'Nobody trusts this issuer.')
  },
  judgeStatus: async status => {
    const codes: Record<string, 'revoked' | 'unknown'> = { 'urn:r': 'revoked', 'urn:u': 'unknown' }
    const state = codes[status.kind === 'token' ? status.uri : (status.entry['id'] as string)]
    if (state === 'revoked') throw new Refusal('rejected', 'credential_revoked', 'The issuer has revoked it.')
    if (state === 'unknown') throw new Refusal('unavailable', 'status_unavailable', 'Nobody knows now.')
    return undefined
  },
}

const issuer: SecuringKey = newSigner('Ed25519')
const holder: SecuringKey = newSigner('P-256')
const stranger: SecuringKey = newSigner('P-256')

const jwkOf = ({ did }: SecuringKey) => fromMultikey(did.slice('did:key:'.length)).publicKey?.export({ format: 'jwk' })

const credential = (changes: Document = {}): Document => ({
  '@context': ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2'],
  type: ['VerifiableCredential', 'AlumniCredential'],
  issuer: issuer.did,
  validFrom: '2026-01-01T00:00:00Z',
  credentialSubject: { id: holder.did, alumniOf: 'The School of Examples' },
  ...changes,
})

const presentation = (credentials: unknown[], changes: Document = {}): Document => ({
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  type: ['VerifiablePresentation'],
  holder: holder.did,
  verifiableCredential: credentials,
  ...changes,
})

const byProof = (key: SecuringKey) =>
  openSecuring(key.algorithm === 'EdDSA' ? 'eddsa-rdfc-2022' : 'ecdsa-rdfc-2019', key, clock)
const issued = (changes: Document = {}): Promise<unknown> => byProof(issuer).secure(credential(changes), {})
const codeOf = async (input: unknown, at?: number): Promise<string | undefined> =>
  (await verifyForeign(input, needs, { at })).refusal?.code

describe('a credential of any issuer', () => {
  const suites = ['eddsa-rdfc-2022', 'eddsa-jcs-2022', 'vc+jwt', 'vc+sd-jwt', 'vc+cose']
  it.each(suites)('is verified by the key that its issuer’s DID is, secured with %s', async suite => {
    const verdict = await verifyForeign(await openSecuring(suite, issuer, clock).secure(credential(), {}), needs)
    expect(verdict).toMatchObject({ verified: true, issuer: issuer.did, holder: holder.did, type: 'AlumniCredential' })
    const skipped = verdict.checks.filter(({ outcome }) => outcome === 'not_applicable').map(({ check }) => check)
    expect(skipped).toEqual(['schema', 'status'])
  })

  it.each(suites)('is refused when another signed it with %s in its issuer’s name', async suite => {
    const secured = await openSecuring(
      suite,
      stranger.algorithm === 'ES256' && suite.startsWith('eddsa') ? { ...newSigner('Ed25519') } : stranger,
      clock,
    ).secure(credential(), {})
    expect(await codeOf(secured)).toBe('key_of_another')
  })

  const { suites: vectors } = readVectors<{ suites: SuiteVector[] }>('eddsa')
  const published = vectors.filter(({ signed }) => signed['issuer'] === 'https://vc.example/issuers/5678')
  it.each(published.map(each => [each.name, each.signed] as const))(
    'that a published vector names by a URL counts once the URL is bound to its DID: %s',
    async (_name, signed) => {
      expect((await verifyForeign(signed, needs)).verified).toBe(true)
      expect((await verifyForeign(signed, { ...needs, didsOf: () => [] })).refusal?.code).toBe('key_of_another')
    },
  )

  /** One credential in each form that carries a status claim (Token Status List, sections 6.2 and 6.3). */
  const inEachForm = async (claim: Document): Promise<unknown[]> => {
    const sign = (_algorithm: string, data: Uint8Array) => issuer.sign(data)
    const key = { kid: issuer.verificationMethod, algorithm: 'EdDSA' } as const
    const header = { alg: key.algorithm, kid: key.kid }
    const document = { ...credential(), status: claim }
    const vc = {
      ...{ '@context': ['https://www.w3.org/2018/credentials/v1'], type: ['VerifiableCredential'] },
      ...{ issuer: issuer.did, credentialSubject: { id: holder.did } },
    }
    const inCbor = Object.entries(claim).map(
      ([name, value]) => [name, new Map(Object.entries(value as object))] as const,
    )
    const claims = new Map([[65_535, new Map(inCbor)]])
    const urlOf = (bytes: Uint8Array) => `data:application/vc+cose;base64,${Buffer.from(bytes).toString('base64')}`
    return [
      await sealJws({ ...header, typ: 'vc+jwt' }, document, sign),
      await sealJws({ ...header, typ: 'JWT' }, { vc, nbf: 1, status: claim }, sign),
      await sealVcSdJwt(document, key, sign),
      urlOf(await sealVcCose(document, key, sign)),
      urlOf(await sealVcCose(credential(), { ...key, claims }, sign)),
    ]
  }
  const codesOf = async (claim: Document) => Promise.all((await inEachForm(claim)).map(each => codeOf(each)))
  const everywhere = (code: string | undefined) => Array(5).fill(code)
  const listed = (uri: string, more: Document = {}) => ({ status_list: { idx: 1, uri }, ...more })

  it('has its status judged where it stands in a Token Status List', async () => {
    expect(await codesOf(listed('urn:good'))).toEqual(everywhere(undefined))
    expect(await codesOf(listed('urn:good', { evm_status: {} }))).toEqual(everywhere(undefined))
    expect(await codesOf(listed('urn:r'))).toEqual(everywhere('credential_revoked'))
    expect(await codesOf(listed('urn:u'))).toEqual(everywhere('status_unavailable'))
  })

  it('is refused for a place in a Token Status List that is none, and for a mechanism beside it that nobody reads', async () => {
    expect(await codesOf({ status_list: { idx: -1, uri: 'urn:good' } })).toEqual(everywhere('status_malformed'))
    expect(await codesOf({ status_list: { idx: 1 } })).toEqual(everywhere('status_malformed'))
    expect(await codesOf(listed('urn:good', { crl: {} }))).toEqual(everywhere('status_type_unknown'))
    const claims = new Map([[65_535, new Map([['crl', new Map()]])]])
    const key = { kid: issuer.verificationMethod, algorithm: 'EdDSA' } as const
    const bytes = await sealVcCose(credential(), { ...key, claims }, (_algorithm, data) => issuer.sign(data))
    const dataUrl = `data:application/vc+cose;base64,${Buffer.from(bytes).toString('base64')}`
    expect(await codeOf(dataUrl)).toBe('status_type_unknown')
  })

  it('of model 1.1 is refused for dates that no calendar has, and nothing is thrown', async () => {
    const compact = (claims: Document): string => {
      const vc = { '@context': ['https://www.w3.org/2018/credentials/v1'], type: ['VerifiableCredential'] }
      const payload = { iss: issuer.did, vc: { ...vc, credentialSubject: { id: holder.did } }, ...claims }
      const parts = [{ alg: 'EdDSA', typ: 'JWT' }, payload].map(part => Buffer.from(JSON.stringify(part)))
      return [...parts, Buffer.alloc(64, 1)].map(part => part.toString('base64url')).join('.')
    }
    for (const time of [1e13, -1e15, 1e300, '1', null]) {
      expect(await codeOf(compact({ nbf: time }))).toBe('credential_malformed')
      expect(await codeOf(compact({ nbf: 1, exp: time }))).toBe('credential_malformed')
    }
    expect(await codeOf(compact({ nbf: 1 }))).toBe('signature_invalid')
  })

  it('is handed out under the contexts that were signed, without those that its holder added', async () => {
    const secured = (await openSecuring('eddsa-jcs-2022', issuer, clock).secure(credential(), {})) as Document
    const contexts = secured['@context'] as unknown[]
    const added = { ...secured, '@context': [...contexts, { AlumniCredential: 'https://other.example/Passport' }] }
    const { verified, document } = await verifyForeign(added, needs)
    expect([verified, document?.['@context'], document?.['proof']]).toEqual([true, contexts, secured['proof']])
  })

  it('is refused with a changed claim, a dropped proof and a proof that says something else', async () => {
    const good = (await issued()) as Document & { proof: Document }
    const { proof, ...bare } = good
    const changes: [unknown, string][] = [
      [{ ...good, credentialSubject: { id: holder.did, alumniOf: 'Another School' } }, 'signature_invalid'],
      [{ ...good, validUntil: '2030-01-01T00:00:00Z' }, 'signature_invalid'],
      [{ ...good, proof: { ...proof, created: '2026-02-01T00:00:00Z' } }, 'signature_invalid'],
      [{ ...good, proof: { ...proof, proofPurpose: 'authentication' } }, 'proof_purpose'],
      [{ ...good, proof: [proof, { ...proof, proofValue: 'zabc' }] }, 'proof_malformed'],
      [bare, 'proof_malformed'],
    ]
    for (const [input, code] of changes) expect([await codeOf(input), code]).toEqual([code, code])
  })

  it('is refused before it is valid and from its end on, and judged as of a past time', async () => {
    const secured = await issued({ validFrom: '2026-05-01T00:00:00Z', validUntil: '2026-06-01T00:00:00Z' })
    expect(await codeOf(secured)).toBe('credential_expired')
    expect(await codeOf(secured, Date.parse('2026-05-31T23:59:59Z'))).toBeUndefined()
    expect(await codeOf(secured, Date.parse('2026-04-01T00:00:00Z'))).toBe('credential_not_yet_valid')
    expect(await codeOf(secured, clock.now() + 3_600_000)).toBe('time_not_come')
  })

  it('is refused when a proof of it is from the future', async () => {
    const suite = suiteNamed('eddsa-rdfc-2022')
    const proof = { suite, signer: issuer, proofPurpose: 'assertionMethod', created: '2026-06-02T00:00:00Z' }
    expect(await codeOf(await addProof(credential(), proof))).toBe('credential_not_yet_valid')
  })

  it('stands with none of several statuses set, and is unavailable where one cannot be known', async () => {
    const entry = (id: string) => ({ id, type: 'BitstringStatusListEntry' })
    const statuses = (...ids: string[]) => issued({ credentialStatus: ids.map(entry) })
    expect(await codeOf(await statuses('urn:a', 'urn:b'))).toBeUndefined()
    expect(await codeOf(await statuses('urn:a', 'urn:r'))).toBe('credential_revoked')
    const unknown = await verifyForeign(await statuses('urn:u'), needs)
    expect(unknown).toMatchObject({ verified: false, refusal: { kind: 'unavailable', code: 'status_unavailable' } })
  })

  it('is not issued with a term that no context defines, in any format', async () => {
    const unknown = credential({
      '@context': ['https://www.w3.org/ns/credentials/v2'],
      type: ['VerifiableCredential'],
      credentialSubject: { id: holder.did, shoeSize: 44 },
    })
    for (const suite of suites) {
      const securing = openSecuring(suite, issuer, clock).secure(unknown, {})
      await expect(securing).rejects.toMatchObject({ code: 'term_unknown' })
    }
  })

  it('is not issued and not verified when a related resource has another digest than it is published with', async () => {
    const resource = {
      id: 'https://www.w3.org/ns/credentials/v2',
      digestMultibase: 'uEiAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    }
    await expect(issued({ relatedResource: resource })).rejects.toMatchObject({ code: 'digest_mismatch' })
  })

  it.each([
    ['null', null],
    ['a number', 7],
    ['an empty text', ''],
    ['a text that is no token', 'token'],
    ['a list', []],
    [
      'an envelope of nothing',
      {
        '@context': ['https://www.w3.org/ns/credentials/v2'],
        type: 'EnvelopedVerifiableCredential',
        id: 'data:application/vc+jwt,',
      },
    ],
  ])('that is %s is malformed', async (_name, input) => {
    expect((await verifyForeign(input, needs)).refusal).toMatchObject({ kind: 'malformed' })
  })
})

describe('a presentation of any holder', () => {
  const expected = { challenge: 'c-1', audience: ['https://verifier.example'] }
  const asked = { challenge: 'c-1', domain: 'https://verifier.example' }
  const judge = async (input: unknown, changes: Partial<typeof expected> = {}) =>
    verifyForeignPresentation(input, needs, { ...expected, ...changes })

  it.each(['ecdsa-rdfc-2019', 'vc+jwt'])(
    'answers its challenge, with each credential in it judged (%s)',
    async suite => {
      const secured = await openSecuring(suite, holder, clock).present(presentation([await issued()]), asked)
      const verdict = await judge(secured)
      expect(verdict).toMatchObject({ verified: true, holder: holder.did })
      expect(verdict.credentials.map(({ verified }) => verified)).toEqual([true])
    },
  )

  it.each([
    ['ecdsa-rdfc-2019', 'another challenge', { challenge: 'c-2', domain: asked.domain }, 'challenge_mismatch'],
    ['vc+jwt', 'another challenge', { challenge: 'c-2', domain: asked.domain }, 'challenge_mismatch'],
    ['ecdsa-rdfc-2019', 'another verifier', { challenge: 'c-1', domain: 'https://other.example' }, 'audience_mismatch'],
    ['vc+jwt', 'another verifier', { challenge: 'c-1', domain: 'https://other.example' }, 'audience_mismatch'],
    ['ecdsa-rdfc-2019', 'no verifier', { challenge: 'c-1' }, 'audience_mismatch'],
  ])('is refused where it was made with %s for %s', async (suite, _name, options, code) => {
    const secured = await openSecuring(suite, holder, clock).present(presentation([await issued()]), options)
    expect((await judge(secured)).refusal?.code).toBe(code)
  })

  it('is refused without a proof when a challenge was given, and taken as a document when none was', async () => {
    const bare = presentation([await issued()])
    expect((await judge(bare)).refusal?.code).toBe('holder_unproven')
    const { verified, holder: named } = await verifyForeignPresentation(bare, needs, { audience: [] })
    // Nobody has proven to be the holder.
    expect([verified, named]).toEqual([true, undefined])
  })

  it('is refused when somebody else than its holder signed it', async () => {
    const secured = await byProof(stranger).present(presentation([await issued()]), asked)
    expect((await judge(secured)).refusal?.code).toBe('key_of_another')
  })

  it('is refused with a credential that does not stand', async () => {
    const revoked = await issued({ credentialStatus: { id: 'urn:r', type: 'BitstringStatusListEntry' } })
    const secured = await byProof(holder).present(presentation([await issued(), revoked]), asked)
    const verdict = await judge(secured)
    expect([verdict.verified, verdict.refusal?.code]).toEqual([false, 'credential_revoked'])
    expect(verdict.credentials.map(({ verified }) => verified)).toEqual([true, false])
  })

  it('carries its holder’s own word only under its holder’s proof', async () => {
    const word = credential({ issuer: holder.did })
    const secured = await byProof(holder).present(presentation([word]), asked)
    expect((await judge(secured)).verified).toBe(true)
    const bare = await verifyForeignPresentation(presentation([word]), needs, { audience: [] })
    expect(bare.refusal?.code).toBe('holder_unproven')
  })
})

describe('an SD-JWT that names its holder’s key', () => {
  const verifier = 'https://verifier.example'
  const cnf = { jwk: jwkOf(holder) }
  const sealed = (): Promise<string> =>
    sealVcSdJwt(
      credential(),
      {
        kid: issuer.verificationMethod,
        algorithm: 'EdDSA',
        claims: { cnf },
        disclosable: [['credentialSubject', 'alumniOf']],
      },
      async (_algorithm, data) => issuer.sign(data),
    )
  const boundBy = async (key: SecuringKey, changes: Partial<Parameters<typeof bindKey>[1]> = {}): Promise<string> =>
    bindKey(
      await sealed(),
      {
        ...{ audience: verifier, nonce: 'c-1', issuedAt: clock.now(), algorithm: 'ES256', kid: key.verificationMethod },
        ...changes,
      },
      async (_algorithm, data) => key.sign(data),
    )
  const shownBy = async (presenter: SecuringKey, sdJwt: string) => {
    const enveloped = sealEnvelope('EnvelopedVerifiableCredential', 'vc+sd-jwt', sdJwt)
    const secured = await openSecuring('vc+jwt', presenter, clock).present(
      presentation([enveloped], { holder: presenter.did }),
      { challenge: 'c-1', domain: verifier },
    )
    const verdict = await verifyForeignPresentation(secured, needs, { challenge: 'c-1', audience: [verifier] })
    return verdict.credentials[0]?.refusal?.code ?? verdict.verified
  }

  it('counts when that key presents it, or bound it to this challenge', async () => {
    expect(await shownBy(holder, await sealed())).toBe(true)
    expect(await shownBy(stranger, await boundBy(holder))).toBe(true)
  })

  it('is refused from a stranger, without a key binding or with one of the stranger’s own', async () => {
    expect(await shownBy(stranger, await sealed())).toBe('holder_mismatch')
    expect(await shownBy(stranger, await boundBy(stranger))).toBe('holder_mismatch')
  })

  it('is refused with a key binding for another challenge, another verifier or other disclosures', async () => {
    expect(await shownBy(stranger, await boundBy(holder, { nonce: 'c-2' }))).toBe('challenge_mismatch')
    expect(await shownBy(stranger, await boundBy(holder, { audience: 'https://other.example' }))).toBe(
      'audience_mismatch',
    )
    const [jws, binding] = [await sealed(), (await boundBy(holder)).split('~').at(-1) ?? '']
    expect(await codeOf(`${jws}${binding}`)).toBe('presentation_edited')
  })
})
