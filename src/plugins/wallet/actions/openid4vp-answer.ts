import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import type { AnswerContent, AnswerMade, ChosenCredential } from '../../../kernel/presentation-answers.ts'
import { isRefusal, type Refusal } from '../../../kernel/refusal.ts'
import * as errors from '../errors.ts'
import { requires } from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import type { Vault } from '../vault.ts'
import { heldOf, type StoredHeld } from './hold.ts'
import { holderKey, keyOfDid, type StoredKey, signerOf } from './keys.ts'
import { digestShown, type KeptRequest, keptIn, type RequestRow, requestRow, requestTable } from './openid4vp-read.ts'
import type { DisclosureRecord } from './present.ts'
import type { Desk } from './prove.ts'

type Choice = { query: string; heldId: string }
type AnswerBody = { digest: string; credentials: Choice[] }

/** How an answer stands, sealed: what is to be sent, and what came back. */
type KeptAnswer = { content: AnswerContent; disclosures: string[]; redirectUri?: string; told?: boolean }

type Turn = { desk: Desk; context: Context; vault: Vault; row: RequestRow; kept: KeptRequest }

const turnOf = async (desk: Desk, context: Context): Promise<Turn> => {
  const vault = vaultOf(context.caller)
  const row = await requestRow(desk, vault, context.params['request'] ?? '')
  return { desk, context, vault, row, kept: keptIn(vault, row) }
}

const answerTable = `${requestTable} answer`
const keptAnswer = ({ vault, row }: Turn): KeptAnswer => {
  if (row.answer === null) throw errors.presentationRequestClosed()
  return vault.open<KeptAnswer>(answerTable, row.id, row.answer)
}

type Chosen = Choice & { held: StoredHeld; key: StoredKey }

/** Only what was shown as an answer can be chosen. */
const chosenOf = async (turn: Turn, choices: readonly Choice[]): Promise<Chosen[]> => {
  const { desk, vault, kept } = turn
  const chosen: Chosen[] = []
  for (const choice of choices) {
    const query = kept.shown.queries.find(({ id }) => id === choice.query)
    if (query?.candidates.some(({ heldId }) => heldId === choice.heldId) !== true)
      throw errors.presentationRequestChanged()
    const held = await heldOf(desk, vault, choice.heldId)
    const key = await keyOfDid(desk, vault, held.holder)
    if (key === undefined) throw errors.recordDamaged()
    chosen.push({ ...choice, held, key })
  }
  return chosen
}

const make = async ({ desk, kept }: Turn, chosen: readonly Chosen[]): Promise<AnswerMade> => {
  const credentials = chosen.map(
    ({ query, held: { id, compact, format }, key }): ChosenCredential => ({
      query,
      id,
      compact,
      format,
      key: holderKey(key),
    }),
  )
  const made = await desk.presentations.answer(kept.asked, credentials, signerOf(chosen.map(({ key }) => key)))
  for (const { query, credential, shown } of made.presented) {
    const candidates = kept.shown.queries.find(({ id }) => id === query)?.candidates
    const promised = candidates?.find(({ heldId }) => heldId === credential)?.shown
    if (JSON.stringify(promised) !== JSON.stringify(shown)) throw errors.presentationRequestChanged()
  }
  return made
}

/** What the citizen may look up later: written before anything leaves. */
const recordsOf = ({ desk, kept }: Turn, made: AnswerMade, chosen: readonly Chosen[]): DisclosureRecord[] =>
  made.presented.map(({ shown }, index) => {
    const held = chosen[index]?.held
    const { asked } = kept
    return {
      ...{
        type: held?.type ?? '',
        issuer: held?.issuer ?? '',
        audience: asked.audience,
        challenge: asked.nonce,
        shown,
      },
      ...{ at: desk.house.clock.now(), verifier: asked.client },
      ...(asked.transactions.length === 0 ? {} : { transactions: asked.transactions.map(({ content }) => content) }),
    }
  })

/** One answer a request: whoever moves it out of `open` first has it. */
const close = async (
  tx: Tx,
  { vault, row, desk }: Turn,
  to: { state: 'sending' | 'answered' | 'refused'; answer: KeptAnswer },
): Promise<void> => {
  const sql = `UPDATE ${requestTable} SET state = ?, answer = ?
    WHERE id = ? AND citizen = ? AND state = 'open' AND expires > ? RETURNING id`
  const sealed = vault.seal(answerTable, row.id, to.answer)
  const moved = await tx.query(sql, [to.state, sealed, row.id, vault.citizen, desk.house.clock.now()])
  if (moved.length === 0) throw errors.presentationRequestClosed()
}

/** From where each end can be reached: a failure that is told late does not undo an answer. */
const settledFrom = {
  answered: ['sending', 'failed'],
  failed: ['sending'],
  refused: ['refused'],
} as const satisfies Record<string, readonly RequestRow['state'][]>

const settle = ({ desk, context, vault, row }: Turn, state: 'answered' | 'failed' | 'refused', answer: KeptAnswer) =>
  perform(desk.house, {
    operation: state === 'refused' ? 'refusePresentationRequest' : 'answerPresentationRequest',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ request: row.id, state }),
    act: async tx => {
      const sealed = vault.seal(answerTable, row.id, answer)
      const from = settledFrom[state]
      const sql = `UPDATE ${requestTable} SET state = ?, answer = ?
        WHERE id = ? AND citizen = ? AND state IN (${from.map(() => '?').join(', ')})`
      await tx.query(sql, [state, sealed, row.id, vault.citizen, ...from])
      return { id: row.id }
    },
  })

