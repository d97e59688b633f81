import { allOf } from '../../../../src/plugins/cbdc/actions/execute.ts'
import type { MonitoringRules } from '../../../../src/plugins/cbdc/ledger/monitoring.ts'
import { verifyReceipt } from '../../../../src/plugins/cbdc/ledger/receipt.ts'
import { stopPostgres, withPostgres } from '../../../postgres.ts'
import { expectFolded } from '../folded.ts'
import { bankDid, type Ground, onBothLedgers, openGround, own } from '../ground.ts'
import { refusalOf, signingKey } from '../reads/reading.ts'
import { openPeople, type Person } from './people.ts'

const opened = async (ground: Ground) => {
  const people = openPeople(ground)
  const shop = await people.person('shop', 5_000n)
  const anna = await people.person('anna', 10_000n)
  const ben = await people.person('ben', 10_000n)
  return { ground, people, shop, anna, ben }
}
const refund = (by: Person, to: Person, amount: bigint, refunds: number) => ({ ...by.sign(to.number, amount), refunds })
const giveBack = (by: Person, to: Person, amount: bigint, refunds: number) =>
  by.submit([refund(by, to, amount, refunds)])
/** What is refused leaves its nonce free. */
const refusedBack = async (by: Person, to: Person, amount: bigint, refunds: number) => {
  const code = await refusalOf(giveBack(by, to, amount, refunds))
  if (code !== undefined) by.forget()
  return code
}

