import { createHash, createPrivateKey, type JsonWebKey, randomBytes, X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { parseAgency, readAgencies } from '../src/config/agency.ts'
import { withSuites } from '../src/conformance-suites.ts'
import { presentMdoc } from '../src/identity/formats/mso-mdoc-present.ts'
import { thumbprintOf } from '../src/identity/key-material.ts'
import { pemOfCertificate } from '../src/identity/x509/certificate.ts'
import { bind, type Held, type Key, newKey } from './holder.ts'
import { licence } from './identity/foreign/utopia.ts'
import { coseSigner, docType, namespace, type Office, openOffice } from './identity/mdoc/fixture.ts'
import { day } from './identity/x509/authority.ts'
import { answerOf, encrypt, type Request, readObject } from './plugins/openid4vp/wallet.ts'
import { exampleOf, killNode, licenceFor, root, type Started, startService, temporaryFolder } from './service.ts'
import { newWalletKey, signJws, type WalletKey } from './their-wallet.ts'

/** The profile for HAIP 1.0 as a suite of the OpenID Foundation meets it, with nothing but the configuration it is handed. */

type Json = Record<string, unknown>
type Reply = { status: number; body: Json; text: string; headers: IncomingMessage['headers'] }
type SuiteKey = JsonWebKey & { kid: string; x5c: string[] }

const file = join(root, 'agents/conformance-haip.yml')
const suite = 'https://localhost.emobix.co.uk:8443/test/a/chancery'
const id = 'DrivingLicence.1.dc_sd_jwt'
const now = () => Math.floor(Date.now() / 1_000)

let service: Started
let folder: ReturnType<typeof temporaryFolder>
let issuer = ''
let dataDir = ''
let office: Office
let handed: {
  alias: string
  vci: {
    credential_issuer_url: string
    client_attestation_issuer: string
    client_attester_keys_jwks: { keys: SuiteKey[] }
  }
  client: { client_id: string }
  credential: { signing_jwk: SuiteKey }
}

const freePort = (): Promise<number> =>
  new Promise(done => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => done(port))
    })
  })

/** Nobody vouches for the profile's certificate. */
const send = (
  method: string,
  url: string,
  sent: { json?: unknown; form?: Record<string, string>; headers?: Record<string, string> } = {},
): Promise<Reply> =>
  new Promise((done, failed) => {
    const { json, form, headers = {} } = sent
    const body = form === undefined ? json && JSON.stringify(json) : String(new URLSearchParams(form))
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
    const typed = body === undefined ? headers : { 'content-type': type, ...headers }
    const path = url.startsWith('https:') ? url : `${issuer}${url}`
    const asked = request(path, { method, rejectUnauthorized: false, headers: typed }, reply => {
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => chunks.push(chunk))
      reply.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const isJson = /json/.test(reply.headers['content-type'] ?? '')
        done({ status: reply.statusCode ?? 0, body: isJson ? JSON.parse(text) : {}, text, headers: reply.headers })
      })
    })
    asked.on('error', failed)
    asked.end(body)
  })

beforeAll(async () => {
  folder = temporaryFolder()
  const port = await freePort()
  const path = join(folder.path, 'conformance-haip.yml')
  // Beside the authority that the suites publish, one whose keys are at hand here.
  office = await openOffice({ opened: Date.now() - 10 * day })
  const another = pemOfCertificate(office.root.certificate).trim().replaceAll('\n', '\n        ')
  const profile = readFileSync(file, 'utf8')
    .replace(/^(\s+port:) \d+$/m, `$1 ${port}`)
    .replace('-----END CERTIFICATE-----', `-----END CERTIFICATE-----\n        ${another}`)
  writeFileSync(path, profile)
  service = await startService({ dataDir: join(folder.path, 'data'), agencies: [path] })
  issuer = `https://localhost:${port}/conformance-haip`
  dataDir = join(folder.path, 'data', 'conformance-haip')
  const name = readdirSync(join(dataDir, 'suites')).find(each => each.startsWith('localhost')) ?? ''
  handed = JSON.parse(readFileSync(join(dataDir, 'suites', name), 'utf8'))
}, 90_000)

