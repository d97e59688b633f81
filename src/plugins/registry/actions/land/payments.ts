import type { House } from '../../../../kernel/perform.ts'
import type { Answer } from '../../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../../kernel/ports.ts'
import { isRefusal } from '../../../../kernel/refusal.ts'
import { paymentNotReserved, paymentReference, paymentUsed, settlementUnavailable } from '../../land/errors.ts'
import type { LedgerFunds, Settlement } from '../../land/needs.ts'
import { collectedARound, paymentMarginMs } from '../../land/policy.ts'
import type { LandDesk } from './desk.ts'

/**
 * Delivery versus payment on a ledger. The buyer reserves the price there, irrevocably until it expires, and names the register as
 * arbiter. The register transfers the title in reliance on that, no later than a margin before the expiry, and notes in the same
 * transaction that the money is due; then it collects, again and again until the ledger has paid. Killed at any moment each side goes
 * on by itself: without a deed the reservation expires, with one the note stands.
 */

const reservationOf = (reference: string): number => {
  if (!/^[1-9][0-9]{0,9}$/.test(reference)) throw paymentReference()
  return Number(reference)
}

export const settlementBy = ({ clock }: Pick<House, 'clock'>, funds: LedgerFunds): Settlement => ({
  async prepare({ amountMinor, currency, reference, payeeAccount }) {
    const found = await funds.inspect(reservationOf(reference))
    const fits = found.currency === currency && found.remainingMinor === amountMinor && found.postedMinor === 0n
    const isSellers = found.payee === payeeAccount
    const lasts = found.expires >= clock.now() + paymentMarginMs
    if (found.state !== 'pending' || found.locked || !isSellers || !fits || !lasts) throw paymentNotReserved()
  },
  async settle(tx, { deed, register, title, amountMinor, currency, reference }) {
    const at = clock.now()
    const [added] = await tx.query(
      `INSERT INTO land_payments
         (reservation, deed, register, title, currency, amount, state, attempts, since, changed)
       VALUES (?, ?, ?, ?, ?, ?, 'due', 0, ?, ?) ON CONFLICT (reservation) DO NOTHING RETURNING reservation`,
      [reservationOf(reference), deed, register, title, currency, String(amountMinor), at, at],
    )
    if (added === undefined) throw paymentUsed()
  },
})

type Due = Row & { reservation: number; attempts: number }

/** @returns what became of it; undefined: not known now, to be tried again */
const collectOne = async (funds: LedgerFunds, reservation: number): Promise<'collected' | 'failed'> => {
  const found = await funds.inspect(reservation)
  if (found.state === 'posted') return 'collected'
  if (found.state !== 'pending') return 'failed'
  await funds.collect(reservation, found)
  return 'collected'
}

/**
 * Collects what is due, the oldest first. What the ledger refuses is tried again; a reservation that has come to another end has
 * failed, and is for the registrar.
 * @returns how many were looked at
 */
export const collectDue = async (
  { store, clock }: Pick<House, 'store' | 'clock'>,
  funds: LedgerFunds,
  check: (tx: Tx) => Promise<void>,
): Promise<number> => {
  const sql = `SELECT reservation, attempts FROM land_payments WHERE state = 'due' ORDER BY attempts, since LIMIT ?`
  const due = await store.read<Due>(sql, [collectedARound])
  for (const { reservation, attempts } of due) {
    let [state, error]: [string, string | null] = ['due', null]
    try {
      state = await collectOne(funds, reservation)
    } catch (cause) {
      // One payment that cannot be read must not hold up the others.
      error = isRefusal(cause) ? cause.code : 'internal'
    }
    await store.transaction(async tx => {
      await check(tx)
      await tx.query('UPDATE land_payments SET state = ?, error = ?, attempts = ?, changed = ? WHERE reservation = ?', [
        ...[state, error, attempts + 1, clock.now(), reservation],
      ])
    })
  }
  return due.length
}

/** What a buyer has to know to reserve the price of a deed. @throws Refusal settlement_unavailable */
export const getPaymentTerms = async ({ funds }: LandDesk): Promise<Answer> => {
  if (funds === undefined) throw settlementUnavailable()
  const { ledger, currency, arbiter } = await funds.terms()
  return { status: 200, body: { ledger, currency, arbiter, marginSeconds: paymentMarginMs / 1_000 } }
}
