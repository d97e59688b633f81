import { canonical, digestOf } from './canonical.ts'
import { evidenceOf } from './evidence.ts'
import { admit, authorityOf, type Caller } from './gate.ts'
import type { Clock, Idempotency, Journal, JournalRecord, Store, Tx } from './ports.ts'
import { isRefusal, Refusal } from './refusal.ts'
import type { Requirement } from './requirement.ts'
import { timeId } from './time-id.ts'

export type House = { store: Store; journal: Journal; idempotency: Idempotency; clock: Clock }

/** The evidence of the act under way. */
export type ActRecord = {
  /** Of the journal record; with it a proof that the act stands in the log can be had later. */
  id: string
  /** Commits the record to something that the act brings about, by its SHA-256. */
  effect(digest: Uint8Array): void
  /** Names a rule that judged the act. */
  judged(rule: AppliedRule): void
}

type AppliedRule = JournalRecord['rules'][number]

export type Act<Output> = (tx: Tx, record: ActRecord) => Promise<Output>

/** What is performed, without the work itself. */
export type Asked = {
  operation: string
  requires: Requirement
  caller: Caller
  /** What was asked, for the evidence; canonicalised and hashed, never stored. */
  input: unknown
  /** The digest of the input, from whoever has it already. */
  inputDigest?: Buffer | undefined
  idempotencyKey?: string | undefined
}

export type Performance<Output> = Asked & { act: Act<Output> }

/** The evidence of one run of an act: a run that is repeated begins anew. */
type Evidence = { effects: readonly string[]; rules: ReadonlyMap<string, AppliedRule> }

const openRecord = (id: string): { record: ActRecord; evidence: Evidence } => {
  const effects: string[] = []
  const rules = new Map<string, AppliedRule>()
  const effect = (digest: Uint8Array): void => {
    if (digest.length !== 32) throw new TypeError('an effect is committed to by a SHA-256 of 32 bytes')
    effects.push(Buffer.from(digest).toString('hex'))
  }
  /** A list of payments is judged by the same rules again and again: each is named once, and a refusal outweighs. */
  const judged = (rule: AppliedRule): void => {
    const known = rules.get(rule.id)
    if (known === undefined || known.outcome === 'passed') rules.set(rule.id, rule)
  }
  return { record: { id, effect, judged }, evidence: { effects, rules } }
}

/**
 * As JSON: the name of an OIDC caller and the key may hold any character, so joined they could be read two ways. Whoever
 * acts for several principals has keys of their own for each.
 */
const keyOf = ({ operation, caller, idempotencyKey }: Asked): string | undefined => {
  if (idempotencyKey === undefined) return undefined
  const principal = caller.kind === 'holder' ? [caller.principal] : []
  return canonical([operation, caller.kind, caller.id, ...principal, idempotencyKey])
}

const journalled = (
  house: House,
  tx: Tx,
  { operation, requires, caller }: Asked,
  { id, input, evidence, at }: { id: string; input: Uint8Array; evidence: Evidence; at: number },
): void =>
  house.journal.record(tx, {
    ...{ id, operation, caller: evidenceOf(caller), input, authority: authorityOf(requires, caller) },
    ...{ rules: [...evidence.rules.values()], effects: evidence.effects, outcome: 'done', at },
  })

/** What is remembered of an answer; of an act that answers nothing, that it was done. */
const textOf = (output: unknown): string => JSON.stringify(output) ?? 'null'

/**
 * The only door for writes: admit → transaction { act, journal }. Same idempotency key and same input give the same
 * answer; the act then does not run again, and nothing of the caller's proof is used up again.
 */
export const perform = async <Output>(house: House, performance: Performance<Output>): Promise<Output> => {
  const { requires, caller, act } = performance
  admit(caller, requires)
  const input = performance.inputDigest ?? digestOf(performance.input)
  const key = keyOf(performance)
  return house.store.transaction(async tx => {
    if (key !== undefined) {
      const answer = await house.idempotency.recall(tx, key, input)
      if (answer !== undefined) return JSON.parse(answer) as Output
    }
    if ('spend' in caller) await caller.spend?.(tx)
    const at = house.clock.now()
    const { record, evidence } = openRecord(timeId(at))
    const output = await act(tx, record)
    if (key !== undefined) house.idempotency.remember(tx, key, input, textOf(output))
    journalled(house, tx, performance, { id: record.id, input, evidence, at })
    return output
  })
}

export type Outcome<Output> = { done: true; output: Output } | { done: false; refusal: Refusal }

/** What one list of acts does: it gets ready, lets each act run in turn, and writes what they came to. */
export type ListedAct<Output> = (
  tx: Tx,
  run: (act: (at: number, record: ActRecord) => Promise<Output>) => Promise<void>,
) => Promise<void>