afterAll(async () => {
  await service?.stop()
  killNode(dataDir)
  folder.remove()
})

const walletKeyOf = ({ kty, crv, x, y, ...rest }: SuiteKey): WalletKey => ({
  jwk: { kty, crv, x, y } as WalletKey['jwk'],
  privateKey: createPrivateKey({ key: { kty, crv, x, y, d: rest.d } as JsonWebKey, format: 'jwk' }),
  alg: 'ES256',
})
const providerOf = (): { key: WalletKey; x5c: string[] } => {
  const [key] = handed.vci.client_attester_keys_jwks.keys
  return { key: walletKeyOf(key as SuiteKey), x5c: (key as SuiteKey).x5c }
}

/** The suite as a wallet: an instance with its key, attested by the provider of its configuration. */
const attested = (instance: WalletKey, by = providerOf()): Record<string, string> => {
  const { client_id: sub } = handed.client
  const attestation = signJws(
    { typ: 'oauth-client-attestation+jwt', x5c: by.x5c },
    {
      ...{ iss: handed.vci.client_attestation_issuer, sub, iat: now(), exp: now() + 300 },
      cnf: { jwk: instance.jwk },
    },
    by.key,
  )
  const possession = signJws(
    { typ: 'oauth-client-attestation-pop+jwt' },
    { iss: sub, aud: issuer, jti: randomBytes(16).toString('hex'), iat: now() },
    instance,
  )
  return { 'OAuth-Client-Attestation': attestation, 'OAuth-Client-Attestation-PoP': possession }
}

const dpop = (key: WalletKey, url: string, more: Json): string =>
  signJws(
    { typ: 'dpop+jwt', jwk: key.jwk },
    { jti: randomBytes(16).toString('hex'), htm: 'POST', htu: url, iat: now(), ...more },
    key,
  )

/** Asks again with the nonce that the server wants (RFC 9449, section 8). */
const withDpop = async (key: WalletKey, path: string, sent: Parameters<typeof send>[2], more: Json = {}) => {
  const url = `${issuer}${path}`
  const ask = (nonce?: string) =>
    send('POST', url, {
      ...sent,
      headers: { ...sent?.headers, DPoP: dpop(key, url, { ...more, ...(nonce && { nonce }) }) },
    })
  const first = await ask()
  const nonce = first.headers['dpop-nonce']
  return first.status >= 400 && typeof nonce === 'string' ? ask(nonce) : first
}

const pushed = async (instance: WalletKey, change: Record<string, string> = {}, by = providerOf()) => {
  const verifier = randomBytes(32).toString('base64url')
  const offer = await send('POST', '/credential-offers', {
    json: {
      ...{ credentialConfigurationIds: [id], claims: { DrivingLicence: exampleOf('driving-licence') } },
      grants: ['authorization_code'],
    },
  })
  expect(offer.status).toBe(201)
  const link = new URL((offer.body['links'] as { haip: string }).haip)
  const { body } = await send('GET', link.searchParams.get('credential_offer_uri') ?? '')
  const { issuer_state } = (body['grants'] as { authorization_code: { issuer_state: string } }).authorization_code
  const form = {
    ...{ response_type: 'code', client_id: handed.client.client_id, redirect_uri: `${suite}/callback`, scope: id },
    ...{ issuer_state, state: 's', code_challenge_method: 'S256' },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    ...change,
  }
  const reply = await withDpop(instance, '/openid4vci/par', { form, headers: attested(instance, by) })
  return { verifier, reply }
}

