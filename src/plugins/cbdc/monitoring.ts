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

/** Layout of a row: its number, then what each rule keeps, at fixed places. Big-endian. */
const layout = 1
const inflowAt = 1 + 2 * timesBytes
/** 149: number, times of structuring, times of passing on, then seconds of the last receipt, received, paid out. */
export const rowBytes = inflowAt + 4 + 8 + 8

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

const readTimes = (row: Buffer, at: number): number[] =>
  Array.from({ length: timesMost }, (_, place) => row.readUInt32BE(at + 4 * place)).filter(time => time !== 0)

/**
 * No row: nothing is remembered yet. A row that is not of this layout is not guessed at: what its account did is not
 * known, so the rules refuse its payments and leave it as it is.
 * @returns undefined for such a row.
 */
export const readMemory = (row: Uint8Array | undefined): Memory | undefined => {
  if (row === undefined) return blank
  if (row.length !== rowBytes || row[0] !== layout) return undefined
  const bytes = Buffer.from(row.buffer, row.byteOffset, row.byteLength)
  return {
    structured: readTimes(bytes, 1),
    passedOn: readTimes(bytes, 1 + timesBytes),
    receivedAt: bytes.readUInt32BE(inflowAt),
    received: bytes.readBigUInt64BE(inflowAt + 4),
    paid: bytes.readBigUInt64BE(inflowAt + 12),
  }
}

export const writeMemory = ({ structured, passedOn, receivedAt, received, paid }: Memory): Uint8Array => {
  const row = Buffer.alloc(rowBytes)
  row.writeUInt8(layout, 0)
  for (const [place, time] of structured.slice(0, timesMost).entries()) row.writeUInt32BE(time, 1 + 4 * place)
  for (const [place, time] of passedOn.slice(0, timesMost).entries()) {
    row.writeUInt32BE(time, 1 + timesBytes + 4 * place)
  }
  row.writeUInt32BE(receivedAt, inflowAt)
  row.writeBigUInt64BE(received, inflowAt + 4)
  row.writeBigUInt64BE(paid, inflowAt + 12)
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