type Prepared = { asked: Asked; input: Buffer; key: string | undefined }

/** The answer that is known, or the refusal, for when the act's turn comes. */
const recalled = async (
  { idempotency }: House,
  tx: Tx,
  key: string | undefined,
  input: Buffer,
): Promise<() => string | undefined> => {
  if (key === undefined) return () => undefined
  try {
    const answer = await idempotency.recall(tx, key, input)
    return () => answer
  } catch (error) {
    return () => {
      throw error
    }
  }
}

const spendOf = (caller: Caller, tx: Tx): Promise<void> | undefined =>
  'spend' in caller ? caller.spend?.(tx) : undefined

const isToRun = (known: () => string | undefined): boolean => {
  try {
    return known() === undefined
  } catch {
    return false
  }
}

/**
 * Uses up at once what the acts of a list were proved with: each by itself would take longer than the act. Not for an answer
 * that is known, and not yet for a second act of one key, which may get the answer of the first.
 */
const spendTogether = (
  tx: Tx,
  prepared: readonly Prepared[],
  known: readonly (() => string | undefined)[],
): (Promise<void> | undefined)[] => {
  const keys = new Set<string>()
  return prepared.map(({ asked, key }, at) => {
    const isSecond = key !== undefined && keys.has(key)
    if (key !== undefined) keys.add(key)
    const spending = isSecond || !isToRun(known[at] ?? (() => undefined)) ? undefined : spendOf(asked.caller, tx)
    // Whoever waits for it hears of a refusal; of a list that fails before, nobody does.
    spending?.catch(() => undefined)
    return spending
  })
}

/**
 * The same door for a list: many acts in one transaction, one outcome and one journal record each. A refused act leaves the others
 * be, so it must have written nothing when it refuses. An act's output is taken, and its effects are, when the whole list has ended. What a
 * refused caller proved with counts as used up.
 * @param performances each admitted already to its own requirement by `admit`, again here.
 */
export const performAll = async <Output>(
  house: House,
  performances: readonly Asked[],
  list: ListedAct<Output>,
): Promise<Outcome<Output>[]> => {
  const prepared = performances.map((asked): Prepared => {
    admit(asked.caller, asked.requires)
    return { asked, input: asked.inputDigest ?? digestOf(asked.input), key: keyOf(asked) }
  })
  return house.store.transaction(async tx => {
    const outcomes: Outcome<Output>[] = []
    const records: { at: number; id: string; evidence: Evidence; now: number }[] = []
    const first = new Map<string, number>()
    const known: (() => string | undefined)[] = []
    for (const { key, input } of prepared) known.push(await recalled(house, tx, key, input))
    const spent = spendTogether(tx, prepared, known)
    const one = async (at: number, act: (at: number, record: ActRecord) => Promise<Output>): Promise<Output> => {
      const { asked } = prepared[at] as (typeof prepared)[number]
      const answer = known[at]?.()
      if (answer !== undefined) return JSON.parse(answer) as Output
      await (spent[at] ?? spendOf(asked.caller, tx))
      const now = house.clock.now()
      const { record, evidence } = openRecord(timeId(now))
      const output = await act(at, record)
      records.push({ at, id: record.id, evidence, now })
      return output
    }
    await list(tx, async act => {
      for (const [at, { key, input }] of prepared.entries()) {
        const twin = key === undefined ? undefined : first.get(key)
        if (twin !== undefined) {
          outcomes.push(sameOrRefused(outcomes[twin] as Outcome<Output>, prepared[twin]?.input, input))
          continue
        }
        try {
          outcomes.push({ done: true, output: await one(at, act) })
          if (key !== undefined) first.set(key, at)
        } catch (error) {
          if (!isRefusal(error)) throw error
          outcomes.push({ done: false, refusal: error })
        }
      }
    })
    for (const { at, id, evidence, now } of records) {
      const { asked, input, key } = prepared[at] as (typeof prepared)[number]
      const outcome = outcomes[at] as Outcome<Output>
      if (!outcome.done) continue
      if (key !== undefined) house.idempotency.remember(tx, key, input, textOf(outcome.output))
      journalled(house, tx, asked, { id, input, evidence, at: now })
    }
    return outcomes
  })
}

/** What an idempotency key that served another input is answered with. */
export const idempotencyMismatch = (): Refusal =>
  new Refusal('conflict', 'idempotency_mismatch', 'This idempotency key was used with another input before.')

/** One key twice in a list: the second gets the answer of the first, as it would have in the next list. */
const sameOrRefused = <Output>(
  outcome: Outcome<Output>,
  input: Uint8Array | undefined,
  other: Uint8Array,
): Outcome<Output> => {
  if (!outcome.done || (input !== undefined && Buffer.compare(input, other) === 0)) return outcome
  return { done: false, refusal: idempotencyMismatch() }
}
