import type { HolderCaller } from '../../../../src/kernel/gate.ts'
import { meetHolder } from '../../../../src/kernel/holder.ts'
import { isRefusal, Refusal } from '../../../../src/kernel/refusal.ts'
import { readRequires } from '../../../../src/plugins/cbdc/policy.ts'
import { onBothLedgers, own, start } from '../ground.ts'
import { customer, openReading, ordered, refusalOf } from './reading.ts'

const hour = 3_600_000
const iso = (at: number): string => new Date(at).toISOString()

describe('what lawful access requires', () => {
  const claims = {
    ...{ ledger: 'did:ethr:0x7a69:0xcb', accountNumber: 8, from: iso(start), until: iso(start + hour) },
    ...{
      reference: 'FD-1',
      authority: { name: 'High Court' },
      legalBasis: 's. 102',
      purpose: 'Investigation of a fraud',
    },
  }
  const met = (caller: HolderCaller): string | undefined => {
    try {
      meetHolder({ ...caller, matched: {} }, readRequires.lawful, {
        operation: 'discloseAccount',
        now: start,
        body: {},
      })
    } catch (error) {
      if (isRefusal(error)) return error.code
      throw error
    }
    return undefined
  }

  test('is an order that is presented for the very request', () => {
    expect(met(ordered(claims))).toBeUndefined()
    expect(met({ ...ordered(claims), proof: 'session' })).toBe('presentation_needed')
    expect(met(customer('anna'))).toBe('presentation_needed')
    expect(met({ ...customer('anna'), proof: 'presentation' })).toBe('credential_missing')
  })

  test('is nothing that was revoked, suspended or has expired', () => {
    for (const code of ['credential_revoked', 'credential_suspended', 'credential_expired']) {
      const refusal = { kind: 'forbidden' as const, code, detail: 'The credential does not stand.' }
      const lapsed = [{ type: 'CourtOrder', refusal }]
      expect(met({ ...customer('anna'), proof: 'presentation', lapsed })).toBe(code)
    }
  })

  test('shows every claim that binds it', () => {
    for (const name of Object.keys(claims)) {
      const { [name as keyof typeof claims]: _, ...rest } = claims
      expect(met(ordered(rest))).toBe('claims_insufficient')
    }
  })
})

