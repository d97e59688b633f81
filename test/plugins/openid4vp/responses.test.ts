import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { jest } from '@jest/globals'
import { exportJWK } from 'jose'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { sha256, walletClock, wrap } from '../../holder.ts'
import { resigned } from '../../identity/world.ts'
import { temporaryFolder } from '../../service.ts'
import { type GateHouse, openGateHouse } from '../gate/fixture.ts'
import { type Begun, openStaff, type Staff } from './fixture.ts'
import {
  answer,
  answerOf,
  audienceOf,
  encrypt,
  type Held,
  type Json,
  newKey,
  openRequest,
  postForm,
  present,
  presentSdJwt,
  type Reply,
  type Request,
  signJwt,
  type To,
} from './wallet.ts'

/** What a verifier must not take (OpenID4VP 1.0, sections 8.6 and 14.1). */

const minute = 60_000
const day = 24 * 60 * minute

let house: GateHouse
let staff: Staff
let held: Held
const folder = temporaryFolder()
beforeAll(async () => {
  house = await openGateHouse({ file: join(folder.path, 'agency.sqlite') })
  staff = await openStaff(house)
  held = await house.issue('DrivingLicence')
})
afterAll(async () => {
  await house.close()
  folder.remove()
})

const codeOf = ({ status, body }: Reply) => [status, body['code']]

/** A request that the wallet has fetched, and the wallet's answer to it. */
const fetched = async (more: Json = {}): Promise<{ begun: Begun; request: Request }> => {
  const begun = await staff.begin(more)
  return { begun, request: await openRequest(begun.wallet_url) }
}
const answered = async (make: (to: To, request: Request) => unknown, more: Json = {}) => {
  const { begun, request } = await fetched(more)
  const reply = await answer(request, answerOf(request, { licence: [make(audienceOf(request), request)] }))
  return { begun, reply }
}
const secondsNow = () => Math.floor(walletClock.now() / 1_000)

