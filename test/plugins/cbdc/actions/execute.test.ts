import { openTypedSignatures } from '../../../../src/chain/typed-signatures.ts'
import { type Entry, type EntryOf, encodeEntry, type SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { openStructs } from '../../../../src/kernel/ledger-typed-data.ts'
import type { BookItem } from '../../../../src/plugins/cbdc/actions/book.ts'
import type { ItemOutcome } from '../../../../src/plugins/cbdc/actions/enter.ts'
import { allOf } from '../../../../src/plugins/cbdc/actions/execute.ts'
import { readAccounts, updateAccounts } from '../../../../src/plugins/cbdc/actions/rows.ts'
import { expectFolded } from '../folded.ts'
import { domain, type Ground, onBothLedgers, orderId, own, p256Owner, policy, secp256k1Owner } from '../ground.ts'

const most = 2n ** 63n - 1n
const unlimited = {
  ...policy,
  tiers: [1, 2, 3].map(level => ({ level, perPaymentMinor: null, perDayMinor: null, holdingMinor: null })),
}
const codeOf = (outcome: ItemOutcome | undefined): string =>
  outcome === undefined || !('refusal' in outcome) ? 'entered' : outcome.refusal.code
const settled = async (work: Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(work)).map(each => (each.status === 'fulfilled' ? 'entered' : each.reason.code))
const count = (codes: readonly string[], code: string): number => codes.filter(each => each === code).length
const byOrder = async (ground: Ground, entry: Entry) =>
  allOf((await ground.execute([[{ entry, signer: undefined }]])).outcomes)
const freeze = (ground: Ground, account: number, amount = 0n) =>
  byOrder(ground, { kind: 'freeze', account, amount, order: orderId })

const reservation = (
  ground: Ground,
  from: number,
  to: number,
  over: Partial<EntryOf<'reserve'>> = {},
): SignedEntry => ({
  ...{ kind: 'reserve', from, to, currency: 1, amount: 100n, fee: 0, nonce: 0, arbiter: 0 },
  ...{ lockHash: '00'.repeat(32), signature: '', expiry: Math.floor(ground.state.now / 1_000) + 60 },
  ...{ validUntil: Math.floor(ground.state.now / 1_000) + 3_600, ...over },
})
const posting = (by: number, over: Partial<EntryOf<'post'>> = {}): SignedEntry => ({
  ...{ kind: 'post', reservation: 1, amount: 100n, remaining: 100n, last: 1, by, preimage: '00'.repeat(32) },
  ...{ signature: '', ...over },
})

onBothLedgers(({ fresh }) => {
  test('a hundred spend at once what is there once, and no account falls below zero', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 1_000n)
    const payees = await Promise.all(Array.from({ length: 5 }, () => ground.customer()))
    /** All at once, in the order of their nonces. */
    const payAll = async (nonces: readonly number[], amount: bigint): Promise<string[]> => {
      const to = (nonce: number): number => payees[nonce % 5]?.number ?? 0
      const items = await ground.desk.attest(
        nonces.map(nonce => ground.signed(payer.owner, ground.transfer(payer.number, to(nonce), amount, { nonce }))),
      )
      const orders = await Promise.all(items.map(item => ground.execute([[item]])))
      return orders.map(({ outcomes }) => codeOf(outcomes[0]?.[0]))
    }
    const inTurn = await payAll([...Array(100).keys()], 30n)
    expect([count(inTurn, 'entered'), count(inTurn, 'funds_insufficient')]).toEqual([33, 1])
    const same = await payAll(Array(100).fill(33), 10n)
    expect([count(same, 'entered'), count(same, 'nonce_mismatch')]).toEqual([1, 99])
    expect(await ground.account(payer.number)).toMatchObject({ debitsPosted: 1_000n, creditsPosted: 1_000n, nonce: 34 })
    await expectFolded(ground.store)
  })

  test('one id at once with the same fields is one entry with one answer, signed again or not', async () => {
    const ground = await fresh()
    const payer = await ground.customer(p256Owner(), {}, 1_000n)
    const payee = await ground.customer()
    const id = ground.newId()
    const entry = ground.transfer(payer.number, payee.number, 70n)
    const records = Array.from({ length: 8 }, () => ground.signed(payer.owner, entry, id))
    expect(new Set(records.map(({ record }) => record)).size).toBeGreaterThan(1)
    const answers = await Promise.all(records.map(record => ground.submit(record)))
    const [first] = answers.flat()
    const { number, at, debitBalance } = first ?? { number: 0, at: 0, debitBalance: 0n }
    expect(answers).toMatchObject(answers.map(() => [{ id, number, at, debitBalance, raw: first?.raw }]))
    expect((await ground.account(payer.number)).debitsPosted).toBe(70n)
    const [forged] = await ground.desk.attest([ground.signed(secp256k1Owner(), entry, id)])
    const { outcomes } = await ground.execute([[forged as BookItem]])
    expect(codeOf(outcomes[0]?.[0])).toBe('transfer_id_taken')
  })

  test('one id at once with other fields is one entry, and the other is told that the id is taken', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 1_000n)
    const payee = await ground.customer()
    const id = ground.newId()
    const pay = (amount: bigint) =>
      ground.submit(ground.signed(payer.owner, ground.transfer(payer.number, payee.number, amount), id))
    expect((await settled([pay(70n), pay(71n)])).sort()).toEqual(['entered', 'transfer_id_taken'])
    await expectFolded(ground.store)
  })

  test.each([
    ['of another time', '01800000-0000-7000-8000-000000000000'],
    ['that is no UUIDv7', '0199c0de-0000-4000-8000-000000000000'],
  ])('an id %s is not taken', async (_, id) => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 1_000n)
    const record = ground.signed(payer.owner, ground.transfer(payer.number, own.bank, 5n), id)
    await expect(ground.submit(record)).rejects.toMatchObject({ code: 'transfer_id_not_current' })
  })

  test('a chain with one bad link does nothing, names that link, and leaves the chains beside it be', async () => {
    const ground = await fresh()
    const [one, two] = [await ground.customer(undefined, {}, 100n), await ground.customer(undefined, {}, 100n)]
    const items = await ground.desk.attest([
      ground.signed(one.owner, ground.transfer(one.number, two.number, 60n)),
      ground.signed(one.owner, ground.transfer(one.number, two.number, 60n, { nonce: 1 })),
      ground.signed(two.owner, ground.transfer(two.number, one.number, 1n)),
      ground.signed(two.owner, ground.transfer(two.number, one.number, 7n)),
    ])
    const { outcomes } = await ground.execute([items.slice(0, 3), items.slice(3)])
    expect(outcomes.map(chain => chain.map(codeOf))).toEqual([
      ['chain_broken', 'funds_insufficient', 'chain_broken'],
      ['entered'],
    ])
    expect(await ground.account(one.number)).toMatchObject({ debitsPosted: 0n, creditsPosted: 107n, nonce: 0 })
    await expectFolded(ground.store)
  })

  test('what was signed wrongly, or for another ledger, moves nothing', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 1_000n)
    const stranger = await ground.customer()
    const closed = await ground.customer()
    await byOrder(ground, { kind: 'close', account: closed.number, order: orderId })
    const entry = ground.transfer(payer.number, stranger.number, 5n)
    const elsewhere = async (other: Partial<typeof domain>) => {
      const signatures = await openTypedSignatures({ ...domain, ...other })
      const signature = payer.owner.sign(signatures.digest(openStructs(signatures.keccak)(entry)))
      await signatures.close()
      return { id: ground.newId(), record: encodeEntry({ ...entry, signature } as SignedEntry).toString('base64url') }
    }
    const now = Math.floor(ground.state.now / 1_000)
    const by = (over: Partial<EntryOf<'transfer'>>) => ground.signed(payer.owner, { ...entry, ...over } as SignedEntry)
    const cases: [string, { id: string; record: string }][] = [
      ['signature_invalid', await elsewhere({ chainId: 1 })],
      ['signature_invalid', await elsewhere({ verifyingContract: `0x${'78'.repeat(20)}` })],
      ['signature_invalid', ground.signed(stranger.owner, entry)],
      ['nonce_mismatch', by({ nonce: 1 })],
      ['transfer_expired', by({ validUntil: now })],
      ['amount_not_positive', by({ amount: 0n })],
      ['amount_too_large', by({ amount: most + 1n })],
      ['amount_too_large', by({ amount: 2n ** 64n - 1n })],
      ['account_same', by({ to: payer.number })],
      ['currency_mismatch', by({ currency: 2 })],
      ['funds_insufficient', by({ amount: most })],
      ['funds_insufficient', by({ amount: 999n, fee: 2 })],
      ['account_unknown', by({ from: 4_000_000_000 })],
      ['account_closed', ground.signed(closed.owner, ground.transfer(closed.number, payer.number, 5n))],
    ]
    for (const [code, record] of cases) await expect(ground.submit(record)).rejects.toMatchObject({ code })
    expect(await ground.account(payer.number)).toMatchObject({ debitsPosted: 0n, nonce: 0 })
  })

  test('the owner of an issuance account makes no money by signing', async () => {
    const ground = await fresh()
    const record = ground.signed(ground.operator, ground.transfer(own.issuance, own.bank, 5n))
    await expect(ground.submit(record)).rejects.toMatchObject({ code: 'funds_insufficient' })
  })

  test('a reservation that has expired is posted no more, and goes back', async () => {
    const ground = await fresh()
    const [payer, payee] = [await ground.customer(undefined, {}, 100n), await ground.customer()]
    await ground.submit(ground.signed(payer.owner, reservation(ground, payer.number, payee.number)))
    expect(await ground.account(payer.number)).toMatchObject({ debitsPending: 100n })
    const early = ground.execute([[{ entry: { kind: 'expire', reservation: 1 }, signer: undefined }]])
    expect(codeOf((await early).outcomes[0]?.[0])).toBe('reservation_pending')
    ground.state.now += 60_000
    await expect(ground.submit(ground.signed(payee.owner, posting(payee.number)))).rejects.toMatchObject({
      code: 'reservation_expired',
    })
    await byOrder(ground, { kind: 'expire', reservation: 1 })
    expect(await ground.account(payer.number)).toMatchObject({ debitsPending: 0n, debitsPosted: 0n })
    await expect(ground.submit(ground.signed(payee.owner, posting(payee.number)))).rejects.toMatchObject({
      code: 'reservation_unknown',
    })
    await expectFolded(ground.store)
  })

  test('a reservation granted and posted in one batch sweeps what is beyond the payee’s limit', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, { level: 3 }, 10n ** 7n)
    const payee = await ground.customer(undefined, { level: 1 }, 49_950n)
    await ground.submit(
      ground.signed(payee.owner, {
        ...{ kind: 'link', account: payee.number, linked: own.bank, nonce: 0, signature: '' },
        validUntil: Math.floor(ground.state.now / 1_000) + 60,
      }),
    )
    const both = [
      ground.signed(payer.owner, reservation(ground, payer.number, payee.number)),
      ground.signed(payee.owner, posting(payee.number)),
    ]
    await ground.submit(...both)
    expect(await ground.account(payee.number)).toMatchObject({
      creditsPosted: 50_050n,
      debitsPosted: 50n,
      held: 50_000n,
    })
    expect(await ground.account(own.bank)).toMatchObject({ creditsPosted: 50n })
    await expectFolded(ground.store)
  })

  test('an account is linked to a bank’s alone, so a holding limit is not passed on to another customer', async () => {
    const ground = await fresh()
    const friend = await ground.customer()
    const payee = await ground.customer(undefined, { level: 1 }, 50_000n)
    const link = (linked: number) =>
      ground.signed(payee.owner, {
        ...{ kind: 'link', account: payee.number, linked, nonce: 0, signature: '' },
        validUntil: Math.floor(ground.state.now / 1_000) + 60,
      })
    for (const linked of [friend.number, own.rail, own.issuance, own.treasury]) {
      await expect(ground.submit(link(linked))).rejects.toMatchObject({ code: 'payee_cannot_receive' })
    }
    await ground.submit(link(own.bank))
    expect(await ground.account(payee.number)).toMatchObject({ linked: own.bank })
  })

  test('a fee counts for the payer’s limits', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, { level: 1 }, 30_000n)
    const over = ground.transfer(payer.number, own.bank, 9_000n, { fee: 1_001 })
    await expect(ground.submit(ground.signed(payer.owner, over))).rejects.toMatchObject({ code: 'limit_per_payment' })
    await ground.submit(ground.signed(payer.owner, { ...over, fee: 1_000 } as never))
    expect(await ground.account(payer.number)).toMatchObject({ spent: 10_000n })
  })

  test('nobody finds out what a payee has room for by a chain that fails later', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 60_000n)
    const payee = await ground.customer(undefined, { level: 1 }, 40_000n)
    const codes = async (amount: bigint) => {
      const [first, second] = [
        ground.signed(payer.owner, ground.transfer(payer.number, payee.number, amount)),
        ground.signed(payer.owner, ground.transfer(payer.number, own.bank, 1n, { nonce: 9 })),
      ]
      const { outcomes } = await ground.execute([await ground.desk.attest([first, second])])
      return outcomes.flat().map(outcome => ('refusal' in outcome ? outcome.refusal.code : 'written'))
    }
    expect(await codes(10_001n)).toEqual(await codes(9_999n))
    expect(await codes(10_001n)).toEqual(['chain_broken', 'nonce_mismatch'])
  })

  test('nor by which link of a chain it is that a payee breaks, nor about an arbiter', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 60_000n)
    const payee = await ground.customer(undefined, { level: 1 }, 40_000n)
    const codes = async (first: SignedEntry, second: SignedEntry) => {
      const records = [first, second].map(entry => ground.signed(payer.owner, entry))
      const { outcomes } = await ground.execute([await ground.desk.attest(records)])
      return outcomes.flat().map(outcome => ('refusal' in outcome ? outcome.refusal.code : 'written'))
    }
    const second = (to: number, amount: bigint) => ground.transfer(payer.number, to, amount, { nonce: 1 })
    for (const amount of [10_001n, 9_999n]) {
      const told = await codes(ground.transfer(payer.number, payee.number, amount), second(9_999, 1n))
      expect(told).toEqual(['chain_broken', 'payee_cannot_receive'])
    }
    for (const arbiter of [own.bank, 9_999]) {
      const told = await codes(reservation(ground, payer.number, payee.number, { arbiter }), second(own.bank, 70_000n))
      expect(told).toEqual(['chain_broken', 'funds_insufficient'])
    }
  })

  test('what a shop holds and pays is not counted with its owner', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 200_000n)
    const person = await ground.customer(undefined, { level: 1 })
    const shop = await ground.customer(undefined, { class: 'merchant', lead: person.number })
    await ground.submit(ground.signed(payer.owner, ground.transfer(payer.number, shop.number, 60_000n)))
    await ground.submit(ground.signed(payer.owner, ground.transfer(payer.number, person.number, 1n, { nonce: 1 })))
    expect(await ground.account(person.number)).toMatchObject({ held: 1n, spent: 0n })
  })

  test('a reservation lasts no longer than policy grants, and an institution alone is its arbiter', async () => {
    const ground = await fresh()
    const [payer, payee, friend] = [
      await ground.customer(undefined, {}, 1_000n),
      await ground.customer(),
      await ground.customer(),
    ]
    const now = Math.floor(ground.state.now / 1_000)
    const reserve = (over: Record<string, number>) =>
      ground.signed(payer.owner, {
        ...{ kind: 'reserve', from: payer.number, to: payee.number, currency: 1, amount: 10n, fee: 0, arbiter: 0 },
        ...{ lockHash: '00'.repeat(32), expiry: now + 3_600, nonce: 0, validUntil: now + 60, signature: '', ...over },
      })
    const beyond = reserve({ expiry: now + 30 * 86_400 + 60 })
    await expect(ground.submit(beyond)).rejects.toMatchObject({ code: 'reservation_expiry' })
    for (const arbiter of [friend.number, own.bank]) {
      await expect(ground.submit(reserve({ arbiter }))).rejects.toMatchObject({ code: 'payee_cannot_receive' })
    }
    const judge = await ground.openOne(friend.owner.key, { class: 'arbiter' })
    await ground.submit(reserve({ arbiter: judge }))
    expect(await ground.account(payee.number)).toMatchObject({ creditsPending: 10n })
  })

  test('a clock set back does not set the batches back', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 100n)
    const pay = (nonce: number) =>
      ground.submit(ground.signed(payer.owner, ground.transfer(payer.number, own.bank, 1n, { nonce })))
    const [first] = await pay(0)
    ground.state.now -= 600_000
    const [second] = await pay(1)
    expect(second?.at).toBe((first?.at ?? 0) + 1)
    ground.state.now += 7_200_000
    const [third] = await pay(2)
    expect(third?.at).toBe(ground.state.now)
    await expectFolded(ground.store)
  })

  test('nobody learns about a payee by trying, whatever is the matter with them', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, { level: 1 }, 20_000n)
    const [closed, frozen, revoked, full, good] = [
      await ground.customer(),
      await ground.customer(),
      await ground.customer(),
      await ground.customer(undefined, { level: 1 }, 50_000n),
      await ground.customer(),
    ]
    await byOrder(ground, { kind: 'close', account: closed.number, order: orderId })
    await freeze(ground, frozen.number)
    ground.state.revoked.add(`0xb1/1/${revoked.kyc.index}`)
    const foreign = await ground.openOne(payer.owner.key, {}, 0, 9)
    const bad = [
      4_000_000_000,
      closed.number,
      frozen.number,
      revoked.number,
      full.number,
      foreign,
      own.rail,
      own.issuance,
    ]
    const told = async (entry: SignedEntry): Promise<string> => {
      const [item] = await ground.desk.attest([ground.signed(payer.owner, entry)])
      const outcome = (await ground.execute([[item as BookItem]])).outcomes[0]?.[0]
      return outcome !== undefined && 'refusal' in outcome
        ? `${outcome.refusal.kind} ${outcome.refusal.code} ${outcome.refusal.message}`
        : 'entered'
    }
    const all = async (entry: (to: number) => SignedEntry, payees = bad) => {
      const answers = new Set<string>()
      for (const payee of payees) answers.add(await told(entry(payee)))
      return [...answers].map(answer => answer.split(' ')[1] ?? answer)
    }
    expect(await all(to => ground.transfer(payer.number, to, 5n))).toEqual(['payee_cannot_receive'])
    const beyond = await all(to => ground.transfer(payer.number, to, 10_001n), [...bad, good.number])
    expect(beyond).toEqual(['limit_per_payment'])
    const unsigned = await all(to => ground.transfer(payer.number, to, 5n, { nonce: 7 }), [...bad, good.number])
    expect(unsigned).toEqual(['nonce_mismatch'])
    // As arbiter of a reservation an account is told about as little.
    const arbiters = [4_000_000_000, closed.number]
    expect(await all(arbiter => reservation(ground, payer.number, good.number, { arbiter }), arbiters)).toEqual([
      'payee_cannot_receive',
    ])
    expect(await ground.account(payer.number)).toMatchObject({ debitsPosted: 0n, debitsPending: 0n, nonce: 0 })
  })

  test('what rules would say of a payment is not said where the payee cannot receive it', async () => {
    const stop = [{ id: 'all', version: 1, outcome: 'refused' as const }]
    const ground = await fresh({ rules: { keys: () => [], judge: () => stop, advance: () => new Map() } })
    const payer = await ground.customer(undefined, {}, 100n)
    const [closed, good] = [await ground.customer(), await ground.customer()]
    await byOrder(ground, { kind: 'close', account: closed.number, order: orderId })
    const pay = (to: number) => ground.submit(ground.signed(payer.owner, ground.transfer(payer.number, to, 5n)))
    expect(await settled([pay(closed.number), pay(4_000_000_000), pay(good.number)])).toEqual([
      ...['payee_cannot_receive', 'payee_cannot_receive', 'payment_stopped'],
    ])
  })

  test.each([2n ** 53n + 1n, most])('an amount of %d goes through every column as it is', async amount => {
    const ground = await fresh({ policy: unlimited })
    const [one, two] = [await ground.customer(undefined, {}, amount), await ground.customer()]
    await ground.submit(ground.signed(one.owner, reservation(ground, one.number, two.number, { amount })))
    expect(await ground.account(one.number)).toMatchObject({ debitsPending: amount, held: amount, spent: amount })
    expect(await ground.account(two.number)).toMatchObject({ creditsPending: amount })
    await ground.submit(ground.signed(two.owner, posting(two.number, { amount, remaining: amount })))
    expect(await ground.account(two.number)).toMatchObject({ creditsPosted: amount, held: amount })
    await freeze(ground, two.number, amount)
    expect((await ground.account(two.number)).frozen).toBe(amount)
    const { entries } = await expectFolded(ground.store)
    expect(entries.some(entry => entry.credit_balance === String(amount))).toBe(true)
    expect(entries.some(entry => entry.debit_balance === String(-amount))).toBe(true)
  })

  test('sums above 2^63 − 1 are refused by name, and no column takes 2^63', async () => {
    const ground = await fresh({ policy: unlimited })
    const [one, two] = [await ground.customer(undefined, {}, most), await ground.customer()]
    const outcome = async (entry: Entry) =>
      codeOf((await ground.execute([[{ entry, signer: undefined }]])).outcomes[0]?.[0])
    const mint: Entry = { kind: 'mint', from: own.issuance, to: two.number, currency: 1, amount: 1n, order: orderId }
    expect(await outcome(mint)).toBe('sum_too_large')
    await freeze(ground, two.number, most)
    expect(await outcome({ kind: 'freeze', account: two.number, amount: 1n, order: orderId })).toBe('sum_too_large')
    // The same money twice a day: what was spent is counted as far as the column goes.
    await ground.submit(ground.signed(one.owner, ground.transfer(one.number, own.bank, most)))
    await ground.submit(ground.signed(ground.operator, ground.transfer(own.bank, own.treasury, most)))
    await expectFolded(ground.store)
    const account = await ground.account(one.number)
    const columns = [
      'debitsPending',
      'debitsPosted',
      'creditsPending',
      'creditsPosted',
      'frozen',
      'spent',
      'held',
    ] as const
    for (const column of columns) {
      const beyond = [{ ...account, [column]: most + 1n }]
      await expect(
        ground.store.transaction(tx => updateAccounts(tx, ground.store.dialect, beyond, beyond)),
      ).rejects.toThrow()
    }
    expect(await readAccounts(ground.store.read, ground.store.dialect, [one.number])).toEqual([account])
  })
})
