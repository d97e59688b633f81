import type { MonitoredAccount, MonitoredPayment, MonitoringRules, RuleRows, RuleVerdict } from './ledger/monitoring.ts'
import { amountMost } from './ledger/state.ts'

/**
 * Two rules of the regulator. They concern customers, never banks and accounts of the currency itself, and leave alone
 * what a person moves between accounts of their own. What they remember stands at the person's lead account, so that
 * several accounts do not help. A payment counts when it is made or reserved; a reservation that comes back stays
 * counted.
 */

/**
 * Amounts within `marginPercent` below a threshold, and at it: from `mostInDay + 1` of them in 24 hours on they are
 * stopped.
 */
export type StructuringSettings = {
  thresholds: readonly {
    currency: number
    /** KYC level of the payer; null: every level. */
    level: number | null
    thresholdMinor: bigint
  }[]
  /** 1 to 50. */
  marginPercent: number
  /** 1 to 16. */
  mostInDay: number
}

/**
 * Whoever pays out `sharePercent` of what came in, no later than `withinSeconds` after the last of it, passed it on.
 * From `mostInDay + 1` times in 24 hours on the payment that would complete it is stopped.
 */
export type RapidMovementSettings = {
  withinSeconds: number
  /** 50 to 100. */
  sharePercent: number
  /** What has to have come in for it to count, a currency; one that is not named is not watched. */
  least: readonly { currency: number; leastMinor: bigint }[]
  /** 1 to 16. */
  mostInDay: number
}

export type RuleSettings = { structuring: StructuringSettings; rapidMovement: RapidMovementSettings }

export const structuring = { id: 'structuring', version: 1 } as const
export const rapidMovement = { id: 'rapid-movement', version: 1 } as const

/** Times of which each rule remembers the last, in seconds. */
const timesMost = 16
const timesBytes = 4 * timesMost
const daySeconds = 86_400

/**
 * Layout of a row: its number, how many times of structuring and of passing on follow, seconds of the last receipt, received,
 * paid out, then the times. Big-endian. Most people have none, so that a row has a sixth of the bytes it would have with
 * fixed places.
 */
const layout = 2
const timesAt = 3 + 4 + 8 + 8
/** The most that a row has. */
export const rowBytesMost = timesAt + 2 * timesBytes

/** Rows as they were first: fixed places for the times (0: none), then what came in and was paid. They are read as they are. */
const fixedLayout = 1
const fixedInflowAt = 1 + 2 * timesBytes
const fixedBytes = fixedInflowAt + 4 + 8 + 8

/**
 * What is remembered of a person. Times are the newest first; 0: none. `received` and `paid` count from the first
 * receipt on.
 */
export type Memory = {
  structured: readonly number[]
  passedOn: readonly number[]
  receivedAt: number
  received: bigint
  paid: bigint
}

const blank: Memory = { structured: [], passedOn: [], receivedAt: 0, received: 0n, paid: 0n }

const readTimes = (row: Buffer, at: number, count: number): number[] =>
  count === 0 ? [] : Array.from({ length: count }, (_, place) => row.readUInt32BE(at + 4 * place))

const readInflow = (row: Buffer, at: number): Pick<Memory, 'receivedAt' | 'received' | 'paid'> => ({
  receivedAt: row.readUInt32BE(at),
  received: row.readBigUInt64BE(at + 4),
  paid: row.readBigUInt64BE(at + 12),
})

const readFixed = (row: Buffer): Memory => ({
  structured: readTimes(row, 1, timesMost).filter(time => time !== 0),
  passedOn: readTimes(row, 1 + timesBytes, timesMost).filter(time => time !== 0),
  ...readInflow(row, fixedInflowAt),
})

/**
 * No row: nothing is remembered yet. A row that is of no known layout is not guessed at: what its account did is not
 * known, so the rules refuse its payments and leave it as it is.
 * @returns undefined for such a row.
 */
export const readMemory = (row: Uint8Array | undefined): Memory | undefined => {
  if (row === undefined) return blank
  const bytes = Buffer.isBuffer(row) ? row : Buffer.from(row.buffer, row.byteOffset, row.byteLength)
  if (bytes[0] === fixedLayout && bytes.length === fixedBytes) return readFixed(bytes)
  const [number, structured = 0, passedOn = 0] = bytes
  if (number !== layout || structured > timesMost || passedOn > timesMost) return undefined
  if (bytes.length !== timesAt + 4 * (structured + passedOn)) return undefined
  return {
    structured: readTimes(bytes, timesAt, structured),
    passedOn: readTimes(bytes, timesAt + 4 * structured, passedOn),
    ...readInflow(bytes, 3),
  }
}

export const writeMemory = (memory: Memory): Uint8Array => {
  const structured = memory.structured.slice(0, timesMost)
  const passedOn = memory.passedOn.slice(0, timesMost)
  const row = Buffer.allocUnsafe(timesAt + 4 * (structured.length + passedOn.length))
  row[0] = layout
  row[1] = structured.length
  row[2] = passedOn.length
  row.writeUInt32BE(memory.receivedAt, 3)
  row.writeBigUInt64BE(memory.received, 7)
  row.writeBigUInt64BE(memory.paid, 15)
  let at = timesAt
  for (const times of [structured, passedOn]) for (const time of times) at = row.writeUInt32BE(time, at)
  return row
}

const secondsOf = ({ at }: MonitoredPayment): number => Math.floor(at / 1_000)
/** A time that is not past, as after a clock was moved back, counts too. */
const inLastDay = (times: readonly number[], now: number): number =>
  times.filter(time => now - time < daySeconds).length
