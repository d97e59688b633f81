import { createPublicKey, hash, type KeyObject, sign } from 'node:crypto'
import { openDids } from '../../../../src/identity/dids.ts'
import { readKeySet } from '../../../../src/identity/formats/compact-jws.ts'
import { newEncryptionKey } from '../../../../src/identity/openid/jwe.ts'
import type { ClientTrust } from '../../../../src/identity/openid/vp/request-client.ts'
import type { RequestReading } from '../../../../src/identity/openid/vp/request-read.ts'
import { makeAccessCertificate } from '../../../../src/identity/x509/make.ts'
import { newSigner } from '../../integrity/signers.ts'
import { day, type Keys, makeAuthority, newKeys, start, validity } from '../../x509/authority.ts'

/** Verifiers that ask wallets, with keys and certificates of their own. */

export type Members = Record<string, unknown>

export const now = start + day
export const seconds = (at: number): number => Math.floor(at / 1_000)

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A compact JWS by ES256, whatever its header and payload say. */
export const signed = (header: Members, payload: Members, key: KeyObject): string => {
  const input = `${encode({ alg: 'ES256', ...header })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

export const base64 = (der: Uint8Array): string => Buffer.from(der).toString('base64')
export const certificateHash = (der: Uint8Array): string => hash('sha256', der, 'base64url')

export const typ = 'oauth-authz-req+jwt'
export const host = 'verifier.example'
export const responseUri = `https://${host}/response`
export const nonce = 'n-0S6_WzA2Mj'
export const query: Members = {
  credentials: [{ id: 'id', format: 'dc+sd-jwt', meta: { vct_values: ['urn:v'] }, claims: [{ path: ['familyName'] }] }],
}

/** Public keys as configuration lists them. */
const jwksOf = (keys: Record<string, KeyObject>) =>
  readKeySet({
    keys: Object.entries(keys).map(([kid, key]) => ({ ...createPublicKey(key).export({ format: 'jwk' }), kid })),
  })

/** The nation of verifiers: an authority, an attester, a registered client, and somebody whom nobody knows. */
export const openAsking = async () => {
  const authority = await makeAuthority({ commonName: 'Verifiers’ authority' })
  const stranger = await makeAuthority({ commonName: 'Somebody’s own authority' })
  const keys = newKeys()
  const leafOf = (of: typeof authority, hosts: readonly string[], with_: Keys = keys) =>
    makeAccessCertificate({
      ...validity,
      ...{ organization: 'Verifier', commonName: 'Verifier', authority: of, publicKey: with_.publicKey, hosts },
    })
  const leaf = await leafOf(authority, [host])
  const foreign = await leafOf(stranger, [host])
  const attester = newKeys()
  const registered = newKeys()
  const holder = newSigner('P-256')
  const encryption = await newEncryptionKey()
  const dids = openDids({ chainId: 31_337, replica: { events: () => [] }, clock: { now: () => now } })
  const trust: ClientTrust = {
    resolve: did => dids.resolve(did),
    anchors: async () => [authority.certificate],
    attesters: new Map([['https://attester.example', jwksOf({ a1: attester.privateKey })]]),
    registered: new Map([
      ['known-client', { keys: jwksOf({ k1: registered.privateKey }), responseUris: [responseUri], metadata: {} }],
    ]),
  }
  const metadata = { vp_formats_supported: { 'dc+sd-jwt': {} } }
  const parameters = (more: Members = {}): Members => ({
    ...{ response_type: 'vp_token', response_mode: 'direct_post', response_uri: responseUri, nonce, state: 's-1' },
    ...{ dcql_query: query, client_metadata: metadata, aud: 'https://self-issued.me/v2', exp: seconds(now) + 60 },
    ...more,
  })
  const encrypted = {
    response_mode: 'direct_post.jwt',
    client_metadata: {
      ...metadata,
      jwks: { keys: [encryption.publicJwk] },
      encrypted_response_enc_values_supported: ['A128GCM', 'A256GCM'],
    },
  }
  return {
    authority,
    stranger,
    keys,
    leaf,
    leafOf,
    foreign,
    attester,
    registered,
    holder,
    encryption,
    trust,
    parameters,
    encrypted,
  }
}
export type Asking = Awaited<ReturnType<typeof openAsking>>

/** A wallet that reads requests; what it would fetch is handed out by `serve`. */
export const readingOf = (
  asking: Asking,
  serve: (url: string, form: Record<string, string> | undefined) => string | Promise<string> = () => '',
  more: Partial<RequestReading> = {},
): RequestReading => ({
  ...{ now: () => now, trust: asking.trust, audience: ['https://wallet.example'], httpOrigins: [] },
  ...{ walletMetadata: { vp_formats_supported: {} }, fetchRequest: async (url, form) => serve(url, form) },
  ...more,
})

export const link = (parameters: Record<string, string>, scheme = 'openid4vp'): string =>
  `${scheme}://?${new URLSearchParams(parameters)}`
