import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { isRefusal, type Refusal } from '../../../kernel/refusal.ts'
import { requires } from '../policy.ts'
import type { Client } from './client.ts'
import {
  clientUnknown,
  pageUnknown,
  parameterMissing,
  pushNeeded,
  requestUriUnknown,
  serverElsewhere,
} from './errors.ts'
import { digestOfHandle, newHandle, sameText } from './handles.ts'
import {
  answerTo,
  askWhoItIs,
  type Identification,
  identificationFor,
  issuanceFor,
  recordFailure,
  recordIdentified,
} from './identify.ts'
import type { AuthorizationDesk } from './needs.ts'
import { consentPage, type Form, identifyPage, messagePage, type Told } from './page.ts'
import { authorizationLifeMs, codeLifeMs, refreshPageSeconds } from './policy.ts'
import { assertRoom, evidenceOf, handleOfUri, keepRequest, requestUriOf } from './push.ts'
import { redirectTo } from './redirect.ts'
import { type AuthorizationRequest, type Parameters, readRequest, redirectOf } from './request.ts'
import { type Authorization, cookieOf, formTokenOf, readAuthorization, sessionOf } from './sessions.ts'

const pathOf = ({ publicUrl }: AuthorizationDesk): string => `${publicUrl}/openid4vci/authorize`

const addressOf = (desk: AuthorizationDesk, clientId: string, handle: string): string =>
  `${pathOf(desk)}?${new URLSearchParams({ client_id: clientId, request_uri: requestUriOf(handle) })}`

/** FAPI 2.0: 303, so that no browser sends the form on. RFC 9207: every answer names who gives it. */
const back = (
  { publicUrl }: AuthorizationDesk,
  { redirectUri, state }: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
  parameters: Record<string, string>,
): string => redirectTo(redirectUri, { ...parameters, state, iss: publicUrl })

const seeOther = (location: string, headers: Record<string, string> = {}): Answer => ({
  status: 303,
  headers: { location, 'referrer-policy': 'no-referrer', ...headers },
})

const refusedPage = (refusal: Refusal, backTo?: string): Answer =>
  messagePage({
    heading: 'This cannot go on',
    sentence: refusal.message,
    status: refusal.kind === 'unavailable' || refusal.kind === 'too_many' ? 503 : 400,
    back: backTo,
  })

const errorOf = ({ code, facts, kind }: Refusal): string => {
  const { error } = facts
  if (typeof error === 'string') return error === 'invalid_client' ? 'unauthorized_client' : error
  if (code.startsWith('invalid_') || code === 'unsupported_response_type') return code
  return kind === 'unavailable' ? 'temporarily_unavailable' : 'invalid_request'
}

/**
 * A request that comes with the browser, as RFC 6749 has it, is pushed by the server itself: from there on its parameters stand in
 * no address. What is wrong with it goes back to the wallet's address, by itself if somebody vouched for that address, else by a
 * link: this server sends nobody where a stranger likes (RFC 9700, section 4.11).
 */
