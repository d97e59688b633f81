import { balanceAt } from '../../../../src/plugins/cbdc/actions/reads/accounts.ts'
import { onBothLedgers, own, start } from '../ground.ts'
import { type Body, customer, openReading, refusalOf } from './reading.ts'

onBothLedgers(({ fresh }) => {
  const open = async () => {
    const ground = await fresh()
    const reading = openReading(ground)
    return { ground, reading }
  }

  test('the owner, the bank that serves the account and an officer read it; each reading is journalled', async () => {
    const { reading } = await open()
    const payer = await reading.person('anna', 1_000n)
    const payee = await reading.person('ben')
    await payer.pay(payee.number, 300n)
    const account = await payer.read('getAccount', { account: payer.number })
    expect(account).toMatchObject({
      balanceMinor: '700',
      availableMinor: '700',
      nonce: 1,
      frozen: false,
      class: 'person',
    })
    expect(await reading.asBank('getAccount', { account: payer.number })).toEqual(account)
    expect(await reading.asOfficer('getAccount', { account: payer.number })).toEqual(account)
    expect(await reading.asOfficer('getAccount', { account: own.issuance })).toMatchObject({ balanceMinor: '-1000' })
    expect(await reading.journalled('getAccount')).toBe(4)
  })

  test('nobody else reads it, and whether it exists is not told', async () => {
    const { reading } = await open()
    const anna = await reading.person('anna', 1_000n)
    const ben = await reading.person('ben')
    for (const operation of ['getAccount', 'listEntries', 'getAccountAt']) {
      const query = operation === 'getAccountAt' ? { at: new Date(start).toISOString() } : {}
      for (const account of [anna.number, own.bank, 999_999]) {
        expect(await refusalOf(ben.read(operation, { account }, query))).toBe('account_not_yours')
      }
      expect(await refusalOf(reading.asOther(operation, { account: anna.number }, query))).toBe('participant_unknown')
      expect(await refusalOf(reading.asBank(operation, { account: own.issuance }, query))).toBe('account_not_yours')
    }
    const elsewhere = reading.as('customer', customer('anna', 'cbdc:eur'))
    expect(await refusalOf(elsewhere('getAccount', { account: anna.number }))).toBe('pseudonym_missing')
    const mistaken = reading.as('officer', customer('anna'))
    expect(await refusalOf(mistaken('getAccount', { account: anna.number }))).toBe('credential_missing')
    expect(await reading.journalled('getAccount')).toBe(0)
  })

  test('a bank whose admission has ended reads nothing any more', async () => {
    const { ground, reading } = await open()
    const anna = await reading.person('anna')
    await ground.store.transaction(tx => tx.query('UPDATE cbdc_participants SET ended_at = 1'))
    expect(await refusalOf(reading.asBank('getAccount', { account: anna.number }))).toBe('participant_unknown')
  })

  test('entries are listed newest first, page by page, each with the balance after it', async () => {
    const { reading } = await open()
    const anna = await reading.person('anna', 1_000n)
    const ben = await reading.person('ben')
    for (const amount of [10n, 20n, 30n]) await anna.pay(ben.number, amount)
    await ben.pay(anna.number, 5n)
    const items: Body[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const query: Record<string, string> = { limit: '2', ...(cursor !== undefined && { cursor }) }
      const page = await anna.read('listEntries', { account: anna.number }, query)
      items.push(...(page['items'] as Body[]))
      cursor = page['next'] as string | undefined
      pages += 1
    } while (cursor !== undefined)
    expect(pages).toBe(3)
    expect(items.map(({ kind, side, amountMinor, balanceMinor }) => [kind, side, amountMinor, balanceMinor])).toEqual([
      ['transfer', 'credit', '5', '945'],
      ['transfer', 'debit', '30', '940'],
      ['transfer', 'debit', '20', '970'],
      ['transfer', 'debit', '10', '990'],
      ['mint', 'credit', '1000', '1000'],
      ['open', 'alone', null, '0'],
    ])
    expect(items[1]).toMatchObject({ counterparty: ben.number, feeMinor: '0' })
    expect(items[0]).not.toHaveProperty('feeMinor')
  })

  test('a cursor of another account, or of no entry, is refused', async () => {
    const { reading } = await open()
    const anna = await reading.person('anna', 1_000n)
    const ben = await reading.person('ben', 500n)
    const cursorOf = (text: string) => Buffer.from(text).toString('base64url')
    for (const cursor of [cursorOf('1'), cursorOf('99999999'), cursorOf('0'), cursorOf('1e3'), cursorOf('-1'), '!']) {
      expect(await refusalOf(ben.read('listEntries', { account: ben.number }, { cursor }))).toBe('cursor_malformed')
    }
    const { items } = await anna.read('listEntries', { account: anna.number }, { limit: '1' })
    const [newest] = items as { entry: number }[]
    const cursor = cursorOf(String(newest?.entry))
    expect(await refusalOf(ben.read('listEntries', { account: ben.number }, { cursor }))).toBe('cursor_malformed')
  })

  test('the balance at any past time is found through marks, however long the history is', async () => {
    const { ground, reading } = await open()
    const anna = await reading.person('anna', 10_000n)
    const ben = await reading.person('ben')
    const known = new Map<number, bigint>()
    let [nonce, balance] = [0, 10_000n]
    ground.state.now += 1_000
    known.set(ground.state.now, balance)
    // Batches of one, two and many entries: ordinals of marks fall at their beginning, in them and at their end.
    for (const size of [1, 2, 250, 3, 255, 1, 260, 7]) {
      ground.state.now += 60_000
      const records = Array.from({ length: size }, () => {
        balance -= 1n
        return ground.signed(anna.owner, ground.transfer(anna.number, ben.number, 1n, { nonce: nonce++ }))
      })
      await ground.submit(...records)
      known.set(ground.state.now, balance)
    }
    const account = await ground.account(anna.number)
    expect(account.entries).toBe(781)
    const queries: string[] = []
    const counted = {
      ...ground.store,
      read: ((sql: string, values?: never) => {
        queries.push(sql)
        return ground.store.read(sql, values)
      }) as typeof ground.store.read,
    }
    for (const [at, expected] of known) {
      for (const [time, sum] of [
        [at, expected],
        [at + 59_000, expected],
      ] as const) {
        queries.length = 0
        const found = await balanceAt({ house: { ...ground.needs.house, store: counted } }, account, time)
        expect(found.balance).toBe(sum)
        // log2 of the marks there are, and one walk of at most 258 entries.
        expect(queries.length).toBeLessThanOrEqual(3)
      }
    }
    const at = new Date(start + 61_000).toISOString()
    expect(await anna.read('getAccountAt', { account: anna.number }, { at })).toMatchObject({
      balanceMinor: '9999',
      at,
    })
    expect(await ben.read('getAccountAt', { account: ben.number }, { at })).toMatchObject({ balanceMinor: '1' })
  })

  test('a time before the account, in the future, or that is none is refused by name', async () => {
    const { ground, reading } = await open()
    const anna = await reading.person('anna', 1_000n)
    const balance = (at: string) => refusalOf(anna.read('getAccountAt', { account: anna.number }, { at }))
    expect(await balance('2020-01-01T00:00:00Z')).toBe('account_not_yet')
    expect(await balance(new Date(ground.state.now + 3_600_000).toISOString())).toBe('moment_not_come')
    for (const at of ['yesterday', '2026-06-01', '2026-06-01T12:00:00', '1e12', '']) {
      expect(await balance(at)).toBe('moment_malformed')
    }
    const fees = reading.asOfficer('getAccountAt', { account: own.fees }, { at: new Date(start + 1).toISOString() })
    expect(await refusalOf(fees)).toBe('balance_undated')
  })
})
