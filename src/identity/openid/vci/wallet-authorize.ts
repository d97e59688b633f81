import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { Refusal } from '../../../kernel/refusal.ts'
import { type Line, refusedBy } from './wallet-line.ts'
import type { Configuration, IssuerFacts } from './wallet-metadata.ts'
import { isText, objectIn, shownText } from './wallet-reading.ts'
import type { ServerFacts } from './wallet-server.ts'

/** What has to be remembered from the authorisation request until its answer comes. All of it is secret. */
export type PendingAuthorization = { state: string; codeVerifier: string; redirectUri: string }

type Wish = {
  issuer: IssuerFacts
  server: ServerFacts
  configurations: readonly Configuration[]
  issuerState?: string | undefined
  clientId: string
  redirectUri: string
  /** RFC 7638 thumbprint of the key that the token shall be bound to (RFC 9449, section 10). */
  dpopThumbprint?: string | undefined
}

const unsupported = (detail: string): Refusal => new Refusal('rejected', 'grant_unsupported', detail)

/** Details of each credential (OpenID4VCI 1.0, section 5.1.1). */
export const authorizationDetails = (
  { issuer, namesServers }: Pick<IssuerFacts, 'issuer' | 'namesServers'>,
  configurations: readonly Configuration[],
): Record<string, unknown>[] =>
  configurations.map(({ id }) => ({
    ...{ type: 'openid_credential', credential_configuration_id: id },
    ...(namesServers ? { locations: [issuer] } : {}),
  }))

/** By scope where each has one, as HAIP 1.0 (section 4.3) wants it; else by authorization details. */
const whatIsAsked = ({ issuer, server, configurations }: Wish): Record<string, string> => {
  const scopes = configurations.flatMap(({ scope }) => scope ?? [])
  if (scopes.length === configurations.length) {
    const resource = issuer.namesServers ? { resource: issuer.issuer } : {}
    return { scope: [...new Set(scopes)].join(' '), ...resource }
  }
  if (!server.details) throw unsupported('The issuer gives the credential neither a scope nor takes its details.')
  return { authorization_details: JSON.stringify(authorizationDetails(issuer, configurations)) }
}

/** A URL of a server with what is asked of it, beside what its query has already (RFC 6749, section 3.1). */
const withQuery = (endpoint: string, members: Record<string, string>): string => {
  const url = new URL(endpoint)
  for (const [name, value] of Object.entries(members)) url.searchParams.set(name, value)
  return url.href
}

const originOf = (url: string): string => new URL(url).origin

/**
 * Without its name in its answers, only where it stands tells whose code an answer has: it could go to the token endpoint of
 * somebody who only names this server as theirs (RFC 9207; RFC 9700, section 4.4).
 */
const assertOne = ({ saysWho, tokenEndpoint }: ServerFacts, authorizationEndpoint: string): void => {
  if (saysWho || originOf(authorizationEndpoint) === originOf(tokenEndpoint)) return
  const detail = 'The authorization server has its endpoints on different origins, and does not say who it is.'
  throw new Refusal('rejected', 'server_metadata_refused', detail)
}

/**
 * Prepares an authorisation request with PKCE (RFC 7636, S256), pushed where the server takes that (RFC 9126).
 * @returns the URL that the citizen opens, and what to remember.
 * @throws Refusal rejected/grant_unsupported, server_metadata_refused, issuer_refused, issuer_answer_malformed
 */
export const beginAuthorization = async (
  line: Line,
  wish: Wish,
): Promise<{ url: string; pending: PendingAuthorization }> => {
  const { server, clientId, redirectUri, issuerState, dpopThumbprint } = wish
  const { authorizationEndpoint, pushedEndpoint } = server
  if (authorizationEndpoint === undefined) throw unsupported('The authorization server has no authorization endpoint.')
  assertOne(server, authorizationEndpoint)
  const pending = {
    state: randomBytes(24).toString('base64url'),
    codeVerifier: randomBytes(32).toString('base64url'),
    redirectUri,
  }
  const request = {
    ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri, state: pending.state },
    ...{ code_challenge: hash('sha256', pending.codeVerifier, 'base64url'), code_challenge_method: 'S256' },
    ...whatIsAsked(wish),
    ...(issuerState === undefined ? {} : { issuer_state: issuerState }),
    ...(dpopThumbprint === undefined ? {} : { dpop_jkt: dpopThumbprint }),
  }
  if (pushedEndpoint === undefined) return { url: withQuery(authorizationEndpoint, request), pending }
  const reply = await line.post(pushedEndpoint, { form: request }, { server })
  if (reply.status !== 201 && reply.status !== 200) throw refusedBy('pushed_authorization_request_endpoint', reply)
  const { request_uri: requestUri } = objectIn(reply.text, 'answer of the endpoint for pushed requests')
  if (!isText(requestUri)) {
    throw new Refusal('rejected', 'issuer_answer_malformed', 'The answer to the pushed request has no request_uri.')
  }
  return { url: withQuery(authorizationEndpoint, { client_id: clientId, request_uri: requestUri }), pending }
}

const mismatch = (detail: string): Refusal => new Refusal('rejected', 'authorization_response_mismatch', detail)

const sameText = (a: string, b: string): boolean => {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}

const once = (parameters: URLSearchParams, name: string): string | undefined => {
  const [value, ...others] = parameters.getAll(name)
  if (others.length > 0) throw mismatch(`The answer has ${name} more than once.`)
  return value
}

/**
 * Judges what came back to the redirect URI: of the request under way (state), from the server that was asked
 * (RFC 9207, section 2.4), and no error.
 * @returns the code.
 * @throws Refusal rejected/authorization_response_mismatch, rejected/authorization_denied
 */
export const readAuthorizationResponse = (
  parameters: URLSearchParams,
  pending: PendingAuthorization,
  server: Pick<ServerFacts, 'issuer' | 'saysWho'>,
): string => {
  const state = once(parameters, 'state')
  if (state === undefined || !sameText(state, pending.state)) {
    throw mismatch('The answer is none to the request that this wallet has made (state).')
  }
  const iss = once(parameters, 'iss')
  if (iss === undefined ? server.saysWho : iss !== server.issuer) {
    throw mismatch('The answer is not from the authorization server that was asked (iss, RFC 9207).')
  }
  const error = once(parameters, 'error')
  if (error !== undefined) {
    const facts = { error: shownText(error, 100), description: shownText(once(parameters, 'error_description')) }
    throw new Refusal('rejected', 'authorization_denied', 'The authorization server gives no code.', { facts })
  }
  const code = once(parameters, 'code')
  if (!isText(code, 4_096)) throw mismatch('The answer has no code.')
  return code
}
