import { stopPostgres, withPostgres } from '../../../postgres.ts'
import { expectFolded } from '../folded.ts'
import { type Ground, onBothLedgers, openGround, own } from '../ground.ts'
import { refusalOf } from '../reads/reading.ts'
import { openPeople, type Person } from './people.ts'

const opened = async (ground: Ground) => {
  const people = openPeople(ground)
  const shop = await people.person('shop')
  const anna = await people.person('anna', 10_000n)
  const ben = await people.person('ben', 10_000n)
  return { ground, people, shop, anna, ben }
}
const codes = async (work: Promise<unknown>[]): Promise<(string | undefined)[]> =>
  Promise.all(work.map(each => refusalOf(each)))

onBothLedgers(({ fresh }) => {
  const open = async () => opened(await fresh())
  const tax = { account: own.treasury, numerator: 1, denominator: 6 }
  /** The legs of the request, signed in the order in which it gives them. */
  const legs = (payer: Person, { legs }: { legs: { account: number; amountMinor: string }[] }) =>
    legs.map(({ account, amountMinor }) => payer.sign(account, BigInt(amountMinor)))

  test('the legs of a request are paid together, tax and all, and it says by which entries', async () => {
    const { ground, people, shop, anna, ben } = await open()
    const { id } = await shop.request({ payerAccount: anna.number, amountMinor: '1200', shares: [tax] })
    const asked = await anna.see(id)
    const { entries } = await anna.submit(legs(anna, asked), { settles: id })
    expect(entries).toHaveLength(2)
    const paid = await shop.see(id)
    expect(paid).toMatchObject({
      state: 'paid',
      legs: [
        { account: own.treasury, amountMinor: '200', entry: entries[0]?.entry },
        { account: shop.number, amountMinor: '1000', entry: entries[1]?.entry },
      ],
    })
    expect(await anna.see(id)).toEqual(paid)
    expect(await anna.list({ state: 'paid' })).toEqual([paid])
    expect(await Promise.all([own.treasury, shop.number, anna.number].map(people.balance))).toEqual([
      200n,
      1_000n,
      8_800n,
    ])
    expect(await refusalOf(ben.see(id))).toBe('request_unknown')
    await expectFolded(ground.store)
  })

  test('whoever has the id pays a request once; another who has it sees that it was, and not by whom', async () => {
    const { people, shop, anna, ben } = await open()
    const { id } = await shop.request({ amountMinor: '700' })
    await anna.submit([anna.sign(shop.number, 700n)], { settles: id.toUpperCase() })
    expect(await refusalOf(ben.submit([ben.sign(shop.number, 700n)], { settles: id }))).toBe('request_not_open')
    expect(await people.balance(ben.number)).toBe(10_000n)
    expect((await anna.list({ state: 'paid' })).map(each => each.id)).toEqual([id])
    expect(await anna.see(id)).toMatchObject({ state: 'paid', legs: [{ entry: expect.any(Number) }] })
    const seen = await ben.see(id)
    expect(seen).toMatchObject({ state: 'paid' })
    expect(seen.legs).toEqual([{ account: shop.number, amountMinor: '700' }])
  })

  test('records that are not the legs, or not only they, pay nothing', async () => {
    const { people, shop, anna, ben } = await open()
    const { id } = await shop.request({ payerAccount: anna.number, amountMinor: '1200', shares: [tax] })
    const other = await people.person('other')
    const wrong: [number, bigint][][] = [
      [[shop.number, 1_000n]],
      [[shop.number, 1_200n]],
      [
        [own.treasury, 199n],
        [shop.number, 1_001n],
      ],
      [
        [own.treasury, 200n],
        [shop.number, 1_000n],
        [shop.number, 1n],
      ],
      [
        [own.treasury, 200n],
        [own.treasury, 200n],
      ],
      [
        [other.number, 200n],
        [shop.number, 1_000n],
      ],
    ]
    for (const given of wrong) {
      const records = given.map(([to, amount]) => anna.sign(to, amount))
      expect(await refusalOf(anna.submit(records, { settles: id }))).toBe('request_legs_mismatch')
      anna.forget(records.length)
    }
    const inOther = [anna.sign(own.treasury, 200n, { currency: 2 }), anna.sign(shop.number, 1_000n)]
    expect(await refusalOf(anna.submit(inOther, { settles: id }))).toBe('request_legs_mismatch')
    anna.forget(2)
    const before = await ben.pay(anna.number, 200n)
    const back = [{ ...anna.sign(ben.number, 200n), refunds: before }]
    const asked = await ben.request({ payerAccount: anna.number, amountMinor: '200' })
    expect(await refusalOf(anna.submit(back, { settles: asked.id }))).toBe('request_legs_mismatch')
    expect(await people.balance(anna.number)).toBe(10_200n)
    expect(await shop.see(id)).toMatchObject({ state: 'open' })
  })

  test('what one account is asked is not paid from another, of the same person or not', async () => {
    const { ground, people, shop, anna, ben } = await open()
    const { id } = await shop.request({ payerAccount: anna.number })
    expect(await refusalOf(ben.submit([ben.sign(shop.number, 100n)], { settles: id }))).toBe('request_unknown')
    expect(await refusalOf(ben.submit([ben.sign(shop.number, 100n)], { settles: ground.newId() }))).toBe(
      'request_unknown',
    )
    const second = await ground.customer(undefined, { lead: anna.number }, 500n)
    const purse = people.acting('anna', second.owner, second.number)
    expect(await refusalOf(purse.submit([purse.sign(shop.number, 100n)], { settles: id }))).toBe(
      'request_legs_mismatch',
    )
    // The person is asked, by whichever account: so they see it, and decline it.
    expect(await purse.see(id)).toMatchObject({ state: 'open' })
    const anyone = await shop.request()
    purse.forget()
    await purse.submit([purse.sign(shop.number, 100n)], { settles: anyone.id })
    expect(await people.balance(second.number)).toBe(400n)
  })

  test('a request that was declined, withdrawn or has expired is not paid any more', async () => {
    const { ground, people, shop, anna } = await open()
    const asked = { payerAccount: anna.number }
    const [declined, withdrawn] = [await shop.request(asked), await shop.request(asked)]
    const expires = new Date(ground.state.now + 60_000).toISOString()
    const expired = await shop.request({ ...asked, expires })
    await anna.decline(declined.id)
    await shop.withdraw(withdrawn.id)
    ground.state.now += 60_000
    for (const { id } of [declined, withdrawn, expired]) {
      expect(await refusalOf(anna.submit([anna.sign(shop.number, 100n)], { settles: id }))).toBe('request_not_open')
      anna.forget()
    }
    expect(await people.balance(shop.number)).toBe(0n)
  })

  test('what the ledger refuses leaves the request open, and nothing of it paid', async () => {
    const { ground, people, shop, anna } = await open()
    const { id } = await shop.request({ amountMinor: '12000', shares: [tax] })
    const pay = async () => {
      const records = legs(anna, await anna.see(id))
      const code = await refusalOf(anna.submit(records, { settles: id }))
      if (code !== undefined) anna.forget(records.length)
      return code
    }
    // The first leg would do, the second not.
    expect(await pay()).toBe('funds_insufficient')
    expect(await people.balance(own.treasury)).toBe(0n)
    expect(await shop.see(id)).toMatchObject({ state: 'open' })
    await ground.mint(anna.number, 5_000n)
    await ground.store.transaction(tx => tx.query('UPDATE cbdc_accounts SET holds = 1 WHERE number = ?', [shop.number]))
    expect(await pay()).toBe('payee_cannot_receive')
    expect(await shop.see(id)).toMatchObject({ state: 'open' })
    await ground.store.transaction(tx => tx.query('UPDATE cbdc_accounts SET holds = 0 WHERE number = ?', [shop.number]))
    expect(await pay()).toBeUndefined()
    expect(await people.balance(shop.number)).toBe(10_000n)
  })

  test('the same records get the same answer; and pay no second request, nor one after they paid without any', async () => {
    const { people, shop, anna } = await open()
    const [first, second] = [await shop.request(), await shop.request()]
    const records = [anna.sign(shop.number, 100n)]
    const answer = await anna.submit(records, { settles: first.id })
    expect(await anna.submit(records, { settles: first.id }, 'once more')).toEqual(answer)
    expect(await anna.submit(records, {}, 'without')).toEqual(answer)
    expect(await refusalOf(anna.submit(records, { settles: second.id }))).toBe('transfer_id_taken')
    const plain = [anna.sign(shop.number, 100n)]
    await anna.submit(plain)
    expect(await refusalOf(anna.submit(plain, { settles: second.id }))).toBe('transfer_id_taken')
    expect(await shop.see(second.id)).toMatchObject({ state: 'open' })
    expect(await people.balance(shop.number)).toBe(200n)
  })

  test('of many who pay one request at once one does, and of the others nothing moves', async () => {
    const { ground, people, shop } = await open()
    const { id } = await shop.request({ amountMinor: '600', shares: [tax] })
    const payers = await Promise.all(['c', 'd', 'e', 'f', 'g', 'h'].map(name => people.person(name, 1_000n)))
    const asked = await shop.see(id)
    const said = await codes(payers.map(payer => payer.submit(legs(payer, asked), { settles: id })))
    expect(said.filter(code => code === undefined)).toHaveLength(1)
    expect(said.filter(code => code === 'request_not_open')).toHaveLength(5)
    expect(await people.balance(shop.number)).toBe(500n)
    expect(await people.balance(own.treasury)).toBe(100n)
    expect(
      (await Promise.all(payers.map(({ number }) => people.balance(number)))).filter(left => left === 1_000n),
    ).toHaveLength(5)
    await expectFolded(ground.store)
  })

  test('a request that is paid and withdrawn, or declined, at once comes to one of them', async () => {
    const { people, shop, anna } = await open()
    for (let round = 0; round < 4; round += 1) {
      const { id } = await shop.request({ payerAccount: anna.number })
      const before = await people.balance(shop.number)
      const said = await codes([
        ...(round % 2 === 0 ? [shop.withdraw(id)] : []),
        anna.submit([anna.sign(shop.number, 100n)], { settles: id }),
        anna.decline(id),
      ])
      expect(said.filter(code => code === undefined)).toHaveLength(1)
      expect(said.filter(code => code !== undefined)).toEqual(said.slice(1).map(() => 'request_not_open'))
      const { state } = await shop.see(id)
      expect((await people.balance(shop.number)) - before).toBe(state === 'paid' ? 100n : 0n)
      if (state !== 'paid') anna.forget()
    }
  })

  test('refused orders in a batch with one that pays a request do not undo it', async () => {
    const { people, shop, anna, ben } = await open()
    const { id } = await shop.request()
    const paid = anna.submit([anna.sign(shop.number, 100n)], { settles: id })
    const others = [
      ben.submit([ben.sign(shop.number, 99_999_999n)]),
      ben.submit([ben.sign(shop.number, 1n)], { settles: id }),
    ]
    ben.forget(2)
    others.push(ben.submit([ben.sign(shop.number, 5n)]))
    const [first, tooMuch, settled, last] = await codes([paid, ...others])
    expect([first, last]).toEqual([undefined, undefined])
    // Where the last one came first, the other two have its number.
    expect(['funds_insufficient', 'nonce_mismatch']).toContain(tooMuch)
    expect(['request_not_open', 'nonce_mismatch']).toContain(settled)
    expect(await people.balance(shop.number)).toBe(105n)
  })
})

