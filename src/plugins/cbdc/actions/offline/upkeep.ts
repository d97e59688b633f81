import type { Row } from '../../../../kernel/ports.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import { isCustomer } from '../../ledger/limits.ts'
import { orderRequires, roundMost } from '../../policy.ts'
import type { Currency } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import { type Fence, itself, readPlace, writePlace } from '../orders/rounds.ts'
import { eachCurrency } from '../orders/upkeep.ts'
import { readAccounts } from '../rows.ts'
import { loadPurses } from './purses.ts'
import { openPurse, settle } from './settle.ts'

/**
 * Certificates in force with a voucher whose turn has come, and that may not wait any more: payee and purse are free, or free but for
 * what misuse put on the purse, and there are funds; or those behind it have waited for long enough. Of each purse there is at
 * most one.
 */
const waiting = `SELECT c.id, c.account, v.payee, CASE WHEN (c.expires + c.valid_until) / 2 <= ? AND EXISTS (
      SELECT 1 FROM cbdc_vouchers b WHERE b.certificate = c.id AND b.state = 'waiting' AND b.nonce > v.nonce
    ) THEN 1 ELSE 0 END AS late
  FROM cbdc_purse_certificates c
  JOIN cbdc_accounts p ON p.number = c.account
  JOIN cbdc_vouchers v ON v.certificate = c.id AND v.nonce = p.nonce AND v.state = 'waiting'
  JOIN cbdc_accounts q ON q.number = v.payee
  WHERE c.currency = ? AND c.valid_until > ? AND c.spent < c.cap AND c.used < c.most AND c.account > ?
    AND p.closed = 0 AND q.closed = 0 AND q.currency = c.currency AND q.lead <> p.lead
    AND q.class IN ('person', 'merchant', 'purse', 'reserve', 'treasury')
    AND v.amount <= p.credits_posted - p.debits_posted - p.debits_pending - p.frozen
    AND (p.holds = 0 OR p.holds = 1 AND EXISTS (SELECT 1 FROM cbdc_purse_certificates f
      JOIN cbdc_orders o ON o.id = f.freeze_order WHERE f.account = c.account AND o.ended_at IS NULL))
  ORDER BY c.account LIMIT ${roundMost}`

type WaitingRow = Row & { id: string; account: number; payee: number; late: number }

const canReceive = (desk: Desk, payee: LedgerAccount | undefined): boolean =>
  payee !== undefined && payee.holds === 0 && (!isCustomer(payee) || (payee.kyc !== null && desk.kycInForce(payee.kyc)))

/** What would only be refused again is not tried. */
const readyOf = async (desk: Desk, found: readonly WaitingRow[]): Promise<WaitingRow[]> => {
  const { store } = desk.house
  const payees = await readAccounts(store.read, store.dialect, [...new Set(found.map(({ payee }) => payee))])
  const known = new Map(payees.map(account => [account.number, account]))
  return found.filter(({ payee, late }) => late === 1 || canReceive(desk, known.get(payee)))
}

const name = 'vouchers'

const retryCurrency = async (desk: Desk, fence: Fence, { number: currency }: Currency): Promise<number> => {
  const { store, clock } = desk.house
  const after = (await readPlace(store.read, name, currency))?.place ?? 0
  const now = Math.floor(clock.now() / 1_000)
  const found = await store.read<WaitingRow>(waiting, [now, currency, now, after])
  const ready = await readyOf(desk, found)
  const last = found.length < roundMost ? 0 : (found.at(-1)?.account ?? 0)
  if (ready.length === 0 && last === after) return 0
  await desk.ledger.execute({
    ...{ operation: 'retryVouchers', requires: orderRequires.upkeep, caller: itself, input: { currency, after } },
    chains: [],
    async answer(held) {
      await fence(held.tx)
      const accounts = ready.map(({ account }) => account)
      await held.book.load(accounts)
      await loadPurses(held, store.dialect, accounts)
      for (const { id } of ready) await settle(desk, held, await openPurse(held, id))
      await writePlace(held.tx, name, currency, { day: 0, place: last, complete: last === 0 })
    },
  })
  return found.length
}

/** Enters vouchers that were handed in before and can be paid now. @returns `roundMost` when there may be more. */
export const retryVouchers = (desk: Desk, fence: Fence): Promise<number> =>
  eachCurrency(
    desk,
    () => true,
    currency => retryCurrency(desk, fence, currency),
  )