describe('a presentation', () => {
  const shown = () => `${held.compact.split('~').slice(0, -1).join('~')}~`
  const bound = (claims: Json, header: Json = {}, key = held.key): string =>
    shown() + signJwt({ typ: 'kb+jwt', ...header }, claims, key)
  const claims = (to: To): Json => ({
    aud: to.audience,
    nonce: to.challenge,
    iat: secondsNow(),
    sd_hash: sha256(shown()),
  })

  it('is taken as the wallets of others make it', async () => {
    const { reply } = await answered(to => bound(claims(to)))
    expect(reply.status).toBe(200)
  })

  it.each<[string, (to: To, request: Request) => unknown, string]>([
    ['another nonce', to => bound({ ...claims(to), nonce: 'another' }), 'challenge_mismatch'],
    [
      'the nonce of our own wallets’ kind in another place',
      to => bound({ ...claims(to), nonce: undefined, challenge: to.challenge }),
      'credential_malformed',
    ],
    ['another audience', to => bound({ ...claims(to), aud: 'x509_hash:another' }), 'audience_mismatch'],
    [
      'the audience without its prefix (section 14.7)',
      to => bound({ ...claims(to), aud: to.audience.slice('x509_hash:'.length) }),
      'audience_mismatch',
    ],
    ['our address as audience', to => bound({ ...claims(to), aud: house.url }), 'audience_mismatch'],
    [
      'the response URI as audience',
      (to, request) => bound({ ...claims(to), aud: request.response_uri }),
      'audience_mismatch',
    ],
    ['an iat that is past', to => bound({ ...claims(to), iat: secondsNow() - 3_600 }), 'presentation_expired'],
    ['an iat to come', to => bound({ ...claims(to), iat: secondsNow() + 3_600 }), 'presentation_expired'],
    ['no iat', to => bound({ ...claims(to), iat: undefined }), 'credential_malformed'],
    ['an sd_hash over something else', to => bound({ ...claims(to), sd_hash: sha256('x') }), 'presentation_edited'],
    [
      'a disclosure taken away after it was bound',
      to =>
        bound(claims(to))
          .split('~')
          .filter((_each, at) => at !== 1)
          .join('~'),
      'presentation_edited',
    ],
    ['no key binding', () => shown(), 'holder_unproven'],
    ['a key binding by another key', to => bound(claims(to), {}, newKey()), 'holder_mismatch'],
    ['a key binding of another type', to => bound(claims(to), { typ: 'JWT' }), 'credential_malformed'],
    ['a key binding that is not signed', to => bound(claims(to), { alg: 'none' }), 'algorithm_refused'],
    [
      'an issuer’s signature that was changed',
      to =>
        presentSdJwt(
          {
            ...held,
            compact: held.compact.replace(
              /\.([A-Za-z0-9_-])([^.~]*)~/,
              (_all, first: string, rest: string) => `.${first === 'A' ? 'B' : 'A'}${rest}~`,
            ),
          },
          to,
        ),
      'signature_invalid',
    ],
    ['nonsense', () => 'nonsense', 'credential_malformed'],
    ['an object without proof', () => ({ type: ['VerifiablePresentation'] }), 'credential_malformed'],
  ])('is refused with %s', async (_what, make, code) => {
    const { begun, reply } = await answered(make)
    expect(reply.body).toMatchObject({ code })
    expect(reply.status).toBeGreaterThanOrEqual(400)
    expect((await staff.poll(begun)).body).toEqual({ state: 'waiting' })
  })

  it('is refused once its credential is revoked, suspended, or over', async () => {
    const revoked = await house.issue('DrivingLicence')
    house.world.status.set(revoked.pointer, 'revoked')
    expect((await answered(to => present(revoked, to))).reply.body['code']).toBe('credential_revoked')
    const suspended = await house.issue('DrivingLicence')
    house.world.status.set(suspended.pointer, 'suspended')
    expect((await answered(to => present(suspended, to))).reply.body['code']).toBe('credential_suspended')
    const short = await house.issue('DrivingLicence', {}, { validUntil: house.world.clock.now() + day })
    house.advance(2 * day)
    expect((await answered(to => present(short, to))).reply.body['code']).toBe('credential_expired')
  })

  it('of nobody’s accredited issuer is refused', async () => {
    const foreign = await house.issue('DrivingLicence', {}, { by: house.world.stranger })
    expect((await answered(to => present(foreign, to))).reply.status).toBe(400)
  })
})

