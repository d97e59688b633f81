import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { publicKeyFromJwk } from '../../../../src/identity/key-material.ts'
import { readAuthorizationResponse } from '../../../../src/identity/openid/vci/wallet-authorize.ts'
import { newOwnKey, sealAttestationProof, sealDpop } from '../../../../src/identity/openid/vci/wallet-keys.ts'
import { readIssuerMetadata } from '../../../../src/identity/openid/vci/wallet-metadata.ts'
import { readOffer, readOfferLink } from '../../../../src/identity/openid/vci/wallet-offer.ts'
import { planProof, sealProofs } from '../../../../src/identity/openid/vci/wallet-proofs.ts'
import {
  sealKeyAttestation,
  sealWalletAttestation,
  type WalletProvider,
} from '../../../../src/identity/openid/vci/wallet-provider.ts'
import { serverMetadataUrl, wellKnown } from '../../../../src/identity/openid/vci/wallet-reading.ts'
import { readServerMetadata } from '../../../../src/identity/openid/vci/wallet-server.ts'
import { type MetadataTrust, openSignedMetadata } from '../../../../src/identity/openid/vci/wallet-signed-metadata.ts'
import { certificatesOfX5c, readCertificate } from '../../../../src/identity/x509/certificate.ts'
import { isRefusal } from '../../../../src/kernel/refusal.ts'

type Body = Record<string, unknown>

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as Body
const published = read('wallet-published.json') as {
  offers: Record<'authorizationCode' | 'byReference' | 'multiple' | 'preAuthorized', Body>
  links: { byValue: string; byReference: string }
  issuerMetadata: Body
}
const issuer = 'https://credential-issuer.example.com'
const preAuthorized = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (!isRefusal(error)) throw error
    return error.code
  }
  return 'none'
}

const codeOfAsync = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return 'none'
  if (!isRefusal(error)) throw error
  return error.code
}

