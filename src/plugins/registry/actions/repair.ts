import { digestOf } from '../../../kernel/canonical.ts'
import type { Caller } from '../../../kernel/gate.ts'
import { type ActRecord, perform } from '../../../kernel/perform.ts'
import type { ChainWrite, Tx } from '../../../kernel/ports.ts'
import type { Requirement } from '../../../kernel/requirement.ts'
import type { Register } from '../soundness.ts'
import type { Desk } from './desk.ts'
import { type Entry, lockEntry } from './entries.ts'
import type { Reads } from './land/parties.ts'
import { type FrozenUnder, type Mending, mend } from './mend.ts'
import type { Disparity } from './reconcile.ts'
import { mintWrites } from './tokens.ts'

/** Brings tokens to what the register says, where a write for them failed for good. */

/** What is on its way to the chain already. */
export type Waiting = { entry(id: string): boolean; register(name: string): boolean }

export type RepairNeeds = {
  /** @param since milliseconds; what was asked for later counts as well, though it may have arrived. */
  waiting(reads: Reads, since: number): Promise<Waiting>
  /** What opens the register on chain, if it is not open. */
  opening(register: Register): Promise<ChainWrite[]>
  frozenUnder: FrozenUnder
}

/**
 * What became of a disparity: what mends it is queued; or something of the entry's waits still, or the register has
 * changed it meanwhile, so that the next comparison is to show it; or nothing can be done, and so for `left` of what is
 * queued.
 */
export type Repaired = { disparity: Disparity; outcome: 'queued' | 'waiting' | 'changed' | 'left'; left: Disparity }

type Planned = { disparity: Disparity; entry: Entry; mending: Mending }

const repairing = { by: 'staff', scope: 'registry:repair' } as const satisfies Requirement
/** Who has the shell has the agency's keys; the journal names it so. */
const shell: Caller = { kind: 'apiKey', id: 'shell', scopes: [repairing.scope] }

const isMissing = ({ token }: Disparity): boolean => token === undefined

/** As the evidence names it. */
const named = ({ disparity: { register, entryId, facts }, entry }: Planned) => ({
  ...{ register, entry: entryId, version: entry.version, facts: facts.map(({ what }) => what) },
})

/** Those whose entry is as it was compared, and for which nothing waits. Locked in the order of their ids. */
const stillDue = async (needs: RepairNeeds, tx: Tx, planned: readonly Planned[], began: number) => {
  const outcomes = new Map<Planned, Repaired['outcome']>()
  for (const each of planned) {
    const { version } = await lockEntry(tx, each.entry.id, each.entry.register)
    outcomes.set(each, version === each.entry.version ? 'queued' : 'changed')
  }
  // Asked for once all are locked: another repair of them is either seen here, or sees this one.
  const waiting = await needs.waiting(tx.query, began)
  for (const each of planned) if (waiting.entry(each.entry.id)) outcomes.set(each, 'waiting')
  return { outcomes, waiting }
}

type Opening = { register: Register; writes: ChainWrite[] }

/** A register is opened first, and tokens are made together, before anything stands on them. */
const writesOf = (desk: Desk, due: readonly Planned[], opening: readonly Opening[]): ChainWrite[] => {
  const made = Map.groupBy(
    due.filter(({ disparity }) => isMissing(disparity)),
    ({ entry }) => entry.register,
  )
  return [
    ...opening.flatMap(({ writes }) => writes),
    ...[...made].flatMap(([register, all]) =>
      mintWrites(
        desk,
        desk.register(register),
        all.map(({ entry }) => entry),
      ),
    ),
    ...due.flatMap(({ mending }) => mending.writes),
  ]
}

/** Those of the registers that miss tokens that are not open on chain. */
const openingOf = async (desk: Desk, needs: RepairNeeds, planned: readonly Planned[]): Promise<Opening[]> => {
  const missing = planned.filter(({ disparity }) => isMissing(disparity))
  const registers = [...new Set(missing.map(({ entry }) => entry.register))].map(name => desk.register(name))
  return Promise.all(registers.map(async register => ({ register, writes: await needs.opening(register) })))
}

const enqueueAll = async (
  desk: Desk,
  { tx, record, needs }: { tx: Tx; record: ActRecord; needs: RepairNeeds },
  { planned, opening, began }: { planned: readonly Planned[]; opening: readonly Opening[]; began: number },
): Promise<Map<Planned, Repaired['outcome']>> => {
  const { outcomes, waiting } = await stillDue(needs, tx, planned, began)
  const due = planned.filter(each => outcomes.get(each) === 'queued')
  for (const each of due) record.effect(digestOf(named(each)))
  const missing = new Set(due.filter(({ disparity }) => isMissing(disparity)).map(({ entry }) => entry.register))
  const opened = opening.filter(({ register: { name } }) => missing.has(name) && !waiting.register(name))
  const writes = writesOf(desk, due, opened)
  if (writes.length > 0) await desk.outbox.enqueue(tx, writes)
  return outcomes
}

/**
 * Queues, in one act, what brings the chain to what the register says. What still waits in the outbox is not queued
 * again, so that two repairs send nothing twice.
 * @param compared.began of the comparison; `compared.waiting`: what waited before it looked at the chain.
 */
export const repairTokens = async (
  desk: Desk,
  needs: RepairNeeds,
  compared: { found: readonly Disparity[]; began: number; waiting: Waiting },
): Promise<Repaired[]> => {
  const { found, began, waiting } = compared
  const planned: Planned[] = []
  const done = new Map<Disparity, Repaired>()
  for (const disparity of found) {
    const { entry, entryId } = disparity
    const mending = await mend(desk, needs.frozenUnder, disparity)
    const left = { ...disparity, facts: mending.left }
    const nothing = entry === undefined || (mending.writes.length === 0 && !isMissing(disparity))
    if (waiting.entry(entryId)) done.set(disparity, { disparity, outcome: 'waiting', left: { ...left, facts: [] } })
    else if (nothing) done.set(disparity, { disparity, outcome: 'left', left })
    else planned.push({ disparity, entry, mending })
  }
  // In one order everywhere, so that two repairs at once never wait for each other.
  planned.sort((a, b) => (a.entry.id < b.entry.id ? -1 : 1))
  if (planned.length > 0) {
    const opening = await openingOf(desk, needs, planned)
    const outcomes = await perform(desk.house, {
      operation: 'repairTokens',
      requires: repairing,
      caller: shell,
      input: planned.map(named),
      act: (tx, record) => enqueueAll(desk, { tx, record, needs }, { planned, opening, began }),
    })
    for (const [{ disparity, mending }, outcome] of outcomes) {
      done.set(disparity, { disparity, outcome, left: { ...disparity, facts: mending.left } })
    }
  }
  return found.flatMap(disparity => done.get(disparity) ?? [])
}
