import { dcqlOf } from '../../../kernel/dcql.ts'
import { resolveCases } from '../../../kernel/gate.ts'
import type { FormatId } from '../../../kernel/identity.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { ClientIdPrefix } from '../../../kernel/presentation-requests.ts'
import { type Asked, prepare, walletUrlOf } from '../ask.ts'
import type { Desk } from '../desk.ts'
import { operationUnknown, requestUnsuited, requirementWithout } from '../errors.ts'
import type { SignedPrefix, VerifierInfo } from '../needs.ts'
import { requires } from '../policy.ts'
import { findRequest, requestUriOf, type Terms, toldOf } from '../requests.ts'

type Body = {
  purpose: string
  dcql_query?: unknown
  requirement?: { operationId: string; params?: Record<string, string>; credential_format?: FormatId }
  client_id_prefix?: ClientIdPrefix
  response_mode?: 'direct_post' | 'direct_post.jwt'
  delivery?: 'reference' | 'value'
  request_uri_method?: 'get' | 'post'
  return_to?: string
  transaction_data?: Record<string, unknown>[]
  verifier_info?: VerifierInfo[]
  digital_credentials?: { origins: string[]; signatures?: SignedPrefix[]; encrypted?: boolean }
  profile?: 'haip'
  expires_in?: number
}

/** What an operation of this agency asks of its caller, as far as DCQL can say it. */
const dcqlOfRequirement = (desk: Desk, requirement: NonNullable<Body['requirement']>): unknown => {
  const { operationId, params = {}, credential_format: format } = requirement
  const routes = desk.routes()
  const route = Object.hasOwn(routes, operationId) ? routes[operationId] : undefined
  if (route === undefined) throw operationUnknown()
  const dcql = dcqlOf(resolveCases(route.requires, params), desk.types, format)
  if (dcql === undefined) throw requirementWithout()
  return dcql
}

const askedOf = (desk: Desk, body: Body): Asked => {
  const { dcql_query: query, requirement, digital_credentials: digital, expires_in: life } = body
  if ((query === undefined) === (requirement === undefined)) {
    throw requestUnsuited('A request has either a dcql_query or the name of a requirement.')
  }
  return {
    purpose: body.purpose,
    dcql: requirement === undefined ? query : dcqlOfRequirement(desk, requirement),
    clientIdPrefix: body.client_id_prefix,
    responseMode: body.response_mode,
    delivery: body.delivery,
    method: body.request_uri_method,
    returnTo: body.return_to,
    transactionData: body.transaction_data,
    verifierInfo: body.verifier_info,
    haip: body.profile === 'haip',
    expires: life === undefined ? undefined : desk.house.clock.now() + life * 1_000,
    digital: digital && {
      origins: digital.origins,
      signatures: digital.signatures ?? [],
      encrypted: digital.encrypted ?? true,
    },
  }
}

const digitalOf = async (desk: Desk, id: string, terms: Terms, expires: number) => {
  const period = { now: desk.house.clock.now(), expires }
  return desk.protocol.digitalRequest(toldOf(desk, id, terms), terms.signatures ?? [], period)
}

/**
 * Begins a presentation request.
 * @throws Refusal dcql_malformed, invalid_transaction_data, return_forbidden, request_unsuited, haip_unmet, client_id_unsupported
 */
export const createPresentationRequest = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller, headers } = context
  const body = context.body as Body
  const prepared = await prepare(desk, askedOf(desk, body), 'staff')
  const { id } = await perform(desk.house, {
    ...{ operation: 'createPresentationRequest', requires: requires.request, caller, input: body },
    idempotencyKey: headers['idempotency-key'],
    // The secret is made from the id, so that no record of answers holds it.
    act: async tx => {
      tx.insert('presentation_requests', [prepared.row])
      return { id: prepared.id }
    },
  })
  const { terms, expires } = id === prepared.id ? prepared : await findRequest(desk, id)
  const isDigital = terms.delivery === 'digital'
  const begun = { id, secret: desk.names.secret(id), expires: new Date(expires).toISOString(), nonce: terms.nonce }
  return {
    status: 201,
    headers: { location: `${desk.publicUrl}/presentation-requests/${id}` },
    body: {
      ...begun,
      ...(terms.clientId === '' ? {} : { client_id: terms.clientId }),
      ...(isDigital
        ? { digital_request: await digitalOf(desk, id, terms, expires) }
        : { wallet_url: await walletUrlOf(desk, { id, terms, expires }) }),
      ...(terms.delivery === 'reference' ? { request_uri: requestUriOf(desk, id) } : {}),
    },
  }
}
