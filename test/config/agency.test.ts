import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, parseAgency } from '../../src/config/agency.ts'

const file = (more = '') => parseAgency(`name: x-y\ntitle: X\nplugins: [credentials]\n${more}`, 'agents/x-y.yml')

const refusalOf = (more: string): string => {
  try {
    file(more)
    return 'it was taken'
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
  }
}

describe('an agency file', () => {
  it('has defaults for all but name, title and plugins', () => {
    expect(file()).toEqual({
      name: 'x-y',
      title: 'X',
      plugins: ['credentials'],
      root: false,
      issues: [],
      trusts: [],
      vcalm: false,
      allowedHttpOrigins: [],
      status: { mode: 'bitmap', roundSeconds: 300 },
      registers: [],
      definitions: [],
      currencies: [],
      carries: [],
      attests: [],
      issuers: [],
    })
  })

  it('names origins to which wallets may send people back, and its verifier attestation, and refuses what cannot be one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chancery-config-'))
    try {
      writeFileSync(join(folder, 'attestation.jwt'), 'a.b.c\n')
      const read = (openid4vp: string) =>
        parseAgency(`name: x-y\ntitle: X\nplugins: [a]\nopenid4vp: ${openid4vp}`, join(folder, 'x-y.yml')).openid4vp
      expect(read('{ returnOrigins: [https://www.example.org] }')).toEqual({
        returnOrigins: ['https://www.example.org'],
      })
      expect(read('{ attestation: attestation.jwt }')).toEqual({ returnOrigins: [], attestation: { jwt: 'a.b.c' } })
      expect(read('{ crossDevice: true }')).toEqual({ returnOrigins: [], crossDevice: true })
      for (const [wrong, why] of [
        ['[]', /openid4vp must be a mapping/],
        ['{ crossDevice: yes please }', /crossDevice is true or false/],
        ['{ origins: [] }', /unknown key "openid4vp.origins"/],
        ['{ returnOrigins: [https://www.example.org/] }', /are origins/],
        ['{ returnOrigins: [www.example.org] }', /are origins/],
        ['{ returnOrigins: ["openid4vp://x"] }', /are origins/],
        ['{ returnOrigins: https://www.example.org }', /are origins/],
        ['{ attestation: none.jwt }', /no file "none.jwt"/],
        ['{ attestation: 1 }', /names a file/],
      ] as const) {
        expect(() => read(wrong)).toThrow(why)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('names a country for its certificates, and PEM files beside its own, and refuses what cannot be one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chancery-config-'))
    try {
      for (const name of ['state', 'signer']) writeFileSync(join(folder, `${name}.pem`), `${name} PEM`)
      const read = (certificates: string) =>
        parseAgency(`name: x-y\ntitle: X\nplugins: [a]\ncertificates: ${certificates}`, join(folder, 'x-y.yml'))
          .certificates
      expect(read('{ country: XN }')).toEqual({ country: 'XN' })
      const chains = { authority: 'state PEM', documentSigner: 'signer PEM' }
      expect(read('{ authority: state.pem, documentSigner: signer.pem }')).toEqual({ chains })
      expect(read(`{ authority: ${folder}/state.pem, documentSigner: signer.pem }`)).toEqual({ chains })
      const refused: [string, RegExp][] = [
        ['true', /must be a mapping/],
        ['{ country: Northland }', /two capital letters/],
        ['{ country: 7 }', /two capital letters/],
        ['{ city: Port Verity }', /unknown key "certificates.city"/],
        ['{ authority: state.pem }', /or neither/],
        ['{ documentSigner: signer.pem }', /or neither/],
        ['{ authority: nowhere.pem, issuer: signer.pem }', /no certificate file "nowhere.pem"/],
        ['{ authority: 7, issuer: signer.pem }', /name PEM files/],
      ]
      for (const [text, reason] of refused) expect(() => read(text)).toThrow(reason)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('names issuer instances, each a key and a suite, and refuses what cannot be one', () => {
    const issuer = (more: string) => `issuers: [{ name: a-b, suite: eddsa-rdfc-2022, key: Ed25519${more} }]`
    expect(file(issuer('')).issuers).toEqual([{ name: 'a-b', suite: 'eddsa-rdfc-2022', key: 'Ed25519', status: false }])
    expect(file(issuer(', status: true')).issuers[0]?.status).toBe(true)
    const refused: [string, string][] = [
      ['issuers: {}', 'a list'],
      ['issuers: [7]', 'mappings'],
      [issuer(', colour: red'), 'unknown key "issuers.colour"'],
      [issuer('').replace('a-b', 'A'), 'kebab-case'],
      [issuer('').replace('key: Ed25519', 'key: RSA'), 'issuers.key'],
      [issuer('').replace('eddsa-rdfc-2022', '"../x"'), 'issuers.suite'],
      [issuer(', status: 1'), 'issuers.status'],
      [issuer(', status: true').replace('eddsa-rdfc-2022', 'bbs-2023'), 'selective suites'],
      [issuer('').replace(']', ', { name: a-b, suite: vc+jwt, key: P-256 }]'), 'one name'],
    ]
    for (const [more, why] of refused) expect([more, refusalOf(more)]).toEqual([more, expect.stringContaining(why)])
  })

  it('binds issuers of published vectors to DIDs in a conformance profile alone', () => {
    const profile = (issuers: string) => `conformance: { port: 8443, issuers: ${issuers} }`
    expect(file().conformance).toBeUndefined()
    expect(file('conformance: { port: 8443 }').conformance).toEqual({ port: 8443, issuers: {} })
    const bound = file(profile('{ "https://vc.example/1": ["did:key:z1"] }')).conformance
    expect(bound?.issuers).toEqual({ 'https://vc.example/1': ['did:key:z1'] })
    const refused: [string, string][] = [
      ['conformance: true', 'a mapping'],
      ['conformance: { port: 0 }', 'conformance.port'],
      ['conformance: { port: 8443, open: true }', 'unknown key "conformance.open"'],
      [profile('{ nowhere: ["did:key:z1"] }'), 'are URLs'],
      [profile('{ "https://vc.example/1": "did:key:z1" }'), 'lists of DIDs'],
      [profile('{ "https://vc.example/1": [] }'), 'lists of DIDs'],
    ]
    for (const [more, why] of refused) expect([more, refusalOf(more)]).toEqual([more, expect.stringContaining(why)])
  })

  it('says in which mode status lists stand on chain, and how often anchored ones are published', () => {
    expect(file('status: { mode: anchored, roundSeconds: 60 }').status).toEqual({ mode: 'anchored', roundSeconds: 60 })
    expect(file('status: { mode: anchored }').status).toEqual({ mode: 'anchored', roundSeconds: 300 })
    expect(file('status: { mode: bitmap }').status.mode).toBe('bitmap')
  })

  it('says what its issuer may mint and burn of a currency of the chain, who attests it, and which ledger keeps it', () => {
    const limits = 'limits: { minting: "9223372036854775807", burning: "1" }'
    const [currency] = file(
      `currencies: [{ number: 2, code: HBR, name: C, decimals: 2, home: chain, ${limits} }]`,
    ).currencies
    expect(currency?.limits).toEqual({ minting: 2n ** 63n - 1n, burning: 1n })
    const { carries, attests } = file('carries: [2, 3]\nattests: [4]')
    expect({ carries, attests }).toEqual({ carries: [2, 3], attests: [4] })
  })

  it('says where the authority for pseudonyms is reached', () => {
    const origins = 'allowedHttpOrigins: [http://localhost:3000]\n'
    for (const url of ['https://root.example', 'https://root.example/agency', 'http://localhost:3000/root']) {
      expect(file(`${origins}pseudonymAuthority: ${url}`).pseudonymAuthority).toBe(url)
    }
  })

  it.each([
    'http://root.example',
    'https://root.example/',
    'https://root.example/?a=1',
    'https://user@root.example',
    'root.example',
    '[]',
  ])('is refused with %s as the authority for pseudonyms', url => {
    const message = 'x-y.yml: pseudonymAuthority must be an https URL without a trailing slash'
    expect(refusalOf(`pseudonymAuthority: ${url}`)).toBe(message)
  })

  it.each([
    ['colour: red', 'unknown key "colour"'],
    ['currencies: CRD', 'currencies must be a list'],
    ['currencies: [CRD]', 'a currency is a mapping'],
    [
      'currencies: [{ number: 0, code: CRD, name: C, decimals: 2, home: ledger }]',
      'currencies.number is a whole number from 1 to 65535',
    ],
    [
      'currencies: [{ number: 1, code: crd, name: C, decimals: 2, home: ledger }]',
      'currencies.code is three to seven capital letters',
    ],
    ['currencies: [{ number: 1, code: CRD, name: "", decimals: 2, home: ledger }]', 'currencies.name must be a text'],
    [
      'currencies: [{ number: 1, code: CRD, name: C, decimals: 7, home: ledger }]',
      'currencies.decimals is a whole number from 0 to 6',
    ],
    ['currencies: [{ number: 1, code: CRD, name: C, decimals: 2, home: moon }]', 'currencies.home is ledger or chain'],
    [
      'currencies: [{ number: 1, code: CRD, name: C, decimals: 2, home: ledger, peg: 1 }]',
      'unknown key "currencies.peg"',
    ],
    ...[
      [
        'currencies: [{ number: 2, code: HBR, name: C, decimals: 2, home: chain }]',
        'currencies.limits is of home chain',
      ],
      [
        'currencies: [{ number: 1, code: CRD, name: C, decimals: 2, home: ledger, limits: { minting: "1", burning: "1" } }]',
        'currencies.limits is of home chain',
      ],
      ...['{ minting: 5, burning: "1" }', '{ minting: "0", burning: "1" }', '{ minting: "1" }'].map(limits => [
        `currencies: [{ number: 2, code: HBR, name: C, decimals: 2, home: chain, limits: ${limits} }]`,
        'currencies.limits are texts of minor units a day, 1 to 2^63 − 1',
      ]),
      [
        'currencies: [{ number: 2, code: HBR, name: C, decimals: 2, home: chain, limits: { minting: "9223372036854775808", burning: "1" } }]',
        'currencies.limits are texts of minor units a day, 1 to 2^63 − 1',
      ],
      [
        'currencies: [{ number: 2, code: HBR, name: C, decimals: 2, home: chain, limits: { total: "1" } }]',
        'unknown key "currencies.limits.total"',
      ],
      ['carries: 2', 'carries must be a list of currency numbers'],
      ['attests: [2, 2]', 'attests must be a list of currency numbers'],
      ['attests: [0]', 'attests must be a list of currency numbers'],
      ...['carries', 'attests'].map(key => [
        `${key}: [1]\ncurrencies: [{ number: 1, code: CRD, name: C, decimals: 2, home: ledger }]`,
        'the currency 1 is its own: others carry and attest it',
      ]),
    ].map(([more = '', message = '']): [string, string] => [more, message]),
    ['ledger: yes', 'ledger must be a mapping'],
    ['ledger: { url: "https://l.example", currency: 1, key: x }', 'unknown key "ledger.key"'],
    [
      'ledger: { url: "http://l.example", currency: 1 }',
      'ledger.url must be an https URL without a trailing slash, or the path of an agency of this origin',
    ],
    [
      'ledger: { url: "//l.example", currency: 1 }',
      'ledger.url must be an https URL without a trailing slash, or the path of an agency of this origin',
    ],
    ['ledger: { url: "https://l.example", currency: 0 }', 'ledger.currency is a whole number from 1 to 65535'],
    ['root: perhaps', 'root is true or false'],
    ['issues: DrivingLicence', 'issues must be a list of credential types'],
    ['allowedHttpOrigins: [1]', 'allowedHttpOrigins must be a list of origins'],
    ['oidc: { issuer: a, audience: b, secret: c }', 'unknown key "oidc.secret"'],
    ['status: anchored', 'status must be a mapping'],
    ['status:', 'status must be a mapping'],
    ['status: { mode: anchored, rounds: 3 }', 'unknown key "status.rounds"'],
    ['status: { mode: anchored, toString: 3 }', 'unknown key "status.toString"'],
    ['status: { mode: hidden }', 'status.mode is bitmap or anchored'],
    ['status: { mode: [anchored] }', 'status.mode is bitmap or anchored'],
    ['status: { mode: anchored, roundSeconds: 0 }', 'status.roundSeconds is a whole number from 1 to 86400'],
    ['status: { mode: anchored, roundSeconds: 86401 }', 'status.roundSeconds is a whole number from 1 to 86400'],
    ['status: { mode: anchored, roundSeconds: 1.5 }', 'status.roundSeconds is a whole number from 1 to 86400'],
    ['status: { mode: anchored, roundSeconds: "60" }', 'status.roundSeconds is a whole number from 1 to 86400'],
    ['status: { roundSeconds: 60 }', 'status.roundSeconds is for mode anchored'],
  ])('is refused with %s', (more, message) => {
    expect(refusalOf(more)).toBe(`x-y.yml: ${message}`)
  })
})
