import { createPublicKey, type JsonWebKey, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { clientAuthenticationClientAttestationJwt } from '@openid4vc/oauth2'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { pemOfCertificate } from '../src/identity/x509/certificate.ts'
import { type Authority, makeAccessCertificate } from '../src/identity/x509/make.ts'
import { makeAuthority } from './identity/x509/authority.ts'
import { caller, exampleOf, killNode, root, type Started, startService, temporaryFolder } from './service.ts'
import {
  newTheirWallet,
  newWalletKey,
  proofOf,
  signerOf,
  signJws,
  type TheirWallet,
  type WalletKey,
} from './their-wallet.ts'

/** An issuer under HAIP 1.0: attested wallets, attested keys, certificates in what it signs. */

type Body = Record<string, unknown>

const id = 'DrivingLicence.1.dc_sd_jwt'
const redirectUri = 'https://their-wallet.example/cb'
const now = Math.floor(Date.now() / 1_000)
const provider = newWalletKey()

let service: Started
let folder: ReturnType<typeof temporaryFolder>
let issuer = ''
let anchor: Authority
let x5c: string[]

const base64 = (der: Uint8Array): string => Buffer.from(der).toString('base64')
const publicKeyOf = ({ jwk }: WalletKey) => createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })

beforeAll(async () => {
  folder = temporaryFolder()
  anchor = await makeAuthority({ commonName: 'Authority of wallet providers' })
  const certificate = await makeAccessCertificate({
    ...{ notBefore: Date.now() - 86_400_000, notAfter: Date.now() + 86_400_000, authority: anchor },
    ...{ publicKey: publicKeyOf(provider), commonName: 'Wallet provider', hosts: ['wallet.example'] },
  })
  x5c = [base64(certificate)]
  writeFileSync(join(folder.path, 'providers.pem'), pemOfCertificate(anchor.certificate))
  const own = readFileSync(join(root, 'agents', 'transport-authority.yml'), 'utf8').replace(
    /^openid4vci:.*\n(?: .*\n)*/m,
    '',
  )
  const section = { haip: true, walletProviders: { anchors: ['providers.pem'] } }
  const file = join(folder.path, 'transport-authority.yml')
  writeFileSync(file, `${own}\nopenid4vci: ${JSON.stringify(section)}\n`)
  service = await startService({
    dataDir: join(folder.path, 'data'),
    agencies: [join(root, 'agents', 'root-authority.yml'), file],
  })
  issuer = `${service.url}/transport-authority`
}, 90_000)

afterAll(async () => {
  await service?.stop()
  killNode(join(folder.path, 'data'))
  folder.remove()
})

const walletAttestation = (instance: TheirWallet, header: Body = { x5c }): string =>
  signJws(
    { typ: 'oauth-client-attestation+jwt', ...header },
    {
      ...{ iss: 'https://wallet.example', sub: 'their-wallet', iat: now, exp: now + 600 },
      cnf: { jwk: instance.dpopKey.jwk },
    },
    provider,
  )

/** A wallet whose provider vouches for it. The library signs its proof with the key of the instance. */
const newAttestedWallet = (header?: Body): TheirWallet => {
  const instance = newTheirWallet()
  const signJwt: TheirWallet['callbacks']['signJwt'] = (_signer, { header, payload }) => ({
    ...{ jwt: signJws(header, payload, instance.dpopKey), signerJwk: instance.dpopKey.jwk },
  })
  const clientAttestationJwt = walletAttestation(instance, header)
  const callbacks = { ...instance.callbacks, signJwt }
  return newTheirWallet(clientAuthenticationClientAttestationJwt({ callbacks, clientAttestationJwt }))
}

const keyAttestation = (keys: readonly WalletKey[], nonce: string, header: Body = { x5c }): string =>
  signJws(
    { typ: 'key-attestation+jwt', ...header },
    { iat: now, exp: now + 600, nonce, attested_keys: keys.map(({ jwk }) => jwk), key_storage: ['iso_18045_high'] },
    provider,
  )

