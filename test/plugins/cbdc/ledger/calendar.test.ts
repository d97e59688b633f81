import fc from 'fast-check'
import { dueAt, isSchedule, type Schedule, units } from '../../../../src/plugins/cbdc/ledger/calendar.ts'
import { modelDue } from '../model.ts'

const secondMost = 2 ** 32 - 1
const secondsOf = (text: string): number => Date.parse(text) / 1_000
const shownOf = (seconds: number | undefined): string | undefined =>
  seconds === undefined ? undefined : new Date(seconds * 1_000).toISOString().slice(0, 19)

const repeated: fc.Arbitrary<Schedule> = fc.record({
  first: fc.nat(secondMost),
  unit: fc.constantFrom(units.day, units.week, units.month),
  every: fc.integer({ min: 1, max: 40 }),
  times: fc.constant(0),
})
const indices = fc.nat(1_200)

describe('instalments by the calendar', () => {
  const monthly = (text: string, every = 1): Schedule => ({
    first: secondsOf(text),
    unit: units.month,
    every,
    times: 0,
  })

  it.each([
    ['2026-01-31T08:30:00Z', 1, ['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31']],
    ['2028-01-31T23:59:59Z', 1, ['2028-01-31', '2028-02-29', '2028-03-31', '2028-04-30']],
    ['2027-10-30T00:00:00Z', 2, ['2027-10-30', '2027-12-30', '2028-02-29', '2028-04-30']],
    ['2028-02-29T12:00:00Z', 12, ['2028-02-29', '2029-02-28', '2030-02-28', '2031-02-28', '2032-02-29']],
    ['2099-11-30T12:00:00Z', 3, ['2099-11-30', '2100-02-28', '2100-05-30']],
  ])('from %s every %d months fall on the day itself or the last of a shorter month', (first, every, dates) => {
    const schedule = monthly(first, every)
    const time = first.slice(11, 19)
    expect(dates.map((_, index) => shownOf(dueAt(schedule, index)))).toEqual(dates.map(date => `${date}T${time}`))
  })

  it('are counted from the first, so the order in which they are asked for changes nothing', () => {
    fc.assert(
      fc.property(repeated, indices, (schedule, index) => {
        const due = dueAt(schedule, index)
        const expected = modelDue({ ...schedule, currency: 1, amount: 1n, next: 0 }, index)
        expect(due).toBe(Number.isNaN(expected) ? undefined : expected)
      }),
      { numRuns: 2_000 },
    )
  })

  it('keep the time of the day, come one after another, and a month never is passed over', () => {
    fc.assert(
      fc.property(repeated, indices, (schedule, index) => {
        const [due, next] = [dueAt(schedule, index), dueAt(schedule, index + 1)]
        if (due === undefined || next === undefined) return
        expect(next).toBeGreaterThan(due)
        expect(next % 86_400).toBe(schedule.first % 86_400)
        if (schedule.unit !== units.month) return
        const [a, b] = [new Date(due * 1_000), new Date(next * 1_000)]
        const months = (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth()
        expect(months).toBe(schedule.every)
        expect(b.getUTCDate()).toBeLessThanOrEqual(new Date(schedule.first * 1_000).getUTCDate())
      }),
      { numRuns: 2_000 },
    )
  })

  it('end with the last time that an entry can name', () => {
    const last = (unit: number, every: number): Schedule => ({ first: secondMost, unit, every, times: 0 })
    for (const unit of [units.day, units.week, units.month]) {
      for (const every of [1, 65_535]) {
        expect(dueAt(last(unit, every), 0)).toBe(secondMost)
        expect(dueAt(last(unit, every), 1)).toBeUndefined()
        expect(dueAt({ ...last(unit, every), first: 0 }, 65_535)).toBeUndefined()
      }
    }
    // So an index never needs more than its sixteen bits.
    expect(dueAt({ first: 0, unit: units.day, every: 1, times: 0 }, 49_710)).toBe(secondMost - (secondMost % 86_400))
    expect(dueAt({ first: 0, unit: units.day, every: 1, times: 0 }, 49_711)).toBeUndefined()
  })

  it('are as many as were asked for', () => {
    const thrice: Schedule = { ...monthly('2026-01-31T00:00:00Z'), times: 3 }
    expect([0, 1, 2, 3].map(index => shownOf(dueAt(thrice, index))?.slice(5, 10))).toEqual([
      ...['01-31', '02-28', '03-31'],
      undefined,
    ])
    const once: Schedule = { first: 5, unit: units.once, every: 1, times: 1 }
    expect([dueAt(once, 0), dueAt(once, 1)]).toEqual([5, undefined])
  })
})

describe('a schedule', () => {
  const good: Schedule = { first: secondsOf('2026-01-31T00:00:00Z'), unit: units.month, every: 1, times: 12 }

  it.each<[string, Partial<Schedule>]>([
    ['without end', { times: 0 }],
    ['once', { unit: units.once, times: 1 }],
    ['every 65,535 months, until the end of times', { every: 65_535, times: 0 }],
    ['up to the last second', { first: secondMost, times: 1 }],
  ])('may be %s', (_, change) => {
    expect(isSchedule({ ...good, ...change })).toBe(true)
  })

  it.each<[string, Partial<Schedule>]>([
    ['in a unit that there is not', { unit: 4 }],
    ['every no month', { every: 0 }],
    ['once, and twice', { unit: units.once, times: 2 }],
    ['once, until it is revoked', { unit: units.once, times: 0 }],
    ['once every two', { unit: units.once, times: 1, every: 2 }],
    ['longer than the ledger can name times', { times: 962 }],
    ['of months that no calendar has', { every: 65_535, times: 65_535 }],
  ])('is none %s', (_, change) => {
    expect(isSchedule({ ...good, ...change })).toBe(false)
  })

  it('has its last instalment, whatever it is', () => {
    const any = fc.record({
      ...{ first: fc.nat(secondMost), unit: fc.nat(5), every: fc.nat(65_535), times: fc.nat(65_535) },
    })
    fc.assert(
      fc.property(any, schedule => {
        if (!isSchedule(schedule)) return
        const last = schedule.times === 0 ? 0 : schedule.times - 1
        expect(dueAt(schedule, last)).toBeDefined()
      }),
      { numRuns: 3_000 },
    )
  })
})
