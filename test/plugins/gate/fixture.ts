import { createServer } from 'node:net'
import { agencyMigrations } from '../../../src/agency.ts'
import { createApiKeys, everyScope } from '../../../src/http/api-keys.ts'
import { type App, createApp } from '../../../src/http/app.ts'
import { createAuth } from '../../../src/http/auth.ts'
import type { OpenApiDocument } from '../../../src/http/contract.ts'
import { type Listening, listen } from '../../../src/http/listen.ts'
import { createLog } from '../../../src/http/log.ts'
import { openDpop } from '../../../src/identity/dpop.ts'
import type { ClientNeeds } from '../../../src/identity/openid/vp/clients.ts'
import { verifyPresentation } from '../../../src/identity/present.ts'
import { challengeOf, prove, recheck } from '../../../src/identity/prove.ts'
import { viewOf } from '../../../src/identity/type-metadata.ts'
import { verifyCredential } from '../../../src/identity/verify.ts'
import { certificateSigner, makeAccessCertificate, makeRootCertificate } from '../../../src/identity/x509/make.ts'
import { type Caller, resolveCases } from '../../../src/kernel/gate.ts'
import type { FormatId } from '../../../src/kernel/identity.ts'
import { perform } from '../../../src/kernel/perform.ts'
import type { Route } from '../../../src/kernel/plugin.ts'
import type { StatusPointer } from '../../../src/kernel/ports.ts'
import type { CredentialQuery, Requirement } from '../../../src/kernel/requirement.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import { doorOf, gate, openDesk } from '../../../src/plugins/gate/plugin.ts'
import { openid4vp, presentationRequests } from '../../../src/plugins/openid4vp/plugin.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import { verifierDesk } from '../../../src/verifier.ts'
import type { Place } from '../../databases.ts'
import {
  dpopFetch,
  type Held,
  type Key,
  newKey,
  present,
  type Session,
  type To,
  tryOpenSession,
  walletClock,
} from '../../holder.ts'
import { holderParty, openWorld, type Party, signBytes, type World } from '../../identity/world.ts'
import { readOpenApi } from '../../openapi.ts'

/**
 * A whole agency of one process over a real database and real HTTP: the gate, and a plugin `office` with an operation of
 * each kind of requirement. Only the chain is in memory.
 */

const licence = {
  id: 'licence',
  type: 'DrivingLicence',
  reads: [['licenceNumber']],
  obtain: 'The transport authority issues it.',
} as const satisfies CredentialQuery
const identity = {
  id: 'identity',
  type: 'NationalIdentity',
  reads: [['familyName']],
} as const satisfies CredentialQuery
const kyc = {
  id: 'kyc',
  type: 'KycAttestation',
  where: [{ path: ['level'], atLeast: 2 }],
} as const satisfies CredentialQuery
const officer = {
  id: 'officer',
  type: 'PublicOfficer',
  issuers: ['self'],
  where: [{ path: ['competences'], includes: 'permits:decide' }],
  reads: [['officerNumber']],
} as const satisfies CredentialQuery
const mandate = { id: 'mandate', type: 'CompanyMandate', mandate: true } as const satisfies CredentialQuery
const distinctBy = { credential: 'officer', path: ['officerNumber'] }

const licensed: Requirement = { by: 'holder', of: licence }

/** operationId → what it requires. Those with a name that begins with `read` take no body. */
export const requirements = {
  readPermits: licensed,
  grantPermit: licensed,
  grantOnce: { by: 'holder', of: licence, oneShot: true },
  joinByKey: { by: 'holder', of: { all: [identity, kyc], joined: { by: 'key' } } },
  joinByClaim: {
    by: 'holder',
    of: {
      all: [identity, kyc],
      joined: { by: 'claim', claims: { identity: ['pseudonym', 'value'], kyc: ['pseudonym', 'value'] } },
    },
  },
  eitherOne: { by: 'holder', of: { any: [licence, kyc] } },
  payInvoice: { by: 'holder', of: mandate, amount: { amount: ['amountMinor'], currency: ['currency'] } },
  signDeed: {
    by: 'parties',
    parties: { seller: { by: 'holder', of: identity }, buyer: { by: 'holder', of: identity } },
  },
  decidePermit: { by: 'holder', of: officer, fourEyes: { lifeSeconds: 3_600, distinctBy } },
  decideByStaff: { by: 'staff', scope: 'permits:decide', fourEyes: { lifeSeconds: 3_600 } },
  enterRegister: { by: 'cases', param: 'register', cases: { roads: licensed, banks: { by: 'holder', of: kyc } } },
} as const satisfies Record<string, Requirement>

