import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { match } from '../../../../src/kernel/judge.ts'
import type { HolderRequirement } from '../../../../src/kernel/requirement.ts'
import { assertSound } from '../../../../src/kernel/sound.ts'
import { purposeDifferences } from '../../../../src/plugins/cbdc/actions/purpose/reconcile.ts'
import { returnEnded } from '../../../../src/plugins/cbdc/actions/purpose/upkeep.ts'
import { checkInvariant } from '../../../../src/plugins/cbdc/actions/reads/invariant.ts'
import { type LedgerDifference, reconcileLedger } from '../../../../src/plugins/cbdc/actions/reads/reconcile.ts'
import { balanceOf } from '../../../../src/plugins/cbdc/ledger/state.ts'
import { purposeRequires } from '../../../../src/plugins/cbdc/purpose/policy.ts'
import { bankDid, type Ground, onBothLedgers, openGround, own, start } from '../ground.ts'
import { noFence, officer, refusalOf } from '../orders/office.ts'
import { dayMs, endsAt, grocery, kycProof, licenceProof, openLicences, openProgrammes } from './programme.ts'

const lost = async () => {
  throw new Error('another has the lease')
}
const order = '00'.repeat(16)

describe('what a merchant presents to qualify', () => {
  const schema = (name: string) => {
    const read = readFileSync(join(import.meta.dirname, `../../../../schemas/${name}.v1.json`), 'utf8')
    return JSON.parse(read) as { id: string; version: number; vct: string; formats: string[]; schema: object }
  }
  const types = ['kyc-attestation', 'business-licence', 'professional-licence', 'public-officer'].map(schema)
  const qualify = (type: 'BusinessLicence' | 'ProfessionalLicence'): HolderRequirement =>
    purposeRequires.qualify.cases[type]
  const judging = (...credentials: ReturnType<typeof kycProof>[]) => ({
    ...{ offer: { credentials, lapsed: [] }, now: start, judgeMandate: () => undefined },
  })
  const codeOf = (work: () => unknown): string => {
    try {
      work()
      return 'passed'
    } catch (error) {
      return (error as { code: string }).code
    }
  }

  test('can be met with the credential types that there are', () => {
    for (const requirement of Object.values(purposeRequires)) assertSound(requirement, types as never)
  })

  test('is an attestation and a licence under one key', () => {
    const { of } = qualify('BusinessLicence')
    const mine = licenceProof(1, 'me')
    expect(codeOf(() => match(of, judging(kycProof('me', 2), mine)))).toBe('passed')
    expect(codeOf(() => match(of, judging(kycProof('other', 2), mine)))).toBe('credentials_not_joined')
    expect(codeOf(() => match(of, judging(kycProof('me', 2))))).toBe('credential_missing')
    expect(codeOf(() => match(of, judging(mine)))).toBe('credential_missing')
    expect(codeOf(() => match(qualify('ProfessionalLicence').of, judging(kycProof('me', 2), mine)))).toBe(
      'credential_missing',
    )
  })
})