const offerOf = async (more: Body = {}): Promise<string> => {
  const { body } = await caller(service, 'transport-authority')('POST', '/credential-offers', {
    credentialConfigurationIds: [id],
    claims: { DrivingLicence: exampleOf('driving-licence') },
    ...more,
  })
  return (body['links'] as unknown as { haip: string }).haip.replace('haip-vci:', 'openid-credential-offer:')
}

/** From the offer to the token by the pre-authorised code. */
const takeUp = async (wallet: TheirWallet) => {
  const credentialOffer = await wallet.client.resolveCredentialOffer(await offerOf())
  const issuerMetadata = await wallet.client.resolveIssuerMetadata(issuer)
  const { accessTokenResponse, dpop } = await wallet.client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    ...{ credentialOffer, issuerMetadata, dpop: { signer: signerOf(wallet.dpopKey) } },
  })
  return { wallet, issuerMetadata, accessToken: accessTokenResponse.access_token, ...(dpop && { dpop }) }
}

type Taken = Awaited<ReturnType<typeof takeUp>>

const collect = async (
  { wallet, ...taken }: Taken,
  prove: (nonce: string) => { jwt: [string, ...string[]] } | { attestation: [string] },
): Promise<string[]> => {
  const { c_nonce: nonce } = await wallet.client.requestNonce(taken)
  const { credentialResponse } = await wallet.client.retrieveCredentials({
    ...{ ...taken, credentialConfigurationId: id, proofs: prove(nonce) },
  })
  return (credentialResponse as unknown as { credentials: { credential: string }[] }).credentials.map(
    ({ credential }) => credential,
  )
}

