import { generateKeyPairSync, sign } from 'node:crypto'
import { didKeyOf } from '../../../src/identity/did-local.ts'
import type { Fetched } from '../../../src/identity/fetch-bounded.ts'
import { openJwtVcIssuers } from '../../../src/identity/foreign/jwt-vc-issuer.ts'
import { openMethods } from '../../../src/identity/foreign/keys.ts'
import { openForeignSdJwts } from '../../../src/identity/foreign/sd-jwt-vc.ts'
import { sealJws } from '../../../src/identity/formats/jose.ts'
import { publicKeyFromJwk } from '../../../src/identity/key-material.ts'
import { packStatuses, sealListJwt } from '../../../src/identity/status-lists/token.ts'
import { trustAnchors } from '../../../src/identity/x509/chain.ts'
import { certificateSigner, makeAccessCertificate, makeRootCertificate } from '../../../src/identity/x509/make.ts'

type Body = Record<string, unknown>

const now = Date.parse('2026-06-01T12:00:00Z')
const clock = { now: () => now }
const seconds = now / 1_000

const party = () => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = keys.publicKey.export({ format: 'jwk' })
  const did = didKeyOf(publicKeyFromJwk(jwk))
  const seal = (_algorithm: string, data: Uint8Array): Buffer =>
    sign('sha256', data, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' })
  return {
    keys,
    jwk,
    did,
    kid: `${did}#${did.slice(8)}`,
    seal: async (algorithm: string, data: Uint8Array) => seal(algorithm, data),
  }
}

const theirs = party()
const somebody = party()
const listUrl = 'https://university.example/lists/1'
const iss = 'https://university.example'

/** What stands on the web, by URL. */
const web: Record<string, { type: string; body: string }> = {}
const fetched = async (url: string): Promise<Fetched> => {
  const found = web[url]
  if (found === undefined) throw new Error(`nobody expected ${url}`)
  return { url, status: 200, contentType: found.type, body: Buffer.from(found.body) }
}
beforeEach(() => {
  for (const url of Object.keys(web)) delete web[url]
  const keys = [{ ...theirs.jwk, kid: 'k1' }]
  web['https://university.example/.well-known/jwt-vc-issuer'] = {
    type: 'application/json',
    body: JSON.stringify({ issuer: iss, jwks: { keys } }),
  }
})

const day = 86_400_000
const signer = certificateSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const certified = async (hosts: string[]) => {
  const life = { notBefore: now - day, notAfter: now + day }
  const contact = { type: 'url' as const, value: 'https://authority.example' }
  const certificate = await makeRootCertificate({ ...life, commonName: 'Authority', country: 'XN', signer, contact })
  const leaf = await makeAccessCertificate({
    ...{ ...life, commonName: 'University', hosts, publicKey: theirs.keys.publicKey },
    authority: { certificate, signer },
  })
  return { anchor: certificate, x5c: [Buffer.from(leaf).toString('base64')] }
}

const judge = (anchors?: Uint8Array[]) =>
  openForeignSdJwts({
    ...{ clock, fetch: fetched, issuers: openJwtVcIssuers({ clock, fetch: fetched }) },
    keyOf: openMethods({
      resolve: async () => {
        throw new Error('no other DID is asked')
      },
    }),
    anchors: anchors === undefined ? undefined : trustAnchors(anchors),
  })

const made = async (claims: Body = {}, header: Body = {}, by = theirs): Promise<string> => {
  const payload = {
    vct: 'https://university.example/diploma',
    iss,
    iat: seconds,
    cnf: { jwk: somebody.jwk },
    degree: 'Master',
    ...claims,
  }
  return `${await sealJws({ alg: 'ES256', typ: 'dc+sd-jwt', kid: 'k1', ...header }, payload, by.seal)}~`
}

const codeOf = async (compact: string, anchors?: Uint8Array[]): Promise<string> => {
  const verdict = await judge(anchors)(compact)
  expect(verdict.verified).toBe(verdict.refusal === undefined)
  return verdict.refusal?.code ?? 'none'
}

test('an issuer that is a URL signs with a key that it publishes there (SD-JWT VC, section 5)', async () => {
  const verdict = await judge()(await made({ sub: 'person-1', jti: 'urn:1' }))
  expect(verdict).toMatchObject({
    ...{ verified: true, format: 'dc+sd-jwt', issuer: iss, type: 'https://university.example/diploma' },
    ...{ holder: 'person-1', credentialId: 'urn:1', claims: { id: 'person-1', degree: 'Master' } },
  })
})

