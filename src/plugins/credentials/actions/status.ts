import { setTimeout as delay } from 'node:timers/promises'
import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { BlockRef, Row, StatusValue, Tx } from '../../../kernel/ports.ts'
import {
  alreadyRevoked,
  credentialUnknown,
  decisionUnknown,
  purposeUnknown,
  revocationIsFinal,
  tooMany,
} from '../errors.ts'
import type { CredentialsNeeds } from '../needs.ts'
import { awaitingRound, requires, statusChangesMost, waitMs } from '../policy.ts'
import { enveloped, type IssueBody, requestOf, store } from './issue.ts'

/** Body of the VC API's `/credentials/status`; `credentialIds` is our form for many at once. */
type StatusBody = {
  credentialId?: string
  credentialIds?: string[]
  credentialStatus: { type?: string; statusPurpose: string; status?: boolean | string }
  status?: boolean | string
  reason?: string
}

type CredentialRow = Row & { id: string; status_list: number; status_index: number }
export type Change = { purpose: 'revocation' | 'suspension'; set: boolean; reason: string | null }

const decided = (change: Change): StatusValue =>
  change.set ? (change.purpose === 'revocation' ? 'revoked' : 'suspended') : 'valid'

const changeOf = (body: StatusBody): Change => {
  const purpose = body.credentialStatus.statusPurpose
  if (purpose !== 'revocation' && purpose !== 'suspension') throw purposeUnknown()
  const wanted = body.status ?? body.credentialStatus.status ?? true
  const set = wanted === true || wanted === '1' || wanted === 'true'
  if (!set && purpose === 'revocation') throw revocationIsFinal()
  return { purpose, set, reason: body.reason ?? null }
}

const marks = (count: number): string => Array(count).fill('?').join(', ')

/** Locks them as well: of two decisions at the same moment the second sees the first. */
const find = async (tx: Tx, ids: string[]): Promise<CredentialRow[]> => {
  const sql = `UPDATE credentials SET format = format WHERE id IN (${marks(ids.length)})
    RETURNING id, status_list, status_index`
  const rows = await tx.query<CredentialRow>(sql, ids)
  if (rows.length !== ids.length) throw credentialUnknown()
  return rows
}

const assertNotRevoked = async (tx: Tx, ids: string[]): Promise<void> => {
  const sql = `SELECT 1 AS one FROM status_decisions WHERE status = 'revoked' AND credential IN (${marks(ids.length)}) LIMIT 1`
  if ((await tx.query(sql, ids)).length > 0) throw alreadyRevoked()
}

/** Which of these lists (of revocation) are anchored. */
const anchoredAmong = async (tx: Tx, rows: CredentialRow[]): Promise<Set<number>> => {
  const lists = [...new Set(rows.map(row => row.status_list))]
  const sql = `SELECT list FROM status_lists WHERE mode = 1 AND list IN (${marks(lists.length)})`
  return new Set((await tx.query<{ list: number }>(sql, lists)).map(row => row.list))
}

/** What a decision needs, whichever plugin it comes from. */
export type StatusNeeds = Pick<
  CredentialsNeeds,
  'house' | 'identity' | 'outbox' | 'newId' | 'statusAuthority' | 'statusWrites' | 'onStatusChange'
>

/**
 * Locks a credential of ours until the act ends: what is done under it, and a decision about it, come one after the other.
 * @returns how it was decided on; undefined if there is none such.
 */
export const holdCredential = async (tx: Tx, id: string): Promise<StatusValue | undefined> => {
  const lock = 'UPDATE credentials SET format = format WHERE id = ? RETURNING id'
  if ((await tx.query(lock, [id])).length === 0) return undefined
  const sql = 'SELECT status FROM status_decisions WHERE credential = ? ORDER BY id DESC'
  const decisions = await tx.query<{ status: StatusValue }>(sql, [id])
  if (decisions.some(({ status }) => status === 'revoked')) return 'revoked'
  return decisions[0]?.status ?? 'valid'
}

/**
 * Decides on the status of credentials within an act: the decision, its evidence and the chain writes are one
 * transaction. From its commit on this agency refuses the credential; others do from the block that carries it. What
 * stands in an anchored list goes to the chain with the next round.
 * @returns the id under which the change is followed.
 */
