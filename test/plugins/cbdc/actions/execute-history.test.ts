import fc from 'fast-check'
import { type Entry, encodeEntry, type SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import type { BookItem } from '../../../../src/plugins/cbdc/actions/book.ts'
import type { Held, ItemOutcome } from '../../../../src/plugins/cbdc/actions/execute.ts'
import { expectFolded } from '../folded.ts'
import { type Ground, onBothLedgers, secp256k1Owner } from '../ground.ts'
import { entryFrom, type Intent, intents, kindsMostly } from '../histories.ts'
import { type Model, openModel } from '../model.ts'

const owners = [1, 2, 3, 4].map(n => secp256k1Owner(Buffer.alloc(32, n)))
const keys = owners.map(({ key }) => key)
const feesOf = (): number => 2

/** Accounts of the currency's own take no transfers; that is policy, and comes last. */
const ownAccount = (entry: Entry): boolean =>
  (entry.kind === 'transfer' || entry.kind === 'reserve') && entry.to >= 1 && entry.to <= 5

/** Withdrawals need the other rail; a sweep is the executor's own. */
const tried = kindsMostly.filter(kind => kind !== 'withdraw')

/** The model of what already stands. */
const modelOf = async ({ store }: Ground): Promise<Model> => {
  const { entries } = await expectFolded(store)
  const model = openModel(feesOf)
  const { decodeEntry } = await import('../../../../src/kernel/ledger-entry.ts')
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
        expected.push(model.enter(entry, signer, held.book.at, { payee_cannot_receive: ownAccount(entry) }))
        items.push({
          entry,
          signer,
          facts: entry.kind === 'open' ? { class: 'reserve', lead: entry.account } : undefined,
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
    const { fold } = await expectFolded(ground.store)
    for (const [number, account] of model.accounts) {
      const { paid, received, paying, receiving, nonce, closed } = account
      expect(fold.accounts.get(number)).toMatchObject({
        ...{ debitsPosted: paid, creditsPosted: received, debitsPending: paying, creditsPending: receiving },
        ...{ nonce, closed },
      })
    }
    expect([...fold.reservations.keys()]).toEqual([...model.reservations.keys()])
    expect(fold.accounts.size).toBeGreaterThan(20)
  }, 120_000)

  test('what is taken back leaves no trace, whatever it was', async () => {
    const ground = await fresh()
    const model = await modelOf(ground)
    const batches = fc.sample(intents(tried, 25), { numRuns: 40, seed: 5 })
    for (const batch of batches) await perform(ground, model, batch)
    const before = await expectFolded(ground.store)
    for (const batch of batches.slice(0, 15)) {
      const lost = ground.desk.ledger.execute({
        ...{ operation: 'trial', requires: { by: 'anyone' }, caller: { kind: 'anonymous', id: 'anonymous' } as never },
        input: {},
        chains: async (held: Held) => {
          const copy = await modelOf(ground)
          const made = batch.map(intent => entryFrom(intent, copy, keys, held.book.at))
          // The last of the one chain may not stand, so none may.
          const never: SignedEntry = { kind: 'void', reservation: 4_000_000_000, by: 1, signature: '00'.repeat(64) }
          expect(encodeEntry(never)).toBeDefined()
          return [[...made, { entry: never, signer: undefined }]]
        },
        answer: (_held, given: readonly ItemOutcome[][]) => given.flat().every(outcome => 'refusal' in outcome),
      })
      expect(await lost).toBe(true)
    }
    const after = await expectFolded(ground.store)
    expect(after.fold.accounts).toEqual(before.fold.accounts)
    expect(after.entries.length).toBe(before.entries.length)
  }, 120_000)
})