describe('credential offers (OpenID4VCI 1.0, section 4.1)', () => {
  test('the published offers are read', () => {
    expect(readOffer(published.offers.authorizationCode)).toMatchObject({
      issuer,
      authorizationCode: { issuerState: expect.any(String) },
    })
    expect(readOffer(published.offers.byReference)).toMatchObject({
      preAuthorized: { txCode: { inputMode: 'numeric' } },
    })
    expect(readOffer(published.offers.multiple)).toMatchObject({
      configurationIds: ['UniversityDegreeCredential', 'org.iso.18013.5.1.mDL'],
      preAuthorized: { txCode: { inputMode: 'numeric', length: 4 } },
    })
    expect(readOffer(published.offers.preAuthorized).preAuthorized?.txCode?.length).toBeUndefined()
  })

  test('the published links are read, by value and by reference', () => {
    expect(readOfferLink(published.links.byValue)).toMatchObject({
      offer: { issuer, preAuthorized: { txCode: { inputMode: 'text' } } },
    })
    expect(readOfferLink(published.links.byReference)).toEqual({
      reference: 'https://server.example.com/credential-offer/GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM',
    })
    expect(readOfferLink(published.links.byReference.replace('openid-credential-offer', 'haip-vci'))).toHaveProperty(
      'reference',
    )
  })

  const sound = published.offers.preAuthorized
  const grant = (members: Body): Body => ({ ...sound, grants: { [preAuthorized]: members } })
  const bad: [string, unknown, string][] = [
    ['is no object', [], 'offer_malformed'],
    ['names no issuer', { ...sound, credential_issuer: undefined }, 'offer_malformed'],
    ['names an issuer with a query', { ...sound, credential_issuer: `${issuer}?a=b` }, 'offer_malformed'],
    ['names an issuer with a fragment', { ...sound, credential_issuer: `${issuer}#a` }, 'offer_malformed'],
    [
      'names an issuer with a password',
      { ...sound, credential_issuer: 'https://a:b@issuer.example' },
      'offer_malformed',
    ],
    ['names a file as issuer', { ...sound, credential_issuer: 'file:///etc/passwd' }, 'offer_malformed'],
    ['offers nothing', { ...sound, credential_configuration_ids: [] }, 'offer_malformed'],
    ['offers one thing twice', { ...sound, credential_configuration_ids: ['a', 'a'] }, 'offer_malformed'],
    [
      'offers too much',
      { ...sound, credential_configuration_ids: Array.from({ length: 21 }, (_, at) => `${at}`) },
      'offer_malformed',
    ],
    ['has grants that are no object', { ...sound, grants: [] }, 'offer_malformed'],
    ['has only grants that are unknown', { ...sound, grants: { 'urn:other': {} } }, 'grant_unsupported'],
    ['has no pre-authorised code', grant({}), 'offer_malformed'],
    ['has a tx_code that is no object', grant({ 'pre-authorized_code': 'a', tx_code: true }), 'offer_malformed'],
    [
      'has a tx_code of an unknown mode',
      grant({ 'pre-authorized_code': 'a', tx_code: { input_mode: 'face' } }),
      'offer_malformed',
    ],
    ['has a tx_code of no length', grant({ 'pre-authorized_code': 'a', tx_code: { length: 0 } }), 'offer_malformed'],
    [
      'names a server that is no URL',
      grant({ 'pre-authorized_code': 'a', authorization_server: 'here' }),
      'offer_malformed',
    ],
  ]
  test.each(bad)('an offer that %s is refused', (_what, value, code) => {
    expect(codeOf(() => readOffer(value))).toBe(code)
  })

  const links: [string, string][] = [
    ['is no link', 'hello'],
    ['is of another scheme', `openid4vp://?credential_offer=${encodeURIComponent(JSON.stringify(sound))}`],
    ['has no offer', 'openid-credential-offer://?'],
    ['has an offer by value and by reference', `${published.links.byReference}&credential_offer=%7B%7D`],
    ['has two offers', `${published.links.byReference}&credential_offer_uri=https%3A%2F%2Fother.example`],
    ['refers to a script', 'openid-credential-offer://?credential_offer_uri=javascript%3Aalert(1)'],
    ['holds no JSON', 'openid-credential-offer://?credential_offer=%7B'],
    ['is too long', `openid-credential-offer://?credential_offer=${'x'.repeat(20_000)}`],
  ]
  test.each(links)('a link that %s is refused', (_what, link) => {
    expect(codeOf(() => readOfferLink(link))).toBe('offer_malformed')
  })

  test('whatever is handed in is read or refused by name', () => {
    const near = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map(text => `openid-credential-offer://?credential_offer=${encodeURIComponent(text)}`),
    )
    fc.assert(
      fc.property(near, text =>
        ['none', 'offer_malformed', 'grant_unsupported'].includes(codeOf(() => readOfferLink(text))),
      ),
    )
  })

  test('an offer by value is read as it was written', () => {
    const offers = fc.record({
      credential_issuer: fc.constant(issuer),
      credential_configuration_ids: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 40 }), {
        minLength: 1,
        maxLength: 20,
      }),
      grants: fc.record({
        [preAuthorized]: fc.record({ 'pre-authorized_code': fc.string({ minLength: 1, maxLength: 100 }) }),
      }),
    })
    fc.assert(
      fc.property(offers, offer => {
        const link = `openid-credential-offer://?credential_offer=${encodeURIComponent(JSON.stringify(offer))}`
        expect(readOfferLink(link)).toEqual({
          offer: {
            ...{ issuer, configurationIds: offer.credential_configuration_ids },
            preAuthorized: { code: offer.grants[preAuthorized]?.['pre-authorized_code'] },
          },
        })
      }),
    )
  })
})

