import type { MoneyRail, RailStanding } from '../../../../src/kernel/ports.ts'
import { checkInvariant } from '../../../../src/plugins/cbdc/actions/reads/invariant.ts'
import { type LedgerDifference, reconcileLedger } from '../../../../src/plugins/cbdc/actions/reads/reconcile.ts'
import { type Ground, onBothLedgers, own } from '../ground.ts'

const noHash = '00'.repeat(32)

/** A little of everything: payments with fees, a reservation that stands, one that is paid in part, a freeze. */
const enliven = async (ground: Ground) => {
  const anna = await ground.customer(undefined, {}, 10_000n)
  const ben = await ground.customer()
  const expiry = Math.floor(ground.state.now / 1_000) + 3_600
  const reserve = (nonce: number, amount: bigint) => ({
    ...{ kind: 'reserve' as const, from: anna.number, to: ben.number, currency: 1, amount, fee: 1, expiry },
    ...{ lockHash: noHash, arbiter: 0, nonce, validUntil: expiry, signature: '' },
  })
  await ground.submit(ground.signed(anna.owner, ground.transfer(anna.number, ben.number, 300n, { fee: 2 })))
  await ground.submit(ground.signed(anna.owner, reserve(1, 400n)), ground.signed(anna.owner, reserve(2, 500n)))
  const post = {
    ...{ kind: 'post' as const, reservation: 1, amount: 150n, remaining: 400n, last: 0, by: ben.number },
    ...{ preimage: noHash, signature: '' },
  }
  await ground.submit(ground.signed(ben.owner, post))
  const instruct = {
    ...{ kind: 'instruct' as const, account: anna.number, to: ben.number, currency: 1, amount: 25n, first: expiry },
    ...{ unit: 3, every: 1, times: 0, validUntil: expiry, signature: '' },
  }
  await ground.submit(
    ground.signed(anna.owner, { ...instruct, nonce: 3 }),
    ground.signed(anna.owner, { ...instruct, nonce: 4, amount: 50n }),
  )
  return { anna, ben }
}

const found = async (ground: Ground): Promise<LedgerDifference[]> => {
  const differences: LedgerDifference[] = []
  for await (const difference of reconcileLedger(ground.desk)) differences.push(difference)
  return differences
}

/** What the database refuses to everybody is done here with its guards taken away, as an intruder with its files would. */
const tamper = async (ground: Ground, sql: string): Promise<void> => {
  const table = /(cbdc_\w+)/.exec(sql)?.[1] ?? ''
  await ground.store.transaction(async tx => {
    if (['cbdc_entries', 'cbdc_batches'].includes(table)) {
      if (ground.store.dialect === 'sqlite') await tx.query(`DROP TRIGGER ${table}_no_update`)
      else await tx.query(`ALTER TABLE ${table} DISABLE TRIGGER ${table}_immutable`)
    }
    await tx.query(sql)
  })
}

