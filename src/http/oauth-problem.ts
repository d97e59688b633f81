import { isRefusal, type RefusalKind } from '../kernel/refusal.ts'
import { problemHeaders, problemOf } from './problem.ts'

/**
 * Refusals in the words of OAuth 2.0 and of what stands on it, for operations with `x-errors` in openapi.yaml: `oauth` for endpoints of
 * an authorization server, `oauth-resource` for what its tokens open.
 */
export type ErrorForm = 'problem' | 'oauth' | 'oauth-resource'

/**
 * Codes that the specifications register. A refusal that has one of them as its code is passed on as it is; one with a code of its
 * own may say as a fact which of them it is (`error`).
 */
const registered: ReadonlySet<string> = new Set([
  // RFC 6749, RFC 6750, RFC 8628, RFC 9396, RFC 9449
  ...['invalid_request', 'invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type'],
  ...['invalid_scope', 'access_denied', 'unsupported_response_type', 'server_error', 'temporarily_unavailable'],
  ...['invalid_token', 'insufficient_scope', 'authorization_pending', 'slow_down', 'expired_token'],
  ...['invalid_authorization_details', 'invalid_dpop_proof', 'use_dpop_nonce', 'invalid_target'],
  // OAuth 2.0 Attestation-Based Client Authentication
  ...['invalid_client_attestation', 'use_attestation_challenge', 'use_fresh_attestation'],
  // OpenID4VCI 1.0
  ...['invalid_credential_request', 'unknown_credential_configuration', 'unknown_credential_identifier'],
  ...['invalid_proof', 'invalid_nonce', 'invalid_encryption_parameters', 'credential_request_denied'],
  ...['invalid_transaction_id', 'invalid_notification_id', 'invalid_notification_request'],
  // OpenID4VP 1.0
  ...['invalid_transaction_data', 'vp_formats_not_supported', 'invalid_request_uri_method', 'wallet_unavailable'],
  // OpenID Federation 1.0
  ...['invalid_issuer', 'invalid_subject', 'invalid_trust_anchor', 'invalid_trust_chain', 'invalid_metadata'],
  ...['not_found', 'unsupported_parameter'],
])

const byKind: Record<RefusalKind, string> = {
  malformed: 'invalid_request',
  unauthenticated: 'invalid_token',
  forbidden: 'access_denied',
  not_found: 'invalid_request',
  conflict: 'invalid_request',
  rejected: 'invalid_request',
  too_large: 'invalid_request',
  too_many: 'temporarily_unavailable',
  unavailable: 'temporarily_unavailable',
}

/** Statuses that say more than OAuth's 400: try again, send less, look elsewhere. */
const kept = new Set([404, 413, 429, 500, 503])

/** `error_description` is ASCII without quotes and backslashes (RFC 6749, section 5.2). */
const described = (detail: string): string =>
  detail.replace(/[’‘]/g, "'").replace(/[^\x20\x21\x23-\x5B\x5D-\x7E]/g, '?')

const errorOf = (error: unknown, form: ErrorForm, malformed: string): string => {
  if (!isRefusal(error)) return 'server_error'
  const { error: named } = error.facts
  if (typeof named === 'string' && registered.has(named)) return named
  if (registered.has(error.code)) return error.code
  const dpop = /error="(\w+)"/.exec(problemHeaders(error)['WWW-Authenticate'] ?? '')?.[1]
  if (dpop !== undefined) return dpop
  if (form === 'oauth' && error.kind === 'unauthenticated') return 'invalid_client'
  return error.kind === 'malformed' ? malformed : byKind[error.kind]
}

const unauthenticated = new Set(['invalid_token', 'use_dpop_nonce', 'invalid_dpop_proof', 'insufficient_scope'])

export type OauthProblem = { status: number; body: Record<string, unknown>; headers: Record<string, string> }

/** @param malformed what the operation's specification calls a request that cannot be read. */
export const oauthProblemOf = (thrown: unknown, form: ErrorForm, malformed = byKind.malformed): OauthProblem => {
  const { status: own, detail, code } = problemOf(thrown)
  const error = errorOf(thrown, form, malformed)
  const headers = problemHeaders(thrown)
  const body = { error, error_description: described(detail), code }
  if (form === 'oauth-resource' && unauthenticated.has(error)) {
    // RFC 9449, section 9; RFC 6750, section 3.
    const nonce = headers['DPoP-Nonce']
    const challenge = `DPoP algs="ES256 EdDSA", error="${error}"`
    const status = error === 'insufficient_scope' ? 403 : 401
    return { status, body, headers: { 'WWW-Authenticate': challenge, ...(nonce && { 'DPoP-Nonce': nonce }) } }
  }
  const { 'WWW-Authenticate': _asked, ...others } = headers
  if (error === 'invalid_client' || error === 'invalid_client_attestation')
    return { status: 401, body, headers: others }
  return { status: kept.has(own) ? own : 400, body, headers: others }
}