test('an issuer that is a DID signs with a key of it', async () => {
  expect(await codeOf(await made({ iss: theirs.did }, { kid: theirs.kid }))).toBe('none')
  expect(await codeOf(await made({ iss: somebody.did }, { kid: theirs.kid }))).toBe('key_of_another')
  expect(await codeOf(await made({ iss: somebody.did }, { kid: somebody.kid }))).toBe('signature_invalid')
})

test('an issuer that a certificate names is believed below a known authority only (section 3.5)', async () => {
  const { anchor, x5c } = await certified(['university.example'])
  expect(await codeOf(await made({}, { x5c }), [anchor])).toBe('none')
  expect(await codeOf(await made({}, { x5c }))).toBe('certificate_untrusted')
  expect(await codeOf(await made({ iss: 'https://other.example' }, { x5c }), [anchor])).toBe('key_of_another')
  expect(await codeOf(await made({}, { x5c }, somebody), [anchor])).toBe('signature_invalid')
  expect(await codeOf(await made({}, { x5c: [...x5c, Buffer.from(anchor).toString('base64')] }), [anchor])).toBe(
    'certificate_untrusted',
  )
})

const listAt = async (status: number, change: Body = {}, by = theirs): Promise<void> => {
  const list = packStatuses({ bits: 1, entries: 16, statuses: [{ index: 3, status }] })
  const draft = {
    uri: listUrl,
    issuer: iss,
    issuedAt: now - 1_000,
    expiresAt: now + day,
    ttlMs: 60_000,
    list,
    ...change,
  }
  const body = await sealListJwt(draft, { algorithm: 'ES256', kid: 'k1' }, by.seal)
  web[listUrl] = { type: 'application/statuslist+jwt', body }
}
const listed = { status: { status_list: { idx: 3, uri: listUrl } } }

test('a status in a list of the same issuer is read (Token Status List)', async () => {
  await listAt(0)
  expect(await codeOf(await made(listed))).toBe('none')
  await listAt(1)
  expect(await codeOf(await made(listed))).toBe('credential_revoked')
})

test('a list that does not name its issuer is judged by the keys of the credential’s (section 5.1: no iss is asked for)', async () => {
  await listAt(0, { issuer: undefined })
  expect(await codeOf(await made(listed))).toBe('none')
  await listAt(1, { issuer: undefined })
  expect(await codeOf(await made(listed))).toBe('credential_revoked')
  await listAt(0, { issuer: undefined }, somebody)
  expect(await codeOf(await made(listed))).toBe('status_list_refused')
})

test('whoever names a list of somebody else settles nothing of it for the others', async () => {
  await listAt(0, { issuer: undefined })
  const judging = judge()
  const strange = await made({ ...listed, iss: somebody.did }, { kid: somebody.kid }, somebody)
  expect((await judging(strange)).refusal?.code).toBe('status_list_refused')
  expect((await judging(await made(listed))).refusal).toBeUndefined()
  expect((await judging(strange)).refusal?.code).toBe('status_list_refused')
})

test('a list of somebody else does not count, and neither does one that is not signed by its issuer', async () => {
  await listAt(0, { issuer: theirs.did })
  expect(await codeOf(await made(listed))).not.toBe('none')
  await listAt(0, {}, somebody)
  expect(await codeOf(await made(listed))).not.toBe('none')
})

const refused: [string, Body, Body, string][] = [
  ['has expired', { exp: seconds - 1 }, {}, 'credential_expired'],
  ['is not valid yet', { nbf: seconds + 3_600 }, {}, 'credential_not_yet_valid'],
  ['was issued in the future', { iat: seconds + 3_600 }, {}, 'credential_not_yet_valid'],
  ['has no type', { vct: undefined }, {}, 'credential_malformed'],
  ['has no issuer', { iss: undefined }, {}, 'credential_malformed'],
  ['is typed as something else', {}, { typ: 'JWT' }, 'credential_malformed'],
  ['names a key that is not published', {}, { kid: 'k2' }, 'key_unknown'],
  ['has a status that is not understood', { status: { bits: 1 } }, {}, 'status_type_unknown'],
  [
    'has a status on a chain',
    { status: { status_list: listed.status.status_list, evm_status: {} } },
    {},
    'status_type_unknown',
  ],
]
test.each(refused)('a credential that %s is refused', async (_what, claims, header, code) => {
  expect(await codeOf(await made(claims, header))).toBe(code)
})
