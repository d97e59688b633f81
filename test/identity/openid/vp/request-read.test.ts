import { createPublicKey } from 'node:crypto'
import type { ClientTrust } from '../../../../src/identity/openid/vp/request-client.ts'
import { readPresentationRequest } from '../../../../src/identity/openid/vp/request-read.ts'
import type { PresentationInvitation } from '../../../../src/kernel/presentation-answers.ts'
import { isRefusal, Refusal } from '../../../../src/kernel/refusal.ts'
import { newKeys, validity } from '../../x509/authority.ts'
import {
  type Asking,
  base64,
  certificateHash,
  host,
  link,
  type Members,
  nonce,
  now,
  openAsking,
  query,
  readingOf,
  responseUri,
  seconds,
  signed,
  typ,
} from './asking.ts'

let asking: Asking
beforeAll(async () => {
  asking = await openAsking()
})

const requestUri = `https://${host}/request/1`

type Request = { header?: Members; payload: Members; key: Asking['keys']['privateKey'] }

/** As a verifier with a certificate makes it; `more` changes the payload. */
const byCertificate = (prefix: 'x509_san_dns' | 'x509_hash', more: Members = {}): Request & { clientId: string } => {
  const clientId = prefix === 'x509_hash' ? `x509_hash:${certificateHash(asking.leaf)}` : `x509_san_dns:${host}`
  const payload = asking.parameters({ client_id: clientId, ...more })
  return { clientId, header: { typ, x5c: [base64(asking.leaf)] }, payload, key: asking.keys.privateKey }
}

const read = (invitation: PresentationInvitation, object = '', trust: Partial<ClientTrust> = {}) => {
  const reading = readingOf(asking, () => object)
  return readPresentationRequest(invitation, { ...reading, trust: { ...reading.trust, ...trust } })
}

const byReference = ({ header = { typ }, payload, key }: Request, clientId: string, trust?: Partial<ClientTrust>) =>
  read({ link: link({ client_id: clientId, request_uri: requestUri }) }, signed(header, payload, key), trust)

const codeOf = async (reading: Promise<unknown>): Promise<string> => {
  try {
    await reading
    return 'read'
  } catch (error) {
    if (isRefusal(error)) return error.code
    throw error
  }
}

