import { setImmediate as nextTurn } from 'node:timers/promises'
import { admit } from '../../../kernel/gate.ts'
import { merkleRoot } from '../../../kernel/merkle.ts'
import { type ActRecord, type Asked, type Outcome, performAll } from '../../../kernel/perform.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRefusal, type Refusal } from '../../../kernel/refusal.ts'
import {
  chainBroken,
  invalidEntry,
  ledgerBusy,
  payeeCannotReceive,
  stoppedByPolicy,
  stoppedByRule,
  transferIdNotCurrent,
  transferIdTaken,
} from '../errors.ts'
import { closedToPayments, type LedgerAccount } from '../ledger/facts.ts'
import { beyondHolding, type CurrencyPolicy, isCustomer, judgePayer, spend } from '../ledger/limits.ts'
import type { MonitoredPayment, RuleRows } from '../ledger/monitoring.ts'
import type { CbdcNeeds } from '../needs.ts'
import { type Book, type BookItem, entryLeaf, namedBy, openBook, type Written } from './book.ts'
import { type Currencies, readCurrencies } from './currencies.ts'
import { sendWithdrawals } from './rail/withdraw.ts'
import { lockHead } from './rows.ts'
import { Spoilt, watch } from './spoilt.ts'

/** What came of one entry of an order. */
export type ItemOutcome = { written: Written; again: boolean } | { refusal: Refusal }

/** What an act sees of the ledger while it holds it. */
export type Held = {
  tx: Tx
  record: ActRecord
  book: Book
  currencies: Currencies
}

/**
 * One request for the ledger. `chains` are lists of entries, each list all or nothing (by the operator's promise: a proof of one
 * entry says nothing of its chain). An order that refuses writes nothing.
 */
export type Order<Output> = Asked & {
  /** Entries as they are known beforehand, or what finds them once the ledger is held. */
  chains: readonly BookItem[][] | ((held: Held) => Promise<readonly BookItem[][]>)
  /** What `chains` will hold, as far as it is known beforehand: it is read together with what other orders need. */
  foreseen?: readonly BookItem[]
  /** What else is written, and the answer. It may refuse: then nothing of the order stands. */
  answer: (held: Held, outcomes: readonly ItemOutcome[][]) => Promise<Output> | Output
}

export type Ledger = {
  execute<Output>(order: Order<Output>): Promise<Output>
  /** Lets what is queued finish. */
  close(): Promise<void>
}

const ordersMost = 512
const itemsMost = 4_000
const queueMost = 20_000
/** So often a list is tried again without whoever spoilt it; then each order goes by itself. */
const triesMost = 3

const dayMs = 86_400_000
const aheadMs = 60_000

/** Ids are UUIDv7 of about now, so that their index grows at its end. */
export const isCurrentId = (id: string, at: number): boolean => {
  if (id[14] !== '7') return false
  const made = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return made > at - dayMs && made < at + aheadMs
}

type Payment = { payer: LedgerAccount; payee: LedgerAccount; currency: number; amount: bigint }

type Paying = Extract<BookItem['entry'], { kind: 'transfer' | 'withdraw' | 'reserve' }>
const isPaying = (entry: BookItem['entry']): entry is Paying =>
  entry.kind === 'transfer' || entry.kind === 'withdraw' || entry.kind === 'reserve'

const kycStands = (needs: CbdcNeeds, account: LedgerAccount): boolean =>
  account.kyc !== null && needs.kycInForce(account.kyc)

const known = (book: Book, number: number): LedgerAccount => {
  const account = book.state.account(number)
  if (account === undefined) throw new Error(`the account ${number} was not loaded`)
  return account
}

const monitored = ({ payer, payee, currency, amount }: Payment, at: number): MonitoredPayment => ({
  ...{ payer, payee, currency, amount, at },
})

/** The payer's own limits, whoever the payee is. @throws Refusal kyc_not_in_force, limit_per_payment, limit_per_day */
const judgeLimits = (needs: CbdcNeeds, { book }: Held, policy: CurrencyPolicy, { from, amount }: Paying): void => {
  const payer = known(book, from)
  const kycInForce = isCustomer(payer) ? kycStands(needs, payer) : true
  const stop = judgePayer(policy, { payer, lead: known(book, payer.lead), kycInForce }, amount, book.at)
  if (stop !== undefined) throw stoppedByPolicy(stop)
}

