import { disclose } from '../../../kernel/disclose.ts'
import { type Caller, casesOf, type Resolved } from '../../../kernel/gate.ts'
import { queriesOf } from '../../../kernel/judge.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import type { Desk } from '../desk.ts'
import { pendingActDecided, pendingActExpired, pendingActUnknown } from '../errors.ts'
import {
  assertAuthorStands,
  assertDifferent,
  authorTag,
  columns,
  mayDecide,
  meet,
  openPending,
  type PendingAct,
  type PendingRow,
} from '../pending.ts'
import { listedMost, pageMost, requires } from '../policy.ts'

const time = (at: number): string => new Date(Number(at)).toISOString()

const stateOf = ({ row }: PendingAct, now: number): string =>
  row.state === 'open' && Number(row.expires) <= now ? 'expired' : row.state

const summaryOf = (act: PendingAct, now: number): Record<string, unknown> => {
  const { row, kept } = act
  return {
    ...{ id: row.id, operation: row.operation, params: kept.params, state: stateOf(act, now) },
    author: { kind: kept.author.kind, id: kept.author.id },
    ...{ created: time(row.created), expires: time(row.expires) },
    ...(row.decided === null ? {} : { decided: time(row.decided), decidedBy: row.decided_by }),
    ...(row.reason === null ? {} : { reason: row.reason }),
  }
}

const isOwn = (desk: Desk, { row }: PendingAct, caller: Caller): boolean =>
  Buffer.compare(row.author_tag, authorTag(desk, caller)) === 0

/** The act, if the caller asked for it or may decide on it; to anybody else there is none. */
const find = async (desk: Desk, { params, caller }: Context): Promise<PendingAct> => {
  const sql = `SELECT ${columns} FROM gate_pending_acts WHERE id = ?`
  const [row] = await desk.house.store.read<PendingRow>(sql, [params['act'] ?? ''])
  const act = row === undefined ? undefined : openPending(desk, row)
  if (act === undefined || !(isOwn(desk, act, caller) || mayDecide(desk, act, caller))) throw pendingActUnknown()
  return act
}

/** By kind and type alone: what it needs besides, the act itself tells. */
const mightMeet = (requirement: Resolved, caller: Caller): boolean => {
  if (requirement.by === 'staff') return caller.kind === 'apiKey' || caller.kind === 'oidc'
  if (requirement.by !== 'holder' || caller.kind !== 'holder') return false
  const held = new Set(caller.credentials.map(({ type }) => type))
  return queriesOf(requirement.of).some(({ type }) => held.has(type))
}

/** Operations whose acts the caller might decide on. Those of others are not opened, so that no stranger makes us open all. */
const operationsFor = (desk: Desk, caller: Caller): string[] =>
  Object.entries(desk.routes()).flatMap(([operation, { requires: of }]) =>
    casesOf(of).some(each => mightMeet(each, caller)) ? [operation] : [],
  )

/** Acts that wait, which the caller asked for or may decide on; newest last. */
export const listPendingActs = async (desk: Desk, { query, caller }: Context): Promise<Answer> => {
  const limit = Math.min(Number(query['limit'] ?? pageMost), pageMost)
  const now = desk.house.clock.now()
  const operations = operationsFor(desk, caller)
  const among = operations.length === 0 ? '' : ` OR operation IN (${operations.map(() => '?').join(', ')})`
  const sql = `SELECT ${columns} FROM gate_pending_acts
    WHERE state = 'open' AND id > ? AND expires > ? AND (author_tag = ?${among}) ORDER BY id LIMIT ?`
  const params = [query['after'] ?? '', now, authorTag(desk, caller), ...operations, listedMost]
  const rows = await desk.house.store.read<PendingRow>(sql, params)
  const acts: Record<string, unknown>[] = []
  let last: string | undefined
  for (const row of rows) {
    if (acts.length === limit) break
    last = row.id
    const act = openPending(desk, row)
    if (act === undefined || !(isOwn(desk, act, caller) || mayDecide(desk, act, caller))) continue
    acts.push(summaryOf(act, now))
  }
  const isMore = last !== undefined && (rows.length === listedMost || rows.at(-1)?.id !== last)
  return { status: 200, body: { acts, ...(isMore ? { next: last } : {}) } }
}

