import { bankDid, onBothLedgers, own, p256Owner } from '../ground.ts'
import { both, officer, openOffice, policyBody, refusalOf } from './office.ts'

const secondDid = 'did:ethr:0x7a69:0x00000000000000000000000000000000000000b2'
const params = { currency: '1' }
let references = 0
const issuing = (amountMinor: string, over: Record<string, unknown> = {}) => {
  references += 1
  return {
    participant: bankDid,
    amountMinor,
    reference: `COLL-${references}`,
    legalBasis: 'Central Bank Act, s. 12',
    ...over,
  }
}

onBothLedgers(({ fresh }) => {
  const open = async () => {
    const ground = await fresh()
    return { ground, ...openOffice(ground) }
  }
  const admission = (over: Record<string, unknown> = {}) => ({
    ...{ did: secondDid, name: 'Second Bank', issuanceLimitMinor: '1000', ...p256Owner().key },
    ...over,
  })

  describe('admitParticipant', () => {
    test('gives the bank a reserve account under its own key', async () => {
      const { ground, call } = await open()
      const body = admission()
      const { account } = await call('admitParticipant', body, { caller: officer(), params })
      const { scheme, prefix, x } = body
      expect(await ground.account(Number(account))).toMatchObject({ class: 'reserve', key: { scheme, prefix, x } })
      const { items } = await call('listParticipants', undefined, { params })
      expect(items).toMatchObject([{ did: bankDid }, { did: secondDid, account }])
      expect(items).not.toMatchObject([{}, { issuanceLimitMinor: '1000' }])
    })

    test('not twice, and again once it has ended, with the account that it had', async () => {
      const { call } = await open()
      const how = { caller: officer(), params }
      const { account } = await call('admitParticipant', admission(), how)
      expect(await refusalOf(call('admitParticipant', admission(), how))).toBe('participant_admitted')
      await call('endParticipant', { did: secondDid, legalBasis: 'Banking Act, s. 4' }, how)
      expect(await call('admitParticipant', admission({ name: 'Second' }), how)).toMatchObject({
        account,
        name: 'Second',
      })
    })

    test('a currency that is not there, and a limit beyond 2^63 − 1, are refused', async () => {
      const { call } = await open()
      const nowhere = { caller: officer(), params: { currency: '9' } }
      expect(await refusalOf(call('admitParticipant', admission(), nowhere))).toBe('currency_unknown')
      const much = admission({ issuanceLimitMinor: '9223372036854775808' })
      expect(await refusalOf(call('admitParticipant', much, { caller: officer(), params }))).toBe('amount_too_large')
    })

    test('nobody is ended who is not there', async () => {
      const { call } = await open()
      const ending = { did: secondDid, legalBasis: 'Banking Act, s. 4' }
      expect(await refusalOf(call('endParticipant', ending, { caller: officer(), params }))).toBe('participant_missing')
    })
  })

  describe('issueMoney', () => {
    test('brings money onto the reserve account', async () => {
      const { ground, call } = await open()
      expect(await call('issueMoney', issuing('500'), { caller: both(), params })).toMatchObject({ account: own.bank })
      expect(await ground.account(own.bank)).toMatchObject({ creditsPosted: 500n })
      expect(await ground.account(own.issuance)).toMatchObject({ debitsPosted: 500n })
    })

    test('within the limit of what stands issued, also by a hundred at once', async () => {
      const { ground, call } = await open()
      const how = { caller: officer(), params }
      const { account } = await call('admitParticipant', admission(), how)
      const tries = Array.from({ length: 100 }, () =>
        refusalOf(call('issueMoney', issuing('150', { participant: secondDid }), { caller: both(), params })),
      )
      const codes = await Promise.all(tries)
      expect(codes.filter(code => code === undefined)).toHaveLength(6)
      expect(new Set(codes)).toEqual(new Set([undefined, 'issuance_limit']))
      expect(await ground.account(Number(account))).toMatchObject({ creditsPosted: 900n })
    })

    test('a reference serves once', async () => {
      const { call } = await open()
      const body = issuing('5')
      await call('issueMoney', body, { caller: both(), params })
      expect(await refusalOf(call('issueMoney', body, { caller: both(), params }))).toBe('order_executed')
    })

    test('only to those who are admitted', async () => {
      const { call } = await open()
      const body = issuing('5', { participant: secondDid })
      expect(await refusalOf(call('issueMoney', body, { caller: both(), params }))).toBe('participant_missing')
      await call('endParticipant', { did: bankDid, legalBasis: 'Banking Act, s. 4' }, { caller: officer(), params })
      expect(await refusalOf(call('issueMoney', issuing('5'), { caller: both(), params }))).toBe('participant_missing')
    })

    test('not in a currency of the chain, and not by one officer', async () => {
      const { call } = await open()
      const chain = { number: 2, code: 'XNS', decimals: 2, home: 'chain', policy: policyBody() }
      await call('openCurrency', chain, { caller: both() })
      const there = { caller: both(), params: { currency: '2' } }
      expect(await refusalOf(call('issueMoney', issuing('5'), there))).toBe('issuance_on_chain')
      expect(await refusalOf(call('issueMoney', issuing('5'), { caller: officer(), params }))).toBe('approval_missing')
    })
  })

  describe('redemption', () => {
    const asking = (amountMinor: string, reference = `R-${++references}`) => ({ amountMinor, reference })
    const burning = (redemption: unknown) => ({ caller: both(), params: { redemption: String(redemption) } })
    const basis = { legalBasis: 'Central Bank Act, s. 13' }

    test('what the bank gives back goes out of circulation, and may be issued again', async () => {
      const { ground, call, asBank } = await open()
      await call('issueMoney', issuing('1000000000000'), { caller: both(), params })
      expect(await refusalOf(call('issueMoney', issuing('1'), { caller: both(), params }))).toBe('issuance_limit')
      const { id } = await asBank('requestRedemption', asking('400'), params)
      expect(await call('listRedemptions', undefined, { caller: officer(), params })).toMatchObject({ items: [{ id }] })
      await call('redeemMoney', basis, burning(id))
      expect(await ground.account(own.issuance)).toMatchObject({ debitsPosted: 10n ** 12n, creditsPosted: 400n })
      expect(await call('listRedemptions', undefined, { caller: officer(), params })).toEqual({ items: [] })
      await call('issueMoney', issuing('400'), { caller: both(), params })
      expect(await refusalOf(call('issueMoney', issuing('1'), { caller: both(), params }))).toBe('issuance_limit')
    })

    test('a request is executed once', async () => {
      const { call, asBank } = await open()
      await call('issueMoney', issuing('500'), { caller: both(), params })
      const { id } = await asBank('requestRedemption', asking('100'), params)
      await call('redeemMoney', basis, burning(id))
      expect(await refusalOf(call('redeemMoney', basis, burning(id)))).toBe('order_executed')
    })

    test('what is not on the account cannot be redeemed, and the request waits on', async () => {
      const { call, asBank } = await open()
      const { id } = await asBank('requestRedemption', asking('100'), params)
      expect(await refusalOf(call('redeemMoney', basis, burning(id)))).toBe('funds_insufficient')
      await call('issueMoney', issuing('100'), { caller: both(), params })
      await call('redeemMoney', basis, burning(id))
    })

    test('refused or withdrawn it is over', async () => {
      const { call, asBank } = await open()
      const first = await asBank('requestRedemption', asking('100'), params)
      const second = await asBank('requestRedemption', asking('100'), params)
      const refusing = { caller: officer(), params: { redemption: String(first['id']) } }
      await call('refuseRedemption', { reason: 'Accounts under review.' }, refusing)
      const withdrawn = { redemption: String(second['id']) }
      expect(await asBank('withdrawRedemption', { reason: 'Not needed.' }, withdrawn)).toMatchObject({
        state: 'withdrawn',
      })
      expect(await refusalOf(call('redeemMoney', basis, burning(first['id'])))).toBe('redemption_ended')
      expect(await refusalOf(call('redeemMoney', basis, burning(second['id'])))).toBe('redemption_ended')
      expect(await refusalOf(asBank('withdrawRedemption', { reason: 'Again.' }, withdrawn))).toBe('redemption_ended')
    })

    test('nobody withdraws what another bank asked for', async () => {
      const { call, asBank } = await open()
      await call('admitParticipant', admission(), { caller: officer(), params })
      const { id } = await asBank('requestRedemption', asking('100'), params)
      const work = asBank('withdrawRedemption', { reason: 'Theirs.' }, { redemption: String(id) }, secondDid)
      expect(await refusalOf(work)).toBe('redemption_unknown')
    })

    test('a reference serves once a bank', async () => {
      const { asBank } = await open()
      await asBank('requestRedemption', asking('100', 'SAME'), params)
      expect(await refusalOf(asBank('requestRedemption', asking('200', 'SAME'), params))).toBe('redemption_taken')
    })

    test.each([
      ['9223372036854775808', 'amount_too_large'],
      ['9999999999999999999', 'amount_too_large'],
    ])('%s is refused', async (amount, code) => {
      const { asBank } = await open()
      expect(await refusalOf(asBank('requestRedemption', asking(amount), params))).toBe(code)
    })

    test('strangers, and bodies that nobody signed for, are refused', async () => {
      const { call, asBank } = await open()
      expect(await refusalOf(asBank('requestRedemption', asking('1'), params, secondDid))).toBe('participant_unknown')
      const unsigned = { caller: { kind: 'agency' as const, id: bankDid, bodySha256: 'x' }, params }
      expect(await refusalOf(call('requestRedemption', asking('1'), unsigned))).toBe('agency_body_mismatch')
      expect(await refusalOf(call('redeemMoney', basis, burning('0'.repeat(36))))).toBe('redemption_unknown')
    })
  })
})
