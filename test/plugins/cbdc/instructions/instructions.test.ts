import { digestOf } from '../../../../src/kernel/canonical.ts'
import type { Caller } from '../../../../src/kernel/gate.ts'
import { encodeEntry } from '../../../../src/kernel/ledger-entry.ts'
import type { Route } from '../../../../src/kernel/plugin.ts'
import type { Tx } from '../../../../src/kernel/ports.ts'
import { countStanding } from '../../../../src/plugins/cbdc/actions/instructions/rows.ts'
import { instructionsMost } from '../../../../src/plugins/cbdc/policy.ts'
import { routes } from '../../../../src/plugins/cbdc/routes.ts'
import { bankDid, onBothLedgers, own } from '../ground.ts'
import { customer, dayMs, refusalOf } from '../orders/office.ts'
import { expectSound, openPayers, second } from './payers.ts'

onBothLedgers(({ fresh }) => {
  const open = async (settings?: Parameters<typeof fresh>[0]) => openPayers(await fresh(settings))

  test('an instruction is refused where a transfer to the payee would be, in the same words', async () => {
    const { ground, person } = await open()
    const anna = await person('anna', 1_000n)
    const [ben, frozen, unknown] = [await person('ben'), await person('frozen'), await person('unknown')]
    const hold = { kind: 'freeze' as const, account: frozen.number, amount: 0n, order: '00'.repeat(16) }
    await ground.execute([[{ entry: hold, signer: undefined }]])
    ground.state.revoked.add(`${unknown.kyc.issuer}/${unknown.kyc.list}/${unknown.kyc.index}`)
    for (const to of [frozen.number, unknown.number, own.issuance, own.suspense, own.rail, 9_999]) {
      const transfer = ground.signed(anna.owner, ground.transfer(anna.number, to, 300n))
      expect(await refusalOf(ground.submit(transfer))).toBe('payee_cannot_receive')
      expect(await refusalOf(anna.instruct(to))).toBe('payee_cannot_receive')
    }
    expect(await anna.instruct(ben.number, { amount: 50n })).toBe(1)
    // In a chain too, what is wrong with a later link is told rather than anything about the payee of this one.
    const chained = (amount: bigint) => {
      const words = { to: frozen.number, currency: 1, amount: 300n, first: second + 60, unit: 3, every: 1, times: 0 }
      const instruct = { kind: 'instruct' as const, account: anna.number, ...words, nonce: 1, signature: '' }
      return ground.submit(
        ground.signed(anna.owner, { ...instruct, validUntil: second + 3_600 }),
        ground.signed(anna.owner, ground.transfer(anna.number, own.bank, amount, { nonce: 2 })),
      )
    }
    expect(await refusalOf(chained(1_001n))).toBe('funds_insufficient')
    expect(await refusalOf(chained(1n))).toBe('payee_cannot_receive')
    expect(await refusalOf(anna.instruct(ben.number, { first: second - 1 }))).toBe('instruction_schedule')
    await expectSound(ground)
  })

  test('nobody finds out by instructions what a payee holds, or ever received', async () => {
    const { ground, person } = await open()
    const [anna, rich] = [await person('anna'), await person('rich')]
    const other = await person('other', 1_234_567n)
    await ground.mint(rich.number, 4_999_950n)
    const most = 2n ** 63n - 1n
    for (const to of [rich.number, other.number]) {
      for (const amount of [50n, 51n, most - 1_234_567n, most - 1_234_566n, most]) {
        await anna.revoke(await anna.instruct(to, { amount }))
      }
    }
    await expectSound(ground)
  })

  test('a revoked one is paid no more; another’s cannot be revoked, nor be told from one that there is not', async () => {
    const { ground, person, pass, paid } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben', 1_000n)]
    const [rent, gift] = [await anna.instruct(ben.number), await ben.instruct(anna.number, { amount: 1n })]
    expect(await refusalOf(anna.revoke(gift))).toBe('instruction_unknown')
    expect(await refusalOf(anna.revoke(77))).toBe('instruction_unknown')
    await anna.revoke(rent)
    expect(await refusalOf(anna.revoke(rent))).toBe('instruction_unknown')
    await pass(60_000)
    expect(await paid()).toEqual([0])
    expect(await anna.list()).toMatchObject([{ state: 'revoked', nextDue: null, paid: 0 }])
    expect(await ben.list()).toMatchObject([{ state: 'standing', paid: 1 }])
    await expectSound(ground)
  })

  test('another key of the account leaves it standing, and the old one may not revoke it', async () => {
    const { ground, person, pass, paid } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    const rent = await anna.instruct(ben.number)
    const lostPhone = { kind: 'keyOrder' as const, account: anna.number, ...ben.owner.key, order: '00'.repeat(16) }
    await ground.execute([[{ entry: lostPhone, signer: undefined }]])
    await pass(60_000)
    expect(await paid()).toEqual([0])
    expect(await refusalOf(anna.revoke(rent))).toBe('signature_invalid')
    const words = { account: anna.number, instruction: rent, nonce: await anna.nonce(), validUntil: second + 3_600 }
    await ground.submit(ground.signed(ben.owner, { kind: 'revoke', ...words, signature: '' }))
    await pass(40 * dayMs)
    expect(await paid()).toEqual([0])
  })

  test('owners and their banks hand in what is instructed and revoked as they hand in payments', async () => {
    const { ground, person } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    const { submitRecords, submitBatch } = routes(ground.desk)
    const call = async (route: Route | undefined, caller: Caller, body: unknown) => {
      if (route === undefined || !('run' in route)) throw new Error('there is no such route')
      const headers = { 'idempotency-key': 'once' }
      return route.run({ caller, body, headers, params: {}, query: {}, publicUrl: 'https://central-bank.example' })
    }
    const words = { currency: 1, amount: 5n, first: second + 60, unit: 1, every: 1, times: 0 }
    const spoken = { validUntil: second + 3_600, signature: '' }
    const entry = { kind: 'instruct' as const, account: anna.number, to: ben.number, ...words, ...spoken, nonce: 0 }
    const body = { records: [ground.signed(anna.owner, entry)] }
    const answers = [
      await call(submitRecords, customer('anna'), body),
      await call(submitRecords, customer('anna'), body),
    ]
    expect(answers[0]).toEqual(answers[1])
    const [answered] = (answers[0] as { body: { entries: { entry: number }[] } }).body.entries
    const [listed] = await anna.list()
    expect(listed).toMatchObject({ instruction: 1, entry: answered?.entry })
    const other = call(submitRecords, customer('ben'), { records: [ground.signed(anna.owner, { ...entry, nonce: 1 })] })
    expect(await refusalOf(other)).toBe('account_not_yours')
    const end = { kind: 'revoke' as const, account: anna.number, instruction: 1, nonce: 1, ...spoken }
    const batch = { chains: [[ground.signed(anna.owner, end)]] }
    const bodySha256 = digestOf(batch).toString('base64url')
    const revoked = await call(submitBatch, { kind: 'agency', id: bankDid, bodySha256 }, batch)
    expect(revoked.body).toMatchObject({ chains: [[{ outcome: 'entered' }]] })
    expect(await anna.list()).toMatchObject([{ state: 'revoked' }])
  })

  test('nobody hands in an instalment, whoever they are', async () => {
    const { ground, person } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    await anna.instruct(ben.number)
    ground.state.now += 60_000
    const entry = { instruction: 1, index: 0, from: anna.number, to: ben.number, currency: 1, amount: 300n }
    const record = encodeEntry({ kind: 'instalment', ...entry }).toString('base64url')
    expect(await refusalOf(ground.desk.attest([{ record }]))).toBe('record_malformed')
  })

  test('only so many stand for one account, those of one request too', async () => {
    const { ground, person } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    const signed = (nonce: number) =>
      ground.signed(anna.owner, {
        ...{ kind: 'instruct', account: anna.number, to: ben.number, currency: 1, amount: 1n, first: second + 60 },
        ...{ unit: 1, every: 1, times: 0, nonce, validUntil: second + 3_600, signature: '' },
      })
    const many = (from: number, count: number) => Array.from({ length: count }, (_, nonce) => signed(from + nonce))
    expect(await refusalOf(ground.submit(...many(0, instructionsMost + 1)))).toBe('instructions_too_many')
    await ground.submit(...many(0, instructionsMost))
    expect(await refusalOf(ground.submit(signed(instructionsMost)))).toBe('instructions_too_many')
    // Whatever is the matter with the payee.
    expect(await refusalOf(anna.instruct(9_999))).toBe('instructions_too_many')
    await anna.revoke(5)
    await ground.submit(signed(instructionsMost + 1))
    const page = await anna.read('listInstructions', { account: anna.number }, { limit: '150' })
    const cursor = String(page['next'])
    const rest = await anna.read('listInstructions', { account: anna.number }, { limit: '150', cursor })
    const numbers = [page, rest].flatMap(({ items }) =>
      (items as { instruction: number }[]).map(each => each.instruction),
    )
    expect(numbers).toEqual(Array.from({ length: instructionsMost + 1 }, (_, at) => instructionsMost + 1 - at))
    await expectSound(ground)
  })

  test('those that stand are counted past however many were revoked', async () => {
    const { ground, person } = await open()
    const [anna, ben] = [await person('anna'), await person('ben')]
    for (let made = 0; made < 3; made += 1) await anna.revoke(await anna.instruct(ben.number))
    const { dialect } = ground.store
    const steps = await ground.store.transaction(async tx => {
      // As with many rows, which the planner knows nothing of here.
      for (const way of dialect === 'postgres' ? ['seqscan', 'hashjoin', 'mergejoin'] : []) {
        await tx.query(`SET LOCAL enable_${way} = off`)
      }
      const found: unknown[] = []
      const explain = async (sql: string, params: never) => {
        found.push(await tx.query(`${dialect === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'} ${sql}`, params))
        return []
      }
      expect(await countStanding(explain as Tx['query'], dialect, [anna.number])).toEqual(new Map())
      return found
    })
    expect(JSON.stringify(steps)).toContain('cbdc_instructions_standing')
  })

  test('nobody but its owner, its bank and an officer sees what an account has instructed', async () => {
    const { reading, person } = await open()
    const [anna, ben] = [await person('anna', 1_000n), await person('ben')]
    await anna.instruct(ben.number)
    for (const account of [anna.number, 9_999]) {
      expect(await refusalOf(ben.read('listInstructions', { account }))).toBe('account_not_yours')
    }
    const other = reading.asOther('listInstructions', { account: anna.number })
    expect(await refusalOf(other)).toBe('participant_unknown')
    expect(await reading.asOfficer('listInstructions', { account: anna.number })).toMatchObject({ items: [{}] })
    const cursor = Buffer.from('0').toString('base64url')
    expect(await refusalOf(anna.read('listInstructions', { account: anna.number }, { cursor }))).toBe(
      'cursor_malformed',
    )
  })
})