describe('a vp_token (section 8.1)', () => {
  const token = async (make: (good: string) => unknown, more: Json = {}) => {
    const { begun, request } = await fetched(more)
    const good = present(held, audienceOf(request))
    return { begun, request, reply: await answer(request, answerOf(request, make(good) as Record<string, unknown[]>)) }
  }

  it.each<[string, (good: string) => unknown, string]>([
    ['a query that nobody asked', good => ({ licence: [good], other: [good] }), 'presentation_unasked'],
    ['only a query that nobody asked', good => ({ other: [good] }), 'presentation_unasked'],
    ['the name of a query that objects have anyway', good => ({ constructor: [good] }), 'presentation_unasked'],
    ['two presentations where one is asked for', good => ({ licence: [good, good] }), 'presentation_several'],
    ['no list', good => ({ licence: good }), 'response_malformed'],
    ['an empty list', () => ({ licence: [] }), 'response_malformed'],
    ['nothing', () => ({}), 'response_malformed'],
    ['numbers', () => ({ licence: [1] }), 'response_malformed'],
    ['empty texts', () => ({ licence: [''] }), 'response_malformed'],
    ['more than anybody asks for', good => ({ licence: Array(17).fill(good) }), 'presentation_several'],
    ['a list of all', good => [good], 'response_malformed'],
    ['a text', good => good, 'response_malformed'],
  ])('is refused with %s', async (_what, make, code) => {
    expect((await token(make)).reply.body).toMatchObject({ error: 'invalid_request', code })
  })

  it.each<[string, Json, string]>([
    ['of another type', { id: 'licence', format: 'dc+sd-jwt', meta: { vct_values: ['urn:x'] } }, 'presentation_unfit'],
    ['of another format', { id: 'licence', format: 'vc+jwt', meta: {} }, 'presentation_unfit'],
    [
      'without a claim that is asked for',
      { id: 'licence', format: 'dc+sd-jwt', meta: {}, claims: [{ path: ['portrait'] }] },
      'presentation_unfit',
    ],
    [
      'with another value than is asked for',
      { id: 'licence', format: 'dc+sd-jwt', meta: {}, claims: [{ path: ['familyName'], values: ['Nobody'] }] },
      'presentation_unfit',
    ],
    [
      'under none of the authorities',
      {
        id: 'licence',
        format: 'dc+sd-jwt',
        meta: {},
        trusted_authorities: [{ type: 'aki', values: ['s9tIpPmhxdiuNkHMEWNpYim8S8Y'] }],
      },
      'presentation_unfit',
    ],
  ])('is refused with a credential %s (section 6)', async (_what, query, code) => {
    const { reply } = await token(good => ({ licence: [good] }), { dcql_query: { credentials: [query] } })
    expect(reply.body).toMatchObject({ code })
  })

  it('is refused where it lacks what is required', async () => {
    const both = ['licence', 'other'].map(id => ({ id, format: 'dc+sd-jwt', meta: {} }))
    const { reply } = await token(good => ({ licence: [good] }), { dcql_query: { credentials: both } })
    expect(reply.body).toMatchObject({ code: 'presentation_missing' })
  })

  it('takes an SD-JWT without key binding where the query asks for none (section 6.1)', async () => {
    const query = { id: 'licence', format: 'dc+sd-jwt', meta: {}, require_cryptographic_holder_binding: false }
    const { reply, begun } = await token(() => ({ licence: [held.compact] }), { dcql_query: { credentials: [query] } })
    expect(reply.status).toBe(200)
    const { presentations } = (await staff.result(begun.id)).body as { presentations?: Record<string, Json[]> }
    expect(presentations?.['licence']).toMatchObject([{ verified: true, type: 'DrivingLicence' }])
    expect(presentations?.['licence']?.[0]).not.toHaveProperty('holder')
    const asked = await token(() => ({ licence: [held.compact] }))
    expect(asked.reply.body).toMatchObject({ code: 'holder_unproven' })
  })
})

