import type { Caller, HolderCaller, ProvenCredential } from '../../../kernel/gate.ts'
import { accountNotYours, pseudonymMissing } from '../errors.ts'
import type { KycPlace } from '../ledger/facts.ts'
import type { Currency } from './currencies.ts'
import { type Ask, type Dialect, perDialect } from './rows.ts'

/** The domain of a currency's pseudonyms: one a person, whichever bank asks. */
export const pseudonymDomain = (code: string): string => `cbdc:${code.toLowerCase()}`

export const kycOf = ({ matched }: HolderCaller): ProvenCredential => {
  const kyc = matched['kyc']
  if (kyc === undefined) throw new Error('the caller does not meet the requirement')
  return kyc
}

/** @throws Refusal pseudonym_missing */
export const pseudonymOf = (caller: HolderCaller, { code }: Pick<Currency, 'code'>): string => {
  const pseudonym = kycOf(caller).claims['pseudonym'] as { domain?: unknown; value?: unknown } | undefined
  if (pseudonym?.domain === pseudonymDomain(code) && typeof pseudonym.value === 'string') return pseudonym.value
  throw pseudonymMissing(pseudonymDomain(code))
}

/** Where the attestation has its status, to be looked at again with every payment. */
export const kycPlaceOf = (kyc: ProvenCredential, issuer: string): KycPlace | null => {
  if (kyc.status === undefined) return null
  const expiry = Date.parse(String(kyc.claims['expiryDate'])) + 86_400_000
  const until = Math.min(kyc.validUntil ?? Number.POSITIVE_INFINITY, expiry)
  return { issuer, list: kyc.status.list, index: kyc.status.index, until }
}

type Leads = ReadonlyMap<string, number>

const leadName = (currency: number, pseudonym: string): string => `${currency} ${pseudonym}`

const byPseudonym = perDialect(dialect => {
  const [list, currency] =
    dialect === 'sqlite' ? ['json_each(?) v', ''] : ['json_array_elements(?::json) v', '::bigint']
  return `SELECT p.currency, p.pseudonym, p.lead FROM ${list} JOIN cbdc_persons p
    ON p.currency = (v.value ->> 0)${currency} AND p.pseudonym = v.value ->> 1`
})

/** The lead accounts of those of these callers who have one: read together for a whole batch. A lead never changes. */
export const readLeads = async (
  ask: Ask,
  dialect: Dialect,
  callers: readonly Caller[],
  currencies: readonly Currency[],
): Promise<Leads> => {
  const asked = callers.flatMap(caller => {
    if (caller.kind !== 'holder') return []
    const { domain, value } = (caller.matched['kyc']?.claims['pseudonym'] ?? {}) as {
      domain?: unknown
      value?: unknown
    }
    const currency = currencies.find(({ code }) => pseudonymDomain(code) === domain)
    return currency === undefined || typeof value !== 'string' ? [] : [[currency.number, value]]
  })
  if (asked.length < 2) return new Map()
  const rows = await ask<{ currency: number; pseudonym: string; lead: number }>(byPseudonym[dialect], [
    JSON.stringify(asked),
  ])
  return new Map(rows.map(({ currency, pseudonym, lead }) => [leadName(currency, pseudonym), lead]))
}

const foreseen = new WeakMap<Ask, Leads>()

/** `leadOf` looks here first when it is given this `ask`. */
export const foresee = (ask: Ask, leads: Leads): void => void foreseen.set(ask, leads)

/** The person's lead account in a currency; undefined before they have one. */
export const leadOf = async (ask: Ask, currency: number, pseudonym: string): Promise<number | undefined> => {
  const known = foreseen.get(ask)?.get(leadName(currency, pseudonym))
  if (known !== undefined) return known
  const sql = 'SELECT lead FROM cbdc_persons WHERE currency = ? AND pseudonym = ?'
  return (await ask<{ lead: number }>(sql, [currency, pseudonym]))[0]?.lead
}

/**
 * That these accounts are the caller's own.
 * @throws Refusal account_not_yours, which also answers for accounts that do not exist; pseudonym_missing
 */
export const assertOwner = async (
  ask: Ask,
  caller: HolderCaller,
  currency: Pick<Currency, 'code' | 'number'>,
  accounts: readonly { lead: number; currency: number }[],
): Promise<void> => {
  const lead = await leadOf(ask, currency.number, pseudonymOf(caller, currency))
  if (lead === undefined || accounts.some(account => account.lead !== lead)) throw accountNotYours()
}
