import { canonical, digestOf } from './canonical.ts'
import { admit, authorityOf, type Caller } from './gate.ts'
import type { Clock, Idempotency, Journal, JournalRecord, Store, Tx } from './ports.ts'
import type { Requirement } from './requirement.ts'
import { timeId } from './time-id.ts'

export type House = { store: Store; journal: Journal; idempotency: Idempotency; clock: Clock }

/** The evidence of the act under way. */
export type ActRecord = {
  /** Of the journal record; with it a proof that the act stands in the log can be had later. */
  id: string
  /** Commits the record to something that the act brings about, by its SHA-256. */
  effect(digest: Uint8Array): void
}

export type Act<Output> = (tx: Tx, record: ActRecord) => Promise<Output>

export type Performance<Output> = {
  operation: string
  requires: Requirement
  caller: Caller
  /** What was asked, for the evidence; canonicalised and hashed, never stored. */
  input: unknown
  idempotencyKey?: string | undefined
  act: Act<Output>
}

const evidence = (operation: string, requires: Requirement, caller: Caller, input: Uint8Array): JournalRecord => ({
  operation,
  caller: { kind: caller.kind, id: caller.id, credentials: [] },
  input,
  authority: authorityOf(requires),
  rules: [],
  outcome: 'done',
  at: 0,
})

/**
 * The only door for writes: admit → transaction { act, journal }. Same idempotency key and same input give the same
 * answer; the act then does not run again.
 */
export const perform = async <Output>(house: House, performance: Performance<Output>): Promise<Output> => {
  const { operation, requires, caller, act, idempotencyKey } = performance
  admit(caller, requires)
  const input = digestOf(performance.input)
  return house.store.transaction(async tx => {
    // As JSON: the name of an OIDC caller and the key may hold any character, so joined they could be read two ways.
    const key =
      idempotencyKey === undefined ? undefined : canonical([operation, caller.kind, caller.id, idempotencyKey])
    if (key !== undefined) {
      const answer = await house.idempotency.recall(tx, key, input)
      if (answer !== undefined) return JSON.parse(answer) as Output
    }
    const now = house.clock.now()
    const output = await act(tx, { id: timeId(now), effect: () => undefined })
    if (key !== undefined) house.idempotency.remember(tx, key, input, JSON.stringify(output))
    house.journal.record(tx, { ...evidence(operation, requires, caller, input), at: now })
    return output
  })
}
