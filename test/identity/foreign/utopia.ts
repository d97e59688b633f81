import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetchBounded } from '../../../src/identity/fetch-bounded.ts'
import { openMethods } from '../../../src/identity/foreign/keys.ts'
import type { Trust } from '../../../src/identity/foreign/trust.ts'
import { type ForeignTrustNeeds, openForeignTrusts } from '../../../src/identity/foreign/trusted.ts'
import { packStatuses, sealListJwt } from '../../../src/identity/status-lists/token.ts'
import { openTrustedLists } from '../../../src/identity/trusted-lists/source.ts'
import { certificateSigner, makeAccessCertificate, makeRootCertificate } from '../../../src/identity/x509/make.ts'
import { type Key, sha256, signJwt } from '../../holder.ts'
import {
  entitiesOf,
  newAuthority,
  newSigner,
  notified,
  type Operator,
  serviceType,
  signedEntities,
} from '../trusted-lists/operator.ts'
import { day, type Party, signBytes, type World } from '../world.ts'

/** Utopia: a nation without our software, that issues driving licences as SD-JWTs under certificates of its own. */

export const vct = 'urn:utopia:licence:1'
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

export type Office = {
  x5c: string[]
  root: Uint8Array
  key: Key
  chain: Uint8Array[]
  ca: ReturnType<typeof pair>
  now: number
}

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const contact = { type: 'email' as const, value: 'office@utopia.example' }

const keyOf = (keys: ReturnType<typeof pair>): Key => {
  const { kty, crv, x, y } = keys.publicKey.export({ format: 'jwk' })
  const jwk = { crv, kty, x, y }
  return { jwk, did: '', kid: '', thumbprint: sha256(JSON.stringify(jwk)), privateKey: keys.privateKey }
}

/** An authority, and a certificate of it for the key that signs licences. */
export const openOffice = async (
  now: number,
  change: { uris?: string[]; hosts?: string[]; notAfter?: number } = {},
): Promise<Office> => {
  const [ca, keys] = [pair(), pair()]
  const life = { notBefore: now - 400 * day, notAfter: now + 400 * day }
  const signer = certificateSigner(ca)
  const root = await makeRootCertificate({ ...life, country: 'UT', commonName: 'Utopia Root', contact, signer })
  const leaf = await makeAccessCertificate({
    ...{ ...life, hosts: ['utopia.example'], ...change, commonName: 'Licence Office', country: 'UT' },
    ...{ authority: { certificate: root, signer }, publicKey: keys.publicKey },
  })
  return { root, key: keyOf(keys), x5c: [base64(leaf)], chain: [leaf], ca, now }
}

/** Another leaf under the office's own authority: for its status lists. */
export const listSigner = async ({ root, ca, now }: Office): Promise<{ key: Key; x5c: string[] }> => {
  const keys = pair()
  const leaf = await makeAccessCertificate({
    ...{ notBefore: now - day, notAfter: now + day, hosts: [], uris: ['urn:utopia:lists'], commonName: 'Lists' },
    ...{ authority: { certificate: root, signer: certificateSigner(ca) }, publicKey: keys.publicKey },
  })
  return { key: keyOf(keys), x5c: [base64(leaf)] }
}

export const claims = {
  family_name: 'More',
  given_name: 'Thomas',
  birth_date: '1978-02-07',
  document_number: 'U-1516',
  issuing_country: 'XU',
  issuing_authority: 'Licence Office of Utopia',
  issue_date: '2024-01-01',
  expiry_date: '2034-01-01',
  driving_privileges: [{ vehicle_category_code: 'B', issue_date: '2024-01-01', expiry_date: '2034-01-01' }],
}

/** Our claims by theirs. */
export const rules: Trust['claims'] = {
  familyName: { path: ['family_name'] },
  givenName: { path: ['given_name'] },
  birthDate: { path: ['birth_date'] },
  licenceNumber: { path: ['document_number'] },
  issuingCountry: { path: ['issuing_country'] },
  issuingAuthority: { path: ['issuing_authority'] },
  issueDate: { path: ['issue_date'] },
  expiryDate: { path: ['expiry_date'] },
  drivingPrivileges: {
    path: ['driving_privileges'],
    each: {
      vehicleCategoryCode: ['vehicle_category_code'],
      issueDate: ['issue_date'],
      expiryDate: ['expiry_date'],
    },
  },
}

/** An SD-JWT VC in which every claim of the person can be kept back. */
export const licence = (
  by: { key: Key; x5c?: string[]; kid?: string },
  holder: Key,
  change: Record<string, unknown> = {},
  shown: Record<string, unknown> = claims,
): string => {
  const disclosures = Object.entries(shown).map(([name, value]) =>
    Buffer.from(JSON.stringify([randomBytes(16).toString('base64url'), name, value])).toString('base64url'),
  )
  const now = Math.floor(Date.now() / 1_000)
  const payload = {
    ...{ iss: 'https://utopia.example', vct, iat: now - 60, exp: now + 86_400, cnf: { jwk: holder.jwk } },
    _sd: disclosures.map(sha256),
    ...change,
  }
  const header = {
    typ: 'dc+sd-jwt',
    ...(by.x5c === undefined ? {} : { x5c: by.x5c }),
    ...(by.kid === undefined ? {} : { kid: by.kid }),
  }
  return `${[signJwt(header, payload, by.key), ...disclosures].join('~')}~`
}

