import type { Caller } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import type { Requirement } from '../../../../kernel/requirement.ts'
import { interestDayDone, interestDayGap, interestDayOpen, interestNotStated } from '../../errors.ts'
import { dayOf } from '../../ledger/facts.ts'
import { type InterestTerms, interestOf } from '../../ledger/interest.ts'
import type { CurrencyPolicy } from '../../ledger/limits.ts'
import { availableOf } from '../../ledger/state.ts'
import { orderRequires, roundMost, windowMost } from '../../policy.ts'
import { orderOf } from '../accounts.ts'
import type { BookItem } from '../book.ts'
import { type Currency, policyOf, readCurrencies } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import type { Held, ItemOutcome } from '../enter.ts'
import { loadPurses, promisedBy } from '../offline/purses.ts'
import type { Ask } from '../rows.ts'
import { currencyParam } from './order.ts'
import { balancesBefore } from './past-balances.ts'
import { dateOf, dayMs, type Fence, itself, type Place, readPlace, writePlace } from './rounds.ts'

/**
 * Interest for a day, on what customers held when the day (UTC) ended; all days in turn, each account once a day. The
 * exempt amount
 * counts once a person, at their first account, so that several accounts do not multiply it.
 */

const roundName = 'interest'

/** Every policy that the currency has had, oldest first. */
const readPolicies = async (ask: Ask, currency: number): Promise<CurrencyPolicy[]> => {
  const sql = 'SELECT version, valid_from, policy FROM cbdc_policies WHERE currency = ? ORDER BY valid_from, version'
  return (await ask(sql, [currency])).map(policyOf)
}

/** What counted at the end of a day. */
const termsOn = (policies: readonly CurrencyPolicy[], day: number): InterestTerms | null =>
  policies.findLast(({ validFrom }) => validFrom < (day + 1) * dayMs)?.interest ?? null

/** The first day, from one on, that interest is stated for: what is stated changes with a policy only. */
const nextStated = (policies: readonly CurrencyPolicy[], from: number): number | undefined =>
  [from, ...policies.map(({ validFrom }) => dayOf(validFrom))]
    .filter(day => day >= from && termsOn(policies, day) !== null)
    .sort((a, b) => a - b)[0]

/**
 * Where the day stands: days that interest was stated for follow one another.
 * @throws Refusal interest_day_open, interest_day_done, interest_not_stated, interest_day_gap
 */
const placeFor = (
  policies: readonly CurrencyPolicy[],
  known: Place | undefined,
  { day, opened, at }: { day: number; opened: number; at: number },
): Place => {
  if (at < (day + 1) * dayMs) throw interestDayOpen()
  if (day === known?.day) return known
  if (known !== undefined && day < known.day) throw interestDayDone()
  if (day < opened || termsOn(policies, day) === null) throw interestNotStated()
  const next =
    known?.complete === false ? known.day : nextStated(policies, known === undefined ? opened : known.day + 1)
  if (day !== next) throw interestDayGap(dateOf(next ?? day))
  return { day, place: 0, complete: false }
}

const readOpened = async (ask: Ask, currency: number): Promise<number> => {
  const sql = 'SELECT opened_at FROM cbdc_currencies WHERE number = ?'
  return dayOf((await ask<Row & { opened_at: number }>(sql, [currency]))[0]?.opened_at ?? 0)
}

type Due = { number: number; amount: bigint }

type AccountRow = Row & { number: number; last_entry: number }

/**
 * The next accounts of the currency that may have held something on the day, within a window of numbers, and where it
 * ends.
 */
const nextAccounts = async ({ tx, book }: Held, currency: number, { day, place }: Place) => {
  const classes = `'person', 'merchant', 'purse'`
  const last = book.state.nextAccount - 1
  const through = Math.min(place + windowMost, last)
  const sql = `SELECT number, last_entry FROM cbdc_accounts
    WHERE number > ? AND number <= ? AND currency = ? AND class IN (${classes}) AND closed = 0 AND opened_at < ?
      AND interest_day < ? ORDER BY number LIMIT ${roundMost}`
  const rows = await tx.query<AccountRow>(sql, [place, through, currency, (day + 1) * dayMs, day])
  const full = rows.length === roundMost
  const end: Place = {
    day,
    place: full ? (rows.at(-1)?.number ?? through) : through,
    complete: !full && through === last,
  }
  return { rows, end }
}

/** A negative rate takes what is there to be taken and not promised offline, and never more. */
const dueOf = async (
  desk: Desk,
  held: Held,
  rows: readonly AccountRow[],
  { terms, day }: { terms: InterestTerms; day: number },
): Promise<Due[]> => {
  const { tx, book } = held
  const last = new Map(rows.map(({ number, last_entry }) => [number, last_entry]))
  const balances = await balancesBefore(tx.query, desk.house.store.dialect, last, (day + 1) * dayMs)
  const numbers = rows.map(({ number }) => number)
  await book.load(numbers)
  await loadPurses(held, desk.house.store.dialect, numbers)
  return rows.flatMap(({ number }) => {
    const account = book.state.account(number)
    if (account === undefined || account.closed) return []
    const exemptMinor = account.lead === number ? terms.exemptMinor : 0n
    const amount = interestOf({ ...terms, exemptMinor }, balances.get(number) ?? 0n, day)
    const free = availableOf(account) - promisedBy(book, number)
    const most = free > 0n ? free : 0n
    const taken = amount < 0n && -amount > most ? -most : amount
    return taken === 0n ? [] : [{ number, amount: taken }]
  })
}

