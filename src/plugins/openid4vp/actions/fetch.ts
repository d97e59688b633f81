import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Desk } from '../desk.ts'
import { requestAnswered, requestByValue, requestExpired, requestFetched } from '../errors.ts'
import { requires } from '../policy.ts'
import { findRequest, type PresentationRequest, toldOf } from '../requests.ts'

const mediaType = 'application/oauth-authz-req+jwt'

const assertFetchable = ({ state, expires, terms }: PresentationRequest, now: number): void => {
  if (terms.delivery !== 'reference') throw requestByValue()
  if (state === 'fetched') throw requestFetched()
  if (state !== 'open') throw requestAnswered()
  if (expires <= now) throw requestExpired()
}

/** One statement decides who has it. */
const take = (desk: Desk, { caller }: Context, operation: string, id: string): Promise<unknown> =>
  perform(desk.house, {
    ...{ operation, requires: requires.anyone, caller, input: { request: id } },
    act: async tx => {
      const taken = await tx.query(
        `UPDATE presentation_requests SET state = 'fetched' WHERE id = ? AND state = 'open' AND expires > ? RETURNING id`,
        [id, desk.house.clock.now()],
      )
      if (taken.length === 0) throw requestFetched()
    },
  })

type Wallet = { metadata?: string | undefined; nonce?: string | undefined }

const give = async (desk: Desk, context: Context, operation: string, wallet?: Wallet): Promise<Answer> => {
  const id = context.params['request'] ?? ''
  const now = desk.house.clock.now()
  const request = await findRequest(desk, id)
  assertFetchable(request, now)
  const { terms, expires } = request
  const { prefix, clientId } = terms
  if (prefix === 'redirect_uri') throw requestByValue()
  const told = toldOf(desk, id, terms)
  const object = await desk.protocol.requestObject(told, { prefix, clientId }, { now, expires }, wallet)
  await take(desk, context, operation, id)
  return { status: 200, contentType: mediaType, body: object }
}

/**
 * The request object, once (RFC 9101 section 5.2; OpenID4VP 1.0 section 5).
 * @throws Refusal presentation_request_unknown, presentation_request_expired, request_object_fetched, request_object_none
 */
export const getRequestObject = (desk: Desk, context: Context): Promise<Answer> =>
  give(desk, context, 'getRequestObject')

/**
 * The request object for a wallet that tells what it can, and a nonce of its own (OpenID4VP 1.0, section 5.10).
 * @throws Refusal also wallet_metadata_malformed, wallet_unsuited, vp_formats_not_supported
 */
export const postRequestObject = (desk: Desk, context: Context): Promise<Answer> => {
  const { wallet_metadata: metadata, wallet_nonce: nonce } = (context.body ?? {}) as Record<string, string | undefined>
  return give(desk, context, 'postRequestObject', { metadata, nonce })
}