describe('a request for a presentation, as a wallet reads it', () => {
  it('is of a host by its certificate (x509_san_dns, OpenID4VP 1.0, section 5.9.3)', async () => {
    const request = byCertificate('x509_san_dns')
    expect(await byReference(request, request.clientId)).toEqual({
      client: {
        ...{ id: request.clientId, name: host, assurance: 'certificate' },
        vouchedBy: expect.stringContaining('Verifiers’ authority'),
      },
      ...{ mode: 'direct_post', nonce, state: 's-1', responseUri, audience: request.clientId, transactions: [] },
      ...{ dcql: query, formats: { 'dc+sd-jwt': {} }, haip: false, expires: expect.any(Number) },
    })
  })

  it('is of a certificate by its hash (x509_hash), whatever host answers it', async () => {
    const request = byCertificate('x509_hash', { response_uri: 'https://elsewhere.example/r' })
    const asked = await byReference(request, request.clientId)
    expect(asked).toMatchObject({ audience: request.clientId, responseUri: 'https://elsewhere.example/r' })
    expect(asked.client).toMatchObject({ assurance: 'certificate', name: expect.stringContaining('Verifier') })
  })

  it('is of a DID by the key that kid names', async () => {
    const { did, verificationMethod, privateKey } = asking.holder
    const clientId = `decentralized_identifier:${did}`
    const payload = asking.parameters({ client_id: clientId })
    const asked = await byReference({ header: { typ, kid: verificationMethod }, payload, key: privateKey }, clientId)
    expect(asked.client).toEqual({ id: clientId, name: did, assurance: 'did' })
    const relative = { typ, kid: `#${verificationMethod.split('#')[1]}` }
    expect(await codeOf(byReference({ header: relative, payload, key: privateKey }, clientId))).toBe('read')
  })

  const attested = (claims: Members = {}, header: Members = {}) => {
    const jwk = createPublicKey(asking.keys.privateKey).export({ format: 'jwk' })
    const payload = {
      ...{ iss: 'https://attester.example', sub: 'verifier.example', exp: seconds(now) + 60, cnf: { jwk } },
      ...claims,
    }
    return signed({ typ: 'verifier-attestation+jwt', kid: 'a1', ...header }, payload, asking.attester.privateKey)
  }
  const byAttestation = (jwt: string, more: Members = {}, key = asking.keys.privateKey) => {
    const clientId = 'verifier_attestation:verifier.example'
    return byReference(
      { header: { typ, jwt }, payload: asking.parameters({ client_id: clientId, ...more }), key },
      clientId,
    )
  }

  it('is of whom a trusted attester vouches for (section 12)', async () => {
    const asked = await byAttestation(attested({ redirect_uris: [responseUri] }))
    expect(asked.client).toEqual({
      ...{ id: 'verifier_attestation:verifier.example', name: 'verifier.example', assurance: 'attestation' },
      vouchedBy: 'https://attester.example',
    })
    expect(await codeOf(byAttestation(attested({}, { kid: undefined })))).toBe('read')
  })

  it('is of an address, and unsigned (redirect_uri)', async () => {
    const clientId = `redirect_uri:${responseUri}`
    const { response_uri: _, client_metadata, dcql_query, ...rest } = asking.parameters() as Record<string, string>
    const json = { client_metadata: JSON.stringify(client_metadata), dcql_query: JSON.stringify(dcql_query) }
    const parameters = { ...rest, ...json, exp: '', client_id: clientId }
    const asked = await read({ link: link(parameters) })
    expect(asked).toMatchObject({ client: { id: clientId, assurance: 'address' }, responseUri, audience: clientId })
    const named = await read({ link: link({ ...parameters, response_uri: responseUri }) })
    expect(named.responseUri).toBe(responseUri)
    const other = link({ ...parameters, response_uri: 'https://elsewhere.example/r' })
    expect(await codeOf(read({ link: other }))).toBe('response_uri_mismatch')
  })

  it('is of a client that was registered, and of no other without a prefix (section 5.9.2)', async () => {
    const { client_metadata: _, ...payload } = asking.parameters({ client_id: 'known-client' })
    const key = asking.registered.privateKey
    expect((await byReference({ payload, key }, 'known-client')).client.assurance).toBe('registration')
    const elsewhere = { ...payload, response_uri: 'https://elsewhere.example/r' }
    expect(await codeOf(byReference({ payload: elsewhere, key }, 'known-client'))).toBe('response_uri_mismatch')
    expect(await codeOf(byReference({ payload, key: asking.keys.privateKey }, 'known-client'))).toBe(
      'request_signature',
    )
    const extra = asking.parameters({ client_id: 'known-client' })
    expect(await codeOf(byReference({ payload: extra, key }, 'known-client'))).toBe('client_metadata_unwanted')
    for (const clientId of ['other-client', 'https://verifier.example', 'did:web:verifier.example']) {
      const asked = asking.parameters({ client_id: clientId })
      expect(await codeOf(byReference({ payload: asked, key }, clientId))).toBe('client_id_unsupported')
    }
  })

  it('is of an entity of a federation, by the keys and addresses that its trust chain gives', async () => {
    const clientId = 'openid_federation:https://verifier.example'
    const jwk = { ...createPublicKey(asking.keys.privateKey).export({ format: 'jwk' }), kid: 'f1' }
    const payload = asking.parameters({ client_id: clientId, client_metadata: { vp_formats_supported: {} } })
    const request = { payload, key: asking.keys.privateKey }
    const federation = async () => ({
      metadata: { jwks: { keys: [jwk] }, response_uris: [responseUri] },
      anchor: 'https://anchor.example',
    })
    const asked = await byReference(request, clientId, { federation })
    expect(asked.client).toMatchObject({ assurance: 'federation', vouchedBy: 'https://anchor.example' })
    // What the request says of itself is not looked at.
    expect(asked.formats).toBeUndefined()
    expect(await codeOf(byReference(request, clientId))).toBe('client_id_unsupported')
    const unknown = async () => {
      throw new Refusal('rejected', 'trust_chain_missing', 'There is no chain.')
    }
    expect(await codeOf(byReference(request, clientId, { federation: unknown }))).toBe('trust_chain_missing')
  })

  it('is fetched by POST with a nonce of the wallet, where the verifier says so (section 5.10)', async () => {
    const request = byCertificate('x509_hash')
    const forms: Record<string, string>[] = []
    const answer = (walletNonce: (sent: string) => string | undefined) =>
      readPresentationRequest(
        { link: link({ client_id: request.clientId, request_uri: requestUri, request_uri_method: 'post' }) },
        readingOf(asking, (url, form = {}) => {
          expect(url).toBe(requestUri)
          forms.push(form)
          const wallet_nonce = walletNonce(form['wallet_nonce'] ?? '')
          return signed(request.header ?? {}, { ...request.payload, wallet_nonce }, request.key)
        }),
      )
    expect((await answer(sent => sent)).nonce).toBe(nonce)
    expect(forms[0]?.['wallet_nonce']).toMatch(/^[\w-]{32}$/)
    expect(JSON.parse(forms[0]?.['wallet_metadata'] ?? '')).toHaveProperty('vp_formats_supported')
    expect(await codeOf(answer(() => 'another'))).toBe('wallet_nonce_mismatch')
    expect(await codeOf(answer(() => undefined))).toBe('wallet_nonce_mismatch')
    expect(new Set(forms.map(form => form['wallet_nonce'])).size).toBe(forms.length)
  })

  it('may come signed in the link itself', async () => {
    const { clientId, header = {}, payload, key } = byCertificate('x509_hash')
    const asked = await read({ link: link({ client_id: clientId, request: signed(header, payload, key) }) })
    expect(asked.client.id).toBe(clientId)
  })

  it('names the key to encrypt the answer to, and how (section 8.3)', async () => {
    const request = byCertificate('x509_hash', asking.encrypted)
    const asked = await byReference(request, request.clientId)
    expect(asked).toMatchObject({ mode: 'direct_post.jwt', encryption: { enc: 'A256GCM' } })
    expect(asked.encryption?.jwk).toEqual(asking.encryption.publicJwk)
  })

  it('is refused, whoever asks, when its signature or what leads to it does not hold', async () => {
    const request = byCertificate('x509_san_dns')
    const { clientId, payload, key } = request
    const outcome = (changes: Partial<Request>, asked = clientId) =>
      codeOf(byReference({ ...request, ...changes }, asked))
    const withLeaf = (leaf: Uint8Array) => ({ typ, x5c: [base64(leaf)] })
    expect(await outcome({ key: newKeys().privateKey })).toBe('request_signature')
    expect(await outcome({ header: { typ } })).toBe('certificate_malformed')
    expect(await outcome({ header: withLeaf(asking.foreign) })).toBe('certificate_untrusted')
    expect(await outcome({ header: withLeaf(await asking.leafOf(asking.authority, ['other.example'])) })).toBe(
      'client_untrusted',
    )
    expect(await outcome({ header: withLeaf(await asking.leafOf(asking.authority, ['*.example'])) })).toBe(
      'client_untrusted',
    )
    const other = `x509_hash:${certificateHash(asking.foreign)}`
    expect(await outcome({ payload: { ...payload, client_id: other } }, other)).toBe('client_untrusted')
    const reading = readingOf(asking, () => signed(request.header ?? {}, { ...payload, exp: undefined }, key), {
      now: () => validity.notAfter + 1,
    })
    const late = readPresentationRequest({ link: link({ client_id: clientId, request_uri: requestUri }) }, reading)
    expect(await codeOf(late)).toBe('certificate_expired')
  })

  it('is refused of a DID that does not have the key, or cannot be resolved', async () => {
    const { did, verificationMethod, privateKey } = asking.holder
    const outcome = (name: string, kid: string, key = privateKey) => {
      const clientId = `decentralized_identifier:${name}`
      return codeOf(
        byReference({ header: { typ, kid }, payload: asking.parameters({ client_id: clientId }), key }, clientId),
      )
    }
    expect(await outcome(did, verificationMethod, asking.keys.privateKey)).toBe('request_signature')
    expect(await outcome(did, `${did}#other`)).toBe('client_untrusted')
    expect(await outcome(did, 'did:key:zOther#zOther')).toBe('client_untrusted')
    expect(await outcome('did:key:z6Mkbroken', 'did:key:z6Mkbroken#x')).toBe('client_untrusted')
    expect(await outcome('no-did', 'no-did#x')).toBe('client_untrusted')
    expect(await outcome(did, '')).toBe('client_untrusted')
  })

  it.each<[string, Members, Members]>([
    ['of nobody whom the wallet trusts', { iss: 'https://other.example' }, {}],
    ['of another verifier', { sub: 'other.example' }, {}],
    ['of the whole client identifier', { sub: 'verifier_attestation:verifier.example' }, {}],
    ['that has expired', { exp: seconds(now) - 1 }, {}],
    ['that never expires', { exp: undefined }, {}],
    ['from the future', { nbf: seconds(now) + 3_600 }, {}],
    ['without a key', { cnf: undefined }, {}],
    ['with another typ', {}, { typ: 'JWT' }],
    ['of an unknown kid', {}, { kid: 'a2' }],
    ['with addresses that are none', { redirect_uris: 'https://x' }, {}],
  ])('is refused with a verifier attestation %s', async (_, claims, header) => {
    expect(await codeOf(byAttestation(attested(claims, header)))).toBe('verifier_attestation')
  })

  it('is refused with an attestation that somebody else signed, is for another key, or lets answers go elsewhere', async () => {
    const forged = signed(
      { typ: 'verifier-attestation+jwt', kid: 'a1' },
      { iss: 'https://attester.example', sub: 'verifier.example', exp: seconds(now) + 60 },
      asking.keys.privateKey,
    )
    expect(await codeOf(byAttestation(forged))).toBe('verifier_attestation')
    expect(await codeOf(byAttestation(attested(), {}, newKeys().privateKey))).toBe('request_signature')
    const elsewhere = attested({ redirect_uris: ['https://verifier.example/other'] })
    expect(await codeOf(byAttestation(elsewhere))).toBe('response_uri_mismatch')
  })

  const refused: [string, Members, string][] = [
    ['of another client than the link', { client_id: 'x509_san_dns:other.example' }, 'request_client_mismatch'],
    ['without a client', { client_id: undefined }, 'presentation_request_malformed'],
    ['for another wallet', { aud: 'https://other-wallet.example' }, 'request_audience'],
    ['for nobody', { aud: undefined }, 'request_audience'],
    ['that has expired', { exp: seconds(now) - 1 }, 'request_expired'],
    ['that is not valid yet', { nbf: seconds(now) + 3_600 }, 'request_expired'],
    ['from the future', { iat: seconds(now) + 3_600 }, 'request_expired'],
    ['with a date that is none', { exp: 'tomorrow' }, 'presentation_request_malformed'],
    ['that leads to another', { request_uri: 'https://x.example' }, 'presentation_request_malformed'],
    ['that holds another', { request: 'ey' }, 'presentation_request_malformed'],
    ['of another response type', { response_type: 'code' }, 'unsupported_response_type'],
    ['with an id_token', { response_type: 'vp_token id_token' }, 'unsupported_response_type'],
    ['without a response mode', { response_mode: undefined }, 'response_mode_unsupported'],
    ['to be answered in a fragment', { response_mode: 'fragment' }, 'response_mode_unsupported'],
    ['to be answered to a page', { response_mode: 'dc_api' }, 'response_mode_unsupported'],
    ['without a nonce', { nonce: undefined }, 'nonce_missing'],
    ['with a nonce that a URL cannot carry', { nonce: 'a b' }, 'presentation_request_malformed'],
    ['with a state that a URL cannot carry', { state: 'ä' }, 'presentation_request_malformed'],
    ['with a redirect_uri beside', { redirect_uri: responseUri }, 'presentation_request_malformed'],
    ['without an address for the answer', { response_uri: undefined }, 'presentation_request_malformed'],
    ['with another host’s address', { response_uri: 'https://elsewhere.example/r' }, 'response_uri_mismatch'],
    ['with an address that is not https', { response_uri: `http://${host}/r` }, 'response_uri_forbidden'],
    ['with an address of a user', { response_uri: `https://u:p@${host}/r` }, 'response_uri_forbidden'],
    ['with a query and a scope', { scope: 'x' }, 'query_ambiguous'],
    ['with a scope alone', { scope: 'x', dcql_query: undefined }, 'invalid_scope'],
    ['without a query', { dcql_query: undefined }, 'presentation_request_malformed'],
    ['with a broken query', { dcql_query: { credentials: [] } }, 'dcql_malformed'],
    ['with a query in a string', { dcql_query: JSON.stringify(query) }, 'dcql_malformed'],
    [
      'for a credential without holder binding, without state',
      {
        dcql_query: {
          credentials: [{ id: 'a', format: 'dc+sd-jwt', meta: {}, require_cryptographic_holder_binding: false }],
        },
        state: undefined,
      },
      'state_missing',
    ],
    [
      'of formats it does not support',
      { client_metadata: { vp_formats_supported: { ldp_vc: {} } } },
      'vp_formats_not_supported',
    ],
    ['with formats that are none', { client_metadata: { vp_formats_supported: [] } }, 'presentation_request_malformed'],
    ['with metadata that are none', { client_metadata: 'x' }, 'presentation_request_malformed'],
    ['to be encrypted to no key', { response_mode: 'direct_post.jwt' }, 'encryption_key_missing'],
    [
      'to be encrypted in a way that is not known',
      {
        response_mode: 'direct_post.jwt',
        client_metadata: { encrypted_response_enc_values_supported: ['A128CBC-HS256'] },
      },
      'encryption_refused',
    ],
    [
      'with a list of encryptions that is none',
      { response_mode: 'direct_post.jwt', client_metadata: { encrypted_response_enc_values_supported: [] } },
      'presentation_request_malformed',
    ],
  ]
  it.each(refused)('is refused %s', async (_, changes, code) => {
    const request = byCertificate('x509_san_dns', changes)
    expect(await codeOf(byReference(request, request.clientId))).toBe(code)
  })

  it.each(['JWT', 'oauth-authz-req', 'application/jwt', undefined])('is refused with the typ %s', async wrong => {
    const request = byCertificate('x509_san_dns')
    const header = { ...request.header, typ: wrong }
    expect(await codeOf(byReference({ ...request, header }, request.clientId))).toBe('request_type')
  })

  it('is refused unsigned where the prefix needs a signature, and signed where it cannot have one', async () => {
    const unsigned = link({ client_id: `x509_san_dns:${host}`, response_type: 'vp_token', nonce })
    expect(await codeOf(read({ link: unsigned }))).toBe('request_unsigned')
    expect(await codeOf(read({ link: link({ client_id: 'some-client', nonce }) }))).toBe('request_unsigned')
    const clientId = `redirect_uri:${responseUri}`
    const request = { payload: asking.parameters({ client_id: clientId }), key: asking.keys.privateKey }
    expect(await codeOf(byReference(request, clientId))).toBe('request_signed')
    const none = `${Buffer.from(JSON.stringify({ alg: 'none', typ })).toString('base64url')}.e30.`
    expect(await codeOf(read({ link: link({ client_id: `x509_san_dns:${host}`, request: none }) }))).toBe(
      'algorithm_refused',
    )
    const origin = {
      payload: asking.parameters({ client_id: 'origin:https://a.example' }),
      key: asking.keys.privateKey,
    }
    expect(await codeOf(byReference(origin, 'origin:https://a.example'))).toBe('client_id_unsupported')
  })

  const base = { client_id: 'x509_san_dns:verifier.example' }
  it.each<[string, string, string]>([
    ['of another scheme', `mailto:x?client_id=a`, 'presentation_request_malformed'],
    ['without parameters', 'openid4vp://authorize', 'presentation_request_malformed'],
    ['without a client', link({ request_uri: requestUri }), 'presentation_request_malformed'],
    ['with one parameter twice', `${link(base)}&client_id=b`, 'presentation_request_malformed'],
    [
      'with the request twice',
      link({ ...base, request: 'ey', request_uri: requestUri }),
      'presentation_request_malformed',
    ],
    ['with a method and no address', link({ ...base, request_uri_method: 'get' }), 'presentation_request_malformed'],
    [
      'with another method',
      link({ ...base, request_uri: requestUri, request_uri_method: 'POST' }),
      'invalid_request_uri_method',
    ],
    ['with an address that is not https', link({ ...base, request_uri: 'http://x.example' }), 'request_uri_forbidden'],
    ['with an address of a user', link({ ...base, request_uri: 'https://u@x.example' }), 'request_uri_forbidden'],
    [
      'with a query that is not JSON',
      link({ client_id: `redirect_uri:${responseUri}`, dcql_query: '{' }),
      'presentation_request_malformed',
    ],
    ['that is too long', link({ ...base, x: 'x'.repeat(70_000) }), 'presentation_request_malformed'],
  ])('is refused in a link %s', async (_, text, code) => {
    expect(await codeOf(read({ link: text }))).toBe(code)
  })

  it('keeps to HAIP 1.0 (section 5) where it comes by haip-vp', async () => {
    const request = byCertificate('x509_hash', asking.encrypted)
    const haip = (asked: Request & { clientId: string }, leaf = asked.header) =>
      read(
        { link: link({ client_id: asked.clientId, request_uri: requestUri }, 'haip-vp') },
        signed({ ...leaf }, asked.payload, asked.key),
      )
    expect(await haip(request)).toMatchObject({ haip: true, mode: 'direct_post.jwt' })
    expect(await codeOf(haip(byCertificate('x509_hash')))).toBe('response_mode_unsupported')
    expect(await codeOf(haip(byCertificate('x509_san_dns', asking.encrypted)))).toBe('client_id_unsupported')
    const whole = { typ, x5c: [asking.leaf, asking.authority.certificate].map(base64) }
    expect(await codeOf(haip(request, whole))).toBe('certificate_untrusted')
    const object = signed(request.header ?? {}, request.payload, request.key)
    const inline = read({ link: link({ client_id: request.clientId, request: object }, 'haip-vp') })
    expect(await codeOf(inline)).toBe('request_unreferenced')
  })
})

