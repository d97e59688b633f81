import fc from 'fast-check'
import { assertCredential } from '../../../src/identity/model/credential.ts'
import { credential, credential11, hostile, type Members, refused } from './refused.ts'

const judge = (changes: Members) => refused(() => assertCredential(credential(changes)))
const judge11 = (changes: Members) => refused(() => assertCredential(credential11(changes)))
const url = 'https://example.org/1'
const typed = { type: 'T' }

type Row = [what: string, changes: Members, clause: string]

describe('a credential of VC Data Model 2.0', () => {
  it('shows what it is', () => {
    const { document, ...shape } = assertCredential(credential({ validUntil: '2020-01-01T01:00:00+01:00' }))
    expect(shape).toEqual({
      model: '2.0',
      id: 'http://university.example/credentials/58473',
      types: ['VerifiableCredential', 'ExampleAlumniCredential'],
      issuer: 'did:example:2g55q912ec3476eba2l9812ecbfe',
      validFrom: Date.UTC(2010, 0, 1),
      validUntil: Date.UTC(2020, 0, 1),
      subjects: [credential()['credentialSubject']],
      statuses: [],
      schemas: [],
      termsOfUse: [],
      evidence: [],
      refreshServices: [],
      relatedResources: [],
      proofs: [],
    })
    expect(document['issuer']).toBe(shape.issuer)
  })

  it('may have no id, no times, one type, an issuer with a name and several subjects', () => {
    const bare = {
      '@context': ['https://www.w3.org/ns/credentials/v2'],
      type: 'VerifiableCredential',
      issuer: { id: url, name: { '@value': 'Büro', '@language': 'de-CH-1901' } },
      credentialSubject: [{ id: 'did:example:a' }, { name: 'B' }],
    }
    expect(assertCredential(bare)).toMatchObject({
      id: undefined,
      validFrom: undefined,
      issuer: url,
      types: [bare.type],
    })
    expect(assertCredential(bare).subjects).toHaveLength(2)
  })

  it('may be valid for a moment', () => {
    expect(judge({ validUntil: '2010-01-01T00:00:00.000Z' })).toBeUndefined()
  })

  const rows: Row[] = [
    ['a context alone', { '@context': 'https://www.w3.org/ns/credentials/v2' }, '4.3'],
    ['no context', { '@context': [] }, '4.3'],
    ['contexts in an array', { '@context': [['https://www.w3.org/ns/credentials/v2']] }, '4.3'],
    ['a context that is null', { '@context': ['https://www.w3.org/ns/credentials/v2', null] }, '4.3'],
    ['a relative context', { '@context': ['https://www.w3.org/ns/credentials/v2', '/local'] }, '4.3'],
    ['an id that is empty', { id: '' }, '4.4'],
    ['an id that is relative', { id: '#1' }, '4.4'],
    ['an id with a space before it', { id: ` ${url}` }, '4.4'],
    ['an id that is a blank node', { id: '_:b0' }, '4.4'],
    ['an id that is a DID of no method', { id: 'did:' }, '4.4'],
    ['an id that is a number', { id: 1 }, '4.4'],
    ['an id that is an object', { id: { id: url } }, '4.4'],
    ['an id beside its keyword', { '@id': url }, '6.1.2'],
    ['a graph', { '@graph': [] }, '6.1.2'],
    ['no type', { type: [] }, '4.5'],
    ['a type that is empty', { type: ['VerifiableCredential', ''] }, '4.5'],
    ['a type that is null', { type: ['VerifiableCredential', null] }, '4.5'],
    ['types in types', { type: ['VerifiableCredential', ['T']] }, '4.5'],
    ['a type that only begins right', { type: 'VerifiableCredentialX' }, '4.5'],
    ['a name that is a number', { name: 1 }, '11.1'],
    ['no names', { name: [] }, '11.1'],
    ['names that are strings', { name: ['Dog', 'Chien'] }, '11.1'],
    ['a name without a value', { name: { '@language': 'en' } }, '11.1'],
    ['a name in no language', { name: { '@value': 'Dog', '@language': 'en_GB' } }, '11.1'],
    ['a name in an array of languages', { name: { '@value': 'Dog', '@language': ['en'] } }, '11.1'],
    ['a description in no direction', { description: { '@value': 'Dog', '@direction': 'up' } }, '11.1'],
    ['a description with a type', { description: { '@value': 'Dog', '@type': 'T' } }, '11.1'],
    ['no issuer', { issuer: undefined }, '4.7'],
    ['two issuers', { issuer: [url, url] }, '4.7'],
    ['an issuer without an id', { issuer: { name: 'Office' } }, '4.7'],
    ['an issuer with two ids', { issuer: { id: [url, url] } }, '4.7'],
    ['an issuer that is a number', { issuer: 1 }, '4.7'],
    ['an issuer with a keyword', { issuer: { id: url, '@type': 'T' } }, '6.1.2'],
    ['no subjects', { credentialSubject: [] }, '4.8'],
    ['a subject that is null', { credentialSubject: null }, '4.8'],
    ['a subject that is a URL', { credentialSubject: url }, '4.8'],
    ['a subject that is text among others', { credentialSubject: [{ name: 'A' }, 'did:example:b'] }, '4.8'],
    ['a subject whose id is no URL', { credentialSubject: { id: 'alice' } }, '4.4'],
    ['a subject with a keyword', { credentialSubject: { '@id': url } }, '6.1.2'],
    ['a method of confidence without a type', { credentialSubject: { confidenceMethod: {} } }, '4.5'],
    ['a time without a zone', { validFrom: '2010-01-01T00:00:00' }, '4.9'],
    ['a date', { validFrom: '2010-01-01' }, '4.9'],
    ['a day that its month does not have', { validUntil: '2023-02-29T00:00:00Z' }, '4.9'],
    ['a second that its minute does not have', { validUntil: '2023-02-28T00:00:60Z' }, '4.9'],
    ['a time that is null', { validUntil: null }, '4.9'],
    ['a time that is a number', { validUntil: 1_700_000_000 }, '4.9'],
    ['two times', { validUntil: ['2030-01-01T00:00:00Z'] }, '4.9'],
    ['an end before its beginning', { validUntil: '2009-12-31T23:59:59.999Z' }, '4.9'],
    ['an end before its beginning, in another zone', { validUntil: '2010-01-01T00:30:00+01:00' }, '4.9'],
    ['no status', { credentialStatus: [] }, '4.10'],
    ['a status that is a URL', { credentialStatus: url }, '4.10'],
    ['a schema without an id', { credentialSchema: [typed] }, '4.11'],
    ['a schema that is a URL', { credentialSchema: url }, '4.11'],
    ['related resources that are URLs', { relatedResource: [url] }, '5.3'],
    ['a refresh service that is null', { refreshService: null }, '5.4'],
    ['a refresh service whose id is no URL', { refreshService: { ...typed, id: 'x' } }, '4.4'],
    ['terms of use that are text', { termsOfUse: 'none' }, '5.5'],
    ['evidence in an array of arrays', { evidence: [[typed]] }, '5.6'],
    ['evidence with two ids', { evidence: { ...typed, id: [url, url] } }, '4.4'],
    ['a method of confidence that is text', { confidenceMethod: 'high' }, '5.10'],
    ['a way of rendering without a type', { renderMethod: {} }, '4.5'],
  ]
  it.each(rows)('is not one with %s (section %s%s)', (_what, changes, clause) => {
    const refusal = judge(changes)
    expect(refusal).toMatchObject({ kind: 'malformed', code: 'credential_malformed' })
    expect(refusal?.message).toContain(`(VC Data Model 2.0, section ${clause})`)
  })

  it.each([null, undefined, 'text', 1, [credential()]])('is not %j', value => {
    expect(refused(() => assertCredential(value))?.code).toBe('credential_malformed')
  })

  it('has bounds on everything that can be many', () => {
    const many = (each: unknown, length: number) => Array.from({ length }, () => each)
    for (const changes of [
      { '@context': ['https://www.w3.org/ns/credentials/v2', ...many(url, 32)] },
      { type: ['VerifiableCredential', ...many('T', 64)] },
      { credentialSubject: many({ name: 'A' }, 1_025) },
      { name: many({ '@value': 'A' }, 1_025) },
    ]) {
      expect(judge(changes)?.code).toBe('credential_malformed')
    }
    expect(judge({ proof: many({ type: 'P' }, 33) })?.code).toBe('proof_malformed')
  })
})

