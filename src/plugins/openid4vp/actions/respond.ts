import { digestOf } from '../../../kernel/canonical.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { VpToken } from '../../../kernel/presentation-requests.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { type Desk, sameText } from '../desk.ts'
import {
  presentationsExcessive,
  presentationUntaken,
  requestAnswered,
  requestExpired,
  requestUnknown,
  responseElsewhere,
} from '../errors.ts'
import type { Protocol } from '../needs.ts'
import {
  type Answered,
  type Asking,
  answerContext,
  expectationOf,
  findAsked,
  findRequest,
  type Terms,
  termsContext,
} from '../requests.ts'

type Form = Record<string, unknown>
type Turn = { desk: Desk; context: Context; operation: string; request: Asking }

const assertOpen = ({ state, expires, terms }: Asking, now: number): void => {
  if (state !== 'open' && state !== 'fetched') throw requestAnswered()
  if (expires <= now) throw requestExpired()
  // Nobody but whoever fetched it knows what is asked.
  if (terms.delivery === 'reference' && state === 'open') throw requestUnknown()
}

type Judged = Awaited<ReturnType<Protocol['judge']>>

/** Attempts are counted before they are judged, and a few that do not hold end the request. @throws Refusal also presentation_request_answered */
const judgedOnce = async ({ desk, request: { id } }: Turn, judge: () => Promise<Judged>): Promise<Judged> => {
  if (!(await desk.writes.reserve(id))) {
    desk.held.drop(id)
    throw (await findRequest(desk, id)).expires <= desk.house.clock.now() ? requestExpired() : requestAnswered()
  }
  try {
    return await judge()
  } catch (error) {
    // Also what could not be judged: whoever presents chooses the host that cannot be reached.
    await desk.writes.fail(id, isRefusal(error) ? error.code : 'server_error')
    throw error
  }
}

/** What its asker can never take is refused at once, and not when it is handed in. */
const assertTaken = ({ takes }: Terms, vpToken: VpToken): void => {
  const count = Object.values(vpToken).reduce((sum, list) => sum + list.length, 0)
  if (takes !== undefined && count > takes.presentationsMost) throw presentationsExcessive(takes.presentationsMost)
}

const assertTypes = ({ takes }: Terms, verdicts: Judged): void => {
  if (takes === undefined) return
  for (const [query, list] of Object.entries(verdicts)) {
    const wanted = Object.hasOwn(takes.types, query) ? takes.types[query] : undefined
    if (list.some(({ type }) => type !== wanted)) throw presentationUntaken()
  }
}

type VpTokenRead = Extract<Awaited<ReturnType<Protocol['readResponse']>>, { kind: 'vp_token' }>

const keep = async (turn: Turn, { vpToken }: VpTokenRead): Promise<void> => {
  const { desk, request } = turn
  const { id, terms } = request
  const { dcql, transactionData } = terms
  const expected = expectationOf(desk, id, terms)
  const judged = await judgedOnce(turn, async () => {
    assertTaken(terms, vpToken)
    const verdicts = await desk.protocol.judge(vpToken, { dcql, transactionData, expected })
    assertTypes(terms, verdicts)
    return verdicts
  })
  // Without what the readers of an answer have no use for: the claims are what was disclosed.
  const verdicts = Object.fromEntries(
    Object.entries(judged).map(([query, list]) => [query, list.map(({ document: _whole, ...verdict }) => verdict)]),
  )
  const answered: Answered = { vpToken, verdicts }
  const { key, ...others } = terms
  // The key has done its work; its public half tells mdocs apart.
  const rest = key === undefined ? others : { ...others, key: { ...key, privateJwk: {} } }
  desk.held.drop(id)
  const { operation, context } = turn
  await desk.writes.conclude({
    ...{ id, operation, caller: context.caller, effect: digestOf(vpToken) },
    ...{ sealed: desk.seal(rest, termsContext(id)), answer: desk.seal(answered, answerContext(id)) },
  })
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
  if (read.kind === 'error') {
    desk.held.drop(id)
    await desk.writes.refuse(id, read.error)
  } else await keep(turn, read)
}

/** Where the wallet sends the person back to, with what only it has been told (OpenID4VP 1.0, section 8.2). */
const redirectOf = ({ desk, request }: Turn): { redirect_uri?: string } => {
  const { returnTo } = request.terms
  if (returnTo === undefined) return {}
  const url = new URL(returnTo)
  url.searchParams.set('response_code', desk.names.responseCode(request.id))
  return { redirect_uri: url.href }
}

/** As this process knows it; one that it has not seen fetched is looked at again, for another process may have. */
const findOpen = async (desk: Desk, id: string): Promise<Asking> => {
  const known = await findAsked(desk, id)
  if (known.terms.delivery !== 'reference' || known.state !== 'open') return known
  desk.held.drop(id)
  return findAsked(desk, id)
}

/**
 * The response URI (`direct_post` and `direct_post.jwt`; OpenID4VP 1.0, sections 8.2 and 8.3.1).
 * @throws Refusal presentation_request_unknown, presentation_request_expired, presentation_request_answered; of the form of the
 * answer; of the first thing wrong with what is presented
 */
export const receivePresentation = async (desk: Desk, context: Context): Promise<Answer> => {
  const request = await findOpen(desk, context.params['request'] ?? '')
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
  const request = await findOpen(desk, id)
  if (request.terms.delivery !== 'digital') throw responseElsewhere()
  assertOpen(request, desk.house.clock.now())
  await receive({ desk, context, operation: 'receiveDigitalCredential', request }, data)
  return { status: 200, body: {} }
}