describe('transaction data of a request (OpenID4VP 1.0, sections 5.1 and 8.5)', () => {
  const encoded = (item: unknown) => Buffer.from(JSON.stringify(item)).toString('base64url')
  const confirmation = {
    type: 'urn:chancery:transaction-data:confirmation:1',
    credential_ids: ['id'],
    text: 'Pay 5 XNC',
  }
  const outcome = async (items: unknown, more: Members = {}) => {
    const request = byCertificate('x509_hash', { transaction_data: items, ...more })
    return byReference(request, request.clientId)
  }

  it('is read for the holder to see', async () => {
    const item = encoded({ ...confirmation, transaction_data_hashes_alg: ['sha-512', 'sha-256'] })
    expect((await outcome([item])).transactions).toEqual([
      {
        ...{ encoded: item, type: confirmation.type, credentialIds: ['id'], namesAlgorithm: true },
        content: { text: 'Pay 5 XNC' },
      },
    ])
  })

  it.each<[string, unknown]>([
    ['that is empty', []],
    ['that is no list', encoded(confirmation)],
    ['that is not encoded', [confirmation]],
    ['that is no object', [encoded('x')]],
    ['of an unknown type', [encoded({ ...confirmation, type: 'urn:other' })]],
    ['of no type', [encoded({ ...confirmation, type: undefined })]],
    ['of which one is unknown', [encoded(confirmation), encoded({ ...confirmation, type: 'urn:other' })]],
    ['with a member that the type does not know', [encoded({ ...confirmation, colour: 'red' })]],
    ['without a member that the type has', [encoded({ ...confirmation, text: undefined })]],
    ['with a member of another kind', [encoded({ ...confirmation, text: 5 })]],
    ['for no credential', [encoded({ ...confirmation, credential_ids: [] })]],
    ['for a credential that is not asked for', [encoded({ ...confirmation, credential_ids: ['other'] })]],
    ['by another hash alone', [encoded({ ...confirmation, transaction_data_hashes_alg: ['sha-512'] })]],
    ['that is too long', [encoded({ ...confirmation, text: 'x'.repeat(9_000) })]],
    ['of too many', Array.from({ length: 9 }, () => encoded(confirmation))],
  ])('is refused %s', async (_, items) => {
    expect(await codeOf(outcome(items))).toBe('invalid_transaction_data')
  })

  it('is refused for a credential without its holder’s key, and for formats that cannot sign for it', async () => {
    const of = (credential: Members) => ({ dcql_query: { credentials: [{ id: 'id', meta: {}, ...credential }] } })
    const bearer = of({ format: 'dc+sd-jwt', require_cryptographic_holder_binding: false })
    expect(await codeOf(outcome([encoded(confirmation)], bearer))).toBe('invalid_transaction_data')
    const document = { ...of({ format: 'ldp_vc' }), client_metadata: {} }
    expect(await codeOf(outcome([encoded(confirmation)], document))).toBe('invalid_transaction_data')
  })
})

