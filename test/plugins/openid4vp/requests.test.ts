import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { compactDecrypt, exportJWK, importJWK } from 'jose'
import { qr } from '../../../src/http/qr.ts'
import { temporaryFolder } from '../../service.ts'
import { type GateHouse, openGateHouse } from '../gate/fixture.ts'
import { type Begun, licenceQuery, openStaff, type Staff } from './fixture.ts'
import {
  answer,
  answerOf,
  answerWith,
  audienceOf,
  fetchRequest,
  type Held,
  type Json,
  openRequest,
  parametersOf,
  present,
  readObject,
  send,
} from './wallet.ts'

const codeOf = ({ status, body }: { status: number; body: Json }) => [status, body['code']]
const minute = 60_000

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

describe('a presentation request, signed and by reference (OpenID4VP 1.0, section 5)', () => {
  it('says who asks, for what, until when, and to which key to encrypt', async () => {
    const { wallet_url: url, client_id: id, nonce } = await staff.begin()
    expect(url.startsWith('openid4vp://?')).toBe(true)
    expect(parametersOf(url)).toMatchObject({ client_id: id, request_uri_method: 'post' })
    const reply = await fetchRequest(url)
    expect([reply.status, reply.type]).toEqual([200, 'application/oauth-authz-req+jwt'])
    const { header, payload } = readObject(String(reply.body['text']))
    expect(header).toMatchObject({ alg: 'ES256', typ: 'oauth-authz-req+jwt' })
    const metadata = {
      jwks: { keys: [{ kty: 'EC', crv: 'P-256', use: 'enc', alg: 'ECDH-ES', kid: expect.any(String) }] },
      encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'],
      vp_formats_supported: { 'dc+sd-jwt': { 'kb-jwt_alg_values': expect.arrayContaining(['ES256']) } },
    }
    expect(payload).toMatchObject({
      ...{ response_type: 'vp_token', response_mode: 'direct_post.jwt', aud: 'https://self-issued.me/v2' },
      ...{ client_id: id, nonce, dcql_query: licenceQuery, client_metadata: metadata },
    })
    expect(payload).not.toHaveProperty('redirect_uri')
    const { iat, exp } = payload as unknown as { iat: number; exp: number }
    expect(exp - iat).toBeGreaterThan(200)
    expect(String(payload.state)).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  it('carries the wallet’s own nonce (section 5.10)', async () => {
    const { wallet_url: url } = await staff.begin()
    const reply = await fetchRequest(url, { wallet_nonce: 'qPmxiNFCR3QTm19POc8u', unknown: 'x' })
    expect(readObject(String(reply.body['text'])).payload['wallet_nonce']).toBe('qPmxiNFCR3QTm19POc8u')
  })

  it('is encrypted for a wallet that names a key for that (section 5.10)', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ECDH-ES', use: 'enc', kid: 'w' }
    const { wallet_url: url } = await staff.begin()
    const metadata = { jwks: { keys: [jwk] }, request_object_encryption_enc_values_supported: ['A128GCM'] }
    const reply = await fetchRequest(url, { wallet_metadata: JSON.stringify(metadata) })
    const key = await importJWK({ ...(await exportJWK(privateKey)), alg: 'ECDH-ES' })
    const opened = await compactDecrypt(String(reply.body['text']), key)
    expect(opened.protectedHeader).toMatchObject({ enc: 'A128GCM', cty: 'oauth-authz-req+jwt', kid: 'w' })
    expect(readObject(Buffer.from(opened.plaintext).toString()).payload.dcql_query).toEqual(licenceQuery)
  })

  it.each<[string, string, string]>([
    ['no JSON', '{', 'wallet_metadata_malformed'],
    ['a list', '[]', 'wallet_metadata_malformed'],
    ['formats that are no object', '{"vp_formats_supported":[]}', 'wallet_metadata_malformed'],
    ['none of the formats', '{"vp_formats_supported":{"mso_mdoc":{}}}', 'vp_formats_not_supported'],
    ['another client identifier prefix', '{"client_id_prefixes_supported":["redirect_uri"]}', 'wallet_unsuited'],
    ['other signatures', '{"request_object_signing_alg_values_supported":["EdDSA"]}', 'wallet_unsuited'],
    ['no vp_token', '{"response_types_supported":["code"]}', 'wallet_unsuited'],
    ['other key agreement', '{"authorization_encryption_alg_values_supported":["RSA-OAEP"]}', 'wallet_unsuited'],
    ['other encryption', '{"authorization_encryption_enc_values_supported":["A256CBC-HS512"]}', 'wallet_unsuited'],
    ['a key of no use', '{"jwks":{"keys":[{"kty":"RSA"}]}}', 'encryption_key_missing'],
    [
      'a key that is no point',
      `{"jwks":{"keys":[{"kty":"EC","crv":"P-256","alg":"ECDH-ES","x":"${'A'.repeat(43)}","y":"${'A'.repeat(43)}"}]}}`,
      'encryption_key_missing',
    ],
  ])('is not given to a wallet with %s in its metadata, and is not used up by it', async (_what, metadata, code) => {
    const { wallet_url: url } = await staff.begin()
    const reply = await fetchRequest(url, { wallet_metadata: metadata })
    expect([reply.status, reply.body['code']]).toEqual([400, code])
    expect((await fetchRequest(url)).status).toBe(200)
  })

  it('is known by its id alone to nobody: secrets, ids and states that are guessed open nothing', async () => {
    const begun = await staff.begin()
    await answerWith(begun.wallet_url, held)
    expect(codeOf(await staff.poll({ ...begun, secret: 'A'.repeat(43) }))).toEqual([
      404,
      'presentation_request_unknown',
    ])
    expect(codeOf(await staff.poll({ ...begun, secret: '' }))).toEqual([404, 'presentation_request_unknown'])
    const other = await staff.poll({ ...begun, id: 'A'.repeat(22) })
    expect(codeOf(other)).toEqual([404, 'presentation_request_unknown'])
    const anonymous = await send(`${house.url}/presentation-requests/${begun.id}/result`, 'POST', {})
    expect(anonymous.status).toBe(401)
  })

  it('has a QR code as a picture of lines and of dots, until it has expired', async () => {
    const { id, wallet_url: url } = await staff.begin()
    const pictures = await qr(url)
    const png = await fetch(`${house.url}/presentation-requests/${id}/qr?format=png`)
    expect(png.headers.get('content-type')).toBe('image/png')
    expect(Buffer.from(await png.arrayBuffer()).equals(pictures.png)).toBe(true)
    const svg = await fetch(`${house.url}/presentation-requests/${id}/qr`)
    expect(await svg.text()).toBe(pictures.svg)
    house.advance(6 * minute)
    expect((await fetch(`${house.url}/presentation-requests/${id}/qr`)).status).toBe(422)
  })
})

describe('a wallet on the same device (sections 13.3 and 14.2)', () => {
  const returnTo = 'https://www.office.example/back?case=7'

  it('brings back a code, without which nobody has the answer', async () => {
    const begun = await staff.begin({ return_to: returnTo })
    const reply = await answerWith(begun.wallet_url, held)
    const back = new URL(String(reply.body['redirect_uri']))
    expect([back.origin, back.searchParams.get('case')]).toEqual(['https://www.office.example', '7'])
    const code = back.searchParams.get('response_code') ?? ''
    expect(code).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect((await staff.poll(begun)).body).toEqual({ state: 'waiting' })
    expect(codeOf(await staff.result(begun.id))).toEqual([409, 'presentation_waiting'])
    expect(codeOf(await staff.result(begun.id, { response_code: 'A'.repeat(43) }))).toEqual([
      409,
      'presentation_waiting',
    ])
    expect((await staff.poll(begun, { response_code: code })).body).toEqual({ state: 'answered' })
    expect((await staff.result(begun.id, { response_code: code })).status).toBe(200)
  })

  it('brings back another code for another request', async () => {
    const [one, other] = [await staff.begin({ return_to: returnTo }), await staff.begin({ return_to: returnTo })]
    const [first] = [await answerWith(one.wallet_url, held), await answerWith(other.wallet_url, held)]
    const code = new URL(String(first.body['redirect_uri'])).searchParams.get('response_code')
    expect(codeOf(await staff.result(other.id, { response_code: code }))).toEqual([409, 'presentation_waiting'])
  })

  it('may be sent back to our own page, which shows nothing that is handed to it', async () => {
    const begun = await staff.begin({ return_to: `${house.url}/openid4vp/return` })
    const reply = await answerWith(begun.wallet_url, held)
    const back = new URL(String(reply.body['redirect_uri']))
    expect([back.pathname, back.searchParams.get('request')]).toEqual(['/office/openid4vp/return', begun.id])
    // Staff began it, and not the browser that comes back.
    const code = back.searchParams.get('response_code') ?? 'none'
    expect(await (await fetch(back)).text()).not.toContain(code)
    for (const handed of [`response_code=${'a'.repeat(43)}`, 'response_code=<script>', 'request=<script>']) {
      const shown = await fetch(`${house.url}/openid4vp/return?${handed}`)
      expect([shown.status, shown.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
      expect(await shown.text()).not.toMatch(/script|aaa|<textarea/)
    }
  })

  it('has no picture, which another device would take', async () => {
    const { id } = await staff.begin({ return_to: returnTo })
    const picture = await fetch(`${house.url}/presentation-requests/${id}/qr`)
    expect([picture.status, ((await picture.json()) as Json)['code']]).toEqual([422, 'request_same_device'])
  })

  it.each([
    'https://evil.example/',
    'https://www.office.example.evil.example/',
    'https://a@www.office.example/',
    'https://www.office.example/#x',
    'https://www.office.example/?response_code=x',
    'openid4vp://x',
    'nonsense',
  ])('is not sent back to %s', async url => {
    expect(codeOf(await staff.ask({ return_to: url }))).toEqual([422, 'return_forbidden'])
  })
})

describe('other ways to ask', () => {
  const answerValue = async (payload: Json, begun: Begun): Promise<void> => {
    const request = payload as Parameters<typeof answer>[0]
    const reply = await answer(request, answerOf(request, { licence: [present(held, audienceOf(request))] }))
    expect(reply.status).toBe(200)
    expect((await staff.result(begun.id)).status).toBe(200)
  }

  it('has the signed request in the link itself', async () => {
    const begun = await staff.begin({ delivery: 'value', response_mode: 'direct_post' })
    const { request = '', client_id: id } = parametersOf(begun.wallet_url)
    const { payload } = readObject(request)
    expect([payload.client_id, payload.client_metadata.jwks]).toEqual([id, undefined])
    const fetched = await fetch(`${house.url}/openid4vp/requests/${begun.id}`)
    expect(fetched.status).toBe(404)
    await answerValue(payload, begun)
  })

  it.each(['direct_post', 'direct_post.jwt'])('is known by the address of the answer, unsigned, %s', async mode => {
    const begun = await staff.begin({ client_id_prefix: 'redirect_uri', response_mode: mode })
    const query = parametersOf(begun.wallet_url)
    expect(query['client_id']).toBe(`redirect_uri:${query['response_uri']}`)
    const { dcql_query: dcql = '', client_metadata: metadata = '' } = query
    await answerValue({ ...query, dcql_query: JSON.parse(dcql), client_metadata: JSON.parse(metadata) }, begun)
  })

  it('is known by a DID, whose key signs', async () => {
    const begun = await staff.begin({ client_id_prefix: 'decentralized_identifier', request_uri_method: 'get' })
    expect(begun.client_id).toBe(`decentralized_identifier:${house.world.transport.did}`)
    expect(parametersOf(begun.wallet_url)).not.toHaveProperty('request_uri_method')
    const reply = await fetchRequest(begun.wallet_url)
    const [head = '', body = ''] = String(reply.body['text']).split('.')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Json
    expect(header).toEqual({ alg: 'ES256', typ: 'oauth-authz-req+jwt', kid: house.world.transport.kid })
    await answerValue(JSON.parse(Buffer.from(body, 'base64url').toString()), begun)
  })

  it('asks for what an operation requires', async () => {
    const begun = await staff.begin({
      dcql_query: undefined,
      requirement: { operationId: 'enterRegister', params: { register: 'banks' } },
    })
    const { dcql_query: dcql } = await openRequest(begun.wallet_url)
    expect(dcql.credentials.map(({ id }) => id)).toEqual(['kyc'])
  })

  it.each<[string, Json, [number, string]]>([
    ['neither a query nor a requirement', { dcql_query: undefined }, [422, 'request_unsuited']],
    ['both', { requirement: { operationId: 'grantPermit' } }, [422, 'request_unsuited']],
    [
      'an operation that there is not',
      { dcql_query: undefined, requirement: { operationId: 'x' } },
      [404, 'operation_unknown'],
    ],
    [
      'an operation for staff',
      { dcql_query: undefined, requirement: { operationId: 'decideByStaff' } },
      [422, 'requirement_without_credentials'],
    ],
    ['a query that is none', { dcql_query: { credentials: [] } }, [400, 'dcql_malformed']],
    [
      'an unknown format',
      { dcql_query: { credentials: [{ id: 'a', format: 'ac_vp', meta: {} }] } },
      [422, 'format_unsupported'],
    ],
    [
      'an unsigned request by reference',
      { client_id_prefix: 'redirect_uri', delivery: 'reference' },
      [422, 'request_unsuited'],
    ],
    ['an attestation that it has not', { client_id_prefix: 'verifier_attestation' }, [422, 'client_id_unsupported']],
    ['a DNS name that it has not', { client_id_prefix: 'x509_san_dns' }, [422, 'client_id_unsupported']],
    ['a name that nobody knows', { client_id_prefix: 'openid_federation' }, [400, 'body_invalid']],
    [
      'unsigned attestations about itself',
      { client_id_prefix: 'redirect_uri', verifier_info: [{ format: 'jwt', data: 'x' }] },
      [422, 'request_unsuited'],
    ],
    ['HAIP and another prefix', { profile: 'haip', client_id_prefix: 'decentralized_identifier' }, [422, 'haip_unmet']],
    ['HAIP and an answer in the clear', { profile: 'haip', response_mode: 'direct_post' }, [422, 'haip_unmet']],
    ['HAIP and a request by value', { profile: 'haip', delivery: 'value' }, [422, 'haip_unmet']],
    [
      'HAIP and a format of others',
      { profile: 'haip', dcql_query: { credentials: [{ id: 'a', format: 'ldp_vc', meta: {} }] } },
      [422, 'haip_unmet'],
    ],
  ])('is refused for %s', async (_what, more, refusal) => {
    expect(codeOf(await staff.ask(more))).toEqual(refusal)
  })

  it('passes HAIP 1.0: signed under x509_hash, fetched, encrypted to an ephemeral key, haip-vp://', async () => {
    const [one, other] = [await staff.begin({ profile: 'haip' }), await staff.begin({ profile: 'haip' })]
    expect(one.wallet_url.startsWith('haip-vp://?')).toBe(true)
    const requests = [await openRequest(one.wallet_url), await openRequest(other.wallet_url)]
    const kids = requests.map(({ client_metadata: { jwks } }) => jwks?.keys[0]?.['kid'])
    expect(new Set(kids).size).toBe(2)
    for (const enc of ['A128GCM', 'A256GCM']) {
      const begun = await staff.begin({ profile: 'haip' })
      const request = await openRequest(begun.wallet_url)
      const token = { licence: [present(held, audienceOf(request))] }
      expect((await answer(request, answerOf(request, token), { enc })).status).toBe(200)
    }
  })
})
