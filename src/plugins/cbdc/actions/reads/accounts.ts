import { disclose } from '../../../../kernel/disclose.ts'
import { decodeEntry } from '../../../../kernel/ledger-entry.ts'
import { cursorMalformed, pageOf } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { accountNotYet, balanceUndated, momentMalformed, momentNotCome } from '../../errors.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import { availableOf, balanceOf } from '../../ledger/state.ts'
import { clockSkewMs, entriesMost, entriesUsual } from '../../policy.ts'
import { markEvery } from '../book.ts'
import type { Desk } from '../desk.ts'
import { type RefundLinks, readRefundLinks, refundView } from '../requests/refunds.ts'
import { balanceAfter, type ChainEntry, lastBy, walk } from './chain.ts'
import { type Reader, readerOf, seenAccount } from './who.ts'

type Part = Pick<Desk, 'house'>

const iso = (at: number): string => new Date(at).toISOString()

/** Balances are credits less debits, so that of an issuance account is below zero. */
const accountView = (account: LedgerAccount) => ({
  ...{ account: account.number, currency: account.currency, class: account.class, level: account.level },
  balanceMinor: String(balanceOf(account)),
  availableMinor: String(account.holds > 0 ? 0n : availableOf(account)),
  pendingDebitMinor: String(account.debitsPending),
  pendingCreditMinor: String(account.creditsPending),
  frozenMinor: String(account.frozen),
  ...{ frozen: account.holds > 0, closed: account.closed, nonce: account.nonce, linked: account.linked },
  key: account.key,
  ...{ servicer: account.servicer, openedAt: iso(account.openedAt), lastActive: iso(account.lastActive) },
})

type Reading<Output> = { operation: string; context: Context; read: (account: LedgerAccount) => Promise<Output> }

/** A read of one account, which leaves evidence. */
const ofAccount = async <Output>(desk: Part, { operation, context, read }: Reading<Output>): Promise<Answer> => {
  const reader: Reader = readerOf(desk, context)
  const number = Number(context.params['account'])
  const body = await disclose(desk.house, {
    ...{ operation, requires: reader.requires, caller: reader.caller },
    input: { account: number, ...context.query },
    read: async () => read(await seenAccount(desk, reader, number)),
  })
  return { status: 200, body }
}

/** @throws Refusal account_not_yours, pseudonym_missing, participant_unknown */
export const getAccount = (desk: Part, context: Context): Promise<Answer> =>
  ofAccount(desk, { operation: 'getAccount', context, read: async account => accountView(account) })

/**
 * The time that is asked about. One ahead by no more than two clocks may differ is now.
 * @throws Refusal moment_malformed, moment_not_come
 */
export const momentOf = ({ house }: Part, text: string | undefined): number => {
  const now = house.clock.now()
  if (text === undefined) return now
  const time = Date.parse(text)
  if (Number.isNaN(time) || !/T.*(Z|[+-]\d\d:\d\d)$/.test(text)) throw momentMalformed()
  if (time > now + clockSkewMs) throw momentNotCome()
  return Math.min(time, now)
}

/**
 * What an account held at a time: the balance after the last entry that is not later. Found through the account's own
 * entries and marks, so it costs the same however long the account's history is.
 * @param at milliseconds
 * @throws Refusal account_not_yet; balance_undated of accounts that take fees, whose credits are no entries
 */
export const balanceAt = async (
  { house }: Part,
  account: LedgerAccount,
  at: number,
): Promise<{ balance: bigint; entry: ChainEntry }> => {
  if (account.class === 'fees') throw balanceUndated()
  const entry = await lastBy(house.store.read, account, at, markEvery)
  if (entry === undefined) throw accountNotYet()
  return { balance: balanceAfter(entry, account.number), entry }
}

/** @throws Refusal account_not_yours, moment_malformed, moment_not_come, account_not_yet, balance_undated */
export const getAccountAt = (desk: Part, context: Context): Promise<Answer> => {
  const at = momentOf(desk, context.query['at'])
  return ofAccount(desk, {
    ...{ operation: 'getAccountAt', context },
    async read(account) {
      const { balance, entry } = await balanceAt(desk, account, at)
      return {
        ...{ account: account.number, currency: account.currency, at: iso(at), balanceMinor: String(balance) },
        ...{ entry: entry.number, entryAt: iso(entry.at) },
      }
    },
  })
}

/** An amount is told without its sign: `side` says which way it went. */
const amountOf = (raw: Buffer): string | null => {
  const entry = decodeEntry(raw)
  if (entry === undefined || !('amount' in entry)) return null
  return String(entry.amount < 0n ? -entry.amount : entry.amount)
}

const noHash = '0'.repeat(64)

/** An entry as the owner of one of its accounts sees it: of the other account only its number. */
export const entryView = (entry: ChainEntry, account: number, refunds: RefundLinks) => {
  const decoded = decodeEntry(entry.raw)
  const side = entry.credit === null ? 'alone' : entry.debit === account ? 'debit' : 'credit'
  return {
    ...{ entry: entry.number, ...(entry.id !== null && { id: entry.id }), batch: entry.batch, at: iso(entry.at) },
    ...{
      kind: decoded?.kind,
      side,
      counterparty: side === 'debit' ? entry.credit : side === 'credit' ? entry.debit : null,
    },
    amountMinor: amountOf(entry.raw),
    ...(side === 'debit' && decoded !== undefined && 'fee' in decoded && { feeMinor: String(decoded.fee) }),
    ...(decoded?.kind === 'post' && decoded.preimage !== noHash && { preimage: decoded.preimage }),
    balanceMinor: String(balanceAfter(entry, account)),
    ...refundView(entry.number, refunds),
  }
}

/** Which of these entries give back others, and what of them was given back. */
export const refundsAmong = (
  { house: { store } }: Part,
  entries: readonly { number: number }[],
): Promise<RefundLinks> =>
  readRefundLinks(
    store.read,
    store.dialect,
    entries.map(({ number }) => number),
  )

const place = /^[1-9][0-9]{0,15}$/

/** Where a page of an account's entries begins: with the newest, or where the cursor says. @throws Refusal cursor_malformed */
export const entriesPage = (query: Record<string, string | undefined>, newest: number) => {
  const { after, limit } = pageOf(query, { most: entriesMost, usual: entriesUsual, form: place })
  return { from: after === '' ? newest : Number(after), limit }
}

const cursorOf = (entry: number): string => Buffer.from(String(entry)).toString('base64url')

/** The entry that the next page begins with, when there is one. */
export const nextEntries = (last: ChainEntry | undefined): { next?: string } =>
  last === undefined || last.before === 0 ? {} : { next: cursorOf(last.before) }

/**
 * The entries of an account, newest first.
 * @throws Refusal account_not_yours, cursor_malformed, which also answers for the cursor of another account
 */
export const listEntries = (desk: Part, context: Context): Promise<Answer> =>
  ofAccount(desk, {
    ...{ operation: 'listEntries', context },
    async read(account) {
      const { from, limit } = entriesPage(context.query, account.lastEntry)
      const entries = await walk(desk.house.store.read, { account: account.number, from, limit })
      if (entries.length === 0 && from !== 0) throw cursorMalformed()
      const refunds = await refundsAmong(desk, entries)
      return {
        items: entries.map(entry => entryView(entry, account.number, refunds)),
        ...(entries.length === limit && nextEntries(entries.at(-1))),
      }
    },
  })

/** What an owner has to know before they sign: the domain of the ledger, which no policy changes. */
export const getLedger = ({ did, domain }: Pick<Desk, 'did' | 'domain'>): Answer => ({
  status: 200,
  body: { did, domain },
})