describe('an embedded proof (Data Integrity 1.0, section 2.1)', () => {
  const proof = {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-rdfc-2022',
    id: 'urn:uuid:1',
    created: '2023-02-24T23:36:38Z',
    expires: '2033-02-24T23:36:38Z',
    verificationMethod: 'did:example:issuer#key',
    proofPurpose: 'assertionMethod',
    domain: ['https://a.example', 'https://b.example'],
    challenge: 'c',
    nonce: 'n',
    previousProof: 'urn:uuid:0',
    proofValue: 'z58',
  }

  it('is one of several', () => {
    const proofs = [proof, { type: 'JwtProof2020', jwt: 'a.b.c' }]
    expect(assertCredential(credential({ proof: proofs })).proofs).toEqual(proofs)
  })

  it.each([
    [[]],
    [null],
    ['z58'],
    [[proof, 'z58']],
    [{ ...proof, type: undefined }],
    [{ ...proof, type: ['DataIntegrityProof'] }],
    [{ ...proof, cryptosuite: undefined }],
    [{ ...proof, cryptosuite: 1 }],
    [{ ...proof, id: 'one' }],
    [{ ...proof, created: '2023-02-24' }],
    [{ ...proof, expires: 1_700_000_000 }],
    [{ ...proof, verificationMethod: { id: 'did:example:issuer#key' } }],
    [{ ...proof, proofPurpose: ['assertionMethod'] }],
    [{ ...proof, domain: [] }],
    [{ ...proof, challenge: 1 }],
    [{ ...proof, nonce: null }],
    [{ ...proof, previousProof: [1] }],
    [{ ...proof, proofValue: { '@value': 'z58' } }],
  ])('is not %j', value => {
    expect(judge({ proof: value })).toMatchObject({ kind: 'malformed', code: 'proof_malformed' })
  })
})