describe('a response', () => {
  const good = (request: Request): Json => answerOf(request, { licence: [present(held, audienceOf(request))] })

  it('is taken once, whoever sends it again', async () => {
    const { request, begun } = await fetched()
    const payload = good(request)
    const replies = await Promise.all([answer(request, payload), answer(request, payload), answer(request, payload)])
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 400, 400])
    expect((await answer(request, payload)).body).toMatchObject({ code: 'presentation_request_answered' })
    expect((await staff.poll(begun)).body).toEqual({ state: 'answered' })
  })

  it('to another request is refused: by its state, its nonce, and the key it is encrypted to', async () => {
    const [one, other] = [await fetched(), await fetched()]
    const crossed = { ...good(one.request), state: other.request.state }
    expect((await answer(other.request, crossed)).body).toMatchObject({ code: 'challenge_mismatch' })
    expect((await answer(other.request, good(one.request))).body).toMatchObject({ code: 'state_mismatch' })
    const [jwk = {}] = one.request.client_metadata.jwks?.keys ?? []
    expect((await answer(other.request, good(other.request), { jwk })).body).toMatchObject({
      code: 'decryption_failed',
    })
  })

  it('is refused without the state of its request, or with none that is a text', async () => {
    for (const state of [undefined, '', 1, ['x']]) {
      const { request } = await fetched()
      expect((await answer(request, { ...good(request), state })).body).toMatchObject({ code: 'state_mismatch' })
    }
  })

  it.each<[string, (payload: Json, jwk: Json) => Promise<string>, string]>([
    [
      'to another key',
      async payload => {
        const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
        return encrypt(payload, { ...(await exportJWK(publicKey)), kid: 'x' })
      },
      'decryption_failed',
    ],
    [
      'to another key under our name',
      async (payload, { kid }) => {
        const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
        return encrypt(payload, { ...(await exportJWK(publicKey)), kid })
      },
      'decryption_failed',
    ],
    ['by AES-CBC', (payload, jwk) => encrypt(payload, jwk, 'A256CBC-HS512'), 'encryption_refused'],
    [
      'and changed on the way',
      async (payload, jwk) => {
        const parts = (await encrypt(payload, jwk)).split('.')
        parts[3] = `${parts[3]?.startsWith('A') ? 'B' : 'A'}${parts[3]?.slice(1)}`
        return parts.join('.')
      },
      'decryption_failed',
    ],
    [
      'with its key wrapped',
      (payload, jwk) => encrypt(payload, jwk, 'A256GCM', { alg: 'ECDH-ES+A128KW' }),
      'encryption_refused',
    ],
    [
      'with critical extensions',
      async (payload, jwk) => {
        const [head = '', ...rest] = (await encrypt(payload, jwk)).split('.')
        const header = { ...(JSON.parse(Buffer.from(head, 'base64url').toString()) as Json), crit: ['exp'], exp: 1 }
        return [Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.')
      },
      'encryption_refused',
    ],
    ['as no JWE', async () => 'a.b.c', 'jwe_malformed'],
    ['as a JWE of six parts', async (payload, jwk) => `${await encrypt(payload, jwk)}.x`, 'jwe_malformed'],
  ])('is refused encrypted %s', async (_what, make, code) => {
    const { request } = await fetched()
    const [jwk = {}] = request.client_metadata.jwks?.keys ?? []
    const response = await make(good(request), jwk)
    expect((await postForm(request.response_uri, { response })).body).toMatchObject({ code })
    expect((await answer(request, good(request))).status).toBe(200)
  })

  it('is refused compressed, before anything of it is unpacked', async () => {
    const { request } = await fetched()
    const [jwk = {}] = request.client_metadata.jwks?.keys ?? []
    const bomb = deflateRawSync(Buffer.alloc(50_000_000, 0x20)).toString('base64url')
    const [head = '', key = '', iv = '', , tag = ''] = (await encrypt({}, jwk)).split('.')
    const header = { ...(JSON.parse(Buffer.from(head, 'base64url').toString()) as Json), zip: 'DEF' }
    const zipped = [Buffer.from(JSON.stringify(header)).toString('base64url'), key, iv, bomb, tag].join('.')
    expect((await postForm(request.response_uri, { response: zipped })).body).toMatchObject({
      code: 'encryption_refused',
    })
  })

  it('comes as it was asked for: encrypted or not', async () => {
    const [closed, open] = [await fetched(), await fetched({ response_mode: 'direct_post' })]
    const plain = good(closed.request)
    const form = { vp_token: JSON.stringify(plain['vp_token']), state: String(plain['state']) }
    expect((await postForm(closed.request.response_uri, form)).body).toMatchObject({ code: 'response_unencrypted' })
    const [jwk = {}] = closed.request.client_metadata.jwks?.keys ?? []
    const sealed = await encrypt(good(open.request), jwk)
    expect((await postForm(open.request.response_uri, { response: sealed })).body).toMatchObject({
      code: 'response_encrypted',
    })
    expect((await answer(open.request, good(open.request))).status).toBe(200)
  })

  it.each<[string, Record<string, string>, string]>([
    ['nothing', {}, 'response_malformed'],
    ['an error and a vp_token', { error: 'access_denied', vp_token: '{}' }, 'response_malformed'],
    ['an error that is no code', { error: 'a"b' }, 'response_malformed'],
    ['a vp_token that is no JSON', { vp_token: '{' }, 'response_malformed'],
    ['a vp_token with one name twice', { vp_token: '{"licence":["a"],"licence":["b"]}' }, 'response_malformed'],
    [
      'a vp_token that is nested without end',
      { vp_token: `{"licence":[${'['.repeat(50)}${']'.repeat(50)}]}` },
      'response_malformed',
    ],
  ])('is refused with %s', async (_what, form, code) => {
    const { request } = await fetched({ response_mode: 'direct_post' })
    const reply = await postForm(request.response_uri, { ...form, state: String(request.state) })
    expect(codeOf(reply)).toEqual([400, code])
  })

  it('ignores what it does not know (section 8.1)', async () => {
    const { request } = await fetched({ response_mode: 'direct_post' })
    expect((await answer(request, { ...good(request), more: 'x' })).status).toBe(200)
  })

  it('may be an error of the wallet, also in the clear (sections 8.3.1 and 8.5)', async () => {
    const { request, begun } = await fetched()
    const form = { error: 'access_denied', error_description: 'no', state: String(request.state) }
    expect((await postForm(request.response_uri, form)).status).toBe(200)
    expect((await staff.poll(begun)).body).toEqual({ state: 'refused', error: 'access_denied' })
    const result = await staff.result(begun.id)
    expect([result.status, result.body['code']]).toEqual([409, 'presentation_refused'])
    expect((await answer(request, good(request))).body).toMatchObject({ code: 'presentation_request_answered' })
    const other = await fetched()
    const strange = { error: 'access_denied', state: 'x' }
    expect((await postForm(other.request.response_uri, strange)).body).toMatchObject({ code: 'state_mismatch' })
    expect((await staff.poll(other.begun)).body).toEqual({ state: 'waiting' })
  })

  it('to a request that nobody fetched is refused, and so is one to no request', async () => {
    const begun = await staff.begin({ response_mode: 'direct_post' })
    const unread = await postForm(`${house.url}/openid4vp/responses/${begun.id}`, { error: 'access_denied' })
    expect(codeOf(unread)).toEqual([404, 'presentation_request_unknown'])
    const none = await postForm(`${house.url}/openid4vp/responses/${'A'.repeat(22)}`, { error: 'access_denied' })
    expect(codeOf(none)).toEqual([404, 'presentation_request_unknown'])
  })

  it('that does not hold may be tried again, but not for ever', async () => {
    const { request, begun } = await fetched()
    const bad = answerOf(request, { licence: [present({ ...held, key: newKey() }, audienceOf(request))] })
    for (let tries = 0; tries < 5; tries++)
      expect((await answer(request, bad)).body).toMatchObject({ code: 'holder_mismatch' })
    expect((await answer(request, good(request))).body).toMatchObject({ code: 'presentation_request_answered' })
    expect((await staff.poll(begun)).body).toEqual({ state: 'refused', error: 'holder_mismatch' })
    // What is not even for this request is not counted: nobody ends it who has not read it.
    const other = await fetched()
    for (let tries = 0; tries < 6; tries++) await postForm(other.request.response_uri, { response: 'a.b.c' })
    expect((await answer(other.request, good(other.request))).status).toBe(200)
  })
})

