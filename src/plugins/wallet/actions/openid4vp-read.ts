import { digestOf } from '../../../kernel/canonical.ts'
import { disclose } from '../../../kernel/disclose.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import type { AnswerChoices, AskedPresentation, PresentationInvitation } from '../../../kernel/presentation-answers.ts'
import * as errors from '../errors.ts'
import {
  presentationReadingMs,
  presentationRequestLifeMs,
  presentationRequestsMost,
  requires,
  shownMost,
} from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import type { Vault } from '../vault.ts'
import { allHeld } from './hold.ts'
import type { Desk } from './prove.ts'

/**
 * A request as it is kept: what was judged, and what the citizen was shown of it, to which their consent is bound.
 */
export type KeptRequest = { asked: AskedPresentation; shown: ShownRequest }

export type ShownRequest = {
  client: AskedPresentation['client']
  mode: AskedPresentation['mode']
  transactions: { type: string; credentialIds: readonly string[]; content: Record<string, unknown> }[]
  satisfiable: boolean
  queries: {
    id: string
    format: string
    multiple: boolean
    candidates: {
      heldId: string
      type: string
      issuer: string
      claims: { path: readonly (string | number | null)[]; values: unknown[]; retained?: boolean }[]
      shown: string[]
    }[]
  }[]
  wanted: AnswerChoices['wanted']
}

/** `reading` → `open` → `sending` → `answered` or `failed`; or `open` → `refused`. */
export type RequestState = 'reading' | 'open' | 'sending' | 'answered' | 'failed' | 'refused'

export type RequestRow = Row & {
  id: string
  state: RequestState
  sealed: Uint8Array | null
  answer: Uint8Array | null
  expires: number
}

export const requestTable = 'wallet_presentation_requests'
const columns = 'id, state, sealed, answer, cast(expires as text) AS expires'

/** @throws Refusal wallet_request_unknown, also for one of somebody else and one that has expired */
export const requestRow = async (desk: Desk, { citizen }: Vault, id: string): Promise<RequestRow> => {
  const sql = `SELECT ${columns} FROM ${requestTable} WHERE id = ? AND citizen = ?`
  const [row] = await desk.house.store.read<RequestRow>(sql, [id, citizen])
  if (row === undefined || Number(row.expires) <= desk.house.clock.now()) throw errors.presentationRequestUnknown()
  return { ...row, expires: Number(row.expires) }
}

/** @throws Refusal wallet_request_reading */
export const keptIn = (vault: Vault, row: RequestRow): KeptRequest => {
  if (row.sealed === null) throw errors.presentationRequestReading()
  return vault.open<KeptRequest>(requestTable, row.id, row.sealed)
}

/** What the consent of the citizen names: all that was shown. */
export const digestShown = (id: string, shown: ShownRequest): string => digestOf({ id, ...shown }).toString('base64url')

const viewOf = (row: RequestRow, { shown, asked }: KeptRequest) => ({
  id: row.id,
  state: row.state,
  expires: new Date(row.expires).toISOString(),
  ...(asked.origin === undefined ? {} : { origin: asked.origin }),
  ...shown,
  digest: digestShown(row.id, shown),
})

/** Everything of the citizen's own that answers. A minor's credentials need a mandate, for which OpenID4VP has no words. */
const shownOf = async (desk: Desk, vault: Vault, asked: AskedPresentation): Promise<ShownRequest> => {
  const held = (await allHeld(desk, vault)).filter(({ heldFor }) => heldFor === 'self')
  const choices = await desk.presentations.choices(
    asked,
    held.map(({ id, compact, format }) => ({ id, compact, format })),
  )
  const known = new Map(held.map(each => [each.id, each]))
  return {
    client: asked.client,
    mode: asked.mode,
    transactions: asked.transactions.map(({ type, credentialIds, content }) => ({ type, credentialIds, content })),
    satisfiable: choices.satisfiable,
    queries: choices.queries.map(({ candidates, ...query }) => ({
      ...query,
      candidates: candidates.map(({ credential, claims, shown }) => ({
        heldId: credential,
        ...{ type: known.get(credential)?.type ?? '', issuer: known.get(credential)?.issuer ?? '' },
        ...{ claims, shown },
      })),
    })),
    wanted: choices.wanted,
  }
}

/**
 * Counts what is shown part by part, so that nothing larger than one claim is ever written out for it.
 * @throws Refusal wallet_request_too_large
 */
const assertShowable = (shown: ShownRequest): void => {
  let length = 0
  const count = (part: unknown): void => {
    length += JSON.stringify(part).length
    if (length > shownMost) throw errors.presentationRequestTooLarge()
  }
  const { queries, ...rest } = shown
  count(rest)
  for (const { candidates, ...query } of queries) {
    count(query)
    for (const { claims, ...candidate } of candidates) {
      count(candidate)
      for (const claim of claims) count(claim)
    }
  }
}