export type OperationId = keyof typeof requirements

export const pathOf = (operation: OperationId): string =>
  operation === 'enterRegister' ? '/registers/{register}/entries' : `/office/${operation}`

const realContract = readOpenApi() as OpenApiDocument & { components: Record<string, unknown> }

const everywhere: readonly unknown[] = ['gate', 'openid4vp']
const isGates = (item: Record<string, unknown>): boolean =>
  Object.values(item).some(each => everywhere.includes((each as { 'x-plugin'?: string })['x-plugin']))

const anyObject = { content: { 'application/json': { schema: { type: 'object' } } } }

const bodyOf = (operation: OperationId): object => {
  const schema = {
    type: 'object',
    additionalProperties: false,
    properties: {
      note: { type: 'string', maxLength: 100 },
      amountMinor: { type: 'string', maxLength: 20 },
      currency: { type: 'string', maxLength: 3 },
      ...(operation === 'signDeed'
        ? { presentations: { $ref: '#/components/schemas/Presentations' } }
        : { presentation: { $ref: '#/components/schemas/Presentation' } }),
    },
  }
  return { requestBody: { required: true, content: { 'application/json': { schema } } } }
}

const officeItem = (operation: OperationId): Record<string, unknown> => {
  const reads = operation.startsWith('read')
  const register = { name: 'register', in: 'path', required: true, schema: { type: 'string', maxLength: 40 } }
  return {
    [reads ? 'get' : 'post']: {
      operationId: operation,
      'x-plugin': 'office',
      ...(operation === 'enterRegister' ? { parameters: [register] } : {}),
      ...(reads ? {} : bodyOf(operation)),
      responses: {
        '200': { description: 'Done.', ...anyObject },
        '202': { $ref: '#/components/responses/Pending' },
      },
    },
  }
}

const lines = { content: { 'application/x-ndjson': { 'x-item-schema': { type: 'object' } } } }
const linesItem = {
  post: {
    operationId: 'grantPermits',
    'x-plugin': 'office',
    requestBody: { required: true, ...lines },
    responses: { '200': { description: 'Lines.', ...lines } },
  },
}

const contract = (): OpenApiDocument => ({
  ...realContract,
  paths: {
    ...Object.fromEntries(Object.entries(realContract.paths).filter(([, item]) => isGates(item))),
    ...Object.fromEntries(
      Object.keys(requirements).map(id => [pathOf(id as OperationId), officeItem(id as OperationId)]),
    ),
    '/office/lines': linesItem,
  },
})

const minuteMs = 60_000

export type Done = { operation: string; caller: Caller; body: unknown; params: Record<string, string> }

const freePort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })

type Parts = {
  place: Place
  world: World
  port: number
  done: Done[]
  certificates: Certificates
  change?: Partial<Record<string, Requirement>>
  crossDevice?: boolean
}

type Certificates = { x5c: string[]; party: Party; anchor: Uint8Array }

const hour = 3_600_000

/** A verifier's certificate under an authority of its own; both keys are in this process. */
const makeCertificates = async (now: number): Promise<Certificates> => {
  const [root, party] = [holderParty(), holderParty()]
  const signer = certificateSigner(root)
  const period = { notBefore: now - hour, notAfter: now + 48 * hour }
  const contact = { type: 'url' as const, value: 'https://office.example' }
  const anchor = await makeRootCertificate({ ...period, signer, contact, commonName: 'Office authority' })
  const leaf = await makeAccessCertificate({
    ...{ ...period, authority: { signer, certificate: anchor }, publicKey: party.publicKey },
    ...{ commonName: 'Office verifier', hosts: ['office.example'] },
  })
  return { x5c: [Buffer.from(leaf).toString('base64')], party, anchor }
}

