import { digestOf } from '../../../../kernel/canonical.ts'
import { admit } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { assertBodySigned } from '../../../../kernel/signed-body.ts'
import { transferIdTaken } from '../../errors.ts'
import { exchangeEnded, exchangeLeg, exchangeUnknown, offerStale } from '../../exchange/errors.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import type { Handed } from '../attest.ts'
import type { Written } from '../book.ts'
import type { Desk } from '../desk.ts'
import type { Held, ItemOutcome } from '../enter.ts'
import { type Transfer, transferOf } from './offer.ts'
import { type Exchange, exchangeView, type Leg, readExchange } from './offers.ts'
import { gives, partyOf } from './party.ts'

const pays = ({ entry }: Transfer, { payer, payee, currency, amount }: Leg): boolean =>
  entry.from === payer && entry.to === payee && entry.currency === currency && entry.amount === amount

/** What was entered before pays for nothing now: one payment would else be the price of two. */
const entered = (outcome: ItemOutcome | undefined): Written | undefined =>
  outcome !== undefined && 'written' in outcome && !outcome.again ? outcome.written : undefined

/**
 * Both entries, or why not. The accepting side hears of its own payment; of the other's only that the offer does not hold, or that
 * a payee was in the way.
 * @throws Refusal transfer_id_taken, offer_stale, payee_cannot_receive, and of the accepted record
 */
const bothOf = ([counter, offered]: readonly ItemOutcome[]): { counter: Written; offered: Written } => {
  if (counter !== undefined && 'refusal' in counter && counter.refusal.code !== 'chain_broken') throw counter.refusal
  if (offered !== undefined && 'refusal' in offered) {
    const { refusal } = offered
    throw refusal.code === 'payee_cannot_receive' || refusal.kind === 'unavailable' ? refusal : offerStale()
  }
  const both = { counter: entered(counter), offered: entered(offered) }
  if (both.counter === undefined) throw transferIdTaken()
  if (both.offered === undefined) throw offerStale()
  return { counter: both.counter, offered: both.offered }
}

const settled = async ({ tx, book, record }: Held, exchange: Exchange, outcomes: readonly ItemOutcome[]) => {
  const { counter, offered } = bothOf(outcomes)
  const sql = `UPDATE cbdc_exchanges SET state = 'settled', ended_at = ?, entry = ?, counter_entry = ? WHERE id = ?`
  await tx.query(sql, [book.at, offered.number, counter.number, exchange.id])
  const ended: Exchange = {
    ...{ ...exchange, state: 'settled', endedAt: book.at },
    ...{ entry: offered.number, counterEntry: counter.number },
  }
  const view = exchangeView(ended)
  record.effect(digestOf(view))
  return { ...view, balanceMinor: String(counter.debitBalance) }
}

/**
 * Accepts an offer with exactly the payment that it asks for. Both are entered in one chain in one transaction with the offer's
 * end, and policy judges both payers as for any payment of theirs.
 * @throws Refusal agency_body_mismatch, participant_unknown, record_malformed, exchange_unknown, exchange_ended,
 * exchange_leg, offer_stale, transfer_id_taken, payee_cannot_receive, and of the record
 */
export const acceptExchange = async (desk: Desk, context: Context): Promise<Answer> => {
  const party = partyOf(context)
  const { requires, caller } = party
  admit(caller, requires)
  assertBodySigned(caller, context.body)
  const { store, clock } = desk.house
  const id = (context.params['exchange'] ?? '').toLowerCase()
  const item = await transferOf(desk, context.body as Required<Handed>)
  // What was signed never changes, so it is checked before the ledger is held; the rest is read again then.
  const { raw } = await readExchange(store.read, id, clock.now())
  const offered = raw && (await transferOf(desk, { id, record: raw.toString('base64url') }))
  let exchange: Exchange | undefined
  const answer = await desk.ledger.execute({
    ...{ operation: 'acceptExchange', requires, caller, input: { ...context.params, body: context.body } },
    idempotencyKey: context.headers['idempotency-key'],
    foreseen: offered === null ? [item] : [item, offered],
    async chains(held) {
      exchange = await readExchange(held.tx.query, id, held.book.at)
      const { counter } = exchange
      await held.book.load([counter.payer])
      const giver = held.book.state.account(counter.payer) as LedgerAccount
      const currency = held.currencies.of(counter.currency)
      if (!(await gives(held.tx.query, party, currency, giver))) throw exchangeUnknown()
      if (exchange.state !== 'open' || offered === null) throw exchangeEnded(exchange.state)
      if (!pays(item, counter)) throw exchangeLeg()
      // The accepting side's own faults come first: the offer is tried only by whoever would pay for it.
      await held.book.loadIds([item.id])
      if (held.book.byId(item.id) !== undefined) throw transferIdTaken()
      return [[item, offered]]
    },
    answer: (held, [outcomes]) => settled(held, exchange as Exchange, outcomes ?? []),
  })
  return { status: 201, body: answer }
}