onBothLedgers(({ fresh }) => {
  /** Anna pays a unit at the beginning of each of six hours. */
  const open = async () => {
    const ground = await fresh()
    const reading = openReading(ground)
    const anna = await reading.person('anna', 1_000n)
    const ben = await reading.person('ben')
    for (let each = 1; each <= 6; each += 1) {
      ground.state.now = start + each * hour
      await anna.pay(ben.number, 1n)
    }
    ground.state.now = start + 10 * hour
    const order = (over: Record<string, unknown> = {}, spend?: HolderCaller['spend']) =>
      ordered(
        {
          ...{ ledger: ground.needs.did, accountNumber: anna.number, from: iso(start + 2 * hour) },
          ...{ until: iso(start + 5 * hour), reference: 'FD-1', authority: { name: 'High Court' } },
          ...{ legalBasis: 'Criminal Procedure Act, s. 102', purpose: 'Investigation of a fraud' },
          ...over,
        },
        spend,
      )
    const ask = (over: Record<string, unknown> = {}, caller: HolderCaller = order()) =>
      reading.call(
        'discloseAccount',
        { caller },
        { account: anna.number, from: iso(start + 2 * hour), until: iso(start + 5 * hour), ...over },
      )
    return { ground, reading, anna, ben, order, ask }
  }

  test('an order discloses its account for its period, with the balances around it and who serves it', async () => {
    const { reading, anna, ask } = await open()
    const disclosed = await ask()
    expect(disclosed).toMatchObject({
      ...{ account: anna.number, openingMinor: '999', closingMinor: '996' },
      servicer: { name: 'First Bank' },
    })
    // From 2 h on, and before 5 h.
    const items = disclosed['items'] as { at: string }[]
    expect(items.map(({ at }) => at)).toEqual([4, 3, 2].map(each => iso(start + each * hour)))
    expect(disclosed).not.toHaveProperty('next')
    expect(JSON.stringify(disclosed)).not.toContain('anna')
    expect(await reading.journalled('discloseAccount')).toBe(1)
  })

  test('part of the period may be asked for, and pages end where it begins', async () => {
    const { ask } = await open()
    const part = await ask({ from: iso(start + 3 * hour), until: iso(start + 3 * hour + 1) })
    expect(part).toMatchObject({ openingMinor: '998', closingMinor: '997', items: [{ amountMinor: '1' }] })
    const first = await ask({ limit: 2 })
    expect((first['items'] as unknown[]).length).toBe(2)
    const second = await ask({ limit: 2, cursor: first['next'] })
    expect((second['items'] as { at: string }[]).map(({ at }) => at)).toEqual([iso(start + 2 * hour)])
    expect(second).not.toHaveProperty('next')
    expect(await ask({ from: iso(start + 4 * hour + 1) })).toMatchObject({
      items: [],
      openingMinor: '996',
      closingMinor: '996',
    })
  })

  test('another account, another ledger or another period is refused by name, and nothing is disclosed', async () => {
    const { reading, ben, order, ask } = await open()
    expect(await refusalOf(ask({ account: ben.number }))).toBe('order_account')
    expect(await refusalOf(ask({ account: own.bank }))).toBe('order_account')
    expect(await refusalOf(ask({}, order({ ledger: 'did:ethr:0x7a69:0xcc' })))).toBe('order_ledger')
    expect(await refusalOf(ask({}, order({ accountNumber: String(ben.number) })))).toBe('order_account')
    for (const period of [
      { from: iso(start + 2 * hour - 1) },
      { until: iso(start + 5 * hour + 1) },
      { from: iso(start), until: iso(start + hour) },
      { from: iso(start + 6 * hour), until: iso(start + 7 * hour) },
    ]) {
      expect(await refusalOf(ask(period))).toBe('order_period')
    }
    for (const period of [{ until: iso(start + 2 * hour) }, { from: iso(start + 5 * hour) }]) {
      expect(await refusalOf(ask(period))).toBe('period_invalid')
    }
    expect(await refusalOf(ask({}, order({ from: 'the beginning' })))).toBe('order_period')
    expect(await refusalOf(ask({ account: 999_999 }, order({ accountNumber: 999_999 })))).toBe('account_unknown')
    expect(await refusalOf(ask({}, customer('anna')))).toBe('credential_missing')
    expect(await reading.journalled('discloseAccount')).toBe(0)
  })

  test('a cursor leads neither past the period nor to another account', async () => {
    const { ground, anna, ben, ask } = await open()
    const cursorOf = (entry: number) => Buffer.from(String(entry)).toString('base64url')
    const { lastEntry } = await ground.account(anna.number)
    expect(await refusalOf(ask({ cursor: cursorOf(lastEntry) }))).toBe('cursor_malformed')
    const opened = await ground.store.read<{ number: number }>(
      'SELECT number FROM cbdc_entries WHERE debit = ? ORDER BY number LIMIT 1',
      [ben.number],
    )
    expect(await refusalOf(ask({ cursor: cursorOf(opened[0]?.number ?? 0) }))).toBe('cursor_malformed')
    // Before the period: an entry of the account, and still nothing is shown.
    const early = await ground.store.read<{ number: number }>(
      'SELECT number FROM cbdc_entries WHERE debit = ? ORDER BY number LIMIT 1',
      [anna.number],
    )
    expect((await ask({ cursor: cursorOf(early[0]?.number ?? 0) }))['items']).toEqual([])
  })

  test('what cannot be recorded is not disclosed: a presentation counts once', async () => {
    const { reading, order, ask } = await open()
    const replayed = order({}, async () => {
      throw new Refusal('unauthenticated', 'proof_replayed', 'The presentation was used before.')
    })
    expect(await refusalOf(ask({}, replayed))).toBe('proof_replayed')
    expect(await reading.journalled('discloseAccount')).toBe(0)
  })
})
