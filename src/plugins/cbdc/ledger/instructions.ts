import type { EntryOf } from '../../../kernel/ledger-entry.ts'
import { dueAt, isSchedule } from './calendar.ts'
import type { Instruction, State } from './state.ts'
import {
  alone,
  assert,
  assertAmount,
  credit,
  type Handler,
  Invalid,
  isPast,
  known,
  moved,
  receivable,
  spend,
  spoken,
} from './validity.ts'

/**
 * Who may not pay, or be paid, now lays nothing down for later; that there is money, and room for it, is asked when it is due. An
 * instruction costs its payer nothing, so an amount that it did not fit would tell what the payee has received.
 */
export const instruct: Handler<EntryOf<'instruct'>> = (state, entry, signer, batchTime) => {
  const { account: from, to, currency, amount, first, unit, every, times } = entry
  assertAmount(amount)
  assert(from !== to, 'account_same')
  const payer = spoken(state, from, entry, signer, batchTime)
  assert(payer.currency === currency, 'currency_mismatch')
  // What was due before it was laid down would be paid all at once.
  assert(isSchedule(entry) && !isPast(first, batchTime), 'instruction_schedule')
  assert(payer.holds === 0, 'account_frozen')
  assert(payer.side === 0, 'funds_insufficient')
  receivable(state, to, currency)
  const number = state.nextInstruction
  const now: Instruction = { number, from, to, currency, amount, first, unit, every, times, next: 0 }
  return { ...alone(payer), instruction: { number, now }, nextInstruction: number + 1 }
}

/** An instruction of another account is none to whoever asks. */
const standing = (state: State, number: number, from: number): Instruction => {
  const instruction = state.instruction(number)
  if (instruction === undefined || instruction.from !== from) throw new Invalid('instruction_unknown')
  return instruction
}

/** Of a closed account none is paid, so closing an account ends whatever it instructed. */
export const instalment: Handler<EntryOf<'instalment'>> = (state, entry, _signer, batchTime) => {
  const { instruction: number, index, from, to, currency, amount } = entry
  const payer = known(state, from)
  const instruction = standing(state, number, from)
  const due = dueAt(instruction, index)
  assert(index >= instruction.next && due !== undefined, 'instalment_index')
  assert(due !== undefined && isPast(due, batchTime), 'instalment_early')
  const same = to === instruction.to && currency === instruction.currency && amount === instruction.amount
  assert(same, 'instruction_terms')
  assert(payer.holds === 0, 'account_frozen')
  const change = moved(spend(payer, amount), credit(receivable(state, to, currency), amount), currency)
  const goesOn = dueAt(instruction, index + 1) !== undefined
  return { ...change, instruction: { number, now: goesOn ? { ...instruction, next: index + 1 } : null } }
}

export const revoke: Handler<EntryOf<'revoke'>> = (state, entry, signer, batchTime) => {
  const { account, instruction: number } = entry
  known(state, account)
  standing(state, number, account)
  return { ...alone(spoken(state, account, entry, signer, batchTime)), instruction: { number, now: null } }
}
