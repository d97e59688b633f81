import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { resolveTrustChains } from '@openid-federation/core'
import { pemOfCertificate } from '../src/identity/x509/certificate.ts'
import { bind, dpopFetch, type Key, newKey, send, type To, tryOpenSession } from './holder.ts'
import { type Entity, openNation } from './identity/federation/world.ts'
import { licence, type Office, openOffice } from './identity/foreign/utopia.ts'
import { caller, killNode, root, type Started, startService, temporaryFolder } from './service.ts'

/** A nation's federation as others see it, and what an agency takes from abroad: over real HTTP, with its own clock. */

const folder = temporaryFolder()
const dataDir = join(folder.path, 'data')
const registry = 'business-registry'
const vct = 'urn:utopia:pid:1'
const identity = {
  family_name: 'More',
  given_name: 'Thomas',
  birthdate: '1978-02-07',
  age_over_18: true,
  nationalities: ['XU'],
  personal_number: 'XU-1516',
}

let service: Started
let office: Office
let nation: Awaited<ReturnType<typeof openNation>>
let abroad: Entity
let abroadKey: Key

const agencyFile = (name: string, more: string): string => {
  const file = join(folder.path, `${name}.yml`)
  const text = readFileSync(join(root, 'agents', `${name}.yml`), 'utf8')
  writeFileSync(file, `${text}\n${more}\n`)
  return file
}

beforeAll(async () => {
  const now = Math.floor(Date.now() / 1_000) * 1_000
  office = await openOffice(now)
  nation = await openNation(now)
  const anchor = nation.add('anchor')
  abroadKey = newKey()
  const jwks = { keys: [{ ...abroadKey.jwk, kid: 'pids' }] }
  abroad = nation.add('ministry', { metadata: { openid_credential_issuer: { jwks } } })
  nation.subordinate(anchor, abroad)
  writeFileSync(join(folder.path, 'utopia.pem'), pemOfCertificate(office.root))
  mkdirSync(join(folder.path, 'registers'))
  cpSync(join(root, 'agents/registers'), join(folder.path, 'registers'), { recursive: true })
  const claims = `
    claims:
      familyName: family_name
      givenName: given_name
      birthDate: birthdate
      ageOver18: age_over_18
      nationalities: nationalities
      personalAdministrativeNumber: personal_number
      issuingCountry: { value: XU }`
  const trusts = `
allowedHttpOrigins: ['${nation.origin}']
trusts:
  - type: NationalIdentity
    format: dc+sd-jwt
    vct: ${vct}
    status: optional
    sources:
      - { certificates: utopia.pem }
      - { federation: '${anchor.id}', keys: { keys: [${JSON.stringify(anchor.key.jwk)}] } }${claims}`
  service = await startService({
    dataDir,
    agencies: [agencyFile('root-authority', ''), agencyFile('transport-authority', ''), agencyFile(registry, trusts)],
  })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  await nation?.close()
  killNode(dataDir)
  folder.remove()
})

const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
  for (let tries = 0; tries < 60; tries++) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise(done => setTimeout(done, 250))
  }
  throw new Error('it did not come about')
}

