import { dayOf, type LedgerAccount } from './facts.ts'
import { amountMost } from './state.ts'

/** Limits of a KYC level, in minor units; null: none. All accounts of a person count together. */
export type Tier = {
  level: number
  perPaymentMinor: bigint | null
  perDayMinor: bigint | null
  /** What they may hold; more goes to the linked account (waterfall). */
  holdingMinor: bigint | null
}

/** A day-count convention by its name in the field (ISDA 2006, 4.16). */
export const dayCounts = ['ACT/365F', 'ACT/360', 'ACT/ACT'] as const

/** What one purse may pay offline under one certificate, and how long afterwards its vouchers are still entered. */
export type OfflineTerms = { capMinor: bigint; certificateSeconds: number; graceSeconds: number; vouchersMost: number }

/** What counts for a currency from a date on. */
export type CurrencyPolicy = {
  version: number
  /** Milliseconds. */
  validFrom: number
  tiers: readonly Tier[]
  /** What merchants keep when they are swept. */
  merchantsKeepMinor: bigint
  /** How long an institution's change of a key waits, so that its owner can object. */
  keyOrderDelaySeconds: number
  reservationMostSeconds: number
  /** A year's rate in hundredths of a per cent, negative or positive, on what is held above `exemptMinor`. */
  interest: { basisPoints: number; dayCount: (typeof dayCounts)[number]; exemptMinor: bigint } | null
  dormancy: { dormantAfterDays: number; escheatAfterDays: number } | null
  /** How purses pay offline; absent or null: they do not. */
  offline?: OfflineTerms | null
}

/** Why policy stops a payment, in order of precedence. */
export const stops = ['kyc_not_in_force', 'limit_per_payment', 'limit_per_day'] as const
export type Stop = (typeof stops)[number]

/** An account of a customer, to whom tiers and KYC apply. */
export const isCustomer = ({ class: kind }: LedgerAccount): boolean =>
  kind === 'person' || kind === 'merchant' || kind === 'purse'

/** An account of a person's own: what they hold on these, and pay from these, counts together. */
export const isPersonal = ({ class: kind }: Pick<LedgerAccount, 'class'>): boolean =>
  kind === 'person' || kind === 'purse'

const tierOf = (policy: CurrencyPolicy, { level }: LedgerAccount): Tier => {
  // A level that no tier names has nothing: policy is never guessed.
  const none = { level, perPaymentMinor: 0n, perDayMinor: 0n, holdingMinor: 0n }
  return policy.tiers.find(tier => tier.level === level) ?? none
}

const spentOn = (lead: LedgerAccount, day: number): bigint => (lead.day === day ? lead.spent : 0n)

/** @param at the batch's time, in milliseconds. @param kycInForce whether the payer's attestation stands now. */
export const judgePayer = (
  policy: CurrencyPolicy,
  { payer, lead, kycInForce }: { payer: LedgerAccount; lead: LedgerAccount; kycInForce: boolean },
  amount: bigint,
  at: number,
): Stop | undefined => {
  if (!isCustomer(payer)) return undefined
  if (!kycInForce) return 'kyc_not_in_force'
  const { perPaymentMinor, perDayMinor } = tierOf(policy, payer)
  if (payer.class === 'merchant') return undefined
  if (perPaymentMinor !== null && amount > perPaymentMinor) return 'limit_per_payment'
  if (perDayMinor !== null && spentOn(lead, dayOf(at)) + amount > perDayMinor) return 'limit_per_day'
  return undefined
}

/** What a payer may be sure to pay today, in one payment or in several; null: as much as they have. */
export const payableToday = (
  policy: CurrencyPolicy,
  { payer, lead }: { payer: LedgerAccount; lead: LedgerAccount },
  at: number,
): bigint | null => {
  const { perPaymentMinor, perDayMinor } = tierOf(policy, payer)
  const rest = perDayMinor === null ? null : perDayMinor - spentOn(lead, dayOf(at))
  const bounds = [perPaymentMinor, rest].filter(bound => bound !== null)
  const least = bounds.reduce<bigint | null>((most, bound) => (most === null || bound < most ? bound : most), null)
  return least !== null && least < 0n ? 0n : least
}

/** What the payer's counters become. Where no limit counts, the same money may be paid more often than a column can hold. */
export const spend = (lead: LedgerAccount, amount: bigint, at: number): Pick<LedgerAccount, 'day' | 'spent'> => {
  const room = amountMost - spentOn(lead, dayOf(at))
  return { day: dayOf(at), spent: amount > room ? amountMost : amountMost - room + amount }
}

/** How much of what a person would hold is beyond the limit; with an account linked it goes there. */
export const beyondHolding = (policy: CurrencyPolicy, payee: LedgerAccount, held: bigint): bigint => {
  if (!isPersonal(payee)) return 0n
  const { holdingMinor } = tierOf(policy, payee)
  return holdingMinor === null || held <= holdingMinor ? 0n : held - holdingMinor
}
