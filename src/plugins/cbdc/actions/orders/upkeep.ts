import type { Row } from '../../../../kernel/ports.ts'
import { isRefusal } from '../../../../kernel/refusal.ts'
import { availableOf } from '../../ledger/state.ts'
import { orderRequires, roundMost } from '../../policy.ts'
import type { BookItem } from '../book.ts'
import { type Currency, readCurrencies } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import { unspent } from '../offline/purses.ts'
import { executeKey } from './key-orders.ts'
import { type Fence, itself, readPlace, writePlace } from './rounds.ts'

/**
 * What nobody asks for: rounds that run wherever the lease is, also twice at once. Each call is one act, or none when
 * nothing is due;
 * it returns `roundMost` when there may be more to do at once, less otherwise.
 */

const upkeep = { requires: orderRequires.upkeep, caller: itself }

const entered = (outcomes: readonly (readonly object[])[]): number =>
  outcomes.filter(([outcome]) => outcome !== undefined && !('refusal' in outcome)).length

type NumberRow = Row & { number: number }

/** Gives back what reservations held whose time is over. */
export const expireReservations = async (desk: Desk, fence: Fence): Promise<number> => {
  const { store, clock } = desk.house
  const sql = `SELECT number FROM cbdc_reservations WHERE state = 'pending' AND expiry <= ?
    ORDER BY expiry LIMIT ${roundMost}`
  const due = await store.read<NumberRow>(sql, [Math.floor(clock.now() / 1_000)])
  if (due.length === 0) return 0
  const numbers = due.map(({ number }) => number)
  await desk.ledger.execute({
    ...{ operation: 'expireReservations', ...upkeep, input: numbers },
    async chains({ tx }) {
      await fence(tx)
      return numbers.map((reservation): BookItem[] => [{ entry: { kind: 'expire', reservation }, signer: undefined }])
    },
    answer: (_held, outcomes) => entered(outcomes),
  })
  return due.length
}

/** Executes orders for another key that nobody objected to in time. */
export const executeKeyOrders = async (desk: Desk, fence: Fence): Promise<number> => {
  const { store, clock } = desk.house
  // What waits for the end of a purse's certificate would else be tried again and again, before what is due.
  const sql = `SELECT id FROM cbdc_key_orders k WHERE state = 'waiting' AND due_at <= ?
      AND NOT EXISTS (SELECT 1 FROM cbdc_purse_certificates c
        WHERE c.account = k.account AND ${unspent} AND c.valid_until > ?)
    ORDER BY due_at, id LIMIT ${keyOrdersMost}`
  const now = clock.now()
  const due = await store.read<Row & { id: string }>(sql, [now, Math.floor(now / 1_000)])
  for (const { id } of due) {
    try {
      await executeKey(desk, id, { operation: 'executeKeyOrders', ...upkeep }, ({ tx }) => fence(tx))
    } catch (error) {
      // Ended in the meantime.
      if (!isRefusal(error) || error.code === 'lease_lost') throw error
    }
  }
  return due.length < keyOrdersMost ? due.length : roundMost
}
const keyOrdersMost = 100

type MerchantRow = Row & { number: number; linked: number }

/**
 * Brings what merchants hold above what policy lets them keep to the account that they linked; whoever linked none
 * keeps it.
 */
const sweepCurrency = async (desk: Desk, fence: Fence, { number, policy }: Currency): Promise<number> => {
  const { store } = desk.house
  const keep = policy.merchantsKeepMinor
  const after = (await readPlace(store.read, sweepName, number))?.place ?? 0
  const sql = `SELECT number, linked FROM cbdc_accounts
    WHERE currency = ? AND class = 'merchant' AND number > ? AND linked <> 0 AND closed = 0 AND holds = 0
      AND credits_posted - debits_posted - debits_pending - frozen > cast(? AS BIGINT)
    ORDER BY number LIMIT ${roundMost}`
  const due = await store.read<MerchantRow>(sql, [number, after, String(keep)])
  if (due.length === 0 && after === 0) return 0
  await desk.ledger.execute({
    ...{ operation: 'sweepMerchants', ...upkeep, input: { currency: number, after } },
    async chains({ tx, book }) {
      await fence(tx)
      await book.load(due.flatMap(({ number: from, linked }) => [from, linked]))
      return due.flatMap(({ number: from }): BookItem[][] => {
        const account = book.state.account(from)
        const amount = account === undefined ? 0n : availableOf(account) - keep
        if (account === undefined || amount <= 0n) return []
        return [[{ entry: { kind: 'sweep', from, to: account.linked, currency: number, amount }, signer: undefined }]]
      })
    },
    async answer({ tx }, outcomes) {
      const last = due.length < roundMost ? 0 : (due.at(-1)?.number ?? 0)
      await writePlace(tx, sweepName, number, { day: 0, place: last, complete: last === 0 })
      return entered(outcomes)
    },
  })
  return due.length
}
const sweepName = 'sweep'

/** @returns `roundMost` when some currency has more. */
export const eachCurrency = async (
  desk: Desk,
  of: (currency: Currency) => boolean,
  work: (currency: Currency) => Promise<number>,
): Promise<number> => {
  const { store, clock } = desk.house
  let most = 0
  for (const currency of (await readCurrencies(store.read, clock.now())).all) {
    if (of(currency)) most = Math.max(most, await work(currency))
  }
  return most
}

export const sweepMerchants = (desk: Desk, fence: Fence): Promise<number> =>
  eachCurrency(
    desk,
    () => true,
    currency => sweepCurrency(desk, fence, currency),
  )