describe('a suite as the wallet of an issuer under HAIP 1.0', () => {
  it('is handed its keys, its clients and where to collect, each with a certificate that lasts', () => {
    expect(handed.alias).toBe('chancery')
    expect(handed.vci.credential_issuer_url).toBe(issuer)
    for (const [leaf = ''] of [providerOf().x5c, handed.credential.signing_jwk.x5c]) {
      const { validTo, ca } = new X509Certificate(Buffer.from(leaf, 'base64'))
      expect(ca).toBe(false)
      expect(Date.parse(validTo)).toBeGreaterThan(Date.now() + 300 * 86_400_000)
    }
  })

  it('collects by the authorization code with an attested wallet and an attested key', async () => {
    const instance = newWalletKey()
    const { verifier, reply } = await pushed(instance)
    expect([reply.status, reply.body['code']]).toEqual([201, undefined])
    const query = new URLSearchParams({
      ...{ client_id: handed.client.client_id, request_uri: String(reply.body['request_uri']) },
    })
    const page = await send('GET', `/openid4vci/authorize?${query}`)
    const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1] ?? ''
    const [cookie = ''] = page.headers['set-cookie'] ?? []
    const decided = await send('POST', '/openid4vci/authorize', {
      ...{ form: { request_uri: value('request_uri'), token: value('token'), decision: 'allow' } },
      headers: { cookie: cookie.split(';')[0] ?? '' },
    })
    const callback = new URL(decided.headers.location ?? '')
    expect(callback.origin + callback.pathname).toBe(`${suite}/callback`)
    const form = {
      ...{ grant_type: 'authorization_code', code: callback.searchParams.get('code') ?? '', code_verifier: verifier },
      ...{ redirect_uri: `${suite}/callback`, client_id: handed.client.client_id },
    }
    const token = await withDpop(instance, '/openid4vci/token', { form, headers: attested(instance) })
    expect([token.status, token.body['token_type']]).toEqual([200, 'DPoP'])
    const access = String(token.body['access_token'])
    const { body } = await send('POST', '/openid4vci/nonce')
    const { key, x5c } = providerOf()
    const held = newWalletKey()
    const attestation = signJws(
      { typ: 'key-attestation+jwt', x5c },
      { iat: now(), exp: now() + 300, nonce: body['c_nonce'], attested_keys: [held.jwk] },
      key,
    )
    const [details] = (token.body['authorization_details'] ?? []) as { credential_identifiers: string[] }[]
    const [identifier] = details?.credential_identifiers ?? []
    const which = identifier === undefined ? { credential_configuration_id: id } : { credential_identifier: identifier }
    const given = await withDpop(
      instance,
      '/openid4vci/credential',
      { json: { ...which, proofs: { attestation: [attestation] } }, headers: { authorization: `DPoP ${access}` } },
      { ath: createHash('sha256').update(access).digest('base64url') },
    )
    expect(given.status).toBe(200)
    const [{ credential }] = given.body['credentials'] as [{ credential: string }]
    expect(decodeProtectedHeader(credential.split('~')[0] ?? '')).toHaveProperty('x5c')
    const judged = await send('POST', '/credentials/verify', { json: { verifiableCredential: credential } })
    expect(judged.body).toMatchObject({ verified: true, format: 'dc+sd-jwt', type: 'DrivingLicence' })
  })

  it('is sent back to its own addresses alone, and believed under its own certificate alone', async () => {
    const elsewhere = await pushed(newWalletKey(), { redirect_uri: 'https://elsewhere.example/callback' })
    expect(elsewhere.reply.status).toBe(400)
    const stranger = { key: newWalletKey(), x5c: providerOf().x5c }
    expect((await pushed(newWalletKey(), {}, stranger)).reply.body['error']).toBe('invalid_client')
  })
})

