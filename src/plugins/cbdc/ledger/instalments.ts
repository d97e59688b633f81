import { dueAt, type Schedule } from './calendar.ts'

/** What policy knows of an instruction: whose turn it is, and what became of the others. Times in seconds. */
export type Turn = {
  /** The instalment that is tried next. */
  turn: number
  /** When it is tried; null: never again. */
  nextDue: number | null
  paid: number
  missed: number
  /** The last that was missed, and why. */
  missedIndex: number | null
  missedReason: string | null
  /** Why the one whose turn it is could not be paid so far. */
  waitingReason: string | null
}

const retrySeconds = 3_600
const patienceSeconds = 86_400

export const firstTurn = (schedule: Schedule): Turn => ({
  ...{ turn: 0, nextDue: dueAt(schedule, 0) ?? null, paid: 0, missed: 0 },
  ...{ missedIndex: null, missedReason: null, waitingReason: null },
})

const next = (schedule: Schedule, turn: Turn, index: number): Turn => ({
  ...turn,
  ...{ turn: index, nextDue: dueAt(schedule, index) ?? null, waitingReason: null },
})

export const afterPaid = (schedule: Schedule, turn: Turn, index: number): Turn => ({
  ...next(schedule, turn, index + 1),
  paid: turn.paid + 1,
})

/**
 * What could not be paid is tried again every hour, for the last time when a day has passed since it was due or the next one
 * is; then it is missed, and the instruction goes on. A closed account pays nothing any more.
 * @param why code of the refusal. @param at in seconds.
 */
export const afterFailing = (schedule: Schedule, turn: Turn, why: string, at: number): Turn => {
  if (why === 'account_closed') return { ...turn, nextDue: null, waitingReason: why }
  const index = turn.turn
  const due = dueAt(schedule, index) ?? 0
  const until = Math.min(due + patienceSeconds, dueAt(schedule, index + 1) ?? Number.POSITIVE_INFINITY)
  if (at < until) return { ...turn, nextDue: Math.min(at + retrySeconds, until), waitingReason: why }
  const missed = { missed: turn.missed + 1, missedIndex: index, missedReason: why }
  return { ...next(schedule, turn, index + 1), ...missed }
}
