import fc from 'fast-check'
import { encodeEntry, type OwnerKey } from '../../../../src/kernel/ledger-entry.ts'
import { apply, closeBatch, invalidities } from '../../../../src/plugins/cbdc/ledger/apply.ts'
import { openFold } from '../../../../src/plugins/cbdc/ledger/fold.ts'
import {
  type Account,
  amountMost,
  type Instruction,
  type Reservation,
  type State,
} from '../../../../src/plugins/cbdc/ledger/state.ts'
import { entryFrom, type Intent, intents } from '../histories.ts'
import { keyName, openModel, precedence } from '../model.ts'

const keys: OwnerKey[] = [1, 2, 3, 4, 5].map(n => ({
  ...{ scheme: 1 + (n % 2), prefix: 2 + (n % 2), x: n.toString(16).padStart(64, '0') },
}))
const feesOf = (): number => 2

/** The state that `apply` reads, as maps; what it answers is put in by the test. */
const openState = () => {
  const accounts = new Map<number, Account>()
  const reservations = new Map<number, Reservation>()
  const instructions = new Map<number, Instruction>()
  const state: State = {
    account: number => accounts.get(number),
    reservation: number => reservations.get(number),
    instruction: number => instructions.get(number),
    ...{ nextAccount: 1, nextReservation: 1, nextInstruction: 1 },
  }
  return { accounts, reservations, instructions, state }
}

const seen = ({ key, debitsPosted, creditsPosted, debitsPending, creditsPending, number: _, ...rest }: Account) => ({
  ...{ ...rest, key: keyName(key), paid: debitsPosted, received: creditsPosted },
  ...{ paying: debitsPending, receiving: creditsPending },
})

const foundation: Intent[] = [30, 1, 2, 3, 4].map(three => ({
  ...{ kind: 'open', one: 0, two: 1, three, amount: 1n, signed: true, spoilt: 60, passes: 0 },
}))
const funding: Intent[] = [1, 2, 3, 4].map(two => ({
  ...{ kind: 'mint', one: 0, two, three: 0, amount: 500n, signed: true, spoilt: 60, passes: 0 },
}))

/** What a history came to, in the ledger and in the model beside it. */
const live = (history: readonly Intent[], check: (ledger: ReturnType<typeof openState>) => void = () => {}) => {
  const model = openModel(feesOf)
  const ledger = openState()
  const batches: { at: number; raws: Buffer[] }[] = []
  const told: (string | undefined)[] = []
  let at = 1_000
  let fees = new Map<number, bigint>()
  let raws: Buffer[] = []
  const close = (): void => {
    for (const account of closeBatch(ledger.state, fees, feesOf)) ledger.accounts.set(account.number, account)
    model.endBatch()
    batches.push({ at, raws })
    raws = []
    fees = new Map()
  }
  for (const intent of [...foundation, ...funding, ...history]) {
    if (intent.passes > 4_000) {
      close()
      at += intent.passes
    }
    const { entry, signer } = entryFrom(intent, model, keys, at)
    const expected = model.enter(entry, signer, at)
    const applied = apply(ledger.state, { entry, signer }, at)
    expect({ kind: entry.kind, why: applied.valid ? undefined : applied.why }).toEqual({
      kind: entry.kind,
      why: expected,
    })
    told.push(expected)
    if (!applied.valid) continue
    const { change } = applied
    raws.push(encodeEntry(entry))
    expect(change.accounts.length).toBeLessThanOrEqual(2)
    for (const account of change.accounts) ledger.accounts.set(account.number, account)
    if (change.reservation?.now === null) ledger.reservations.delete(change.reservation.number)
    else if (change.reservation) ledger.reservations.set(change.reservation.number, change.reservation.now)
    if (change.instruction?.now === null) ledger.instructions.delete(change.instruction.number)
    else if (change.instruction) ledger.instructions.set(change.instruction.number, change.instruction.now)
    expect(change.reservation === undefined || change.instruction === undefined).toBe(true)
    Object.assign(ledger.state, {
      nextInstruction: change.nextInstruction ?? ledger.state.nextInstruction,
      nextAccount: change.nextAccount ?? ledger.state.nextAccount,
      nextReservation: change.nextReservation ?? ledger.state.nextReservation,
    })
    fees.set(change.currency, (fees.get(change.currency) ?? 0n) + change.fee)
    expect(model.total()).toBe(0n)
    check(ledger)
  }
  close()
  return { model, ledger, batches, told }
}

