import { digestOf } from '../../../../kernel/canonical.ts'
import { disclose } from '../../../../kernel/disclose.ts'
import { admit } from '../../../../kernel/gate.ts'
import { type EntryOf, sameKey } from '../../../../kernel/ledger-entry.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { assertBodySigned } from '../../../../kernel/signed-body.ts'
import {
  invalidEntry,
  payeeCannotReceive,
  recordMalformed,
  transferIdNotCurrent,
  transferIdTaken,
} from '../../errors.ts'
import {
  exchangeCurrency,
  exchangeEnded,
  exchangeFull,
  exchangeSelf,
  exchangeUnknown,
  exchangeValidity,
} from '../../exchange/errors.ts'
import { exchangeLifeMs, exchangesOpenMost } from '../../exchange/policy.ts'
import { closedToPayments, type LedgerAccount } from '../../ledger/facts.ts'
import { amountMost } from '../../ledger/state.ts'
import type { Handed } from '../attest.ts'
import type { BookItem } from '../book.ts'
import type { Desk } from '../desk.ts'
import { type Held, isCurrentId } from '../enter.ts'
import { readAccounts } from '../rows.ts'
import {
  type Exchange,
  exchangeView,
  findExchange,
  type Leg,
  openOffersOf,
  readExchange,
  writeOffer,
} from './offers.ts'
import { assertGives, bothOwn, gives, type Party, partyOf } from './party.ts'

/**
 * Payment versus payment: a signed transfer is offered for a payment in another currency. Nothing is reserved, and nothing moves
 * until the other side hands in exactly that payment: then both are entered together or neither is. That they stand or fall
 * together is the operator's promise: a proof of one entry says nothing of the other. Whom that does not satisfy uses two
 * reservations under one hash.
 */

export type Transfer = BookItem & { id: string; raw: Buffer; entry: EntryOf<'transfer'> }

/** @throws Refusal record_malformed */
export const transferOf = async (desk: Desk, handed: Handed): Promise<Transfer> => {
  const [item] = await desk.attest([handed])
  if (item?.entry.kind !== 'transfer' || item.id === undefined || item.raw === undefined) throw recordMalformed()
  return { ...item, id: item.id, raw: item.raw, entry: item.entry }
}

/** When a UUIDv7 was made (RFC 9562, 5.7). */
const madeAt = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

const assertAmount = (amount: bigint): void => {
  if (amount <= 0n) throw invalidEntry('amount_not_positive')
  if (amount > amountMost) throw invalidEntry('amount_too_large')
}

/** What the offering side answers for, as far as it can be judged before anything is paid. */
const assertOwnSide = ({ book }: Held, { id, entry, signer }: Transfer, payer: LedgerAccount): void => {
  assertAmount(entry.amount)
  if (entry.from === entry.to) throw invalidEntry('account_same')
  if (signer === undefined || !sameKey(payer.key, signer)) throw invalidEntry('signature_invalid')
  if (book.at >= entry.validUntil * 1_000) throw invalidEntry('transfer_expired')
  if (entry.nonce < payer.nonce) throw invalidEntry('nonce_mismatch')
  if (payer.currency !== entry.currency) throw invalidEntry('currency_mismatch')
  if (!isCurrentId(id, book.at)) throw transferIdNotCurrent()
  if (entry.validUntil * 1_000 > madeAt(id) + exchangeLifeMs) throw exchangeValidity()
}

/** What never changes about an account; whether it can be paid now shows when it is. */
const isPlaceFor = (account: LedgerAccount | undefined, currency: number): account is LedgerAccount =>
  account !== undefined && account.currency === currency && !closedToPayments.has(account.class)

/** One name for whatever is wrong with an account that is not known to be the caller's. @throws Refusal payee_cannot_receive */
const assertOtherSide = async (held: Held, party: Party, offered: Leg, counter: Leg): Promise<void> => {
  const account = (number: number) => held.book.state.account(number)
  const [payee, giver] = [account(offered.payee), account(counter.payer)]
  if (!isPlaceFor(payee, offered.currency) || !isPlaceFor(giver, counter.currency)) throw payeeCannotReceive()
  if (!isPlaceFor(account(counter.payee), counter.currency)) throw payeeCannotReceive()
  const payer = account(offered.payer) as LedgerAccount
  const isSelf = sameKey(payer.key, giver.key) || sameKey(payer.key, payee.key)
  if (isSelf || (await bothOwn(held.tx.query, party, offered.payer, counter.payer))) throw exchangeSelf()
}

const sameLeg = (one: Leg, other: Leg): boolean =>
  one.payer === other.payer &&
  one.payee === other.payee &&
  one.currency === other.currency &&
  one.amount === other.amount

/** What was said of this id before. @throws Refusal transfer_id_taken, exchange_ended */
const offeredBefore = async ({ tx, book }: Held, { id, raw }: Transfer, counter: Leg) => {
  const known = await findExchange(tx.query, id, book.at)
  if (known?.raw === null) throw exchangeEnded(known.state)
  if (known !== undefined && !(known.raw?.equals(raw) && sameLeg(known.counter, counter))) throw transferIdTaken()
  return known
}

type OfferBody = {
  id: string
  record: string
  counterFrom: number
  counterTo: number
  counterCurrency: number
  counterAmountMinor: string
}

