import { invalidEntry } from '../../errors.ts'
import { programmeEnded, programmeUnknown, purposeAccountTaken, purposeMismatch } from '../../purpose/errors.ts'
import type { Held } from '../enter.ts'
import { type Programme, programmeIn } from './purposes.ts'

type Asked = { class: string; programme?: string | undefined; currency: number }

/**
 * The programme that an account is to be bound to; undefined for accounts without a purpose. One account a person and
 * programme.
 * @param lead of the person; a new account's own number where they have none yet.
 * @throws Refusal purpose_mismatch, programme_unknown, programme_ended, currency_mismatch, purpose_account_taken
 */
export const purposeOf = async (held: Held, asked: Asked, lead: number): Promise<Programme | undefined> => {
  if ((asked.class === 'purpose') !== (asked.programme !== undefined)) throw purposeMismatch()
  if (asked.programme === undefined) return undefined
  const programme = await programmeIn(held, asked.programme)
  if (programme === undefined) throw programmeUnknown()
  if (held.book.at >= programme.endsAt) throw programmeEnded()
  if (programme.currency !== asked.currency) throw invalidEntry('currency_mismatch')
  const sql = 'SELECT account FROM cbdc_purpose_accounts WHERE programme = ? AND lead = ?'
  if ((await held.tx.query(sql, [programme.id, lead])).length > 0) throw purposeAccountTaken()
  return programme
}
