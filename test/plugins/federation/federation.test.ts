import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { Federation1763900001260 } from '../../../migrations/agency/1260-federation.ts'
import { checkAnswer, checkBody, compileContract } from '../../../src/http/contract.ts'
import { readPolicy } from '../../../src/identity/openid/federation/policy.ts'
import { readStatement } from '../../../src/identity/openid/federation/statement.ts'
import { digestOf } from '../../../src/kernel/canonical.ts'
import { anonymous, type Caller } from '../../../src/kernel/gate.ts'
import { isRefusal, Refusal } from '../../../src/kernel/refusal.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import { retention } from '../../../src/plugins/federation/entities.ts'
import type { FederationNeeds } from '../../../src/plugins/federation/needs.ts'
import { federation } from '../../../src/plugins/federation/plugin.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { erase } from '../../../src/store/retention.ts'
import { openStore } from '../../../src/store/store.ts'
import { onEachDatabase, type Place } from '../../databases.ts'
import { jwksOf, newKey, signJwt } from '../../identity/federation/world.ts'
import { readOpenApi } from '../../openapi.ts'

const contract = compileContract(readOpenApi())
const entity = 'https://root.example'
const office = 'https://office.example'
const did = 'did:ethr:0x7a69:0x1111111111111111111111111111111111111111'
const stranger = 'did:ethr:0x7a69:0x2222222222222222222222222222222222222222'
const key = newKey('root-key')
const officeKey = newKey('office-key')
const markType = 'https://root.example/marks/issuer'
const start = Date.parse('2026-06-01T12:00:00Z')

const migrations = [Store1760000000100, Federation1763900001260]
const staff: Caller = { kind: 'apiKey', id: 'officer', scopes: ['federation:read', 'federation:decide'] }
const refused = (code: string) => new Refusal('rejected', code, 'It does not hold.')

const openRoot = async (place: Place, change: Partial<FederationNeeds> = {}) => {
  const store = await openStore({ ...place, migrations, entities: [...storeEntities, ...federation.entities] })
  const state = { now: start, signed: 0, hints: [entity] as string[] }
  const clock = { now: () => state.now }
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  let ids = 0
  const needs: FederationNeeds = {
    ...{ house, entity, superiors: [], anchors: [entity], keys: jwksOf(key) },
    newId: () => timeId(state.now + ids++),
    superior: { approves: 'officer', named: [] },
    async sign(typ, payload) {
      state.signed += 1
      return signJwt(key, { ...payload }, { typ })
    },
    metadata: async () => ({ federation_entity: { organization_name: 'Root' }, openid_credential_issuer: {} }),
    entityOf: who => (who === did ? office : undefined),
    readEntity: async () => ({ entityTypes: ['openid_credential_issuer'], authorityHints: state.hints }),
    assertTerms: ({ metadataPolicy }) => void (metadataPolicy && readPolicy(metadataPolicy)),
    async resolve(subject) {
      if (subject !== office) throw refused('trust_chain_missing')
      const expiresAt = state.now + 60_000
      return { statements: ['a', 'b'], metadata: { x: { y: 1 } }, expiresAt, trustMarks: [] }
    },
    readTrustMark: () => ({ type: markType, issuer: entity, expiresAt: state.now + 1_000 }),
    ...change,
  }
  const routes = federation.routes(needs)
  const call = async (
    operationId: string,
    how: {
      caller?: Caller
      body?: unknown
      query?: Record<string, string>
      params?: Record<string, string>
      key?: string
    } = {},
  ) => {
    const operation = contract.get(operationId)
    const route = routes[operationId]
    if (operation === undefined || route === undefined || !('run' in route)) throw new Error(`no ${operationId}`)
    if (how.body !== undefined) checkBody(operation, 'application/json', how.body)
    const answer = await route.run({
      ...{ params: how.params ?? {}, query: how.query ?? {}, body: how.body, publicUrl: entity },
      caller: how.caller ?? anonymous,
      headers: { 'idempotency-key': how.key },
    })
    checkAnswer(operation, answer.status, answer.contentType ?? 'application/json', answer.body)
    return answer.body as Record<string, never> & Record<string, unknown>
  }
  const registration = { entity: office, jwks: jwksOf(officeKey) }
  const agency = (id: string, body: unknown): Caller => ({
    ...{ kind: 'agency', id, bodySha256: digestOf(body).toString('base64url') },
    spend: async () => undefined,
  })
  return {
    ...{ store, clock, state, call, agency, registration, needs },
    register: (body: unknown = registration, by = did) => call('registerEntity', { caller: agency(by, body), body }),
    decide: (id: string, body: unknown) => call('decideEntity', { caller: staff, params: { id }, body }),
    fetch: async (sub = office) => readStatement(String(await call('fetchSubordinateStatement', { query: { sub } }))),
    close: () => store.close(),
  }
}

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isRefusal(error)) throw error ?? new Error('it went through')
  return error.code
}