describe('metadata (sections 12.2 and 12.3)', () => {
  const id = 'SD_JWT_VC_example_in_OpenID4VCI'

  test('the published issuer metadata are read', () => {
    const facts = readIssuerMetadata(published.issuerMetadata, issuer, [id])
    expect(facts).toMatchObject({
      ...{ issuer, servers: ['https://server.example.com'], namesServers: true, batchSize: 10 },
      nonceEndpoint: `${issuer}/nonce`,
      requestEncryption: { enc: 'A128GCM', required: true, jwk: { kid: 'ac' } },
      responseEncryption: { enc: 'A128GCM', required: true },
      configurations: [
        {
          id,
          format: 'dc+sd-jwt',
          bindings: ['jwk'],
          proofs: { jwt: { algorithms: ['ES256'], attestation: { keyStorage: ['iso_18045_moderate'] } } },
        },
      ],
    })
  })

  test('well-known names stand between host and path (section 12.2.2; RFC 8414, section 3.1)', () => {
    expect(wellKnown('https://issuer.example.com/tenant', 'openid-credential-issuer')).toBe(
      'https://issuer.example.com/.well-known/openid-credential-issuer/tenant',
    )
    expect(wellKnown('https://tenant.issuer.example.com', 'openid-credential-issuer')).toBe(
      'https://tenant.issuer.example.com/.well-known/openid-credential-issuer',
    )
    const place = 'https://server.example.com/.well-known/oauth-authorization-server'
    expect(serverMetadataUrl('https://server.example.com/tenant/')).toBe(`${place}/tenant`)
    expect(serverMetadataUrl('https://server.example.com/tenant')).toBe(`${place}/tenant`)
    expect(serverMetadataUrl('https://server.example.com/')).toBe(place)
  })

  const lies: [string, Body, string][] = [
    ['are compared without normalisation', { credential_issuer: `${issuer}/` }, 'issuer_metadata_refused'],
    ['have no list of servers', { authorization_servers: [] }, 'issuer_metadata_refused'],
    [
      'name a server with a query',
      { authorization_servers: ['https://server.example.com?x=1'] },
      'issuer_metadata_refused',
    ],
    ['describe nothing', { credential_configurations_supported: undefined }, 'issuer_metadata_refused'],
    ['have a batch of no size', { batch_credential_issuance: { batch_size: 0 } }, 'issuer_metadata_refused'],
    ['have an inherited configuration', { credential_configurations_supported: {} }, 'configuration_unknown'],
    [
      'take encryption by unknown algorithms only',
      {
        credential_response_encryption: {
          alg_values_supported: ['RSA-OAEP'],
          enc_values_supported: ['A128GCM'],
          encryption_required: true,
        },
      },
      'issuer_metadata_refused',
    ],
  ]
  test.each(lies)('metadata that %s are refused', (_what, change, code) => {
    const wanted = change['credential_configurations_supported'] === undefined ? id : 'constructor'
    expect(codeOf(() => readIssuerMetadata({ ...published.issuerMetadata, ...change }, issuer, [wanted]))).toBe(code)
  })

  const server = { issuer: 'https://server.example.com', token_endpoint: 'https://server.example.com/token' }
  test('an authorization server is who it says it is, and what it does not list is not believed', () => {
    expect(readServerMetadata(server, server.issuer)).toMatchObject({
      dpop: false,
      anonymous: false,
      saysWho: false,
      attestation: 'unknown',
    })
    expect(codeOf(() => readServerMetadata(server, `${server.issuer}/`))).toBe('server_metadata_refused')
    const bound = {
      ...server,
      dpop_signing_alg_values_supported: ['EdDSA'],
      token_endpoint_auth_methods_supported: ['none', 'attest_jwt_client_auth'],
    }
    expect(readServerMetadata(bound, server.issuer)).toMatchObject({ dpop: false, attestation: 'taken' })
  })

  test('steps of a claim’s path that are no steps are not shown', () => {
    const { credential_configurations_supported: supported } = published.issuerMetadata as {
      credential_configurations_supported: Record<string, Record<string, unknown>>
    }
    const claims = [{ path: ['address', { toString: 1 }, 0, null] }]
    const changed = { [id]: { ...supported[id], credential_metadata: { claims } } }
    const metadata = { ...published.issuerMetadata, credential_configurations_supported: changed }
    expect(readIssuerMetadata(metadata, issuer, [id]).configurations[0]?.claims).toEqual(['address.0.*'])
  })
})