describe('an entry', () => {
  it('is refused for reasons in one declared order', () => {
    expect([...invalidities]).toEqual(precedence)
  })

  it('does in any history what the plain model does, and is refused with the first reason that holds', () => {
    fc.assert(
      fc.property(intents(), history => {
        const { model, ledger } = live(history)
        expect(new Map([...ledger.accounts].map(([number, account]) => [number, seen(account)]))).toEqual(
          model.accounts,
        )
        expect([...ledger.reservations.keys()]).toEqual([...model.reservations.keys()])
        for (const [number, { remaining, amount, expiry }] of ledger.reservations) {
          expect(model.reservations.get(number)).toMatchObject({ left: remaining, amount, expiry })
        }
        const stand = [...ledger.instructions].map(([number, { number: _, ...rest }]) => [number, rest] as const)
        expect(new Map(stand)).toEqual(model.instructions)
      }),
      { numRuns: 400 },
    )
  })

  it('meets every reason in the histories that are tried', () => {
    const met = new Set<string | undefined>()
    for (const history of fc.sample(intents(), { numRuns: 1_500, seed: 7 }))
      for (const why of live(history).told) met.add(why)
    expect(precedence.filter(reason => !met.has(reason))).toEqual([])
  })

  it('leaves no account on the wrong side of zero, nor a sum that its column does not hold', () => {
    fc.assert(
      fc.property(intents(), history => {
        live(history, ({ accounts, reservations }) => {
          for (const account of accounts.values()) {
            const { side, debitsPosted, debitsPending, creditsPosted, creditsPending, frozen } = account
            if (side === 0) expect(debitsPosted + debitsPending <= creditsPosted).toBe(true)
            else expect(creditsPosted + creditsPending <= debitsPosted).toBe(true)
            for (const sum of [debitsPosted, creditsPosted, debitsPending, creditsPending, frozen]) {
              expect(sum >= 0n && sum <= amountMost).toBe(true)
            }
          }
          const pending = [...reservations.values()].reduce((sum, { remaining }) => sum + remaining, 0n)
          const sums = [...accounts.values()]
          expect(sums.reduce((sum, account) => sum + account.debitsPending, 0n)).toBe(pending)
          expect(sums.reduce((sum, account) => sum + account.creditsPending, 0n)).toBe(pending)
        })
      }),
      { numRuns: 100 },
    )
  })

  it('is all that the state is made of: its stored bytes give the same state again', () => {
    fc.assert(
      fc.property(intents(), history => {
        const { ledger, batches } = live(history)
        const fold = openFold(feesOf)
        for (const batch of batches) {
          for (const folded of fold.batch(batch).entries) expect(folded).not.toHaveProperty('why')
        }
        expect(fold.accounts).toEqual(ledger.accounts)
        expect(fold.reservations).toEqual(ledger.reservations)
        expect(fold.instructions).toEqual(ledger.instructions)
        expect(fold.nextInstruction()).toBe(ledger.state.nextInstruction)
        expect(fold.nextAccount()).toBe(ledger.state.nextAccount)
        expect(fold.nextReservation()).toBe(ledger.state.nextReservation)
      }),
      { numRuns: 150 },
    )
  })
})

describe('a fold', () => {
  it('says what it could not take, and leaves the state as it was', () => {
    const fold = openFold(feesOf)
    const { batches } = live([])
    for (const batch of batches) fold.batch(batch)
    const before = new Map(fold.accounts)
    const raws = [Buffer.from('00', 'hex'), encodeEntry({ kind: 'expire', reservation: 1 })]
    expect(fold.batch({ at: 9_999, raws }).entries).toMatchObject([
      { why: 'malformed' },
      { why: 'reservation_unknown' },
    ])
    expect(fold.accounts).toEqual(before)
  })
})