/** @throws Refusal payment_stopped */
const judgeByRules = (needs: CbdcNeeds, { book, record }: Held, payment: Payment): void => {
  const rows: RuleRows = number => book.state.account(number)?.rules ?? undefined
  const verdicts = needs.rules.judge(rows, monitored(payment, book.at))
  for (const verdict of verdicts) record.judged(verdict)
  if (verdicts.some(({ outcome }) => outcome === 'refused')) throw stoppedByRule()
}

/** Who has paid has used up something of their day; what the rules remember goes on. */
const afterPaying = (needs: CbdcNeeds, { book }: Held, payment: Payment): void => {
  const { payer, amount } = payment
  if (isCustomer(payer)) book.alter(payer.lead, spend(known(book, payer.lead), amount, book.at))
  const rows: RuleRows = number => book.state.account(number)?.rules ?? undefined
  for (const [number, row] of needs.rules.advance(rows, monitored(payment, book.at))) book.alter(number, { rules: row })
}

/** A customer who received holds no more than their tier lets them: the rest goes to their linked account, at once. */
const afterReceiving = (needs: CbdcNeeds, { book, currencies }: Held, number: number): void => {
  const payee = known(book, number)
  if (!isCustomer(payee)) return
  if (!kycStands(needs, payee)) throw payeeCannotReceive()
  const { policy } = currencies.of(payee.currency)
  const beyond = beyondHolding(policy, payee, known(book, payee.lead).held)
  if (beyond === 0n) return
  const { linked: to, currency } = payee
  // At another customer's it would pass that one's limit in turn.
  const onward = to === 0 ? undefined : book.state.account(to)
  if (onward === undefined || isCustomer(onward)) throw payeeCannotReceive()
  const amount = beyond
  const swept = book.apply({ entry: { kind: 'sweep', from: number, to, currency, amount }, signer: undefined })
  if ('invalid' in swept) throw payeeCannotReceive()
}

const receiverOf = (book: Book, entry: BookItem['entry']): number | undefined => {
  if (entry.kind === 'transfer' || entry.kind === 'deposit') return entry.to
  return entry.kind === 'post' ? book.state.reservation(entry.reservation)?.to : undefined
}

const paymentOf = (book: Book, entry: Paying): Payment | undefined => {
  const [payer, payee] = [book.state.account(entry.from), book.state.account(entry.to)]
  return payer && payee && { payer, payee, currency: entry.currency, amount: entry.amount }
}

/** A withdrawal goes to the rail's account, and everything else never to an account of the currency's own. */
const mayBePaid = ({ currencies }: Held, entry: BookItem['entry'], payment: Payment | undefined): boolean => {
  if (payment === undefined) return true
  // Funds of a netting window, of which the currency's clearing account posts what is owed.
  if (payment.payee.class === 'clearing') return entry.kind === 'reserve'
  if (entry.kind === 'withdraw') return entry.to === currencies.of(payment.currency).rail
  return !closedToPayments.has(payment.payee.class)
}

const signatureBytes = 64

/** The same fields. Signed anew, a signature has other bytes; then it has to be the owner's, as the first one was. */
const isSame = ({ raw, signer }: BookItem, written: Written): boolean => {
  if (raw === undefined) return false
  if (written.raw.equals(raw)) return true
  const fields = raw.length - signatureBytes
  return (
    signer !== undefined && raw.length === written.raw.length && raw.compare(written.raw, 0, fields, 0, fields) === 0
  )
}

/** The same id and the same entry: the answer given before. @throws Refusal transfer_id_taken, transfer_id_not_current */
const earlier = (book: Book, item: BookItem): Written | undefined => {
  if (item.id === undefined) return undefined
  const found = book.byId(item.id)
  if (found === undefined) {
    if (!isCurrentId(item.id, book.at)) throw transferIdNotCurrent()
    return undefined
  }
  if (isSame(item, found)) return found
  throw transferIdTaken()
}