describe('on one PostgreSQL', () => {
  afterAll(stopPostgres)

  test('of two processes that pay one request at once one does', async () => {
    const where = { databaseUrl: await withPostgres(), schema: 'l_requests' }
    const [one, two] = [await openGround(where), await openGround(where)]
    try {
      await one.found()
      const { people, shop, anna, ben } = await opened(one)
      for (let round = 0; round < 5; round += 1) {
        const { id } = await shop.request()
        const elsewhere = openPeople(two).acting('ben', ben.owner, ben.number)
        const { nonce } = await one.account(ben.number)
        const records = [elsewhere.sign(shop.number, 100n, { nonce })]
        const said = await codes([
          anna.submit([anna.sign(shop.number, 100n)], { settles: id }),
          elsewhere.submit(records, { settles: id }),
        ])
        if (said[0] !== undefined) anna.forget()
        expect(said.toSorted()).toEqual(['request_not_open', undefined])
        expect(await people.balance(shop.number)).toBe(BigInt(100 * (round + 1)))
        const left = await Promise.all([anna, ben].map(({ number }) => people.balance(number)))
        expect(left.reduce((sum, each) => sum + each)).toBe(BigInt(20_000 - 100 * (round + 1)))
      }
      await expectFolded(one.store)
    } finally {
      await one.close()
      await two.close()
    }
  }, 60_000)
})