export const decideStatus = async (needs: StatusNeeds, tx: Tx, ids: string[], change: Change): Promise<string> => {
  const rows = await find(tx, ids)
  await assertNotRevoked(tx, ids)
  const { issuer, chain, registry } = needs.statusAuthority
  const anchored = await anchoredAmong(tx, rows)
  const bits = rows
    .filter(row => !anchored.has(row.status_list))
    .map(row => ({ list: row.status_list + (change.purpose === 'suspension' ? 1 : 0), index: row.status_index }))
  // A suspension that is lifted brings nothing back that ended with it.
  if (change.set) bits.push(...((await needs.onStatusChange?.(tx, ids, change)) ?? []))
  const outbox =
    bits.length === 0 ? awaitingRound : await needs.outbox.enqueue(tx, needs.statusWrites(bits, change.set))
  const followed = anchored.size === 0 ? null : needs.newId()
  const at = needs.house.clock.now()
  const status = decided(change)
  tx.insert(
    'status_decisions',
    rows.map(row => ({
      id: needs.newId(),
      credential: row.id,
      status,
      reason: change.reason,
      status_list: row.status_list,
      status_index: row.status_index,
      outbox: anchored.has(row.status_list) ? awaitingRound : outbox,
      at,
      change_id: followed,
    })),
  )
  tx.afterCommit(() => {
    for (const { status_list: list, status_index: index } of rows) {
      needs.identity.decide({ chain, registry, issuer, list, index }, status)
    }
  })
  return followed ?? outbox
}

type Progress = { state: 'queued' | 'mined' | 'final' | 'failed'; block?: BlockRef }
const slowestFirst = ['failed', 'queued', 'mined', 'final']

/** As far as the slowest part of the change is; undefined if there is no such change. */
const progressOf = async (needs: CredentialsNeeds, id: string): Promise<Progress | undefined> => {
  const sql = 'SELECT DISTINCT outbox FROM status_decisions WHERE change_id = ?'
  const parts = await needs.house.store.read<{ outbox: string }>(sql, [id])
  if (parts.length === 0) return needs.outbox.state(id)
  const states = await Promise.all(
    parts.map(async ({ outbox }): Promise<Progress> => {
      const known = outbox === awaitingRound ? undefined : await needs.outbox.state(outbox)
      return known ?? { state: 'queued' }
    }),
  )
  return states.sort((a, b) => slowestFirst.indexOf(a.state) - slowestFirst.indexOf(b.state))[0]
}

const waitForChain = async (needs: CredentialsNeeds, id: string): Promise<Progress['state']> => {
  if ((await needs.outbox.state(id)) !== undefined) return needs.outbox.wait(id, waitMs)
  const end = performance.now() + waitMs
  for (;;) {
    const state = (await progressOf(needs, id))?.state ?? 'queued'
    if (state !== 'queued' || performance.now() >= end) return state
    await delay(pollMs)
  }
}
const pollMs = 100

const progress = async (needs: CredentialsNeeds, id: string, wait: string | undefined) => {
  const followed = `${needs.publicUrl}/credentials/status/${id}`
  const state = wait === 'mined' ? await waitForChain(needs, id) : 'queued'
  return { id, state, url: followed }
}

/** Revokes, suspends or reinstates one credential or up to 1,000: 202 with a URL to follow. */
export const updateCredentialStatus = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  const body = context.body as StatusBody
  const ids = [...new Set(body.credentialIds ?? (body.credentialId === undefined ? [] : [body.credentialId]))]
  if (ids.length === 0) throw credentialUnknown()
  if (ids.length > statusChangesMost) throw tooMany(statusChangesMost)
  const change = changeOf(body)
  const { outbox } = await perform(needs.house, {
    operation: 'updateCredentialStatus',
    requires: requires.status,
    caller: context.caller,
    input: body,
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => ({ outbox: await decideStatus(needs, tx, ids, change) }),
  })
  const answer = await progress(needs, outbox, context.query['wait'])
  return { status: 202, body: { ...answer, changed: ids.length }, headers: { location: answer.url } }
}

/** How far a status change has come on the chain. */
export const followStatusChange = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.status)
  const id = context.params['change'] ?? ''
  const known = await progressOf(needs, id)
  if (known === undefined) throw decisionUnknown()
  return { status: 200, body: { id, url: `${needs.publicUrl}/credentials/status/${id}`, ...known } }
}

type ReissueBody = IssueBody & { reason: string }

/** A lost device, a renewal or a correction: the new credential is issued and the old one revoked in one act. */
export const reissueCredential = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  const body = context.body as ReissueBody
  const old = context.params['id'] ?? ''
  admit(context.caller, requires.status)
  const issued = await needs.identity.issue(requestOf(body, needs.identity.did))
  const answer = await perform(needs.house, {
    operation: 'reissueCredential',
    requires: requires.issue,
    caller: context.caller,
    input: { old, body },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const change: Change = { purpose: 'revocation', set: true, reason: body.reason }
      const statusChange = await decideStatus(needs, tx, [old], change)
      store(tx, issued)
      return { verifiableCredential: enveloped(issued), credentialId: issued.id, replaces: old, statusChange }
    },
  })
  return { status: 201, body: answer }
}