describe('attempts at an answer', () => {
  const bad = (request: Request): Json =>
    answerOf(request, { licence: [present({ ...held, key: newKey() }, audienceOf(request))] })

  it('are counted before they are judged: many at a time are no more than one after the other', async () => {
    const { request } = await fetched()
    const judged = jest.spyOn(house.verifier.protocol, 'judge')
    try {
      const replies = await Promise.all(Array.from({ length: 20 }, () => answer(request, bad(request))))
      const codes = replies.map(({ body }) => body['code'])
      expect(codes.filter(code => code === 'holder_mismatch')).toHaveLength(5)
      expect(codes.filter(code => code === 'presentation_request_answered')).toHaveLength(15)
      expect(judged).toHaveBeenCalledTimes(5)
    } finally {
      judged.mockRestore()
    }
  })

  it('that could not be judged count as well: whoever presents chooses the host that cannot be reached', async () => {
    const { begun, request } = await fetched()
    const lost = new Refusal('unavailable', 'did_unavailable', 'The host of the DID cannot be reached.')
    const judged = jest.spyOn(house.verifier.protocol, 'judge').mockRejectedValue(lost)
    for (let tries = 0; tries < 5; tries++) expect((await answer(request, bad(request))).body['code']).toBe(lost.code)
    const more = await answer(request, bad(request))
    expect([more.body['code'], judged.mock.calls.length]).toEqual(['presentation_request_answered', 5])
    judged.mockRestore()
    expect((await staff.poll(begun)).body).toEqual({ state: 'refused', error: 'did_unavailable' })
  })

  it('by many wallets at a time are each their own', async () => {
    const many = await Promise.all(Array.from({ length: 12 }, () => fetched()))
    const replies = await Promise.all(
      many.map(({ request }, at) => {
        const good = answerOf(request, { licence: [present(held, audienceOf(request))] })
        return answer(request, at % 3 === 0 ? bad(request) : good)
      }),
    )
    expect(replies.map(({ status }) => status)).toEqual(many.map((_each, at) => (at % 3 === 0 ? 400 : 200)))
    const states = await Promise.all(many.map(({ begun }) => staff.poll(begun)))
    expect(states.map(({ body }) => body['state'])).toEqual(
      many.map((_each, at) => (at % 3 === 0 ? 'waiting' : 'answered')),
    )
  })

  it('with several credentials in one presentation are refused before any of them is looked at', async () => {
    const kyc = await house.issue('KycAttestation', {}, { key: held.key, format: 'vc+jwt' })
    const query = { id: 'licence', format: 'vc+jwt', meta: {} }
    const { request } = await fetched({ dcql_query: { credentials: [query] } })
    const looked = jest.spyOn(house.world.verify.dids, 'key')
    const both = wrap([kyc.compact, kyc.compact], audienceOf(request), held.key)
    expect((await answer(request, answerOf(request, { licence: [both] }))).body['code']).toBe('presentation_several')
    expect(looked).not.toHaveBeenCalled()
    looked.mockRestore()
  })

  it('name as holder nobody whose key was not proven', async () => {
    const { transport } = house.world
    const victim = newKey().did
    const compact = resigned(held.compact, transport, payload => Object.assign(payload, { sub: victim }))
    const { reply } = await answered(to => presentSdJwt({ ...held, compact }, to))
    expect(reply.body['code']).toBe('holder_mismatch')
  })
})