describe('a suite as the wallet that a verifier asks', () => {
  const shown = {
    ...{ given_name: 'Jean', family_name: 'Dupont', birthdate: '1980-05-23', nationalities: ['FR'] },
    ...{ place_of_birth: { country: 'FR' }, issuing_authority: 'Test Issuing Authority', issuing_country: 'FR' },
  }
  const pid = (change: Json = {}, x5c = handed.credential.signing_jwk.x5c): Held => {
    const { jwk, privateKey } = walletKeyOf(handed.credential.signing_jwk)
    const holder: Key = newKey()
    const signer = { jwk, privateKey, did: '', kid: '', thumbprint: '' } as unknown as Key
    const said = { iss: `${suite}/`, vct: 'urn:eudi:pid:1', ...change }
    return { compact: licence({ key: signer, x5c }, holder, said, shown), key: holder } as Held
  }
  const dcql = {
    credentials: [
      {
        ...{ id: 'pid', format: 'dc+sd-jwt', meta: { vct_values: ['urn:eudi:pid:1'] } },
        claims: [{ path: ['family_name'] }, { path: ['birthdate'] }],
      },
    ],
  }

  const asked = async (query: Json, show: (payload: Request, key: Json) => Promise<string> | string) => {
    const begun = await send('POST', '/presentation-requests', {
      json: { purpose: 'A run', dcql_query: query, request_uri_method: 'get', profile: 'haip' },
    })
    expect(begun.status).toBe(201)
    const uri = new URLSearchParams(String(begun.body['wallet_url']).split('?')[1]).get('request_uri') ?? ''
    const { payload } = readObject((await send('GET', uri)).text)
    const [key = {}] = payload.client_metadata.jwks?.keys ?? []
    const [{ id: queryId }] = query['credentials'] as [{ id: string }]
    const response = await encrypt(answerOf(payload, { [queryId]: [await show(payload, key)] }), key)
    return send('POST', payload.response_uri, { form: { response } })
  }
  const answered = (held: Held, nonce?: string) =>
    asked(dcql, payload =>
      bind(held.compact, { audience: payload.client_id, challenge: nonce ?? payload.nonce }, held.key),
    )

  it('shows its identity credential (urn:eudi:pid:1) under x509_hash, encrypted', async () => {
    const { status, body } = await answered(pid())
    expect([status, body['code']]).toEqual([200, undefined])
  })

  it('shows a driving licence as an mdoc, its device signing for this exchange alone', async () => {
    const query = {
      credentials: [
        {
          ...{ id: 'mdl', format: 'mso_mdoc', meta: { doctype_value: docType } },
          claims: [{ path: [namespace, 'family_name'] }],
        },
      ],
    }
    const shownTo = async (change: Json = {}, by = office) => {
      const mdoc = Buffer.from(await by.issue()).toString('base64url')
      return asked(query, ({ client_id: clientId, response_uri: responseUri, nonce }, key) => {
        const handover = { by: 'redirect' as const, clientId, responseUri, jwkThumbprint: thumbprintOf(key), ...change }
        const to = { audience: clientId, challenge: nonce, claims: [`${namespace}/family_name`], handover }
        return presentMdoc(mdoc, to, { algorithm: 'ES256' }, (_each, input) => coseSigner(by.device)('ES256', input))
      })
    }
    const { status, body } = await shownTo()
    expect([status, body['code']]).toEqual([200, undefined])
    expect((await shownTo({ responseUri: 'https://elsewhere.example' })).body['code']).toBe('holder_mismatch')
    const stranger = await openOffice({ opened: Date.now() - 10 * day })
    expect((await shownTo({}, stranger)).body['code']).toBe('certificate_untrusted')
  })

  it('is refused with another nonce, another issuer, another key, and another type', async () => {
    expect((await answered(pid(), 'another')).body['code']).toBe('challenge_mismatch')
    expect((await answered(pid({ iss: 'https://elsewhere.example/' }))).body['code']).toBe('key_of_another')
    expect((await answered(pid({}, providerOf().x5c))).body['code']).toMatch(/signature_invalid|key_of_another/)
    expect((await answered(pid({ vct: 'urn:eudi:pid:2' }))).status).toBeGreaterThanOrEqual(400)
  })

  it('is judged as an mdoc by the certificates that the profile trusts, and by no others', async () => {
    const { body } = await send('POST', '/credentials/issue', {
      json: licenceFor(newKey().did, { format: 'mso_mdoc' }),
    })
    const own = body['verifiableCredential']
    const judged = await send('POST', '/credentials/verify', { json: { verifiableCredential: own } })
    expect(judged.body).toMatchObject({ verified: true, format: 'mso_mdoc', doctype: 'org.iso.18013.5.1.mDL' })
    const [known] = readAgencies([file])[0]?.trusts ?? []
    expect(known).toMatchObject({ type: 'DrivingLicence', credential: { docType: 'org.iso.18013.5.1.mDL' } })
    const [source] = known?.sources ?? []
    const pem = source?.by === 'certificates' ? source.certificates : ''
    const authority = new X509Certificate(pem)
    expect([authority.ca, authority.verify(authority.publicKey)]).toEqual([true, true])
    expect(authority.subject).toContain('O=OpenID Foundation')
  })

  it('is asked for a challenge where a presentation of it is handed in', async () => {
    const { compact, key } = pid()
    const verifiablePresentation = bind(compact, { audience: issuer, challenge: 'c' }, key)
    const verify = (options: Json) =>
      send('POST', '/presentations/verify', { json: { verifiablePresentation, options } })
    expect((await verify({ challenge: 'c' })).body).toMatchObject({ verified: true, type: 'NationalIdentity' })
    expect((await verify({ challenge: 'd' })).body['verified']).toBe(false)
    expect((await verify({})).body['code']).toBe('challenge_missing')
  })
})

