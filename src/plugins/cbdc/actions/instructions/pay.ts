import type { Row } from '../../../../kernel/ports.ts'
import { isRefusal } from '../../../../kernel/refusal.ts'
import { timeId } from '../../../../kernel/time-id.ts'
import { afterFailing } from '../../ledger/instalments.ts'
import { orderRequires, roundMost } from '../../policy.ts'
import type { BookItem } from '../book.ts'
import type { Desk } from '../desk.ts'
import type { Held, ItemOutcome } from '../enter.ts'
import { type Fence, itself } from '../orders/rounds.ts'
import type { InstructionRow } from './rows.ts'

const secondOf = (at: number): number => Math.floor(at / 1_000)

const isDue = (instruction: InstructionRow | undefined, at: number): instruction is InstructionRow =>
  instruction !== undefined && instruction.nextDue !== null && instruction.nextDue <= secondOf(at)

/** With an id, by which its parties can ask for a receipt. */
const instalmentOf = ({ number, turn, from, to, currency, amount }: InstructionRow, at: number): BookItem => ({
  entry: { kind: 'instalment', instruction: number, index: turn, from, to, currency, amount },
  id: timeId(at),
  signer: undefined,
})

const refusalOf = (outcomes: readonly ItemOutcome[] | undefined): string | undefined => {
  const [outcome] = outcomes ?? []
  return outcome !== undefined && 'refusal' in outcome ? outcome.refusal.code : undefined
}

const upkeep = { operation: 'payInstalments', requires: orderRequires.upkeep, caller: itself }

/** Those whose time has come, of these; whoever else tried them meanwhile has moved their turn. */
const dueOf = async ({ tx, book }: Held, fence: Fence, numbers: readonly number[]): Promise<InstructionRow[]> => {
  await fence(tx)
  await book.loadInstructions(numbers)
  return numbers.map(number => book.instruction(number)).filter(row => isDue(row, book.at))
}

const failed = ({ book }: Held, instruction: InstructionRow, why: string): void =>
  book.alterTurn(instruction.number, afterFailing(instruction, instruction, why, secondOf(book.at)))

/** @returns whether one of them is due again at once. */
const payAll = (desk: Desk, fence: Fence, numbers: readonly number[]): Promise<boolean> => {
  let tried: InstructionRow[] = []
  return desk.ledger.execute({
    ...{ ...upkeep, input: numbers },
    async chains(held) {
      tried = await dueOf(held, fence, numbers)
      return tried.map(instruction => [instalmentOf(instruction, held.book.at)])
    },
    answer(held, outcomes) {
      for (const [place, instruction] of tried.entries()) {
        const why = refusalOf(outcomes[place])
        if (why !== undefined) failed(held, instruction, why)
      }
      return tried.some(({ number }) => isDue(held.book.instruction(number), held.book.at))
    },
  })
}

/** One that breaks instead of being refused waits as the others do. */
const putOff = (desk: Desk, fence: Fence, number: number): Promise<void> =>
  desk.ledger.execute({
    ...{ ...upkeep, input: [number], chains: [] },
    async answer(held) {
      for (const instruction of await dueOf(held, fence, [number])) failed(held, instruction, 'defect')
    },
  })

/** @throws what broke, once each has been tried. */
const payEach = async (desk: Desk, fence: Fence, numbers: readonly number[]): Promise<void> => {
  const broken: unknown[] = []
  for (const number of numbers) {
    try {
      await payAll(desk, fence, [number])
    } catch (error) {
      if (isRefusal(error)) throw error
      await putOff(desk, fence, number)
      broken.push(error)
    }
  }
  if (broken.length > 0) throw new AggregateError(broken, 'instalments could not be tried')
}

/**
 * Pays the instalments that are due, one of each instruction in one act; each by itself, so that none keeps the others waiting. What
 * cannot be paid now waits for its next try or is missed. Run twice, or again after a fall, it pays each index once: whose turn
 * it is stands in the row that the entry changes.
 * @returns `roundMost` when there may be more to do at once.
 */
export const payInstalments = async (desk: Desk, fence: Fence): Promise<number> => {
  const { store, clock } = desk.house
  const sql = `SELECT number FROM cbdc_instructions WHERE next_due <= ? ORDER BY next_due, number LIMIT ${roundMost}`
  const rows = await store.read<Row & { number: number }>(sql, [secondOf(clock.now())])
  if (rows.length === 0) return 0
  const numbers = rows.map(({ number }) => number)
  try {
    return (await payAll(desk, fence, numbers)) ? roundMost : rows.length
  } catch (error) {
    if (isRefusal(error)) throw error
    await payEach(desk, fence, numbers)
    return roundMost
  }
}
