import { agencyMigrations } from '../../../src/agency.ts'
import { onEachDatabase } from '../../databases.ts'
import { type GateHouse, openGateHouse } from '../gate/fixture.ts'
import { type Begun, openStaff, type Staff } from './fixture.ts'
import {
  answer,
  answerOf,
  answerWith,
  audienceOf,
  fetchRequest,
  type Held,
  type Json,
  openRequest,
  parametersOf,
  postForm,
  present,
} from './wallet.ts'

const codeOf = ({ status, body }: { status: number; body: Json }) => [status, body['code']]
const minute = 60_000

onEachDatabase(agencyMigrations, ({ place }) => {
  let house: GateHouse
  let staff: Staff
  let held: Held
  beforeEach(async () => {
    house = await openGateHouse(await place())
    staff = await openStaff(house)
    held = await house.issue('DrivingLicence')
  })
  afterEach(() => house.close())

  describe('a presentation request, signed and by reference (OpenID4VP 1.0, section 5)', () => {
    it('is answered encrypted, and its claims are read by the staff, which leaves a record', async () => {
      const begun = await staff.begin()
      expect((await staff.poll(begun)).body).toEqual({ state: 'waiting' })
      const reply = await answerWith(begun.wallet_url, held)
      expect([reply.status, reply.body]).toEqual([200, {}])
      expect((await staff.poll(begun)).body).toEqual({ state: 'answered' })
      const { status, body } = await staff.result(begun.id)
      expect(status).toBe(200)
      expect(body['presentations']).toMatchObject({
        licence: [{ verified: true, type: 'DrivingLicence', holder: held.key.did, claims: { familyName: 'Okafor' } }],
      })
      const records = await house.store.read('SELECT record FROM journal_details ORDER BY id')
      expect(records.map(({ record }) => (JSON.parse(String(record)) as Json)['operation'])).toEqual([
        ...['createPresentationRequest', 'receivePresentation', 'getPresentationResult'],
      ])
    })

    it('is fetched once, by whichever method, and then by nobody', async () => {
      const { wallet_url: url } = await staff.begin()
      const { request_uri: uri = '' } = parametersOf(url)
      const fetched = await Promise.all([fetch(uri), fetch(uri), postForm(uri, {}), fetchRequest(url)])
      expect(fetched.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400])
      expect((await fetchRequest(url)).body).toMatchObject({ error: 'invalid_request', code: 'request_object_fetched' })
    })

    it('expires, whether it was fetched or not', async () => {
      const [one, other] = [await staff.begin(), await staff.begin({ expires_in: 600 })]
      const request = await openRequest(one.wallet_url)
      house.advance(5 * minute + 1_000)
      const token = { licence: [present(held, audienceOf(request))] }
      expect((await answer(request, answerOf(request, token))).body['code']).toBe('presentation_request_expired')
      expect((await staff.poll(one)).body).toEqual({ state: 'expired' })
      expect(codeOf(await staff.result(one.id))).toEqual([422, 'presentation_request_expired'])
      expect((await fetchRequest(other.wallet_url)).status).toBe(200)
    })

    it('leaves nothing in the database that tells what was asked, presented or secret', async () => {
      const begun = (await staff.ask({}, { 'idempotency-key': 'one' })).body as unknown as Begun
      await answerWith(begun.wallet_url, held)
      const tables = ['presentation_requests', 'idempotency', 'journal_details']
      const rows = await Promise.all(tables.map(table => house.store.read(`SELECT * FROM ${table}`)))
      const text = rows.flat().flatMap(row => Object.values(row).map(value => Buffer.from(String(value)).toString()))
      const bytes = rows
        .flat()
        .flatMap(row =>
          Object.values(row).map(value => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : '')),
        )
      const all = [...text, ...bytes].join('\n')
      for (const secret of [begun.secret, 'Okafor', 'ageOver18', begun.nonce]) expect(all).not.toContain(secret)
    })

    it('is the same for the same idempotency key, its secret too, and another one for another', async () => {
      const headers = { 'idempotency-key': 'one' }
      const [first, second] = [await staff.ask({}, headers), await staff.ask({}, headers)]
      expect(second.body).toEqual(first.body)
      expect(codeOf(await staff.ask({ purpose: 'another' }, headers))).toEqual([409, 'idempotency_mismatch'])
    })

    it('is taken away when it is over, answered or not', async () => {
      const begun = await staff.begin()
      await answerWith(begun.wallet_url, held)
      await staff.begin()
      house.advance(20 * minute)
      await staff.begin()
      const count = async () => (await house.store.read('SELECT id FROM presentation_requests')).length
      for (let tries = 0; tries < 50 && (await count()) !== 2; tries++) await new Promise(done => setTimeout(done, 20))
      expect(await count()).toBe(2)
      house.advance(25 * 60 * minute)
      // Whatever the verifier is asked, also where nobody begins anything any more.
      await fetch(`${house.url}/openid4vp/requests/${'A'.repeat(22)}`)
      for (let tries = 0; tries < 50 && (await count()) !== 0; tries++) await new Promise(done => setTimeout(done, 20))
      expect(await count()).toBe(0)
      expect(codeOf(await staff.result(begun.id))).toEqual([404, 'presentation_request_unknown'])
    })
  })
})
