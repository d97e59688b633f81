import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { openid4vciDefaults, parseOpenid4vci } from '../../src/config/openid4vci.ts'

const folder = mkdtempSync(join(tmpdir(), 'chancery-config-'))
const agencyFile = join(folder, 'agency.yml')
writeFileSync(join(folder, 'providers.pem'), 'PEM of an authority')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

class Refused extends Error {}
const read = (yaml: string) =>
  parseOpenid4vci(parse(yaml), agencyFile, what => {
    throw new Refused(what)
  })

describe('the section openid4vci of an agency file', () => {
  it('has defaults for everything', () => {
    expect(read('{}')).toEqual(openid4vciDefaults)
    // People show who they are on the device that they began on, unless the file says otherwise.
    expect(read('{}').crossDevice).toBe(false)
    expect(read('{ crossDevice: true }').crossDevice).toBe(true)
  })

  it('reads all there is, and certificates of providers from beside the agency’s file', () => {
    const config = read(`
      haip: true
      walletProviders: { anchors: [providers.pem], keys: [{ kid: a, kty: EC }] }
      keyAttestation: { key_storage: [iso_18045_high] }
      clients: [{ id: wallet, name: Wallet, redirectUris: ['https://wallet.example/cb'] }]
      batchSize: 5
      encryptionRequired: true
      deferredIntervalSeconds: 60
      identification: { type: NationalIdentity, claims: [familyName] }
      authorizationServer: { issuer: 'https://as.example', jwks: { keys: [{ kid: b, kty: EC }] } }
    `)
    expect(config).toMatchObject({
      ...{ haip: true, batchSize: 5, encryptionRequired: true, deferredIntervalSeconds: 60 },
      walletProviders: { anchors: ['PEM of an authority'], keys: [{ kid: 'a' }] },
      authorizationServer: { issuer: 'https://as.example', jwks: { keys: [{ kid: 'b' }] } },
    })
  })

  it.each([
    '[]',
    'text',
    '{ unknown: 1 }',
    '{ haip: 1 }',
    '{ haip: true }',
    '{ haip: true, walletProviders: { keys: [{ kid: a, kty: EC }] } }',
    '{ bearer: yes please }',
    '{ crossDevice: sometimes }',
    '{ batchSize: 0 }',
    '{ batchSize: 101 }',
    '{ batchSize: 1.5 }',
    '{ deferredIntervalSeconds: 0 }',
    '{ clients: {} }',
    '{ clients: [{ id: a }] }',
    '{ clients: [{ id: a, redirectUris: [] }] }',
    '{ clients: [{ id: a, redirectUris: [none] }] }',
    '{ clients: [{ id: a, secret: b, redirectUris: ["https://a.example"] }] }',
    '{ walletProviders: [] }',
    '{ walletProviders: { anchors: [nowhere.pem] } }',
    '{ walletProviders: { keys: [{ kty: EC }] } }',
    '{ walletProviders: { keys: [{ kid: a, kty: EC, d: AAAA }] } }',
    '{ keyAttestation: {} }',
    '{ walletProviders: { keys: [{ kid: a }] }, keyAttestation: { key_storage: [] } }',
    '{ walletProviders: { keys: [{ kid: a }] }, keyAttestation: { colour: [red] } }',
    '{ identification: { type: NationalIdentity } }',
    '{ identification: { type: NationalIdentity, claims: [] } }',
    '{ authorizationServer: { issuer: "https://as.example", jwks: { keys: [] }, jwksUrl: "https://as.example" } }',
    '{ attestationChallenge: often }',
    '{ authorizationServer: { issuer: "https://as.example", person: { type: NationalIdentity } } }',
    '{ authorizationServer: { issuer: "https://as.example", person: { type: NationalIdentity, claims: {} } } }',
    '{ authorizationServer: { issuer: "https://as.example", person: { claims: { familyName: family_name } } } }',
    '{ authorizationServer: { issuer: none, jwksUrl: "https://as.example" } }',
    '{ authorizationServer: { issuer: "https://as.example?a", jwksUrl: "https://as.example" } }',
  ])('is refused as %s', yaml => {
    expect(() => read(yaml)).toThrow(Refused)
  })
})