/** One act with everything that was asked for. */
export const getPendingAct = async (desk: Desk, context: Context): Promise<Answer> => {
  const body = await disclose(desk.house, {
    ...{ operation: 'getPendingAct', requires: requires.known, caller: context.caller },
    input: { act: context.params['act'] ?? '' },
    read: async () => {
      const act = await find(desk, context)
      const { query, body: asked } = act.kept
      return { ...summaryOf(act, desk.house.clock.now()), query, ...(asked === undefined ? {} : { body: asked }) }
    },
  })
  return { status: 200, body }
}

const assertOpen = ({ row }: PendingAct, now: number): void => {
  if (row.state !== 'open') throw pendingActDecided()
  if (Number(row.expires) <= now) throw pendingActExpired()
}

type Decision = { state: 'approved' | 'refused'; by: string; request: string; reason: string | null }

/** One statement decides, whoever else decides now; the same request may come again with the act it runs again. */
const decide = async (desk: Desk, tx: Tx, id: string, decision: Decision): Promise<void> => {
  const now = desk.house.clock.now()
  const { state, by, request, reason } = decision
  const [row] = await tx.query(
    `UPDATE gate_pending_acts SET state = ?, decision = ?, decided = ?, decided_by = ?, reason = ?
     WHERE id = ? AND ((state = 'open' AND expires > ?) OR (state = ? AND decision = ?)) RETURNING id`,
    [state, request, now, by, reason, id, now, state, request],
  )
  if (row === undefined) throw pendingActDecided()
}

/** The approver, who decides within the act's own transaction: it runs exactly once, or not at all. */
const approverOf = (desk: Desk, act: PendingAct, met: Caller, request: string) => {
  const before = 'spend' in met ? met.spend : undefined
  const decision: Decision = { state: 'approved', by: met.id, request, reason: null }
  let isDecided = false
  const caller = {
    ...met,
    author: act.kept.author,
    async spend(tx: Tx) {
      await before?.(tx)
      await decide(desk, tx, act.row.id, decision)
      isDecided = true
    },
  } as Caller
  return { caller, isDecided: () => isDecided }
}

/**
 * Runs an act that waited: the very operation that was asked for, as asked for, by a caller who meets the same requirement
 * and is not its author, whose own standing is looked at again.
 * @throws Refusal pending_act_unknown, pending_act_decided, pending_act_expired, pending_act_own, author_lapsed,
 * pending_act_outdated; and those of the operation.
 */
export const approvePendingAct = async (desk: Desk, context: Context): Promise<Answer> => {
  const act = await find(desk, context)
  assertOpen(act, desk.house.clock.now())
  const met = meet(desk, act, context.caller)
  assertDifferent(act, met)
  await assertAuthorStands(desk, act)
  const { id, operation } = act.row
  const route = desk.routes()[operation]
  if (route === undefined || !('run' in route)) throw new Error(`${operation} cannot wait for an approval`)
  const { caller, isDecided } = approverOf(desk, act, met, desk.newId())
  const { params, query, body } = act.kept
  const { publicUrl, headers } = context
  const inner = { 'idempotency-key': `pending-act ${id}`, 'x-request-id': headers['x-request-id'] }
  const answer = await route.run({ caller, params, query, body, publicUrl, headers: inner })
  if (!isDecided()) {
    await perform(desk.house, {
      ...{ operation: 'approvePendingAct', requires: requires.known, caller, input: { act: id } },
      act: async () => undefined,
    })
  }
  return {
    status: 200,
    body: {
      id,
      state: 'approved',
      answer: { status: answer.status, ...(answer.body === undefined ? {} : { body: answer.body }) },
    },
  }
}

/** Ends an act that waits, with a reason: by whoever could approve it, or by its author. */
export const refusePendingAct = async (desk: Desk, context: Context): Promise<Answer> => {
  const act = await find(desk, context)
  assertOpen(act, desk.house.clock.now())
  // So that the evidence names the credentials of whoever refuses; an author who withdraws may no longer have them.
  const caller = isOwn(desk, act, context.caller) ? context.caller : meet(desk, act, context.caller, true)
  const { reason } = context.body as { reason: string }
  const { id } = act.row
  const request = desk.newId()
  await perform(desk.house, {
    ...{ operation: 'refusePendingAct', requires: requires.known, caller, input: { act: id, reason } },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      await decide(desk, tx, id, { state: 'refused', by: caller.id, request, reason })
      return {}
    },
  })
  return { status: 200, body: { id, state: 'refused' } }
}
