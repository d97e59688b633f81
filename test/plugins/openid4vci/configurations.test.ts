import { viewOf } from '../../../src/identity/type-metadata.ts'
import { loadCredentialTypes } from '../../../src/identity/types.ts'
import { configurationsOf } from '../../../src/plugins/openid4vci/configurations.ts'
import type { IssuableType } from '../../../src/plugins/openid4vci/needs.ts'
import { schemas } from '../../identity/world.ts'

type Members = Record<string, unknown>

const types = loadCredentialTypes(schemas).all.map(
  (type): IssuableType => ({
    ...viewOf(type),
    ...{ validity: type.validity, contexts: ['https://www.w3.org/ns/credentials/v2'], problemOf: () => undefined },
  }),
)
const proofAlgorithms = ['ES256', 'EdDSA']
const plain = { algorithm: 'ES256', proofAlgorithms, attestations: false, attestation: undefined }
const all = configurationsOf(types, plain)
const of = (id: string): Members => ({ ...all.get(id)?.metadata })

describe('credential configurations (OpenID4VCI 1.0, section 12.2.4 and appendix A)', () => {
  it('has one for every type in each of its formats', () => {
    expect(all.size).toBe(types.flatMap(({ formats }) => formats).length)
    expect([...all.keys()].filter(id => id.startsWith('DrivingLicence.1.')).sort()).toEqual([
      ...['DrivingLicence.1.dc_sd_jwt', 'DrivingLicence.1.jwt_vc_json', 'DrivingLicence.1.ldp_vc'],
      ...['DrivingLicence.1.mso_mdoc', 'DrivingLicence.1.vc_jwt'],
    ])
  })

  it('says of each format what its profile asks for', () => {
    const definition = { type: ['VerifiableCredential', 'DrivingLicence'] }
    const contexts = { '@context': ['https://www.w3.org/ns/credentials/v2'] }
    const table: [string, Members][] = [
      [
        'dc_sd_jwt',
        {
          format: 'dc+sd-jwt',
          vct: 'urn:chancery:vct:driving-licence:1',
          credential_signing_alg_values_supported: ['ES256'],
        },
      ],
      [
        'jwt_vc_json',
        {
          format: 'jwt_vc_json',
          credential_definition: definition,
          credential_signing_alg_values_supported: ['ES256'],
        },
      ],
      [
        'ldp_vc',
        {
          format: 'ldp_vc',
          credential_definition: { ...definition, ...contexts },
          credential_signing_alg_values_supported: ['ecdsa-rdfc-2019'],
        },
      ],
      [
        'mso_mdoc',
        {
          format: 'mso_mdoc',
          doctype: 'org.iso.18013.5.1.mDL',
          credential_signing_alg_values_supported: [-7, -9],
          cryptographic_binding_methods_supported: ['cose_key'],
        },
      ],
      [
        'vc_jwt',
        {
          format: 'vc+jwt',
          credential_definition: { ...definition, ...contexts },
          credential_signing_alg_values_supported: ['ES256'],
        },
      ],
    ]
    for (const [suffix, members] of table) expect(of(`DrivingLicence.1.${suffix}`)).toMatchObject(members)
  })

  it('has a scope of its own for each, binding methods with proof types, and neither description twice (appendix B.3)', () => {
    const scopes = [...all.values()].map(({ metadata }) => metadata['scope'])
    expect(new Set(scopes).size).toBe(all.size)
    for (const [id, { metadata }] of all) {
      expect(id).toMatch(/^[A-Za-z0-9._]+$/)
      expect(metadata['cryptographic_binding_methods_supported']).not.toEqual([])
      expect(Object.keys(metadata['proof_types_supported'] as Members)).toEqual(['jwt'])
      const { claims, display } = metadata['credential_metadata'] as {
        claims: { path: unknown[] }[]
        display: { locale: string }[]
      }
      const paths = claims.map(({ path }) => JSON.stringify(path))
      expect(new Set(paths).size).toBe(paths.length)
      expect(new Set(display.map(({ locale }) => locale)).size).toBe(display.length)
      // What is said of an element of a list is said of every one of them, and of no object.
      for (const { path } of claims) {
        const parent = path.slice(0, -1)
        const rivals = claims.filter(
          each => each.path.length === path.length && JSON.stringify(each.path.slice(0, -1)) === JSON.stringify(parent),
        )
        expect(new Set(rivals.map(each => each.path.at(-1) === null)).size).toBe(1)
      }
    }
  })

  it('describes claims where they stand: at the top, in the subject, in the namespace', () => {
    const pathsOf = (suffix: string) =>
      (of(`DrivingLicence.1.${suffix}`)['credential_metadata'] as { claims: Members[] }).claims
    expect(pathsOf('dc_sd_jwt')).toContainEqual(expect.objectContaining({ path: ['familyName'], mandatory: true }))
    expect(pathsOf('dc_sd_jwt')).toContainEqual(
      expect.objectContaining({ path: ['drivingPrivileges', null, 'vehicleCategoryCode'] }),
    )
    expect(pathsOf('ldp_vc')).toContainEqual(expect.objectContaining({ path: ['credentialSubject', 'familyName'] }))
    expect(pathsOf('mso_mdoc')).toContainEqual(expect.objectContaining({ path: ['org.iso.18013.5.1', 'family_name'] }))
    expect(pathsOf('dc_sd_jwt').find(({ path }) => String(path) === 'birthPlace')).not.toHaveProperty('mandatory')
  })

  it('asks for key attestations where the agency does, and binds mdocs to keys that ISO/IEC 18013-5 knows', () => {
    const attestation = { key_storage: ['iso_18045_high'] }
    const strict = configurationsOf(types, { ...plain, attestations: true, attestation })
    const needed = { proof_signing_alg_values_supported: proofAlgorithms, key_attestations_required: attestation }
    expect(strict.get('DrivingLicence.1.dc_sd_jwt')?.metadata['proof_types_supported']).toEqual({
      ...{ jwt: needed, attestation: needed },
    })
    expect(of('DrivingLicence.1.mso_mdoc')['proof_types_supported']).toEqual({
      jwt: { proof_signing_alg_values_supported: ['ES256'] },
    })
  })
})
