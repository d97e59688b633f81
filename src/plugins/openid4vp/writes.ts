import { type ListedAct, type Outcome, performAll } from '../../kernel/perform.ts'
import type { Context } from '../../kernel/plugin.ts'
import type { Row, Value } from '../../kernel/ports.ts'
import { together } from '../../kernel/together.ts'
import { requestAnswered } from './errors.ts'
import type { Openid4vpNeeds } from './needs.ts'
import { failuresMost, requires } from './policy.ts'

/** What changes of a request that is under way. One statement decides each time, for as many requests as ask in the same turn. */

/** Places of a list, of which there are as few as powers of two: a statement is prepared once for each. */
const listed = (ids: readonly string[]): { places: string; values: string[] } => {
  const length = 2 ** Math.ceil(Math.log2(ids.length))
  const last = ids.at(-1) ?? ''
  const values = [...ids, ...Array.from({ length: length - ids.length }, () => last)]
  return { places: values.map(() => '?').join(', '), values }
}

type Moved = Row & { id: string }

/** An answer that was judged: who sent it, what of it is kept, and by which digest the evidence names it. */
export type Concluded = {
  id: string
  operation: string
  caller: Context['caller']
  sealed: Uint8Array
  answer: Uint8Array
  effect: Uint8Array
}

const answerSql = `UPDATE presentation_requests SET state = 'answered', error = NULL, sealed = ?, answer = ?
  WHERE id = ? AND state IN ('open', 'fetched') AND expires > ? RETURNING id`

export const openWrites = ({ house }: Pick<Openid4vpNeeds, 'house'>) => {
  const { store, clock } = house

  /** What only asks leaves no record: anybody may ask, as often as they like. */
  const move = async (set: string, ids: readonly string[], where: string): Promise<boolean[]> => {
    const { places, values } = listed(ids.toSorted())
    const sql = `UPDATE presentation_requests SET ${set} WHERE id IN (${places}) AND ${where} RETURNING id`
    const moved = await store.transaction(tx => tx.query<Moved>(sql, [...values, clock.now()]))
    const those = new Set(moved.map(({ id }) => id))
    return ids.map(id => those.has(id))
  }
  const byId = (id: string): string => id

  const conclude = async (all: readonly Concluded[]): Promise<Outcome<undefined>[]> => {
    const asked = all.map(({ id, operation, caller }) => ({
      ...{ operation, requires: requires.anyone, caller, input: { request: id } },
    }))
    const list: ListedAct<undefined> = (tx, run) =>
      run(async (at, record) => {
        const { id, sealed, answer, effect } = all[at] as Concluded
        const values: Value[] = [sealed, answer, id, clock.now()]
        if ((await tx.query(answerSql, values)).length === 0) throw requestAnswered()
        record.effect(effect)
        return undefined
      })
    return performAll(house, asked, list)
  }
  const concludeEach = together<Concluded, Outcome<undefined>>(({ id }) => id, conclude)

  return {
    /** Gives the request object out, once. @returns whether this is the first who comes for it. */
    take: together<string, boolean>(byId, ids => move(`state = 'fetched'`, ids, `state = 'open' AND expires > ?`)),
    /**
     * Counts an attempt before it is judged, so that many at a time are no more than one after the other.
     * @returns whether there is one left.
     */
    reserve: together<string, boolean>(byId, ids =>
      move(
        'failures = failures + 1',
        ids,
        `state IN ('open', 'fetched') AND failures < ${failuresMost} AND expires > ?`,
      ),
    ),
    /** An attempt that was reserved did not hold: the last of them ends the request. */
    async fail(id: string, code: string): Promise<void> {
      const sql = `UPDATE presentation_requests SET error = ?,
        state = CASE WHEN failures >= ${failuresMost} THEN 'failed' ELSE state END
        WHERE id = ? AND state IN ('open', 'fetched') RETURNING id`
      await store.transaction(tx => tx.query(sql, [code, id]))
    },
    /** The person declined, or their wallet could not. @throws Refusal presentation_request_answered */
    async refuse(id: string, error: string): Promise<void> {
      const sql = `UPDATE presentation_requests SET state = 'refused', error = ?
        WHERE id = ? AND state IN ('open', 'fetched') AND expires > ? RETURNING id`
      const moved = await store.transaction(tx => tx.query(sql, [error, id, clock.now()]))
      if (moved.length === 0) throw requestAnswered()
    },
    /** What was judged is written where the request is still open: a second answer comes too late. @throws Refusal as above */
    async conclude(concluded: Concluded): Promise<void> {
      const outcome = await concludeEach(concluded)
      if (!outcome.done) throw outcome.refusal
    },
  }
}
