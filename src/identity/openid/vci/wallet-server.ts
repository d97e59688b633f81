import { Refusal } from '../../../kernel/refusal.ts'
import type { IssuerFacts } from './wallet-metadata.ts'
import { type Offer, preAuthorizedGrant } from './wallet-offer.ts'
import { isEndpoint, textsOf } from './wallet-reading.ts'

/** What a wallet needs to know of an authorization server (RFC 8414). Plain data. */
export type ServerFacts = {
  issuer: string
  tokenEndpoint: string
  authorizationEndpoint?: string
  pushedEndpoint?: string
  challengeEndpoint?: string
  /** As far as it lists them. */
  grants?: string[]
  /** Takes a pre-authorised code of a client that does not say who it is (OpenID4VCI 1.0, section 12.3). */
  anonymous: boolean
  /** DPoP (RFC 9449) with ES256. */
  dpop: boolean
  /** Says in its answer who it is (RFC 9207). */
  saysWho: boolean
  /** Whether it takes authorization_details of type openid_credential. */
  details: boolean
  /** Client attestation is taken; needed, where nothing else that this wallet can do is. */
  attestation: 'needed' | 'taken' | 'unknown'
}

const refused = (detail: string): Refusal => new Refusal('rejected', 'server_metadata_refused', detail)

const endpointOf = (value: unknown, name: string): string | undefined => {
  if (value === undefined) return undefined
  if (!isEndpoint(value)) throw refused(`${name} of the authorization server is no https URL.`)
  return value
}

const attestationOf = (methods: readonly string[] | undefined): ServerFacts['attestation'] => {
  if (methods === undefined || !methods.includes('attest_jwt_client_auth')) return 'unknown'
  return methods.includes('none') ? 'taken' : 'needed'
}

/**
 * Reads an authorization server's metadata.
 * @param issuer whose they have to be (RFC 8414, section 3.3): compared without any normalisation.
 * @throws Refusal rejected/server_metadata_refused
 */
export const readServerMetadata = (value: Record<string, unknown>, issuer: string): ServerFacts => {
  if (value['issuer'] !== issuer) throw refused('The metadata are those of another authorization server.')
  const tokenEndpoint = endpointOf(value['token_endpoint'], 'token_endpoint')
  if (tokenEndpoint === undefined) throw refused('The authorization server has no token_endpoint.')
  const authorizationEndpoint = endpointOf(value['authorization_endpoint'], 'authorization_endpoint')
  const pushedEndpoint = endpointOf(value['pushed_authorization_request_endpoint'], 'The endpoint for pushed requests')
  const challengeEndpoint = endpointOf(value['challenge_endpoint'], 'challenge_endpoint')
  const challenges = textsOf(value['code_challenge_methods_supported'])
  if (challenges !== undefined && !challenges.includes('S256')) {
    throw refused('The authorization server does not take PKCE with S256.')
  }
  const grants = textsOf(value['grant_types_supported'])
  return {
    ...{ issuer, tokenEndpoint },
    ...(authorizationEndpoint === undefined ? {} : { authorizationEndpoint }),
    ...(pushedEndpoint === undefined ? {} : { pushedEndpoint }),
    ...(challengeEndpoint === undefined ? {} : { challengeEndpoint }),
    ...(grants === undefined ? {} : { grants }),
    anonymous: value['pre-authorized_grant_anonymous_access_supported'] === true,
    dpop: textsOf(value['dpop_signing_alg_values_supported'])?.includes('ES256') === true,
    saysWho: value['authorization_response_iss_parameter_supported'] === true,
    details: textsOf(value['authorization_details_types_supported'])?.includes('openid_credential') === true,
    attestation: attestationOf(textsOf(value['token_endpoint_auth_methods_supported'])),
  }
}

export type Grant = 'pre-authorized' | 'authorization-code'

const grantNames: Record<Grant, string> = {
  'pre-authorized': preAuthorizedGrant,
  'authorization-code': 'authorization_code',
}

/** The grants that an offer allows: without any, the authorization server's word counts. */
export const grantsOf = (offer: Offer): Grant[] => {
  const grants: Grant[] = []
  if (offer.preAuthorized !== undefined) grants.push('pre-authorized')
  if (offer.authorizationCode !== undefined || grants.length === 0) grants.push('authorization-code')
  return grants
}

/**
 * Which authorization servers may serve a grant (OpenID4VCI 1.0, section 12.2.4): the one that the offer names among
 * several, or each.
 * @throws Refusal rejected/authorization_server_unknown
 */
export const serversFor = (offer: Offer, grant: Grant, { servers }: Pick<IssuerFacts, 'servers'>): string[] => {
  const named = grant === 'pre-authorized' ? offer.preAuthorized?.server : offer.authorizationCode?.server
  if (named === undefined) return [...servers]
  if (servers.includes(named)) return [named]
  const detail = 'The offer names an authorization server that the issuer does not have.'
  throw new Refusal('rejected', 'authorization_server_unknown', detail)
}

/** Whether a server serves a grant; one that lists no grants is asked. */
export const serves = (server: ServerFacts, grant: Grant): boolean => {
  if (grant === 'authorization-code' && server.authorizationEndpoint === undefined) return false
  return server.grants === undefined || server.grants.includes(grantNames[grant])
}
