import { openMethods } from '../../../../src/identity/foreign/keys.ts'
import { openSecuring } from '../../../../src/identity/foreign/secure.ts'
import { verifyForeign } from '../../../../src/identity/foreign/verify.ts'
import { heldFacts, presentedFacts } from '../../../../src/identity/openid/dcql/facts.ts'
import { matchCredential } from '../../../../src/identity/openid/dcql/match.ts'
import type { DcqlPath } from '../../../../src/kernel/dcql-query.ts'
import { type Document, newSigner } from '../../integrity/signers.ts'

const clock = { now: () => Date.parse('2026-06-01T00:00:00Z') }
const nobody = { didDocument: null, didResolutionMetadata: { error: 'notFound' }, didDocumentMetadata: {} }
const needs = {
  ...{ clock, keyOf: openMethods({ resolve: async () => nobody }), didsOf: () => [] },
  ...{ judgeIssuer: () => undefined, judgeStatus: async () => undefined },
}
const issuer = newSigner('Ed25519')
const contexts = ['https://www.w3.org/2018/credentials/v1', 'https://w3id.org/citizenship/v1']
const credential: Document = {
  '@context': contexts,
  type: ['VerifiableCredential', 'PermanentResidentCard'],
  issuer: issuer.did,
  issuanceDate: '2026-01-01T00:00:00Z',
  credentialSubject: { type: ['PermanentResident', 'Person'], givenName: 'Ada', familyName: 'Lovelace' },
}
const secured = async (suite = 'eddsa-rdfc-2022'): Promise<Document> =>
  (await openSecuring(suite, issuer, clock).secure(credential, {})) as Document

/** What a verifier makes of a claim in a credential that it found good. */
const judged = async (document: Document, path: DcqlPath, types?: string[]): Promise<string> => {
  const verdict = await verifyForeign(document, needs)
  if (!verdict.verified) return verdict.refusal?.code ?? 'refused'
  const described = { format: 'ldp_vc', document: verdict.document ?? {}, holderBound: true }
  const meta = types === undefined ? {} : { type_values: [types] }
  return (
    matchCredential({ id: 'a', format: 'ldp_vc', meta, claims: [{ path }] }, presentedFacts(described)).unfit ?? 'fit'
  )
}
const familyName = ['credentialSubject', 'familyName']
const renamed = (document: Document, more: unknown, subject: Document): Document => ({
  ...document,
  '@context': [...(document['@context'] as unknown[]), more],
  credentialSubject: subject,
})

describe('the claims of a credential that is signed as RDF', () => {
  it('count by the names that the contexts of its types give them', async () => {
    const document = await secured()
    const card = 'https://w3id.org/citizenship#PermanentResidentCard'
    expect(await judged(document, familyName, [card])).toBe('fit')
    expect(await judged(document, ['credentialSubject'])).toBe('fit')
    expect(await judged(document, ['issuer'])).toBe('fit')
    expect(await judged(document, ['credentialSubject', 'type', null])).toBe('fit')
    expect(await judged(document, familyName, ['PermanentResidentCard'])).toBe('type')
  })

  it('do not count under a name that the holder gave them, though the proof holds', async () => {
    const document = await secured()
    const { familyName: name, ...subject } = credential['credentialSubject'] as Document
    const aliased = renamed(document, { clearance: 'http://schema.org/familyName' }, { ...subject, clearance: name })
    const verdict = await verifyForeign(aliased, needs)
    expect(verdict.verified).toBe(true)
    expect(await judged(aliased, ['credentialSubject', 'clearance'])).toBe('claims')
    // Nor do the others: what else an inline context changes is not looked into.
    expect(await judged(aliased, ['credentialSubject', 'givenName'])).toBe('claims')
  })

  it('do not count in a part that has a context of its own', async () => {
    const { familyName: name, ...subject } = credential['credentialSubject'] as Document
    const aliased = {
      ...(await secured()),
      credentialSubject: { '@context': { clearance: 'http://schema.org/familyName' }, ...subject, clearance: name },
    }
    expect((await verifyForeign(aliased, needs)).verified).toBe(true)
    expect(await judged(aliased, ['credentialSubject', 'clearance'])).toBe('claims')
  })

  it('do not count under whole IRIs', async () => {
    const { familyName: name, ...subject } = credential['credentialSubject'] as Document
    const spelt = renamed(await secured(), 'https://w3id.org/vc/status-list/2021/v1', {
      ...subject,
      'http://schema.org/familyName': name,
    })
    expect(await judged(spelt, ['credentialSubject', 'http://schema.org/familyName'])).toBe('claims')
  })

  it('still count beside contexts that say nothing of them', async () => {
    const document = await secured()
    const wider = renamed(document, 'https://w3id.org/vc/status-list/2021/v1', {
      ...(credential['credentialSubject'] as Document),
    })
    expect(await judged(wider, familyName)).toBe('fit')
  })

  it('do not count by their place in a list, for lists have no order there', async () => {
    expect(await judged(await secured(), ['credentialSubject', 'type', 0])).toBe('claims')
  })

  it('count as they stand where the text itself is signed', async () => {
    const document = await secured('eddsa-jcs-2022')
    expect(await judged(document, familyName)).toBe('fit')
    expect(await judged(document, ['credentialSubject', 'type', 0])).toBe('fit')
  })
})

describe('what is known of a credential', () => {
  it('is of a JWT of VC 1.1 the credential that it stands for (VC Data Model 1.1, section 6.3.1)', () => {
    const vc = { '@context': contexts, type: ['VerifiableCredential'], credentialSubject: { a: 1 } }
    const payload = { iss: 'did:x:i', sub: 'did:x:s', jti: 'urn:1', vc }
    expect(heldFacts({ format: 'jwt_vc', document: payload, holderBound: true })).toMatchObject({
      format: 'jwt_vc_json',
      document: { issuer: 'did:x:i', id: 'urn:1', credentialSubject: { id: 'did:x:s', a: 1 } },
      types: ['https://www.w3.org/2018/credentials#VerifiableCredential'],
    })
  })

  it('is of an SD-JWT VC every type that it claims (draft-ietf-oauth-sd-jwt-vc, section 2.2.2.2)', () => {
    const document = { vct: 'urn:a', aka_vcts: ['urn:b'] }
    expect(heldFacts({ format: 'dc+sd-jwt', document, holderBound: true }).vcts).toEqual(['urn:a', 'urn:b'])
    // Presented, it answers by the type that it was judged as.
    expect(presentedFacts({ format: 'dc+sd-jwt', document, holderBound: true }).vcts).toEqual(['urn:a'])
  })

  it('is no type of a credential whose contexts are not known', () => {
    const document = { '@context': ['https://unknown.example/v1'], type: ['VerifiableCredential'] }
    expect(heldFacts({ format: 'ldp_vc', document, holderBound: true }).types).toEqual([])
    expect(heldFacts({ format: 'vc+jwt', document, holderBound: true }).types).toEqual([])
  })
})
