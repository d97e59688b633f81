import type { Row } from '../../../../kernel/ports.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import { balanceOf } from '../../ledger/state.ts'
import { roundMost } from '../../policy.ts'
import { purposeRequires } from '../../purpose/policy.ts'
import { orderOf } from '../accounts.ts'
import type { BookItem } from '../book.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { type Fence, itself } from '../orders/rounds.ts'
import { loadPurposes, purposesKnown } from './purposes.ts'

/**
 * What a court or an authority holds is not returned; it is when that has ended. Where the sponsor's account cannot
 * receive, the money stays bound until it can. What cannot be returned now stands in nobody's way.
 */
const dueSql = `SELECT p.account, g.sponsor FROM cbdc_programmes g
    JOIN cbdc_purpose_accounts p ON p.programme = g.id AND p.ended = 0
    JOIN cbdc_accounts a ON a.number = p.account AND a.closed = 0 AND a.holds = 0 AND a.frozen = 0
    JOIN cbdc_accounts s ON s.number = g.sponsor AND s.closed = 0 AND s.holds = 0
  WHERE g.ends_at <= ? ORDER BY p.account LIMIT ${roundMost}`

const isFree = ({ closed, holds, frozen, debitsPending, creditsPending }: LedgerAccount): boolean =>
  !closed && holds === 0 && frozen === 0n && debitsPending === 0n && creditsPending === 0n

/**
 * All that is left, by `seize` and then `close`. Whose word these rest on is the two officers' who opened the
 * programme: its terms said when the money goes back, before anybody got any, so the order that stands in the entries
 * is the journal record of that opening, not of the round, and no entry of another kind is needed.
 */
const returnsOf = ({ book }: Held, number: number): BookItem[][] => {
  const account = book.state.account(number)
  const programme = purposesKnown(book)?.accounts.get(number)?.programme
  if (account === undefined || programme === undefined || !isFree(account)) return []
  if (book.at < programme.endsAt) return []
  const { sponsor: to, currency } = programme
  const order = orderOf(programme.record)
  const amount = balanceOf(account)
  const returning = { kind: 'seize' as const, from: number, to, currency, amount, frozen: 0n, order }
  const closing = { kind: 'close' as const, account: number, order }
  return [[...(amount > 0n ? [returning] : []), closing].map(entry => ({ entry, signer: undefined }))]
}

type DueRow = Row & { account: number; sponsor: number }

/**
 * Brings what is left in programmes that have ended back to their sponsors, and closes the accounts, at most
 * `roundMost` in one act. It begins anew from what is still open, so a process that was killed leaves nothing behind.
 * @returns how many accounts were dealt with
 */
export const returnEnded = async (desk: Desk, fence: Fence): Promise<number> => {
  const { store, clock } = desk.house
  const due = await store.read<DueRow>(dueSql, [clock.now()])
  if (due.length === 0) return 0
  const numbers = due.map(({ account }) => account)
  return desk.ledger.execute({
    ...{ operation: 'returnEnded', requires: purposeRequires.upkeep, caller: itself, input: numbers },
    async chains(held) {
      await fence(held.tx)
      await held.book.load([...numbers, ...due.map(({ sponsor }) => sponsor)])
      await loadPurposes(held, store.dialect, [], numbers)
      return numbers.flatMap(number => returnsOf(held, number))
    },
    answer: (_held, outcomes) => outcomes.filter(chain => chain.every(outcome => !('refusal' in outcome))).length,
  })
}
