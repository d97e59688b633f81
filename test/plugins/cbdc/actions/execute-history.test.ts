import fc from 'fast-check'
import { decodeEntry, type Entry, type SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { type BookItem, namedBy } from '../../../../src/plugins/cbdc/actions/book.ts'
import { storedPolicy } from '../../../../src/plugins/cbdc/actions/currencies.ts'
import type { Held, ItemOutcome } from '../../../../src/plugins/cbdc/actions/enter.ts'
import { expectFolded } from '../folded.ts'
import { type Ground, onBothLedgers, policy, secp256k1Owner } from '../ground.ts'
import { entryFrom, type Intent, intents, kindsMostly } from '../histories.ts'
import { type Model, openModel } from '../model.ts'

const owners = [1, 2, 3, 4].map(n => secp256k1Owner(Buffer.alloc(32, n)))
const keys = owners.map(({ key }) => key)
const second = { issuance: 8, fees: 9 } as const
const feesOf = (currency: number): number => (currency === 2 ? second.fees : 2)

/** Accounts of the currency's own take no transfers; that is policy, and comes last. */
const ownAccount = (entry: Entry): boolean =>
  ['transfer', 'reserve', 'instruct', 'instalment'].includes(entry.kind) &&
  'to' in entry &&
  (([1, 2, 3, 4, 5, second.issuance] as number[]).includes(entry.to) || (entry.to > 9 && entry.to % 4 === 0))

/** Whoever decides is an institution, and a sweep goes to a bank: policy too. */
const notPermitted = (entry: Entry, classOf: (number: number) => string | undefined): boolean =>
  (entry.kind === 'reserve' && entry.arbiter !== 0 && classOf(entry.arbiter) !== 'arbiter') ||
  (entry.kind === 'link' && entry.linked !== 0 && classOf(entry.linked) !== 'reserve')

const tooLong = (entry: Entry, at: number): boolean =>
  entry.kind === 'reserve' && entry.expiry * 1_000 > at + policy.reservationMostSeconds * 1_000

/** Withdrawals need the other rail. */
const tried = kindsMostly.filter(kind => kind !== 'withdraw')

/** A second currency, with accounts of its own for what it issues and takes in fees. */
const addCurrency = async ({ openOne, operator, store, state }: Ground): Promise<void> => {
  await openOne(operator.key, { class: 'issuance' }, 1, 2)
  await openOne(operator.key, { class: 'reserve' }, 0, 2)
  await store.transaction(async tx => {
    const accounts = { ...second, rail: 0, suspense: 0, interest: 0 }
    tx.insert('cbdc_currencies', [
      { number: 2, code: 'SND', decimals: 2, home: 'ledger', ...accounts, opened_at: state.now },
    ])
    const version = { currency: 2, version: 1, valid_from: 0, record: 'founding' }
    tx.insert('cbdc_policies', [{ ...version, policy: storedPolicy(policy) }])
  })
}

/** The model of what already stands. */
const modelOf = async (ground: Ground): Promise<Model> => {
  await addCurrency(ground)
  const { entries } = await expectFolded(ground.store, feesOf)
  const model = openModel(feesOf)
  for (const { raw, at } of entries) {
    expect(model.enter(decodeEntry(raw) as Entry, undefined, at)).toBeUndefined()
    model.endBatch()
  }
  return model
}

/** One order of the history: its entries are made when the ledger is held, as the state is then. */
const perform = async (ground: Ground, model: Model, batch: readonly Intent[]) => {
  const expected: (string | undefined)[] = []
  const outcomes = await ground.desk.ledger.execute({
    ...{ operation: 'trial', requires: { by: 'anyone' }, caller: { kind: 'anonymous', id: 'anonymous' } as never },
    input: {},
    chains: async (held: Held) => {
      const items: BookItem[] = []
      for (const intent of batch) {
        const { entry, signer } = entryFrom(intent, model, keys, held.book.at)
        const classes = (number: number) => held.book.state.account(number)?.class
        await held.book.load(namedBy(entry))
        const stops = ownAccount(entry) || notPermitted(entry, classes)
        expected.push(
          model.enter(entry, signer, held.book.at, {
            payee_cannot_receive: stops,
            reservation_expiry: tooLong(entry, held.book.at),
          }),
        )
        items.push({
          entry,
          signer,
          facts:
            entry.kind === 'open'
              ? { class: entry.account % 4 === 0 ? 'arbiter' : 'reserve', lead: entry.account }
              : undefined,
        })
      }
      model.endBatch()
      return items.map(item => [item])
    },
    answer: (_held, given: readonly ItemOutcome[][]) =>
      given.flat().map(outcome => ('refusal' in outcome ? outcome.refusal.code : undefined)),
  })
  expect(outcomes).toEqual(expected)
}

onBothLedgers(({ fresh }) => {
  test('a random history on the database is what the plain model makes of it', async () => {
    const ground = await fresh()
    const model = await modelOf(ground)
    const histories = fc.sample(fc.array(intents(tried, 25), { minLength: 6, maxLength: 6 }), { numRuns: 25, seed: 11 })
    for (const history of histories) {
      for (const batch of history) {
        await perform(ground, model, batch)
        ground.state.now += (batch[0]?.passes ?? 0) - 2_000
      }
    }
    const { fold } = await expectFolded(ground.store, feesOf)
    for (const [number, account] of model.accounts) {
      const { paid, received, paying, receiving, nonce, closed } = account
      expect(fold.accounts.get(number)).toMatchObject({
        ...{ debitsPosted: paid, creditsPosted: received, debitsPending: paying, creditsPending: receiving },
        ...{ nonce, closed },
      })
    }
    expect([...fold.reservations.keys()]).toEqual([...model.reservations.keys()])
    expect([...fold.instructions.values()].map(({ number: _, ...rest }) => rest)).toEqual([
      ...model.instructions.values(),
    ])
    expect(fold.nextInstruction()).toBeGreaterThan(10)
    expect(fold.accounts.size).toBeGreaterThan(20)
  }, 120_000)

  test('what is taken back leaves no trace, whatever it was', async () => {
    const ground = await fresh()
    const model = await modelOf(ground)
    const batches = fc.sample(intents(tried, 25), { numRuns: 40, seed: 5 })
    for (const batch of batches) await perform(ground, model, batch)
    const before = await expectFolded(ground.store, feesOf)
    for (const batch of batches.slice(0, 15)) {
      const lost = ground.desk.ledger.execute({
        ...{ operation: 'trial', requires: { by: 'anyone' }, caller: { kind: 'anonymous', id: 'anonymous' } as never },
        input: {},
        chains: async (held: Held) => {
          const made = batch.map(intent => entryFrom(intent, model, keys, held.book.at))
          // The last of the one chain may not stand, so none may.
          const never: SignedEntry = { kind: 'void', reservation: 4_000_000_000, by: 1, signature: '00'.repeat(64) }
          return [[...made, { entry: never, signer: undefined }]]
        },
        answer: (_held, given: readonly ItemOutcome[][]) => given.flat().every(outcome => 'refusal' in outcome),
      })
      expect(await lost).toBe(true)
    }
    const after = await expectFolded(ground.store, feesOf)
    expect(after.fold.accounts).toEqual(before.fold.accounts)
    expect(after.entries.length).toBe(before.entries.length)
  }, 120_000)
})
