import { anonymous } from '../../../../src/kernel/gate.ts'
import type { SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import type { Tx } from '../../../../src/kernel/ports.ts'
import { openDesk } from '../../../../src/plugins/cbdc/actions/desk.ts'
import { allOf } from '../../../../src/plugins/cbdc/actions/execute.ts'
import { payInstalments } from '../../../../src/plugins/cbdc/actions/instructions/pay.ts'
import type { MonitoringRules } from '../../../../src/plugins/cbdc/ledger/monitoring.ts'
import { noRules, onBothLedgers, openGround, own } from '../ground.ts'
import { dayMs, noFence, refusalOf } from '../orders/office.ts'
import { expectSound, openPayers, second } from './payers.ts'

const hourMs = 3_600_000

onBothLedgers(({ fresh, place }) => {
  const open = async (settings?: Parameters<typeof fresh>[0]) => openPayers(await fresh(settings))

  test('what was signed once is paid when it is due, month by month, and each has an id for a receipt', async () => {
    const { ground, person, pass, paid } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    await anna.instruct(ben.number)
    await pass(59_000)
    expect(await paid()).toEqual([])
    await pass(1_000)
    await pass(hourMs)
    expect(await paid()).toEqual([0])
    await pass(29 * dayMs)
    expect(await paid()).toEqual([0])
    await pass(dayMs)
    expect(await paid()).toEqual([0, 1])
    expect([await anna.balance(), await ben.balance()]).toEqual([400n, 600n])
    expect(await anna.list()).toMatchObject([
      { instruction: 1, to: ben.number, amountMinor: '300', unit: 'month', every: 1, times: 0, state: 'standing' },
    ])
    expect(await anna.list()).toMatchObject([{ paid: 2, missed: 0, nextDue: '2026-08-01T12:01:00.000Z' }])
    const { items } = await ben.read('listEntries', { account: ben.number })
    const [newest] = items as { id: string; kind: string; counterparty: number }[]
    expect(newest).toMatchObject({ kind: 'instalment', counterparty: anna.number })
    expect(await ben.read('getTransfer', { transfer: newest?.id ?? '' })).toMatchObject({ amountMinor: '300' })
    await expectSound(ground)
  })

  test('an order for one day is paid once, one for thrice three times, and then they are completed', async () => {
    const { person, pass } = await open()
    const [anna, ben] = [await person('anna', 5_000n), await person('ben')]
    await anna.instruct(ben.number, { unit: 0, times: 1 })
    await anna.instruct(ben.number, { unit: 2, every: 2, times: 3, amount: 10n })
    for (let week = 0; week < 9; week += 1) await pass(7 * dayMs)
    expect(await anna.list()).toMatchObject([
      { instruction: 2, state: 'completed', paid: 3, nextDue: null },
      { instruction: 1, state: 'completed', paid: 1, nextDue: null },
    ])
    expect(await anna.balance()).toBe(4_670n)
  })

  test('without funds it waits by the hour, and is paid when they are there', async () => {
    const { ground, person, pass, paid } = await open()
    const [anna, ben] = [await person('anna', 299n), await person('ben')]
    await anna.instruct(ben.number)
    await pass(60_000)
    const waiting = { why: 'funds_insufficient', triedAt: '2026-06-01T13:01:00.000Z' }
    expect(await anna.list()).toMatchObject([{ paid: 0, missed: 0, waiting, nextDue: '2026-06-01T12:01:00.000Z' }])
    await ground.mint(anna.number, 1n)
    await pass(hourMs - 1_000)
    expect(await paid()).toEqual([])
    await pass(1_000)
    expect(await paid()).toEqual([0])
    const [row] = await anna.list()
    expect(row).not.toHaveProperty('waiting')
    expect(row).not.toHaveProperty('lastMissed')
    await expectSound(ground)
  })

  test('when a day has passed it is missed, with its reason, and the next one is paid in its turn', async () => {
    const { ground, person, pass, paid } = await open()
    const [anna, ben] = [await person('anna', 0n), await person('ben')]
    await anna.instruct(ben.number, { times: 2 })
    for (let hour = 0; hour < 25; hour += 1) await pass(hourMs)
    const lastMissed = { due: '2026-06-01T12:01:00.000Z', why: 'funds_insufficient' }
    expect(await anna.list()).toMatchObject([
      { paid: 0, missed: 1, lastMissed, nextDue: '2026-07-01T12:01:00.000Z', state: 'standing' },
    ])
    await ground.mint(anna.number, 1_000n)
    await pass(5 * dayMs)
    expect(await paid()).toEqual([])
    await pass(25 * dayMs)
    expect(await paid()).toEqual([1])
    expect(await anna.list()).toMatchObject([{ paid: 1, missed: 1, lastMissed, state: 'completed' }])
    await expectSound(ground)
  })

  test('one whose last instalment was missed is completed, and is tried no more', async () => {
    const { ground, person, pass, paid } = await open()
    const [anna, ben] = [await person('anna', 0n), await person('ben')]
    await anna.instruct(ben.number, { unit: 0, times: 1 })
    for (let hour = 0; hour < 26; hour += 1) await pass(hourMs)
    expect(await anna.list()).toMatchObject([{ state: 'completed', paid: 0, missed: 1, nextDue: null }])
    await ground.mint(anna.number, 1_000n)
    await pass(3 * dayMs)
    expect(await paid()).toEqual([])
    await expectSound(ground)
  })

  test('a service that was down for days pays what became due meanwhile, each once', async () => {
    const { person, pass, paid } = await open()
    const [anna, ben] = [await person('anna', 700n), await person('ben')]
    await anna.instruct(ben.number, { unit: 1 })
    await pass(3 * dayMs + 120_000)
    // For the first two there was money; the third is past its time, and only the fourth may still wait.
    expect(await paid()).toEqual([0, 1])
    expect(await anna.list()).toMatchObject([{ paid: 2, missed: 1, waiting: { why: 'funds_insufficient' } }])
  })

  test('one that cannot be paid never keeps the others waiting', async () => {
    const { ground, person, pass, paid } = await open()
    const [anna, ben, poor, closed] = [
      ...[await person('anna', 1_000n), await person('ben'), await person('poor'), await person('cleo', 0n)],
    ] as const
    await poor.instruct(ben.number, { amount: 1n })
    await anna.instruct(closed.number, { amount: 2n })
    await anna.instruct(ben.number, { amount: 3n })
    await ground.execute([
      [{ entry: { kind: 'close', account: closed.number, order: '00'.repeat(16) }, signer: undefined }],
    ])
    await pass(60_000)
    expect(await paid()).toEqual([0])
    expect(await ben.balance()).toBe(3n)
    expect((await anna.list()).map(({ waiting }) => waiting)).toMatchObject([
      undefined,
      { why: 'payee_cannot_receive' },
    ] as never)
  })

  test('nor does one at which the ledger breaks, which is logged and waits', async () => {
    const broken: MonitoringRules = {
      ...noRules,
      judge(_rows, { amount }) {
        if (amount === 2n) throw new Error('a rule that divides by nothing')
        return []
      },
    }
    const { ground, person, paid } = await open({ rules: broken })
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    for (const amount of [1n, 2n, 3n]) await anna.instruct(ben.number, { amount })
    ground.state.now += 60_000
    await expect(payInstalments(ground.desk, noFence)).rejects.toThrow('instalments could not be tried')
    expect(await ben.balance()).toBe(4n)
    expect(await payInstalments(ground.desk, noFence)).toBe(0)
    expect((await anna.list())[1]).toMatchObject({ waiting: { why: 'defect', triedAt: '2026-06-01T13:01:00.000Z' } })
    expect(await paid()).toEqual([0, 0])
    await expectSound(ground)
  })

  test('two processes, and a round that begins again, pay each index once', async () => {
    const where = await place()
    const first = await openGround(where)
    await first.found()
    const anna = await first.customer(undefined, {}, 10_000n)
    const ben = await first.customer()
    const validUntil = second + 3_600
    const records = Array.from({ length: 8 }, (_, nonce) =>
      first.signed(anna.owner, {
        ...{ kind: 'instruct', account: anna.number, to: ben.number, currency: 1, amount: 10n, first: second + 60 },
        ...{ unit: 1, every: 1, times: 2, nonce, validUntil, signature: '' },
      }),
    )
    await first.submit(...records)
    const other = await openGround(where)
    for (const ground of [first, other]) ground.state.now += dayMs + 60_000
    // Whoever lost the lease in the middle leaves nothing half done.
    const lost = async () => {
      throw new Error('another has the lease')
    }
    await expect(payInstalments(first.desk, lost)).rejects.toThrow('another has the lease')
    expect(await first.account(ben.number)).toMatchObject({ creditsPosted: 0n })
    const both = [first, other].flatMap(({ desk }) => [payInstalments(desk, noFence), payInstalments(desk, noFence)])
    await Promise.all(both)
    await payInstalments(openDesk(other.needs), noFence)
    expect(await payInstalments(other.desk, noFence)).toBe(0)
    expect(await first.account(ben.number)).toMatchObject({ creditsPosted: 160n })
    await expectSound(first)
    await other.close()
    await first.close()
  })

  test('a clock that is set back pays nothing twice, and nothing too early', async () => {
    const { ground, person, pass, paid } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    await anna.instruct(ben.number, { unit: 1, amount: 10n })
    await pass(dayMs + 60_000)
    expect(await paid()).toEqual([0, 1])
    await pass(-dayMs)
    await pass(23 * hourMs)
    expect(await paid()).toEqual([0, 1])
    await pass(26 * hourMs)
    expect(await paid()).toEqual([0, 1, 2])
    await expectSound(ground)
  })

  test('an instalment is a payment: limits, attestation, holds and rules of the payer come before the payee', async () => {
    const stops: MonitoringRules = {
      ...noRules,
      judge: (_rows, { amount }) => (amount === 13n ? [{ id: 'unlucky', version: 1, outcome: 'refused' }] : []),
    }
    const { ground, person, pass } = await open({ rules: stops })
    const ben = await person('ben')
    type Person = Awaited<ReturnType<typeof person>>
    const nothing = async () => {}
    const why = async (amount: bigint, setup: (anna: Person) => Promise<void> = nothing) => {
      const anna = await person(`anna ${amount}`, 5_000_000n)
      await anna.instruct(ben.number, { amount, first: Math.floor(ground.state.now / 1_000) + 60 })
      await setup(anna)
      await pass(60_000)
      return (await anna.list())[0]?.['waiting']
    }
    const freeze =
      (amount: bigint) =>
      async ({ number: account }: Person) => {
        const entry = { kind: 'freeze' as const, account, amount, order: '00'.repeat(16) }
        await ground.execute([[{ entry, signer: undefined }]])
      }
    const spend = async ({ owner, number }: Person) => {
      const [one, two] = [1, 2].map(nonce => ground.transfer(number, ben.number, 1_000_000n, { nonce }))
      await ground.submit(ground.signed(owner, one as SignedEntry), ground.signed(owner, two as SignedEntry))
    }
    const revokeKyc = async ({ kyc }: Person) => void ground.state.revoked.add(`${kyc.issuer}/${kyc.list}/${kyc.index}`)
    expect(await why(1_000_001n)).toMatchObject({ why: 'limit_per_payment' })
    expect(await why(11n, spend)).toMatchObject({ why: 'limit_per_day' })
    expect(await why(12n, freeze(0n))).toMatchObject({ why: 'account_frozen' })
    expect(await why(14n, freeze(4_999_999n))).toMatchObject({ why: 'funds_insufficient' })
    expect(await why(13n)).toMatchObject({ why: 'payment_stopped' })
    expect(await why(15n)).toBeUndefined()
    // From here on the payee's attestation is not in force either, which is told last.
    await revokeKyc(ben)
    expect(await refusalOf(why(16n))).toBe('payee_cannot_receive')
    ground.state.revoked.clear()
    const both = async (anna: Person) => {
      await revokeKyc(ben)
      await revokeKyc(anna)
    }
    expect(await why(17n, both)).toMatchObject({ why: 'kyc_not_in_force' })
    ground.state.revoked.clear()
    expect(await why(18n, () => revokeKyc(ben))).toMatchObject({ why: 'payee_cannot_receive' })
    await expectSound(ground)
  })

  test('what a payee may not hold goes to their bank at once, and without one they cannot receive it', async () => {
    const { ground, person, pass, paid } = await open()
    const anna = await person('anna', 5_000_000n)
    const [rich, linked] = [await person('rich'), await person('linked')]
    const link = { kind: 'link' as const, account: linked.number, linked: own.bank, nonce: 0, signature: '' }
    await ground.submit(ground.signed(linked.owner, { ...link, validUntil: second + 3_600 }))
    await anna.instruct(rich.number, { amount: 100n })
    await anna.instruct(linked.number, { amount: 100n })
    await ground.mint(rich.number, 4_999_950n)
    await ground.mint(linked.number, 4_999_950n)
    await pass(60_000)
    expect(await paid()).toEqual([0])
    expect(await linked.balance()).toBe(5_000_000n)
    expect(await ground.account(own.bank)).toMatchObject({ creditsPosted: 50n })
    expect((await anna.list())[1]).toMatchObject({ waiting: { why: 'payee_cannot_receive' } })
    await expectSound(ground)
  })

  test('a closed account pays nothing any more, and nothing of it is tried again', async () => {
    const { ground, reading, person, pass, paid } = await open()
    const [anna, ben] = [await person('anna'), await person('ben')]
    await anna.instruct(ben.number)
    const closing = { kind: 'close' as const, account: anna.number, order: '00'.repeat(16) }
    await ground.execute([[{ entry: closing, signer: undefined }]])
    await pass(60_000)
    expect(await paid()).toEqual([])
    expect(await anna.list()).toMatchObject([{ state: 'closed', nextDue: null, missed: 0 }])
    expect(await payInstalments(ground.desk, noFence)).toBe(0)
    expect(await reading.asBank('listInstructions', { account: anna.number })).toMatchObject({
      items: [{ state: 'closed' }],
    })
    await expectSound(ground)
  })

  test('a batch without an instruction asks nothing about instructions', async () => {
    const { ground, person } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    await anna.instruct(ben.number)
    const asked: string[] = []
    const { store } = ground
    const listening = {
      ...store,
      transaction: <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
        store.transaction(tx => {
          const query: Tx['query'] = (sql, params) => {
            asked.push(sql)
            return tx.query(sql, params)
          }
          return work({ ...tx, query })
        }),
    }
    const desk = openDesk({ ...ground.needs, house: { ...ground.needs.house, store: listening } })
    const pay = async (entry: SignedEntry) => {
      const items = await desk.attest([ground.signed(anna.owner, entry)])
      const asks = { operation: 'trial', requires: { by: 'anyone' } as const, caller: anonymous, input: {} }
      await desk.ledger.execute({ ...asks, chains: [items], answer: (_held, outcomes) => allOf(outcomes).length })
    }
    await pay(ground.transfer(anna.number, ben.number, 1n, { nonce: 1 }))
    expect(asked.length).toBeGreaterThan(3)
    expect(asked.filter(sql => sql.includes('cbdc_instructions'))).toEqual([])
    const words = { account: anna.number, instruction: 1, nonce: 2, validUntil: second + 60, signature: '' }
    await pay({ kind: 'revoke', ...words })
    expect(asked.filter(sql => sql.includes('cbdc_instructions'))).toHaveLength(2)
  })

  test('what is not due costs the round one look, however many there are', async () => {
    const { ground, person } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    for (let made = 0; made < 3; made += 1) await anna.instruct(ben.number, { first: second + 9_999 })
    const plan = ground.store.dialect === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'
    const sql = 'SELECT number FROM cbdc_instructions WHERE next_due <= 5 ORDER BY next_due, number LIMIT 500'
    const steps = await ground.store.transaction(async tx => {
      if (ground.store.dialect === 'postgres') await tx.query('SET LOCAL enable_seqscan = off')
      return tx.query(`${plan} ${sql}`)
    })
    expect(JSON.stringify(steps)).toContain('cbdc_instructions_due')
    expect(await payInstalments(ground.desk, noFence)).toBe(0)
  })
})