onBothLedgers(({ fresh }) => {
  const key = signingKey()
  const open = async () => opened(await fresh({ more: async () => ({ signStatement: payload => key.seal(payload) }) }))

  test('a refund says what it gives back, and the payment how much was; both sides see both', async () => {
    const { people, shop, anna } = await open()
    const payment = anna.sign(shop.number, 1_000n)
    const { entries } = await anna.submit([payment])
    const paid = entries[0]?.entry ?? 0
    const first = refund(shop, anna, 300n, paid)
    const back = (await shop.submit([first])).entries[0]?.entry ?? 0
    await giveBack(shop, anna, 200n, paid)
    expect(await people.balance(anna.number)).toBe(9_500n)
    for (const side of [anna, shop]) {
      const of = (transfer: string, operation = 'getTransfer') =>
        side.call(operation, { params: { reader: 'customer', transfer } })
      expect(await of(first.id)).toMatchObject({ entry: back, refunds: paid })
      expect(await of(first.id)).not.toHaveProperty('refundedMinor')
      expect(await of(payment.id)).toMatchObject({ entry: paid, refundedMinor: '500' })
      expect(await of(payment.id)).not.toHaveProperty('refunds')
      const account = String(side.number)
      const { items } = (await side.call('listEntries', { params: { reader: 'customer', account } })) as {
        items: { entry: number }[]
      }
      expect(items.find(({ entry }) => entry === back)).toMatchObject({ refunds: paid })
      expect(items.find(({ entry }) => entry === paid)).toMatchObject({ refundedMinor: '500' })
      // The link stands beside the receipt; what is signed is the entry alone.
      const { receipt, ...beside } = await of(first.id, 'getReceipt')
      expect(beside).toEqual({ refunds: paid })
      const verdict = verifyReceipt(String(receipt), { key: key.jwk, ledger: 'did:ethr:0x7a69:0xcb' })
      expect(verdict).toMatchObject({ holds: true, entry: { kind: 'transfer', amount: 300n } })
      expect(await of(payment.id, 'getReceipt')).toMatchObject({ refundedMinor: '500' })
    }
    const plain = anna.sign(shop.number, 1n)
    await anna.submit([plain])
    const seen = await anna.call('getTransfer', { params: { reader: 'customer', transfer: plain.id } })
    expect(Object.keys(seen).filter(name => name.startsWith('refund'))).toEqual([])
  })

  test('no more is given back than was paid, in however many refunds', async () => {
    const { people, shop, anna } = await open()
    const paid = await anna.pay(shop.number, 1_000n)
    expect(await refusedBack(shop, anna, 1_001n, paid)).toBe('refund_exceeds')
    await giveBack(shop, anna, 999n, paid)
    expect(await refusedBack(shop, anna, 2n, paid)).toBe('refund_exceeds')
    await giveBack(shop, anna, 1n, paid)
    expect(await refusedBack(shop, anna, 1n, paid)).toBe('refund_exceeds')
    expect(await people.balance(anna.number)).toBe(10_000n)
    // In one chain it is the same, and then none of it is done.
    const second = await anna.pay(shop.number, 100n)
    const both = [refund(shop, anna, 60n, second), refund(shop, anna, 41n, second)]
    expect(await refusalOf(shop.submit(both))).toBe('refund_exceeds')
    shop.forget(2)
    await shop.submit([refund(shop, anna, 60n, second), refund(shop, anna, 40n, second)])
    expect(await people.balance(anna.number)).toBe(10_000n)
  })

  test('only whom a payment paid gives it back, only to its payer, and nobody learns of others’ payments', async () => {
    const { ground, shop, anna, ben } = await open()
    const paid = await anna.pay(shop.number, 1_000n)
    for (const number of [999_999, 1, paid + 1, paid - 1]) {
      expect(await refusedBack(shop, anna, 10n, number)).toBe('refund_unknown')
    }
    expect(await refusedBack(shop, ben, 10n, paid)).toBe('refund_unknown')
    expect(await refusedBack(ben, anna, 10n, paid)).toBe('refund_unknown')
    expect(await refusedBack(anna, shop, 10n, paid)).toBe('refund_unknown')
    // The money that somebody got from the issuer is nobody's payment.
    const [minted] = await ground.store.read<{ number: number }>(
      'SELECT max(number) AS number FROM cbdc_entries WHERE credit = ? AND debit = ?',
      [anna.number, own.issuance],
    )
    expect(await refusedBack(anna, shop, 10n, minted?.number ?? 0)).toBe('refund_unknown')
    const stranger = openPeople(ground).acting('ben', shop.owner, shop.number)
    const forged = { ...stranger.sign(anna.number, 10n), refunds: paid }
    expect(await refusalOf(stranger.submit([forged]))).toBe('account_not_yours')
  })

  test('a refund is a transfer without a fee, and no refund is refunded', async () => {
    const { ground, shop, anna } = await open()
    const paid = await anna.pay(shop.number, 1_000n)
    const withFee = { ...shop.sign(anna.number, 10n, { fee: 1 }), refunds: paid }
    expect(await refusalOf(shop.submit([withFee]))).toBe('refund_not_transfer')
    shop.forget()
    const validUntil = Math.floor(ground.state.now / 1_000) + 3_600
    const link = ground.signed(shop.owner, {
      ...{ kind: 'link', account: shop.number, linked: own.bank, nonce: 0, validUntil, signature: '' },
    })
    expect(await refusalOf(shop.submit([{ ...link, refunds: paid }]))).toBe('refund_not_transfer')
    const { entries } = await giveBack(shop, anna, 500n, paid)
    expect(await refusedBack(anna, shop, 500n, entries[0]?.entry ?? 0)).toBe('refund_of_refund')
    for (const refunds of [0, -1, 1.5, '7']) {
      const given = { ...shop.sign(anna.number, 1n), refunds } as never
      expect(await refusalOf(shop.submit([given]))).toBe('body_invalid')
    }
  })

  test('what a reservation paid is given back too', async () => {
    const { ground, people, shop, anna } = await open()
    const expiry = Math.floor(ground.state.now / 1_000) + 3_600
    const none = '00'.repeat(32)
    const terms = { currency: 1, amount: 400n, fee: 0, expiry, lockHash: none, arbiter: 0, signature: '' }
    await anna.submit([
      ground.signed(anna.owner, {
        ...{ kind: 'reserve', from: anna.number, to: shop.number, ...terms, nonce: 0, validUntil: expiry },
      }),
    ])
    const post = { kind: 'post' as const, reservation: 1, amount: 150n, remaining: 400n, last: 1, by: shop.number }
    const { entries } = await shop.submit([ground.signed(shop.owner, { ...post, preimage: none, signature: '' })])
    const posted = entries[0]?.entry ?? 0
    expect(await refusedBack(shop, anna, 151n, posted)).toBe('refund_exceeds')
    expect(await refusedBack(shop, anna, 1n, posted - 1)).toBe('refund_unknown')
    await giveBack(shop, anna, 150n, posted)
    expect(await people.balance(anna.number)).toBe(10_000n)
  })

  test('what a standing order paid is given back too, and what laid it down is no payment', async () => {
    const { ground, people, shop, anna } = await open()
    const first = Math.floor(ground.state.now / 1_000) + 60
    const validUntil = first + 3_600
    const { entries } = await anna.submit([
      ground.signed(anna.owner, {
        ...{ kind: 'instruct', account: anna.number, to: shop.number, currency: 1, amount: 250n, first },
        ...{ unit: 3, every: 1, times: 0, nonce: 0, validUntil, signature: '' },
      }),
    ])
    ground.state.now += 120_000
    const due = {
      kind: 'instalment' as const,
      instruction: 1,
      index: 0,
      from: anna.number,
      to: shop.number,
      currency: 1,
    }
    const [written] = allOf((await ground.execute([[{ entry: { ...due, amount: 250n }, signer: undefined }]])).outcomes)
    expect(await refusedBack(shop, anna, 1n, entries[0]?.entry ?? 0)).toBe('refund_unknown')
    expect(await refusedBack(shop, anna, 251n, written?.number ?? 0)).toBe('refund_exceeds')
    await giveBack(shop, anna, 250n, written?.number ?? 0)
    expect(await people.balance(anna.number)).toBe(10_000n)
  })

  test('a refund is bounded by what was paid and not by the limits of the day; KYC, freezes and the payee’s limits hold', async () => {
    const { ground, people, anna, ben } = await open()
    const small = await people.person('small', 0n, { level: 1 })
    await ground.mint(small.number, 30_000n)
    const paid: number[] = []
    for (let at = 0; at < 3; at += 1) paid.push(await anna.pay(small.number, 3_000n))
    // Level 1 pays 10,000 at once and 20,000 a day.
    await small.pay(ben.number, 10_000n)
    await small.pay(ben.number, 10_000n)
    expect(await refusedBack(small, anna, 3_000n, 999_999)).toBe('refund_unknown')
    expect(await refusalOf(small.pay(anna.number, 1n))).toBe('limit_per_day')
    small.forget()
    await giveBack(small, anna, 3_000n, paid[0] ?? 0)
    expect(await ground.account(small.number)).toMatchObject({ spent: 20_000n })
    ground.state.now += 86_400_000
    await giveBack(small, anna, 3_000n, paid[1] ?? 0)
    expect(await refusalOf(small.pay(ben.number, 10_000n))).toBeUndefined()
    const freeze = (number: number, holds: number) =>
      ground.store.transaction(tx => tx.query('UPDATE cbdc_accounts SET holds = ? WHERE number = ?', [holds, number]))
    await freeze(small.number, 1)
    expect(await refusedBack(small, anna, 100n, paid[2] ?? 0)).toBe('account_frozen')
    await freeze(small.number, 0)
    await freeze(anna.number, 1)
    expect(await refusedBack(small, anna, 100n, paid[2] ?? 0)).toBe('payee_cannot_receive')
    await freeze(anna.number, 0)
    const { kyc } = await ground.account(small.number)
    ground.state.revoked.add(`${kyc?.issuer}/${kyc?.list}/${kyc?.index}`)
    expect(await refusedBack(small, anna, 100n, paid[2] ?? 0)).toBe('kyc_not_in_force')
    ground.state.revoked.clear()
    // What comes back beyond what its payee may hold goes to their bank, or not at all.
    await ground.store.transaction(tx => tx.query('UPDATE cbdc_accounts SET level = 1 WHERE number = ?', [anna.number]))
    await ground.mint(anna.number, 48_900n)
    expect(await refusedBack(small, anna, 3_000n, paid[2] ?? 0)).toBe('payee_cannot_receive')
    const { nonce } = await ground.account(anna.number)
    const validUntil = Math.floor(ground.state.now / 1_000) + 3_600
    const link = { kind: 'link' as const, account: anna.number, linked: own.bank, nonce, validUntil, signature: '' }
    await anna.submit([ground.signed(anna.owner, link)])
    await giveBack(small, anna, 3_000n, paid[2] ?? 0)
    expect(await people.balance(anna.number)).toBe(50_000n)
    await expectFolded(ground.store)
  })

  test('the same refund gets the same answer and counts once; with another payment, or none before, it is refused', async () => {
    const { people, shop, anna } = await open()
    const paid = await anna.pay(shop.number, 1_000n)
    const other = await anna.pay(shop.number, 1_000n)
    const record = refund(shop, anna, 700n, paid)
    const answer = await shop.submit([record])
    expect(await shop.submit([record], {}, 'again')).toEqual(answer)
    const { refunds: _, ...without } = record
    expect(await shop.submit([without], {}, 'without')).toEqual(answer)
    expect(await refusalOf(shop.submit([{ ...record, refunds: other }]))).toBe('transfer_id_taken')
    const plain = shop.sign(anna.number, 100n)
    await shop.submit([plain])
    expect(await refusalOf(shop.submit([{ ...plain, refunds: other }]))).toBe('transfer_id_taken')
    await giveBack(shop, anna, 300n, paid)
    expect(await people.balance(anna.number)).toBe(9_100n)
    // Twice at once, under two keys: one entry, and it counts once.
    const twice = refund(shop, anna, 600n, other)
    const [one, two] = await Promise.all([shop.submit([twice], {}, 'one'), shop.submit([twice], {}, 'two')])
    expect(one).toEqual(two)
    expect(await refusedBack(shop, anna, 401n, other)).toBe('refund_exceeds')
    await giveBack(shop, anna, 400n, other)
  })

  test('many refunds of one payment at once come to no more than it', async () => {
    const { ground, people, shop, anna } = await open()
    const paid = await anna.pay(shop.number, 1_000n)
    // Of each nonce one: what is refused leaves the next in turn to another.
    for (let round = 0; round < 3; round += 1) {
      const { nonce } = await ground.account(shop.number)
      const records = Array.from({ length: 6 }, (_, at) =>
        ground.signed(
          shop.owner,
          ground.transfer(shop.number, anna.number, 170n, { nonce: nonce + Math.min(at, 2 + round) }),
        ),
      )
      await Promise.all(records.map(record => refusalOf(shop.submit([{ ...record, refunds: paid }]))))
    }
    const [sum] = await ground.store.read<{ refunded: string }>(
      'SELECT cast(sum(amount) AS TEXT) AS refunded FROM cbdc_refunds WHERE entry = ?',
      [paid],
    )
    expect(sum?.refunded).toBe('850')
    expect(await people.balance(anna.number)).toBe(9_850n)
  })

  test('nobody learns by a chain that must fail whether a payee could receive', async () => {
    const { ground, people, shop, anna, ben } = await open()
    const small = await people.person('small', 30_000n, { level: 1 })
    const paid = await anna.pay(shop.number, 1_000n)
    const said: (string | undefined)[][] = []
    for (const holds of [0, 1]) {
      const set = 'UPDATE cbdc_accounts SET holds = ? WHERE number = ?'
      await ground.store.transaction(tx => tx.query(set, [holds, anna.number]))
      const back = [refund(shop, anna, 1_000n, paid), refund(shop, anna, 1n, paid)]
      const overDay = [small.sign(anna.number, 10_000n), small.sign(ben.number, 10_000n), small.sign(ben.number, 1n)]
      said.push([await refusalOf(shop.submit(back)), await refusalOf(small.submit(overDay))])
      shop.forget(2)
      small.forget(3)
    }
    expect(said).toEqual([
      ['refund_exceeds', 'limit_per_day'],
      ['refund_exceeds', 'limit_per_day'],
    ])
    // Nothing of it stays behind.
    await ground.store.transaction(tx => tx.query('UPDATE cbdc_accounts SET holds = 0', []))
    await giveBack(shop, anna, 1_000n, paid)
    await small.pay(anna.number, 10_000n)
    expect(await people.balance(anna.number)).toBe(20_000n)
  })

  test('the rules judge a refund as they do any payment', async () => {
    const seen: bigint[] = []
    const rules: MonitoringRules = {
      keys: () => [],
      judge: (_rows, { amount }) => {
        seen.push(amount)
        return [{ id: 'over-500', version: 1, outcome: amount > 500n && amount < 1_000n ? 'refused' : 'passed' }]
      },
      advance: () => new Map(),
    }
    const { shop, anna } = await opened(await fresh({ rules }))
    const paid = await anna.pay(shop.number, 1_000n)
    expect(await refusedBack(shop, anna, 600n, paid)).toBe('payment_stopped')
    await giveBack(shop, anna, 500n, paid)
    expect(seen).toEqual([1_000n, 600n, 500n])
  })

  test('a bank hands in refunds of the merchants it serves; of its chains each is judged by itself', async () => {
    const { ground, people, anna, ben } = await open()
    const shop = await people.person('merchant', 5_000n, { class: 'merchant' })
    const paid = await anna.pay(shop.number, 1_000n)
    const poor = await people.person('poor')
    const gift = await anna.pay(poor.number, 50n)
    await poor.pay(ben.number, 50n)
    const { chains } = await people.asBank([
      [refund(shop, anna, 600n, paid)],
      // The second link has no funds: the first of it, undone with it, does not count against what follows.
      [refund(shop, anna, 400n, paid), refund(poor, anna, 50n, gift)],
    ])
    expect(chains.map(chain => chain.map(({ outcome, code }) => code ?? outcome))).toEqual([
      ['entered'],
      ['chain_broken', 'funds_insufficient'],
    ])
    shop.forget()
    const next = await people.asBank([[refund(shop, anna, 400n, paid)], [refund(shop, anna, 1n, paid)]])
    expect(next.chains.map(chain => chain.map(({ outcome, code }) => code ?? outcome))).toEqual([
      ['entered'],
      ['refund_exceeds'],
    ])
    const rows = await ground.store.read<{ refund: number }>('SELECT refund FROM cbdc_refunds ORDER BY refund')
    expect(rows.map(({ refund: number }) => number)).toEqual([chains[0]?.[0]?.entry, next.chains[0]?.[0]?.entry])
    expect(await refusalOf(people.asBank([[refund(shop, anna, 1n, paid)]], `${bankDid}2`))).toBe('participant_unknown')
  })

  test('of a split each leg is given back by whoever got it', async () => {
    const { shop, anna, ben } = await open()
    const share = { account: ben.number, numerator: 1, denominator: 10 }
    const { id } = await shop.request({ amountMinor: '1000', shares: [share] })
    const { legs } = await anna.see(id)
    const records = legs.map(({ account, amountMinor }) => anna.sign(account, BigInt(amountMinor)))
    const { entries } = await anna.submit(records, { settles: id })
    const [toBen = 0, toShop = 0] = entries.map(({ entry }) => entry)
    expect(await refusedBack(shop, anna, 1_000n, toShop)).toBe('refund_exceeds')
    expect(await refusedBack(shop, anna, 100n, toBen)).toBe('refund_unknown')
    await giveBack(shop, anna, 900n, toShop)
    await giveBack(ben, anna, 100n, toBen)
    expect(await shop.see(id)).toMatchObject({ state: 'paid' })
  })

  test('the database itself refuses to change which payment was given back', async () => {
    const { ground, shop, anna } = await open()
    const paid = await anna.pay(shop.number, 1_000n)
    await giveBack(shop, anna, 1n, paid)
    for (const sql of ['UPDATE cbdc_refunds SET amount = 2', 'DELETE FROM cbdc_refunds']) {
      await expect(ground.store.transaction(tx => tx.query(sql))).rejects.toThrow('never changed')
    }
  })
})

describe('on one PostgreSQL', () => {
  afterAll(stopPostgres)

  test('two processes give back no more than was paid', async () => {
    const where = { databaseUrl: await withPostgres(), schema: 'l_refunds' }
    const [one, two] = [await openGround(where), await openGround(where)]
    try {
      await one.found()
      const { people, shop, anna } = await opened(one)
      const paid = await anna.pay(shop.number, 1_000n)
      const elsewhere = openPeople(two)
      const other = elsewhere.acting('shop', shop.owner, shop.number)
      for (let round = 0; round < 6; round += 1) {
        const { nonce } = await one.account(shop.number)
        const both = [shop, other].map(by => ({ ...by.sign(anna.number, 300n, { nonce }), refunds: paid }))
        const [mine, theirs] = both as [(typeof both)[0], (typeof both)[0]]
        await Promise.all([refusalOf(shop.submit([mine])), refusalOf(other.submit([theirs]))])
      }
      expect(await people.balance(anna.number)).toBe(9_900n)
      await expectFolded(one.store)
    } finally {
      await one.close()
      await two.close()
    }
  }, 60_000)
})