describe('signed metadata (section 12.2.3)', () => {
  const { signedMetadata } = read('published.json') as { signedMetadata: string }
  const at = 1_516_239_022_000
  const [, example = ''] = signedMetadata.split('.')
  const trusting = (change: Partial<MetadataTrust> = {}): MetadataTrust => ({
    clock: { now: () => at },
    dids: {
      key: () => {
        throw new Error('no DID is asked')
      },
      subjectOf: did => did,
    },
    speaksFor: async () => false,
    certified: async x5c => {
      const leaf = readCertificate(certificatesOfX5c(x5c)[0] ?? new Uint8Array())
      return { key: publicKeyFromJwk(leaf.publicKey.export({ format: 'jwk' })), name: 'credential-issuer.example.com' }
    },
    ...change,
  })

  test('the published metadata hold by the key of their certificate', async () => {
    const { metadata, signedBy } = await openSignedMetadata(signedMetadata, issuer, trusting())
    expect(signedBy).toBe('credential-issuer.example.com')
    expect(metadata).toMatchObject({ credential_issuer: issuer })
    expect(metadata).not.toHaveProperty('iat')
  })

  const forged: [string, string, string, Partial<MetadataTrust>][] = [
    ['about another issuer', signedMetadata, 'https://other.example.com', {}],
    ['of the future', signedMetadata, issuer, { clock: { now: () => at - 3_600_000 } }],
    ['by an authority that nobody knows', signedMetadata, issuer, { certified: undefined }],
    [
      'by another key',
      signedMetadata,
      issuer,
      {
        certified: async () => ({
          key: publicKeyFromJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })),
          name: 'x',
        }),
      },
    ],
    [
      'that were changed',
      signedMetadata.replace(
        example,
        Buffer.from(JSON.stringify({ sub: issuer, iat: 1_516_239_022 })).toString('base64url'),
      ),
      issuer,
      {},
    ],
    [
      'that are not signed',
      `${Buffer.from('{"alg":"none","typ":"openidvci-issuer-metadata+jwt"}').toString('base64url')}.${example}.`,
      issuer,
      {},
    ],
    ['that are no JWT', 'nothing', issuer, {}],
  ]
  test.each(forged)('metadata %s are refused', async (_what, jwt, asked, change) => {
    expect(await codeOfAsync(openSignedMetadata(jwt, asked, trusting(change)))).toBe('metadata_signature_refused')
  })
})

describe('authorisation responses (RFC 9207)', () => {
  const pending = { state: 'the-state', codeVerifier: 'v', redirectUri: 'https://wallet.example/cb' }
  const server = { issuer: 'https://server.example.com', saysWho: true }
  const good = { state: 'the-state', iss: server.issuer, code: 'code-1' }
  const judge = (members: string[][] | Record<string, string>) => () =>
    readAuthorizationResponse(new URLSearchParams(members as never), pending, server)

  test('the code of the request that was made, from the server that was asked, counts', () => {
    expect(judge(good)()).toBe('code-1')
  })

  const bad: [string, string[][] | Record<string, string>, string][] = [
    ['no state', { iss: good.iss, code: good.code }, 'authorization_response_mismatch'],
    ['another state', { ...good, state: 'other' }, 'authorization_response_mismatch'],
    ['two states', [...Object.entries(good), ['state', 'the-state']], 'authorization_response_mismatch'],
    ['two codes', [...Object.entries(good), ['code', 'code-2']], 'authorization_response_mismatch'],
    ['another issuer', { ...good, iss: 'https://evil.example' }, 'authorization_response_mismatch'],
    ['no issuer', { state: good.state, code: good.code }, 'authorization_response_mismatch'],
    ['no code', { state: good.state, iss: good.iss }, 'authorization_response_mismatch'],
    ['an error', { state: good.state, iss: good.iss, error: 'access_denied' }, 'authorization_denied'],
    [
      'an error of somebody else',
      { state: good.state, iss: 'https://evil.example', error: 'access_denied' },
      'authorization_response_mismatch',
    ],
  ]
  test.each(bad)('an answer with %s is refused', (_what, members, code) => {
    expect(codeOf(judge(members))).toBe(code)
  })
})