const bodyOf = ({ row }: Turn, state: string, { content, disclosures, redirectUri }: KeptAnswer) => ({
  id: row.id,
  state,
  disclosures,
  ...(redirectUri === undefined ? {} : { redirectUri }),
  ...('data' in content ? { data: content.data } : {}),
})

/** Hands over what was made. It stays the same however often it has to be tried. */
const sendAnswer = async (turn: Turn, answer: KeptAnswer): Promise<Answer> => {
  const { desk, kept } = turn
  if ('data' in answer.content) return { status: 200, body: bodyOf(turn, 'answered', answer) }
  let sent: { redirectUri?: string }
  try {
    sent = await desk.presentations.send(kept.asked, answer.content.form)
  } catch (error) {
    if (isRefusal(error) && error.code === 'verifier_refused') await settle(turn, 'failed', withoutForm(answer))
    throw error
  }
  const done: KeptAnswer = { ...withoutForm(answer), ...sent }
  await settle(turn, 'answered', done)
  return { status: 200, body: bodyOf(turn, 'answered', done) }
}

/** What has been sent is not kept: the disclosures say what it showed. */
const withoutForm = (answer: KeptAnswer): KeptAnswer => ({ ...answer, content: { form: {} } })

/**
 * Answers a request with the credentials that the citizen chose, bound by the digest to what was shown. What is shown is
 * recorded before anything leaves; where the verifier cannot be reached, the same call sends the same answer again.
 * @throws Refusal wallet_request_unknown, wallet_request_closed, wallet_request_changed, presentation_choice,
 * invalid_transaction_data, verifier_refused, verifier_unreachable
 */
export const answerPresentationRequest = async (desk: Desk, context: Context): Promise<Answer> => {
  const { digest, credentials } = context.body as AnswerBody
  const turn = await turnOf(desk, context)
  const { vault, row, kept } = turn
  if (digest !== digestShown(row.id, kept.shown)) throw errors.presentationRequestChanged()
  if (row.state === 'sending') return sendAnswer(turn, keptAnswer(turn))
  const chosen = row.state === 'open' ? await chosenOf(turn, credentials) : []
  const made = row.state === 'open' ? await make(turn, chosen) : undefined
  const ids = chosen.map(() => desk.newId())
  const answer = made && { content: made.content, disclosures: ids }
  const records = made === undefined ? [] : recordsOf(turn, made, chosen)
  const attempt = desk.newId()
  const performed = await perform(desk.house, {
    operation: 'answerPresentationRequest',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ request: row.id, digest, credentials }),
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      if (answer === undefined) throw errors.presentationRequestClosed()
      await close(tx, turn, { state: 'form' in answer.content ? 'sending' : 'answered', answer })
      const rows = records.map((record, index) => {
        const id = ids[index] ?? ''
        const sealed = vault.seal('wallet_disclosures', id, record)
        return { id, citizen: vault.citizen, credential: chosen[index]?.heldId ?? '', sealed, presentation: null }
      })
      tx.insert('wallet_disclosures', rows)
      return { attempt }
    },
  })
  if (performed.attempt === attempt && answer !== undefined) return sendAnswer(turn, answer)
  return again(await turnOf(desk, context), 'answered')
}

/** The same call as before: what it came to. */
const again = (turn: Turn, state: 'answered' | 'refused'): Promise<Answer> | Answer => {
  const answer = keptAnswer(turn)
  if (turn.row.state === 'sending') return sendAnswer(turn, answer)
  if (turn.row.state !== state) throw errors.presentationRequestClosed()
  const told = state === 'refused' ? { told: answer.told === true } : {}
  return { status: 200, body: { ...bodyOf(turn, state, answer), ...told } }
}

const sendRefusal = async (turn: Turn, answer: KeptAnswer): Promise<KeptAnswer> => {
  const { desk, kept } = turn
  const { content } = answer
  if ('data' in content) return { ...answer, told: true }
  try {
    const sent = await desk.presentations.send(kept.asked, content.form)
    return { ...withoutForm(answer), ...sent, told: true }
  } catch (error) {
    if (!isRefusal(error)) throw error
    // The citizen has refused, whether or not the verifier hears of it.
    const unsent: Refusal = error
    return { ...withoutForm(answer), told: unsent.code === 'verifier_refused' }
  }
}

/**
 * Refuses a request: the verifier is told `access_denied`, and not whether the wallet could have answered (OpenID4VP 1.0,
 * sections 8.5 and 15.4.1).
 * @throws Refusal wallet_request_unknown, wallet_request_closed
 */
export const refusePresentationRequest = async (desk: Desk, context: Context): Promise<Answer> => {
  const turn = await turnOf(desk, context)
  const { vault, row, kept } = turn
  const answer: KeptAnswer = { content: await desk.presentations.decline(kept.asked), disclosures: [] }
  const attempt = desk.newId()
  const performed = await perform(desk.house, {
    operation: 'refusePresentationRequest',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ request: row.id }),
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      await close(tx, turn, { state: 'refused', answer })
      return { attempt }
    },
  })
  if (performed.attempt !== attempt) return again(await turnOf(desk, context), 'refused')
  const done = await sendRefusal(turn, answer)
  await settle(turn, 'refused', done)
  return { status: 200, body: { ...bodyOf(turn, 'refused', done), told: done.told === true } }
}
