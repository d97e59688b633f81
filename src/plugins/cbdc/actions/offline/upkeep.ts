import type { Row } from '../../../../kernel/ports.ts'
import { orderRequires, roundMost } from '../../policy.ts'
import type { Currency } from '../currencies.ts'
import type { Desk } from '../desk.ts'
import { type Fence, itself, readPlace, writePlace } from '../orders/rounds.ts'
import { eachCurrency } from '../orders/upkeep.ts'
import { loadPurses } from './purses.ts'
import { openPurse, settle } from './settle.ts'

/**
 * Certificates in force, each once and of each purse at most one, with a voucher whose turn has come and that waits for what has come
 * about meanwhile: the payee or the purse is not frozen any more, there are funds again, or those behind it have waited
 * for long enough. What would only be refused again is not tried.
 */
const due = `SELECT c.id, c.account FROM cbdc_purse_certificates c
  JOIN cbdc_accounts p ON p.number = c.account
  JOIN cbdc_vouchers v ON v.certificate = c.id AND v.nonce = p.nonce AND v.state = 'waiting'
  LEFT JOIN cbdc_accounts q ON q.number = v.payee
  WHERE c.currency = ? AND c.account > ? AND c.spent < c.cap AND c.used < c.most AND c.valid_until > ? AND p.closed = 0
    AND (
      q.closed = 0 AND q.holds = 0 AND q.currency = c.currency AND q.lead <> p.lead
      AND q.class IN ('person', 'merchant', 'purse', 'reserve', 'treasury')
      AND v.amount <= p.credits_posted - p.debits_posted - p.debits_pending - p.frozen
      AND (p.holds = 0 OR p.holds = 1 AND EXISTS (SELECT 1 FROM cbdc_purse_certificates f
        JOIN cbdc_orders o ON o.id = f.freeze_order WHERE f.account = c.account AND o.ended_at IS NULL))
      OR q.holds > 0 AND (c.expires + c.valid_until) / 2 <= ? AND v.reason = 'payee_cannot_receive'
        AND EXISTS (SELECT 1 FROM cbdc_vouchers b
          WHERE b.certificate = c.id AND b.state = 'waiting' AND b.nonce > v.nonce)
    )
  ORDER BY c.account LIMIT ${roundMost}`

const name = 'vouchers'

const retryCurrency = async (desk: Desk, fence: Fence, { number: currency }: Currency): Promise<number> => {
  const { store, clock } = desk.house
  const after = (await readPlace(store.read, name, currency))?.place ?? 0
  const now = Math.floor(clock.now() / 1_000)
  const found = await store.read<Row & { id: string; account: number }>(due, [currency, after, now, now])
  if (found.length === 0 && after === 0) return 0
  await desk.ledger.execute({
    ...{ operation: 'retryVouchers', requires: orderRequires.upkeep, caller: itself, input: { currency, after } },
    chains: [],
    async answer(held) {
      await fence(held.tx)
      const accounts = found.map(({ account }) => account)
      await held.book.load(accounts)
      await loadPurses(held, store.dialect, accounts)
      for (const { id } of found) await settle(desk, held, await openPurse(held, id))
      const last = found.length < roundMost ? 0 : (found.at(-1)?.account ?? 0)
      await writePlace(held.tx, name, currency, { day: 0, place: last, complete: last === 0 })
    },
  })
  return found.length
}

/** Enters vouchers that were handed in before and can be paid now. @returns `roundMost` when there may be more. */
export const retryVouchers = (desk: Desk, fence: Fence): Promise<number> =>
  eachCurrency(
    desk,
    ({ policy }) => policy !== undefined,
    currency => retryCurrency(desk, fence, currency),
  )