/**
 * One entry: what it says has to be valid first, then policy is asked about the payer, and what concerns the payee comes
 * last; the rules see what would otherwise be done.
 */
export const enterOne = (needs: CbdcNeeds, held: Held, item: BookItem): { written: Written; again: boolean } => {
  const { book, currencies } = held
  const { entry } = item
  const before = earlier(book, item)
  if (before !== undefined) return { written: before, again: true }
  const payment = isPaying(entry) ? paymentOf(book, entry) : undefined
  const receiver = receiverOf(book, entry)
  const back = book.mark()
  const applied = book.apply(item)
  if ('invalid' in applied && applied.invalid !== 'payee_cannot_receive') throw invalidEntry(applied.invalid)
  try {
    if (isPaying(entry)) judgeLimits(needs, held, currencies.of(entry.currency).policy, entry)
    if ('invalid' in applied || !mayBePaid(held, entry, payment)) throw payeeCannotReceive()
    if (payment !== undefined) judgeByRules(needs, held, payment)
    if (payment !== undefined) afterPaying(needs, held, payment)
    if (receiver !== undefined) afterReceiving(needs, held, receiver)
  } catch (error) {
    back()
    throw error
  }
  return { written: applied.written, again: false }
}

/** All of a chain or nothing of it: the link that was refused says why, the others that they went with it. */
const enterChain = (needs: CbdcNeeds, held: Held, chain: readonly BookItem[]): ItemOutcome[] => {
  const back = held.book.mark()
  const outcomes: ItemOutcome[] = []
  for (const item of chain) {
    try {
      outcomes.push(enterOne(needs, held, item))
    } catch (error) {
      if (!isRefusal(error)) throw error
      back()
      const at = outcomes.length
      return chain.map((_, link) => ({ refusal: link === at ? error : chainBroken() }))
    }
  }
  return outcomes
}

const reservationsOf = (items: readonly BookItem[]): number[] =>
  items.flatMap(({ entry }) =>
    entry.kind === 'post' || entry.kind === 'void' || entry.kind === 'expire' ? [entry.reservation] : [],
  )

/** Whatever judging these entries may read, in few statements. */
export const prefetch = async (needs: CbdcNeeds, { book }: Pick<Held, 'book'>, items: readonly BookItem[]): Promise<void> => {
  const ids = items.flatMap(({ id }) => (id === undefined || book.byId(id) !== undefined ? [] : [id]))
  await book.loadIds(ids)
  await book.load(items.flatMap(({ entry }) => namedBy(entry)))
  await book.loadReservations(reservationsOf(items))
  const linked = items.flatMap(({ entry }) => {
    // A reservation of this batch may be posted in it.
    const receiver = entry.kind === 'reserve' ? entry.to : receiverOf(book, entry)
    return receiver === undefined ? [] : [book.state.account(receiver)?.linked ?? 0]
  })
  await book.load(linked)
  const payments = items.flatMap(({ entry }) => {
    const payment = isPaying(entry) ? paymentOf(book, entry) : undefined
    return payment === undefined ? [] : [monitored(payment, book.at)]
  })
  await book.load(needs.rules.keys(payments))
}

const foreseenOf = ({ chains, foreseen }: Order<unknown>): readonly BookItem[] =>
  foreseen ?? (typeof chains === 'function' ? [] : chains.flat())

type Queued = { order: Order<unknown>; resolve: (output: unknown) => void; reject: (error: unknown) => void }

const run = async (needs: CbdcNeeds, held: Held, order: Order<unknown>): Promise<unknown> => {
  const { book, record } = held
  const { chains } = order
  const from = book.next()
  const back = book.mark()
  try {
    const planned = typeof chains === 'function' ? await chains(held) : chains
    if (typeof chains === 'function') await prefetch(needs, held, planned.flat())
    const outcomes = planned.map(chain => enterChain(needs, held, chain))
    const answer = await order.answer(held, outcomes)
    await sendWithdrawals(needs, held, book.since(from))
    const entered = book.since(from)
    if (entered.length > 0) record.effect(merkleRoot(entered.map(entryLeaf)))
    return answer
  } catch (error) {
    back()
    throw error
  }
}