/** The office signs as the transport authority, and its requests with the key of its certificate. */
const clientOf = ({ world, certificates }: Parts, publicUrl: string): ClientNeeds => {
  const { transport, clock } = world
  const { x5c, party } = certificates
  const { keyId, algorithm } = party
  return {
    ...{ publicUrl, did: transport.did, now: () => clock.now() },
    issuerKey: () => transport,
    certificates: { verifier: async () => ({ x5c, keyId, algorithm, expires: Number.MAX_SAFE_INTEGER }) },
    signer: { sign: async (key, _algorithm, data) => signBytes(key === keyId ? party : transport, data) },
  }
}

const openProcess = async (parts: Parts) => {
  const { place, world, port, done, change = {} } = parts
  const { clock } = world
  const store = await openStore({ ...place, migrations: agencyMigrations, entities: [] })
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  const publicUrl = `http://127.0.0.1:${port}/office`
  const did = world.transport.did
  const proving = { ...world.verify, did }
  const keys = createApiKeys(store, clock)
  const asked: Record<string, Requirement> = { ...requirements, ...change } as Record<string, Requirement>
  const office: Record<string, Route> = Object.fromEntries(
    Object.entries(asked).map(([operation, requires]): [string, Route] => [
      operation,
      {
        requires,
        async run({ caller, body, params, headers }) {
          const answer = await perform(house, {
            ...{ operation, requires: resolveCases(requires, params), caller, input: body ?? null },
            idempotencyKey: headers['idempotency-key'],
            act: async tx => {
              tx.afterCommit(() => done.push({ operation, caller, body, params }))
              return { done: operation }
            },
          })
          return { status: 200, body: answer }
        },
      },
    ]),
  )
  office['grantPermits'] = {
    requires: licensed,
    async *lines({ caller }, input) {
      for await (const line of input) {
        yield await perform(house, {
          ...{ operation: 'grantPermits', requires: licensed, caller, input: line },
          act: async () => ({ line: 0, granted: true }),
        })
      }
    },
  }
  const types = world.types.all.map(viewOf)
  const derive = (purpose: string) => Buffer.from(purpose.padEnd(32, '.').slice(0, 32))
  const verifier = verifierDesk({
    ...{ house, derive, publicUrl, types, routes: () => routes, returnOrigins: ['https://www.office.example'] },
    client: clientOf(parts, publicUrl),
    identity: {
      verify: (credential, options) => verifyCredential(credential, world.verify, options),
      verifyPresentation: (presentation, { challenge = '', ...expected }) =>
        verifyPresentation(presentation, world.verify, { ...expected, challenge }),
    },
  })
  const desk = openDesk({
    ...{ house, publicUrl, derive, newId: () => timeId(clock.now()), presentations: presentationRequests(verifier) },
    crossDevice: parts.crossDevice,
    identity: {
      ...{ did, types },
      challengeOf,
      prove: (presentations, expected) => prove(presentations, expected, proving),
      recheck: proof => recheck(proof, proving),
    },
    dpop: openDpop({ clock, secret: Buffer.from('one secret for all processes') }),
    staffStands: async caller => caller.kind === 'oidc' || (await keys.stands(caller.id)),
    routes: () => routes,
  })
  const routes: Record<string, Route> = { ...office, ...gate.routes(desk), ...openid4vp.routes(verifier) }
  const door = doorOf(desk)
  const auth = createAuth({
    store,
    clock,
    scopes: ['permits:decide', 'presentations:request', 'presentations:read'],
    holders: door,
  })
  const log = createLog({ level: 'silent' })
  const agency = { name: 'office', publicUrl, routes, auth, door, ready: async () => ({}) }
  const app = createApp({ agencies: [agency], openapi: contract(), log, limits: { failures: 10_000 } })
  return { store, app, keys, desk, verifier, agency }
}

