import { generateKeyPairSync, verify, X509Certificate } from 'node:crypto'
import { certificateHash, openClients, type SignedPrefix } from '../../../../src/identity/openid/vp/clients.ts'
import { readOwnAttestation } from '../../../../src/identity/openid/vp/own-attestation.ts'
import {
  signForSeveral,
  signRequestObject,
  urlByReference,
  urlUnsigned,
} from '../../../../src/identity/openid/vp/request-make.ts'
import { certificateSigner, makeAccessCertificate, makeRootCertificate } from '../../../../src/identity/x509/make.ts'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import { agencyParty, holderParty, jws, signBytes } from '../../world.ts'

/** How a verifier names itself (OpenID4VP 1.0, section 5.9.3), and what it signs. */

const now = Date.UTC(2026, 0, 1)
const issuer = agencyParty(`0x${'11'.repeat(20)}`)
const verifier = holderParty()
const life = { notBefore: now - 86_400_000, notAfter: now + 86_400_000 }
const root = certificateSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const contact = { type: 'url' as const, value: 'https://office.example' }
const anchor = await makeRootCertificate({ ...life, commonName: 'Root', contact, signer: root })
const der = await makeAccessCertificate({
  ...{ ...life, commonName: 'Verifier', authority: { signer: root, certificate: anchor } },
  ...{ publicKey: verifier.publicKey, hosts: ['office.example'] },
})
const leaf = Buffer.from(der).toString('base64')

const open = (publicUrl: string, expires = now + 1) =>
  openClients({
    ...{ publicUrl, did: issuer.did, now: () => now, issuerKey: () => issuer },
    certificates: {
      verifier: async () => ({ x5c: [leaf], keyId: 'v', algorithm: 'ES256' as const, expires: life.notAfter }),
    },
    signer: { sign: async (keyId, _algorithm, data) => signBytes(keyId === 'v' ? verifier : issuer, data) },
    attestation: { jwt: 'a.b.c', subject: 'verifier.example', expires },
  })

const terms = {
  dcql: { credentials: [{ id: 'a', format: 'dc+sd-jwt', meta: {} }] },
  ...{ nonce: 'n', state: 's', responseMode: 'direct_post' as const, responseUri: 'https://office.example/r' },
}
const period = { now, expires: now + 60_000 }
const decoded = (segment = ''): Record<string, unknown> => JSON.parse(Buffer.from(segment, 'base64url').toString())

