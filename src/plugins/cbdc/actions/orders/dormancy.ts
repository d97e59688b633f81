import { perform } from '../../../../kernel/perform.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { dayOf, type LedgerAccount } from '../../ledger/facts.ts'
import { balanceOf } from '../../ledger/state.ts'
import { orderRequires, roundMost, windowMost } from '../../policy.ts'
import { orderOf } from '../accounts.ts'
import type { BookItem } from '../book.ts'
import type { Currency } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import type { Held, ItemOutcome } from '../enter.ts'
import { isOnline, loadPurses } from '../offline/purses.ts'
import { readTreasury, recordOrder } from './order.ts'
import { dateOf, dayMs, type Fence, itself, type Place, readPlace, writePlace } from './rounds.ts'
import { eachCurrency } from './upkeep.ts'

/**
 * Accounts that nobody uses: first they are said to be dormant, and the time until they escheat to the treasury begins
 * to run when
 * that was said, so that a service that was down takes no notice period from anyone.
 */

const upkeep = { requires: orderRequires.upkeep, caller: itself }
const customers = `'person', 'merchant', 'purse'`

type DormantRow = Row & { number: number; last_active: number }

type Terms = NonNullable<Currency['policy']['dormancy']>
const termsOf = ({ policy }: Currency): Terms => {
  if (policy.dormancy === null) throw new Error('the policy knows no dormancy')
  return policy.dormancy
}

/** Goes once a day through all accounts of a currency, a window of numbers at a time. */
const flagWindow = async (desk: Desk, fence: Fence, currency: Currency): Promise<number> => {
  const { house } = desk
  const { number } = currency
  const now = house.clock.now()
  const today = dayOf(now)
  const known = await readPlace(house.store.read, flagName, number)
  if (known?.day === today && known.complete) return 0
  const after = known?.day === today ? known.place : 0
  const [head] = await house.store.read<Row & { next_account: number }>('SELECT next_account FROM cbdc_head')
  const last = (head?.next_account ?? 1) - 1
  const through = Math.min(after + windowMost, last)
  return perform(house, {
    ...{ operation: 'flagDormant', ...upkeep, input: { currency: number, after, through } },
    async act(tx) {
      await fence(tx)
      const used = `DELETE FROM cbdc_dormant WHERE currency = ? AND account > ? AND account <= ?
        AND last_active < (SELECT a.last_active FROM cbdc_accounts a WHERE a.number = cbdc_dormant.account)`
      await tx.query(used, [number, after, through])
      const sql = `SELECT number, last_active FROM cbdc_accounts a
        WHERE number > ? AND number <= ? AND currency = ? AND closed = 0
          AND class IN (${customers}) AND last_active <= ?
          AND NOT EXISTS (SELECT 1 FROM cbdc_dormant d WHERE d.account = a.number) ORDER BY number LIMIT ${roundMost}`
      const cutoff = now - termsOf(currency).dormantAfterDays * dayMs
      const found = await tx.query<DormantRow>(sql, [after, through, number, cutoff])
      for (const { number: account, last_active } of found) {
        await tx.query(
          'INSERT INTO cbdc_dormant (account, currency, last_active, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
          [...[account, number, last_active, now]],
        )
      }
      const full = found.length === roundMost
      const place = full ? (found.at(-1)?.number ?? through) : through
      await writePlace(tx, flagName, number, { day: today, place, complete: !full && through === last })
      return full || through < last ? roundMost : found.length
    },
  })
}
const flagName = 'dormancy'

const hasDormancy = ({ policy }: Currency): boolean => policy.dormancy !== null

/**
 * Says which accounts are dormant, and that those which were used again are not. @returns `roundMost` when there may be
 * more.
 */
export const flagDormant = (desk: Desk, fence: Fence): Promise<number> =>
  eachCurrency(desk, hasDormancy, currency => flagWindow(desk, fence, currency))

type FlagRow = Row & { account: number; last_active: number }

/** What another order holds, or a reservation, is not taken; the account escheats when that has ended. */
const isFree = ({ closed, holds, frozen, debitsPending, creditsPending }: LedgerAccount): boolean =>
  !closed && holds === 0 && frozen === 0n && debitsPending === 0n && creditsPending === 0n

