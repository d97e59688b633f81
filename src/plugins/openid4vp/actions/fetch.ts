import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Refusal } from '../../../kernel/refusal.ts'
import type { Desk } from '../desk.ts'
import { requestAnswered, requestByValue, requestExpired, requestFetched } from '../errors.ts'
import { type Asking, findAsked, findRequest, toldOf } from '../requests.ts'

const mediaType = 'application/oauth-authz-req+jwt'

const assertFetchable = ({ state, expires, terms }: Asking, now: number): void => {
  if (terms.delivery !== 'reference') throw requestByValue()
  if (state === 'fetched') throw requestFetched()
  if (state !== 'open') throw requestAnswered()
  if (expires <= now) throw requestExpired()
}

/** Why a request that was there is not given out: somebody else came first, or it is over. */
const tooLate = async (desk: Desk, id: string): Promise<Refusal> => {
  assertFetchable(await findRequest(desk, id), desk.house.clock.now())
  return requestFetched()
}

type Wallet = { metadata?: string | undefined; nonce?: string | undefined }

const give = async (desk: Desk, { params }: Context, wallet?: Wallet): Promise<Answer> => {
  const now = desk.house.clock.now()
  const request = await findAsked(desk, params['request'] ?? '')
  assertFetchable(request, now)
  const { id, terms, expires } = request
  const { prefix, clientId } = terms
  if (prefix === 'redirect_uri') throw requestByValue()
  const told = toldOf(desk, id, terms)
  const object = await desk.protocol.requestObject(told, { prefix, clientId }, { now, expires }, wallet)
  if (!(await desk.writes.take(id))) {
    desk.held.drop(id)
    throw await tooLate(desk, id)
  }
  request.state = 'fetched'
  return { status: 200, contentType: mediaType, body: object }
}

/**
 * The request object, once (RFC 9101 section 5.2; OpenID4VP 1.0 section 5).
 * @throws Refusal presentation_request_unknown, presentation_request_expired, request_object_fetched, request_object_none
 */
export const getRequestObject = (desk: Desk, context: Context): Promise<Answer> => give(desk, context)

/**
 * The request object for a wallet that tells what it can, and a nonce of its own (OpenID4VP 1.0, section 5.10).
 * @throws Refusal also wallet_metadata_malformed, wallet_unsuited, vp_formats_not_supported
 */
export const postRequestObject = (desk: Desk, context: Context): Promise<Answer> => {
  const { wallet_metadata: metadata, wallet_nonce: nonce } = (context.body ?? {}) as Record<string, string | undefined>
  return give(desk, context, { metadata, nonce })
}
