import { randomBytes } from 'node:crypto'
import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { Pseudonyms1763700000750 } from '../../../migrations/agency/0750-pseudonyms.ts'
import { checkAnswer, checkBody, compileContract } from '../../../src/http/contract.ts'
import { domainInfo, elementBytes, evaluateBlinded, oprfKeyFrom, proofBytes } from '../../../src/identity/oprf.ts'
import { openPseudonyms } from '../../../src/identity/pseudonyms.ts'
import { digestOf } from '../../../src/kernel/canonical.ts'
import { anonymous, type Caller } from '../../../src/kernel/gate.ts'
import { isRefusal, Refusal } from '../../../src/kernel/refusal.ts'
import { retention } from '../../../src/plugins/pseudonyms/entities.ts'
import type { PseudonymsNeeds } from '../../../src/plugins/pseudonyms/needs.ts'
import { pseudonyms } from '../../../src/plugins/pseudonyms/plugin.ts'
import { evaluationsWindowMs, typesFor } from '../../../src/plugins/pseudonyms/policy.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { erase } from '../../../src/store/retention.ts'
import { openStore } from '../../../src/store/store.ts'
import { onEachDatabase, type Place } from '../../databases.ts'
import { readOpenApi } from '../../openapi.ts'

const contract = compileContract(readOpenApi())
const operation = contract.get('evaluatePseudonyms')
if (operation === undefined) throw new Error('openapi.yaml has no operation evaluatePseudonyms')

const bank = 'did:ethr:0x7a69:0x1111111111111111111111111111111111111111'
const other = 'did:ethr:0x7a69:0x2222222222222222222222222222222222222222'
const key = oprfKeyFrom(randomBytes(32))
const element = Buffer.from(key.publicKey).toString('base64url')
const windowStart = Math.floor(Date.parse('2026-06-01T12:00:00Z') / evaluationsWindowMs) * evaluationsWindowMs

const migrations = [Store1760000000100, Pseudonyms1763700000750]

/** The authority of one process over a database. */
const openAuthority = async (place: Place) => {
  const store = await openStore({
    ...place,
    migrations,
    entities: [...storeEntities, ...pseudonyms.entities],
  })
  const state = { now: windowStart + 1_000, kyc: [bank], evaluations: 0, spent: 0 }
  const clock = { now: () => state.now }
  const needs: PseudonymsNeeds = {
    house: { store, journal, idempotency: openIdempotency(clock), clock },
    keyId: key.keyId,
    async evaluate(domain, elements) {
      state.evaluations += elements.length
      return evaluateBlinded(elements, { ...key, info: domainInfo(domain) })
    },
    accredited: (did, types) => types.includes('KycAttestation') && state.kyc.includes(did),
    evaluationsMost: 20,
  }
  const route = pseudonyms.routes(needs)['evaluatePseudonyms']
  if (route === undefined || !('run' in route)) throw new Error('no route')
  const agency = (id: string, body: unknown): Caller => ({
    ...{ kind: 'agency', id, bodySha256: digestOf(body).toString('base64url') },
    spend: async () => void state.spent++,
  })
  const call = async (body: unknown, how: { caller?: Caller; by?: string; key?: string } = {}) => {
    checkBody(operation, 'application/json', body)
    const answer = await route.run({
      ...{ params: {}, query: {}, body, publicUrl: 'https://root.example' },
      caller: how.caller ?? agency(how.by ?? bank, body),
      headers: { 'idempotency-key': how.key },
    })
    checkAnswer(operation, answer.status, 'application/json', answer.body)
    return answer.body as { keyId: string; evaluated: string[]; proof: string }
  }
  return { store, clock, state, call, agency }
}
type Authority = Awaited<ReturnType<typeof openAuthority>>

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isRefusal(error)) throw error ?? new Error('it went through')
  return error.code
}

const batchOf = (count: number, domain = 'register:land') => ({ domain, blinded: Array(count).fill(element) })

