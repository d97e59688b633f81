import { agencyMigrations } from '../../../src/agency.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { onEachDatabase } from '../../databases.ts'
import { challengeFor, dpopProof, present, send } from '../../holder.ts'
import { type GateHouse, openGateHouse } from './fixture.ts'

type Inner = Parameters<GateHouse['app']['call']>[2]

onEachDatabase(agencyMigrations, ({ place }) => {
  let house: GateHouse
  beforeEach(async () => {
    house = await openGateHouse(await place())
  })
  afterEach(() => house.close())

  /** As a caller from within the process sees it. */
  const call = async (operationId: string, inner: Inner = {}): Promise<string> => {
    try {
      return String((await house.app.call('office', operationId, inner)).status)
    } catch (error) {
      if (isRefusal(error)) return error.code
      throw error
    }
  }

  describe('a call from within the process', () => {
    it('takes the same door as one over HTTP: nobody, a session, a presentation, a key', async () => {
      expect(await call('grantPermit', { body: {} })).toBe('unauthenticated')
      const held = await house.issue('DrivingLicence')
      const session = await house.open([held])
      const proof = (operation: string) =>
        dpopProof(session.key, {
          ...{ method: 'POST', url: `${house.url}/office/${operation}`, token: session.token },
          nonce: house.desk.dpop.nonce(),
        })
      const authorization = `DPoP ${session.token}`
      expect(await call('grantPermit', { body: { note: 'a' }, authorization, dpop: proof('grantPermit') })).toBe('200')
      expect(await call('grantPermit', { body: {}, authorization })).toBe('proof_missing')
      expect(await call('grantPermit', { body: {}, authorization, dpop: proof('payInvoice') })).toBe('proof_mismatch')
      const to = await challengeFor(house.url, 'grantOnce', {}, { note: 'b' })
      const body = { note: 'b', presentation: present(held, to) }
      expect(await call('grantOnce', { body })).toBe('200')
      expect(await call('grantOnce', { body })).toBe('proof_replayed')
      const { key } = await house.staffKey()
      expect(await call('decideByStaff', { body: {}, authorization: `Bearer ${key}` })).toBe('202')
      expect(await call('grantPermit', { body: {}, authorization: `Bearer ${key}` })).toBe('holder_only')
      expect(house.done.map(({ body: done }) => done)).toEqual([{ note: 'a' }, { note: 'b' }])
    })

    it('is held against the contract, and fills the path from its parameters', async () => {
      const session = await house.open([await house.issue('DrivingLicence')])
      const url = `${house.url}/registers/roads/entries`
      const dpop = () =>
        dpopProof(session.key, { method: 'POST', url, token: session.token, nonce: house.desk.dpop.nonce() })
      const authorization = `DPoP ${session.token}`
      const params = { register: 'roads' }
      expect(await call('enterRegister', { params, body: {}, authorization, dpop: dpop() })).toBe('200')
      expect(await call('enterRegister', { params, body: { more: 1 }, authorization, dpop: dpop() })).toBe(
        'body_invalid',
      )
      expect(await call('enterRegister', { params, authorization, dpop: dpop() })).toBe('body_missing')
      const query = { strange: '1' }
      expect(await call('enterRegister', { params, query, body: {}, authorization, dpop: dpop() })).toBe(
        'parameter_unknown',
      )
      expect(await call('grantPermits', { body: {} })).toBe('operation_streams')
      expect(await call('nothing')).toBe('operation_unknown')
      await expect(house.app.call('elsewhere', 'grantPermit', {})).rejects.toMatchObject({ code: 'operation_unknown' })
    })

    it('refuses with the codes that HTTP refuses with', async () => {
      const kyc = await house.issue('KycAttestation')
      const to = await challengeFor(house.url, 'grantOnce', {}, {})
      const bodies = [{}, { presentation: present(kyc, to) }, { presentation: 'x' }, { presentation: [] }]
      for (const body of bodies) {
        const over = await send(`${house.url}/office/grantOnce`, 'POST', body)
        expect(await call('grantOnce', { body })).toBe(over.body['code'])
      }
    })
  })
})
