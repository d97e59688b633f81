import type { Row } from '../../../kernel/ports.ts'
import { currencyUnknown, policyMissing } from '../errors.ts'
import type { CurrencyPolicy } from '../ledger/limits.ts'
import type { Ask } from './rows.ts'

/** Which rail a currency is at home on. On the other there is never more of it than is locked here. */
export type Home = 'ledger' | 'chain'

/** A currency, and the accounts of its own. */
export type Currency = {
  number: number
  /** ISO 4217, or as its issuer registered it. */
  code: string
  /** Minor units of the ledger, and decimals of the token. */
  decimals: number
  home: Home
  issuance: number
  fees: number
  rail: number
  suspense: number
  interest: number
  policy: CurrencyPolicy
}

export type Currencies = {
  all: readonly Currency[]
  /** @throws Refusal currency_unknown, policy_missing */
  of(number: number): Currency
}

const minor = (value: string | null): bigint | null => (value === null ? null : BigInt(value))

type StoredPolicy = {
  tiers: { level: number; perPaymentMinor: string | null; perDayMinor: string | null; holdingMinor: string | null }[]
  merchantsKeepMinor: string
  keyOrderDelaySeconds: number
  reservationMostSeconds: number
  interest: { basisPoints: number; dayCount: 'ACT/365F' | 'ACT/360' | 'ACT/ACT'; exemptMinor: string } | null
  dormancy: { dormantAfterDays: number; escheatAfterDays: number } | null
  offline?: { capMinor: string; certificateSeconds: number; graceSeconds: number; vouchersMost: number } | null
}

export const policyOf = (row: Row): CurrencyPolicy => {
  const stored = JSON.parse(row['policy'] as string) as StoredPolicy
  return {
    ...stored,
    version: row['version'] as number,
    validFrom: row['valid_from'] as number,
    tiers: stored.tiers.map(tier => ({
      level: tier.level,
      perPaymentMinor: minor(tier.perPaymentMinor),
      perDayMinor: minor(tier.perDayMinor),
      holdingMinor: minor(tier.holdingMinor),
    })),
    merchantsKeepMinor: BigInt(stored.merchantsKeepMinor),
    interest: stored.interest && { ...stored.interest, exemptMinor: BigInt(stored.interest.exemptMinor) },
    offline: stored.offline ? { ...stored.offline, capMinor: BigInt(stored.offline.capMinor) } : null,
  }
}

/** As it is stored: amounts as decimal strings. */
export const storedPolicy = ({ version: _, validFrom: __, ...policy }: CurrencyPolicy): string =>
  JSON.stringify(policy, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))

/** The newest policy of each currency that is valid at this time. */
const newest = `SELECT c.number, c.code, c.decimals, c.home, c.issuance, c.fees, c.rail, c.suspense, c.interest,
    p.version, p.valid_from, p.policy
  FROM cbdc_currencies c LEFT JOIN cbdc_policies p ON p.currency = c.number AND p.version = (
    SELECT q.version FROM cbdc_policies q WHERE q.currency = c.number AND q.valid_from <= ?
    ORDER BY q.valid_from DESC, q.version DESC LIMIT 1)
  ORDER BY c.number`

type Read = Omit<Currency, 'policy'> & { policy: CurrencyPolicy | undefined }

const currencyOf = (row: Row): Read => ({
  number: row['number'] as number,
  code: row['code'] as string,
  decimals: row['decimals'] as number,
  home: row['home'] as Home,
  issuance: row['issuance'] as number,
  fees: row['fees'] as number,
  rail: row['rail'] as number,
  suspense: row['suspense'] as number,
  interest: row['interest'] as number,
  policy: row['policy'] === null ? undefined : policyOf(row),
})

/** The currencies with the policy that counts at a time (ms). */
export const readCurrencies = async (ask: Ask, at: number): Promise<Currencies> => {
  const read = (await ask(newest, [at])).map(currencyOf)
  const byNumber = new Map(read.map(currency => [currency.number, currency]))
  const governed = (currency: Read): currency is Currency => currency.policy !== undefined
  return {
    all: read.filter(governed),
    of(number) {
      const currency = byNumber.get(number)
      if (currency === undefined) throw currencyUnknown()
      if (!governed(currency)) throw policyMissing()
      return currency
    },
  }
}
