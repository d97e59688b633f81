import type { Entry, EntryOf, OwnerKey } from '../../../../src/kernel/ledger-entry.ts'
import { apply } from '../../../../src/plugins/cbdc/ledger/apply.ts'
import { afterFailing, afterPaid, firstTurn, type Turn } from '../../../../src/plugins/cbdc/ledger/instalments.ts'
import type { Account, Instruction, State } from '../../../../src/plugins/cbdc/ledger/state.ts'

const key: OwnerKey = { scheme: 1, prefix: 2, x: '11'.repeat(32) }
const other: OwnerKey = { ...key, x: '22'.repeat(32) }
const at = Date.parse('2026-06-01T12:00:00Z')
const now = at / 1_000
const daySeconds = 86_400
const most = 2n ** 63n - 1n

const account = (number: number, over: Partial<Account> = {}): Account => ({
  ...{ number, currency: 1, side: 0, key, nonce: 7, debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n },
  ...{ creditsPosted: 1_000n, frozen: 0n, holds: 0, linked: 0, interestDay: 0, closed: false },
  ...over,
})
const rent: Instruction = {
  ...{ number: 5, from: 1, to: 2, currency: 1, amount: 300n, first: now - 10 * daySeconds },
  ...{ unit: 1, every: 5, times: 4, next: 1 },
}

type Over = { payer?: Partial<Account>; payee?: Partial<Account>; rent?: Partial<Instruction> | null }
const stateOf = (over: Over = {}): State => {
  const accounts = new Map(
    [account(1, over.payer), account(2, over.payee), account(3)].map(each => [each.number, each]),
  )
  const instruction = over.rent === null ? undefined : { ...rent, ...over.rent }
  return {
    account: number => accounts.get(number),
    reservation: () => undefined,
    instruction: number => (number === 5 ? instruction : undefined),
    ...{ nextAccount: 4, nextReservation: 1, nextInstruction: 6 },
  }
}
const outcome = (entry: Entry, over: Over = {}, signer: OwnerKey | undefined = key) => {
  const applied = apply(stateOf(over), { entry, signer }, at)
  return applied.valid ? applied.change : applied.why
}

describe('an instruction', () => {
  const instruct = (over: Partial<EntryOf<'instruct'>> = {}): EntryOf<'instruct'> => ({
    ...{ kind: 'instruct', account: 1, to: 2, currency: 1, amount: 300n, first: now + 60, unit: 3, every: 1, times: 0 },
    ...{ nonce: 7, validUntil: now + 3_600, signature: '' },
    ...over,
  })

  it('gets the next number, moves nothing, and uses up a nonce of its payer’s', () => {
    expect(outcome(instruct())).toEqual({
      ...{ accounts: [account(1, { nonce: 8 })], fee: 0n, currency: 1, nextInstruction: 7 },
      instruction: {
        number: 6,
        now: {
          ...{ number: 6, from: 1, to: 2, currency: 1, amount: 300n, first: now + 60, unit: 3, every: 1, times: 0 },
          next: 0,
        },
      },
    })
  })

  it('is laid down for more than there is on the account now', () => {
    expect(outcome(instruct({ amount: 2_000n }))).toMatchObject({ nextInstruction: 7 })
  })

  it('is laid down whatever its payee has received, which nobody finds out by amounts that do not fit', () => {
    expect(outcome(instruct({ amount: most }), { payee: { creditsPosted: most } })).toMatchObject({
      nextInstruction: 7,
    })
  })

  it.each<[string, Partial<EntryOf<'instruct'>>, Over]>([
    ['amount_not_positive', { amount: 0n }, {}],
    ['amount_too_large', { amount: 2n ** 63n }, {}],
    ['account_same', { to: 1 }, {}],
    ['account_unknown', { account: 9 }, {}],
    ['account_closed', {}, { payer: { closed: true } }],
    ['signature_invalid', {}, { payer: { key: other } }],
    ['transfer_expired', { validUntil: now }, {}],
    ['nonce_mismatch', { nonce: 8 }, {}],
    ['currency_mismatch', { currency: 2 }, {}],
    ['instruction_schedule', { first: now }, {}],
    ['instruction_schedule', { every: 0 }, {}],
    ['instruction_schedule', { unit: 4 }, {}],
    ['instruction_schedule', { unit: 0, times: 0 }, {}],
    ['instruction_schedule', { every: 100, times: 100 }, {}],
    ['account_frozen', {}, { payer: { holds: 1 } }],
    ['funds_insufficient', {}, { payer: { side: 1, debitsPosted: 1_000n } }],
    ['payee_cannot_receive', { to: 9 }, {}],
    ['payee_cannot_receive', {}, { payee: { closed: true } }],
    ['payee_cannot_receive', {}, { payee: { holds: 1 } }],
    ['payee_cannot_receive', {}, { payee: { currency: 2 } }],
  ])('is refused with %s: %j %j', (why, entry, over) => {
    expect(outcome(instruct(entry), over)).toBe(why)
  })
})