const offerOne = async (held: Held, party: Party, item: Transfer, counter: Leg): Promise<Exchange> => {
  const { tx, book, currencies } = held
  const { from, to, currency, amount } = item.entry
  const offered: Leg = { payer: from, payee: to, currency, amount }
  await book.load([from, to, counter.payer, counter.payee])
  const payer = book.state.account(from)
  await assertGives(tx.query, party, currencies.of(currency), payer)
  const before = await offeredBefore(held, item, counter)
  if (before !== undefined) return before
  assertOwnSide(held, item, payer as LedgerAccount)
  assertAmount(counter.amount)
  if (counter.payer === counter.payee) throw invalidEntry('account_same')
  if (currencies.of(counter.currency).number === currency) throw exchangeCurrency()
  await assertOtherSide(held, party, offered, counter)
  await book.loadIds([item.id])
  if (book.byId(item.id) !== undefined) throw transferIdTaken()
  if ((await openOffersOf(tx.query, from, book.at)) >= exchangesOpenMost) throw exchangeFull()
  const exchange: Exchange = {
    ...{ id: item.id, state: 'open', raw: item.raw, validUntil: item.entry.validUntil, offered, counter },
    ...{ offeredAt: book.at, endedAt: null, entry: null, counterEntry: null },
  }
  await writeOffer(tx.query, exchange)
  return exchange
}

/**
 * Offers a signed transfer for a payment in another currency, until the transfer's time. The same id, record and terms get the
 * same answer.
 * @throws Refusal agency_body_mismatch, participant_unknown, servicer_differs, account_not_yours, pseudonym_missing,
 * record_malformed, transfer_id_taken, transfer_id_not_current, exchange_validity, exchange_currency, exchange_self,
 * exchange_full, exchange_ended, payee_cannot_receive, and of the record
 */
export const offerExchange = async (desk: Desk, context: Context): Promise<Answer> => {
  const party = partyOf(context)
  const { requires, caller } = party
  admit(caller, requires)
  assertBodySigned(caller, context.body)
  const body = context.body as OfferBody
  const item = await transferOf(desk, { id: body.id, record: body.record })
  const counter: Leg = {
    ...{ payer: body.counterFrom, payee: body.counterTo, currency: body.counterCurrency },
    amount: BigInt(body.counterAmountMinor),
  }
  const answer = await desk.ledger.execute({
    ...{ operation: 'offerExchange', requires, caller, input: { ...context.params, body } },
    idempotencyKey: context.headers['idempotency-key'],
    ...{ foreseen: [item], chains: [] },
    async answer(held) {
      const view = exchangeView(await offerOne(held, party, item, counter))
      held.record.effect(digestOf(view))
      return view
    },
  })
  return { status: 201, body: answer }
}

/**
 * Takes an offer back. What was signed is forgotten here; using its nonce otherwise makes sure that nobody else can use it.
 * @throws Refusal agency_body_mismatch, participant_unknown, exchange_unknown, exchange_ended
 */
export const withdrawExchange = async (desk: Desk, context: Context): Promise<Answer> => {
  const party = partyOf(context)
  const { requires, caller } = party
  admit(caller, requires)
  assertBodySigned(caller, context.body)
  const id = (context.params['exchange'] ?? '').toLowerCase()
  const answer = await desk.ledger.execute({
    ...{ operation: 'withdrawExchange', requires, caller, input: { ...context.params, body: context.body } },
    ...{ idempotencyKey: context.headers['idempotency-key'], chains: [] },
    async answer({ tx, book, currencies, record }) {
      const exchange = await readExchange(tx.query, id, book.at)
      await book.load([exchange.offered.payer])
      const payer = book.state.account(exchange.offered.payer) as LedgerAccount
      if (!(await gives(tx.query, party, currencies.of(payer.currency), payer))) throw exchangeUnknown()
      if (exchange.state !== 'open') throw exchangeEnded(exchange.state)
      const sql = `UPDATE cbdc_exchanges SET state = 'withdrawn', raw = NULL, ended_at = ? WHERE id = ?`
      await tx.query(sql, [book.at, id])
      const view = exchangeView({ ...exchange, state: 'withdrawn', endedAt: book.at })
      record.effect(digestOf(view))
      return view
    },
  })
  return { status: 200, body: answer }
}

/**
 * An exchange, for its two parties.
 * @throws Refusal participant_unknown; exchange_unknown, which also answers whoever is no party
 */
export const getExchange = async (desk: Desk, context: Context): Promise<Answer> => {
  const party = partyOf(context)
  const { store, clock } = desk.house
  const id = (context.params['exchange'] ?? '').toLowerCase()
  const body = await disclose(desk.house, {
    ...{ operation: 'getExchange', requires: party.requires, caller: party.caller, input: { exchange: id } },
    async read() {
      const exchange = await readExchange(store.read, id, clock.now())
      const numbers = [exchange.offered.payer, exchange.counter.payer]
      for (const account of await readAccounts(store.read, store.dialect, numbers)) {
        const sql = 'SELECT number, code FROM cbdc_currencies WHERE number = ?'
        const [currency] = await store.read<{ number: number; code: string }>(sql, [account.currency])
        if (currency && (await gives(store.read, party, currency, account))) return exchangeView(exchange)
      }
      throw exchangeUnknown()
    },
  })
  return { status: 200, body }
}