describe('transaction data (section 8.4; appendix B.3.3.1)', () => {
  const payment = { type: 'urn:example:payment', credential_ids: ['licence'], amount: '12.00' }
  const hashesOf = (request: Request) => (request.transaction_data ?? []).map(sha256)
  const signed = (make: (request: Request) => Json, data: Json[] = [payment]) =>
    answered((to, request) => presentSdJwt(held, to, make(request)), { transaction_data: data })

  it('is signed for by the presentation', async () => {
    const { request } = await fetched({ transaction_data: [payment] })
    const [encoded = ''] = request.transaction_data ?? []
    expect(JSON.parse(Buffer.from(encoded, 'base64url').toString())).toEqual(payment)
    const { reply } = await signed(each => ({ transaction_data_hashes: hashesOf(each) }))
    expect(reply.status).toBe(200)
    const named = [{ ...payment, transaction_data_hashes_alg: ['sha-512', 'sha-256'] }, payment]
    const both = await signed(
      each => ({ transaction_data_hashes: hashesOf(each), transaction_data_hashes_alg: 'sha-256' }),
      named,
    )
    expect(both.reply.status).toBe(200)
  })

  it.each<[string, (request: Request) => Json, Json[]?]>([
    ['is not signed for', () => ({ more: 'x' })],
    ['is another', () => ({ transaction_data_hashes: [sha256('another')] })],
    [
      'is hashed decoded',
      request => ({ transaction_data_hashes: [sha256(Buffer.from(request.transaction_data?.[0] ?? '', 'base64url'))] }),
    ],
    [
      'comes with what was not asked for',
      request => ({ transaction_data_hashes: [...hashesOf(request), sha256('x')] }),
    ],
    [
      'is signed for in part',
      request => ({ transaction_data_hashes: hashesOf(request).slice(1) }),
      [payment, { ...payment, amount: '1' }],
    ],
    ['is no list', request => ({ transaction_data_hashes: hashesOf(request)[0] })],
    [
      'is hashed by another algorithm',
      request => ({ transaction_data_hashes: hashesOf(request), transaction_data_hashes_alg: 'sha-512' }),
    ],
    [
      'does not name the algorithm that is asked for',
      request => ({ transaction_data_hashes: hashesOf(request) }),
      [{ ...payment, transaction_data_hashes_alg: ['sha-256'] }],
    ],
  ])('is refused where it %s', async (_what, make, data = [payment]) => {
    expect((await signed(make, data)).reply.body).toMatchObject({ error: 'invalid_transaction_data' })
  })

  it('that nobody asked to be signed for is refused', async () => {
    const { reply } = await answered(to => presentSdJwt(held, to, { transaction_data_hashes: [sha256('x')] }))
    expect(reply.body).toMatchObject({ error: 'invalid_transaction_data' })
  })

  it.each<[string, Json, Json | undefined]>([
    ['for a query that there is not', { ...payment, credential_ids: ['other'] }, undefined],
    ['without a hash that is known here', { ...payment, transaction_data_hashes_alg: ['sha-512'] }, undefined],
    ['with hashes that are no list', { ...payment, transaction_data_hashes_alg: 'sha-256' }, undefined],
    ['that is too long', { ...payment, note: 'x'.repeat(10_000) }, undefined],
    ['for a credential of another format', payment, { id: 'licence', format: 'vc+jwt', meta: {} }],
    [
      'for a credential without holder binding',
      payment,
      { id: 'licence', format: 'dc+sd-jwt', meta: {}, require_cryptographic_holder_binding: false },
    ],
  ])('is not put into a request %s', async (_what, item, query) => {
    const more = query === undefined ? {} : { dcql_query: { credentials: [query] } }
    const asked = await staff.ask({ transaction_data: [item], ...more })
    expect([asked.status, asked.body['code']]).toEqual([422, 'invalid_transaction_data'])
  })
})

