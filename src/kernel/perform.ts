import { canonical, digestOf } from './canonical.ts'
import { evidenceOf } from './evidence.ts'
import { admit, authorityOf, type Caller } from './gate.ts'
import type { Clock, Idempotency, Journal, Store, Tx } from './ports.ts'
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

/** The evidence of one run of an act: a run that is repeated begins anew. */
const openRecord = (id: string): { record: ActRecord; effects: string[] } => {
  const effects: string[] = []
  const effect = (digest: Uint8Array): void => {
    if (digest.length !== 32) throw new TypeError('an effect is committed to by a SHA-256 of 32 bytes')
    effects.push(Buffer.from(digest).toString('hex'))
  }
  return { record: { id, effect }, effects }
}

/**
 * As JSON: the name of an OIDC caller and the key may hold any character, so joined they could be read two ways. Whoever
 * acts for several principals has keys of their own for each.
 */
const keyOf = ({ operation, caller, idempotencyKey }: Performance<unknown>): string | undefined => {
  if (idempotencyKey === undefined) return undefined
  const principal = caller.kind === 'holder' ? [caller.principal] : []
  return canonical([operation, caller.kind, caller.id, ...principal, idempotencyKey])
}

/**
 * The only door for writes: admit → transaction { act, journal }. Same idempotency key and same input give the same
 * answer; the act then does not run again, and nothing of the caller's proof is used up again.
 */
export const perform = async <Output>(house: House, performance: Performance<Output>): Promise<Output> => {
  const { operation, requires, caller, act } = performance
  admit(caller, requires)
  const input = digestOf(performance.input)
  const key = keyOf(performance)
  return house.store.transaction(async tx => {
    if (key !== undefined) {
      const answer = await house.idempotency.recall(tx, key, input)
      if (answer !== undefined) return JSON.parse(answer) as Output
    }
    if ('spend' in caller) await caller.spend?.(tx)
    const now = house.clock.now()
    const { record, effects } = openRecord(timeId(now))
    const output = await act(tx, record)
    if (key !== undefined) house.idempotency.remember(tx, key, input, JSON.stringify(output))
    house.journal.record(tx, {
      ...{ id: record.id, operation, caller: evidenceOf(caller), input, authority: authorityOf(requires, caller) },
      ...{ rules: [], effects, outcome: 'done', at: now },
    })
    return output
  })
}
