import type { Entry } from '../../../../kernel/ledger-entry.ts'
import type { Store, Tx } from '../../../../kernel/ports.ts'
import { afterPaid, firstTurn, type Turn } from '../../ledger/instalments.ts'
import type { Change, Instruction } from '../../ledger/state.ts'
import { countStanding, type InstructionRow, readInstructions, writeInstructions } from './rows.ts'

/** The part of a batch under way that is about standing instructions. */
export type InstructionBook = {
  get(number: number): InstructionRow | undefined
  standing(number: number): Instruction | undefined
  /** @returns the accounts of those that were found. */
  load(numbers: Iterable<number>): Promise<number[]>
  /** How many of an account are carried out, once that was loaded. */
  loadCounts(payers: Iterable<number>): Promise<void>
  countOf(payer: number): number
  enter(change: NonNullable<Change['instruction']>, entry: Entry, number: number): void
  /** Changes what the round knows of an instruction. */
  alter(number: number, turn: Partial<Turn>): void
  write(): Promise<void>
}

type Parts = {
  tx: Tx
  dialect: Store['dialect']
  /** Changes a map so that it can be taken back. */
  set<K, V>(map: Map<K, V>, key: K, value: V): void
}

const laidDown = (now: Instruction, entry: number): InstructionRow => ({
  ...{ ...now, ...firstTurn(now) },
  ...{ entry, state: 'standing', endedBy: null },
})

const instructionAfter = (
  before: InstructionRow | undefined,
  { now }: NonNullable<Change['instruction']>,
  entry: Entry,
  number: number,
): InstructionRow => {
  if (before === undefined) {
    if (now === null) throw new Error('an instruction that was not laid down cannot end')
    return laidDown(now, number)
  }
  if (entry.kind !== 'instalment') return { ...before, state: 'revoked', endedBy: number, nextDue: null }
  const after = { ...before, ...afterPaid(before, before, entry.index), next: entry.index + 1 }
  return now === null ? { ...after, state: 'completed', endedBy: number, nextDue: null } : after
}

export const openInstructions = ({ tx, dialect, set }: Parts): InstructionBook => {
  const rows = new Map<number, InstructionRow>()
  const stored = new Map<number, InstructionRow>()
  const counts = new Map<number, number>()

  const put = (after: InstructionRow): void => {
    const before = rows.get(after.number)
    const delta = Number(after.nextDue !== null) - Number(before !== undefined && before.nextDue !== null)
    const count = counts.get(after.from)
    if (count !== undefined && delta !== 0) set(counts, after.from, count + delta)
    set(rows, after.number, after)
  }
  return {
    get: number => rows.get(number),
    standing(number) {
      const known = rows.get(number)
      return known?.state === 'standing' ? known : undefined
    },
    async load(numbers) {
      const all = [...new Set(numbers)]
      const found = await readInstructions(
        tx.query,
        dialect,
        all.filter(number => number !== 0 && !rows.has(number)),
      )
      for (const row of found) {
        rows.set(row.number, row)
        stored.set(row.number, row)
      }
      return all.flatMap(number => {
        const row = rows.get(number)
        return row === undefined ? [] : [row.from, row.to]
      })
    },
    async loadCounts(payers) {
      const wanted = [...new Set(payers)].filter(payer => !counts.has(payer))
      const found = await countStanding(tx.query, dialect, wanted)
      for (const payer of wanted) {
        // What this batch laid down so far is not in the table yet.
        const fresh = [...rows.values()].filter(
          row => row.from === payer && !stored.has(row.number) && row.nextDue !== null,
        )
        const ended = [...stored.values()].filter(
          row => row.from === payer && row.nextDue !== null && rows.get(row.number)?.nextDue === null,
        )
        counts.set(payer, (found.get(payer) ?? 0) + fresh.length - ended.length)
      }
    },
    countOf: payer => counts.get(payer) ?? 0,
    enter: (change, entry, number) => put(instructionAfter(rows.get(change.number), change, entry, number)),
    alter(number, turn) {
      const row = rows.get(number)
      if (row === undefined) throw new Error(`the instruction ${number} was not loaded`)
      put({ ...row, ...turn })
    },
    async write() {
      const fresh = [...rows.values()].filter(({ number }) => !stored.has(number))
      const changed = [...stored.values()].flatMap(before => {
        const after = rows.get(before.number)
        return after === undefined || after === before ? [] : [after]
      })
      await writeInstructions(tx, dialect, fresh, changed)
    },
  }
}