export type Utopia = Awaited<ReturnType<typeof openUtopia>>

/** Its servers: status lists and a trusted list. */
export const openUtopia = async (world: World) => {
  const answers = new Map<string, { body: string | Uint8Array; type: string }>()
  const asked: string[] = []
  const answer = (path: string, response: ServerResponse): void => {
    asked.push(path)
    const found = answers.get(path)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': found?.type ?? 'text/plain' })
    response.end(found?.body)
  }
  const server = createServer((request, response) => answer(request.url ?? '', response))
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const operator = await newSigner(await newAuthority('Scheme operator'), 'List signer', {
    notAfter: world.clock.now() + 400 * day,
  })
  const fetch: ForeignTrustNeeds['fetch'] = (url, bounds) =>
    fetchBounded(url, { ...bounds, allowedHttpOrigins: [origin] })

  return {
    ...{ origin, asked, operator, fetch },
    listUrl: `${origin}/trusted-list`,
    statusUrl: `${origin}/status`,
    serve: (path: string, body: string, type: string) => answers.set(path, { body, type }),
    /** Publishes a trusted list with these authorities. */
    list(
      authorities: Uint8Array[],
      options: { sequence?: number; next?: number; by?: Operator; status?: string; since?: number; type?: string } = {},
    ): void {
      const now = world.clock.now()
      const date = (time: number) => new Date(time).toISOString()
      const { sequence = 1, next = now + day, status = notified, since = now - 365 * day, type = serviceType } = options
      const entities = entitiesOf(
        authorities.map(certificate => ({ certificate, status, since, type })),
        { LoTESequenceNumber: sequence, ListIssueDateTime: date(now - 1_000), NextUpdate: date(next) },
      )
      this.serve('/trusted-list', signedEntities(options.by ?? operator, entities), 'application/jose')
    },
    /** Publishes a Token Status List, signed by whom it says; `null` for one that does not say whose it is. */
    async status(
      by: { key: Key; x5c?: string[]; iss?: string | null; kid?: string },
      revoked: number[] = [],
      ttlMs = 60_000,
    ) {
      const now = world.clock.now()
      const statuses = revoked.map(index => ({ index, status: 1 }))
      const token = await sealListJwt(
        {
          ...{ uri: `${origin}/status`, issuer: by.iss ?? 'https://utopia.example', issuedAt: now, ttlMs },
          ...{ expiresAt: now + day, list: packStatuses({ bits: 2, entries: 1_000, statuses }) },
        },
        { algorithm: 'ES256', kid: by.kid ?? '' },
        async (_algorithm, input) => {
          // The header of the house has no x5c: written anew.
          return Buffer.from(input)
        },
      )
      const [, payload = ''] = token.split('.')
      const body = JSON.parse(Buffer.from(payload, 'base64url').toString())
      if (by.iss === null) delete body.iss
      const header = { typ: 'statuslist+jwt', ...(by.x5c && { x5c: by.x5c }), ...(by.kid && { kid: by.kid }) }
      this.serve('/status', signJwt(header, body, by.key), 'application/statuslist+jwt')
    },
    statusAt: (idx: number) => ({ status: { status_list: { idx, uri: `${origin}/status` } } }),
    trusts(trusts: readonly Trust[], more: Partial<ForeignTrustNeeds> = {}) {
      const lists = openTrustedLists({
        ...{
          clock: world.clock,
          fetch,
          retryMs: 0,
          lists: [{ url: `${origin}/trusted-list`, operators: [operator.certificate] }],
        },
        kept: { read: async () => undefined, write: async () => undefined },
      })
      const foreign = openForeignTrusts({
        ...{ clock: world.clock, trusts, fetch, lists, trust: world.trust },
        keyOf: openMethods({
          resolve: async () => ({ didDocument: null, didResolutionMetadata: {}, didDocumentMetadata: {} }),
        }),
        isOwn: did => did.startsWith('did:ethr:0x7a69:'),
        ...more,
      })
      return { ...world.verify, foreign, did: world.transport.did, lists }
    },
    close: () => new Promise<void>(done => server.close(() => done())),
  }
}

export const trustOf = (world: World, change: Partial<Trust> = {}): Trust => ({
  ...{ id: 'utopia', type: world.types.byId('DrivingLicence'), credential: { format: 'dc+sd-jwt', vct } },
  ...{ sources: [], claims: rules, status: 'required', ...change },
})

export const signAs = (party: Party) => async (data: Uint8Array) => signBytes(party, data)
