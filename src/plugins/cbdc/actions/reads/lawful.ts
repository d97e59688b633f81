import { disclose } from '../../../../kernel/disclose.ts'
import { admit, type HolderCaller, holderOf } from '../../../../kernel/gate.ts'
import { cursorMalformed } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { invalidEntry, orderAccount, orderLedger, orderPeriod, periodInvalid } from '../../errors.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import { readRequires } from '../../policy.ts'
import { markEvery } from '../book.ts'
import type { Desk } from '../desk.ts'
import { readAccounts } from '../rows.ts'
import { entriesPage, entryView, nextEntries, refundsAmong } from './accounts.ts'
import { balanceAfter, lastBy, walk } from './chain.ts'

type Part = Pick<Desk, 'house' | 'did'>

/** What a court allows to be read: one account of one ledger, from a time up to another (ms, the end not included). */
export type CourtOrder = { ledger: string; account: number; from: number; until: number }

type Asked = { account: number; from: number; until: number }

const timeOf = (value: unknown): number => (typeof value === 'string' ? Date.parse(value) : Number.NaN)

const orderOf = ({ matched }: HolderCaller): CourtOrder => {
  const claims = matched['order']?.claims
  if (claims === undefined) throw new Error('the caller does not meet the requirement')
  return {
    ...{ ledger: String(claims['ledger']), account: Number(claims['accountNumber']) },
    ...{ from: timeOf(claims['from']), until: timeOf(claims['until']) },
  }
}

/**
 * Nothing but what the order says, in this order of precedence.
 * @throws Refusal period_invalid, order_ledger, order_account, order_period
 */
export const assertOrdered = (order: CourtOrder, { account, from, until }: Asked, ledger: string): void => {
  // Written so that a time which is none (NaN) refuses.
  if (!(from < until)) throw periodInvalid()
  if (order.ledger !== ledger) throw orderLedger()
  if (order.account !== account) throw orderAccount()
  if (!(order.from <= from && until <= order.until)) throw orderPeriod()
}

/** Who serves the account knows its owner; the ledger does not. */
const servicerOf = async ({ house }: Part, { servicer }: LedgerAccount) => {
  const sql = 'SELECT did, name FROM cbdc_participants WHERE account = ?'
  const [row] = await house.store.read<{ did: string; name: string }>(sql, [servicer])
  return row ?? null
}

const iso = (at: number): string => new Date(at).toISOString()

type Period = Asked & { query: Record<string, string | undefined> }

/** Balances before and after the period, and the entries within it, newest first. */
const statementOf = async (desk: Part, { account: number, from, until, query }: Period) => {
  const { store } = desk.house
  const ask = store.read
  const [account] = await readAccounts(ask, store.dialect, [number])
  if (account === undefined) throw invalidEntry('account_unknown')
  const [opening, closing] = [
    await lastBy(ask, account, from - 1, markEvery),
    await lastBy(ask, account, until - 1, markEvery),
  ]
  const newest = closing === undefined || closing.at < from ? 0 : closing.number
  const page = entriesPage(query, newest)
  if (page.from > newest) throw cursorMalformed()
  // One more than the page, which may be the last before the period.
  const walked = await walk(ask, { account: number, from: page.from, limit: page.limit + 1, until: from - 1 })
  if (walked.length === 0 && page.from !== 0) throw cursorMalformed()
  const within = walked.filter(entry => entry.at >= from)
  const entries = within.slice(0, page.limit)
  const refunds = await refundsAmong(desk, entries)
  // What a fee account takes are no entries, so of its past no balance is known.
  const isDated = account.class !== 'fees'
  const balance = (entry: typeof opening) => (isDated ? String(entry ? balanceAfter(entry, number) : 0n) : null)
  return {
    ...{ account: number, currency: account.currency, class: account.class, level: account.level },
    ...{ servicer: await servicerOf(desk, account), openedAt: iso(account.openedAt), closed: account.closed },
    ...{ from: iso(from), until: iso(until), openingMinor: balance(opening), closingMinor: balance(closing) },
    items: entries.map(entry => entryView(entry, number, refunds)),
    ...(within.length > page.limit && nextEntries(entries.at(-1))),
  }
}

type Body = { account: number; from: string; until: string; cursor?: string; limit?: number }

/**
 * Lawful access: what a court's order allows, and nothing else. The order is presented for this very request, and the evidence names it.
 * The ledger knows no names: the order goes on to the institution that serves the account.
 * @throws Refusal period_invalid, order_ledger, order_account, order_period, account_unknown, cursor_malformed
 */
export const discloseAccount = async (desk: Part, context: Context): Promise<Answer> => {
  const requires = readRequires.lawful
  admit(context.caller, requires)
  const caller = holderOf(context.caller)
  const body = context.body as Body
  const asked = { account: body.account, from: timeOf(body.from), until: timeOf(body.until) }
  const query = { cursor: body.cursor, ...(body.limit !== undefined && { limit: String(body.limit) }) }
  const answer = await disclose(desk.house, {
    ...{ operation: 'discloseAccount', requires, caller, input: body },
    async read() {
      assertOrdered(orderOf(caller), asked, desk.did)
      return statementOf(desk, { ...asked, query })
    },
  })
  return { status: 200, body: answer }
}