describe('a request over the Digital Credentials API (OpenID4VP 1.0, appendix A)', () => {
  const origin = 'https://shop.example'
  const digital = (more: Members = {}) =>
    asking.parameters({ response_mode: 'dc_api', state: undefined, response_uri: undefined, ...more })
  const unsigned = (data: Members, from = origin) => read({ origin: from, protocol: 'openid4vp-v1-unsigned', data })
  const byHash = (more: Members = {}) => {
    const { clientId, header = {}, key } = byCertificate('x509_hash')
    return { header, key, payload: digital({ client_id: clientId, expected_origins: [origin], ...more }) }
  }
  const single = ({ header, payload, key }: ReturnType<typeof byHash>) =>
    read({ origin, protocol: 'openid4vp-v1-signed', data: { request: signed(header, payload, key) } })

  it('is unsigned of the page that asks, whoever it says that it is (appendix A.3.1)', async () => {
    const asked = await unsigned(
      digital({ client_id: 'x509_san_dns:bank.example', expected_origins: ['https://other'] }),
    )
    expect(asked).toMatchObject({
      client: { id: `origin:${origin}`, name: origin, assurance: 'origin' },
      ...{ origin, audience: `origin:${origin}`, mode: 'dc_api' },
    })
    expect(asked).not.toHaveProperty('responseUri')
  })

  it('is signed of whom it names, and for the page alone (appendix A.3.2.1)', async () => {
    const asked = await single(byHash())
    expect(asked).toMatchObject({ client: { assurance: 'certificate' }, audience: `origin:${origin}`, origin })
  })

  it('is signed by several, of whom the first counts whom the wallet knows (appendix A.3.2.2)', async () => {
    const { payload, header, key } = byHash()
    const { client_id: clientId, ...rest } = payload
    const body = Buffer.from(JSON.stringify(rest)).toString('base64url')
    const by = (head: Members, by_ = key) => {
      const [protected_, ,] = signed({ ...head, typ }, {}, by_).split('.')
      const [, , signature] = signed({ ...head, typ }, rest, by_).split('.')
      return { protected: protected_, signature }
    }
    const known = by({ ...header, client_id: clientId })
    const stranger = by({ x5c: [base64(asking.foreign)], client_id: `x509_hash:${certificateHash(asking.foreign)}` })
    const several = (signatures: unknown[], payload_: string = body) =>
      read({ origin, protocol: 'openid4vp-v1-multisigned', data: { request: { payload: payload_, signatures } } })
    expect((await several([stranger, known])).client.id).toBe(clientId)
    expect(await codeOf(several([stranger]))).toBe('certificate_untrusted')
    expect(await codeOf(several([]))).toBe('presentation_request_malformed')
    expect(await codeOf(several([{ ...known, header: {} }]))).toBe('presentation_request_malformed')
    const inside = signed({ ...header, client_id: clientId }, payload, key).split('.')
    const misplaced = { protected: inside[0], signature: inside[2] }
    expect(await codeOf(several([misplaced], inside[1]))).toBe('presentation_request_malformed')
  })

  it.each<[string, Members, string]>([
    ['of another page', { expected_origins: ['https://other.example'] }, 'origin_mismatch'],
    ['of the same page with a slash', { expected_origins: [`${origin}/`] }, 'origin_mismatch'],
    ['of no page', { expected_origins: [] }, 'presentation_request_malformed'],
    ['that names no page', { expected_origins: undefined }, 'presentation_request_malformed'],
    ['to be answered elsewhere', { response_mode: 'direct_post' }, 'response_mode_unsupported'],
    ['without a nonce', { nonce: undefined }, 'nonce_missing'],
  ])('is refused signed %s', async (_, changes, code) => {
    expect(await codeOf(single(byHash(changes)))).toBe(code)
  })

  it('is encrypted to the key of the request (dc_api.jwt)', async () => {
    const asked = await unsigned(digital({ ...asking.encrypted, response_mode: 'dc_api.jwt' }))
    expect(asked.encryption?.enc).toBe('A256GCM')
  })

  it.each([
    'http://shop.example',
    'javascript:alert(1)',
    'data:x',
    'ws://shop.example',
    'https://a.example/path',
    'origin:x',
  ])('is refused of a page at %s', async from => {
    expect(await codeOf(unsigned(digital(), from))).toBe('presentation_request_malformed')
  })

  it('is refused in protocols that are not spoken here', async () => {
    const asked = (protocol: string, data: unknown = digital()) => codeOf(read({ origin, protocol, data }))
    expect(await asked('openid4vp')).toBe('protocol_unsupported')
    expect(await asked('openid4vp-v2-unsigned')).toBe('protocol_unsupported')
    expect(await asked('openid4vp-v1-unsigned', 'x')).toBe('presentation_request_malformed')
    expect(await asked('openid4vp-v1-signed', { request: {} })).toBe('presentation_request_malformed')
  })
})
