import type { Answer } from '../../../kernel/plugin.ts'
import type { AuthorizationDesk } from './needs.ts'
import { grantTypes } from './token.ts'

const dpopAlgorithms = ['ES256', 'EdDSA']

/** What this server can do, and what it insists on (RFC 8414; OpenID4VCI 1.0, section 12.3). */
export const ownMetadata = (desk: AuthorizationDesk): Record<string, unknown> => {
  const { publicUrl, configurations, authorization } = desk
  const { policy, attestations } = authorization
  const methods = [...(policy.haip ? [] : ['none']), ...(attestations === undefined ? [] : ['attest_jwt_client_auth'])]
  return {
    issuer: publicUrl,
    authorization_endpoint: `${publicUrl}/openid4vci/authorize`,
    token_endpoint: `${publicUrl}/openid4vci/token`,
    pushed_authorization_request_endpoint: `${publicUrl}/openid4vci/par`,
    require_pushed_authorization_requests: policy.haip,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [...grantTypes],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: methods,
    dpop_signing_alg_values_supported: dpopAlgorithms,
    authorization_response_iss_parameter_supported: true,
    authorization_details_types_supported: ['openid_credential'],
    scopes_supported: [...new Set([...configurations.values()].flatMap(({ scope }) => scope ?? []))],
    'pre-authorized_grant_anonymous_access_supported': !policy.haip && policy.unknownClients,
    ...(attestations === undefined
      ? {}
      : {
          challenge_endpoint: `${publicUrl}/openid4vci/challenge`,
          client_attestation_signing_alg_values_supported: [...attestations.algorithms],
          client_attestation_pop_signing_alg_values_supported: [...attestations.algorithms],
        }),
  }
}

/** The metadata of the server that gives the tokens: this one, or the one that the agency's file names. */
export const getAuthorizationServerMetadata = async (desk: AuthorizationDesk): Promise<Answer> => {
  const { external } = desk.authorization
  return {
    status: 200,
    headers: { 'cache-control': 'public, max-age=300' },
    body: external === undefined ? ownMetadata(desk) : await external.metadata(),
  }
}

/** Attestation draft 07, section 8: what the next proof of possession of an attested wallet answers. */
export const createAttestationChallenge = async (desk: AuthorizationDesk): Promise<Answer> => {
  const { attestations } = desk.authorization
  return {
    status: 200,
    headers: { 'cache-control': 'no-store' },
    body: attestations === undefined ? {} : { attestation_challenge: attestations.challenge() },
  }
}
