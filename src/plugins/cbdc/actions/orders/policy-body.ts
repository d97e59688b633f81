import { policyInvalid } from '../../errors.ts'
import type { CurrencyPolicy, Tier } from '../../ledger/limits.ts'
import { amountMost } from '../../ledger/state.ts'
import type { Home } from '../currencies.ts'

/** A policy as it is handed in and shown: amounts are decimal strings, null is no limit. */
export type PolicyBody = {
  tiers: {
    level: number
    perPaymentMinor: string | null
    perDayMinor: string | null
    holdingMinor: string | null
  }[]
  merchantsKeepMinor: string
  keyOrderDelaySeconds: number
  reservationMostSeconds: number
  interest: { basisPoints: number; dayCount: 'ACT/365F' | 'ACT/360' | 'ACT/ACT'; exemptMinor: string } | null
  dormancy: { dormantAfterDays: number; escheatAfterDays: number } | null
  offline?: { capMinor: string; certificateSeconds: number; graceSeconds: number; vouchersMost: number } | null
}

export type PolicyTerms = Omit<CurrencyPolicy, 'version' | 'validFrom'>

const amountOf = (text: string, name: string): bigint => {
  const amount = BigInt(text)
  if (amount > amountMost) throw policyInvalid(`${name} is above 9223372036854775807`)
  return amount
}

const limitOf = (text: string | null, name: string): bigint | null => (text === null ? null : amountOf(text, name))

const tierOf = ({ level, ...tier }: PolicyBody['tiers'][number]): Tier => {
  const perPaymentMinor = limitOf(tier.perPaymentMinor, 'perPaymentMinor')
  const perDayMinor = limitOf(tier.perDayMinor, 'perDayMinor')
  const holdingMinor = limitOf(tier.holdingMinor, 'holdingMinor')
  if (perDayMinor !== null && (perPaymentMinor === null || perPaymentMinor > perDayMinor)) {
    throw policyInvalid(`a payment of level ${level} may be larger than what may be paid in a day`)
  }
  return { level, perPaymentMinor, perDayMinor, holdingMinor }
}

/**
 * The policy, once it holds together. What the schema of the body says was checked before.
 * @throws Refusal policy_invalid, which names what contradicts what
 */
export const policyTerms = (body: PolicyBody, home: Home): PolicyTerms => {
  const { interest, dormancy, offline, keyOrderDelaySeconds, reservationMostSeconds } = body
  const tiers = body.tiers.map(tierOf)
  if (new Set(tiers.map(({ level }) => level)).size !== tiers.length) throw policyInvalid('a level has two tiers')
  if (interest !== null && home === 'chain') {
    throw policyInvalid('interest is paid only in currencies that are at home on the ledger')
  }
  if (dormancy !== null && dormancy.escheatAfterDays <= dormancy.dormantAfterDays) {
    throw policyInvalid('an account escheats before it counts as dormant')
  }
  return {
    ...{ tiers, dormancy, keyOrderDelaySeconds, reservationMostSeconds },
    merchantsKeepMinor: amountOf(body.merchantsKeepMinor, 'merchantsKeepMinor'),
    interest: interest && { ...interest, exemptMinor: amountOf(interest.exemptMinor, 'exemptMinor') },
    offline: offline ? { ...offline, capMinor: amountOf(offline.capMinor, 'capMinor') } : null,
  }
}

const shown = (limit: bigint | null): string | null => (limit === null ? null : String(limit))

export const policyView = (policy: CurrencyPolicy) => ({
  version: policy.version,
  validFrom: new Date(policy.validFrom).toISOString(),
  tiers: policy.tiers.map(tier => ({
    level: tier.level,
    perPaymentMinor: shown(tier.perPaymentMinor),
    perDayMinor: shown(tier.perDayMinor),
    holdingMinor: shown(tier.holdingMinor),
  })),
  merchantsKeepMinor: String(policy.merchantsKeepMinor),
  keyOrderDelaySeconds: policy.keyOrderDelaySeconds,
  reservationMostSeconds: policy.reservationMostSeconds,
  interest: policy.interest && { ...policy.interest, exemptMinor: String(policy.interest.exemptMinor) },
  dormancy: policy.dormancy && { ...policy.dormancy },
  offline: policy.offline ? { ...policy.offline, capMinor: String(policy.offline.capMinor) } : null,
})