onBothLedgers(({ fresh }) => {
  describe('reconciling the ledger', () => {
    test('finds nothing where every row is what the entries make it', async () => {
      const ground = await fresh()
      await enliven(ground)
      expect(await found(ground)).toEqual([])
    })

    test('goes on while the ledger does', async () => {
      const ground = await fresh()
      const { anna, ben } = await enliven(ground)
      const differences: LedgerDifference[] = []
      const paying = (async () => {
        for (let nonce = 5; nonce < 25; nonce += 1) {
          await ground.submit(ground.signed(anna.owner, ground.transfer(anna.number, ben.number, 1n, { nonce })))
        }
      })()
      for (let round = 0; round < 5; round += 1) {
        for await (const difference of reconcileLedger(ground.desk)) differences.push(difference)
      }
      await paying
      expect(differences).toEqual([])
    })

    const cases: [string, string, string][] = [
      ['a balance', 'UPDATE cbdc_accounts SET credits_posted = credits_posted + 1 WHERE number = 9', 'creditsPosted'],
      ['a nonce', 'UPDATE cbdc_accounts SET nonce = 0 WHERE number = 8', 'nonce'],
      ['an owner’s key', 'UPDATE cbdc_accounts SET prefix = 5 - prefix WHERE number = 8', 'key'],
      ['a freeze', 'UPDATE cbdc_accounts SET frozen = 7 WHERE number = 8', 'frozen'],
      ['what a person holds', 'UPDATE cbdc_accounts SET held = held - 1 WHERE number = 8', 'held by the person'],
      ['an account that was never opened', 'UPDATE cbdc_accounts SET number = 77 WHERE number = 9', 'existence'],
      ['a reservation', 'UPDATE cbdc_reservations SET remaining = 1 WHERE number = 1', 'remaining'],
      [
        'a reservation that stands',
        `UPDATE cbdc_reservations SET state = 'voided', ended_by = 1 WHERE number = 2`,
        'state',
      ],
      ['an instruction', 'UPDATE cbdc_instructions SET payee = 7 WHERE number = 1', 'to'],
      ['how often it was paid', 'UPDATE cbdc_instructions SET turn = 1, next_index = 1 WHERE number = 1', 'next'],
      ['that it stands', `UPDATE cbdc_instructions SET state = 'revoked', next_due = NULL WHERE number = 2`, 'state'],
      ['the balance in an entry', 'UPDATE cbdc_entries SET debit_balance = 5 WHERE number = 12', 'debit balance'],
      ['the place of an entry', 'UPDATE cbdc_entries SET number = 9999 WHERE number = 12', 'numbers without a gap'],
      ['the time of a batch', 'UPDATE cbdc_batches SET at = 1 WHERE number = 3', 'later than the one before'],
      [
        'the bytes of an entry',
        'UPDATE cbdc_entries SET raw = (SELECT raw FROM cbdc_entries WHERE number = 1) WHERE number = 12',
        'root',
      ],
    ]
    test('finds an owner’s entry that the owner never signed', async () => {
      const ground = await fresh()
      const { anna, ben } = await enliven(ground)
      // What only whoever holds the ledger could do: enter something as if its signature had been checked.
      const forged = { ...ground.transfer(anna.number, ben.number, 1n, { nonce: 5 }), signature: '11'.repeat(64) }
      const { outcomes } = await ground.execute([[{ entry: forged, signer: anna.owner.key }]])
      const [outcome] = outcomes[0] ?? []
      const number = outcome !== undefined && 'written' in outcome ? outcome.written.number : 0
      expect(await found(ground)).toEqual([
        { where: `entry ${number}`, what: 'signed by its owner', stored: 'false', folded: 'true' },
      ])
    })

    test.each(cases)('finds %s that was changed', async (_what, sql, fact) => {
      const ground = await fresh()
      await enliven(ground)
      await tamper(ground, sql)
      const facts = (await found(ground)).map(({ what }) => what)
      expect(facts).toContain(fact)
    })
  })

  describe('the invariant', () => {
    /** The chain as it stands at each question: a boundary of another process, so its answers are given here. */
    const withRail = (ground: Ground, ...answers: RailStanding[]) => {
      let asked = 0
      const standing = async () => answers[Math.min(asked++, answers.length - 1)]
      return { house: ground.desk.house, rail: { standing } as unknown as MoneyRail }
    }
    const standing = (supply: bigint, locked = 0n): RailStanding => ({
      ...{ home: locked > 0n ? 'chain' : 'ledger', decimals: 2 },
      ...{ supply, locked, suspended: 0n },
    })
    const toRail = async (ground: Ground, amount: bigint) => {
      const move = {
        kind: 'mint' as const,
        from: own.issuance,
        to: own.rail,
        currency: 1,
        amount,
        order: '00'.repeat(16),
      }
      await ground.execute([[{ entry: move, signer: undefined }]])
    }

    test('holds after all that may happen, in exact figures', async () => {
      const ground = await fresh()
      await enliven(ground)
      const report = await checkInvariant(ground.desk)
      expect(report).toMatchObject({
        holds: true,
        currencies: [{ code: 'CRD', issued: 10_000n, onLedger: 10_000n, onChain: null, inTransit: 0n, breaches: [] }],
      })
    })

    test('adds up without rounding at the end of the numbers', async () => {
      const ground = await fresh()
      const most = 2n ** 63n - 1n
      const open = (over = {}) => ground.customer(undefined, { level: 3, ...over })
      const [anna, ben] = [await open(), await open()]
      await ground.mint(anna.number, 2n ** 53n + 1n)
      await ground.mint(ben.number, most - 2n ** 53n - 1n)
      const { holds, currencies } = await checkInvariant(ground.desk)
      expect({ holds, issued: currencies[0]?.issued, onLedger: currencies[0]?.onLedger }).toEqual({
        ...{ holds: true, issued: most, onLedger: most },
      })
    })

    test('splits what is issued into ledger, chain and transit', async () => {
      const ground = await fresh()
      await enliven(ground)
      await toRail(ground, 500n)
      expect(await checkInvariant(withRail(ground, standing(500n)))).toMatchObject({
        holds: true,
        currencies: [{ issued: 10_500n, onLedger: 10_000n, onChain: 500n, inTransit: 0n }],
      })
      expect(await checkInvariant(withRail(ground, standing(200n)))).toMatchObject({
        holds: true,
        currencies: [{ issued: 10_500n, onLedger: 10_000n, onChain: 200n, inTransit: 300n, awaitingFinality: 300n }],
      })
    })

    test('is broken by one unit on the chain that is not locked at home', async () => {
      const ground = await fresh()
      await toRail(ground, 500n)
      expect(await checkInvariant(withRail(ground, standing(501n)))).toMatchObject({
        holds: false,
        currencies: [{ breaches: ['away_exceeds_home'] }],
      })
      // What arrived, or came back, between two readings is no breach.
      for (const pair of [[500n, 600n] as const, [600n, 500n] as const]) {
        const report = await checkInvariant(withRail(ground, standing(pair[0]), standing(pair[1])))
        expect(report.holds).toBe(true)
      }
    })

    test.each([
      ['unbalanced', 'UPDATE cbdc_accounts SET credits_posted = credits_posted + 1 WHERE number = 9'],
      ['unbalanced', 'UPDATE cbdc_accounts SET debits_posted = debits_posted - 1 WHERE number = 1'],
      ['pending_differs', 'UPDATE cbdc_accounts SET debits_pending = debits_pending - 1 WHERE number = 8'],
      ['pending_differs', `UPDATE cbdc_reservations SET state = 'voided', ended_by = 1 WHERE number = 2`],
      ['currency_unknown', 'UPDATE cbdc_accounts SET currency = 9 WHERE number = 9'],
    ])('names what is broken: %s', async (breach, sql) => {
      const ground = await fresh()
      await enliven(ground)
      await tamper(ground, sql)
      const { holds, currencies } = await checkInvariant(ground.desk)
      expect(holds).toBe(false)
      expect(currencies.flatMap(({ breaches }) => breaches)).toContain(breach)
    })
  })
})
