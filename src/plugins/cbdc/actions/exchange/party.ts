import { type Caller, holderOf, type Resolved, resolveCases } from '../../../../kernel/gate.ts'
import type { Context } from '../../../../kernel/plugin.ts'
import { accountNotYours, participantUnknown, servicerDiffers } from '../../errors.ts'
import { exchangeRequires } from '../../exchange/policy.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import { kycOf, leadOf, pseudonymDomain, pseudonymOf } from '../owner.ts'
import type { Ask } from '../rows.ts'

/** Who gives one of two payments: the owner of its account, or the institution that has the account or serves it. */

export type Party = { requires: Resolved; caller: Caller }

/** @throws Refusal case_unknown */
export const partyOf = ({ caller, params }: Context): Party => ({
  requires: resolveCases(exchangeRequires.party, params),
  caller,
})

/** An institution's own accounts. @throws Refusal participant_unknown */
const ownAccounts = async (ask: Ask, did: string): Promise<ReadonlySet<number>> => {
  const sql = 'SELECT account FROM cbdc_participants WHERE did = ? AND ended_at IS NULL'
  const own = new Set((await ask<{ account: number }>(sql, [did])).map(({ account }) => account))
  if (own.size === 0) throw participantUnknown()
  return own
}

type Account = Pick<LedgerAccount, 'number' | 'lead' | 'servicer'>
type Coded = { number: number; code: string }

/**
 * That the party may give from this account.
 * @throws Refusal account_not_yours, pseudonym_missing; of institutions participant_unknown, servicer_differs
 */
export const assertGives = async (
  ask: Ask,
  { caller }: Party,
  currency: Coded,
  account: Account | undefined,
): Promise<void> => {
  if (caller.kind === 'agency') {
    const own = await ownAccounts(ask, caller.id)
    if (account === undefined) throw accountNotYours()
    if (!own.has(account.number) && !own.has(account.servicer)) throw servicerDiffers()
    return
  }
  const lead = await leadOf(ask, currency.number, pseudonymOf(holderOf(caller), currency))
  if (lead === undefined || account?.lead !== lead) throw accountNotYours()
}

/** The same as an answer. A customer's pseudonym is of one currency: accounts of another are not known to be theirs. */
export const gives = async (ask: Ask, { caller }: Party, currency: Coded, account: Account): Promise<boolean> => {
  if (caller.kind === 'agency') {
    const own = await ownAccounts(ask, caller.id)
    return own.has(account.number) || own.has(account.servicer)
  }
  const holder = holderOf(caller)
  const pseudonym = kycOf(holder).claims['pseudonym'] as { domain?: unknown } | undefined
  if (pseudonym?.domain !== pseudonymDomain(currency.code)) return false
  return (await leadOf(ask, currency.number, pseudonymOf(holder, currency))) === account.lead
}

/** Whether both accounts are the institution's own. */
export const bothOwn = async (ask: Ask, { caller }: Party, one: number, other: number): Promise<boolean> => {
  if (caller.kind !== 'agency') return false
  const own = await ownAccounts(ask, caller.id)
  return own.has(one) && own.has(other)
}
