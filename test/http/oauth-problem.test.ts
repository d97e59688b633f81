import fc from 'fast-check'
import { oauthProblemOf } from '../../src/http/oauth-problem.ts'
import { Refusal, type RefusalKind, refusalKinds } from '../../src/kernel/refusal.ts'

const oauth = (thrown: unknown, malformed?: string) => oauthProblemOf(thrown, 'oauth', malformed)
const resource = (thrown: unknown, malformed?: string) => oauthProblemOf(thrown, 'oauth-resource', malformed)
const told = ({ status, body }: ReturnType<typeof oauth>) => [status, body['error']]

describe('refusals in the words of OAuth 2.0', () => {
  it.each<[RefusalKind, [number, string], [number, string]]>([
    ['malformed', [400, 'invalid_request'], [400, 'invalid_request']],
    ['unauthenticated', [401, 'invalid_client'], [401, 'invalid_token']],
    ['forbidden', [400, 'access_denied'], [400, 'access_denied']],
    ['not_found', [404, 'invalid_request'], [404, 'invalid_request']],
    ['conflict', [400, 'invalid_request'], [400, 'invalid_request']],
    ['rejected', [400, 'invalid_request'], [400, 'invalid_request']],
    ['too_large', [413, 'invalid_request'], [413, 'invalid_request']],
    ['too_many', [429, 'temporarily_unavailable'], [429, 'temporarily_unavailable']],
    ['unavailable', [503, 'temporarily_unavailable'], [503, 'temporarily_unavailable']],
  ])('say of what is %s whose fault it is', (kind, atServer, atResource) => {
    const refusal = new Refusal(kind, 'name_of_ours', 'It is so.')
    expect([told(oauth(refusal)), told(resource(refusal))]).toEqual([atServer, atResource])
    expect(oauth(refusal).body['code']).toBe('name_of_ours')
  })

  it.each([
    ['invalid_grant', 400],
    ['unsupported_grant_type', 400],
    ['invalid_scope', 400],
    ['invalid_authorization_details', 400],
    ['invalid_target', 400],
    ['invalid_client', 401],
    ['invalid_client_attestation', 401],
    ['use_attestation_challenge', 400],
    ['invalid_proof', 400],
    ['invalid_nonce', 400],
  ])('pass on the registered code %s', (code, status) => {
    const refusal = new Refusal('rejected', code, 'It is so.')
    expect(told(oauth(refusal))).toEqual([status, code])
  })

  it('say by a fact which registered code stands for one of ours, and take no other word from there', () => {
    const named = (error: unknown) => new Refusal('unauthenticated', 'tx_code_wrong', 'No.', { facts: { error } })
    expect(oauth(named('invalid_grant'))).toMatchObject({
      ...{ status: 400, body: { error: 'invalid_grant', code: 'tx_code_wrong' } },
    })
    for (const error of ['anything', 7, undefined, 'toString', '__proto__']) {
      expect(oauth(named(error)).body['error']).toBe('invalid_client')
    }
  })

  it('call what cannot be read as the operation has it, and nothing else', () => {
    const malformed = new Refusal('malformed', 'body_invalid', 'No.')
    expect(resource(malformed, 'invalid_credential_request').body['error']).toBe('invalid_credential_request')
    const rejected = new Refusal('rejected', 'schema_violated', 'No.')
    expect(resource(rejected, 'invalid_credential_request').body['error']).toBe('invalid_request')
  })

  it.each([
    ['use_dpop_nonce', 'use_dpop_nonce'],
    ['proof_missing', 'invalid_dpop_proof'],
    ['proof_malformed', 'invalid_dpop_proof'],
    ['proof_mismatch', 'invalid_dpop_proof'],
    ['proof_expired', 'invalid_dpop_proof'],
    ['proof_replayed', 'invalid_dpop_proof'],
    ['proof_key_mismatch', 'invalid_token'],
  ])('name what is wrong with a DPoP proof: %s', (code, error) => {
    const refusal = new Refusal('unauthenticated', code, 'No.', { facts: { nonce: 'n-1' } })
    // RFC 9449, section 5 and section 7.1.
    expect(told(oauth(refusal))).toEqual([400, error])
    expect(told(resource(refusal))).toEqual([401, error])
    expect(resource(refusal).headers['WWW-Authenticate']).toBe(`DPoP algs="ES256 EdDSA", error="${error}"`)
    expect(oauth(refusal).headers).not.toHaveProperty('WWW-Authenticate')
  })

  it('give the nonce that a proof lacks, at both (RFC 9449, sections 8 and 9)', () => {
    const refusal = new Refusal('unauthenticated', 'use_dpop_nonce', 'No.', { facts: { nonce: 'n-1' } })
    expect(oauth(refusal).headers['DPoP-Nonce']).toBe('n-1')
    expect(resource(refusal).headers['DPoP-Nonce']).toBe('n-1')
  })

  it('give the challenge that an attested wallet has to answer', () => {
    const refusal = new Refusal('unauthenticated', 'use_attestation_challenge', 'No.', { facts: { challenge: 'c-1' } })
    expect(oauth(refusal).headers).toEqual({ 'OAuth-Client-Attestation-Challenge': 'c-1' })
  })

  it('tell a token that opens too little by 403 (RFC 6750, section 3.1)', () => {
    const refusal = new Refusal('forbidden', 'insufficient_scope', 'No.')
    expect(told(resource(refusal))).toEqual([403, 'insufficient_scope'])
  })

  it('say when to come again', () => {
    const refusal = new Refusal('too_many', 'failures_exceeded', 'No.', { facts: { retryAfterSeconds: 7 } })
    expect(oauth(refusal).headers['Retry-After']).toBe('7')
  })

  it('say nothing of a defect', () => {
    for (const thrown of [new Error('password=1'), 'text', undefined, { code: 'invalid_grant' }]) {
      for (const problem of [oauth(thrown), resource(thrown)]) {
        expect(told(problem)).toEqual([500, 'server_error'])
        expect(JSON.stringify(problem)).not.toContain('password')
      }
    }
  })

  it('describe themselves in the letters that RFC 6749, section 5.2, allows', () => {
    fc.assert(
      fc.property(fc.constantFrom(...refusalKinds), fc.string({ unit: 'binary' }), (kind, detail) => {
        const { body } = oauth(new Refusal(kind, 'name_of_ours', detail))
        expect(body['error_description']).toMatch(/^[\x20\x21\x23-\x5B\x5D-\x7E]*$/)
      }),
    )
    const { body } = oauth(new Refusal('rejected', 'name_of_ours', 'The citizen’s "wallet" \\ says é.'))
    expect(body['error_description']).toBe("The citizen's ?wallet? ? says ?.")
  })
})