/** What the interest account lacks is issued to it: the policy that states the rate is what two officers decided. */
const funding = async ({ book }: Held, currency: Currency, due: readonly Due[], order: string): Promise<BookItem[]> => {
  await book.load([currency.interest, currency.issuance])
  const account = book.state.account(currency.interest)
  const owed = due.reduce((sum, { amount }) => (amount > 0n ? sum + amount : sum), 0n)
  const lacking = owed - (account === undefined ? 0n : availableOf(account))
  if (lacking <= 0n) return []
  const { number, issuance: from, interest: to } = currency
  return [{ entry: { kind: 'mint', from, to, currency: number, amount: lacking, order }, signer: undefined }]
}

type Accruing = {
  currency: number
  day: number
  requires: Requirement
  caller: Caller
  idempotencyKey?: string | undefined
  fence?: Fence
}

type Plan = { place: Place; funded: boolean; due: readonly Due[] }

/**
 * What came of the accounts: one that cannot be entered does not keep the others waiting. @throws Refusal of the
 * funding
 */
const settled = ({ funded, due }: Plan, outcomes: readonly ItemOutcome[][]) => {
  const all = outcomes.map(([outcome]) => outcome)
  const [first] = all
  if (funded && first !== undefined && 'refusal' in first) throw first.refusal
  const entered = all.slice(funded ? 1 : 0).map(outcome => outcome !== undefined && !('refusal' in outcome))
  const paid = due.filter((_, at) => entered[at])
  return {
    accounts: paid.length,
    passedOver: due.length - paid.length,
    sum: paid.reduce((sum, { amount }) => sum + amount, 0n),
  }
}

/**
 * Computes interest of a day for the next accounts in turn. Called again it goes on where it stopped; when the day is
 * complete it
 * does nothing more.
 */
const accrue = (desk: Desk, { currency: number, day, fence, ...asked }: Accruing) => {
  let plan: Plan = { place: { day, place: 0, complete: true }, funded: false, due: [] }
  return desk.ledger.execute({
    ...{ operation: 'accrueInterest', ...asked, input: { currency: number, day: dateOf(day) } },
    chains: async held => {
      await fence?.(held.tx)
      const { tx, book, currencies, record } = held
      const currency = currencies.of(number)
      const policies = await readPolicies(tx.query, number)
      const opened = await readOpened(tx.query, number)
      const place = placeFor(policies, await readPlace(tx.query, roundName, number), { day, opened, at: book.at })
      plan = { place, funded: false, due: [] }
      if (place.complete) return []
      const terms = termsOn(policies, day)
      if (terms === null) throw interestNotStated()
      const { rows, end } = await nextAccounts(held, number, place)
      const due = await dueOf(desk, held, rows, { terms, day })
      const order = orderOf(record.id)
      const funds = await funding(held, currency, due, order)
      plan = { place: end, funded: funds.length > 0, due }
      const counter = currency.interest
      const entries = due.map(({ number: account, amount }): BookItem[] => [
        { entry: { kind: 'interest', account, counter, currency: number, amount, day, order }, signer: undefined },
      ])
      return funds.length === 0 ? entries : [funds, ...entries]
    },
    async answer({ tx }, outcomes) {
      const { accounts, passedOver, sum } = settled(plan, outcomes)
      await writePlace(tx, roundName, number, plan.place)
      const { complete, place: through } = plan.place
      return { currency: number, day: dateOf(day), complete, through, accounts, passedOver, interestMinor: String(sum) }
    },
  })
}

/**
 * The next accounts of a day; ask again until the answer is complete. The service's own round does the same.
 * @throws Refusal currency_unknown, interest_not_stated, interest_day_open, interest_day_done, interest_day_gap
 */
export const accrueInterest = async (desk: Desk, context: Context): Promise<Answer> => {
  const { day } = context.body as { day: string }
  const body = await accrue(desk, {
    ...{ currency: currencyParam(context), day: dayOf(Date.parse(day)) },
    ...{ requires: orderRequires.interest, caller: context.caller },
    idempotencyKey: context.headers['idempotency-key'],
  })
  return { status: 200, body }
}

/** The day that is next, once it has ended. */
const dueDay = async (desk: Desk, currency: number, now: number): Promise<number | undefined> => {
  const { read } = desk.house.store
  const known = await readPlace(read, roundName, currency)
  if (known?.complete === false) return known.day
  const from = known === undefined ? await readOpened(read, currency) : known.day + 1
  const next = nextStated(await readPolicies(read, currency), from)
  return next !== undefined && next < dayOf(now) ? next : undefined
}

/**
 * Interest of the days that have ended, one act's worth; days that no policy stated interest for are passed over.
 * @returns `roundMost` when there may be more to do at once.
 */
export const accrueDue = async (desk: Desk, fence: Fence): Promise<number> => {
  const { store, clock } = desk.house
  const now = clock.now()
  for (const { number: currency } of (await readCurrencies(store.read, now)).all) {
    const day = await dueDay(desk, currency, now)
    if (day === undefined) continue
    await accrue(desk, { currency, day, requires: orderRequires.upkeep, caller: itself, fence })
    return roundMost
  }
  return 0
}
