import { digestOf } from '../../../kernel/canonical.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { isRefusal, type Refusal } from '../../../kernel/refusal.ts'
import { type Desk, sameText } from '../desk.ts'
import { requestAnswered, requestExpired, requestUnknown, responseElsewhere } from '../errors.ts'
import type { Protocol } from '../needs.ts'
import { failuresMost, requires } from '../policy.ts'
import {
  type Answered,
  answerContext,
  expectationOf,
  findRequest,
  type PresentationRequest,
  termsContext,
} from '../requests.ts'

type Form = Record<string, unknown>
type Turn = { desk: Desk; context: Context; operation: string; request: PresentationRequest }

const assertOpen = ({ state, expires, terms }: PresentationRequest, now: number): void => {
  if (state !== 'open' && state !== 'fetched') throw requestAnswered()
  if (expires <= now) throw requestExpired()
  // Nobody but whoever fetched it knows what is asked.
  if (terms.delivery === 'reference' && state === 'open') throw requestUnknown()
}

const asked = ({ context, operation, request }: Turn) => ({
  ...{ operation, requires: requires.anyone, caller: context.caller, input: { request: request.id } },
})

const stillOpen = `WHERE id = ? AND state IN ('open', 'fetched') AND expires > ? RETURNING id`

/** What was judged is written where the request is still open: a second answer comes too late. */
const conclude = (turn: Turn, set: string, values: (string | Uint8Array)[], effect?: Buffer): Promise<unknown> =>
  perform(turn.desk.house, {
    ...asked(turn),
    act: async (tx, record) => {
      const now = turn.desk.house.clock.now()
      const sql = `UPDATE presentation_requests SET ${set} ${stillOpen}`
      const moved = await tx.query(sql, [...values, turn.request.id, now])
      if (moved.length === 0) throw requestAnswered()
      if (effect !== undefined) record.effect(effect)
    },
  })

/** Answers that do not hold are counted: a few of them end the request. */
const count = (turn: Turn, { code }: Refusal): Promise<unknown> =>
  conclude(
    turn,
    `failures = failures + 1, error = ?, state = CASE WHEN failures + 1 >= ${failuresMost} THEN 'failed' ELSE state END`,
    [code],
  )

type VpTokenRead = Extract<Awaited<ReturnType<Protocol['readResponse']>>, { kind: 'vp_token' }>

const keep = async (turn: Turn, { vpToken }: VpTokenRead): Promise<void> => {
  const { desk, request } = turn
  const { id, terms } = request
  const { dcql, transactionData } = terms
  const expected = expectationOf(desk, id, terms)
  let judged: Awaited<ReturnType<Protocol['judge']>>
  try {
    judged = await desk.protocol.judge(vpToken, { dcql, transactionData, expected })
  } catch (error) {
    if (!isRefusal(error) || error.kind === 'unavailable') throw error
    await count(turn, error)
    throw error
  }
  // Without what the readers of an answer have no use for: the claims are what was disclosed.
  const verdicts = Object.fromEntries(
    Object.entries(judged).map(([query, list]) => [query, list.map(({ document: _whole, ...verdict }) => verdict)]),
  )
  const answered: Answered = { vpToken, verdicts }
  const { key, ...others } = terms
  // The key has done its work; its public half tells mdocs apart.
  const rest = key === undefined ? others : { ...others, key: { ...key, privateJwk: {} } }
  const values = [desk.seal(rest, termsContext(id)), desk.seal(answered, answerContext(id))]
  await conclude(turn, `state = 'answered', error = NULL, sealed = ?, answer = ?`, values, digestOf(vpToken))
}

const receive = async (turn: Turn, form: Form): Promise<void> => {
  const { desk, request } = turn
  const { id, terms } = request
  const { key, dcql } = terms
  const read = await desk.protocol.readResponse(form, {
    dcql,
    ...(terms.delivery === 'digital' ? {} : { state: desk.names.state(id) }),
    ...(key === undefined ? {} : { key: { jwk: key.privateJwk, kid: key.publicJwk.kid } }),
  })
  if (read.kind === 'error') await conclude(turn, `state = 'refused', error = ?`, [read.error])
  else await keep(turn, read)
}

/** Where the wallet sends the person back to, with what only it has been told (OpenID4VP 1.0, section 8.2). */
const redirectOf = ({ desk, request }: Turn): { redirect_uri?: string } => {
  const { returnTo } = request.terms
  if (returnTo === undefined) return {}
  const url = new URL(returnTo)
  url.searchParams.set('response_code', desk.names.responseCode(request.id))
  return { redirect_uri: url.href }
}

/**
 * The response URI (`direct_post` and `direct_post.jwt`; OpenID4VP 1.0, sections 8.2 and 8.3.1).
 * @throws Refusal presentation_request_unknown, presentation_request_expired, presentation_request_answered; of the form of the
 * answer; of the first thing wrong with what is presented
 */
export const receivePresentation = async (desk: Desk, context: Context): Promise<Answer> => {
  const request = await findRequest(desk, context.params['request'] ?? '')
  if (request.terms.delivery === 'digital') throw responseElsewhere()
  assertOpen(request, desk.house.clock.now())
  const turn = { desk, context, operation: 'receivePresentation', request }
  await receive(turn, context.body as Form)
  return { status: 200, body: redirectOf(turn) }
}

/**
 * What a browser handed to the page that asked (OpenID4VP 1.0, appendix A.4); the page hands it on, with its secret.
 * @throws Refusal as above
 */
export const receiveDigitalCredential = async (desk: Desk, context: Context): Promise<Answer> => {
  const id = context.params['request'] ?? ''
  const { secret, data } = context.body as { secret: string; data: Form }
  if (!sameText(desk.names.secret(id), secret)) throw requestUnknown()
  const request = await findRequest(desk, id)
  if (request.terms.delivery !== 'digital') throw responseElsewhere()
  assertOpen(request, desk.house.clock.now())
  await receive({ desk, context, operation: 'receiveDigitalCredential', request }, data)
  return { status: 200, body: {} }
}