describe('an instalment', () => {
  const instalment = (over: Partial<EntryOf<'instalment'>> = {}): EntryOf<'instalment'> => ({
    ...{ kind: 'instalment', instruction: 5, index: 1, from: 1, to: 2, currency: 1, amount: 300n },
    ...over,
  })

  it('pays, leaves the owner’s nonce alone, and the next one is the next', () => {
    expect(outcome(instalment())).toEqual({
      ...{ accounts: [account(1, { debitsPosted: 300n }), account(2, { creditsPosted: 1_300n })] },
      ...{ fee: 0n, currency: 1, instruction: { number: 5, now: { ...rent, next: 2 } } },
    })
  })

  it('may pass others over, and the last ends the instruction', () => {
    expect(outcome(instalment({ index: 2 }))).toMatchObject({ instruction: { now: { next: 3 } } })
    expect(outcome(instalment({ index: 1 }), { rent: { times: 2 } })).toMatchObject({ instruction: { now: null } })
    expect(outcome(instalment({ index: 0 }), { rent: { unit: 0, times: 1, every: 1, next: 0 } })).toMatchObject({
      instruction: { now: null },
    })
  })

  it('is paid whoever’s key the account has by now', () => {
    expect(outcome(instalment(), { payer: { key: other, nonce: 9 } })).toMatchObject({ currency: 1 })
  })

  it.each<[string, Partial<EntryOf<'instalment'>>, Over]>([
    ['account_unknown', { from: 9 }, {}],
    ['account_closed', {}, { payer: { closed: true } }],
    ['instruction_unknown', { instruction: 6 }, {}],
    ['instruction_unknown', {}, { rent: null }],
    ['instruction_unknown', { from: 3 }, {}],
    ['instalment_index', { index: 0 }, {}],
    ['instalment_index', { index: 4 }, {}],
    ['instalment_early', { index: 3 }, {}],
    ['instalment_early', {}, { rent: { first: now - 5 * daySeconds + 1 } }],
    ['instruction_terms', { to: 3 }, {}],
    ['instruction_terms', { amount: 299n }, {}],
    ['instruction_terms', { currency: 2 }, {}],
    ['account_frozen', {}, { payer: { holds: 1 } }],
    ['funds_insufficient', {}, { payer: { creditsPosted: 299n } }],
    ['funds_insufficient', {}, { payer: { frozen: 701n } }],
    ['funds_insufficient', {}, { payer: { debitsPending: 701n } }],
    ['payee_cannot_receive', {}, { payee: { closed: true } }],
    ['payee_cannot_receive', {}, { payee: { holds: 2 } }],
    ['payee_cannot_receive', {}, { payee: { creditsPosted: most - 299n } }],
  ])('is refused with %s: %j %j', (why, entry, over) => {
    expect(outcome(instalment(entry), over)).toBe(why)
  })
})

describe('a revocation', () => {
  const revoke = (over: Partial<EntryOf<'revoke'>> = {}): EntryOf<'revoke'> => ({
    ...{ kind: 'revoke', account: 1, instruction: 5, nonce: 7, validUntil: now + 3_600, signature: '' },
    ...over,
  })

  it('ends the instruction, of an account that is frozen too', () => {
    expect(outcome(revoke(), { payer: { holds: 1 } })).toEqual({
      ...{ accounts: [account(1, { nonce: 8, holds: 1 })], fee: 0n, currency: 1 },
      instruction: { number: 5, now: null },
    })
  })

  it.each<[string, Partial<EntryOf<'revoke'>>, Over]>([
    ['account_unknown', { account: 9 }, {}],
    ['account_closed', {}, { payer: { closed: true } }],
    ['instruction_unknown', { instruction: 4 }, {}],
    ['instruction_unknown', { account: 3 }, {}],
    ['signature_invalid', {}, { payer: { key: other } }],
    ['transfer_expired', { validUntil: now }, {}],
    ['nonce_mismatch', { nonce: 6 }, {}],
  ])('is refused with %s: %j %j', (why, entry, over) => {
    expect(outcome(revoke(entry), over)).toBe(why)
  })
})

describe('whose turn it is', () => {
  const hourSeconds = 3_600
  const schedule = { first: now, unit: 2, every: 1, times: 2 }
  const fails = (turn: Turn, seconds: number, why = 'funds_insufficient', of = schedule) =>
    afterFailing(of, turn, why, seconds)

  it('is the next one’s after a payment, and nobody’s after the last', () => {
    const first = afterPaid(schedule, { ...firstTurn(schedule), waitingReason: 'limit_per_day' }, 0)
    expect(first).toMatchObject({ turn: 1, nextDue: now + 7 * daySeconds, paid: 1, waitingReason: null })
    expect(afterPaid(schedule, first, 1)).toMatchObject({ turn: 2, nextDue: null, paid: 2, missed: 0 })
  })

  it('stays for a day, hour by hour, and then it is missed', () => {
    let turn = firstTurn(schedule)
    const tries: number[] = []
    while (turn.turn === 0) {
      const time = turn.nextDue ?? 0
      tries.push(time - now)
      turn = fails(turn, time)
    }
    expect(tries).toEqual(Array.from({ length: 25 }, (_, hour) => hour * hourSeconds))
    expect(turn).toMatchObject({ turn: 1, nextDue: now + 7 * daySeconds, missed: 1, missedIndex: 0 })
    expect(turn).toMatchObject({ missedReason: 'funds_insufficient', waitingReason: null, paid: 0 })
  })

  it('passes when the next one is due, if that is sooner', () => {
    const daily = { ...schedule, unit: 1, times: 0 }
    const late = fails({ ...firstTurn(daily), nextDue: now + daySeconds }, now + daySeconds, 'limit_per_day', daily)
    expect(late).toMatchObject({ turn: 1, nextDue: now + daySeconds, missed: 1 })
    const odd = fails(firstTurn(daily), now + 86_000, 'limit_per_day', daily)
    expect(odd).toMatchObject({ turn: 0, nextDue: now + daySeconds, waitingReason: 'limit_per_day' })
  })

  it('comes to an end with the last one missed, and with the account', () => {
    const last = { ...firstTurn(schedule), turn: 1, nextDue: now + 7 * daySeconds }
    expect(fails(last, now + 9 * daySeconds)).toMatchObject({ turn: 2, nextDue: null, missed: 1 })
    expect(fails(last, now + 7 * daySeconds, 'account_closed')).toMatchObject({
      ...{ turn: 1, nextDue: null, missed: 0, waitingReason: 'account_closed' },
    })
  })
})
