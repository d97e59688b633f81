import { errorFacts, scrub } from '../../src/http/log.ts'
import { problemHeaders, problemOf } from '../../src/http/problem.ts'
import { Refusal, type RefusalKind, refusalKinds } from '../../src/kernel/refusal.ts'

const statuses: Record<RefusalKind, number> = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  rejected: 422,
  too_large: 413,
  too_many: 429,
  unavailable: 503,
}

describe('a problem document', () => {
  test.each(refusalKinds)('has the status of the kind %s', kind => {
    const problem = problemOf(new Refusal(kind, 'some_code', 'A sentence.', { facts: { limit: 3 } }))
    expect(problem).toMatchObject({
      type: 'urn:chancery:refusal:some_code',
      status: statuses[kind],
      detail: 'A sentence.',
      code: 'some_code',
      limit: 3,
    })
  })

  test('is not overwritten by facts', () => {
    const facts = { status: 200, code: 'fine', type: 'x', detail: 'y', title: 'z' }
    expect(problemOf(new Refusal('forbidden', 'real_code', 'Real.', { facts }))).toMatchObject({
      status: 403,
      code: 'real_code',
      detail: 'Real.',
    })
  })

  test('says nothing of a defect', () => {
    const problem = problemOf(new Error('password is hunter2'))
    expect(problem.status).toBe(500)
    expect(JSON.stringify(problem)).not.toContain('hunter2')
  })

  test('tells how to authenticate and when to come back', () => {
    expect(problemHeaders(new Refusal('unauthenticated', 'credentials_invalid', 'x'))).toEqual({
      'WWW-Authenticate': 'Bearer realm="chancery", error="invalid_token"',
    })
    expect(problemHeaders(new Refusal('unavailable', 'x', 'x'))).toEqual({ 'Retry-After': '5' })
    expect(problemHeaders(new Refusal('too_many', 'x', 'x', { facts: { retryAfterSeconds: 41.2 } }))).toEqual({
      'Retry-After': '42',
    })
  })
})

describe('the problem of a refused session', () => {
  test('says so in the words of RFC 9449, and brings the nonce to use', () => {
    const facts = { nonce: 'n-1' }
    expect(problemHeaders(new Refusal('unauthenticated', 'use_dpop_nonce', 'x', { facts }))).toEqual({
      'WWW-Authenticate': 'DPoP realm="chancery", algs="ES256 EdDSA", error="use_dpop_nonce"',
      'DPoP-Nonce': 'n-1',
    })
    expect(problemHeaders(new Refusal('unauthenticated', 'proof_replayed', 'x'))).toEqual({
      'WWW-Authenticate': 'DPoP realm="chancery", algs="ES256 EdDSA", error="invalid_dpop_proof"',
    })
    expect(problemHeaders(new Refusal('unauthenticated', 'session_invalid', 'x'))).toEqual({
      'WWW-Authenticate': 'DPoP realm="chancery", algs="ES256 EdDSA", error="invalid_token"',
    })
  })
})

describe('the log', () => {
  test('keeps keys, sessions, tokens and credentials out of texts', () => {
    const key = `ck_0123456789abcdef_${'s'.repeat(43)}`
    const session = `gs_${'0'.repeat(32)}.${'s'.repeat(43)}`
    expect(scrub(`${session} Agency something`)).toBe('[secret] [secret]')
    const text = scrub(`${key} cs_abcdefghijkl eyJhbGciOi.eyJzdWIi.c2ln~disclosure~ Bearer something`)
    expect(text).toBe('[secret] [secret] [secret] [secret]')
  })

  test('keeps members of errors out, where drivers put parameters', () => {
    const error = Object.assign(new Error('failed', { cause: new Error('below') }), { parameters: ['secret'] })
    const facts = JSON.stringify(errorFacts(error))
    expect(facts).not.toContain('"secret"')
    expect(facts).toContain('below')
  })
})