describe('over the Digital Credentials API (appendix A)', () => {
  const origin = 'https://www.office.example'
  type Digital = { protocol: string; data: Json }
  const ask = async (more: Json = {}): Promise<Begun & { digital_request: Digital }> =>
    (await staff.begin({ digital_credentials: { origins: [origin], ...more } })) as Begun & { digital_request: Digital }
  const hand = ({ id, secret }: Begun, data: Json): Promise<Reply> =>
    postJson(`${house.url}/presentation-requests/${id}/digital-credential`, { secret, data })
  const postJson = async (url: string, body: Json): Promise<Reply> => {
    const reply = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: reply.status, type: '', body: (await reply.json()) as Json }
  }
  const decoded = (segment = ''): Json => JSON.parse(Buffer.from(segment, 'base64url').toString())
  const tokenFor = (nonce: unknown, audience = `origin:${origin}`): Json => ({
    vp_token: { licence: [present(held, { challenge: String(nonce), audience })] },
  })
  const sealed = async (request: Json, payload: Json): Promise<Json> => {
    const { jwks } = request['client_metadata'] as { jwks: { keys: Json[] } }
    return { response: await encrypt(payload, jwks.keys[0] ?? {}) }
  }

  it('is asked unsigned, without client_id, state and origins, and answered encrypted (A.3.1)', async () => {
    const begun = await ask()
    const { protocol, data } = begun.digital_request
    expect(protocol).toBe('openid4vp-v1-unsigned')
    expect(data).toMatchObject({ response_type: 'vp_token', response_mode: 'dc_api.jwt', nonce: begun.nonce })
    for (const name of ['client_id', 'state', 'expected_origins', 'response_uri']) expect(data).not.toHaveProperty(name)
    expect((await hand(begun, await sealed(data, tokenFor(begun.nonce)))).status).toBe(200)
    expect((await staff.result(begun.id)).status).toBe(200)
  })

  it('is asked signed, with the origins that may ask (A.3.2.1)', async () => {
    const begun = await ask({ signatures: ['x509_hash'], encrypted: false })
    const { protocol, data } = begun.digital_request
    expect(protocol).toBe('openid4vp-v1-signed')
    const [head, body] = String(data['request']).split('.')
    expect(decoded(head)).toMatchObject({ typ: 'oauth-authz-req+jwt', x5c: [expect.any(String)] })
    const request = decoded(body)
    expect(request).toMatchObject({ client_id: begun.client_id, expected_origins: [origin], response_mode: 'dc_api' })
    expect((await hand(begun, tokenFor(begun.nonce))).status).toBe(200)
  })

  it('is asked under several names at once, each in its own header (A.3.2.2)', async () => {
    const begun = await ask({ signatures: ['x509_hash', 'decentralized_identifier'] })
    const { protocol, data } = begun.digital_request
    expect(protocol).toBe('openid4vp-v1-multisigned')
    const { payload, signatures } = data['request'] as { payload: string; signatures: { protected: string }[] }
    expect(decoded(payload)).not.toHaveProperty('client_id')
    expect(signatures.map(each => String(decoded(each.protected)['client_id']).split(':')[0])).toEqual([
      ...['x509_hash', 'decentralized_identifier'],
    ])
    expect((await hand(begun, await sealed(decoded(payload), tokenFor(begun.nonce)))).status).toBe(200)
  })

  it.each<[string, (begun: Begun, request: Json) => Promise<Json> | Json, string]>([
    [
      'for another origin',
      (begun, request) => sealed(request, tokenFor(begun.nonce, 'origin:https://evil.example')),
      'audience_mismatch',
    ],
    [
      'for the origin without its prefix',
      (begun, request) => sealed(request, tokenFor(begun.nonce, origin)),
      'audience_mismatch',
    ],
    ['over another nonce', (_begun, request) => sealed(request, tokenFor('x')), 'challenge_mismatch'],
    ['in the clear', begun => tokenFor(begun.nonce), 'response_unencrypted'],
    ['with nothing', () => ({}), 'response_unencrypted'],
  ])('is refused %s', async (_what, make, code) => {
    const begun = await ask()
    const reply = await hand(begun, await make(begun, begun.digital_request.data))
    expect(reply.body).toMatchObject({ code })
  })

  it('takes an error, and nothing from whoever has not its secret or comes another way', async () => {
    const begun = await ask()
    expect((await hand({ ...begun, secret: 'A'.repeat(43) }, { error: 'access_denied' })).status).toBe(404)
    const elsewhere = await postForm(`${house.url}/openid4vp/responses/${begun.id}`, { error: 'access_denied' })
    expect(elsewhere.body).toMatchObject({ code: 'response_elsewhere' })
    const { begun: other } = await fetched()
    expect((await hand(other, { error: 'access_denied' })).body).toMatchObject({ code: 'response_elsewhere' })
    expect((await hand(begun, { error: 'access_denied' })).status).toBe(200)
    expect((await staff.poll(begun)).body).toEqual({ state: 'refused', error: 'access_denied' })
  })

  it.each([
    'http://www.office.example',
    'https://www.office.example/',
    'https://evil.example',
    'ftp://www.office.example',
  ])('is not asked by %s', async each => {
    const asked = await staff.ask({ digital_credentials: { origins: [each] } })
    expect([asked.status, asked.body['code']]).toEqual([422, 'return_forbidden'])
  })

  it('is not mixed with links', async () => {
    const asked = await staff.ask({ digital_credentials: { origins: [origin] }, delivery: 'value' })
    expect([asked.status, asked.body['code']]).toEqual([422, 'request_unsuited'])
  })
})