/**
 * The ledger's one writer in this process. Requests that come in while a batch is being committed go into the next one together:
 * one transaction, one numbered batch, one journal record a request. Several processes take turns at the head.
 */
export const openLedger = (needs: CbdcNeeds): Ledger => {
  const { store, clock } = needs.house
  const queue: Queued[] = []
  let working: Promise<void> | undefined
  let closed = false

  const together = (orders: readonly Order<unknown>[]): Promise<Outcome<unknown>[]> =>
    performAll(needs.house, orders, async (tx, each) => {
      const head = await lockHead(tx)
      const book = openBook(tx, store.dialect, head, clock.now())
      const currencies = await readCurrencies(tx.query, book.at)
      await prefetch(needs, { book }, orders.flatMap(foreseenOf))
      const records: ActRecord[] = []
      await each(async (at, record) => {
        const order = orders[at] as Order<unknown>
        const from = book.next()
        const watched = watch(tx)
        try {
          const output = await run(needs, { tx: watched.tx, record, book, currencies }, order)
          if (book.next() > from) records.push(record)
          return output
        } catch (error) {
          // The book takes back what an order entered, but not what it wrote beside it.
          throw isRefusal(error) && !watched.hasWritten() ? error : new Spoilt(at, error)
        }
      })
      const root = await book.close(currency => currencies.of(currency).fees)
      // The request's own root first, then the batch's: a receipt leads from an entry to this one.
      if (root !== undefined) for (const record of records) record.effect(root)
      const [named] = records
      if (root !== undefined && named !== undefined) {
        tx.insert('cbdc_batch_records', [{ batch: head.nextBatch, record: named.id }])
      }
    })

  /** @param tries how often the list was tried with one more to blame. */
  const settle = async (taken: readonly Queued[], tries = 0): Promise<void> => {
    try {
      const outcomes = await together(taken.map(({ order }) => order))
      for (const [at, { resolve, reject }] of taken.entries()) {
        const outcome = outcomes[at] as Outcome<unknown>
        if (outcome.done) resolve(outcome.output)
        else reject(outcome.refusal)
      }
    } catch (error) {
      const why = error instanceof Spoilt ? error.cause : error
      if (taken.length < 2 || isRefusal(error)) {
        for (const { reject } of taken) reject(why)
        return
      }
      // One of them is to blame; the others must not fail with it.
      if (error instanceof Spoilt && tries < triesMost) {
        const others = taken.filter((_, at) => at !== error.at)
        await settle(others, tries + 1)
        await settle([taken[error.at] as Queued])
      } else for (const each of taken) await settle([each])
    }
  }

  const take = (): Queued[] => {
    const taken: Queued[] = []
    let items = 0
    while (queue.length > 0 && taken.length < ordersMost && items < itemsMost) {
      const next = queue.shift() as Queued
      items += Math.max(1, foreseenOf(next.order).length)
      taken.push(next)
    }
    return taken
  }

  const work = async (): Promise<void> => {
    await nextTurn()
    while (queue.length > 0) {
      await settle(take())
      // Callers just answered may bring their next order into the next batch.
      await nextTurn()
    }
    working = undefined
  }

  return {
    execute: <Output>(order: Order<Output>) =>
      new Promise<Output>((resolve, reject) => {
        admit(order.caller, order.requires)
        if (closed || queue.length >= queueMost) throw ledgerBusy()
        queue.push({ order: order as Order<unknown>, resolve: resolve as (output: unknown) => void, reject })
        working ??= work()
      }),
    close: async () => {
      closed = true
      await working
    },
  }
}

/** The outcome of an order of one entry. @throws the refusal */
export const onlyOne = (outcomes: readonly ItemOutcome[][]): Written => {
  const outcome = outcomes[0]?.[0]
  if (outcome === undefined) throw new Error('the order had no entry')
  if ('refusal' in outcome) throw outcome.refusal
  return outcome.written
}

/** Every entry of an order that stands as a whole or not at all. @throws the first refusal */
export const allOf = (outcomes: readonly ItemOutcome[][]): Written[] =>
  outcomes.flat().map(outcome => {
    if ('refusal' in outcome) throw outcome.refusal
    return outcome.written
  })