const openPlain = async (desk: AuthorizationDesk, context: Context): Promise<Answer> => {
  const { policy } = desk.authorization
  const parameters: Parameters = context.query
  const { client_id: id } = parameters
  if (policy.haip) throw pushNeeded()
  if (id === undefined) throw parameterMissing('client_id')
  const registered = policy.clients.find(each => each.id === id)
  if (registered === undefined && !policy.unknownClients) throw clientUnknown()
  const client: Client & { id: string } = {
    ...{ id, registered, attested: undefined, possession: undefined, spend: async () => undefined },
  }
  const redirectUri = redirectOf(parameters, client)
  let request: AuthorizationRequest
  try {
    request = await readRequest(desk, parameters, client)
  } catch (error) {
    if (!isRefusal(error)) throw error
    const answer = { error: errorOf(error), error_description: error.message.replace(/[^\x20-\x7E]|["\\]/g, '?') }
    const location = back(desk, { redirectUri, state: parameters['state'] }, answer)
    return registered === undefined ? refusedPage(error, location) : seeOther(location)
  }
  await assertRoom(desk, request)
  const handle = await desk.house.store.transaction(async tx => keepRequest(desk, tx, request).handle)
  return seeOther(addressOf(desk, id, handle))
}

/** RFC 9126, section 4: the URI counts once; from then on the browser that brought it goes by its cookie. */
const begin = async (
  desk: AuthorizationDesk,
  authorization: Authorization,
): Promise<{ session: string; headers: Record<string, string> }> => {
  const session = newHandle()
  await desk.house.store.transaction(async tx => {
    const now = desk.house.clock.now()
    const sql = `UPDATE oid4vci_requests SET stage = 'open', session_sha256 = ?, expires = ?
      WHERE id = ? AND stage = 'pushed' AND expires > ? RETURNING id`
    const opened = await tx.query(sql, [digestOfHandle(session), now + authorizationLifeMs, authorization.id, now])
    if (opened.length === 0) throw requestUriUnknown()
  })
  authorization.stage = 'open'
  authorization.expires = desk.house.clock.now() + authorizationLifeMs
  return { session, headers: { 'set-cookie': cookieOf(desk.publicUrl, authorization, session) } }
}

const toldOf = (desk: AuthorizationDesk, { request }: Authorization, configurationIds: readonly string[]): Told => ({
  ...{ institution: desk.title, clientId: request.clientId, clientName: request.clientName },
  ...{ redirectUri: request.redirectUri, vouched: request.vouched },
  credentials: configurationIds.flatMap(id => desk.configurations.get(id) ?? []),
})

/** Of what was asked for, what the issuance holds. */
const openedBy = async (desk: AuthorizationDesk, { request, issuance }: Authorization): Promise<readonly string[]> => {
  const offered = issuance === undefined ? undefined : await desk.issuances.find(issuance)
  return request.configurationIds.filter(id => offered?.configurationIds.includes(id) ?? true)
}

type Visit = { authorization: Authorization; handle: string; session: string; headers: Record<string, string> }

const formOf = (desk: AuthorizationDesk, { handle, session }: Pick<Visit, 'handle' | 'session'>): Form => ({
  ...{ action: pathOf(desk), requestUri: requestUriOf(handle), token: formTokenOf(session) },
})

const askForWord = async (desk: AuthorizationDesk, visit: Visit): Promise<Answer> => {
  const { authorization, handle, session, headers } = visit
  const told = toldOf(desk, authorization, await openedBy(desk, authorization))
  return consentPage(told, formOf(desk, { handle, session }), headers)
}

/** What people call the credential that is asked for, and what is read from it. */
const titlesOf = ({ knownTypes }: AuthorizationDesk, { type, paths }: Identification) => {
  const known = knownTypes.filter(({ id }) => id === type).toSorted((a, b) => b.version - a.version)[0]
  const labels = known?.metadata['claims'] as { path: unknown[]; display?: { label?: string }[] }[] | undefined
  const labelOf = (path: readonly string[]): string =>
    labels?.find(each => each.path.join(' ') === path.join(' '))?.display?.[0]?.label ?? path.join(' ')
  return { credential: known?.title['en'] ?? type, claims: paths.map(labelOf) }
}

const ended = (desk: AuthorizationDesk, { request }: Authorization): Answer =>
  messagePage({
    heading: 'This is not for you',
    sentence:
      'What your wallet showed does not say that this is yours, so nothing is given. Ask the office that offered it.',
    status: 400,
    back: back(desk, request, { error: 'access_denied' }),
  })

const askWho = async (
  desk: AuthorizationDesk,
  context: Context,
  visit: Visit,
  identification: Identification,
): Promise<Answer> => {
  const { authorization, handle, headers } = visit
  const again = addressOf(desk, authorization.request.clientId, handle)
  let { asked } = authorization
  if (asked !== undefined) {
    const answer = await answerTo(desk, asked, context.query['response_code'])
    if (answer !== 'waiting' && answer !== 'over') {
      const issuance = await issuanceFor(desk, authorization, identification, answer)
      if (issuance !== undefined) {
        await recordIdentified(desk, context, authorization, issuance)
        return askForWord(desk, { ...visit, authorization: { ...authorization, stage: 'identified', issuance } })
      }
    }
    if (answer !== 'waiting') {
      const { ended: isOver } = await recordFailure(desk, authorization)
      if (isOver) return ended(desk, authorization)
      authorization.failures += 1
      asked = undefined
    }
  }
  asked ??= await askWhoItIs(desk, authorization, { identification, returnTo: again })
  const { other } = asked
  const shown = {
    ...titlesOf(desk, identification),
    walletUrl: asked.same.walletUrl,
    qr: other === undefined ? undefined : (await desk.qr(other.walletUrl)).svg,
    failed: authorization.failures > 0,
  }
  const told = toldOf(desk, authorization, await openedBy(desk, authorization))
  return identifyPage(told, shown, {
    ...{ again, refreshSeconds: refreshPageSeconds, headers },
    form: formOf(desk, visit),
  })
}

const visited = async (desk: AuthorizationDesk, context: Context): Promise<Answer> => {
  if (desk.authorization.external !== undefined) throw serverElsewhere()
  const { request_uri: requestUri, client_id: clientId } = context.query
  if (requestUri === undefined) return openPlain(desk, context)
  const handle = handleOfUri(requestUri)
  const authorization = await readAuthorization(desk, handle)
  if (handle === undefined || authorization.request.clientId !== clientId) throw requestUriUnknown()
  const { session, headers } =
    authorization.stage === 'pushed'
      ? await begin(desk, authorization)
      : { session: sessionOf(context, authorization), headers: {} }
  const visit: Visit = { authorization, handle, session, headers }
  if (authorization.stage === 'identified') return askForWord(desk, visit)
  if (authorization.stage !== 'open') throw pageUnknown()
  const identification = await identificationFor(desk, authorization)
  return identification === undefined ? askForWord(desk, visit) : askWho(desk, context, visit, identification)
}

const asPage = async (work: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await work()
  } catch (error) {
    if (!isRefusal(error)) throw error
    return refusedPage(error)
  }
}

/**
 * The authorization endpoint (RFC 6749, section 3.1; OpenID4VCI 1.0, section 5) as the citizen's browser sees it: says what is
 * collected and by whom, asks who it is where the prepared issuance says so, and asks for their word. What is wrong is said on a page;
 * nothing goes to an address that was not found good before.
 */
export const authorize = (desk: AuthorizationDesk, context: Context): Promise<Answer> =>
  asPage(() => visited(desk, context))

type Decision = { request_uri?: string; token?: string; decision?: string }

/** The stage in which the citizen's word counts. @throws Refusal forbidden/authorization_unknown */
const readyStage = async (desk: AuthorizationDesk, authorization: Authorization): Promise<'open' | 'identified'> => {
  if (authorization.stage === 'identified') return 'identified'
  if (authorization.stage !== 'open') throw pageUnknown()
  // Whoever has the unguessable state of an offer that identifies nobody may collect it.
  if ((await identificationFor(desk, authorization)) !== undefined) throw pageUnknown()
  return 'open'
}

const decided = async (desk: AuthorizationDesk, context: Context): Promise<Answer> => {
  const { request_uri: requestUri, token = '', decision } = (context.body ?? {}) as Decision
  const authorization = await readAuthorization(desk, handleOfUri(requestUri))
  const session = sessionOf(context, authorization)
  if (!sameText(token, formTokenOf(session))) throw pageUnknown()
  const isAllowed = decision === 'allow'
  const stage = isAllowed ? await readyStage(desk, authorization) : undefined
  const { id, request } = authorization
  const code = newHandle()
  await perform(desk.house, {
    ...{ operation: 'decideAuthorization', requires: requires.anyone, caller: context.caller },
    input: { authorization: id, ...evidenceOf(request), decision: isAllowed ? 'allow' : 'deny' },
    act: async tx => {
      const now = desk.house.clock.now()
      const moved = isAllowed
        ? await tx.query(
            `UPDATE oid4vci_requests SET stage = 'coded', code_sha256 = ?, code_expires = ?
             WHERE id = ? AND stage = ? AND expires > ? RETURNING id`,
            [digestOfHandle(code), now + codeLifeMs, id, stage ?? '', now],
          )
        : await tx.query(
            `UPDATE oid4vci_requests SET stage = 'ended', sealed = NULL
             WHERE id = ? AND stage IN ('open', 'identified') RETURNING id`,
            [id],
          )
      if (moved.length === 0) throw pageUnknown()
    },
  })
  return seeOther(back(desk, request, isAllowed ? { code } : { error: 'access_denied' }))
}

/**
 * The citizen's word. With a yes the wallet gets its code.
 * @throws nothing: what is wrong is said on a page
 */
export const decideAuthorization = (desk: AuthorizationDesk, context: Context): Promise<Answer> =>
  asPage(() => decided(desk, context))
