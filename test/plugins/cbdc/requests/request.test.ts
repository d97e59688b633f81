import { listPaymentRequests } from '../../../../src/plugins/cbdc/actions/requests/reads.ts'
import { openRequestsMost, requestsToOneMost } from '../../../../src/plugins/cbdc/policy.ts'
import { requestRetention } from '../../../../src/plugins/cbdc/requests/entities.ts'
import { erase } from '../../../../src/store/retention.ts'
import { type Ground, onBothLedgers, own } from '../ground.ts'
import { openReading, refusalOf } from '../reads/reading.ts'
import { openPeople, type Person, type RequestBody } from './people.ts'

const digest = 'ab'.repeat(32)
const days = (count: number): number => count * 86_400_000

onBothLedgers(({ fresh }) => {
  const open = async () => {
    const ground: Ground = await fresh()
    const people = openPeople(ground)
    const shop = await people.person('shop')
    const anna = await people.person('anna', 10_000n)
    const ben = await people.person('ben', 10_000n)
    return { ground, people, shop, anna, ben }
  }
  const expiresIn = ({ state }: Ground, ms: number) => ({ expires: new Date(state.now + ms).toISOString() })

  test('the payee asks somebody, who finds it in their inbox with the legs to sign; others find nothing', async () => {
    const { shop, anna, ben } = await open()
    const share = { account: own.treasury, numerator: 1, denominator: 6 }
    const asked = await shop.request({
      ...{ payerAccount: anna.number, amountMinor: '1205', referenceDigest: digest, shares: [share] },
    })
    const terms = {
      ...{ state: 'open', currency: 1, payeeAccount: shop.number, payerAccount: anna.number, amountMinor: '1205' },
      referenceDigest: digest,
      legs: [
        { account: own.treasury, amountMinor: '201', share: { numerator: 1, denominator: 6 } },
        { account: shop.number, amountMinor: '1004' },
      ],
    }
    expect(asked).toMatchObject(terms)
    expect(await anna.list()).toEqual([asked])
    expect(await anna.see(asked.id)).toEqual(asked)
    expect(await shop.see(asked.id.toUpperCase())).toEqual(asked)
    expect(await shop.list({ as: 'payee' })).toEqual([asked])
    expect(await ben.list()).toEqual([])
    expect(await shop.list()).toEqual([])
    expect(await anna.list({ as: 'payee' })).toEqual([])
    expect(await refusalOf(ben.see(asked.id))).toBe('request_unknown')
  })

  test('a request to nobody in particular is read by whoever has its id', async () => {
    const { ground, shop, ben } = await open()
    const asked = await shop.request()
    expect(asked).not.toHaveProperty('payerAccount')
    expect(await ben.see(asked.id)).toEqual(asked)
    expect(await ben.list()).toEqual([])
    expect(await refusalOf(ben.see(ground.newId()))).toBe('request_unknown')
  })

  test('a payee learns nothing about whom they ask: nobody looks like somebody', async () => {
    const { ground, people, shop, anna } = await open()
    const to = async (payerAccount: number) => {
      const { id: _, payerAccount: __, ...rest } = await shop.request({ payerAccount })
      return rest
    }
    const somebody = await to(anna.number)
    for (const nobody of [999, own.issuance, own.bank, 4_294_967_295]) expect(await to(nobody)).toEqual(somebody)
    const lists = (await shop.list({ as: 'payee' })).map(({ state }) => state)
    expect(lists).toEqual(['open', 'open', 'open', 'open', 'open'])
    // Whoever gets the number later was not the one who was asked.
    const next = await ground.openOne(anna.owner.key)
    await shop.request({ payerAccount: next + 1 })
    const late = await people.person('late', 100n)
    expect(late.number).toBe(next + 1)
    expect(await late.list()).toEqual([])
    const [newest] = await shop.list({ as: 'payee' })
    expect(await refusalOf(late.see(newest?.id ?? ''))).toBe('request_unknown')
  })

  test('the same id and terms get the same request, under whatever key; other terms are refused', async () => {
    const { ground, shop, anna, ben } = await open()
    const terms = { id: ground.newId(), payerAccount: anna.number, ...expiresIn(ground, 60_000) }
    const asked = await shop.request(terms)
    ground.state.now += 1_000
    expect(await shop.request(terms)).toEqual(asked)
    expect(await shop.request({ ...terms, id: terms.id.toUpperCase() }, 'again')).toEqual(asked)
    for (const other of [
      { amountMinor: '101' },
      { payerAccount: ben.number },
      { referenceDigest: digest },
      { shares: [{ account: 1, numerator: 1, denominator: 2 }] },
      expiresIn(ground, 120_000),
    ]) {
      expect(await refusalOf(shop.request({ ...terms, ...other }))).toBe('request_id_taken')
    }
    expect(await refusalOf(ben.request(terms))).toBe('request_id_taken')
    expect(await shop.list({ as: 'payee' })).toHaveLength(1)
    // What became of it is what is told of it later.
    await anna.decline(asked.id)
    expect(await shop.request(terms)).toMatchObject({ id: asked.id, state: 'declined' })
  })

  const refused: { name: string; over: Record<string, unknown>; code: string }[] = [
    { name: 'to an account of others', over: { payeeAccount: 7 }, code: 'account_not_yours' },
    { name: 'to no account', over: { payeeAccount: 999_999 }, code: 'account_not_yours' },
    { name: 'of nothing', over: { amountMinor: '0' }, code: 'amount_not_positive' },
    { name: 'of more than there can be', over: { amountMinor: '9223372036854775808' }, code: 'amount_too_large' },
    { name: 'that has expired', over: { expires: '2026-06-01T12:00:00Z' }, code: 'request_expiry' },
    { name: 'that stays too long', over: { expires: '2026-08-30T12:00:01Z' }, code: 'request_expiry' },
    {
      name: 'under an id that is no UUIDv7',
      over: { id: '5f9c1f6e-7f0c-4a61-9d3c-3c5b6c2b0a11' },
      code: 'transfer_id_not_current',
    },
    {
      name: 'with two shares of one account',
      over: {
        shares: [
          { account: 6, numerator: 1, denominator: 6 },
          { account: 6, numerator: 1, denominator: 7 },
        ],
      },
      code: 'share_account_twice',
    },
    {
      name: 'of which more than all is shared',
      over: { shares: [{ account: 6, numerator: 101, denominator: 100 }] },
      code: 'shares_exceed_amount',
    },
    {
      name: 'that rounding would overdraw',
      over: {
        amountMinor: '101',
        shares: [
          { account: 6, numerator: 1, denominator: 2 },
          { account: 7, numerator: 1, denominator: 2 },
        ],
      },
      code: 'shares_exceed_amount',
    },
    {
      name: 'whose payer has a share',
      over: { payerAccount: 6, shares: [{ account: 6, numerator: 1, denominator: 2 }] },
      code: 'account_same',
    },
  ]

  test('a request that cannot be meant is refused, and says why', async () => {
    const { shop } = await open()
    const said: Record<string, string | undefined> = {}
    for (const { name, over } of refused) said[name] = await refusalOf(shop.request(over))
    expect(said).toEqual(Object.fromEntries(refused.map(({ name, code }) => [name, code])))
    expect(await shop.list({ as: 'payee' })).toEqual([])
  })

  test('a request of oneself, of one’s own share, or to a closed account is refused', async () => {
    const { ground, people, shop, anna } = await open()
    expect(await refusalOf(shop.request({ payerAccount: shop.number }))).toBe('account_same')
    const mine = [{ account: shop.number, numerator: 1, denominator: 2 }]
    expect(await refusalOf(shop.request({ shares: mine }))).toBe('share_account_twice')
    await ground.store.transaction(tx =>
      tx.query('UPDATE cbdc_accounts SET closed = 1 WHERE number = ?', [shop.number]),
    )
    expect(await refusalOf(shop.request({ payerAccount: anna.number }))).toBe('account_closed')
    const stranger = people.acting('nobody', anna.owner, shop.number)
    expect(await refusalOf(stranger.request())).toBe('account_not_yours')
  })

  test('amounts that are no whole numbers of minor units, and shares that are none, do not come in', async () => {
    const { shop } = await open()
    for (const amountMinor of ['1.5', '1e3', '-1', '', '01', '10000000000000000000', 100]) {
      expect(await refusalOf(shop.request({ amountMinor }))).toBe('body_invalid')
    }
    for (const term of [0, -1, 1.5, 1_000_000_001, '1']) {
      const shares = [{ account: 6, numerator: 1, denominator: term }]
      expect(await refusalOf(shop.request({ shares }))).toBe('body_invalid')
      expect(await refusalOf(shop.request({ shares: [{ account: 6, numerator: term, denominator: 2 }] }))).toBe(
        'body_invalid',
      )
    }
    const many = Array.from({ length: 16 }, (_, at) => ({ account: 50 + at, numerator: 1, denominator: 100 }))
    expect(await refusalOf(shop.request({ shares: many }))).toBe('body_invalid')
    expect(await refusalOf(shop.request({ referenceDigest: 'Invoice 17, flowers for Anna' }))).toBe('body_invalid')
  })

  test('who is asked declines, the payee withdraws, and nobody does either for them or twice', async () => {
    const { ground, shop, anna, ben } = await open()
    const declined = await shop.request({ payerAccount: anna.number })
    expect(await refusalOf(ben.decline(declined.id))).toBe('request_unknown')
    expect(await refusalOf(shop.decline(declined.id))).toBe('request_unknown')
    expect(await refusalOf(anna.withdraw(declined.id))).toBe('request_unknown')
    expect(await refusalOf(anna.decline(ground.newId()))).toBe('request_unknown')
    ground.state.now += 5_000
    const answer = await anna.decline(declined.id)
    expect(answer).toMatchObject({ state: 'declined', endedAt: new Date(ground.state.now).toISOString() })
    expect(await shop.see(declined.id)).toEqual(answer)
    for (const again of [anna.decline, shop.withdraw]) {
      expect(await refusalOf(again(declined.id))).toBe('request_not_open')
    }
    const withdrawn = await shop.request({ payerAccount: anna.number })
    expect(await shop.withdraw(withdrawn.id)).toMatchObject({ state: 'withdrawn' })
    expect(await refusalOf(anna.decline(withdrawn.id))).toBe('request_not_open')
    const anyone = await shop.request()
    expect(await refusalOf(ben.decline(anyone.id))).toBe('request_undirected')
    expect(await refusalOf(ben.withdraw(anyone.id))).toBe('request_unknown')
    const states = async (person: Person, query: Record<string, string>) =>
      (await person.list(query)).map(({ state }) => state)
    expect(await states(shop, { as: 'payee' })).toEqual(['open', 'withdrawn', 'declined'])
    expect(await states(shop, { as: 'payee', state: 'declined' })).toEqual(['declined'])
    expect(await states(anna, { state: 'withdrawn' })).toEqual(['withdrawn'])
    expect(await states(anna, { state: 'open' })).toEqual([])
  })

  test('nobody has to end a request that has expired: reading it at its time finds it so', async () => {
    const { ground, shop, anna } = await open()
    const { id } = await shop.request({ payerAccount: anna.number, ...expiresIn(ground, 1_000) })
    ground.state.now += 999
    expect(await anna.see(id)).toMatchObject({ state: 'open' })
    ground.state.now += 1
    const endedAt = new Date(ground.state.now).toISOString()
    expect(await anna.see(id)).toMatchObject({ state: 'expired', endedAt })
    expect(await anna.list({ state: 'open' })).toEqual([])
    expect((await anna.list({ state: 'expired' })).map(each => each.id)).toEqual([id])
    ground.state.now += 10_000
    expect(await refusalOf(anna.decline(id))).toBe('request_not_open')
    expect(await refusalOf(shop.withdraw(id))).toBe('request_not_open')
  })

  test('a listing goes on page by page, newest first, for customers who show their pseudonym', async () => {
    const { ground, shop, anna } = await open()
    const ids: string[] = []
    for (let at = 0; at < 5; at += 1) {
      ids.unshift((await shop.request({ payerAccount: anna.number })).id)
      ground.state.now += 10
    }
    const page = (query: Record<string, string>) =>
      anna.call('listPaymentRequests', { query: { currency: '1', limit: '2', ...query } }) as Promise<{
        items: RequestBody[]
        next?: string
      }>
    const seen: string[] = []
    for (let next: string | undefined = ''; next !== undefined; ) {
      const found: Awaited<ReturnType<typeof page>> = await page(next === '' ? {} : { cursor: next })
      seen.push(...found.items.map(({ id }) => id))
      next = found.next
    }
    expect(seen).toEqual(ids)
    expect(await refusalOf(page({ cursor: '***' }))).toBe('cursor_malformed')
    expect(await refusalOf(page({ currency: '9' }))).toBe('currency_unknown')
    const { caller } = anna
    const shown = { ...caller.matched['kyc'], claims: { pseudonym: { domain: 'cbdc:xyz', value: 'anna' } } }
    const hidden = { ...caller, matched: { kyc: shown } } as typeof caller
    const newcomer = openPeople(ground).acting('newcomer', anna.owner, anna.number)
    expect(await newcomer.list()).toEqual([])
    const reading = { params: { request: ids[0] ?? '' } }
    const asHidden = (operation: string, how: object) => openPeople(ground).as(hidden, operation, how)
    expect(await refusalOf(asHidden('listPaymentRequests', { query: { currency: '1' } }))).toBe('pseudonym_missing')
    expect(await refusalOf(asHidden('getPaymentRequest', reading))).toBe('request_unknown')
  })

  test('how much one payee may have open is bounded, in all and to one account', async () => {
    const { ground, shop, anna, ben } = await open()
    for (let at = 0; at < requestsToOneMost; at += 1) await shop.request({ payerAccount: anna.number })
    expect(await refusalOf(shop.request({ payerAccount: anna.number }))).toBe('requests_too_many')
    // To nobody it is the same.
    for (let at = 0; at < requestsToOneMost; at += 1) await shop.request({ payerAccount: 9_999 })
    expect(await refusalOf(shop.request({ payerAccount: 9_999 }))).toBe('requests_too_many')
    expect((await ben.request({ payerAccount: anna.number })).state).toBe('open')
    const [first] = await anna.list()
    await anna.decline(first?.id ?? '')
    const [second] = (await anna.list({ state: 'open' })).filter(each => each['payeeAccount'] === shop.number)
    await anna.decline(second?.id ?? '')
    await shop.request({ payerAccount: anna.number })
    const { length: standing } = await shop.list({ as: 'payee', state: 'open' })
    await ground.store.transaction(async tx => {
      const base = { currency: 1, payee: shop.number, payee_lead: shop.number, amount: 1, state: 'open' }
      const row = { ...base, since: 0, payer: null, payer_lead: null, reference: null, ended_at: null }
      const rows = Array.from({ length: openRequestsMost - standing }, () => ({
        ...{ ...row, id: ground.newId(), expires: ground.state.now + 60_000 },
      }))
      tx.insert('cbdc_requests', rows)
    })
    expect(await refusalOf(shop.request())).toBe('requests_too_many')
    expect(await refusalOf(ben.request())).toBeUndefined()
    // What has expired counts no more.
    ground.state.now += 60_000
    expect(await refusalOf(shop.request(expiresIn(ground, 1)))).toBeUndefined()
  })

  test('a listing of one state reads no others, and one of open requests none that have expired', async () => {
    const { ground, shop, anna } = await open()
    await anna.decline((await shop.request({ payerAccount: anna.number })).id)
    await shop.request({ payerAccount: anna.number })
    const { house } = ground.needs
    const { store } = house
    const plan = async (as: string, state: string): Promise<string> => {
      const asked: { sql: string; params: unknown }[] = []
      const read: typeof store.read = (sql, params) => {
        asked.push({ sql, params })
        return store.read(sql, params)
      }
      const context = { caller: anna.caller, params: {}, query: { currency: '1', as, state }, body: undefined }
      const rest = { headers: {}, publicUrl: 'https://central-bank.example' }
      await listPaymentRequests({ house: { ...house, store: { ...store, read } } }, { ...context, ...rest })
      const { sql, params } = asked.find(each => each.sql.includes('FROM cbdc_requests')) ?? { sql: '', params: [] }
      const steps = await store.transaction(async tx => {
        if (store.dialect === 'postgres') await tx.query('SET LOCAL enable_seqscan = off')
        return tx.query(`${store.dialect === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'} ${sql}`, params as never)
      })
      return JSON.stringify(steps)
    }
    expect(await plan('payer', 'open')).toContain('cbdc_requests_asked')
    expect(await plan('payee', 'open')).toContain('cbdc_requests_open')
    expect(await plan('payer', 'declined')).toContain('cbdc_requests_payer_ended')
    expect(await plan('payee', 'paid')).toContain('cbdc_requests_payee_ended')
  })

  test('requests are kept for 400 days with their legs, whatever came of them, and then forgotten', async () => {
    const { ground, shop, anna } = await open()
    const rules = requestRetention.filter(rule => 'keepMs' in rule).map(rule => ({ ...rule }))
    const count = async (): Promise<number[]> => {
      const rows = ['cbdc_requests', 'cbdc_request_legs'].map(table =>
        ground.store.read<{ rows: number }>(`SELECT cast(count(*) AS INTEGER) AS rows FROM ${table}`),
      )
      return (await Promise.all(rows)).map(([row]) => Number(row?.rows))
    }
    await shop.request({ payerAccount: anna.number, shares: [{ account: own.treasury, numerator: 1, denominator: 6 }] })
    ground.state.now += days(399)
    const late = await shop.request()
    await erase(ground.store, { now: () => ground.state.now }, rules)
    expect(await count()).toEqual([2, 3])
    ground.state.now += days(2)
    await erase(ground.store, { now: () => ground.state.now }, rules)
    expect(await count()).toEqual([1, 1])
    expect((await shop.list({ as: 'payee' })).map(({ id }) => id)).toEqual([late.id])
  })

  test('every request and every answer leaves evidence, and so does reading', async () => {
    const { ground, shop, anna } = await open()
    const { id } = await shop.request({ payerAccount: anna.number, ...expiresIn(ground, days(90)) })
    await anna.see(id)
    await anna.list()
    await anna.decline(id)
    const { journalled } = openReading(ground)
    const operations = ['requestPayment', 'getPaymentRequest', 'listPaymentRequests', 'declinePaymentRequest']
    expect(await Promise.all(operations.map(journalled))).toEqual([1, 1, 1, 1])
  })
})
