import { Readable } from 'node:stream'
import { agencyMigrations } from '../../../src/agency.ts'
import type { StatusPointer } from '../../../src/kernel/ports.ts'
import { onEachDatabase } from '../../databases.ts'
import { dpopFetch, dpopProof, type Held, newKey, present, type Session, send, tryOpenSession } from '../../holder.ts'
import { type GateHouse, openGateHouse } from './fixture.ts'

const codeOf = ({ status, body }: { status: number; body: Record<string, unknown> }) => [status, body['code']]
const minute = 60_000

onEachDatabase(agencyMigrations, ({ place }) => {
  let house: GateHouse
  beforeEach(async () => {
    house = await openGateHouse(await place())
  })
  afterEach(() => house.close())

  describe('a session of a holder', () => {
    it('opens what its credentials meet, and the act names the holder and the credential', async () => {
      const held = await house.issue('DrivingLicence')
      const session = await house.open([held])
      expect((await session.call('POST', '/office/grantPermit', { note: 'one' })).status).toBe(200)
      expect((await session.call('GET', '/office/readPermits')).status).toBe(200)
      const [act] = house.done
      expect(act?.caller).toMatchObject({
        ...{ kind: 'holder', id: held.key.did, actor: held.key.did, principal: held.key.did, proof: 'session' },
        matched: { licence: { type: 'DrivingLicence', holderKey: held.key.thumbprint } },
      })
      expect(act?.body).toEqual({ note: 'one' })
    })

    it('is refused what its credentials do not meet, with the name of what is missing and where to get it', async () => {
      const session = await house.open([await house.issue('KycAttestation')])
      const answer = await session.call('POST', '/office/grantPermit', {})
      expect(codeOf(answer)).toEqual([403, 'credential_missing'])
      expect(answer.body['detail']).toContain('DrivingLicence (The transport authority issues it.)')
      expect(answer.body['requirement']).toBe(`${house.url}/requirements/grantPermit`)
      expect(answer.body['missing']).toEqual([
        { id: 'licence', type: 'DrivingLicence', obtain: 'The transport authority issues it.' },
      ])
    })

    it('is not asked for where there is none: the refusal names the credential as well', async () => {
      for (const [method, path] of [
        ['GET', '/office/readPermits'],
        ['POST', '/office/grantPermit'],
      ] as const) {
        const answer = await send(house.url + path, method, method === 'POST' ? {} : undefined)
        expect(codeOf(answer)).toEqual([401, 'unauthenticated'])
        expect(answer.body['missing']).toEqual([expect.objectContaining({ type: 'DrivingLicence' })])
      }
    })

    it('is told which claims to show, by name and never by value', async () => {
      const hidden = await house.issue('DrivingLicence')
      const kept = await house.open([hidden], to => [present(hidden, to, ['familyName'])])
      const answer = await kept.call('POST', '/office/grantPermit', {})
      expect(codeOf(answer)).toEqual([403, 'claims_insufficient'])
      expect([answer.body['credentialType'], answer.body['claims']]).toEqual(['DrivingLicence', ['licenceNumber']])
      const low = await house.open([await house.issue('KycAttestation', { level: 1 })])
      const lower = await low.call('POST', '/office/eitherOne', {})
      expect([codeOf(lower), lower.body['claims']]).toEqual([[403, 'claims_insufficient'], ['level']])
      expect(lower.body['expected']).toEqual([{ path: ['level'], atLeast: 2 }])
      expect(lower.body['requirement']).toBe(`${house.url}/requirements/eitherOne`)
    })

    it.each(['revoked', 'suspended'] as const)('ends for an operation once its credential is %s', async value => {
      const [licence, kyc] = [await house.issue('DrivingLicence'), await house.issue('KycAttestation')]
      const session = await house.open([licence, kyc])
      expect((await session.call('POST', '/office/grantPermit', {})).status).toBe(200)
      house.world.status.set(licence.pointer, value)
      expect(codeOf(await session.call('POST', '/office/grantPermit', {}))).toEqual([403, `credential_${value}`])
      // What still stands still opens what it opens.
      expect((await session.call('POST', '/office/eitherOne', {})).status).toBe(200)
      house.world.status.set(kyc.pointer, value)
      expect(codeOf(await session.call('POST', '/office/eitherOne', {}))).toEqual([403, `credential_${value}`])
    })

    it('looks at accreditation, schema, key and the age of the chain again in every call', async () => {
      const { trust, status, transport, clock } = house.world
      const session = await house.open([await house.issue('DrivingLicence')])
      const call = async () => codeOf(await session.call('POST', '/office/grantPermit', {}))
      expect(await call()).toEqual([200, undefined])
      status.stale = true
      expect(await call()).toEqual([503, 'status_unavailable'])
      status.stale = false
      trust.withdrawn.add('DrivingLicence')
      expect(await call()).toEqual([403, 'schema_not_admitted'])
      trust.withdrawn.clear()
      const address = transport.did.slice(-42)
      trust.distrusted.set(`${address}:${transport.thumbprint}`, clock.now())
      expect(await call()).toEqual([403, 'key_distrusted'])
      trust.distrusted.clear()
      trust.accredit(transport, 'DrivingLicence', { ...house.world.period, voidSince: clock.now() })
      expect(await call()).toEqual([403, 'accreditation_void'])
    })

    it('ends after half an hour, or with the first of its credentials, whichever is sooner', async () => {
      const long = await house.open([await house.issue('DrivingLicence')])
      const soon = house.world.clock.now() + 10 * minute
      const held = await house.issue('DrivingLicence', {}, { validUntil: soon })
      const { answer, key } = await tryOpenSession(house.url, to => present(held, to))
      expect(Number(answer.body['expires_in'])).toBeLessThanOrEqual(600)
      const short = dpopFetch(house.url, String(answer.body['access_token']), key)
      house.advance(9 * minute)
      expect((await short.call('GET', '/office/readPermits')).status).toBe(200)
      house.advance(2 * minute)
      expect(codeOf(await short.call('GET', '/office/readPermits'))).toEqual([401, 'session_invalid'])
      expect((await long.call('GET', '/office/readPermits')).status).toBe(200)
      house.advance(20 * minute)
      expect(codeOf(await long.call('GET', '/office/readPermits'))).toEqual([401, 'session_invalid'])
    })

    it('lives on in another process, and shows nothing to whoever has the database', async () => {
      const held = await house.issue('DrivingLicence')
      const session = await house.open([held])
      const [row] = await house.store.read('SELECT * FROM gate_sessions')
      const stored = Buffer.concat(Object.values(row ?? {}).map(value => Buffer.from(String(value))))
      expect(Buffer.from(row?.['sealed'] as Uint8Array).includes('DrivingLicence')).toBe(false)
      expect(stored.includes(session.token.split('.')[1] ?? '')).toBe(false)
      expect(stored.includes(held.key.did)).toBe(false)
      await house.restart()
      expect((await session.call('POST', '/office/grantPermit', {})).status).toBe(200)
      expect(house.done.at(-1)?.caller).toMatchObject({ actor: held.key.did })
      house.world.status.set(held.pointer, 'revoked')
      expect(codeOf(await session.call('POST', '/office/grantPermit', {}))).toEqual([403, 'credential_revoked'])
    })

    it('refuses one proof for two writes, also when another process has seen the first', async () => {
      const session = await house.open([await house.issue('DrivingLicence')])
      await session.call('GET', '/office/readPermits')
      const url = `${house.url}/office/grantPermit`
      const nonce = house.desk.dpop.nonce()
      const proof = dpopProof(session.key, { method: 'POST', url, token: session.token, nonce })
      const headers = { authorization: `DPoP ${session.token}`, dpop: proof, 'x-request-id': 'chosen-by-client' }
      expect((await send(url, 'POST', { note: 'a' }, headers)).status).toBe(200)
      expect(codeOf(await send(url, 'POST', { note: 'a' }, headers))).toEqual([401, 'proof_replayed'])
      await house.restart()
      expect(codeOf(await send(url, 'POST', { note: 'a' }, headers))).toEqual([401, 'proof_replayed'])
      expect(house.done.filter(({ operation }) => operation === 'grantPermit')).toHaveLength(1)
    })

    it('carries a stream of lines, each of them an act', async () => {
      const session = await house.open([await house.issue('DrivingLicence')])
      await session.call('GET', '/office/readPermits')
      const answer = await session.call('POST', '/office/lines', '{"n":1}\n{"n":2}\n')
      expect([answer.status, String(answer.body['text']).trim().split('\n')]).toEqual([
        200,
        [expect.anything(), expect.anything()],
      ])
      const none = await send(`${house.url}/office/lines`, 'POST', '{"n":1}\n')
      expect(codeOf(none)).toEqual([401, 'unauthenticated'])
    })

    it.each<[string, string, (held: { pointer: StatusPointer }, session: Session) => unknown]>([
      ['its credential is revoked', 'credential_revoked', ({ pointer }) => house.world.status.set(pointer, 'revoked')],
      ['it is ended', 'session_invalid', (_held, session) => session.call('DELETE', '/sessions/current')],
    ])('carries no further line of a stream once %s', async (_case, code, end) => {
      const held = await house.issue('DrivingLicence')
      const session = await house.open([held])
      async function* lines() {
        yield '{"n":1}\n'
        await new Promise(resolve => setTimeout(resolve, 300))
        await end(held, session)
        await new Promise(resolve => setTimeout(resolve, 1_000))
        yield '{"n":2}\n'
      }
      const url = `${house.url}/office/lines`
      const dpop = dpopProof(session.key, { method: 'POST', url, token: session.token, nonce: house.desk.dpop.nonce() })
      const headers = { authorization: `DPoP ${session.token}`, dpop, 'content-type': 'application/x-ndjson' }
      const body = Readable.toWeb(Readable.from(lines()))
      const answer = await fetch(url, { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
      const told = (await answer.text())
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Record<string, unknown>)
      expect(told).toMatchObject([{ granted: true }, { code }])
    })

    it('leaves nothing behind for long: what has expired is taken away when somebody asks for a challenge', async () => {
      const session = await house.open([await house.issue('DrivingLicence')])
      await session.call('POST', '/office/grantPermit', {})
      const rows = async () => {
        const count = async (table: string) => (await house.store.read(`SELECT 1 AS one FROM ${table}`)).length
        return [await count('gate_sessions'), await count('gate_spent')]
      }
      expect(await rows()).toEqual([1, 3])
      house.advance(60 * minute)
      await send(`${house.url}/sessions/challenge`, 'POST', { dpop_jkt: 'A'.repeat(43) })
      for (let tries = 0; tries < 100 && (await rows()).some(count => count > 0); tries++) {
        await new Promise(done => setTimeout(done, 20))
      }
      expect(await rows()).toEqual([0, 0])
    })

    it('does not do where the operation wants a presentation for itself', async () => {
      const session = await house.open([await house.issue('DrivingLicence')])
      expect(codeOf(await session.call('POST', '/office/grantOnce', {}))).toEqual([401, 'presentation_needed'])
    })

    it('answers an old nonce with the new one, and a good call tells when the nonce has changed', async () => {
      const session = await house.open([await house.issue('DrivingLicence')])
      const first = await session.call('GET', '/office/readPermits')
      expect(first.headers.get('dpop-nonce')).toBeNull()
      house.advance(minute)
      const second = await session.call('GET', '/office/readPermits')
      expect([second.status, second.headers.get('dpop-nonce')]).toEqual([200, house.desk.dpop.nonce()])
    })

    it('opens with the good ones of several credentials and says which do not count', async () => {
      const [good, bad] = [await house.issue('DrivingLicence'), await house.issue('KycAttestation')]
      house.world.status.set(bad.pointer, 'revoked')
      const { answer } = await tryOpenSession(house.url, to => [present(good, to), present(bad, to)])
      expect([answer.status, answer.body['refused']]).toEqual([
        201,
        [{ code: 'credential_revoked', type: 'KycAttestation' }],
      ])
    })

    it('takes any one credential of a type that stands', async () => {
      const [revoked, good] = [await house.issue('DrivingLicence'), await house.issue('DrivingLicence')]
      house.world.status.set(revoked.pointer, 'revoked')
      const session = await house.open([revoked, good])
      expect((await session.call('POST', '/office/grantPermit', {})).status).toBe(200)
    })
  })

  describe('several credentials', () => {
    const pseudonym = { domain: 'cbdc:xnd', value: 'mZ1nVQ0bX3Jq7c2LrD8tYk5WgUeA9sPfHh4oCiTxBvE' }
    const other = { ...pseudonym, value: 'AAAAVQ0bX3Jq7c2LrD8tYk5WgUeA9sPfHh4oCiTxBvE' }
    const pair = async (options: { oneKey?: boolean; values?: (typeof pseudonym)[] } = {}): Promise<Held[]> => {
      const key = newKey()
      const [first = pseudonym, second = pseudonym] = options.values ?? []
      return [
        await house.issue('NationalIdentity', { pseudonym: first }, { key }),
        await house.issue('KycAttestation', { pseudonym: second }, { key: options.oneKey === true ? key : newKey() }),
      ]
    }

    it('are one person’s by one key', async () => {
      const session = await house.open(await pair({ oneKey: true }))
      expect((await session.call('POST', '/office/joinByKey', {})).status).toBe(200)
    })

    it('are refused by key when two keys hold them', async () => {
      const session = await house.open(await pair())
      expect(codeOf(await session.call('POST', '/office/joinByKey', {}))).toEqual([403, 'credentials_not_joined'])
    })

    it('are one person’s by what both issuers assert, with a key for each', async () => {
      const session = await house.open(await pair())
      expect((await session.call('POST', '/office/joinByClaim', {})).status).toBe(200)
    })

    it('of different people are not one person’s', async () => {
      const session = await house.open(await pair({ values: [pseudonym, other] }))
      expect(codeOf(await session.call('POST', '/office/joinByClaim', {}))).toEqual([403, 'credentials_not_joined'])
    })

    it('are not joined by a claim that is kept back', async () => {
      const held = await pair()
      const [first, second] = held as [Held, Held]
      const session = await house.open(held, to => [
        present(first, to, ['familyName']),
        present(second, to, ['pseudonym']),
      ])
      expect(codeOf(await session.call('POST', '/office/joinByClaim', {}))).toEqual([403, 'credentials_not_joined'])
    })

    it('are found among many: the pair that belongs together', async () => {
      const [wrong] = await pair({ values: [other, other] })
      const good = await pair()
      const session = await house.open([wrong as Held, ...good])
      expect((await session.call('POST', '/office/joinByClaim', {})).status).toBe(200)
    })
  })

  describe('a requirement with a case for each register', () => {
    it('is judged by the register in the path', async () => {
      const session = await house.open([await house.issue('DrivingLicence')])
      expect((await session.call('POST', '/registers/roads/entries', {})).status).toBe(200)
      expect(codeOf(await session.call('POST', '/registers/banks/entries', {}))).toEqual([403, 'credential_missing'])
      expect(codeOf(await session.call('POST', '/registers/moon/entries', {}))).toEqual([404, 'case_unknown'])
      expect(codeOf(await session.call('POST', '/registers/__proto__/entries', {}))).toEqual([404, 'case_unknown'])
    })

    it.each<[string, 'KycAttestation' | undefined, number]>([
      ['with nothing', undefined, 401],
      ['in a session', 'KycAttestation', 403],
    ])('leads from a refusal to the query of that register, called %s', async (_how, type, status) => {
      const path = '/registers/roads/entries'
      const refused =
        type === undefined
          ? await send(house.url + path, 'POST', {})
          : await (await house.open([await house.issue(type)])).call('POST', path, {})
      const url = String(refused.body['requirement'])
      expect([refused.status, url]).toEqual([status, `${house.url}/requirements/enterRegister?register=roads`])
      const answer = await send(url, 'GET')
      expect(answer.body['dcql']).toMatchObject({ credentials: [{ id: 'licence' }] })
    })

    it('has a query for each party of a joint act', async () => {
      const { body } = await send(`${house.url}/requirements/signDeed`, 'GET')
      const query = { dcql: { credentials: [expect.objectContaining({ id: 'identity' })] } }
      expect([body['parties'], body['dcql']]).toEqual([{ seller: query, buyer: query }, undefined])
    })

    it('is shown whole, and for one register as DCQL', async () => {
      const whole = await send(`${house.url}/requirements/enterRegister`, 'GET')
      expect(Object.keys((whole.body['requires'] as unknown as { cases: object }).cases)).toEqual(['roads', 'banks'])
      const one = await send(`${house.url}/requirements/enterRegister?register=banks`, 'GET')
      expect(one.body['requires']).toMatchObject({ by: 'holder', of: { type: 'KycAttestation' } })
      expect(one.body['dcql']).toEqual({
        credentials: [
          {
            ...{ id: 'kyc', format: 'dc+sd-jwt', meta: { vct_values: ['urn:chancery:vct:kyc-attestation:1'] } },
            claims: [{ path: ['level'], values: expect.arrayContaining([2]) }],
          },
        ],
      })
    })
  })
})