/** One row an invitation: a request is fetched once, however often its link is handed in. */
const reserve = async (
  tx: Tx,
  { citizen }: Vault,
  row: { id: string; tag: Buffer; now: number },
): Promise<{ id: string }> => {
  await tx.query(`DELETE FROM ${requestTable} WHERE expires <= ?`, [row.now])
  const inserted = await tx.query<Row & { id: string }>(
    `INSERT INTO ${requestTable} (id, citizen, invitation_tag, state, expires) VALUES (?, ?, ?, 'reading', ?)
     ON CONFLICT (citizen, invitation_tag) DO NOTHING RETURNING id`,
    [row.id, citizen, row.tag, row.now + presentationReadingMs],
  )
  if (inserted.length > 0) {
    const count = `SELECT count(*) AS waiting FROM ${requestTable} WHERE citizen = ? AND state IN ('reading', 'open')`
    const [waiting] = await tx.query<Row & { waiting: number }>(count, [citizen])
    if (Number(waiting?.waiting ?? 0) > presentationRequestsMost) throw errors.walletFull(presentationRequestsMost)
    return { id: row.id }
  }
  const find = `SELECT id FROM ${requestTable} WHERE citizen = ? AND invitation_tag = ?`
  const [known] = await tx.query<Row & { id: string }>(find, [citizen, row.tag])
  if (known === undefined) throw errors.presentationRequestUnknown()
  return { id: known.id }
}

type Reading = { desk: Desk; context: Context; vault: Vault; id: string }

const write = ({ desk, context, vault, id }: Reading, act: (tx: Tx) => Promise<unknown>): Promise<unknown> =>
  perform(desk.house, {
    operation: 'readPresentationRequest',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ request: id }),
    act: async tx => {
      await act(tx)
      return { id }
    },
  })

const readAndKeep = async (reading: Reading, invitation: PresentationInvitation): Promise<void> => {
  const { desk, vault, id } = reading
  try {
    const asked = await desk.presentations.read(invitation)
    const kept: KeptRequest = { asked, shown: await shownOf(desk, vault, asked) }
    assertShowable(kept.shown)
    const expires = Math.min(
      desk.house.clock.now() + presentationRequestLifeMs,
      asked.expires ?? Number.MAX_SAFE_INTEGER,
    )
    const sealed = vault.seal(requestTable, id, kept)
    const sql = `UPDATE ${requestTable} SET state = 'open', sealed = ?, expires = ? WHERE id = ? AND state = 'reading'`
    await write(reading, tx => tx.query(sql, [sealed, Math.floor(expires), id]))
  } catch (error) {
    // What could not be read may be handed in again.
    await write(reading, tx => tx.query(`DELETE FROM ${requestTable} WHERE id = ? AND state = 'reading'`, [id]))
    throw error
  }
}

/**
 * Reads a verifier's request (OpenID4VP 1.0), fetches it where it is given by reference, judges who asks, and shows who asks
 * for what and which credentials of the wallet answer. The verifier learns nothing but that its request was fetched.
 * @throws Refusal of what is wrong with the request; wallet_request_reading, wallet_request_too_large, wallet_full
 */
export const readPresentationRequest = async (desk: Desk, context: Context): Promise<Answer> => {
  const invitation = context.body as PresentationInvitation
  const vault = vaultOf(context.caller)
  const id = desk.newId()
  const evidence = { invitation }
  const reserved = await perform(desk.house, {
    operation: 'readPresentationRequest',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence(evidence),
    idempotencyKey: context.headers['idempotency-key'],
    // Answers are remembered in the clear, so nothing but the id is one.
    act: tx =>
      reserve(tx, vault, { id, tag: vault.tag('invitation', JSON.stringify(invitation)), now: desk.house.clock.now() }),
  })
  if (reserved.id === id) await readAndKeep({ desk, context, vault, id }, invitation)
  const row = await requestRow(desk, vault, reserved.id)
  return { status: 201, body: viewOf(row, keptIn(vault, row)) }
}

/** What a verifier asks for, as it was shown. */
export const reviewPresentationRequest = async (desk: Desk, context: Context): Promise<Answer> => {
  const vault = vaultOf(context.caller)
  const id = context.params['request'] ?? ''
  return disclose(desk.house, {
    operation: 'reviewPresentationRequest',
    requires: requires.citizen,
    caller: context.caller,
    input: { id },
    read: async () => {
      const row = await requestRow(desk, vault, id)
      return { status: 200, body: viewOf(row, keptIn(vault, row)) }
    },
  })
}
