import { bankDid, onBothLedgers, own, start } from '../ground.ts'
import { anOrder, both, dayMs, officer, openOffice, refusalOf } from './office.ts'

const until = new Date(start + 90 * dayMs).toISOString()
const attested = (level: number, over: Record<string, unknown> = {}) => ({
  ...{ level, attestation: { list: 4, index: 77, until } },
  ...over,
})

onBothLedgers(({ fresh }) => {
  const open = async (funds = 0n) => {
    const ground = await fresh()
    const office = openOffice(ground)
    const target = await ground.customer(undefined, {}, funds)
    const other = await ground.customer()
    const params = { account: String(target.number) }
    const pay = (amount: bigint, nonce: number) =>
      ground.submit(ground.signed(target.owner, ground.transfer(target.number, other.number, amount, { nonce })))
    return { ground, ...office, target, other, params, pay }
  }

  describe('setAccountLevel', () => {
    test('a lower level limits the very next payment', async () => {
      const { asBank, params, pay } = await open(100_000n)
      await pay(10_001n, 0)
      expect(await asBank('setAccountLevel', attested(1), params)).toMatchObject({ level: 1, attestedUntil: until })
      expect(await refusalOf(pay(10_001n, 1))).toBe('limit_per_payment')
      await pay(9_999n, 1)
    })

    test('a payment signed before, and handed in after, is judged by the lower level', async () => {
      const { ground, asBank, params, target, other } = await open(100_000n)
      const signed = ground.signed(target.owner, ground.transfer(target.number, other.number, 10_001n))
      await asBank('setAccountLevel', attested(1), params)
      expect(await refusalOf(ground.submit(signed))).toBe('limit_per_payment')
    })

    test('the attestation named is the one that payments rest on from then', async () => {
      const { ground, asBank, params, pay, target } = await open(100n)
      const screened = { list: 'UN', at: '2026-05-31T10:00:00Z', result: 'no-match' }
      await asBank('setAccountLevel', attested(2, { screened, jurisdiction: 'XN' }), params)
      const issuer = bankDid.split(':').at(-1)
      expect(await ground.account(target.number)).toMatchObject({
        kyc: { issuer, list: 4, index: 77, until: Date.parse(until) },
        ...{
          screenedAt: Date.parse(screened.at),
          screeningList: 'UN',
          screeningResult: 'no-match',
          jurisdiction: 'XN',
        },
      })
      ground.state.revoked.add(`${issuer}/4/77`)
      expect(await refusalOf(pay(1n, 0))).toBe('kyc_not_in_force')
    })

    test('one that is revoked or over is refused', async () => {
      const { ground, asBank, params } = await open()
      ground.state.revoked.add(`${bankDid.split(':').at(-1)}/4/77`)
      expect(await refusalOf(asBank('setAccountLevel', attested(2), params))).toBe('attestation_not_in_force')
      const over = { attestation: { list: 4, index: 78, until: new Date(start - 1).toISOString() } }
      expect(await refusalOf(asBank('setAccountLevel', attested(2, over), params))).toBe('attestation_not_in_force')
    })

    test('another institution, and accounts of no customer, are told the same', async () => {
      const { ground, asBank, params } = await open()
      const set = (account: number | string, did?: string) =>
        refusalOf(asBank('setAccountLevel', attested(1), { account: String(account) }, did))
      expect(await set(params.account, 'did:ethr:0x7a69:0xb9')).toBe('servicer_differs')
      expect(await set(own.bank)).toBe('servicer_differs')
      expect(await set(999_999)).toBe('servicer_differs')
      const foreign = await ground.customer(undefined, { servicer: 99 })
      expect(await set(foreign.number)).toBe('servicer_differs')
    })

    test('a bank whose admission has ended acts for nobody', async () => {
      const { call, asBank, params } = await open()
      const ending = { did: bankDid, legalBasis: 'Banking Act, s. 4' }
      await call('endParticipant', ending, { caller: officer(), params: { currency: '1' } })
      expect(await refusalOf(asBank('setAccountLevel', attested(1), params))).toBe('servicer_differs')
    })

    test('a body that the bank did not sign is refused', async () => {
      const { call, params } = await open()
      const caller = { kind: 'agency' as const, id: bankDid, bodySha256: 'x' }
      expect(await refusalOf(call('setAccountLevel', attested(3), { caller, params }))).toBe('agency_body_mismatch')
    })
  })

  describe('closing', () => {
    const closing = (reference = 'C-1') => ({ reference, legalBasis: 'Account contract, clause 9' })

    test('the servicing bank closes an account that is empty, for good', async () => {
      const { ground, asBank, params, target } = await open()
      await asBank('closeServedAccount', closing(), params)
      expect(await ground.account(target.number)).toMatchObject({ closed: true })
      expect(await refusalOf(asBank('closeServedAccount', closing('C-2'), params))).toBe('account_closed')
      expect(await refusalOf(asBank('setAccountLevel', attested(1), params))).toBe('account_closed')
    })

    test('what is on it, or held by an order, has to go first', async () => {
      const { call, asBank, params, pay } = await open(1n)
      expect(await refusalOf(asBank('closeServedAccount', closing(), params))).toBe('account_not_empty')
      await pay(1n, 0)
      const { order } = await call('freezeAccount', anOrder(), { caller: officer(), params })
      expect(await refusalOf(asBank('closeServedAccount', closing(), params))).toBe('account_frozen')
      await call('unfreezeAccount', anOrder(), { caller: both(), params: { ...params, order: String(order) } })
      await asBank('closeServedAccount', closing(), params)
    })

    test('no bank closes what another serves, nor with a reference twice', async () => {
      const { ground, asBank, params } = await open()
      const stranger = asBank('closeServedAccount', closing(), params, 'did:ethr:0x7a69:0xb9')
      expect(await refusalOf(stranger)).toBe('servicer_differs')
      await asBank('closeServedAccount', closing(), params)
      const next = await ground.customer()
      const again = asBank('closeServedAccount', closing(), { account: String(next.number) })
      expect(await refusalOf(again)).toBe('order_executed')
    })

    test('by order of two officers', async () => {
      const { ground, call, params, target } = await open()
      expect(await refusalOf(call('closeAccount', anOrder(), { caller: officer(), params }))).toBe('approval_missing')
      await call('closeAccount', anOrder(), { caller: both(), params })
      expect(await ground.account(target.number)).toMatchObject({ closed: true })
    })
  })
})
