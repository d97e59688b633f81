import type { Row, Store, Tx, Value } from '../../../../kernel/ports.ts'
import type { Turn } from '../../ledger/instalments.ts'
import type { Instruction } from '../../ledger/state.ts'
import { type Ask, type Column, inNumbers, inOrder, integer, perDialect, updateMany } from '../rows.ts'

type Dialect = Store['dialect']

/** An instruction with what became of it. */
export type InstructionRow = Instruction &
  Turn & {
    /** The entry that laid it down, and the one that ended it. */
    entry: number
    state: 'standing' | 'completed' | 'revoked'
    endedBy: number | null
  }

export const instructionColumns = `number, payer, payee, currency, cast(amount AS TEXT) AS amount, first_due, unit, every,
  times, next_index, entry, state, ended_by, turn, next_due, paid, missed, missed_index, missed_reason, waiting_reason`

export const instructionOf = (row: Row): InstructionRow => ({
  number: row['number'] as number,
  from: row['payer'] as number,
  to: row['payee'] as number,
  currency: row['currency'] as number,
  amount: BigInt(row['amount'] as string),
  first: row['first_due'] as number,
  unit: row['unit'] as number,
  every: row['every'] as number,
  times: row['times'] as number,
  next: row['next_index'] as number,
  entry: row['entry'] as number,
  state: row['state'] as InstructionRow['state'],
  endedBy: row['ended_by'] as number | null,
  turn: row['turn'] as number,
  nextDue: row['next_due'] as number | null,
  paid: row['paid'] as number,
  missed: row['missed'] as number,
  missedIndex: row['missed_index'] as number | null,
  missedReason: row['missed_reason'] as string | null,
  waitingReason: row['waiting_reason'] as string | null,
})

const instructionRow = (instruction: InstructionRow): Record<string, Value> => ({
  number: instruction.number,
  payer: instruction.from,
  payee: instruction.to,
  currency: instruction.currency,
  amount: String(instruction.amount),
  first_due: instruction.first,
  unit: instruction.unit,
  every: instruction.every,
  times: instruction.times,
  next_index: instruction.next,
  entry: instruction.entry,
  state: instruction.state,
  ended_by: instruction.endedBy,
  turn: instruction.turn,
  next_due: instruction.nextDue,
  paid: instruction.paid,
  missed: instruction.missed,
  missed_index: instruction.missedIndex,
  missed_reason: instruction.missedReason,
  waiting_reason: instruction.waitingReason,
})

export const readInstructions = async (
  ask: Ask,
  dialect: Dialect,
  numbers: readonly number[],
): Promise<InstructionRow[]> => {
  if (numbers.length === 0) return []
  const sql = `SELECT ${instructionColumns} FROM cbdc_instructions WHERE number ${inNumbers(dialect)}`
  return (await ask(sql, [JSON.stringify(numbers)])).map(instructionOf)
}

/** How many instructions of each account are still carried out. */
export const countStanding = async (
  ask: Ask,
  dialect: Dialect,
  payers: readonly number[],
): Promise<ReadonlyMap<number, number>> => {
  if (payers.length === 0) return new Map()
  const sql = `SELECT payer, count(*) AS standing FROM cbdc_instructions
    WHERE payer ${inNumbers(dialect)} AND next_due IS NOT NULL GROUP BY payer`
  const rows = await ask<{ payer: number; standing: number }>(sql, [JSON.stringify(payers)])
  return new Map(rows.map(({ payer, standing }) => [payer, Number(standing)]))
}

const changing: readonly Column[] = [
  ...['next_index', 'ended_by', 'turn', 'next_due', 'paid', 'missed', 'missed_index'].map(integer),
  ...['state', 'missed_reason', 'waiting_reason'].map((name): Column => ({ name, type: 'TEXT' })),
]
const updateInstructions = perDialect(dialect => updateMany(dialect, 'cbdc_instructions', 'number', changing))

export const writeInstructions = async (
  tx: Tx,
  dialect: Dialect,
  laidDown: readonly InstructionRow[],
  changed: readonly InstructionRow[],
): Promise<void> => {
  if (laidDown.length > 0) tx.insert('cbdc_instructions', laidDown.map(instructionRow))
  if (changed.length > 0) await tx.query(updateInstructions[dialect], [inOrder(changed.map(instructionRow), changing)])
}