describe('what a suite is handed', () => {
  const agencies = readAgencies([file])
  const served = { publicOrigin: 'https://profile.example', clock: { now: () => Date.parse('2026-01-01') } }
  const authorityIn = async (more: object = {}, profile = agencies): Promise<string> => {
    const [agency] = await withSuites(profile, { ...served, dataDir: folder.path, ...more })
    return agency?.openid4vci?.walletProviders.anchors[0] ?? ''
  }

  it('stays from start to start, until its certificates come to their end or it stands elsewhere', async () => {
    const first = await authorityIn()
    expect(first).toContain('BEGIN CERTIFICATE')
    expect(await authorityIn()).toBe(first)
    expect(await authorityIn({ clock: { now: () => Date.parse('2027-01-15') } })).not.toBe(first)
    const elsewhere = agencies.map(each => ({
      ...each,
      conformance: { port: 1, issuers: {}, openid: { suites: ['https://suite.example/test/a/b'], haip: true } },
    }))
    expect(await authorityIn({}, elsewhere)).not.toBe(first)
  })

  it('is nothing for agencies that name no suites', async () => {
    const others = readAgencies([join(root, 'agents/tax-authority.yml')])
    expect(await withSuites(others, { ...served, dataDir: '/nowhere' })).toEqual(others)
  })

  it('is named by https addresses, in a conformance profile alone', () => {
    const refusalOf = (openid: string): string => {
      try {
        parseAgency(`name: a-b\ntitle: A\nplugins: [x]\nconformance: { port: 1, openid: ${openid} }`, 'a.yml')
      } catch (error) {
        return (error as Error).message
      }
      return ''
    }
    const url = 'https://suite.example/test/a/b'
    expect(refusalOf(`{ suites: ["${url}"], haip: true }`)).toBe('')
    for (const [openid, why] of [
      ['7', 'a mapping'],
      ['{ suites: [] }', 'https URLs'],
      [`{ suites: ["${url}/"] }`, 'https URLs'],
      ['{ suites: ["http://suite.example/a"] }', 'https URLs'],
      [`{ suites: ["${url}"], haip: 1 }`, 'true or false'],
      [`{ suites: ["${url}"], open: true }`, 'unknown key'],
    ] as const) {
      expect([openid, refusalOf(openid)]).toEqual([openid, expect.stringContaining(why)])
    }
  })
})