export type GateHouse = {
  url: string
  world: World
  app: App
  done: Done[]
  store: Awaited<ReturnType<typeof openStore>>
  desk: ReturnType<typeof openDesk>
  verifier: ReturnType<typeof verifierDesk>
  /** DER of what the certificate of the office's requests ends at. */
  anchor: Uint8Array
  /** Issues a credential to a key; `pointer` is where its status lives. */
  issue(
    type: string,
    claims?: Record<string, unknown>,
    options?: { key?: Key; by?: Party; format?: FormatId; validUntil?: number },
  ): Promise<Held & { pointer: StatusPointer }>
  open(held: readonly Held[], make?: (to: To) => string[]): Promise<Session>
  staffKey(): Promise<{ id: string; key: string; revoke(): Promise<void> }>
  /** Another process of the same agency, at the same address, in place of this one. */
  restart(change?: Partial<Record<string, Requirement>>): Promise<void>
  /** Another process of the same agency beside this one. */
  beside(): Promise<{ url: string; close(): Promise<void> }>
  advance(ms: number): void
  close(): Promise<void>
}

export const openGateHouse = async (place: Place, more: Pick<Parts, 'crossDevice'> = {}): Promise<GateHouse> => {
  const world = openWorld()
  const start = Date.now() - world.clock.time
  // The agency's clock goes on by itself, from the beginning of a minute: nonces change when a test says so.
  let offset = minuteMs - (world.clock.time % minuteMs)
  world.clock.now = () => Date.now() - start + offset
  walletClock.now = () => world.clock.now()
  for (const type of world.types.all) world.trust.accredit(world.taxes, type.id, world.period)
  const port = await freePort()
  const done: Done[] = []
  const certificates = await makeCertificates(world.clock.time)
  let process = await openProcess({ place, world, port, done, certificates, ...more })
  let server: Listening = await listen(process.app, { port, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${port}/office`
  const stop = async () => {
    await server.close()
    await process.store.close()
  }
  return {
    url,
    world,
    done,
    get app() {
      return process.app
    },
    get store() {
      return process.store
    },
    get desk() {
      return process.desk
    },
    get verifier() {
      return process.verifier
    },
    anchor: certificates.anchor,
    async issue(type, claims = {}, { key = newKey(), by = world.transport, format, validUntil } = {}) {
      const subject = { ...world.types.byId(type).example, ...claims, id: key.did }
      const request = { type, subject, ...(format && { format }), ...(validUntil && { validUntil }) }
      const { compact, draft } = await world.issue(request, by)
      return { compact, id: draft.id, issuer: by.did, key, pointer: draft.status }
    },
    async open(held, make = to => held.map(each => present(each, to))) {
      const { answer, key } = await tryOpenSession(url, make)
      if (answer.status !== 201) throw new Error(`no session: ${JSON.stringify(answer.body)}`)
      return dpopFetch(url, String(answer.body['access_token']), key, answer.headers.get('dpop-nonce') ?? undefined)
    },
    async staffKey() {
      const { keys } = process
      const { id, key } = await keys.create({ scopes: [everyScope] })
      return { id, key, revoke: () => keys.revoke(id) }
    },
    async restart(change) {
      await stop()
      process = await openProcess({ place, world, port, done, certificates, ...more, ...(change && { change }) })
      server = await listen(process.app, { port, host: '127.0.0.1' })
    },
    async beside() {
      const other = await openProcess({ place, world, port, done, certificates, ...more })
      const second = await listen(other.app, { port: 0, host: '127.0.0.1' })
      const close = async () => {
        await second.close()
        await other.store.close()
      }
      return { url: `http://127.0.0.1:${second.port}/office`, close }
    },
    advance(ms) {
      offset += ms
    },
    async close() {
      await stop()
      walletClock.now = () => Date.now()
    },
  }
}
