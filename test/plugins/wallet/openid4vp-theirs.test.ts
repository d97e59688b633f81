import { createHash, createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CallbackContext, type Jwk, setGlobalConfig } from '@openid4vc/oauth2'
import { Openid4vpVerifier } from '@openid4vc/openid4vp'
import { SDJwtInstance } from '@sd-jwt/core'
import { DcqlPresentationResult, DcqlQuery } from 'dcql'
import { compactDecrypt, importJWK } from 'jose'
import { newEncryptionKey } from '../../../src/identity/openid/jwe.ts'
import { newSigner } from '../../identity/integrity/signers.ts'
import { citizenAt, movableClock, openNation, openOffice, verifierOrigins } from './fixture.ts'

/** Our wallet answers a verifier made with a library that is not ours, over HTTP. */

setGlobalConfig({ allowInsecureUrls: true })

type Members = Record<string, unknown>
type Mode = 'direct_post' | 'direct_post.jwt'
type Created = Awaited<ReturnType<Openid4vpVerifier['createOpenId4vpAuthorizationRequest']>>
type Parsed = Awaited<ReturnType<Openid4vpVerifier['parseOpenid4vpAuthorizationResponse']>>

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const audience = 'https://self-issued.me/v2'

/** A verifier of @openid4vc/openid4vp at an address of its own, by its did:key. */
const openTheirVerifier = async (clock: { now(): number }) => {
  const signer = newSigner('P-256')
  const { publicJwk, privateJwk } = await newEncryptionKey()
  const callbacks = {
    signJwt: (_signer: unknown, { header, payload }: { header: Members; payload: Members }) => {
      const input = `${encode(header)}.${encode(payload)}`
      const signature = sign('sha256', Buffer.from(input), { key: signer.privateKey, dsaEncoding: 'ieee-p1363' })
      const signerJwk = createPublicKey(signer.privateKey).export({ format: 'jwk' }) as Jwk
      return { jwt: `${input}.${signature.toString('base64url')}`, signerJwk }
    },
    decryptJwe: async (jwe: string) => {
      const { plaintext } = await compactDecrypt(jwe, await importJWK(privateJwk, 'ECDH-ES'))
      return { decrypted: true, decryptionJwk: publicJwk, payload: Buffer.from(plaintext).toString() }
    },
  } as unknown as CallbackContext
  const verifier = new Openid4vpVerifier({ callbacks })
  let created: Created | undefined
  let parsed: Parsed | undefined
  const server: Server = createServer(async (request, response) => {
    if (request.url?.startsWith('/request') === true) {
      response.writeHead(200, { 'content-type': 'application/oauth-authz-req+jwt' })
      response.end(created?.jar?.authorizationRequestJwt)
      return
    }
    let text = ''
    for await (const chunk of request) text += chunk
    parsed = await verifier.parseOpenid4vpAuthorizationResponse({
      authorizationResponse: Object.fromEntries(new URLSearchParams(text)),
      authorizationRequestPayload: created?.authorizationRequestPayload as never,
      callbacks,
    })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{}')
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  verifierOrigins.push(origin)
  const clientId = `decentralized_identifier:${signer.did}`
  return {
    clientId,
    async ask(dcql: Members, mode: Mode, more: Members = {}): Promise<string> {
      const encrypted = { jwks: { keys: [publicJwk] }, encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'] }
      created = await verifier.createOpenId4vpAuthorizationRequest({
        authorizationRequestPayload: {
          ...{ client_id: clientId, response_type: 'vp_token', response_mode: mode, nonce: 'their-nonce', state: 's' },
          ...{ response_uri: `${origin}/response`, dcql_query: dcql, ...more },
          client_metadata: {
            vp_formats_supported: { 'dc+sd-jwt': {}, jwt_vc_json: {}, ldp_vc: {} },
            ...(mode === 'direct_post' ? {} : encrypted),
          },
        } as never,
        jar: {
          jwtSigner: { method: 'did', didUrl: signer.verificationMethod, alg: 'ES256' },
          ...{ requestUri: `${origin}/request`, expiresInSeconds: 300, additionalJwtPayload: { aud: audience } },
        },
        now: new Date(clock.now()),
      })
      return created.authorizationRequest
    },
    /** What their library made of the answer. */
    answer(): Record<string, unknown[]> {
      if (parsed?.type !== 'dcql') throw new Error('the answer is none to a DCQL query')
      expect(parsed.expectedNonce).toBe('their-nonce')
      return parsed.dcql.presentations
    },
    close: () => new Promise(done => server.close(done)),
  }
}

const setUp = async () => {
  // Their library looks at the time itself.
  const clock = movableClock(Date.now())
  const nation = openNation(clock)
  const folder = mkdtempSync(join(tmpdir(), 'chancery-theirs-'))
  const office = await openOffice({ file: join(folder, 'wallet.sqlite') }, nation, clock)
  const verifier = await openTheirVerifier(clock)
  const amara = await citizenAt(office, 'amara')
  const close = async () => {
    await Promise.all([verifier.close(), office.store.close()])
    rmSync(folder, { recursive: true, force: true })
  }
  return { clock, nation, office, verifier, amara, close }
}

type Shown = { id: string; digest: string; queries: { id: string; candidates: { heldId: string }[] }[] }

describe('our wallet and a verifier made with @openid4vc/openid4vp', () => {
  let scene: Awaited<ReturnType<typeof setUp>>
  beforeEach(async () => {
    scene = await setUp()
  })
  afterEach(() => scene.close())

  const answer = async (dcql: Members, mode: Mode, more: Members = {}): Promise<unknown> => {
    const { amara, verifier } = scene
    const shown = await amara.call<Shown>('readPresentationRequest', { link: await verifier.ask(dcql, mode, more) })
    const credentials = shown.queries.map(({ id, candidates }) => ({ query: id, heldId: candidates[0]?.heldId ?? '' }))
    await amara.call(
      'answerPresentationRequest',
      { digest: shown.digest, credentials },
      { params: { request: shown.id } },
    )
    return verifier.answer()['id']?.[0]
  }

  const signed = (data: string, signature: string, key: KeyObject): boolean =>
    verify('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
  const readElsewhere = (presentation: string) =>
    new SDJwtInstance({
      hasher: data =>
        createHash('sha256')
          .update(Buffer.from(data as string))
          .digest(),
      hashAlg: 'sha-256',
      verifier: (data, signature) => signed(data, signature, scene.nation.issuerKey),
      kbVerifier: (data, signature, payload) => {
        const { jwk } = (payload as unknown as { cnf: { jwk: JsonWebKey } }).cnf
        return signed(data, signature, createPublicKey({ key: jwk, format: 'jwk' }))
      },
    }).verify(presentation, { keyBindingNonce: 'their-nonce' })

  const modes: Mode[] = ['direct_post', 'direct_post.jwt']
  it.each(modes)('agree on a credential in dc+sd-jwt by %s', async mode => {
    const { amara, nation, verifier } = scene
    await amara.receive(await nation.issue('NationalIdentity', await amara.newKey(), { familyName: 'Ocean' }))
    const dcql = {
      credentials: [
        {
          ...{ id: 'id', format: 'dc+sd-jwt', meta: { vct_values: ['urn:chancery:vct:national-identity:1'] } },
          claims: [{ path: ['familyName'], values: ['Ocean'] }],
        },
      ],
    }
    const presentation = (await answer(dcql, mode)) as string
    const { payload, kb } = await readElsewhere(presentation)
    expect(payload).toMatchObject({ familyName: 'Ocean' })
    expect(payload).not.toHaveProperty('givenName')
    expect(kb?.payload).toMatchObject({ aud: verifier.clientId, nonce: 'their-nonce' })
    const claims = payload as never
    const result = DcqlPresentationResult.fromDcqlPresentation(
      {
        id: [
          {
            ...{ credential_format: 'dc+sd-jwt', vct: 'urn:chancery:vct:national-identity:1', claims },
            cryptographic_holder_binding: true,
          },
        ],
      },
      { dcqlQuery: DcqlQuery.parse(dcql as DcqlQuery.Input) },
    )
    expect(result.can_be_satisfied).toBe(true)
  })

  const licence = [
    'https://www.w3.org/2018/credentials#VerifiableCredential',
    'https://chancery.example/ns#DrivingLicence',
  ]
  it.each([
    ['jwt_vc_json', 'jwt_vc'],
    ['ldp_vc', 'ldp_vc'],
  ] as const)('agree on a credential in %s', async (format, own) => {
    const { amara, nation, verifier } = scene
    await amara.receive(await nation.issue('DrivingLicence', await amara.newKey(), {}, own))
    const claims = [{ path: ['credentialSubject', 'familyName'] }]
    const dcql = { credentials: [{ id: 'id', format, meta: { type_values: [licence] }, claims }] }
    const presentation = await answer(dcql, 'direct_post.jwt')
    const verdict = await nation.verifyPresentation(presentation, 'their-nonce', verifier.clientId)
    expect([verdict.verified, verdict.refusal]).toEqual([true, undefined])
  })
})
