import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { decode, encode } from '../src/identity/cbor.ts'
import { readCertificate } from '../src/identity/x509/certificate.ts'
import { certificateSigner, makeDocumentSignerCertificate, makeRootCertificate } from '../src/identity/x509/make.ts'
import { caller, exampleOf, killNode, root, type Started, startService, temporaryFolder } from './service.ts'

/** The citizens' wallet answers an agency of this nation, over HTTP: OpenID4VP 1.0 on both sides. */

type Body = Record<string, unknown>
type Shown = Body & {
  id: string
  digest: string
  queries: { id: string; candidates: { heldId: string; shown: string[] }[] }[]
}

const port = 3_873
const origin = `http://localhost:${port}`
const passphrase = 'correct horse battery staple'
let folder: ReturnType<typeof temporaryFolder>
let service: Started
let token = ''

const agencies = ['root-authority', 'transport-authority', 'citizen-wallet'].map(name =>
  join(root, 'agents', `${name}.yml`),
)

const citizen = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: Body }> => {
  const response = await fetch(`${origin}/citizen-wallet/wallet${path}`, {
    method,
    headers: {
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body }
}

const staff = (method: string, path: string, body?: unknown) =>
  caller(service, 'transport-authority')(method, path, body)

const issued = async <Credential>(format: string, id: string): Promise<Credential> => {
  const { status, body } = await staff('POST', '/credentials/issue', {
    credential: {
      type: ['VerifiableCredential', 'DrivingLicence'],
      credentialSubject: { id, ...exampleOf('driving-licence') },
    },
    options: { format },
  })
  expect({ format, status, code: body['code'] }).toEqual({ format, status: 201, code: undefined })
  return body['verifiableCredential'] as Credential
}

/** A licence in the wallet, issued for a key of its own. */
const hold = async (format: string): Promise<void> => {
  const { body: key } = await citizen('POST', '/keys', {})
  const verifiableCredential = await issued(format, String(key['did']))
  const kept = await citizen('POST', '/credentials', { verifiableCredential })
  expect({ format, status: kept.status, code: kept.body['code'] }).toEqual({ format, status: 201, code: undefined })
}

beforeAll(async () => {
  folder = temporaryFolder()
  service = await startService({ dataDir: join(folder.path, 'data'), agencies, port })
  await citizen('POST', '/citizens', { handle: 'amara', passphrase })
  token = String((await citizen('POST', '/sessions', { handle: 'amara', passphrase })).body['token'])
  for (const format of ['dc+sd-jwt', 'vc+jwt', 'jwt_vc', 'ldp_vc', 'mso_mdoc']) await hold(format)
}, 90_000)

afterAll(async () => {
  await service?.stop()
  killNode(join(folder.path, 'data'))
  folder.remove()
})

const types = ['https://www.w3.org/2018/credentials#VerifiableCredential', 'https://chancery.example/ns#DrivingLicence']
const w3c = { meta: { type_values: [types] }, claims: [{ path: ['credentialSubject', 'familyName'] }] }
const queries: Record<string, Body> = {
  'dc+sd-jwt': { meta: { vct_values: ['urn:chancery:vct:driving-licence:1'] }, claims: [{ path: ['familyName'] }] },
  'vc+jwt': w3c,
  jwt_vc_json: w3c,
  ldp_vc: w3c,
  mso_mdoc: {
    meta: { doctype_value: 'org.iso.18013.5.1.mDL' },
    claims: [{ path: ['org.iso.18013.5.1', 'family_name'], intent_to_retain: false }],
  },
}
const queryFor = (format: string): Body => ({ credentials: [{ id: 'licence', format, ...queries[format] }] })

const ask = async (format: string, more: Body = {}): Promise<Body> => {
  const asked = await staff('POST', '/presentation-requests', {
    purpose: 'a test',
    dcql_query: queryFor(format),
    ...more,
  })
  expect({ status: asked.status, code: asked.body['code'] }).toEqual({ status: 201, code: undefined })
  return asked.body
}

const read = async (invitation: Body): Promise<Shown> => {
  const { status, body } = await citizen('POST', '/presentation-requests', invitation)
  expect({ status, code: body['code'], satisfiable: body['satisfiable'] }).toEqual({
    ...{ status: 201, code: undefined, satisfiable: true },
  })
  return body as Shown
}

const answer = ({ id, digest, queries: asked }: Shown) =>
  citizen('POST', `/presentation-requests/${id}/answer`, {
    digest,
    credentials: asked.map(query => ({ query: query.id, heldId: query.candidates[0]?.heldId })),
  })

const outcome = async ({ id }: Body): Promise<Body> =>
  (await staff('POST', `/presentation-requests/${id}/result`, {})).body

const { familyName } = exampleOf('driving-licence')

/** Each credential good, and the claim there that was asked for. */
const good = { presentations: { licence: [{ verified: true, type: 'DrivingLicence', claims: { familyName } }] } }

const formats = Object.keys(queries)

test.each(formats)('a licence in %s is asked for as HAIP has it, shown, and presented encrypted', async format => {
  const asked = await ask(format)
  const shown = await read({ link: asked['wallet_url'] })
  expect(shown['client']).toMatchObject({ assurance: 'certificate' })
  const { status, body } = await answer(shown)
  expect({ status, body }).toMatchObject({ status: 200, body: { state: 'answered' } })
  expect(await outcome(asked)).toMatchObject(good)
})

/** Asks for a licence whose issuer is under an authority. */
const mdocUnder = (identifier: string): Body => {
  const [query] = queryFor('mso_mdoc')['credentials'] as Body[]
  return { credentials: [{ ...query, trusted_authorities: [{ type: 'aki', values: [identifier] }] }] }
}

const strangeIdentifier = 's9tIpPmhxdiuNkHMEWNpYim8S8Y'

/** The same mdoc with a certificate of the same key and the same names, by an authority of the holder's own. */
const forgedChain = async (compact: string): Promise<{ compact: string; identifier: string }> => {
  const item = decode(new Uint8Array(Buffer.from(compact, 'base64url'))) as Map<string, unknown>
  const [, unprotected] = item.get('issuerAuth') as [unknown, Map<number, Uint8Array>]
  const real = readCertificate(unprotected.get(x5chain) ?? new Uint8Array())
  const signer = certificateSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  const { notBefore, notAfter, publicKey, alternativeNames, subject } = real
  const contact = { type: 'url' as const, value: 'https://forger.example' }
  const named = { country: subject.country ?? '', contact, notBefore, notAfter }
  const certificate = await makeRootCertificate({ ...named, commonName: 'Forger', signer })
  const uris = alternativeNames.flatMap(({ type, value }) => (type === 'uri' && value.startsWith('did:') ? value : []))
  const leaf = await makeDocumentSignerCertificate({
    ...{ ...named, commonName: 'Signer', publicKey, uris, authority: { certificate, signer } },
  })
  unprotected.set(x5chain, leaf)
  const identifier = Buffer.from(readCertificate(leaf).authorityKeyIdentifier ?? '', 'hex').toString('base64url')
  return { compact: Buffer.from(encode(item)).toString('base64url'), identifier }
}
const x5chain = 33

test('whether a verifier wants to keep an element of an mdoc is shown (intent_to_retain, appendix B.2)', async () => {
  const path = ['org.iso.18013.5.1', 'family_name']
  const [query] = queryFor('mso_mdoc')['credentials'] as Body[]
  const claims = [{ path, intent_to_retain: true }, { path: [path[0], 'given_name'] }]
  const asked = await ask('mso_mdoc', { dcql_query: { credentials: [{ ...query, claims }] } })
  const { queries: shown } = await read({ link: asked['wallet_url'] })
  const { givenName } = exampleOf('driving-licence')
  expect(shown[0]?.candidates[0]).toMatchObject({
    claims: [{ path, values: [familyName], retained: true }, { values: [givenName] }],
  })
  expect(JSON.stringify(shown).match(/retained/g)).toHaveLength(1)
})

test('a verifier may ask for issuers under an authority by its key identifier (aki, HAIP 1.0, section 5)', async () => {
  const { body } = await staff('GET', '/certificates')
  const [leaf = ''] = (body as unknown as { chains: { documentSigner: string[] } }).chains.documentSigner
  const identifier = readCertificate(new Uint8Array(Buffer.from(leaf, 'base64'))).authorityKeyIdentifier ?? ''
  const asking = (value: string) => ask('mso_mdoc', { dcql_query: mdocUnder(value) })
  const asked = await asking(Buffer.from(identifier, 'hex').toString('base64url'))
  expect((await answer(await read({ link: asked['wallet_url'] }))).status).toBe(200)
  expect(await outcome(asked)).toMatchObject(good)
  const other = await asking(strangeIdentifier)
  const shown = await citizen('POST', '/presentation-requests', { link: other['wallet_url'] })
  expect(shown.body['satisfiable']).toBe(false)
})

test('certificates that its holder puts beside the signature of an mdoc put its issuer under nobody', async () => {
  const { body: key } = await citizen('POST', '/keys', {})
  const compact = await issued<string>('mso_mdoc', String(key['did']))
  const theirs = await forgedChain(compact)
  const { status, body: kept } = await citizen('POST', '/credentials', { verifiableCredential: theirs.compact })
  expect({ status, code: kept['code'] }).toEqual({ status: 201, code: undefined })
  const asked = await ask('mso_mdoc', { dcql_query: mdocUnder(theirs.identifier) })
  const shown = await read({ link: asked['wallet_url'] })
  expect(shown.queries[0]?.candidates.map(({ heldId }) => heldId)).toEqual([kept['id']])
  expect((await answer(shown)).body['code']).toBe('verifier_refused')
  expect(await outcome(asked)).toMatchObject({ code: 'presentation_waiting' })
})

const prefixes = ['x509_hash', 'x509_san_dns', 'decentralized_identifier']
test.each(prefixes)('an agency that calls itself by %s is known by it', async prefix => {
  const asked = await ask('dc+sd-jwt', {
    client_id_prefix: prefix,
    response_mode: 'direct_post',
    request_uri_method: 'get',
  })
  expect((await answer(await read({ link: asked['wallet_url'] }))).status).toBe(200)
  expect(await outcome(asked)).toMatchObject(good)
})

test('a request that nobody signed is answered where it says that the answer goes', async () => {
  const asked = await ask('dc+sd-jwt', { client_id_prefix: 'redirect_uri', delivery: 'value' })
  const shown = await read({ link: asked['wallet_url'] })
  expect(shown['client']).toMatchObject({ assurance: 'address' })
  expect((await answer(shown)).status).toBe(200)
  expect(await outcome(asked)).toMatchObject(good)
})

test('on one device the wallet sends the citizen back with a code', async () => {
  const returnTo = `${origin}/transport-authority/done`
  const asked = await ask('dc+sd-jwt', { return_to: returnTo })
  const { body } = await answer(await read({ link: asked['wallet_url'] }))
  expect(String(body['redirectUri'])).toContain(returnTo)
  expect(String(body['redirectUri'])).toContain('response_code=')
})

test('a citizen who refuses is known to have refused, and a request that was read by another wallet is gone', async () => {
  const asked = await ask('dc+sd-jwt')
  const shown = await read({ link: asked['wallet_url'] })
  expect(await citizen('POST', `/presentation-requests/${shown.id}/refuse`)).toMatchObject({ body: { told: true } })
  expect(await outcome(asked)).toMatchObject({ code: 'presentation_refused', error: 'access_denied' })
  const taken = await ask('dc+sd-jwt')
  const uri = String(taken['request_uri'])
  await fetch(uri, { method: 'POST', body: new URLSearchParams({ wallet_nonce: 'x'.repeat(22) }) })
  const late = await citizen('POST', '/presentation-requests', { link: taken['wallet_url'] })
  expect(late.body['code']).toBe('request_unavailable')
})

const pages: [string, Body][] = [
  ['unsigned', {}],
  ['signed', { signatures: ['x509_hash'] }],
  ['multisigned', { signatures: ['verifier_attestation', 'x509_hash', 'decentralized_identifier'].slice(1) }],
]
test.each(pages)('a page asks over the Digital Credentials API, %s', async (kind, more) => {
  const asked = await ask('dc+sd-jwt', { digital_credentials: { origins: [origin], ...more } })
  const { protocol, data } = asked['digital_request'] as { protocol: string; data: Body }
  expect(protocol).toBe(`openid4vp-v1-${kind}`)
  const { body } = await answer(await read({ origin, protocol, data }))
  const handed = await fetch(`${origin}/transport-authority/presentation-requests/${asked['id']}/digital-credential`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ secret: asked['secret'], data: body['data'] }),
  })
  expect({ status: handed.status, text: handed.status === 200 ? '' : await handed.text() }).toEqual({
    status: 200,
    text: '',
  })
  expect(await outcome(asked)).toMatchObject(good)
})
