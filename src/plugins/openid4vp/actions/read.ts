import { disclose } from '../../../kernel/disclose.ts'
import type { Verdict } from '../../../kernel/identity.ts'
import { escaped, page } from '../../../kernel/page.ts'
import { pictureAnswer } from '../../../kernel/picture.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { hasBegun, mayOpen, outcome, walletUrlOf } from '../ask.ts'
import { type Desk, sameText } from '../desk.ts'
import {
  answerMissing,
  answerRefused,
  requestExpired,
  requestUnknown,
  responseElsewhere,
  sameDeviceOnly,
} from '../errors.ts'
import { requires } from '../policy.ts'
import { answeredOf, findRequest, type PresentationRequest, shownState } from '../requests.ts'

const time = (at: number): string => new Date(at).toISOString()

/** Requests of the staff; what other plugins ask is theirs to read. */
const findForStaff = async (desk: Desk, { params }: Context): Promise<PresentationRequest> => {
  const request = await findRequest(desk, params['request'] ?? '')
  if (request.asker !== 'staff') throw requestUnknown()
  return request
}

/** How a request of the staff stands. Nothing of an answer is in it. */
export const getPresentationRequest = async (desk: Desk, context: Context): Promise<Answer> => {
  const request = await findForStaff(desk, context)
  const { id, error, created, expires, terms } = request
  const body = {
    ...{ id, state: shownState(request, desk.house.clock.now()), purpose: terms.purpose },
    ...{ created: time(created), expires: time(expires), dcql_query: terms.dcql, response_mode: terms.responseMode },
    ...(terms.clientId === '' ? {} : { client_id: terms.clientId }),
    ...(error === undefined ? {} : { error }),
  }
  return { status: 200, body }
}

const shownVerdict = ({ checks, format, issuer, holder, type, credentialId, claims, block, at }: Verdict) => ({
  ...{ verified: true, checks, at: time(at) },
  ...Object.fromEntries(
    Object.entries({ format, issuer, holder, type, credentialId, claims, block }).filter(
      ([, value]) => value !== undefined,
    ),
  ),
})

/**
 * What was presented: personal data, so that reading it leaves a record.
 * @throws Refusal presentation_request_unknown, presentation_request_expired, presentation_waiting, presentation_refused
 */
export const getPresentationResult = async (desk: Desk, context: Context): Promise<Answer> => {
  const { response_code: code } = (context.body ?? {}) as { response_code?: string }
  const body = await disclose(desk.house, {
    operation: 'getPresentationResult',
    ...{ requires: requires.read, caller: context.caller, input: { request: context.params['request'] ?? '' } },
    async read() {
      const request = await findForStaff(desk, context)
      const state = shownState(request, desk.house.clock.now())
      if (state === 'expired') throw requestExpired()
      if (state === 'refused') throw answerRefused(request.error ?? 'access_denied')
      if (state === 'waiting' || !mayOpen(desk, request, code)) throw answerMissing()
      const presentations = Object.entries(answeredOf(desk, request).verdicts).map(
        ([query, list]) => [query, list.map(shownVerdict)] as const,
      )
      return { id: request.id, presentations: Object.fromEntries(presentations) }
    },
  })
  return { status: 200, body }
}

/** How a request stands, for whoever began it. What was presented is handed in by its name, and not shown here. */
export const pollPresentationRequest = async (desk: Desk, context: Context): Promise<Answer> => {
  const { secret, response_code: responseCode } = context.body as { secret: string; response_code?: string }
  const found = await outcome(desk, { id: context.params['request'] ?? '', secret, responseCode })
  const body = { state: found.state, ...(found.state === 'refused' ? { error: found.error } : {}) }
  return { status: 200, body }
}

/** The link for a wallet as a QR code. */
export const getPresentationRequestQr = async (desk: Desk, { params, query }: Context): Promise<Answer> => {
  const request = await findRequest(desk, params['request'] ?? '')
  if (request.terms.delivery === 'digital') throw responseElsewhere()
  // A picture is for another device, and from there nobody comes back to the browser that began.
  if (request.terms.returnTo !== undefined) throw sameDeviceOnly()
  // A request by value says in its QR code what its asker alone may know.
  if (request.terms.delivery === 'value' && request.state !== 'open') throw requestUnknown()
  if (shownState(request, desk.house.clock.now()) === 'expired') throw requestExpired()
  return pictureAnswer(await desk.qr(await walletUrlOf(desk, request)), query['format'])
}

const elsewhere = `<p>You can close this page and go on where you began.</p>
<p class="note">If you did not begin this yourself, in this browser, somebody may have sent you a request of theirs: nothing was opened
with your answer, and nobody gets it. Tell nobody the address of this page.</p>`

const forWhoeverBegan = (code: string): string => `<p><label for="code">Where you began asks for this code:</label></p>
<textarea id="code" rows="2" readonly>${escaped(code)}</textarea>
<p class="note">Give it to nobody who sent you here: it opens what you began, in your name.</p>`

/**
 * Where a wallet sends people back to whose own page is elsewhere. It shows the code that opens the answer to the browser that began,
 * and to no other: whoever was sent somebody else's request has nothing to pass on.
 */
export const showPresentationReturn = async (desk: Desk, { query, headers }: Context): Promise<Answer> => {
  const { response_code: code = '', request = '' } = query
  const isOwn = hasBegun(desk, request, headers['cookie']) && sameText(desk.names.responseCode(request), code)
  return page({ heading: 'Your wallet has answered', body: isOwn ? forWhoeverBegan(code) : elsewhere })
}
