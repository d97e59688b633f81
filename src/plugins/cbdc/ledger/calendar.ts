/** When the instalments of a standing instruction are due: dates by the calendar, in UTC. */

/** Units of time, by their numbers in an entry. */
export const units = { once: 0, day: 1, week: 2, month: 3 } as const
export type UnitName = keyof typeof units
export const unitNames = Object.keys(units) as UnitName[]

/** `first` in seconds; `times` 0: without end. */
export type Schedule = { first: number; unit: number; every: number; times: number }

const secondMost = 0xffffffff
const daySeconds = 86_400

/**
 * So many months after a time, counted from that time itself and never from a date that was moved: the 31st is the last day of
 * a shorter month, and the 31st again in a longer one.
 */
const monthsAfter = (seconds: number, months: number): number => {
  const anchor = new Date(seconds * 1_000)
  const [year, month] = [anchor.getUTCFullYear(), anchor.getUTCMonth() + months]
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const midnight = Date.UTC(year, month, Math.min(anchor.getUTCDate(), lastDay))
  return midnight / 1_000 + (seconds % daySeconds)
}

const after = ({ first, unit, every }: Schedule, index: number): number => {
  if (index === 0) return first
  if (unit === units.day) return first + index * every * daySeconds
  if (unit === units.week) return first + index * every * 7 * daySeconds
  if (unit === units.month) return monthsAfter(first, index * every)
  return Number.NaN
}

/** In seconds. @returns undefined where there is no such instalment, or its time is none that an entry can name. */
export const dueAt = (schedule: Schedule, index: number): number | undefined => {
  if (schedule.times !== 0 && index >= schedule.times) return undefined
  const due = after(schedule, index)
  return due <= secondMost ? due : undefined
}

/** Whether every instalment that is counted has its time. */
export const isSchedule = (schedule: Schedule): boolean => {
  const { unit, every, times } = schedule
  if (unit === units.once) return every === 1 && times === 1
  if (unit > units.month || every === 0) return false
  return times === 0 || dueAt(schedule, times - 1) !== undefined
}