const claimsIn = async (response: Response): Promise<Record<string, never> & Record<string, unknown>> => {
  const [, payload = ''] = (await response.text()).split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

describe('the federation of the nation', () => {
  const verifyJwtCallback = async (jwt: {
    jwk: unknown
    data: Uint8Array
    signature: Uint8Array
  }): Promise<boolean> => {
    const key = createPublicKey({ key: jwt.jwk as JsonWebKey, format: 'jwk' })
    return verify('sha256', jwt.data, { key, dsaEncoding: 'ieee-p1363' }, jwt.signature)
  }

  it('has every accredited agency below its root, which @openid-federation/core finds by itself', async () => {
    const [anchor, entityId] = [`${service.url}/root-authority`, `${service.url}/transport-authority`]
    await until(async () => {
      const listed = (await (await fetch(`${anchor}/federation/list`)).json()) as string[]
      return listed.includes(entityId) ? true : undefined
    })
    const [chain] = await resolveTrustChains({ entityId, trustAnchorEntityIds: [anchor], verifyJwtCallback })
    const metadata = chain?.resolvedLeafMetadata as Record<string, Record<string, unknown>> | undefined
    expect(metadata?.['openid_credential_issuer']?.['credential_issuer']).toBe(entityId)
    const resolved = await fetch(
      `${anchor}/federation/resolve?${new URLSearchParams({ sub: entityId, trust_anchor: anchor })}`,
    )
    expect(resolved.headers.get('content-type')).toMatch(/^application\/resolve-response\+jwt/)
    const claims = await claimsIn(resolved)
    expect(claims).toMatchObject({ iss: anchor, sub: entityId })
    expect(Object.keys(claims['metadata'] ?? {}).sort()).toEqual(Object.keys(metadata ?? {}).sort())
  })

  it('takes nobody in who does not sign as an institution', async () => {
    const body = { entity: `${service.url}/transport-authority`, jwks: { keys: [{ kty: 'EC', kid: 'x' }] } }
    const answer = await send(`${service.url}/root-authority/federation/subordinates`, 'POST', body)
    expect([answer.status, answer.body['code']]).toEqual([401, 'unauthenticated'])
  })
})

describe('a stranger with a credential of their own country', () => {
  const pid = (holder: Key, change: Record<string, unknown> = {}) =>
    licence(office, holder, { vct, ...change }, identity)
  const pidByFederation = (holder: Key) =>
    licence({ key: abroadKey, kid: 'pids' }, holder, { vct, iss: abroad.id }, identity)
  const url = () => `${service.url}/${registry}`
  const open = (compact: string, holder: Key) => tryOpenSession(url(), (to: To) => bind(compact, to, holder))

  it('has it judged as one of ours, by whose word is said', async () => {
    const verifier = caller(service, registry)
    const answer = await verifier('POST', '/credentials/verify', { verifiableCredential: pid(newKey()) })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ verified: true })
    expect(JSON.stringify(answer.body)).toContain('Utopia Root')
    const elsewhere = await caller(service, 'transport-authority')('POST', '/credentials/verify', {
      verifiableCredential: pid(newKey()),
    })
    expect(elsewhere.body['verified']).not.toBe(true)
  })

  it.each([
    ['under the certificates of its country', pid],
    ['under the trust chain of its ministry', pidByFederation],
  ])('opens a session and applies for a licence %s', async (_what, make) => {
    const holder = newKey()
    const { answer, key } = await open(make(holder), holder)
    expect([answer.status, answer.body['code']]).toEqual([201, undefined])
    const session = dpopFetch(
      url(),
      String(answer.body['access_token']),
      key,
      answer.headers.get('dpop-nonce') ?? undefined,
    )
    const diploma = Buffer.from('a diploma')
    const sha256 = createHash('sha256').update(diploma).digest('base64url')
    const applied = await session.call('POST', '/registry/registers/professional-licences/applications', {
      fields: { profession: 'notary', scopeOfPractice: ['deeds'], professionalBody: { name: 'Chamber of Notaries' } },
      attachments: [{ name: 'diploma', mediaType: 'application/pdf', bytes: diploma.length, sha256 }],
    })
    expect([applied.status, applied.body['code']]).toEqual([201, undefined])
  })

  it.each<[string, string[], (holder: Key) => Promise<string>]>([
    [
      'of another authority',
      ['certificate_untrusted'],
      async holder => licence(await openOffice(office.now), holder, { vct }, identity),
    ],
    [
      'that has expired',
      ['credential_expired'],
      async holder => pid(holder, { exp: Math.floor(Date.now() / 1_000) - 60 }),
    ],
    // What no trust is for is judged as one of ours, and is none.
    ['of another type', ['schema_unknown'], async holder => pid(holder, { vct: 'urn:utopia:library-card' })],
  ])('is not let in with one %s', async (_what, codes, make) => {
    const holder = newKey()
    const { answer } = await open(await make(holder), holder)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(codes).toContain(answer.body['code'])
  })
})
