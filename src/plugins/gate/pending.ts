import { createHmac } from 'node:crypto'
import { canonical, digestOf } from '../../kernel/canonical.ts'
import {
  admit,
  type Caller,
  fourEyesOf,
  type HolderCaller,
  type Resolved,
  resolveCases,
  withoutFourEyes,
} from '../../kernel/gate.ts'
import { callerOf, meetHolder } from '../../kernel/holder.ts'
import type { Proof } from '../../kernel/identity.ts'
import { claimAt } from '../../kernel/judge.ts'
import { perform } from '../../kernel/perform.ts'
import type { Answer, Context } from '../../kernel/plugin.ts'
import type { Row } from '../../kernel/ports.ts'
import { isRefusal } from '../../kernel/refusal.ts'
import { openJson, sealJson } from '../../kernel/sealed.ts'
import type { Desk } from './desk.ts'
import { requirementUrl } from './enter.ts'
import { authorLapsed, pendingActOutdated, pendingActOwn } from './errors.ts'
import { pendingLifeMostSeconds, requires } from './policy.ts'

/** An act that waits, as it was asked for. */
export type Kept = {
  params: Record<string, string>
  query: Record<string, string | undefined>
  body?: unknown
  author: Caller
  /** What the author's admission rested on, to be judged again at the approval. */
  proof: Proof
}

export type PendingRow = Row & {
  id: string
  operation: string
  requirement_sha256: Uint8Array
  author_tag: Uint8Array
  sealed: Uint8Array
  created: number
  expires: number
  state: string
  decided: number | null
  decided_by: string | null
  reason: string | null
}

export type PendingAct = { row: PendingRow; kept: Kept; requirement: Resolved }

const contextOf = (id: string, operation: string): string => `pending act|${id}|${operation}`
const sealingKey = (desk: Desk): Buffer => desk.derive('gate pending acts')

/** Finds the acts of one author again without saying who that is. */
export const authorTag = (desk: Desk, { kind, id }: Caller): Buffer =>
  createHmac('sha256', desk.derive('gate pending authors'))
    .update(canonical([kind, id]))
    .digest()

/** What of a caller can be kept; what it could spend belongs to its own request. */
const withoutSpending = (caller: Caller): Caller => {
  if (!('spend' in caller)) return caller
  const { spend: _spent, ...kept } = caller
  return kept as Caller
}

/**
 * Keeps an act for a second officer: nothing happens before that officer approves it.
 * @returns 202 with where the act can be followed.
 */
export const pend = async (
  desk: Desk,
  context: Context,
  { operationId, requirement }: { operationId: string; requirement: Resolved },
): Promise<Answer> => {
  const { caller, params, query, body } = context
  const lifeSeconds = Math.min(fourEyesOf(requirement)?.lifeSeconds ?? 0, pendingLifeMostSeconds)
  const kept: Kept = { params, query, body, author: withoutSpending(caller), proof: desk.standings.proofOf(caller) }
  const { id, expires } = await perform(desk.house, {
    ...{ operation: 'requestAct', requires: requires.known, caller },
    input: { operationId, params, query, body: body ?? null },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const made = desk.newId()
      const created = desk.house.clock.now()
      const row = {
        ...{ id: made, operation: operationId, requirement_sha256: digestOf(requirement) },
        author_tag: authorTag(desk, caller),
        sealed: sealJson(sealingKey(desk), kept, contextOf(made, operationId)),
        ...{ created, expires: created + lifeSeconds * 1_000, state: 'open' },
        ...{ decision: null, decided: null, decided_by: null, reason: null },
      }
      tx.insert('gate_pending_acts', [row])
      return { id: made, expires: row.expires }
    },
  })
  const url = `${desk.publicUrl}/pending-acts/${id}`
  return {
    status: 202,
    headers: { Location: url },
    body: { pendingAct: id, state: 'open', expires: new Date(expires).toISOString(), url },
  }
}

/** The act behind a row, if its operation is still one of this agency's. */
export const openPending = (desk: Desk, row: PendingRow): PendingAct | undefined => {
  const routes = desk.routes()
  const route = Object.hasOwn(routes, row.operation) ? routes[row.operation] : undefined
  const kept = openJson<Kept>(sealingKey(desk), row.sealed, contextOf(row.id, row.operation))
  if (route === undefined || kept === undefined) return undefined
  try {
    return { row, kept, requirement: resolveCases(route.requires, kept.params) }
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

export const columns =
  'id, operation, requirement_sha256, author_tag, sealed, created, expires, state, decided, decided_by, reason'

/** The caller as the act's own requirement sees them. @throws Refusal of that requirement. */
export const meet = (desk: Desk, act: PendingAct, caller: Caller, isSessionEnough = false): Caller => {
  const requirement = withoutFourEyes(act.requirement)
  const { operation } = act.row
  const url = requirementUrl(desk, operation, act.kept.params)
  if (requirement.by !== 'holder' || caller.kind !== 'holder') {
    admit(caller, requirement, url)
    return caller
  }
  const { oneShot, ...bySession } = requirement
  const wanted = isSessionEnough || oneShot === undefined ? bySession : requirement
  const judged = { operation, now: desk.house.clock.now(), body: act.kept.body, requirementUrl: url }
  return meetHolder(caller, wanted, judged)
}

/** Whether the caller may see the act and decide on it, their own acts aside. */
export const mayDecide = (desk: Desk, act: PendingAct, caller: Caller): boolean => {
  try {
    meet(desk, act, caller, true)
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}

const keysOf = ({ credentials }: HolderCaller): Set<string> => new Set(credentials.map(({ holderKey }) => holderKey))

/** What tells officers apart; a claim that is kept back tells nobody apart from anybody. */
const isSameOfficer = (act: PendingAct, approver: Caller): boolean => {
  const { author } = act.kept
  if (author.kind !== 'holder' || approver.kind !== 'holder') {
    return author.kind === approver.kind && author.id === approver.id
  }
  const keys = keysOf(author)
  if (author.actor === approver.actor || approver.credentials.some(({ holderKey }) => keys.has(holderKey))) return true
  const by = fourEyesOf(act.requirement)?.distinctBy
  if (by === undefined) return false
  const [one, other] = [author, approver].map(({ matched }) => {
    const credential = matched[by.credential]
    return credential === undefined ? undefined : claimAt(credential.claims, by.path)
  })
  return one === undefined || other === undefined || one === other
}

/** @throws Refusal pending_act_own */
export const assertDifferent = (act: PendingAct, approver: Caller): void => {
  if (isSameOfficer(act, approver)) throw pendingActOwn()
}

/**
 * The author as they stand now.
 * @throws Refusal author_lapsed, pending_act_outdated; unavailable when that cannot be known.
 */
export const assertAuthorStands = async (desk: Desk, act: PendingAct): Promise<void> => {
  if (Buffer.compare(act.row.requirement_sha256, digestOf(act.requirement)) !== 0) throw pendingActOutdated()
  const { author, proof } = act.kept
  if (author.kind === 'apiKey' || author.kind === 'oidc') {
    if (await desk.staffStands(author)) return
    throw authorLapsed()
  }
  const now = await desk.identity.recheck(proof)
  const [lapsed] = now.lapsed
  if (lapsed?.refusal.kind === 'unavailable') callerOf({ credentials: [], lapsed: [lapsed] }, { proof: 'session' })
  if (lapsed !== undefined) throw authorLapsed(lapsed.refusal.code)
  try {
    meet(desk, act, callerOf(now, { proof: 'presentation' }))
  } catch (error) {
    throw isRefusal(error) && error.kind !== 'unavailable' ? authorLapsed(error) : error
  }
}
