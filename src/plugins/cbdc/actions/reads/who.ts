import { type Caller, holderOf, type Resolved, resolveCases } from '../../../../kernel/gate.ts'
import type { Context } from '../../../../kernel/plugin.ts'
import { accountNotYours, currencyUnknown, participantUnknown } from '../../errors.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import { readRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { leadOf, pseudonymOf } from '../owner.ts'
import { readAccounts } from '../rows.ts'

/** Who reads, and what they may see: their own accounts, those that they serve, or all. */
export type Reader = {
  requires: Resolved
  caller: Caller
  /** @throws Refusal pseudonym_missing, participant_unknown, currency_unknown */
  maySee(account: LedgerAccount): Promise<boolean>
}

type Part = Pick<Desk, 'house'>

const codeOf = async ({ house }: Part, currency: number): Promise<{ code: string }> => {
  const sql = 'SELECT code FROM cbdc_currencies WHERE number = ?'
  const [row] = await house.store.read<{ code: string }>(sql, [currency])
  if (row === undefined) throw currencyUnknown()
  return row
}

/** A person sees every account of theirs, whichever institution opened it. */
const asCustomer = (desk: Part, caller: Caller): Reader['maySee'] => {
  const holder = holderOf(caller)
  return async account => {
    const pseudonym = pseudonymOf(holder, await codeOf(desk, account.currency))
    return (await leadOf(desk.house.store.read, account.currency, pseudonym)) === account.lead
  }
}

/** An institution sees its own accounts and those of the customers it serves. */
const asInstitution =
  ({ house }: Part, caller: Caller): Reader['maySee'] =>
  async account => {
    const sql = 'SELECT account FROM cbdc_participants WHERE did = ? AND ended_at IS NULL'
    const rows = await house.store.read<{ account: number }>(sql, [caller.id])
    if (rows.length === 0) throw participantUnknown()
    return rows.some(({ account: own }) => own === account.servicer || own === account.number)
  }

export const readerOf = (desk: Part, { caller, params }: Context): Reader => {
  const requires = resolveCases(readRequires.view, params)
  if (params['reader'] === 'officer') return { requires, caller, maySee: async () => true }
  const see = params['reader'] === 'institution' ? asInstitution : asCustomer
  return { requires, caller, maySee: see(desk, caller) }
}

/** @throws Refusal account_not_yours, which also answers for accounts that do not exist */
export const seenAccount = async (desk: Part, reader: Reader, number: number): Promise<LedgerAccount> => {
  const { store } = desk.house
  const [account] = await readAccounts(store.read, store.dialect, [number])
  if (account === undefined || !(await reader.maySee(account))) throw accountNotYours()
  return account
}

/** Those of the accounts that the reader may see. */
export const seenAmong = async (desk: Part, reader: Reader, numbers: readonly number[]): Promise<Set<number>> => {
  const { store } = desk.house
  const seen = new Set<number>()
  for (const account of await readAccounts(store.read, store.dialect, [...new Set(numbers)])) {
    if (await reader.maySee(account)) seen.add(account.number)
  }
  return seen
}
