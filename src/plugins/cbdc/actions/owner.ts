import type { HolderCaller, ProvenCredential } from '../../../kernel/gate.ts'
import { accountNotYours, pseudonymMissing } from '../errors.ts'
import type { KycPlace } from '../ledger/facts.ts'
import type { Currency } from './currencies.ts'
import type { Ask } from './rows.ts'

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

/** The person's lead account in a currency; undefined before they have one. */
export const leadOf = async (ask: Ask, currency: number, pseudonym: string): Promise<number | undefined> => {
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