describe('an issuer under HAIP 1.0', () => {
  it('says in its metadata what it needs: attested keys and wallets, a scope a configuration (sections 4.1 and 4.5.1)', async () => {
    const read = async (name: string): Promise<Body> =>
      (await (await fetch(`${service.url}/.well-known/${name}/transport-authority`)).json()) as Body
    const metadata = await read('openid-credential-issuer')
    const configurations = Object.values(metadata['credential_configurations_supported'] as Record<string, Body>)
    for (const { scope, proof_types_supported: types } of configurations) {
      expect(scope).toEqual(expect.any(String))
      const needed = expect.objectContaining({ key_attestations_required: {} })
      expect(types).toEqual({ jwt: needed, attestation: needed })
    }
    expect(metadata).toHaveProperty('nonce_endpoint')
    expect(await read('oauth-authorization-server')).toMatchObject({
      require_pushed_authorization_requests: true,
      token_endpoint_auth_methods_supported: ['attest_jwt_client_auth'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    })
  })

  it('issues under its certificate, by the authorization code, to keys of which each is attested', async () => {
    const wallet = newAttestedWallet()
    const { client } = wallet
    const credentialOffer = await client.resolveCredentialOffer(await offerOf({ grants: ['authorization_code'] }))
    const issuerMetadata = await client.resolveIssuerMetadata(issuer)
    const request = await client.createAuthorizationRequestUrlFromOffer({
      ...{ clientId: 'their-wallet', issuerMetadata, credentialOffer, redirectUri, scope: id },
      dpop: { signer: signerOf(wallet.dpopKey) },
    })
    const page = await fetch(request.authorizationRequestUrl)
    const text = await page.text()
    const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? ''
    const decided = await fetch(`${issuer}/openid4vci/authorize`, {
      ...{
        method: 'POST',
        redirect: 'manual',
        headers: { cookie: (page.headers.get('set-cookie') ?? '').split(';')[0] ?? '' },
      },
      body: new URLSearchParams({ request_uri: value('request_uri'), token: value('token'), decision: 'allow' }),
    })
    const code = new URL(decided.headers.get('location') ?? '').searchParams.get('code') ?? ''
    const { accessTokenResponse, dpop } = await client.retrieveAuthorizationCodeAccessTokenFromOffer({
      ...{ issuerMetadata, credentialOffer, authorizationCode: code, redirectUri },
      ...{ pkceCodeVerifier: request.pkce?.codeVerifier ?? '', dpop: { signer: signerOf(wallet.dpopKey) } },
    })
    const taken = { wallet, issuerMetadata, accessToken: accessTokenResponse.access_token, ...(dpop && { dpop }) }
    const keys = [wallet.newKey(), wallet.newKey()]
    const [first = '', second] = await collect(taken, nonce => ({
      jwt: [proofOf(keys[0] as WalletKey, { issuer, nonce }, { key_attestation: keyAttestation(keys, nonce) })],
    }))
    expect(second).toEqual(expect.any(String))
    const { anchors } = (await (await fetch(`${issuer}/certificates`)).json()) as { anchors: string[] }
    const jws = first.split('~')[0] ?? ''
    const chain = (decodeProtectedHeader(jws).x5c ?? []).map(each => new X509Certificate(Buffer.from(each, 'base64')))
    const roots = anchors.map(each => new X509Certificate(Buffer.from(each, 'base64')))
    expect(chain.length).toBeGreaterThan(0)
    expect(roots.some(each => chain.at(-1)?.verify(each.publicKey))).toBe(true)
    expect(chain.some(each => roots.some(anchored => anchored.fingerprint256 === each.fingerprint256))).toBe(false)
    const { payload } = await jwtVerify(jws, (chain[0] as X509Certificate).publicKey)
    expect((payload['cnf'] as { jwk: Body }).jwk['x']).toBe(keys[0]?.jwk.x)
    expect(payload).toMatchObject({ status: { status_list: { uri: expect.stringContaining('/status/token/') } } })
  })

  it('takes the proof type attestation, a credential for every key of it', async () => {
    const taken = await takeUp(newAttestedWallet())
    const keys = [newWalletKey(), newWalletKey(), newWalletKey()]
    const credentials = await collect(taken, nonce => ({ attestation: [keyAttestation(keys, nonce)] }))
    const bound = credentials.map(
      each => JSON.parse(Buffer.from(each.split('.')[1] ?? '', 'base64url').toString()) as Body,
    )
    expect(bound.map(({ cnf }) => (cnf as { jwk: Body }).jwk['x'])).toEqual(keys.map(({ jwk }) => jwk.x))
  })

  it('refuses keys that nobody attests, or under a chain with the trust anchor in it, or without one', async () => {
    const key = newWalletKey()
    const attempts: ((nonce: string) => Body)[] = [
      nonce => ({ jwt: [proofOf(key, { issuer, nonce })] }),
      nonce => ({
        jwt: [proofOf(key, { issuer, nonce }, { key_attestation: keyAttestation([newWalletKey()], nonce) })],
      }),
      nonce => ({ attestation: [keyAttestation([key], nonce, { x5c: [...x5c, base64(anchor.certificate)] })] }),
      nonce => ({ attestation: [keyAttestation([key], nonce, { kid: 'provider-1' })] }),
    ]
    const taken = await takeUp(newAttestedWallet())
    for (const prove of attempts) {
      await expect(collect(taken, nonce => prove(nonce) as { attestation: [string] })).rejects.toThrow(/invalid_proof/)
    }
  })

  it('gives no token to wallets that nobody attests, or under a chain with the anchor in it, and none without DPoP', async () => {
    await expect(takeUp(newTheirWallet())).rejects.toThrow()
    await expect(takeUp(newAttestedWallet({ x5c: [...x5c, base64(anchor.certificate)] }))).rejects.toThrow()
    const wallet = newAttestedWallet()
    const credentialOffer = await wallet.client.resolveCredentialOffer(await offerOf())
    const issuerMetadata = await wallet.client.resolveIssuerMetadata(issuer)
    const bare = wallet.client.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata })
    await expect(bare).rejects.toThrow()
  })

  it('signs its status lists under its certificate (section 6.1)', async () => {
    const response = await fetch(`${issuer}/status/token/0`, { headers: { accept: 'application/statuslist+jwt' } })
    const { x5c: chain = [] } = decodeProtectedHeader(await response.text())
    expect(chain.length).toBeGreaterThan(0)
  })
})