const partsOf = (jwt: string) => {
  const [header = '', payload = ''] = jwt.split('.').map(part => Buffer.from(part, 'base64url').toString())
  return { header: JSON.parse(header) as Body, payload: JSON.parse(payload) as Body }
}

describe('proofs and attestations (appendices D to F)', () => {
  const now = 1_700_000_000_000
  const provided = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const provider: WalletProvider = {
    ...{ issuer: 'https://wallet.example', name: 'Wallet', keyStorage: ['iso_18045_basic'] },
    key: async () => ({ x5c: ['MIIB'], keyId: 'attester', algorithm: 'ES256', expires: now + 1e9 }),
    signer: {
      sign: async (_id, _algorithm, data) => {
        const { sign } = await import('node:crypto')
        return sign('sha256', data, { key: provided.privateKey, dsaEncoding: 'ieee-p1363' })
      },
    },
  }
  const configuration = (proofs: Body, bindings = ['did:key', 'jwk'], format = 'dc+sd-jwt') =>
    ({ ...{ id: 'a', format, display: [], claims: [] }, bindings, proofs }) as unknown as Parameters<
      typeof planProof
    >[0]
  const jwt = { algorithms: ['ES256'] }
  const attested = { ...jwt, attestation: {} }

  const plans: [string, Parameters<typeof planProof>[0], string | undefined, Body | string][] = [
    [
      'a signature where it is enough',
      configuration({ jwt, attestation: attested }),
      'ES256',
      { type: 'jwt', attested: false, binding: 'did:key' },
    ],
    [
      'a signature with an attestation where that is asked',
      configuration({ jwt: attested }),
      'ES256',
      { type: 'jwt', attested: true },
    ],
    [
      'an attestation alone where nothing else is taken',
      configuration({ attestation: attested }),
      'ES256',
      { type: 'attestation', attested: true },
    ],
    ['a bare key for an mdoc', configuration({ jwt }, ['cose_key'], 'mso_mdoc'), undefined, { binding: 'jwk' }],
    ['nothing where nobody attests', configuration({ jwt: attested }), undefined, 'key_attestation_unavailable'],
    [
      'nothing where the attester has another algorithm',
      configuration({ attestation: attested }),
      'ES384',
      'key_attestation_unavailable',
    ],
    ['nothing for a foreign binding', configuration({ jwt }, ['did:example']), 'ES256', 'configuration_unsupported'],
    ['nothing without a binding', configuration({ jwt }, []), 'ES256', 'configuration_unsupported'],
    [
      'nothing for an unknown algorithm',
      configuration({ jwt: { algorithms: ['EdDSA'] } }),
      'ES256',
      'configuration_unsupported',
    ],
  ]
  test.each(plans)('the wallet proves by %s', (_what, of, attester, expected) => {
    if (typeof expected === 'string') expect(codeOf(() => planProof(of, attester))).toBe(expected)
    else expect(planProof(of, attester)).toMatchObject(expected)
  })

  test('one attestation covers all keys of a request, in the header of one proof or alone', async () => {
    const keys = await Promise.all([newOwnKey(), newOwnKey()])
    const bound = keys.map((key, at) => ({ ...key, did: `did:key:z${at}` })) as [never, never]
    const asked = { audience: issuer, nonce: 'n-1', clientId: 'https://wallet.example/wallet' }
    const inHeader = await sealProofs(bound, { binding: 'jwk', type: 'jwt', attested: true }, asked, provider, now)
    const [proof = ''] = (inHeader as { jwt: string[] }).jwt
    expect((inHeader as { jwt: string[] }).jwt).toHaveLength(1)
    const { header, payload } = partsOf(proof)
    expect(header).toMatchObject({ typ: 'openid4vci-proof+jwt', alg: 'ES256', jwk: keys[0]?.publicJwk })
    expect(header).not.toHaveProperty('kid')
    expect(payload).toEqual({ iss: asked.clientId, aud: issuer, iat: 1_700_000_000, nonce: 'n-1' })
    const attestation = partsOf(String(header['key_attestation']))
    expect(attestation.header).toEqual({ typ: 'key-attestation+jwt', alg: 'ES256', x5c: ['MIIB'] })
    expect(attestation.payload).toMatchObject({
      attested_keys: keys.map(({ publicJwk }) => publicJwk),
      nonce: 'n-1',
      key_storage: ['iso_18045_basic'],
    })
    expect(JSON.stringify(attestation.payload)).not.toContain('"d"')
    expect(Number(attestation.payload['exp'])).toBeGreaterThan(1_700_000_000)
    const alone = await sealProofs(bound, { binding: 'jwk', type: 'attestation', attested: true }, asked, provider, now)
    expect((alone as { attestation: string[] }).attestation).toHaveLength(1)
    const plain = await sealProofs(
      bound,
      { binding: 'did:key', type: 'jwt', attested: false },
      { audience: issuer },
      undefined,
      now,
    )
    expect((plain as { jwt: string[] }).jwt.map(each => partsOf(each).header['kid'])).toEqual([
      'did:key:z0#z0',
      'did:key:z1#z1',
    ])
    expect(partsOf((plain as { jwt: string[] }).jwt[0] ?? '').payload).toEqual({ aud: issuer, iat: 1_700_000_000 })
  })

  test('a wallet attestation says the same for every wallet but the key, which proves itself (appendix E)', async () => {
    const [one, other] = await Promise.all([newOwnKey(), newOwnKey()])
    const clientId = 'https://wallet.example/wallet'
    const of = async (key: typeof one) =>
      partsOf(await sealWalletAttestation(provider, { clientId, jwk: key.publicJwk }, now))
    const [first, second] = [await of(one), await of(other)]
    expect(first.header).toEqual({ typ: 'oauth-client-attestation+jwt', alg: 'ES256', x5c: ['MIIB'] })
    expect({ ...first.payload, cnf: undefined }).toEqual({ ...second.payload, cnf: undefined })
    expect(first.payload).toMatchObject({
      iss: 'https://wallet.example',
      sub: clientId,
      wallet_name: 'Wallet',
      cnf: { jwk: one.publicJwk },
    })
    const proof = await sealAttestationProof(one, { clientId, server: 'https://server.example', challenge: 'c-1' }, now)
    expect(partsOf(proof)).toMatchObject({
      header: { typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' },
      payload: {
        iss: clientId,
        aud: 'https://server.example',
        challenge: 'c-1',
        jti: expect.any(String),
        iat: 1_700_000_000,
      },
    })
    const [head, body, signature = ''] = proof.split('.')
    const key = { key: createPublicKey({ key: one.publicJwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' as const }
    expect(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))).toBe(true)
  })

  test('a DPoP proof names the URL without its query, and the token by its digest (RFC 9449, section 4.2)', async () => {
    const key = await newOwnKey()
    const call = {
      url: 'https://server.example/credential?a=b',
      accessToken: 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU',
      nonce: 'n',
    }
    const { header, payload } = partsOf(await sealDpop(key, call, now))
    expect(header).toEqual({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk })
    // The digest of RFC 9449, section 7.1.
    expect(payload).toMatchObject({
      htm: 'POST',
      htu: 'https://server.example/credential',
      nonce: 'n',
      ath: 'fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo',
    })
  })

  test('a key attestation without a nonce has none', async () => {
    const { publicJwk } = await newOwnKey()
    expect(partsOf(await sealKeyAttestation(provider, { keys: [publicJwk] }, now)).payload).not.toHaveProperty('nonce')
  })
})