describe('a credential of VC Data Model 1.1', () => {
  it('shows its dates as the time it is valid', () => {
    const shape = assertCredential(credential11({ expirationDate: '2030-01-01T00:00:00' }))
    expect(shape).toMatchObject({ model: '1.1', validFrom: Date.UTC(2010, 0, 1, 19, 23, 24) })
    expect(shape.validUntil).toBe(Date.UTC(2030, 0, 1))
  })

  it('may have its context alone, and names as it likes', () => {
    expect(judge11({ '@context': 'https://www.w3.org/2018/credentials/v1', name: ['Dog', 'Chien'] })).toBeUndefined()
  })

  it.each<Row>([
    ['no date of issue', { issuanceDate: undefined }, '1.1, sections 4.6'],
    ['a date of issue that is none', { issuanceDate: '1.1.2010' }, '1.1, sections 4.6'],
    ['an end before its beginning', { expirationDate: '2009-01-01T00:00:00Z' }, '1.1, sections 4.6'],
    ['a status without an id', { credentialStatus: typed }, '1.1, section 4.9'],
    ['a refresh service without an id', { refreshService: typed }, '1.1, section 5.5'],
    ['a schema without an id', { credentialSchema: typed }, '2.0, section 4.11'],
    ['no subject', { credentialSubject: undefined }, '2.0, section 4.8'],
    ['the context of 2.0 in another place', { '@context': [url, 'https://www.w3.org/2018/credentials/v1'] }, '4.3'],
  ])('is not one with %s', (_what, changes, clause) => {
    const refusal = judge11(changes)
    expect(refusal).toMatchObject({ kind: 'malformed', code: 'credential_malformed' })
    expect(refusal?.message).toContain(clause)
  })
})

describe('any JSON in any place of a credential', () => {
  const names = [
    ...['@context', 'id', 'type', 'name', 'description', 'issuer', 'credentialSubject', 'validFrom', 'validUntil'],
    ...['credentialStatus', 'credentialSchema', 'refreshService', 'termsOfUse', 'evidence', 'relatedResource', 'proof'],
    ...['issuanceDate', 'expirationDate', 'confidenceMethod', 'renderMethod'],
  ]
  const value = fc.oneof(fc.constantFrom(...hostile), fc.jsonValue({ maxDepth: 3 }))

  it('is taken or refused, and nothing else', () => {
    const change = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 })
    fc.assert(
      fc.property(fc.boolean(), change, (isOld, changes) => {
        const refusal = isOld ? judge11(changes) : judge(changes)
        if (refusal !== undefined) expect(['credential_malformed', 'proof_malformed']).toContain(refusal.code)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is judged in little time', () => {
    for (const text of ['a-'.repeat(5e5), `did:example:${'a'.repeat(1e6)} `, `https://${'a.'.repeat(5e5)}`]) {
      const began = performance.now()
      judge({ id: text, name: { '@value': 'A', '@language': text } })
      judge({ validFrom: text, name: { '@value': 'A', '@language': text } })
      expect(performance.now() - began).toBeLessThan(500)
    }
  })
})
