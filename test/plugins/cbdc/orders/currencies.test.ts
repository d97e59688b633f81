import { onBothLedgers, start } from '../ground.ts'
import { both, dayMs, officer, openOffice, policyBody, refusalOf } from './office.ts'

const iso = (at: number): string => new Date(at).toISOString()

onBothLedgers(({ fresh }) => {
  const opening = { number: 2, code: 'XNC', decimals: 2, home: 'ledger', policy: policyBody() }
  const open = async () => {
    const ground = await fresh()
    return { ground, ...openOffice(ground) }
  }

  describe('openCurrency', () => {
    test('opens the accounts of the currency, with the agency’s key and the sides of its home', async () => {
      const { ground, call } = await open()
      const answer = await call('openCurrency', opening, { caller: both() })
      const accounts = answer['accounts'] as Record<string, number>
      expect(answer).toMatchObject({ currency: 2, code: 'XNC', home: 'ledger' })
      for (const [kind, number] of Object.entries(accounts)) {
        const side = kind === 'issuance' ? 1 : 0
        expect(await ground.account(number)).toMatchObject({ class: kind, side, currency: 2, key: ground.operator.key })
      }
    })

    test('of a currency at home on the chain the rail covers what circulates', async () => {
      const { ground, call } = await open()
      const answer = await call('openCurrency', { ...opening, home: 'chain' }, { caller: both() })
      const { rail = 0, issuance = 0 } = answer['accounts'] as Record<string, number>
      expect(await ground.account(rail)).toMatchObject({ side: 1 })
      expect(await ground.account(issuance)).toMatchObject({ side: 0 })
    })

    test('its first policy is in force at once', async () => {
      const { call } = await open()
      await call('openCurrency', opening, { caller: both() })
      const how = { params: { currency: '2' } }
      expect(await call('getPolicy', undefined, how)).toMatchObject({
        code: 'XNC',
        policy: { version: 1, ...policyBody() },
      })
    })

    test('neither number nor code is given twice', async () => {
      const { call } = await open()
      const how = { caller: both() }
      expect(await refusalOf(call('openCurrency', { ...opening, number: 1 }, how))).toBe('currency_taken')
      expect(await refusalOf(call('openCurrency', { ...opening, code: 'CRD' }, how))).toBe('currency_taken')
    })

    test('a code is given once, also when two ask at once', async () => {
      const { call } = await open()
      const codes = await Promise.all([1, 2].map(() => refusalOf(call('openCurrency', opening, { caller: both() }))))
      expect(codes.sort()).toEqual(['currency_taken', undefined])
      const { items } = await call('listCurrencies')
      expect(items).toHaveLength(2)
    })

    test('is for two officers with the competence', async () => {
      const { call } = await open()
      expect(await refusalOf(call('openCurrency', opening, { caller: officer() }))).toBe('approval_missing')
      const other = officer('CB-9', officer(), ['cbdc:issue'])
      expect(await refusalOf(call('openCurrency', opening, { caller: other }))).toBe('credential_missing')
      expect(await refusalOf(call('openCurrency', opening))).toBe('unauthenticated')
    })
  })

  describe('setPolicy', () => {
    const setting = (at: number, over: Record<string, unknown> = {}) => ({
      validFrom: iso(at),
      policy: policyBody(over),
    })
    const how = { caller: both(), params: { currency: '1' } }

    test('counts from its time on, and what counted before stays', async () => {
      const { ground, call } = await open()
      const answer = await call('setPolicy', setting(start + dayMs, { merchantsKeepMinor: '7' }), how)
      expect(answer).toMatchObject({ version: 2, merchantsKeepMinor: '7' })
      const shown = await call('getPolicy', undefined, how)
      expect(shown).toMatchObject({ policy: { version: 1 }, coming: [{ version: 2 }] })
      ground.state.now += dayMs
      expect(await call('getPolicy', undefined, how)).toMatchObject({ policy: { version: 2 }, coming: [] })
      const then = { ...how, query: { at: iso(start) } }
      expect(await call('getPolicy', undefined, then)).toMatchObject({ policy: { version: 1 } })
    })

    test('limits of the new policy bind with the first payment after its time', async () => {
      const { ground, call } = await open()
      const payer = await ground.customer(undefined, {}, 1_000n)
      const payee = await ground.customer()
      const tiers = [{ level: 2, perPaymentMinor: '10', perDayMinor: '100', holdingMinor: null }]
      await call('setPolicy', setting(start + dayMs, { tiers }), how)
      const pay = (nonce: number) =>
        ground.submit(ground.signed(payer.owner, ground.transfer(payer.number, payee.number, 11n, { nonce })))
      await pay(0)
      ground.state.now += dayMs
      expect(await refusalOf(pay(1))).toBe('limit_per_payment')
    })

    test.each([
      ['now', 0],
      ['the past', -dayMs],
    ])('valid from %s is refused', async (_, offset) => {
      const { call } = await open()
      expect(await refusalOf(call('setPolicy', setting(start + offset), how))).toBe('policy_in_past')
    })

    test.each([
      ['a level with two tiers', { tiers: [policyBody().tiers[0], policyBody().tiers[0]] }],
      [
        'a payment above the day',
        { tiers: [{ level: 1, perPaymentMinor: '9', perDayMinor: '8', holdingMinor: null }] },
      ],
      [
        'no limit a payment, one a day',
        { tiers: [{ level: 1, perPaymentMinor: null, perDayMinor: '8', holdingMinor: null }] },
      ],
      ['an amount above 2^63 − 1', { merchantsKeepMinor: '9223372036854775808' }],
      ['escheat before dormancy', { dormancy: { dormantAfterDays: 10, escheatAfterDays: 10 } }],
    ])('%s is refused', async (_, over) => {
      const { call } = await open()
      expect(await refusalOf(call('setPolicy', setting(start + dayMs, over), how))).toBe('policy_invalid')
    })

    test('interest in a currency of the chain is refused', async () => {
      const { call } = await open()
      await call('openCurrency', { ...opening, home: 'chain' }, { caller: both() })
      const interest = { basisPoints: 100, dayCount: 'ACT/360', exemptMinor: '0' }
      const body = setting(start + dayMs, { interest })
      const there = { caller: both(), params: { currency: '2' } }
      expect(await refusalOf(call('setPolicy', body, there))).toBe('policy_invalid')
    })

    test('a currency that is not there is refused', async () => {
      const { call } = await open()
      const nowhere = { caller: both(), params: { currency: '77' } }
      expect(await refusalOf(call('setPolicy', setting(start + dayMs), nowhere))).toBe('currency_unknown')
      expect(await refusalOf(call('getPolicy', undefined, nowhere))).toBe('currency_unknown')
    })

    test('one officer does not do', async () => {
      const { call } = await open()
      const alone = { ...how, caller: officer() }
      expect(await refusalOf(call('setPolicy', setting(start + dayMs), alone))).toBe('approval_missing')
    })
  })
})
