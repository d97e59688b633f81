import { parseAgency } from '../src/config/agency.ts'
import { knownInstance } from '../src/known-issuers.ts'

describe('an instance that an agency file asks for', () => {
  const file = (issuer: string) =>
    parseAgency(
      `name: an-agency\ntitle: A\nplugins: [credentials, vc-api]\nissues: [DrivingLicence]\nissuers:\n  - ${issuer}\n`,
      'a.yml',
    ).issuers
  const start = (issuer: string) =>
    file(issuer).map(each => knownInstance({ did: 'did:ethr:0x1:0x2' } as never, {} as never, each))

  it.each(['ecdsa-rdfc-2019', 'ecdsa-jcs-2019', 'vc+jwt', 'jwt_vc'])('is made for %s', suite => {
    expect(start(`{ name: one, suite: ${suite}, key: P-256 }`)).toMatchObject([{ name: 'one', suite, status: false }])
  })

  it.each([
    ['{ name: one, suite: bbs-2023, key: P-256 }', 'other suites are for a conformance profile'],
    ['{ name: one, suite: constructor, key: P-256 }', 'other suites are for a conformance profile'],
    ['{ name: one, suite: ecdsa-rdfc-2019, key: P-384 }', 'its own key, which is P-256'],
    ['{ name: one, suite: ecdsa-rdfc-2019, key: P-256, status: true }', 'status on chain'],
  ])('does not start as %s', (issuer, message) => {
    expect(() => start(issuer)).toThrow(message)
  })
})
