import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { clientOf, nonceHeaders } from './client.ts'
import {
  clientUnknown,
  parameterMissing,
  requestObjectUnsupported,
  requestsExceeded,
  serverElsewhere,
} from './errors.ts'
import { digestOfHandle, newHandle } from './handles.ts'
import type { AuthorizationDesk } from './needs.ts'
import { pushedLifeMs, registeredMost, strangersMost } from './policy.ts'
import { type AuthorizationRequest, type Parameters, readRequest } from './request.ts'

const prefix = 'urn:ietf:params:oauth:request_uri:'

/** The handle in a `request_uri` of ours. */
export const handleOfUri = (requestUri: string | undefined): string | undefined =>
  requestUri?.startsWith(prefix) ? requestUri.slice(prefix.length) : undefined

export const requestUriOf = (handle: string): string => `${prefix}${handle}`

/**
 * Keeps a request until the citizen's browser comes with its URI. Anybody may ask, as often as they like, and it changes nothing for
 * anybody: the evidence begins with the citizen's word.
 */
export const keepRequest = (
  desk: AuthorizationDesk,
  tx: Tx,
  request: AuthorizationRequest,
): { handle: string; expires: number } => {
  const handle = newHandle()
  const expires = desk.house.clock.now() + pushedLifeMs
  tx.insert('oid4vci_requests', [
    {
      ...{ id: desk.newId(), uri_sha256: digestOfHandle(handle), stage: 'pushed', request: JSON.stringify(request) },
      ...{ session_sha256: null, sealed: null, issuance: request.issuance ?? null, failures: 0 },
      ...{ code_sha256: null, code_expires: null, expires },
    },
  ])
  return { handle, expires }
}

/**
 * Wallets that nobody vouches for share so many requests under way, and those that are only named as registered some more: what
 * strangers send fills no disk, and shuts out no wallet that proves who made it.
 * @throws Refusal too_many/requests_exceeded
 */
export const assertRoom = async (
  { house: { store, clock } }: AuthorizationDesk,
  { vouched, instance }: Pick<AuthorizationRequest, 'vouched' | 'instance'>,
): Promise<void> => {
  if (instance !== undefined) return
  const most = vouched ? registeredMost : strangersMost
  // Of those rows the first that is past the bound tells enough: it is found by the index, and none is counted.
  const sql = 'SELECT expires FROM oid4vci_requests WHERE expires > ? ORDER BY expires LIMIT 1 OFFSET ?'
  if ((await store.read(sql, [clock.now(), most])).length > 0) throw requestsExceeded()
}

/** What of a request stands in the evidence: nothing that says whose it is. */
export const evidenceOf = ({ clientId, configurationIds, issuance }: AuthorizationRequest) => ({
  ...{ clientId, configurationIds, issuance: issuance ?? null },
})

/**
 * RFC 9126: a wallet hands in its authorization request itself.
 * @throws Refusal of `clientOf` and of `readRequest`; too_many/requests_exceeded
 */
export const pushAuthorizationRequest = async (desk: AuthorizationDesk, context: Context): Promise<Answer> => {
  if (desk.authorization.external !== undefined) throw serverElsewhere()
  const parameters = (context.body ?? {}) as Parameters
  if (parameters['request_uri'] !== undefined) throw requestObjectUnsupported()
  const { client_id: clientId } = parameters
  const client = await clientOf(desk, context, {
    ...{ path: '/openid4vci/par', clientId, anonymous: false, binding: false },
  })
  if (client.id === undefined) throw clientId === undefined ? parameterMissing('client_id') : clientUnknown()
  const request = await readRequest(desk, parameters, { ...client, id: client.id })
  await assertRoom(desk, request)
  const handle = await desk.house.store.transaction(async tx => {
    await client.spend(tx)
    return keepRequest(desk, tx, request).handle
  })
  return {
    status: 201,
    headers: nonceHeaders(client),
    body: { request_uri: requestUriOf(handle), expires_in: pushedLifeMs / 1_000 },
  }
}
