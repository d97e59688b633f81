import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newKey } from '../../../holder.ts'
import { challengeOf, errorOf, newWallet, openServer, permit, redirectUri, type Server } from './fixture.ts'

const prefix = 'urn:ietf:params:oauth:request_uri:'

let server: Server
let issuerState = ''
const folder = mkdtempSync(join(tmpdir(), 'chancery-authorization-'))
beforeAll(async () => {
  server = await openServer({ file: join(folder, 'agency.sqlite') })
  issuerState = (await server.offer({ authorizationCode: true })).issuerState ?? ''
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/* What is refused before anything is kept. */

describe('pushed authorization requests (RFC 9126)', () => {
  it.each<[string, Record<string, string>, string, string]>([
    ['no response_type', { response_type: '' }, 'unsupported_response_type', 'unsupported_response_type'],
    ['an implicit one', { response_type: 'token' }, 'unsupported_response_type', 'unsupported_response_type'],
    ['a hybrid one', { response_type: 'code id_token' }, 'unsupported_response_type', 'unsupported_response_type'],
    ['a fragment as response_mode', { response_mode: 'fragment' }, 'invalid_request', 'response_mode_unsupported'],
    ['no address', { redirect_uri: '' }, 'invalid_request', 'parameter_missing'],
    ['an address of script', { redirect_uri: 'javascript:alert(1)' }, 'invalid_request', 'redirect_forbidden'],
    ['no challenge', { code_challenge: '' }, 'invalid_request', 'code_challenge_refused'],
    ['a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request', 'code_challenge_refused'],
    [
      'no challenge method, which means plain',
      { code_challenge_method: '' },
      'invalid_request',
      'code_challenge_refused',
    ],
    ['a short challenge', { code_challenge: 'abc' }, 'invalid_request', 'code_challenge_refused'],
    ['a request object', { request: 'eyJ' }, 'invalid_request', 'request_object_unsupported'],
    ['a request_uri', { request_uri: `${prefix}x` }, 'invalid_request', 'request_object_unsupported'],
    ['a state of no offer', { issuer_state: 'injected' }, 'invalid_request', 'issuer_state_unknown'],
    ['unknown scopes alone', { scope: 'openid profile' }, 'invalid_scope', 'invalid_scope'],
    ['a scope that is not offered', { scope: permit }, 'invalid_scope', 'invalid_scope'],
    ['details that are no JSON', { authorization_details: '{' }, ...both('invalid_authorization_details')],
    ['another resource', { resource: 'https://other.example' }, 'invalid_target', 'invalid_target'],
    ['another key than the proof’s', { dpop_jkt: 'k'.repeat(43) }, 'invalid_request', 'dpop_key_mismatch'],
    ['a state of 1025 characters', { state: 's'.repeat(1_025) }, 'invalid_request', 'parameter_too_long'],
    ['a client_id of 513 characters', { client_id: 'c'.repeat(513) }, 'invalid_request', 'parameter_too_long'],
    ['no client_id', { client_id: '' }, 'invalid_client', 'client_unknown'],
  ])('are refused with %s', async (_, more, error, code) => {
    const wallet = newWallet(server)
    const request = wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState, ...more })
    const form = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== ''))
    expect(errorOf(await wallet.push(form))).toEqual({ status: error === 'invalid_client' ? 401 : 400, error, code })
  })

  it('are taken with a state and a client_id of the greatest length', async () => {
    const wallet = newWallet(server, { clientId: 'c'.repeat(512) })
    const more = { issuer_state: issuerState, state: 's'.repeat(1_024) }
    expect((await wallet.push(wallet.requestOf(wallet.verifierOf(), more))).status).toBe(201)
  })
})

describe('requests that come with the browser (RFC 6749, section 4.1.1)', () => {
  const plain = (more: Record<string, string> = {}) => ({
    ...{
      response_type: 'code',
      client_id: 'wallet',
      redirect_uri: redirectUri,
      state: 's',
      issuer_state: issuerState,
    },
    ...{ code_challenge: challengeOf('v'.repeat(43)), code_challenge_method: 'S256', ...more },
  })

  it.each([
    ['no wallet', { client_id: '' }],
    ['no address', { redirect_uri: '' }],
    ['an address of script', { redirect_uri: 'javascript:alert(1)' }],
  ])('with %s lead nowhere', async (_, more) => {
    const query = Object.fromEntries(Object.entries(plain(more)).filter(([, value]) => value !== ''))
    const page = await server.call('authorize', { query })
    expect([page.status, page.headers['location'], page.text.includes('<a ')]).toEqual([400, undefined, false])
  })
})

describe('attested wallets (attestation-based client authentication, draft 07)', () => {
  it.each<[string, (wallet: ReturnType<typeof newWallet>) => Record<string, string>, string]>([
    ['without the proof', wallet => ({ 'oauth-client-attestation': wallet.attestation() }), 'attestation_missing'],
    ['with a proof alone', wallet => ({ 'oauth-client-attestation-pop': wallet.pop() }), 'attestation_missing'],
    [
      'of two attestations',
      wallet => ({
        'oauth-client-attestation': `${wallet.attestation()}, ${wallet.attestation()}`,
        'oauth-client-attestation-pop': wallet.pop(),
      }),
      'attestation_refused',
    ],
    [
      'of another wallet than the client_id',
      wallet => ({
        'oauth-client-attestation': wallet.attestation({ sub: 'another' }),
        'oauth-client-attestation-pop': wallet.pop({ iss: 'another' }),
      }),
      'client_differs',
    ],
    [
      'of a provider that nobody trusts',
      wallet => ({
        'oauth-client-attestation': wallet.attestation({}, {}, newKey()),
        'oauth-client-attestation-pop': wallet.pop(),
      }),
      'attestation_refused',
    ],
  ])('are refused %s', async (_, headersOf, code) => {
    const wallet = newWallet(server, { bound: false })
    const request = wallet.requestOf(wallet.verifierOf(), { issuer_state: issuerState })
    expect(errorOf(await wallet.push(request, headersOf(wallet)))).toEqual({
      ...{ status: 401, error: 'invalid_client', code },
    })
  })
})

function both(code: string): [string, string] {
  return [code, code]
}
