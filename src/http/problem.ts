import { isRefusal, Refusal, type RefusalKind } from '../kernel/refusal.ts'

/** The one table from kinds of refusal to HTTP. Nothing else in the house knows which status a "no" has. */
const answers: Record<RefusalKind, { status: number; title: string }> = {
  malformed: { status: 400, title: 'The request is malformed' },
  unauthenticated: { status: 401, title: 'The caller is not known' },
  forbidden: { status: 403, title: 'The caller may not do this' },
  not_found: { status: 404, title: 'There is no such thing' },
  conflict: { status: 409, title: 'The request contradicts what is already there' },
  rejected: { status: 422, title: 'The request is well formed and refused' },
  too_large: { status: 413, title: 'The request is too large' },
  too_many: { status: 429, title: 'There are too many requests' },
  unavailable: { status: 503, title: 'The answer cannot be known now' },
}

const retryAfterSeconds = 5

/** A problem document (RFC 9457). `code` is the refusal's code; further members are its facts. */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  code: string
  [fact: string]: unknown
}

export const problemContentType = 'application/problem+json'

/** What a caller learns of a defect: one fixed sentence. Everything else goes to the log. */
const defect: Problem = {
  type: 'urn:chancery:defect',
  title: 'The service failed',
  status: 500,
  detail: 'The service failed on this request; its log has the reason under the request id.',
  code: 'defect',
}

/** The problem document of anything thrown. Whatever is not a Refusal is a defect. */
export const problemOf = (error: unknown): Problem => {
  if (!isRefusal(error)) return defect
  const { status, title } = answers[error.kind]
  return {
    ...error.facts,
    type: `urn:chancery:refusal:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
  }
}

/** What a refused session or proof of possession is called in RFC 9449. */
const dpopErrors: Record<string, string> = {
  use_dpop_nonce: 'use_dpop_nonce',
  session_invalid: 'invalid_token',
  proof_missing: 'invalid_dpop_proof',
  proof_malformed: 'invalid_dpop_proof',
  proof_mismatch: 'invalid_dpop_proof',
  proof_expired: 'invalid_dpop_proof',
  proof_key_mismatch: 'invalid_token',
  proof_replayed: 'invalid_dpop_proof',
}

/** Header fields that belong to a problem's status. */
export const problemHeaders = (error: unknown): Record<string, string> => {
  if (!isRefusal(error)) return {}
  // OAuth 2.0 Attestation-Based Client Authentication, draft 07, section 8.1.
  if (error.code === 'use_attestation_challenge' && typeof error.facts['challenge'] === 'string') {
    return { 'OAuth-Client-Attestation-Challenge': error.facts['challenge'] }
  }
  if (error.kind === 'unauthenticated') {
    const dpop = dpopErrors[error.code]
    if (dpop !== undefined) {
      const nonce = error.facts['nonce']
      return {
        'WWW-Authenticate': `DPoP realm="chancery", algs="ES256 EdDSA", error="${dpop}"`,
        ...(typeof nonce === 'string' ? { 'DPoP-Nonce': nonce } : {}),
      }
    }
    const invalid = error.code === 'credentials_invalid' ? ', error="invalid_token"' : ''
    return { 'WWW-Authenticate': `Bearer realm="chancery"${invalid}` }
  }
  if (error.kind === 'unavailable' || error.kind === 'too_many') {
    const told = error.facts['retryAfterSeconds']
    return { 'Retry-After': String(typeof told === 'number' ? Math.ceil(told) : retryAfterSeconds) }
  }
  return {}
}

/**
 * A problem in the clothes of a VC API verification result, for operations that answer with a verdict: a client that
 * looks only at `verified` is not misled either.
 */
export const asVerdict = (problem: Problem): Problem => {
  const { type, title, detail, code } = problem
  return { ...problem, verified: false, errors: [{ type, title, detail, code }], warnings: [], results: [] }
}

/** A verdict of "not verified" stays 422 with us; under `vcalm` it gets the VC API's 200. */
export const verdictStatus = ({ status, body }: { status: number; body?: unknown }, vcalm: boolean): number => {
  if (!vcalm || status !== answers.rejected.status || typeof body !== 'object' || body === null) return status
  return 'verified' in body && body.verified === false ? 200 : status
}

/** The refusal of a path and method that no operation of this agency has. */
export const operationUnknown = (allowed: readonly string[]): Refusal =>
  allowed.length === 0
    ? new Refusal('not_found', 'operation_unknown', 'No operation of this agency has this path.')
    : new Refusal('not_found', 'operation_unknown', `This path answers ${allowed.join(' and ')} only.`, {
        facts: { allowed },
      })
