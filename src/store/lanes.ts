import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Tx } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { type Act, NotBegun, type Outcome, OutcomeUnknown, runBatch } from './batch.ts'
import { isUniqueViolation } from './values.ts'

const batchActs = 512
const queueLimit = 20_000
const contentionRetries = 8

type Entry = { act: Act; resolve: (value: unknown) => void; reject: (error: unknown) => void }

export type Lanes = {
  transaction<T>(act: (tx: Tx) => Promise<T>): Promise<T>
  /** Lets what is queued finish, and takes nothing more. */
  drain(): Promise<void>
}

const refuseAll = (entries: Entry[], error: unknown): void => {
  for (const entry of entries) entry.reject(error)
}

const deliver = (entries: Entry[], outcomes: Outcome[], report: (error: unknown) => void): void => {
  for (const [at, entry] of entries.entries()) {
    const outcome = outcomes[at]
    if (outcome?.done !== true) {
      entry.reject(outcome?.error)
      continue
    }
    for (const work of outcome.after) {
      try {
        work()
      } catch (error) {
        // The act is committed and answered as such; what follows it is for the log.
        report(error)
      }
    }
    entry.resolve(outcome.value)
  }
}

const unavailable = (code: string, detail: string, cause: unknown): Refusal =>
  new Refusal('unavailable', code, detail, { cause })

/**
 * Group commit: acts queue up while a transaction is being committed and go together into the next one. A lane is one
 * transaction at a time; SQLite has one, PostgreSQL several over the same queue. A transaction that fails is run again
 * in halves, down to the guilty act alone.
 */
export const openLanes = (context: Parameters<typeof runBatch>[0], report: (error: unknown) => void): Lanes => {
  const { driver } = context
  const queue: Entry[] = []
  const within = new AsyncLocalStorage<true>()
  const idle: (() => void)[] = []
  let busy = 0
  let closed = false

  const settle = async (entries: Entry[], attempt: number): Promise<void> => {
    try {
      const outcomes = await runBatch(
        context,
        entries.map(entry => tx => within.run(true, entry.act, tx)),
      )
      deliver(entries, outcomes, report)
    } catch (error) {
      if (error instanceof OutcomeUnknown) {
        const detail = 'The database did not confirm the commit; ask again with the same idempotency key.'
        refuseAll(entries, unavailable('outcome_unknown', detail, error))
      } else if (error instanceof NotBegun) {
        refuseAll(entries, unavailable('store_unavailable', 'The database cannot be reached; try again.', error))
      } else if (driver.isContention(error)) {
        if (attempt >= contentionRetries) {
          refuseAll(entries, unavailable('store_contended', 'Too many others write the same rows; try again.', error))
          return
        }
        await sleep(Math.random() * 2 ** attempt)
        await settle(entries, attempt + 1)
      } else if (entries.length === 1) {
        // Another lane may have committed the row since this act looked: looking again, it finds and honours it.
        if (attempt === 0 && isUniqueViolation(error)) await settle(entries, 1)
        else refuseAll(entries, error)
      } else {
        const middle = entries.length >> 1
        await settle(entries.slice(0, middle), 0)
        await settle(entries.slice(middle), 0)
      }
    }
  }

  const work = async (): Promise<void> => {
    while (queue.length > 0) {
      await settle(queue.splice(0, batchActs), 0)
      // Callers just answered may bring their next act into the next batch.
      await nextTurn()
    }
    busy -= 1
    if (busy === 0) for (const wake of idle.splice(0)) wake()
  }

  const start = (): void => {
    if (busy >= driver.lanes) return
    busy += 1
    within.exit(() => void nextTurn().then(work).catch(report))
  }

  return {
    transaction: <T>(act: (tx: Tx) => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        if (closed) throw new Error('the store is closed')
        if (within.getStore() === true) throw new Error('an act cannot open a transaction: use its own tx')
        if (queue.length >= queueLimit) {
          throw new Refusal('unavailable', 'store_busy', 'Too many acts are waiting; try again later.')
        }
        queue.push({ act, resolve: resolve as (value: unknown) => void, reject })
        start()
      }),
    drain: async () => {
      closed = true
      if (busy > 0) await new Promise<void>(resolve => idle.push(resolve))
    },
  }
}
