import { setImmediate as nextTurn } from 'node:timers/promises'
import { digestOf } from '../../../kernel/canonical.ts'
import { admit } from '../../../kernel/gate.ts'
import { merkleRoot } from '../../../kernel/merkle.ts'
import { type ActRecord, type Asked, type Outcome, performAll } from '../../../kernel/perform.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { ledgerBusy } from '../errors.ts'
import type { CbdcNeeds } from '../needs.ts'
import { openAhead } from './ahead.ts'
import { type BookItem, entryLeaf, openBook, type Written } from './book.ts'
import { readCurrencies } from './currencies.ts'
import { enterChain, type Held, type ItemOutcome, prefetch } from './enter.ts'
import { foresee, readLeads } from './owner.ts'
import { keepPurposes } from './purpose/judge.ts'
import { sendWithdrawals } from './rail/withdraw.ts'
import { lockHead } from './rows.ts'
import { Spoilt, watch } from './spoilt.ts'

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

const foreseenOf = ({ chains, foreseen }: Order<unknown>): readonly BookItem[] =>
  foreseen ?? (typeof chains === 'function' ? [] : chains.flat())

type Queued = { order: Order<unknown>; resolve: (output: unknown) => void; reject: (error: unknown) => void }

/** Payments of the day change nothing that says what else has to be read: a link, a purpose, a certificate, a reservation. */
const areTransfers = (items: readonly BookItem[]): boolean =>
  items.length > 0 && items.every(({ entry, basis }) => entry.kind === 'transfer' && basis === undefined)

/** @param isReady whether all that foreseen entries need was read, and nothing in the batch can have changed what that is. */
const run = async (needs: CbdcNeeds, held: Held, order: Order<unknown>, isReady: boolean): Promise<unknown> => {
  const { book, record } = held
  const { chains } = order
  const from = book.next()
  const back = book.mark()
  try {
    const planned = typeof chains === 'function' ? await chains(held) : chains
    if (typeof chains === 'function') {
      const foreseen = new Set(isReady ? order.foreseen : [])
      const others = planned.flat().filter(item => !foreseen.has(item))
      if (others.length > 0) await prefetch(needs, held, others)
    }
    const outcomes = planned.map(chain => enterChain(needs, held, chain))
    const answer = await order.answer(held, outcomes)
    await sendWithdrawals(needs, held, book.since(from))
    const entered = book.since(from)
    await keepPurposes(held, entered)
    if (entered.length > 0) record.effect(merkleRoot(entered.map(entryLeaf)))
    // Old states of thousands of accounts would else be carried along until the batch ends.
    book.keep()
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
      const foreseen = orders.map(foreseenOf)
      const suspense = currencies.all.map(currency => currency.suspense)
      const isReady = foreseen.every(areTransfers)
      const ahead = openAhead(foreseen, {
        parted: isReady,
        read: items => prefetch(needs, { tx, book }, items, suspense),
        between: () => book.send(),
      })
      const callers = orders.map(({ caller }) => caller)
      const leads = await readLeads(tx.query, store.dialect, callers, currencies.all)
      const records: ActRecord[] = []
      await each(async (at, record) => {
        const order = orders[at] as Order<unknown>
        await ahead.ready(at)
        const from = book.next()
        const watched = watch(tx)
        foresee(watched.tx.query, leads)
        try {
          const output = await run(needs, { tx: watched.tx, record, book, currencies }, order, isReady)
          if (book.next() > from) records.push(record)
          return output
        } catch (error) {
          // The book takes back what an order entered, but not what it wrote beside it.
          throw isRefusal(error) && !watched.hasWritten() ? error : new Spoilt(at, error)
        }
      })
      await ahead.done()
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
        // Here, and not while the ledger is held.
        const digested = { ...order, inputDigest: order.inputDigest ?? digestOf(order.input) } as Order<unknown>
        queue.push({ order: digested, resolve: resolve as (output: unknown) => void, reject })
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

/**
 * Every entry of an order that stands as a whole or not at all.
 * @throws the refusal that broke it; of links that only went with another it is the last resort
 */
export const allOf = (outcomes: readonly ItemOutcome[][]): Written[] => {
  const refusals = outcomes.flat().flatMap(outcome => ('refusal' in outcome ? [outcome.refusal] : []))
  const refusal = refusals.find(({ code }) => code !== 'chain_broken') ?? refusals[0]
  if (refusal !== undefined) throw refusal
  return outcomes.flat().flatMap(outcome => ('written' in outcome ? [outcome.written] : []))
}