const escheatOf = (account: LedgerAccount, treasury: number, order: string): BookItem[] => {
  const { number: from, currency } = account
  const amount = balanceOf(account)
  const taking = { kind: 'seize' as const, from, to: treasury, currency, amount, frozen: 0n, order }
  const closing = { kind: 'close' as const, account: from, order }
  return [...(amount > 0n ? [taking] : []), closing].map(entry => ({ entry, signer: undefined }))
}

type Candidate = { account: LedgerAccount; items: BookItem[] }

const candidates = async (desk: Desk, held: Held, due: readonly FlagRow[], treasury: number): Promise<Candidate[]> => {
  const { book, record } = held
  const numbers = due.map(({ account }) => account)
  await book.load([treasury, ...numbers])
  await loadPurses(held, desk.house.store.dialect, numbers)
  return due.flatMap(({ account: number, last_active }) => {
    const account = book.state.account(number)
    if (account === undefined || account.lastActive > last_active || !isFree(account)) return []
    // Payees rely on what is in a purse that is offline.
    if (!isOnline(book, number)) return []
    return [{ account, items: escheatOf(account, treasury, orderOf(record.id)) }]
  })
}

/**
 * Each account has a row of its own among the orders: authority is the statute, by the policy that names the periods.
 */
const recordEscheat = async (
  desk: Desk,
  held: Held,
  { number: currency, code, policy }: Currency,
  { account }: Candidate,
  written: readonly ItemOutcome[],
): Promise<void> => {
  const [first] = written
  if (first === undefined || 'refusal' in first) return
  const reference = `dormancy ${account.number} ${dateOf(dayOf(held.book.at))}`
  await recordOrder(held, {
    ...{ id: desk.newId(), kind: 'escheat', order: { authority: 'statute', reference }, account: account.number },
    ...{ amount: balanceOf(account), legalBasis: `policy ${policy.version} of ${code} (currency ${currency})` },
    entry: first.written.number,
  })
  await held.tx.query('DELETE FROM cbdc_dormant WHERE account = ?', [account.number])
}

const escheatCurrency = async (desk: Desk, fence: Fence, currency: Currency): Promise<number> => {
  const { store, clock } = desk.house
  const { number } = currency
  const { dormantAfterDays, escheatAfterDays } = termsOf(currency)
  const treasury = await readTreasury(store.read, number)
  if (treasury === undefined) return 0
  const today = dayOf(clock.now())
  const known = await readPlace(store.read, escheatName, number)
  // Once a day: what another order holds would otherwise be looked at again and again.
  if (known?.day === today && known.complete) return 0
  const after = known?.place ?? 0
  const flaggedBy = clock.now() - (escheatAfterDays - dormantAfterDays) * dayMs
  const sql = `SELECT account, last_active FROM cbdc_dormant WHERE account > ? AND currency = ? AND since <= ?
      AND NOT EXISTS (SELECT 1 FROM cbdc_moves m WHERE m.account = cbdc_dormant.account
        AND m.state IN ('sent', 'suspended', 'stranded', 'ending'))
    ORDER BY account LIMIT ${roundMost}`
  const due = await store.read<FlagRow>(sql, [after, number, flaggedBy])
  if (due.length === 0 && after === 0) return 0
  let planned: Candidate[] = []
  await desk.ledger.execute({
    ...{ operation: 'escheatDormant', ...upkeep, input: { currency: number, after } },
    async chains(held) {
      await fence(held.tx)
      planned = await candidates(desk, held, due, treasury)
      return planned.map(({ items }) => items)
    },
    async answer(held, outcomes) {
      for (const [at, candidate] of planned.entries()) {
        await recordEscheat(desk, held, currency, candidate, outcomes[at] ?? [])
      }
      const last = due.length < roundMost ? 0 : (due.at(-1)?.account ?? 0)
      const place: Place = { day: today, place: last, complete: last === 0 }
      await writePlace(held.tx, escheatName, number, place)
      return outcomes.length
    },
  })
  return due.length
}
const escheatName = 'escheat'

/** What is on accounts that were dormant for the statutory time goes to the treasury, and they are closed. */
export const escheatDormant = (desk: Desk, fence: Fence): Promise<number> =>
  eachCurrency(desk, hasDormancy, currency => escheatCurrency(desk, fence, currency))