onEachDatabase(migrations, databases => {
  const open = async (change?: Partial<FederationNeeds>) =>
    databases.closing(await openRoot(await databases.place(), change))

  it('says of itself who it is, under the key that it names, and signs that once in a while', async () => {
    const root = await open()
    const [first, second] = [await root.call('getEntityConfiguration'), await root.call('getEntityConfiguration')]
    expect(second).toBe(first)
    expect(root.state.signed).toBe(1)
    const statement = readStatement(String(first))
    expect(statement).toMatchObject({ issuer: entity, subject: entity, expiresAt: start + 24 * 3_600_000 })
    expect(statement.metadata?.['federation_entity']).toMatchObject({
      organization_name: 'Root',
      federation_fetch_endpoint: `${entity}/federation/fetch`,
      federation_resolve_endpoint: `${entity}/federation/resolve`,
    })
    root.state.now += 11 * 60_000
    expect(await root.call('getEntityConfiguration')).not.toBe(first)
  })

  it('lets an institution in once an officer says so, under the terms the officer gives', async () => {
    const root = await open()
    const registered = await root.register()
    expect(registered).toMatchObject({ state: 'pending', entity: office, did })
    expect(await codeOf(root.fetch())).toBe('not_found')
    expect(await root.call('listSubordinates')).toEqual([])
    const terms = {
      metadataPolicy: { openid_credential_issuer: { a: { value: 'b' } } },
      constraints: { max_path_length: 0 },
    }
    await root.decide(String(registered['id']), { decision: 'approve', terms })
    const statement = await root.fetch()
    expect(statement).toMatchObject({ issuer: entity, subject: office, constraints: { maxPathLength: 0 } })
    expect(statement.metadataPolicy).toEqual(terms.metadataPolicy)
    expect([...statement.keys.keys()]).toEqual(['office-key'])
    expect(await root.call('listSubordinates', { query: { entity_type: 'openid_credential_issuer' } })).toEqual([
      office,
    ])
    expect(await root.call('listSubordinates', { query: { entity_type: 'oauth_client' } })).toEqual([])
  })

  it('lets in whom the trust registry accredits where the agency’s file says so', async () => {
    const root = await open({ superior: { approves: 'accredited', named: [] } })
    expect(await root.register()).toMatchObject({ state: 'approved' })
    expect((await root.fetch()).subject).toBe(office)
  })

  it('takes new keys of whoever registers again, and leaves the decision as it was', async () => {
    const root = await open()
    const { id } = await root.register()
    await root.decide(String(id), { decision: 'approve' })
    const body = { entity: office, jwks: jwksOf(newKey('newer')) }
    expect(await root.register(body)).toMatchObject({ id, state: 'approved' })
    expect([...(await root.fetch()).keys.keys()]).toEqual(['newer'])
    await root.decide(String(id), { decision: 'end' })
    expect(await root.register()).toMatchObject({ state: 'ended' })
    expect(await codeOf(root.fetch())).toBe('not_found')
  })

  it('stands under the DID that it was entered under, until an officer ends it', async () => {
    const root = await open({ entityOf: () => office })
    const { id } = await root.register()
    expect(await codeOf(root.register(root.registration, stranger))).toBe('federation_entity_foreign')
    await root.decide(String(id), { decision: 'approve' })
    expect(await codeOf(root.register(root.registration, stranger))).toBe('federation_entity_foreign')
    await root.decide(String(id), { decision: 'end' })
    expect(await root.register(root.registration, stranger)).toMatchObject({ id, state: 'ended', did: stranger })
  })

  it('decides once, also when two officers do at the same moment', async () => {
    const root = await open()
    const { id } = await root.register()
    const both = await Promise.allSettled([
      root.decide(String(id), { decision: 'refuse' }),
      root.decide(String(id), { decision: 'refuse' }),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await codeOf(root.decide(String(id), { decision: 'end' }))).toBe('federation_registration_decided')
    expect(await codeOf(root.decide('nothing', { decision: 'end' }))).toBe('federation_registration_unknown')
    const conflicting = { metadataPolicy: { x: { a: { add: ['x'], one_of: ['x'] } } } }
    expect(await codeOf(root.decide(String(id), { decision: 'approve', terms: conflicting }))).toBe(
      'metadata_policy_conflict',
    )
  })

  it('registers nobody for an address that is another’s, unsigned, or that does not name it', async () => {
    const root = await open()
    expect(await codeOf(root.register(root.registration, stranger))).toBe('federation_entity_foreign')
    const other = { ...root.registration, entity: 'https://other.example' }
    expect(await codeOf(root.register(other))).toBe('federation_entity_foreign')
    const caller = root.agency(did, other)
    expect(await codeOf(root.call('registerEntity', { caller, body: root.registration }))).toBe('agency_body_mismatch')
    root.state.hints = ['https://other.example']
    expect(await codeOf(root.register())).toBe('federation_hint_missing')
    const named = { entity: office, keys: jwksOf(officeKey), terms: {} }
    const configured = await open({ superior: { approves: 'officer', named: [named] } })
    expect(await codeOf(configured.register())).toBe('federation_entity_named')
    expect((await configured.fetch()).subject).toBe(office)
    const leaf = await open({ superior: undefined })
    expect(await codeOf(leaf.register())).toBe('federation_no_superior')
  })

  it('answers the same under the same idempotency key', async () => {
    const root = await open()
    const body = root.registration
    const once = () => root.call('registerEntity', { caller: root.agency(did, body), body, key: 'k' })
    expect(await once()).toEqual(await once())
    const { entities } = await root.call('listEntities', { caller: staff })
    expect(entities).toHaveLength(1)
  })

  it('resolves in the words of section 8.9', async () => {
    const root = await open()
    const resolve = (sub: string, trust_anchor = entity, more = {}) =>
      root.call('resolveEntity', { query: { sub, trust_anchor, ...more } })
    const [, payload = ''] = String(await resolve(office)).split('.')
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({
      ...{ iss: entity, sub: office, iat: start / 1_000, exp: start / 1_000 + 60 },
      ...{ metadata: { x: { y: 1 } }, trust_chain: ['a', 'b'] },
    })
    expect(await codeOf(resolve('https://other.example'))).toBe('invalid_trust_chain')
    expect(await codeOf(resolve(office, 'https://other.example'))).toBe('invalid_trust_anchor')
    const policed = await open({
      resolve: async () => {
        throw refused('metadata_policy_conflict')
      },
    })
    const asked = { query: { sub: office, trust_anchor: entity } }
    expect(await codeOf(policed.call('resolveEntity', asked))).toBe('invalid_metadata')
    const later = await open({
      resolve: async () => {
        throw new Refusal('unavailable', 'federation_unavailable', 'Not now.')
      },
    })
    expect(await codeOf(later.call('resolveEntity', asked))).toBe('federation_unavailable')
  })

  it('says that it cannot tell what it does not know', async () => {
    const root = await open()
    expect(await codeOf(root.call('listSubordinates', { query: { intermediate: 'true' } }))).toBe(
      'unsupported_parameter',
    )
    expect(await codeOf(root.fetch(entity))).toBe('invalid_request')
  })

  it('gives trust marks to whoever stands below it, and takes them back', async () => {
    const root = await open({ superior: { approves: 'accredited', named: [] } })
    const give = (body: unknown) => root.call('issueTrustMark', { caller: staff, body })
    const mark = { entity: office, type: markType }
    expect(await codeOf(give(mark))).toBe('not_found')
    await root.register()
    expect(await codeOf(give({ ...mark, expires: new Date(start).toISOString() }))).toBe('trust_mark_period')
    expect(await codeOf(give({ ...mark, expires: '2040-01-01T00:00:00Z' }))).toBe('trust_mark_period')
    const given = await give(mark)
    const get = () => root.call('getTrustMark', { query: { sub: office, trust_mark_type: markType } })
    expect(await get()).toBe(given['trustMark'])
    expect(await root.call('listSubordinates', { query: { trust_marked: 'true' } })).toEqual([office])
    expect(await root.call('listSubordinates', { query: { trust_mark_type: 'https://x.example' } })).toEqual([])
    const configuration = readStatement(String(await root.call('getEntityConfiguration')))
    expect(configuration.trustMarkIssuers).toEqual({ [markType]: [entity] })
    const params = { id: String(given['id']) }
    await root.call('endTrustMark', { caller: staff, params })
    expect(await codeOf(get())).toBe('not_found')
    expect(await codeOf(root.call('endTrustMark', { caller: staff, params }))).toBe('not_found')
  })

  it('shows the trust marks that it was given, until they expire, and no one else’s', async () => {
    const root = await open()
    const trustMark = signJwt(key, { iss: entity }, { typ: 'trust-mark+jwt' })
    await root.call('holdTrustMark', { caller: staff, body: { trustMark } })
    const shown = readStatement(String(await root.call('getEntityConfiguration'))).trustMarks
    expect(shown).toEqual([{ type: markType, jwt: trustMark }])
    root.state.now += 1_000
    expect(readStatement(String(await root.call('getEntityConfiguration'))).trustMarks).toEqual([])
    const picky = await open({
      readTrustMark: () => {
        throw refused('trust_mark_invalid')
      },
    })
    const body = { trustMark }
    expect(await codeOf(picky.call('holdTrustMark', { caller: staff, body }))).toBe('trust_mark_invalid')
  })

  it('keeps no trust mark for ever', async () => {
    const root = await open({ superior: { approves: 'accredited', named: [] } })
    await root.register()
    await root.call('issueTrustMark', { caller: staff, body: { entity: office, type: markType } })
    root.state.now += 3 * 365 * 24 * 3_600_000
    expect(await erase(root.store, root.clock, [...retention])).toMatchObject({ federation_trust_marks: 1 })
  })
})
