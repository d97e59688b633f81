import { disclose } from '../../../../kernel/disclose.ts'
import { nextPage, pageOf } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { dueAt, unitNames } from '../../ledger/calendar.ts'
import { entriesMost, entriesUsual } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { readerOf, seenAccount } from '../reads/who.ts'
import { type InstructionRow, instructionColumns, instructionOf } from './rows.ts'

const timeOf = (seconds: number | null | undefined): string | null =>
  typeof seconds === 'number' ? new Date(seconds * 1_000).toISOString() : null

/** An instruction whose last instalment was missed is completed; the ledger itself only knows those that were paid. */
const stateOf = ({ state, nextDue, waitingReason }: InstructionRow) => {
  if (state !== 'standing' || nextDue !== null) return state
  return waitingReason === 'account_closed' ? 'closed' : 'completed'
}

const instructionView = (row: InstructionRow) => {
  const state = stateOf(row)
  const stands = state === 'standing'
  const { missedIndex, missedReason } = row
  return {
    ...{ instruction: row.number, entry: row.entry, to: row.to, currency: row.currency },
    ...{ amountMinor: String(row.amount), first: timeOf(row.first), unit: unitNames[row.unit], every: row.every },
    ...{ times: row.times, state, paid: row.paid, missed: row.missed },
    nextDue: stands ? timeOf(dueAt(row, row.turn)) : null,
    ...(stands && row.waitingReason !== null && { waiting: { why: row.waitingReason, triedAt: timeOf(row.nextDue) } }),
    ...(missedIndex !== null && { lastMissed: { due: timeOf(dueAt(row, missedIndex)), why: missedReason } }),
  }
}

const place = /^[1-9][0-9]{0,9}$/
/** Above every number of an instruction. */
const beyond = 2 ** 32

/**
 * What an account has instructed, newest first: what is due next, what was paid, and what was missed and why.
 * @throws Refusal account_not_yours, pseudonym_missing, participant_unknown, cursor_malformed
 */
export const listInstructions = async (desk: Pick<Desk, 'house'>, context: Context): Promise<Answer> => {
  const reader = readerOf(desk, context)
  const number = Number(context.params['account'])
  const page = pageOf(context.query, { most: entriesMost, usual: entriesUsual, form: place })
  const body = await disclose(desk.house, {
    ...{ operation: 'listInstructions', requires: reader.requires, caller: reader.caller },
    input: { account: number, ...context.query },
    async read() {
      const account = await seenAccount(desk, reader, number)
      const sql = `SELECT ${instructionColumns} FROM cbdc_instructions WHERE payer = ? AND number < ?
        ORDER BY number DESC LIMIT ?`
      const before = page.after === '' ? beyond : Number(page.after)
      const rows = (await desk.house.store.read(sql, [account.number, before, page.limit])).map(instructionOf)
      const places = rows.map(row => ({ id: String(row.number) }))
      return { items: rows.map(instructionView), ...nextPage(places, page) }
    },
  })
  return { status: 200, body }
}