onEachDatabase(migrations, ({ place, closing }) => {
  const open = async (where?: Place): Promise<Authority> => {
    const authority = await openAuthority(where ?? (await place()))
    closing(authority.store)
    return authority
  }
  const rows = (authority: Authority, table: string) => authority.store.read(`SELECT * FROM ${table} ORDER BY 1`)

  it('give two banks the same pseudonym, while nothing stored or recorded shows the id or the result', async () => {
    const authority = await open()
    const sent: string[] = []
    const as = (by: string) =>
      openPseudonyms({
        authority: async () => ({
          publicKey: key.publicKey,
          async post(_path, body) {
            sent.push(JSON.stringify(body))
            return { status: 200, body: Buffer.from(JSON.stringify(await authority.call(body, { by }))) }
          },
        }),
      })
    authority.state.kyc.push(other)
    const nationalId = '900417-2381'
    const pseudonym = await as(bank).of(nationalId, 'cbdc:xnd')
    expect(await as(other).of(nationalId, 'cbdc:xnd')).toBe(pseudonym)
    expect(await as(bank).of(nationalId, 'cbdc:xne')).not.toBe(pseudonym)
    const texts = [...sent]
    for (const table of ['pseudonym_rates', 'pseudonym_requests', 'journal', 'journal_details', 'idempotency']) {
      for (const row of await rows(authority, table)) {
        for (const value of Object.values(row)) {
          if (!(value instanceof Uint8Array)) texts.push(String(value))
          else for (const form of ['latin1', 'hex', 'base64url'] as const) texts.push(Buffer.from(value).toString(form))
        }
      }
    }
    const secrets = [Buffer.from(nationalId), Buffer.from(pseudonym, 'base64url')]
    const everything = texts.join('\n')
    for (const secret of secrets) {
      for (const form of ['latin1', 'hex', 'base64url'] as const)
        expect(everything).not.toContain(secret.toString(form))
    }
    expect(everything).toContain('cbdc:xnd')
  })

  it('are recorded by who asked, for which domain and for how many', async () => {
    const authority = await open()
    const answer = await authority.call(batchOf(3))
    expect(answer.keyId).toBe(key.keyId)
    expect(answer.evaluated.map(each => Buffer.from(each, 'base64url').length)).toEqual(Array(3).fill(elementBytes))
    expect(Buffer.from(answer.proof, 'base64url')).toHaveLength(proofBytes)
    const [record] = await rows(authority, 'journal')
    expect(await rows(authority, 'pseudonym_requests')).toEqual([
      { id: record?.['id'], agency: bank, domain: 'register:land', evaluations: 3, at: authority.state.now },
    ])
    expect(authority.state.spent).toBe(1)
  })

  it('are refused to whoever is no institution, and for a body that was not signed for', async () => {
    const authority = await open()
    const body = batchOf(1)
    const staff: Caller = { kind: 'apiKey', id: 'k', scopes: ['*'] }
    expect(await codeOf(authority.call(body, { caller: anonymous }))).toBe('unauthenticated')
    expect(await codeOf(authority.call(body, { caller: staff }))).toBe('agency_only')
    const elsewhere = authority.agency(bank, batchOf(2))
    expect(await codeOf(authority.call(body, { caller: elsewhere }))).toBe('agency_body_mismatch')
    const unsigned: Caller = { kind: 'agency', id: bank }
    expect(await codeOf(authority.call(body, { caller: unsigned }))).toBe('agency_body_mismatch')
    expect(authority.state.evaluations).toBe(0)
  })

  it('are refused for a replayed request, and neither counted nor computed', async () => {
    const authority = await open()
    const body = batchOf(1)
    const replayed: Caller = {
      ...{ kind: 'agency', id: bank, bodySha256: digestOf(body).toString('base64url') },
      spend: async () => {
        throw new Refusal('unauthenticated', 'proof_replayed', 'This proof was used before.')
      },
    }
    expect(await codeOf(authority.call(body, { caller: replayed }))).toBe('proof_replayed')
    expect([authority.state.evaluations, await rows(authority, 'pseudonym_rates')]).toEqual([0, []])
  })

  it('of reserved domains are for institutions with the right accreditation', async () => {
    const authority = await open()
    expect((await authority.call(batchOf(1, 'cbdc:xnd'))).evaluated).toHaveLength(1)
    expect(await codeOf(authority.call(batchOf(1, 'cbdc:xnd'), { by: other }))).toBe('pseudonym_domain_reserved')
    expect((await authority.call(batchOf(1), { by: other })).evaluated).toHaveLength(1)
  })

  it('are refused beyond the rate of an institution, each by itself, until the next window', async () => {
    const authority = await open()
    await authority.call(batchOf(15))
    const refusal = await authority.call(batchOf(6, 'register:ships')).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ kind: 'too_many', code: 'rate_exceeded', facts: { retryAfterSeconds: 3_599 } })
    await authority.call(batchOf(20), { by: other })
    await authority.call(batchOf(5))
    expect(await codeOf(authority.call(batchOf(1)))).toBe('rate_exceeded')
    authority.state.now = windowStart + evaluationsWindowMs
    await authority.call(batchOf(20))
    expect(authority.state.evaluations).toBe(15 + 20 + 5 + 20)
  })

  it('count together over processes and at the same moment', async () => {
    const where = await place()
    const processes = [await open(where), await open(where)]
    const asked = Array.from({ length: 12 }, (_, n) => (processes[n % 2] as Authority).call(batchOf(5)))
    const answers = await Promise.allSettled(asked)
    const refused = answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason.code] : []))
    expect(refused).toEqual(Array(8).fill('rate_exceeded'))
    expect(await rows(processes[0] as Authority, 'pseudonym_requests')).toHaveLength(4)
  })

  it('repeated under their key are computed again and counted once; another body under it is refused', async () => {
    const authority = await open()
    const [one, again] = [
      await authority.call(batchOf(4), { key: 'a' }),
      await authority.call(batchOf(4), { key: 'a' }),
    ]
    expect(again.evaluated).toEqual(one.evaluated)
    expect(await rows(authority, 'pseudonym_requests')).toHaveLength(1)
    expect(await codeOf(authority.call(batchOf(5), { key: 'a' }))).toBe('idempotency_mismatch')
  })

  it('are refused for what is no point', async () => {
    const authority = await open()
    const blinded = [Buffer.alloc(elementBytes, 0xff).toString('base64url')]
    expect(await codeOf(authority.call({ domain: 'register:land', blinded }))).toBe('blinded_element_invalid')
  })

  it.each([
    ['no elements', { domain: 'a', blinded: [] }],
    ['more than a hundred', batchOf(101)],
    ['a malformed domain', batchOf(1, 'Register')],
    ['an element of another length', { domain: 'a', blinded: ['AAAA'] }],
    ['a national id', { ...batchOf(1), nationalId: '1' }],
  ])('are refused with %s', async (_, body) => {
    const authority = await open()
    expect(await codeOf(authority.call(body))).toBe('body_invalid')
  })

  it('leave behind what the retention rules keep', async () => {
    const authority = await open()
    await authority.call(batchOf(1))
    authority.state.now += 2 * evaluationsWindowMs
    const erased = await erase(authority.store, authority.clock, [...retention])
    expect(erased).toEqual({ pseudonym_rates: 1, pseudonym_requests: 0 })
    authority.state.now += 11 * 365 * 86_400_000
    expect((await erase(authority.store, authority.clock, [...retention]))['pseudonym_requests']).toBe(1)
  })
})

describe('the policy of domains', () => {
  const rules = [
    { prefix: 'a:b', types: ['One'] },
    { prefix: 'a:', types: ['Two'] },
  ]
  it.each([
    ['a:bc', ['One']],
    ['a:c', ['Two']],
    ['b', undefined],
  ])('takes the first rule that fits %s', (domain, types) => {
    expect(typesFor(domain, rules)).toEqual(types)
  })
})
