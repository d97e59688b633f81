import type { Dcql } from '../../../kernel/dcql-query.ts'
import { contentEncryptions, type PublicEncryptionJwk } from '../jwe.ts'
import type { SigningClient } from './clients.ts'
import { formatsSupported } from './formats-supported.ts'

/** Requests for presentations, as a verifier makes them (OpenID4VP 1.0, section 5; over the Digital Credentials API, appendix A). */

export const responseModes = ['direct_post', 'direct_post.jwt', 'dc_api', 'dc_api.jwt'] as const
export type ResponseMode = (typeof responseModes)[number]

/** An attestation about the verifier (section 5.11). */
export type VerifierInfo = { format: string; data: unknown; credential_ids?: readonly string[] }

/** What a request says, but for who asks. */
export type RequestTerms = {
  dcql: Dcql
  nonce: string
  responseMode: ResponseMode
  /** Of direct_post. */
  responseUri?: string | undefined
  state?: string | undefined
  transactionData?: readonly string[] | undefined
  verifierInfo?: readonly VerifierInfo[] | undefined
  /** The key to encrypt to, made for this request; of `….jwt` modes. */
  encryptionKey?: PublicEncryptionJwk | undefined
  /** Of signed requests over the Digital Credentials API. */
  expectedOrigins?: readonly string[] | undefined
}

/** Whoever has no other name for itself (section 5.8). */
export const anyWallet = 'https://self-issued.me/v2'

type Parameters = Record<string, unknown>

/** Section 5.1. Both content encryptions are listed, as HAIP 1.0 section 5 has it. */
const clientMetadata = ({ dcql, encryptionKey }: RequestTerms): Parameters => ({
  ...(encryptionKey === undefined
    ? {}
    : { jwks: { keys: [encryptionKey] }, encrypted_response_enc_values_supported: contentEncryptions }),
  vp_formats_supported: formatsSupported(dcql),
})

const given = (parameters: Parameters): Parameters =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined))

const parametersOf = (terms: RequestTerms): Parameters =>
  given({
    response_type: 'vp_token',
    response_mode: terms.responseMode,
    response_uri: terms.responseUri,
    nonce: terms.nonce,
    state: terms.state,
    dcql_query: terms.dcql,
    client_metadata: clientMetadata(terms),
    transaction_data: terms.transactionData,
    expected_origins: terms.expectedOrigins,
  })

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

type Period = { now: number; expires: number }
const seconds = (time: number): number => Math.floor(time / 1_000)

/** `typ` of a request object (RFC 9101 section 10.8; OpenID4VP 1.0 section 5). */
const typ = 'oauth-authz-req+jwt'

const signed = async (
  header: Parameters,
  payload: string,
  { sign }: SigningClient,
): Promise<{ protected: string; signature: string }> => {
  const head = encode(header)
  const signature = await sign(Buffer.from(`${head}.${payload}`, 'latin1'))
  return { protected: head, signature: Buffer.from(signature).toString('base64url') }
}

/**
 * A signed request object (RFC 9101) as a compact JWS.
 * @param more.walletNonce of the wallet that fetches it by POST (section 5.10).
 */
export const signRequestObject = async (
  terms: RequestTerms,
  client: SigningClient,
  more: Period & { walletNonce?: string | undefined },
): Promise<string> => {
  const payload = encode({
    // No `iss`: whoever asks is known by `client_id`, and readers would ignore it.
    ...{ aud: anyWallet, iat: seconds(more.now), exp: seconds(more.expires) },
    client_id: client.clientId,
    ...parametersOf(terms),
    ...given({ verifier_info: terms.verifierInfo, wallet_nonce: more.walletNonce }),
  })
  const { protected: head, signature } = await signed({ ...client.header, typ }, payload, client)
  return `${head}.${payload}.${signature}`
}

/**
 * One request under several client identifiers, as JWS JSON (appendix A.3.2.2): who asks stands in each protected header, what is
 * asked in the payload.
 */
export const signForSeveral = async (
  terms: RequestTerms,
  clients: readonly SigningClient[],
  period: Period,
): Promise<{ payload: string; signatures: { protected: string; signature: string }[] }> => {
  const times = { iat: seconds(period.now), exp: seconds(period.expires) }
  const payload = encode({ aud: anyWallet, ...times, ...parametersOf(terms) })
  const own = (client: SigningClient): Parameters =>
    given({ ...client.header, typ, client_id: client.clientId, verifier_info: terms.verifierInfo })
  return { payload, signatures: await Promise.all(clients.map(client => signed(own(client), payload, client))) }
}

/** Members that are objects or lists go as JSON into a URL (section 5.1). */
const queryOf = (parameters: Parameters): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    query.set(name, typeof value === 'string' ? value : JSON.stringify(value))
  }
  return query.toString()
}

/** Schemes that wallets answer to: that of OpenID4VP 1.0 section 13.1.2, and that of HAIP 1.0 section 5.1. */
export const schemes = ['openid4vp', 'haip-vp'] as const
export type Scheme = (typeof schemes)[number]

/** What a wallet is opened with: the request by reference. */
export const urlByReference = (
  scheme: Scheme,
  request: { clientId: string; requestUri: string; method: 'get' | 'post' },
): string => {
  const { clientId, requestUri, method } = request
  const parameters = { client_id: clientId, request_uri: requestUri }
  return `${scheme}://?${queryOf(method === 'post' ? { ...parameters, request_uri_method: method } : parameters)}`
}

/** The signed request in the URL itself. */
export const urlByValue = (scheme: Scheme, request: { clientId: string; object: string }): string =>
  `${scheme}://?${queryOf({ client_id: request.clientId, request: request.object })}`

/** Unsigned: the client is known by the address that the response goes to (section 5.9.3, `redirect_uri`). */
export const urlUnsigned = (scheme: Scheme, terms: RequestTerms): string =>
  `${scheme}://?${queryOf({ client_id: unsignedClientId(terms.responseUri ?? ''), ...parametersOf(terms) })}`

export const unsignedClientId = (responseUri: string): string => `redirect_uri:${responseUri}`

/** A request over the Digital Credentials API, as `navigator.credentials.get({ digital: { requests } })` takes it. */
export type DigitalRequest = { protocol: string; data: Parameters }

/** Appendix A.3.1: no client identifier, and no origins, which the browser tells. */
export const digitalUnsigned = (terms: RequestTerms): DigitalRequest => {
  const { expected_origins: _told, ...parameters } = parametersOf(terms)
  return { protocol: 'openid4vp-v1-unsigned', data: { ...parameters, ...given({ verifier_info: terms.verifierInfo }) } }
}

/** Appendix A.3.2: signed once, or under several client identifiers. */
export const digitalSigned = async (
  terms: RequestTerms,
  clients: readonly SigningClient[],
  period: Period,
): Promise<DigitalRequest> => {
  const [only, ...others] = clients
  if (only === undefined) throw new Error('a signed request has a signer')
  if (others.length > 0) {
    return { protocol: 'openid4vp-v1-multisigned', data: { request: await signForSeveral(terms, clients, period) } }
  }
  return { protocol: 'openid4vp-v1-signed', data: { request: await signRequestObject(terms, only, period) } }
}