describe('a verifier', () => {
  it.each<[SignedPrefix, string, Record<string, unknown>]>([
    ['x509_hash', `x509_hash:${certificateHash(leaf)}`, { alg: 'ES256', x5c: [leaf] }],
    ['x509_san_dns', 'x509_san_dns:office.example', { alg: 'ES256', x5c: [leaf] }],
    ['verifier_attestation', 'verifier_attestation:verifier.example', { alg: 'ES256', jwt: 'a.b.c' }],
    [
      'decentralized_identifier',
      'decentralized_identifier:did:web:office.example:office',
      { alg: 'ES256', kid: 'did:web:office.example:office#delegate-1' },
    ],
  ])('is known by %s', async (prefix, clientId, header) => {
    const client = await open('https://office.example/office').signing(prefix)
    expect([client.clientId, client.header]).toEqual([clientId, header])
    const [head = '', body = '', signature = ''] = (await signRequestObject(terms, client, period)).split('.')
    expect(decoded(head)).toEqual({ ...header, typ: 'oauth-authz-req+jwt' })
    expect(decoded(body)).toMatchObject({
      client_id: clientId,
      aud: 'https://self-issued.me/v2',
      nonce: 'n',
      state: 's',
    })
    const key = prefix === 'decentralized_identifier' ? issuer.publicKey : verifier.publicKey
    const input = Buffer.from(`${head}.${body}`)
    const how = { key, dsaEncoding: 'ieee-p1363' as const }
    expect(verify('sha256', input, how, Buffer.from(signature, 'base64url'))).toBe(true)
  })

  it('is known by the hash that anybody can take of its certificate (section 5.9.3, x509_hash)', () => {
    const { fingerprint256 } = new X509Certificate(der)
    expect(Buffer.from(certificateHash(leaf), 'base64url').toString('hex')).toBe(
      fingerprint256.replaceAll(':', '').toLowerCase(),
    )
  })

  it('has its did:ethr where it is not served over https, so that nobody looks for another', async () => {
    const client = await open('http://localhost:3000/office').signing('decentralized_identifier')
    expect([client.clientId, client.header.kid]).toEqual([`decentralized_identifier:${issuer.did}`, issuer.kid])
  })

  it.each<[string, string, SignedPrefix, number?]>([
    ['a DNS name under an IP address', 'https://192.0.2.1/office', 'x509_san_dns'],
    ['a DNS name under an IPv6 address', 'https://[2001:db8::1]/office', 'x509_san_dns'],
    ['an attestation that is over', 'https://office.example/office', 'verifier_attestation', now],
  ])('does not go by %s', async (_what, url, prefix, expires = now + 1) => {
    const asked = open(url, expires).signing(prefix)
    await expect(asked.catch(error => (isRefusal(error) ? error.code : error))).resolves.toBe('client_id_unsupported')
  })

  it('signs once for each of several names, which stand in the headers alone (appendix A.3.2.2)', async () => {
    const clients = open('https://office.example/office')
    const both = await Promise.all([clients.signing('x509_hash'), clients.signing('decentralized_identifier')])
    const info = [{ format: 'jwt', data: 'x' }]
    const { payload, signatures } = await signForSeveral({ ...terms, verifierInfo: info }, both, period)
    expect(decoded(payload)).not.toHaveProperty('verifier_info')
    const headers = signatures.map(each => decoded(each.protected))
    expect(headers.map(({ client_id: id }) => id)).toEqual(both.map(({ clientId }) => clientId))
    expect(headers.map(({ verifier_info: each }) => each)).toEqual([info, info])
    const keys = [verifier.publicKey, issuer.publicKey]
    signatures.forEach((each, at) => {
      const key = { key: keys[at] as typeof verifier.publicKey, dsaEncoding: 'ieee-p1363' as const }
      const input = Buffer.from(`${each.protected}.${payload}`)
      expect(verify('sha256', input, key, Buffer.from(each.signature, 'base64url'))).toBe(true)
    })
  })

  it('writes links as OAuth does, with objects as JSON (section 5.1)', () => {
    const clientId = 'x509_san_dns:office.example'
    const requestUri = 'https://office.example/request/1'
    expect(urlByReference('haip-vp', { clientId, requestUri, method: 'post' })).toBe(
      'haip-vp://?client_id=x509_san_dns%3Aoffice.example&request_uri=https%3A%2F%2Foffice.example%2Frequest%2F1&request_uri_method=post',
    )
    const query = new URLSearchParams(urlUnsigned('openid4vp', terms).split('?')[1])
    expect(query.get('client_id')).toBe('redirect_uri:https://office.example/r')
    expect(JSON.parse(query.get('dcql_query') ?? '')).toEqual(terms.dcql)
    expect(query.has('redirect_uri')).toBe(false)
  })
})

describe('a verifier attestation (section 12)', () => {
  const attester = holderParty()
  const own = { thumbprint: verifier.thumbprint, now }
  const claims = {
    iss: 'https://attester.example',
    sub: 'verifier.example',
    exp: now / 1_000 + 60,
    cnf: { jwk: verifier.jwk },
  }
  const made = (change: Record<string, unknown> = {}, typ = 'verifier-attestation+jwt') =>
    jws({ alg: 'ES256', typ }, { ...claims, ...change }, attester)

  it('is of use where it is bound to the key that signs requests', () => {
    const jwt = made()
    expect(readOwnAttestation(jwt, own)).toEqual({ jwt, subject: 'verifier.example', expires: now + 60_000 })
  })

  it.each<[string, Record<string, unknown>, string?]>([
    ['of another type', {}, 'JWT'],
    ['without an issuer', { iss: undefined }],
    ['without a subject', { sub: '' }],
    ['that has expired', { exp: now / 1_000 }],
    ['that never expires', { exp: undefined }],
    ['bound to no key', { cnf: undefined }],
    ['bound to another key', { cnf: { jwk: attester.jwk } }],
    ['bound to a key that is none', { cnf: { jwk: { kty: 'EC', crv: 'P-256', x: 'A', y: 'A' } } }],
  ])('is refused %s', (_what, change, typ = 'verifier-attestation+jwt') => {
    const read = () => readOwnAttestation(made(change, typ), own)
    expect(read).toThrow(expect.objectContaining({ code: 'attestation_unsuited' }))
  })
})
