import type { LedgerAccount } from './facts.ts'

/** `lead` is the same for all accounts of a person, whichever banks opened them. */
export type MonitoredAccount = Pick<
  LedgerAccount,
  'number' | 'lead' | 'class' | 'level' | 'jurisdiction' | 'openedAt' | 'lastActive'
>

/** A payment as the regulator's rules see it. */
export type MonitoredPayment = {
  payer: MonitoredAccount
  payee: MonitoredAccount
  currency: number
  amount: bigint
  /** Milliseconds. */
  at: number
}

/** The row that the rules keep of an account; undefined: none yet. */
export type RuleRows = (account: number) => Uint8Array | undefined

export type RuleVerdict = { id: string; version: number; outcome: 'passed' | 'refused' }

/** The most that the rules together keep of one account. */
export const ruleRowBytes = 256

/**
 * The port for the regulator's rules: pure functions over one row an account, which is read and written with the account in the
 * same transaction. Which rules judged, in which version, stands in the evidence.
 */
export type MonitoringRules = {
  /** Accounts whose rows judging the batch takes, besides those of payers and payees. */
  keys(batch: readonly MonitoredPayment[]): readonly number[]
  judge(rows: RuleRows, payment: MonitoredPayment): readonly RuleVerdict[]
  /** What the rows are once the payment has been made. @returns rows of at most `ruleRowBytes` */
  advance(rows: RuleRows, payment: MonitoredPayment): ReadonlyMap<number, Uint8Array>
}
