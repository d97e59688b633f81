import { join } from 'node:path'
import type { Document } from '../../../src/plugins/vc-api/needs.ts'
import { temporaryFolder } from '../../service.ts'
import { examples, newWallet, openAgency, requestIn, v2 } from './fixture.ts'

const degree = { type: ['VerifiableCredential', 'ExampleDegreeCredential'] }
const alumni = { type: ['VerifiableCredential', 'ExampleAlumniCredential'] }
const iri = (name: string): string => `https://www.w3.org/ns/credentials/examples#${name}`
const verifiable = 'https://www.w3.org/2018/credentials#VerifiableCredential'
const byExample = (credentialQuery: Document, group?: string) => ({
  ...{ type: 'QueryByExample', credentialQuery },
  ...(group === undefined ? {} : { group }),
})
const like = (name: string, more: Document = {}) => ({
  example: { '@context': [v2, examples], type: name },
  ...more,
})
const dcql = (more: Document) => ({
  type: 'DigitalCredentialQueryLanguage',
  credentials: [
    { id: 'degree', format: 'ldp_vc', meta: { type_values: [[verifiable, iri('ExampleDegreeCredential')]] }, ...more },
  ],
})

describe('what a step asks for', () => {
  type Agency = Awaited<ReturnType<typeof openAgency>>
  const folder = temporaryFolder()
  let agency: Agency
  beforeAll(async () => {
    agency = await openAgency({ file: join(folder.path, 'agency.sqlite') })
  })
  afterAll(async () => {
    await agency.close()
    folder.remove()
  })
  type Held = { by?: string; credential: Document }

  /** What comes of presenting credentials to a step. */
  const presenting = async (
    agency: Agency,
    query: unknown,
    held: readonly Held[],
    how: { wallet?: ReturnType<typeof newWallet>; options?: Document; more?: Document } = {},
  ): Promise<string> => {
    const { wallet = newWallet('eddsa-jcs-2022'), options } = how
    const ask = { verifiablePresentationRequest: { query }, ...(options && { verifyPresentationOptions: options }) }
    const exchange = await agency.exchange(await agency.workflow({ initialStep: 'ask', steps: { ask } }))
    const request = requestIn(await exchange.send({}))
    const credentials = []
    for (const { by = 'jcs', credential } of held) {
      credentials.push(await agency.issue(by, { credentialSubject: { id: wallet.did }, ...credential }))
    }
    const verifiablePresentation = await wallet.present(request, credentials, how.more)
    try {
      await exchange.send({ verifiablePresentation })
      return 'taken'
    } catch (error) {
      return (error as { code: string }).code
    }
  }

  it('Query By Example takes what is like the example, and nothing else', async () => {
    const named = { ...degree, credentialSubject: { alumniOf: 'The School' } }
    const subject = (value: string) => ({ example: { credentialSubject: { alumniOf: value } } })
    const cases: { query: Document; held: Held[]; comes: string }[] = [
      { query: like('ExampleDegreeCredential'), held: [{ credential: degree }], comes: 'taken' },
      { query: like('ExampleDegreeCredential'), held: [{ by: 'jose', credential: degree }], comes: 'taken' },
      { query: like('ExampleDegreeCredential'), held: [], comes: 'credential_missing' },
      { query: like('ExampleDegreeCredential'), held: [{ credential: alumni }], comes: 'credential_missing' },
      {
        query: { example: { '@context': 'https://w3id.org/citizenship/v3' } },
        held: [{ credential: degree }],
        comes: 'credential_missing',
      },
      { query: subject(''), held: [{ credential: named }], comes: 'taken' },
      { query: subject(''), held: [{ credential: degree }], comes: 'credential_missing' },
      { query: subject('Another'), held: [{ credential: named }], comes: 'credential_missing' },
      { query: { example: { constructor: '' } }, held: [{ credential: degree }], comes: 'credential_missing' },
    ]
    for (const { query, held, comes } of cases) expect(await presenting(agency, byExample(query), held)).toBe(comes)
  })

  it('takes no issuer, no way to secure and no subject that was not asked for', async () => {
    const by = (query: Document, held: Held, how = {}) =>
      presenting(agency, byExample(like('ExampleDegreeCredential', query)), [held], how)
    const held = { credential: degree }
    expect(await by({ acceptedIssuers: [{ id: agency.did('jcs') }] }, held)).toBe('taken')
    expect(await by({ acceptedIssuers: [agency.did('jcs')] }, held)).toBe('taken')
    expect(await by({ acceptedIssuers: [agency.did('jose')] }, held)).toBe('issuer_unaccepted')
    expect(await by({ acceptedCryptosuites: [{ cryptosuite: 'eddsa-jcs-2022' }] }, held)).toBe('taken')
    expect(await by({ acceptedCryptosuites: ['bbs-2023'] }, held)).toBe('securing_unaccepted')
    expect(await by({ acceptedEnvelopes: [{ mediaType: 'application/jwt' }] }, held)).toBe('securing_unaccepted')
    expect(await by({ acceptedEnvelopes: ['application/jwt'] }, { ...held, by: 'jose' })).toBe('taken')
    expect(await by({ acceptedCryptosuites: ['eddsa-jcs-2022'] }, { ...held, by: 'jose' })).toBe('securing_unaccepted')
    const stolen = { credential: { ...degree, credentialSubject: { id: newWallet().did } } }
    expect(await by({}, stolen)).toBe('credential_of_another')
    expect(await by({}, stolen, { options: { holderIsSubject: false } })).toBe('taken')
  })

  it('DIDAuthentication asks for the method of the DID, the suite of the proof, and for the DID itself', async () => {
    const authentication = (more: Document) => ({ type: 'DIDAuthentication', ...more })
    const cases: { query: Document; comes: string; more?: Document }[] = [
      { query: authentication({ acceptedMethods: [{ method: 'web' }, { method: 'key' }] }), comes: 'taken' },
      { query: authentication({ acceptedMethods: [{ method: 'web' }] }), comes: 'method_unaccepted' },
      { query: authentication({ acceptedCryptosuites: [{ cryptosuite: 'eddsa-jcs-2022' }] }), comes: 'taken' },
      {
        query: authentication({ acceptedCryptosuites: [{ cryptosuite: 'bbs-2023' }] }),
        comes: 'cryptosuite_unaccepted',
      },
      { query: authentication({}), comes: 'holder_missing', more: {} },
    ]
    for (const { query, comes, more } of cases) {
      expect(await presenting(agency, query, [], more === undefined ? {} : { more })).toBe(comes)
    }
    const optional = [authentication({}), authentication({ required: false, acceptedMethods: [{ method: 'web' }] })]
    expect(await presenting(agency, optional, [])).toBe('taken')
  })

  it('queries of one group belong together, groups are alternatives, and who presents is none (Logical Operations)', async () => {
    const [one, two] = [like('ExampleDegreeCredential'), like('ExampleAlumniCredential')]
    const both = [byExample(one, 'a'), byExample(two, 'a')]
    const either = [byExample(one, 'a'), byExample(two, 'b')]
    expect(await presenting(agency, both, [{ credential: degree }, { credential: alumni }])).toBe('taken')
    expect(await presenting(agency, both, [{ credential: degree }])).toBe('credential_missing')
    expect(await presenting(agency, either, [{ credential: alumni }])).toBe('taken')
    expect(await presenting(agency, [byExample(one), byExample(two)], [{ credential: alumni }])).toBe('taken')
    const authenticated = [{ type: 'DIDAuthentication' }, byExample(one)]
    expect(await presenting(agency, authenticated, [])).toBe('credential_missing')
    expect(await presenting(agency, authenticated, [{ credential: degree }], { more: {} })).toBe('holder_missing')
  })

  it('DCQL takes credentials by their types as IRIs, and by their claims (OpenID4VP 1.0, sections 6 and 7)', async () => {
    const wallet = newWallet()
    const named = { credential: { ...degree, credentialSubject: { id: wallet.did, alumniOf: ['One', 'Two'] } } }
    const claim = (path: unknown[], values?: unknown[]) => ({ claims: [{ id: 'a', path, ...(values && { values }) }] })
    const cases: { query: Document; held: Held[]; comes: string }[] = [
      { query: dcql({}), held: [{ credential: degree }], comes: 'taken' },
      { query: dcql({}), held: [{ credential: alumni }], comes: 'credential_missing' },
      { query: dcql({}), held: [{ by: 'jose', credential: degree }], comes: 'credential_missing' },
      { query: dcql({ format: 'vc+jwt' }), held: [{ by: 'jose', credential: degree }], comes: 'taken' },
      {
        query: dcql({ meta: { type_values: [['ExampleDegreeCredential']] } }),
        held: [{ credential: degree }],
        comes: 'credential_missing',
      },
      { query: dcql(claim(['credentialSubject', 'alumniOf', null], ['Two'])), held: [named], comes: 'taken' },
      { query: dcql(claim(['credentialSubject', 'alumniOf', 1], ['Two'])), held: [named], comes: 'taken' },
      { query: dcql(claim(['credentialSubject', 'alumniOf', 0], ['Two'])), held: [named], comes: 'credential_missing' },
      { query: dcql(claim(['credentialSubject', 'toString'])), held: [named], comes: 'credential_missing' },
      {
        query: dcql({
          claims: [
            { id: 'a', path: ['none'] },
            { id: 'b', path: ['type'] },
          ],
          claim_sets: [['a'], ['b']],
        }),
        held: [named],
        comes: 'taken',
      },
    ]
    for (const { query, held, comes } of cases) expect(await presenting(agency, query, held, { wallet })).toBe(comes)
    const stolen = { credential: { ...degree, credentialSubject: { id: newWallet().did } } }
    expect(await presenting(agency, dcql({}), [stolen])).toBe('credential_of_another')
  })

  it('DCQL asks for the holder’s key unless it says otherwise (OpenID4VP 1.0, section 6.1)', async () => {
    const stolen = { credential: { ...degree, credentialSubject: { id: newWallet().did } } }
    const nobodys = { credential: { ...degree, credentialSubject: { alumniOf: 'The School' } } }
    const options = { holderIsSubject: false }
    const anyones = dcql({ require_cryptographic_holder_binding: false })
    expect(await presenting(agency, dcql({}), [stolen], { options })).toBe('credential_missing')
    expect(await presenting(agency, anyones, [stolen], { options })).toBe('taken')
    expect(await presenting(agency, anyones, [stolen])).toBe('credential_of_another')
    expect(await presenting(agency, dcql({}), [nobodys])).toBe('credential_missing')
    expect(await presenting(agency, anyones, [nobodys])).toBe('taken')
  })

  it('DCQL takes one credential for a query, and several where it says so (OpenID4VP 1.0, section 6.1)', async () => {
    const two = [{ credential: degree }, { credential: degree }]
    expect(await presenting(agency, dcql({}), two)).toBe('presentation_several')
    expect(await presenting(agency, dcql({ multiple: true }), two)).toBe('taken')
    expect(await presenting(agency, dcql({}), [{ credential: degree }, { credential: alumni }])).toBe('taken')
  })

  it('DCQL takes sets of credentials, and authorities that are trusted (OpenID4VP 1.0, sections 6.1.1 and 6.2)', async () => {
    const [one, two] = [dcql({}), dcql({ id: 'alumni', meta: { type_values: [[iri('ExampleAlumniCredential')]] } })]
    const sets = (credential_sets: unknown[]) => ({
      ...{ type: 'DigitalCredentialQueryLanguage', credential_sets },
      credentials: [...one.credentials, ...two.credentials],
    })
    const either = sets([{ options: [['alumni'], ['degree']] }])
    const both = sets([{ options: [['alumni', 'degree']] }])
    const perhaps = sets([{ options: [['degree']] }, { options: [['alumni']], required: false }])
    expect(await presenting(agency, either, [{ credential: degree }])).toBe('taken')
    expect(await presenting(agency, both, [{ credential: degree }])).toBe('credential_missing')
    expect(await presenting(agency, both, [{ credential: degree }, { credential: alumni }])).toBe('taken')
    expect(await presenting(agency, perhaps, [{ credential: degree }])).toBe('taken')
    expect(await presenting(agency, perhaps, [{ credential: alumni }])).toBe('credential_missing')
    const trusted = dcql({ trusted_authorities: [{ type: 'aki', values: ['s9tIpPmhxdiuNkHMEWNpYim8S8Y'] }] })
    expect(await presenting(agency, trusted, [{ credential: degree }])).toBe('credential_missing')
  })
})