onBothLedgers(({ fresh, place }) => {
  const more = (clock: () => number) => async () => ({
    credentialInForce: openLicences({ now: clock }).inForce,
  })
  const prepare = async () => {
    let clock = () => start
    const ground = await fresh({ more: more(() => clock()) })
    clock = () => ground.state.now
    await ground.mint(own.bank, 1_000_000n)
    return { ground, ...openProgrammes(ground) }
  }
  const held = async (ground: Ground, number: number): Promise<bigint> => balanceOf(await ground.account(number))
  const freeze = (ground: Ground, account: number, kind: 'freeze' | 'unfreeze', amount = 0n) =>
    ground.execute([[{ entry: { kind, account, amount, order }, signer: undefined }]])

  describe('a programme', () => {
    test('is opened by two officers, and its terms are public', async () => {
      const { open, call } = await prepare()
      const opened = await open({ perBeneficiaryMinor: '5000' })
      expect(opened).toEqual({
        ...{ programme: 'school-meals', currency: 1, title: 'School meals', legalBasis: 'Budget Act 2026, s. 12' },
        ...{ sponsor: own.bank, payees: [{ credentialType: 'BusinessLicence', classes: ['NACE-2.1:47'] }] },
        ...{ perBeneficiaryMinor: '5000', openedAt: expect.stringMatching(/^2026-06-01T12:00/), state: 'open' },
        endsAt: '2026-07-01T12:00:00.000Z',
      })
      expect(await call('getProgramme', undefined, { params: { programme: 'school-meals' } })).toEqual(opened)
      await open({ programme: 'fuel' })
      const first = await call('listProgrammes', undefined, { query: { limit: '1' } })
      const second = await call('listProgrammes', undefined, { query: { limit: '1', cursor: String(first['next']) } })
      const names = [first, second].flatMap(({ items }) =>
        (items as { programme: string }[]).map(each => each.programme),
      )
      expect(names).toEqual(['fuel', 'school-meals'])
    })

    test('is not opened by one officer', async () => {
      const { call } = await prepare()
      const body = {
        ...{ programme: 'alone', currency: 1, title: 'Alone', legalBasis: 'None', sponsor: own.bank },
        ...{ payees: [{ credentialType: 'BusinessLicence', classes: [] }], endsAt: '2026-06-10T00:00:00Z' },
      }
      expect(await refusalOf(call('openProgramme', body, { caller: officer() }))).toBe('approval_missing')
    })

    test.each([
      ['programme_terms', { endsAt: '2026-06-01T12:00:00Z' }],
      ['programme_terms', { endsAt: '2036-07-01T12:00:00Z' }],
      ['programme_terms', { payees: [{ credentialType: 'BusinessLicence', classes: ['profession:nurse'] }] }],
      ['programme_sponsor', { sponsor: 4_000 }],
      ['programme_sponsor', { sponsor: own.issuance }],
      ['programme_sponsor', { sponsor: own.fees }],
      ['currency_unknown', { currency: 9 }],
      ['amount_too_large', { perBeneficiaryMinor: '9223372036854775808' }],
    ])('is refused as %s with %j', async (code, over) => {
      const { open, call } = await prepare()
      expect(await refusalOf(open(over))).toBe(code)
      expect(await call('listProgrammes')).toEqual({ items: [] })
    })

    test('has no person for its sponsor, and its name once', async () => {
      const { ground, open } = await prepare()
      const person = await ground.customer()
      expect(await refusalOf(open({ sponsor: person.number }))).toBe('programme_sponsor')
      await open()
      expect(await refusalOf(open())).toBe('programme_taken')
    })

    test('is ended once, and nothing is granted, spent or opened from then on', async () => {
      const { ground, open, close, beneficiary, merchant, grant, pay, call } = await prepare()
      await open()
      const [person, grocer] = [await beneficiary(), await merchant()]
      await grant(person.number, 100n)
      const { closedAt, endsAt: at, state } = await close()
      expect([closedAt === at, state]).toEqual([true, 'ended'])
      ground.state.now += 1_000
      expect(await refusalOf(close())).toBe('programme_ended')
      expect(await refusalOf(close('nothing'))).toBe('programme_unknown')
      expect(await refusalOf(pay(person, grocer.number, 10n))).toBe('purpose_ended')
      expect(await refusalOf(grant(person.number, 10n))).toBe('payee_cannot_receive')
      expect(await refusalOf(beneficiary())).toBe('programme_ended')
      const params = { programme: 'nothing' }
      expect(await refusalOf(call('getProgramme', undefined, { params }))).toBe('programme_unknown')
      expect(await returnEnded(ground.desk, noFence)).toBe(1)
      expect(await held(ground, own.bank)).toBe(1_000_000n)
    })

    test('shows its sums to its sponsor and to officers, and to no other institution', async () => {
      const { open, sums, call, beneficiary, grant } = await prepare()
      await open()
      await grant((await beneficiary()).number, 70n)
      const ask = (reader: string, caller: Parameters<typeof call>[2], programme = 'school-meals') =>
        call('getProgrammeSums', undefined, { ...caller, params: { reader, programme } })
      const officers = { caller: officer('CB-1', undefined, ['cbdc:read']) }
      expect(await ask('officer', officers)).toEqual(await sums())
      const other = { caller: { kind: 'agency' as const, id: 'did:ethr:0x7a69:0xb2' } }
      expect(await refusalOf(ask('institution', other))).toBe('sponsor_differs')
      expect(await refusalOf(ask('institution', { caller: { kind: 'agency', id: bankDid } }, 'no'))).toBe(
        'programme_unknown',
      )
      expect(await refusalOf(ask('officer', { caller: officer() }))).toBe('credential_missing')
      expect(await refusalOf(ask('customer', officers))).toBe('case_unknown')
    })
  })

  describe('an account with a purpose', () => {
    test('is one a person and programme, whichever account came first', async () => {
      const { ground, open, beneficiary } = await prepare()
      await open()
      await open({ programme: 'fuel' })
      const meals = await beneficiary()
      expect(await refusalOf(beneficiary({}, meals.person, meals.index))).toBe('purpose_account_taken')
      const fuel = await beneficiary({ programme: 'fuel' }, meals.person, meals.index)
      const plain = await beneficiary({ class: 'person', programme: undefined }, meals.person, meals.index)
      for (const { number } of [fuel, plain]) expect(await ground.account(number)).toMatchObject({ lead: meals.number })
    })

    test('names a programme that runs, of its currency; another account names none', async () => {
      const { ground, open, beneficiary } = await prepare()
      await open()
      const told = [
        await refusalOf(beneficiary({ programme: undefined })),
        await refusalOf(beneficiary({ class: 'person' })),
        await refusalOf(beneficiary({ programme: 'nothing' })),
      ]
      ground.state.now = endsAt
      told.push(await refusalOf(beneficiary()))
      expect(told).toEqual(['purpose_mismatch', 'purpose_mismatch', 'programme_unknown', 'programme_ended'])
    })
  })

  describe('qualifyAccount', () => {
    test('takes a licence for an account of its holder’s own that is a merchant’s', async () => {
      const { ground, merchant } = await prepare()
      const [mine, other] = [await merchant(null), await merchant(null)]
      const licence = licenceProof(7_001, mine.person)
      expect(await refusalOf(mine.qualify(licence, other.number))).toBe('account_not_yours')
      expect(await refusalOf(mine.qualify(licence, 4_000))).toBe('account_not_yours')
      await ground.store.transaction(async tx => {
        await tx.query("UPDATE cbdc_accounts SET class = 'person' WHERE number = ?", [mine.number])
      })
      expect(await refusalOf(mine.qualify(licence))).toBe('qualification_account')
      expect(await ground.store.read('SELECT account FROM cbdc_qualifications')).toEqual([])
    })

    test('refuses a licence that nobody could look at again', async () => {
      const { merchant } = await prepare()
      const mine = await merchant(null)
      const { status: _, ...unlisted } = licenceProof(7_002, mine.person)
      expect(await refusalOf(mine.qualify(unlisted))).toBe('qualification_without_status')
      const undated = licenceProof(7_003, mine.person, { ...grocery, expiryDate: 'soon' })
      expect(await refusalOf(mine.qualify(undated))).toBe('qualification_without_status')
    })

    test('keeps classes and a place, one row a licence, and drops what has run out', async () => {
      const { ground, merchant } = await prepare()
      const mine = await merchant(null)
      const rows = async () =>
        (await ground.store.read('SELECT place, classes FROM cbdc_qualifications ORDER BY place')).map(row => [
          ...[row['place'], row['classes']],
        ])
      await mine.qualify(licenceProof(1, mine.person, { ...grocery, expiryDate: '2026-06-02' }))
      await mine.qualify(licenceProof(2, mine.person, { ...grocery, legalName: 'Corner Shop' }))
      await mine.qualify(licenceProof(2, mine.person, { ...grocery, activities: [] }))
      const classes = '["licence-class:retail","NACE-2.1:4711"]'
      expect(await rows()).toEqual([...[[1, classes]], [2, '["licence-class:retail"]']])
      ground.state.now += 2 * dayMs
      await mine.qualify(licenceProof(3, mine.person))
      expect(await rows()).toEqual([...[[2, '["licence-class:retail"]']], [3, classes]])
    })

    test('has a bound on what an account qualifies by', async () => {
      const { merchant } = await prepare()
      const mine = await merchant(null)
      for (let index = 1; index <= 16; index += 1) await mine.qualify(licenceProof(index, mine.person))
      await mine.qualify(licenceProof(16, mine.person))
      expect(await refusalOf(mine.qualify(licenceProof(17, mine.person)))).toBe('qualifications_full')
    })
  })

  describe('returnEnded', () => {
    test('brings back what is left under the order of the opening, closes the accounts, and does it once', async () => {
      const { ground, open, beneficiary, merchant, grant, pay, sums } = await prepare()
      await open()
      await open({ programme: 'fuel', endsAt: '2026-08-01T00:00:00Z' })
      const [one, two, empty] = [await beneficiary(), await beneficiary(), await beneficiary()]
      const [going, grocer] = [await beneficiary({ programme: 'fuel' }), await merchant()]
      for (const { number } of [one, two, going]) await grant(number, 100n)
      await pay(one, grocer.number, 30n)
      expect(await returnEnded(ground.desk, noFence)).toBe(0)
      ground.state.now = endsAt
      await expect(returnEnded(ground.desk, lost)).rejects.toThrow('another has the lease')
      expect(await held(ground, two.number)).toBe(100n)
      const twice = await Promise.all([1, 2].map(() => returnEnded(ground.desk, noFence)))
      expect(Math.max(...twice)).toBe(3)
      expect(await returnEnded(ground.desk, noFence)).toBe(0)
      expect(await held(ground, own.bank)).toBe(1_000_000n - 100n - 30n)
      for (const { number } of [one, two, empty]) expect(await ground.account(number)).toMatchObject({ closed: true })
      expect(await ground.account(going.number)).toMatchObject({ closed: false })
      expect(await sums()).toMatchObject({
        ...{ grantedMinor: '200', spentMinor: '30', returnedMinor: '170', heldMinor: '0', takenMinor: '0' },
      })
      const [opening] = await ground.store.read("SELECT record FROM cbdc_programmes WHERE id = 'school-meals'")
      const record = String(opening?.['record']).replaceAll('-', '')
      const sql = 'SELECT raw FROM cbdc_entries WHERE debit = ? ORDER BY number DESC LIMIT 2'
      const last = await ground.store.read(sql, [two.number])
      const raws = last.map(row => (row['raw'] as Buffer).toString('hex'))
      expect(raws.map(raw => raw.slice(0, 2) + raw.slice(-32))).toEqual([`11${record}`, `0f${record}`])
    })

    test('goes on where a process ended', async () => {
      const at = await place()
      const settings = { more: more(() => endsAt) }
      const before = await openGround(at, settings)
      await before.found()
      await before.mint(own.bank, 1_000n)
      const programmes = openProgrammes(before)
      await programmes.open()
      const people = [await programmes.beneficiary(), await programmes.beneficiary()]
      for (const { number } of people) await programmes.grant(number, 100n)
      before.state.now = endsAt
      // The act fails at its end, as if the process had been killed before the commit.
      const broken = { ...before.desk, ledger: { ...before.desk.ledger } }
      broken.ledger.execute = order =>
        before.desk.ledger.execute({
          ...order,
          async answer(...given) {
            await order.answer(...given)
            throw new Error('killed')
          },
        })
      await expect(returnEnded(broken, noFence)).rejects.toThrow('killed')
      await before.close()
      const after = await openGround(at, settings)
      try {
        after.state.now = endsAt
        expect(await held(after, own.bank)).toBe(800n)
        expect(await returnEnded(after.desk, noFence)).toBe(2)
        expect(await held(after, own.bank)).toBe(1_000n)
        expect(await openProgrammes(after).sums()).toMatchObject({ returnedMinor: '200', heldMinor: '0' })
      } finally {
        await after.close()
      }
    })

    test('leaves alone what another order holds, until that has ended', async () => {
      const { ground, open, beneficiary, grant, sums } = await prepare()
      await open()
      const [whole, part, free] = [await beneficiary(), await beneficiary(), await beneficiary()]
      for (const { number } of [whole, part, free]) await grant(number, 100n)
      await freeze(ground, whole.number, 'freeze')
      await freeze(ground, part.number, 'freeze', 60n)
      ground.state.now = endsAt
      expect(await returnEnded(ground.desk, noFence)).toBe(1)
      expect(await returnEnded(ground.desk, noFence)).toBe(0)
      await freeze(ground, whole.number, 'unfreeze')
      const seizing = { kind: 'seize' as const, from: part.number, to: own.treasury, currency: 1, order }
      await ground.execute([[{ entry: { ...seizing, amount: 60n, frozen: 60n }, signer: undefined }]])
      expect(await returnEnded(ground.desk, noFence)).toBe(2)
      expect(await held(ground, own.bank)).toBe(1_000_000n - 60n)
      expect(await sums()).toMatchObject({ returnedMinor: '240', takenMinor: '60', heldMinor: '0' })
    })

    test('waits for a sponsor that cannot receive, without keeping others waiting', async () => {
      const { ground, open, beneficiary, grant, enter, transfer } = await prepare()
      await open({ sponsor: own.treasury })
      await open({ programme: 'fuel' })
      await ground.mint(own.treasury, 1_000n)
      const [stuck, free] = [await beneficiary(), await beneficiary({ programme: 'fuel' })]
      const treasury = { owner: ground.operator, number: own.treasury, spoken: { nonce: 0 } }
      await enter(treasury, transfer(treasury, stuck.number, 100n))
      await grant(free.number, 100n)
      await freeze(ground, own.treasury, 'freeze')
      ground.state.now = endsAt
      expect(await returnEnded(ground.desk, noFence)).toBe(1)
      expect(await returnEnded(ground.desk, noFence)).toBe(0)
      expect([await held(ground, stuck.number), await held(ground, free.number)]).toEqual([100n, 0n])
      await freeze(ground, own.treasury, 'unfreeze')
      expect(await returnEnded(ground.desk, noFence)).toBe(1)
      expect(await held(ground, own.treasury)).toBe(1_000n)
    })
  })

  describe('the sums of a programme', () => {
    test('are held against the accounts when the ledger is reconciled', async () => {
      const { ground, open, beneficiary, grant } = await prepare()
      await open()
      await open({ programme: 'fuel' })
      await grant((await beneficiary()).number, 70n)
      const found = async () => {
        const differences: LedgerDifference[] = []
        for await (const difference of reconcileLedger(ground.desk)) differences.push(difference)
        return differences
      }
      expect(await found()).toEqual([])
      await ground.store.transaction(async tx => {
        await tx.query("UPDATE cbdc_programmes SET spent = 5 WHERE id = 'school-meals'")
      })
      expect(await found()).toEqual([
        { where: 'programme school-meals', what: 'held on its accounts', stored: '65', folded: '70' },
      ])
    })

    const step = fc.record({
      kind: fc.constantFrom('grant', 'pay', 'refund', 'giveBack', 'seize', 'revoke'),
      who: fc.nat({ max: 2 }),
      amount: fc.bigInt({ min: 1n, max: 400n }),
    })

    test('are what is on its accounts, whatever happens to them, and nothing is left when it has ended', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async steps => {
          const { ground, open, beneficiary, merchant, grant, pay, refund, sums } = await prepare()
          await open({ perBeneficiaryMinor: '600' })
          const people = [await beneficiary(), await beneficiary(), await beneficiary()]
          const grocer = await merchant()
          const paid = new Map<number, number>()
          const granted = new Map<number, number>()
          for (const { kind, who, amount } of steps) {
            const person = people[who] as (typeof people)[number]
            const { number } = person
            const seizing = { kind: 'seize' as const, from: number, to: own.treasury, currency: 1, order, frozen: 0n }
            const work: Record<typeof kind, () => Promise<unknown>> = {
              grant: async () => granted.set(who, await grant(number, amount)),
              pay: async () => paid.set(who, await pay(person, grocer.number, amount, { fee: 1 })),
              refund: () => refund(grocer, number, amount, paid.get(who) ?? 0),
              giveBack: () => refund(person, own.bank, amount, granted.get(who) ?? 0),
              seize: () => ground.execute([[{ entry: { ...seizing, amount }, signer: undefined }]]),
              revoke: () => pay(person, 4_000, amount),
            }
            await refusalOf(work[kind]())
          }
          const balances = await Promise.all(people.map(({ number }) => held(ground, number)))
          const before = await sums()
          expect(before['heldMinor']).toBe(String(balances.reduce((sum, each) => sum + each, 0n)))
          expect(BigInt(String(before['grantedMinor']))).toBeLessThanOrEqual(3n * 600n)
          const bank = await held(ground, own.bank)
          ground.state.now = endsAt
          expect(await returnEnded(ground.desk, noFence)).toBe(3)
          const after = await sums()
          expect(after['heldMinor']).toBe('0')
          const returned = BigInt(String(after['returnedMinor'])) - BigInt(String(before['returnedMinor']))
          expect((await held(ground, own.bank)) - bank).toBe(returned)
          expect(await checkInvariant(ground.desk)).toMatchObject({ holds: true })
          expect(await purposeDifferences(ground.desk, 10)).toEqual([])
        }),
        { numRuns: 8 },
      )
    }, 60_000)
  })
})
