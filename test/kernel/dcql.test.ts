import { join } from 'node:path'
import { viewOf } from '../../src/identity/type-metadata.ts'
import { loadCredentialTypes } from '../../src/identity/types.ts'
import { dcqlByParty, dcqlOf, optionsOf } from '../../src/kernel/dcql.ts'
import type { Resolved } from '../../src/kernel/gate.ts'
import type { Constraint, CredentialQuery, CredentialTree } from '../../src/kernel/requirement.ts'

const types = loadCredentialTypes(join(import.meta.dirname, '../../schemas')).all.map(viewOf)
const kyc = (more: Partial<CredentialQuery> = {}): CredentialQuery => ({ id: 'kyc', type: 'KycAttestation', ...more })
const licence: CredentialQuery = { id: 'licence', type: 'DrivingLicence' }
const holder = (of: CredentialTree): Resolved => ({ by: 'holder', of })
const dcql = (requirement: Resolved) => dcqlOf(requirement, types)

describe('the DCQL of a requirement', () => {
  it('asks for a type by its vct, and for every claim that is constrained or read', () => {
    const query = kyc({
      where: [
        { path: ['level'], atLeast: 2 },
        { path: ['jurisdiction'], equals: 'XN' },
        { path: ['method'], present: true },
      ],
      reads: [['countryOfResidence'], ['level']],
    })
    expect(dcql(holder(query))).toEqual({
      credentials: [
        {
          ...{ id: 'kyc', format: 'dc+sd-jwt', meta: { vct_values: ['urn:chancery:vct:kyc-attestation:1'] } },
          claims: [
            { path: ['level'], values: [2, 3] },
            { path: ['jurisdiction'], values: ['XN'] },
            { path: ['method'] },
            { path: ['countryOfResidence'] },
          ],
        },
      ],
    })
  })

  it('asks for an mdoc by its doctype and data elements, where the type is to be had as one', () => {
    const query: CredentialQuery = {
      ...licence,
      where: [
        { path: ['ageOver18'], equals: true },
        { path: ['issuingCountry'], present: true },
      ],
      reads: [['licenceNumber'], ['pseudonym', 'value']],
    }
    const namespace = 'org.iso.18013.5.1'
    expect(dcqlOf(holder(query), types, 'mso_mdoc')).toEqual({
      credentials: [
        {
          ...{ id: 'licence', format: 'mso_mdoc', meta: { doctype_value: 'org.iso.18013.5.1.mDL' } },
          claims: [
            { path: [namespace, 'age_over_18'], values: [true] },
            { path: [namespace, 'issuing_country'] },
            { path: [namespace, 'document_number'] },
          ],
        },
      ],
    })
    expect(dcqlOf(holder(kyc()), types, 'mso_mdoc')?.credentials[0]?.format).toBe('dc+sd-jwt')
  })

  it('asks in another format where the type is to be had in it', () => {
    const read = { ...licence, reads: [['licenceNumber']] }
    const [credential] = dcqlOf(holder(read), types, 'vc+jwt')?.credentials ?? []
    expect(credential).toMatchObject({ format: 'vc+jwt', claims: [{ path: ['credentialSubject', 'licenceNumber'] }] })
    expect(dcqlOf(holder(licence), types, 'jwt_vc')?.credentials[0]?.format).toBe('jwt_vc_json')
  })

  it('names an ldp_vc by its types as their contexts expand them (OpenID4VP 1.0, appendix B.1.1)', () => {
    const whole = types.map(type => ({ ...type, formats: ['ldp_vc'] as const }))
    const query = kyc({ where: [{ path: ['jurisdiction'], equals: 'XN' }] })
    expect(dcqlOf(holder(query), whole)).toEqual({
      credentials: [
        {
          ...{ id: 'kyc', format: 'ldp_vc' },
          meta: {
            type_values: [
              [
                'https://www.w3.org/2018/credentials#VerifiableCredential',
                'https://chancery.example/ns#KycAttestation',
              ],
            ],
          },
          claims: [{ path: ['credentialSubject', 'jurisdiction'], values: ['XN'] }],
        },
      ],
    })
    const bare = whole.map(({ context: _, ...type }) => type)
    expect(() => dcqlOf(holder(query), bare)).toThrow('the context of KycAttestation does not define it')
  })

  it('names no values where "at least" has no list to choose from', () => {
    const minor: CredentialQuery = {
      id: 'm',
      type: 'CompanyMandate',
      where: [{ path: ['signing', 'jointly'], atLeast: 2 }],
    }
    expect(dcql(holder(minor))?.credentials[0]?.claims).toEqual([{ path: ['signing', 'jointly'] }])
  })

  it('tells alternatives as credential sets', () => {
    const tree: CredentialTree = {
      any: [licence, { all: [kyc(), { id: 'id', type: 'NationalIdentity' }], joined: { by: 'key' } }],
    }
    expect(dcql(holder(tree))?.credential_sets).toEqual([{ options: [['licence'], ['kyc', 'id']] }])
    expect(dcql(holder(licence))?.credential_sets).toBeUndefined()
  })

  it('asks for the claims by which credentials are joined', () => {
    const tree: CredentialTree = {
      all: [kyc(), { id: 'id', type: 'NationalIdentity' }],
      joined: { by: 'claim', claims: { kyc: ['pseudonym', 'value'], id: ['pseudonym', 'value'] } },
    }
    const claims = dcql(holder(tree))?.credentials.map(entry => entry.claims)
    expect(claims).toEqual([[{ path: ['pseudonym', 'value'] }], [{ path: ['pseudonym', 'value'] }]])
  })

  it('asks for the elements of a list that has to include values', () => {
    const where: Constraint[] = [
      { path: ['competences'], includes: 'permits:decide' },
      { path: ['competences'], includes: 'permits:read' },
    ]
    const officer: CredentialQuery = { id: 'o', type: 'PublicOfficer', where, reads: [['competences']] }
    expect(dcql(holder(officer))?.credentials[0]?.claims).toEqual([
      { path: ['competences', null], values: ['permits:decide', 'permits:read'] },
      { path: ['competences'] },
    ])
  })

  it('is of a joint act one query a party, each with every credential of its part', () => {
    const tree: CredentialTree = { any: [licence, kyc()] }
    const joint: Resolved = {
      by: 'parties',
      parties: {
        seller: { by: 'holder', of: licence },
        buyer: { by: 'holder', of: { all: [tree, { id: 'id', type: 'NationalIdentity' }], joined: { by: 'key' } } },
      },
    }
    expect(dcql(joint)).toBeUndefined()
    const found = dcqlByParty(joint, types)
    expect(Object.keys(found ?? {})).toEqual(['seller', 'buyer'])
    expect(found?.['seller']?.dcql.credentials.map(({ id }) => id)).toEqual(['licence'])
    expect(found?.['seller']?.dcql.credential_sets).toBeUndefined()
    expect(found?.['buyer']?.dcql.credentials.map(({ id }) => id)).toEqual(['licence', 'kyc', 'id'])
    expect(found?.['buyer']?.dcql.credential_sets).toEqual([
      {
        options: [
          ['licence', 'id'],
          ['kyc', 'id'],
        ],
      },
    ])
    expect(dcqlByParty(holder(licence), types)).toBeUndefined()
  })

  it('lets several mandates be shown for one query', () => {
    expect(dcql(holder({ id: 'm', type: 'CompanyMandate', mandate: true }))?.credentials[0]?.multiple).toBe(true)
  })

  it('is nothing where no credential is asked for', () => {
    expect([dcql({ by: 'anyone' }), dcql({ by: 'staff', scope: 'x' })]).toEqual([undefined, undefined])
  })

  it('stops counting ways once there are too many', () => {
    const choice = (name: string): CredentialTree => ({
      any: ['a', 'b', 'c'].map(id => ({ id: name + id, type: 'A' })),
    })
    const many = Array.from({ length: 30 }, (_, at) => choice(`q${at}`))
    expect(optionsOf({ all: many, joined: { by: 'key' } }).length).toBeGreaterThan(16)
  })
})