const remembered = (times: readonly number[], now: number): number[] => [now, ...times].slice(0, timesMost)
const atMost = (sum: bigint): bigint => (sum > amountMost ? amountMost : sum)

const isJustBelow = (settings: StructuringSettings, { payer, currency, amount }: MonitoredPayment): boolean =>
  settings.thresholds.some(
    ({ currency: of, level, thresholdMinor }) =>
      of === currency &&
      (level === null || level === payer.level) &&
      amount <= thresholdMinor &&
      amount * 100n >= thresholdMinor * BigInt(100 - settings.marginPercent),
  )

/** Whether this payment, made now, brings what is paid out to nearly all of what just came in. */
const passesOn = (settings: RapidMovementSettings, memory: Memory, payment: MonitoredPayment): boolean => {
  const least = settings.least.find(({ currency }) => currency === payment.currency)?.leastMinor
  if (least === undefined || memory.received === 0n || memory.received < least) return false
  if (secondsOf(payment) - memory.receivedAt > settings.withinSeconds) return false
  return (memory.paid + payment.amount) * 100n >= memory.received * BigInt(settings.sharePercent)
}

/** @throws RangeError for settings that the rules cannot keep to. */
const assertSettings = ({ structuring: below, rapidMovement: rapid }: RuleSettings): void => {
  const within = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most
  const holds =
    within(below.marginPercent, 1, 50) &&
    within(below.mostInDay, 1, timesMost) &&
    below.thresholds.every(({ thresholdMinor }) => thresholdMinor > 0n && thresholdMinor <= amountMost) &&
    within(rapid.withinSeconds, 1, daySeconds) &&
    within(rapid.sharePercent, 50, 100) &&
    within(rapid.mostInDay, 1, timesMost) &&
    rapid.least.every(({ leastMinor }) => leastMinor > 0n && leastMinor <= amountMost)
  if (!holds) throw new RangeError('the settings of the monitoring rules are out of their ranges')
}

const afterPaying = (settings: RuleSettings, memory: Memory, payment: MonitoredPayment): Memory => {
  const now = secondsOf(payment)
  const structured = isJustBelow(settings.structuring, payment) ? remembered(memory.structured, now) : memory.structured
  if (!passesOn(settings.rapidMovement, memory, payment)) {
    return { ...memory, structured, paid: atMost(memory.paid + payment.amount) }
  }
  // The next time counts from the next receipt on.
  const passedOn = remembered(memory.passedOn, now)
  return { structured, passedOn, receivedAt: 0, received: 0n, paid: 0n }
}

/** What comes in while something has just come in counts with it; else it begins anew. */
const afterReceiving = (
  { rapidMovement: { withinSeconds } }: RuleSettings,
  memory: Memory,
  payment: MonitoredPayment,
): Memory => {
  const now = secondsOf(payment)
  const goesOn = memory.received > 0n && now - memory.receivedAt <= withinSeconds
  return goesOn
    ? { ...memory, receivedAt: now, received: atMost(memory.received + payment.amount) }
    : { ...memory, receivedAt: now, received: payment.amount, paid: 0n }
}

const customers = new Set(['person', 'merchant', 'purse'])
const isWatched = (account: MonitoredAccount): boolean => customers.has(account.class)
/** Between two accounts of one person. */
const isOwn = ({ payer, payee }: MonitoredPayment): boolean => payer.lead === payee.lead

/**
 * The rules under settings that hold as long as the process runs.
 * @throws RangeError for settings out of their ranges.
 */
export const openRules = (settings: RuleSettings): MonitoringRules => {
  assertSettings(settings)
  const judgeAll = (memory: Memory | undefined, payment: MonitoredPayment): { below: boolean; rapid: boolean } => {
    if (memory === undefined) return { below: false, rapid: false }
    const now = secondsOf(payment)
    const { structuring: below, rapidMovement: rapid } = settings
    return {
      below: !isJustBelow(below, payment) || inLastDay(memory.structured, now) < below.mostInDay,
      rapid: !passesOn(rapid, memory, payment) || inLastDay(memory.passedOn, now) < rapid.mostInDay,
    }
  }
  return {
    keys: batch => [...new Set(batch.flatMap(({ payer, payee }) => [payer.lead, payee.lead]))],
    judge(rows: RuleRows, payment: MonitoredPayment): readonly RuleVerdict[] {
      const free = !isWatched(payment.payer) || isOwn(payment)
      const { below, rapid } = free
        ? { below: true, rapid: true }
        : judgeAll(readMemory(rows(payment.payer.lead)), payment)
      return [
        { ...structuring, outcome: below ? 'passed' : 'refused' },
        { ...rapidMovement, outcome: rapid ? 'passed' : 'refused' },
      ]
    },
    advance(rows: RuleRows, payment: MonitoredPayment): ReadonlyMap<number, Uint8Array> {
      const next = new Map<number, Uint8Array>()
      if (isOwn(payment)) return next
      const { payer, payee } = payment
      const [paying, receiving] = [readMemory(rows(payer.lead)), readMemory(rows(payee.lead))]
      if (isWatched(payer) && paying !== undefined) {
        next.set(payer.lead, writeMemory(afterPaying(settings, paying, payment)))
      }
      if (isWatched(payee) && receiving !== undefined) {
        next.set(payee.lead, writeMemory(afterReceiving(settings, receiving, payment)))
      }
      return next
    },
  }
}
